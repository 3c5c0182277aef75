"""What is derived from the events: kept while writing, and recomputed by `manage.py recount`."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain
from typing import Any

from django.db import transaction
from django.db.models import Case, Count, F, Max, Min, OuterRef, Q, Subquery, Value, When
from django.db.models.functions import Greatest, Least

from catalog.entities import Entity
from catalog.lookups import component_named
from catalog.models import (
    Asset,
    Branch,
    Component,
    Consumption,
    Edge,
    Highlight,
    Instance,
    Project,
    Promotion,
    SpecVersion,
)
from catalog.newest import newest_of
from catalog.states import Kind

Row = dict[str, Any]
EVERY = Q()


def effective_properties(asset: Asset) -> Row:
    """The declared properties with the overrides of people on top."""
    return asset.declared_properties | dict(asset.overrides.values_list("key", "value"))


def count_consumers(asset: Asset) -> int:
    """How many components consume the asset."""
    edges = Edge.objects.filter(asset=asset, direction=Edge.Direction.CONSUMES)
    return edges.values("component").distinct().count()


def component_of(*, perimeter_id: int, project: str, entity: Entity) -> Component:
    kind, name = entity.component
    if known := component_named(perimeter=perimeter_id, project=project, kind=kind, name=name):
        return known
    found, _ = Component.objects.get_or_create(perimeter_id=perimeter_id, project_name=project, kind=kind, name=name)
    return found


def add_to_edge(
    *,
    asset: Asset,
    component: Component,
    direction: Edge.Direction,
    write_branch: tuple[str, str],
    entity: Entity,
    instance: Instance | None,
    at: datetime,
) -> None:
    """Count one more registration or consumption; one that arrived late is not the last.

    The caller holds a lock: the edge's, or the asset's where the edge is new.
    """
    newest = {
        "last_at": at,
        "last_entity_kind": entity.kind,
        "last_entity_id": entity.id,
        "last_instance": instance,
    }
    key = {"asset": asset, "component": component, "direction": direction, "write_branch": write_branch[0]}
    known = Edge.objects.filter(**key)
    if known.filter(last_at__lte=at).update(count=F("count") + 1, **newest):
        return
    if known.update(count=F("count") + 1, first_at=Least("first_at", Value(at))):
        return
    Edge.objects.create(**key, first_at=at, write_branch_name=write_branch[1], **newest)
    if direction == Edge.Direction.CONSUMES:
        Asset.objects.filter(pk=asset.pk).update(consumer_count=count_consumers(asset))


def production(promoted: bool) -> Edge.Direction:
    """The named producer of a promoted instance made it elsewhere: it did not write here."""
    return Edge.Direction.PROMOTED if promoted else Edge.Direction.PRODUCES


def add_promotion(instance: Instance) -> None:
    """Count one more promotion to the asset of a new instance, whose lock the caller holds."""
    source = instance.promoted_from
    if source is None:
        return
    pair = {"source_id": source.asset_id, "target": instance.asset}
    at = Value(instance.created_at)
    again = {"count": F("count") + 1, "first_at": Least("first_at", at), "last_at": Greatest("last_at", at)}
    if not Promotion.objects.filter(**pair).update(**again):
        Promotion.objects.create(**pair, first_at=instance.created_at, last_at=instance.created_at)


@dataclass
class Recount:
    """What `recount` found wrong: one line for each correction."""

    corrections: list[str] = field(default_factory=list)
    assets: int = 0

    def run(self) -> "Recount":
        for pk in Asset.objects.order_by("pk").values_list("pk", flat=True).iterator():
            with transaction.atomic():
                self._asset(Asset.objects.select_for_update(no_key=True).get(pk=pk))
        for pk in Branch.objects.order_by("pk").values_list("pk", flat=True).iterator():
            with transaction.atomic():
                self._branch(Branch.objects.select_for_update(no_key=True).get(pk=pk))
        for pk in Project.objects.order_by("pk").values_list("pk", flat=True).iterator():
            with transaction.atomic():
                self._project(Project.objects.select_for_update(no_key=True).get(pk=pk))
        return self

    def _asset(self, asset: Asset) -> None:
        self.assets += 1
        self._edges(asset)
        self._promotions(asset)
        self._correct(
            asset,
            newest_of(asset)
            | {
                "properties": effective_properties(asset),
                "alias_index": {
                    name: uid or asset.definition_uid
                    for name, uid in asset.aliases.values_list("name", "instance__uid")
                },
                "consumer_count": count_consumers(asset),
            },
        )

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
        self._correct(project, {"newest_highlight_id": newest.pk if newest else None})

    def _correct(self, row: Asset | Branch | Edge | Highlight | Project | Promotion, right: Row) -> None:
        wrong = {name: value for name, value in right.items() if getattr(row, name) != value}
        if wrong:
            type(row)._default_manager.filter(pk=row.pk).update(**wrong)
            self.corrections.append(f"{type(row).__name__} {row.pk}: {', '.join(sorted(wrong))}")

    def edges_with(self, asset: Asset, component: Component) -> None:
        """Those between an asset, whose lock the caller holds, and one component."""
        self._edges(asset, Q(component=component))

    def _edges(self, asset: Asset, which: Q = EVERY) -> None:
        # locked before the events are read, so that none is added between
        edges = list(Edge.objects.select_for_update(no_key=True).filter(which, asset=asset).order_by("pk"))
        right = _edges_from_events(asset, which)
        for edge in edges:
            fact = right.pop((edge.component_id, edge.direction, edge.write_branch), None)
            if fact is None:
                edge.delete()
                self.corrections.append(f"Edge {edge.pk}: has no event")
            else:
                self._correct(edge, fact)
        for (component, direction, write_branch), fact in right.items():
            edge = Edge.objects.create(
                asset=asset, component_id=component, direction=direction, write_branch=write_branch, **fact
            )
            self.corrections.append(f"Edge {edge.pk}: was missing")

    def _promotions(self, asset: Asset) -> None:
        right = {row.pop("source"): row for row in _promotions_from_events(asset)}
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


def _promotions_from_events(asset: Asset) -> Iterable[Any]:
    promoted = Instance.objects.filter(asset=asset, promoted_from__isnull=False).order_by()
    by_source = promoted.values(source=F("promoted_from__asset"))
    return by_source.annotate(first_at=Min("created_at"), last_at=Max("created_at"), count=Count("pk"))


def _edges_from_events(asset: Asset, which: Q) -> dict[tuple[int, str, str], Row]:
    """The last event of an edge is the last in time, and of equal times the one that arrived last."""
    edges: dict[tuple[int, str, str], Row] = {}
    for key, name, at, entity_kind, entity_id, instance in chain(
        _productions(asset, which), _consumptions(asset, which)
    ):
        edge = edges.setdefault(key, {"first_at": at, "count": 0, "write_branch_name": name})
        edge.update(
            count=edge["count"] + 1,
            last_at=at,
            last_entity_kind=entity_kind,
            last_entity_id=entity_id,
            last_instance_id=instance,
        )
    return edges


def _productions(asset: Asset, which: Q) -> Iterator[tuple[tuple[int, str, str], str, datetime, str, str, int]]:
    branch = asset.branch
    fields = ("component_id", "created_at", "producer_kind", "producer_id", "pk", "promoted_from_id")
    for component, at, kind, entity, pk, source in (
        Instance.objects.filter(which, asset=asset).order_by("created_at", "pk").values_list(*fields).iterator()
    ):
        yield (component, production(source is not None).value, branch.key), "", at, kind, entity, pk


def _consumptions(asset: Asset, which: Q) -> Iterator[tuple[tuple[int, str, str], str, datetime, str, str, int | None]]:
    fields = ("component_id", "write_branch", "write_branch_name", "at", "entity_kind", "entity_id", "instance_id")
    for component, branch, name, at, kind, entity, instance in (
        Consumption.objects.filter(which, asset=asset).order_by("at", "pk").values_list(*fields).iterator()
    ):
        yield (component, Edge.Direction.CONSUMES.value, branch), name, at, kind, entity, instance
