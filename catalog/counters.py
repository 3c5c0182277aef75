"""What is derived from the events: kept while writing, and recomputed by `assetsite manage recount`."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction
from django.db.models import Case, OuterRef, Q, Subquery, When

from catalog.attention import over_by_now, settle_attention
from catalog.edges import EVERY, count_consumers, facts_of_edges, facts_of_promotions
from catalog.entities import Entity
from catalog.expected import right_expectation
from catalog.gates_in_force import gates_of_each
from catalog.models import (
    Alias,
    Asset,
    Branch,
    Component,
    Edge,
    Highlight,
    Instance,
    NewNormal,
    Project,
    Promotion,
    Run,
    SpecVersion,
)
from catalog.name_starts import add_names, repair_names
from catalog.newest import newest_of
from catalog.outbox import heard_by_each
from catalog.series.checking import assets_with_blocks, correct_block, kept_numbers, right_columns, wrong_blocks
from catalog.statements import component_named
from catalog.states import AttentionKind, Kind
from catalog.wrong_facts import batches, found_wrong, wrong_deprecations

Row = dict[str, Any]
Derived = Alias | Asset | Branch | Edge | Highlight | Instance | Project | Promotion
AT_ONCE = 1_000
"""How many assets a recount looks up at once."""


def effective_properties(asset: Asset) -> Row:
    """The declared properties with the overrides of people on top."""
    return asset.declared_properties | dict(asset.overrides.values_list("key", "value"))


def component_of(*, perimeter_id: int, project: str, entity: Entity, run: str = "") -> tuple[Component, Run | None]:
    """The component of an entity, and the row of one of its runs, if both are there; in one query."""
    kind, name = entity.component
    known: Any = component_named.one(perimeter=perimeter_id, project=project, kind=kind.value, name=name, run=run)
    if known:
        return known, known.known_run
    found, is_new = Component.objects.get_or_create(
        perimeter_id=perimeter_id, project_name=project, kind=kind, name=name
    )
    if is_new:
        add_names(found)
    return found, None


@dataclass
class Recount:
    """What `recount` found wrong: one line for each correction."""

    corrections: list[str] = field(default_factory=list)
    assets: int = 0

    def run(self, after: int = 0, done: Callable[[int], None] = lambda asset: None) -> "Recount":
        """Each asset that is wrong in a transaction of its own, then branches and projects, then what needs
        attention, then all names.

        What is usual and unusual of all of them the background finds out anew.

        `after`: the key of an asset; this one and those before are left out. `done` is called with the key of each
        asset whose transaction is over.
        """
        while keys := Asset.objects.filter(pk__gt=after).order_by("pk").values_list("pk", flat=True)[:AT_ONCE]:
            for some in batches(list(keys)):
                Asset.objects.filter(pk__in=some, to_look_at=False).update(to_look_at=True)
                wrong, packed = found_wrong(some), assets_with_blocks(some)
                for after in some:
                    self.assets += 1
                    if after in wrong:
                        with transaction.atomic():
                            self._asset(Asset.objects.select_for_update(no_key=True).get(pk=after))
                    if after in packed:
                        self._series(after)
                    done(after)
        for pk in Branch.objects.order_by("pk").values_list("pk", flat=True).iterator():
            with transaction.atomic():
                self._branch(Branch.objects.select_for_update(no_key=True).get(pk=pk))
        for pk in Project.objects.order_by("pk").values_list("pk", flat=True).iterator():
            with transaction.atomic():
                self._project(Project.objects.select_for_update(no_key=True).get(pk=pk))
        for row in over_by_now():
            settle_attention(AttentionKind(row.kind), row.subject)
            self.corrections.append(f"Attention {row.pk}: is over")
        if repaired := repair_names():
            self.corrections.extend(repaired)
            Project.objects.mark()
        return self

    def _asset(self, asset: Asset) -> None:
        for pk, right in wrong_deprecations([asset.pk]).items():
            self._correct(Instance.objects.get(pk=pk), {"deprecation_id": right})
        self._edges(asset)
        self._promotions(asset)
        self._correct(
            asset,
            newest_of(asset)
            | {
                "properties": effective_properties(asset),
                "alias_index": self._aliases(asset),
                "consumer_count": count_consumers(asset),
                "gates_id": gates_of_each([asset])[asset.pk],
                "normal_since": self._normal_since(asset),
                **right_expectation(asset),
            },
        )

    def _normal_since(self, asset: Asset) -> Any:
        return NewNormal.objects.filter(asset=asset).order_by("-pk").values_list("since", flat=True).first()

    def _series(self, pk: int) -> None:
        """The blocks of an asset, each looked at without its lock; those that seem wrong again under it."""
        found = Asset.objects.get(pk=pk)
        for number, _ in wrong_blocks(found, kept_numbers(found)):
            with transaction.atomic():
                asset = Asset.objects.select_for_update(no_key=True).get(pk=pk)
                for _, what in [*wrong_blocks(asset, [number])]:
                    correct_block(asset, number)
                    Asset.objects.filter(pk=pk).mark()
                    self.corrections.append(f"SeriesBlock {number} of Asset {pk}: {what}")
        with transaction.atomic():
            asset = Asset.objects.select_for_update(no_key=True).get(pk=pk)
            self._correct(asset, right_columns(asset))

    def _aliases(self, asset: Asset) -> Row:
        aliases = asset.aliases.select_related("instance").only("name", "branch", "instance__uid")
        for alias in aliases:
            self._correct(alias, {"branch_id": asset.branch_id})
        return {alias.name: alias.instance.uid if alias.instance else asset.definition_uid for alias in aliases}

    def _branch(self, branch: Branch) -> None:
        live = Asset.objects.on_branch(branch)
        newest = SpecVersion.objects.filter(branch=branch).order_by("-pk").first()
        self._correct(
            branch,
            {
                "data_count": live.filter(kind=Kind.DATA).count(),
                "models_count": live.filter(kind=Kind.MODELS).count(),
                "spec_id": newest.pk if newest and newest.document else None,
            },
        )

        self._highlights(branch)

    def _highlights(self, branch: Branch) -> None:
        shown = Highlight.objects.filter(branch=branch).only("is_newest")
        last = shown.filter(component=OuterRef("component")).newest_first().values("pk")[:1]
        wrong = shown.exclude(is_newest=Case(When(pk=Subquery(last), then=True), default=False))
        for highlight in wrong.order_by("-is_newest"):  # at no time are two of them the newest
            self._correct(highlight, {"is_newest": not highlight.is_newest})

    def _project(self, project: Project) -> None:
        newest = Highlight.objects.filter(branch__project=project, is_newest=True).newest_first().only("pk").first()
        heard = heard_by_each(project.perimeter_id, [project])[project.pk]
        self._correct(project, {"newest_highlight_id": newest.pk if newest else None, "heard": heard})

    def _correct(self, row: Derived, right: Row) -> None:
        wrong = {name: value for name, value in right.items() if getattr(row, name) != value}
        if wrong:
            type(row)._default_manager.filter(pk=row.pk).update(**wrong)
            self.corrections.append(f"{type(row).__name__} {row.pk}: {', '.join(sorted(wrong))}")

    def edges_with(self, asset: Asset, component: Component) -> None:
        """Those between an asset, whose lock the caller holds, and one component."""
        self._edges(asset, Q(component=component))

    def promotions_to(self, asset: Asset) -> None:
        """Those to an asset, whose lock the caller holds."""
        self._promotions(asset)

    def _edges(self, asset: Asset, which: Q = EVERY) -> None:
        before = len(self.corrections)
        # locked before the events are read, so that none is added between
        edges = list(Edge.objects.select_for_update(no_key=True).filter(which, asset=asset).order_by("pk"))
        right = facts_of_edges([asset.pk], which)[asset.pk]
        for edge in edges:
            fact = right.pop((edge.component_id, edge.direction, edge.write_branch, edge.role), None)
            if fact is None:
                edge.delete()
                self.corrections.append(f"Edge {edge.pk}: has no event")
            else:
                self._correct(edge, fact | {"branch_id": asset.branch_id})
        for (component, direction, write_branch, role), fact in right.items():
            key = {"component_id": component, "direction": direction, "write_branch": write_branch, "role": role}
            edge = Edge.objects.create(asset=asset, branch_id=asset.branch_id, **key, **fact)
            self.corrections.append(f"Edge {edge.pk}: was missing")
        self._mark(asset, since=before)

    def _promotions(self, asset: Asset) -> None:
        before, right = len(self.corrections), facts_of_promotions([asset.pk])[asset.pk]
        for promotion in Promotion.objects.filter(target=asset):
            fact = right.pop(promotion.source_id, None)
            if fact is None:
                promotion.delete()
                self.corrections.append(f"Promotion {promotion.pk}: has no event")
            else:
                self._correct(promotion, fact)
        for source, fact in right.items():
            promotion = Promotion.objects.create(target=asset, source_id=source, **fact)
            self.corrections.append(f"Promotion {promotion.pk}: was missing")
        self._mark(asset, since=before)

    def _mark(self, asset: Asset, since: int) -> None:
        """Mark an asset of which something was corrected that may have no mark, or is gone."""
        if len(self.corrections) > since:
            Asset.objects.filter(pk=asset.pk).mark()
