"""The lineage graph by component, from aggregate rows: assets, and components on the branches that they write to."""

from collections.abc import Collection, Iterable
from datetime import datetime
from hashlib import sha256
from itertools import groupby
from typing import Any

from django.db.models import CharField, F, Q, QuerySet, Value
from django.utils import timezone

from access.visibility import Sees
from catalog.addresses import asset_url, component_url
from catalog.freshness.state import freshness_of
from catalog.models import Asset, Branch, Component, Edge, Promotion
from catalog.states import Freshness
from lineage.graph import Kind, Node, Relation
from lineage.reading_roles import in_roles, role_named
from lineage.walk import WALK_MOST, Arrow, Key, merged

Direction = Edge.Direction

KINDS = {
    Component.Kind.FLOW: Kind.FLOW,
    Component.Kind.DEPLOYMENT: Kind.DEPLOYMENT,
    Component.Kind.PERSON: Kind.PERSON,
    Component.Kind.CI: Kind.CI,
    Component.Kind.OTHER: Kind.UNKNOWN,
}


def asset_key(pk: int) -> Key:
    return ("asset", pk)


def unknown_sources_key(target: int) -> Key:
    """The node for the sources of an asset's promotions that the catalogue does not have."""
    return ("unknown_sources", target)


def component_key(pk: int, branch: str) -> Key:
    return ("component", pk, branch)


class ComponentRows:
    """The arrows by component as of a time (None: now), with readings in some roles only (empty: in all)."""

    def __init__(self, as_of: datetime | None, roles: Collection[str] = ()) -> None:
        self.as_of, self.roles = as_of, roles
        self.cut = False

    def arrows(self, into: Collection[Key], out_of: Collection[Key], most: int) -> list[Arrow]:
        edges = _touching(into, Direction.PRODUCES, Direction.CONSUMES)
        edges |= _touching(out_of, Direction.CONSUMES, Direction.PRODUCES)
        promotions = Q(target__in=_assets(into)) | Q(source__in=_assets(out_of)) | _from_unknown(out_of)
        return self.read(edges, promotions, most)

    def among(self, keys: Collection[Key]) -> list[Arrow]:
        assets = _assets(keys)
        edges = Q(asset__in=assets) & _at_components(keys)
        return self.read(edges, Q(source__in=assets, target__in=assets) | _from_unknown(keys), WALK_MOST)

    def ends_of_branch(self, branch: Branch, most: int) -> list[tuple[Key, Key]]:
        """The ends of each arrow at an asset of a branch or at a component that writes to it, newest first.

        Promotions come last. Two queries; they don't read times, which cost more than the rest of so many rows.
        """
        writers = Component.objects.of_project(branch.project)
        at_branch = Q(asset__branch=branch) | Q(component__in=writers, write_branch=branch.key)
        written = self._written(at_branch)
        promoted = Promotion.objects.filter(Q(target__branch=branch) | Q(source__branch=branch))
        newest = self._then(written).order_by("-last_at", "pk")[:most]
        rows: list[Any] = list(newest.values_list("direction", "asset_id", "component_id", "write_branch"))
        copies = self._then(promoted).order_by("-last_at", "pk")[: most - len(rows)]
        rows += copies.annotate(what=Value("promotes"), branch=Value("")).values_list(
            "what", "target_id", "source_id", "branch"
        )
        return [_ends(*row) for row in rows]

    def read(self, edges: Q, promotions: Q, most: int) -> list[Arrow]:
        """The newest arrows that match, in one query; one for each pair of ends, whatever the roles."""
        promoted = Promotion.objects.filter(promotions)
        ends, empty, no_role = ("asset_id", "component_id"), Value(""), Value(None, output_field=CharField())
        writing = _columns(
            self._then(self._written(edges)), F("direction"), ends, F("write_branch"), F("last_entity_id"), F("role")
        )
        promoting = _columns(self._then(promoted), Value("promotes"), ("target_id", "source_id"), empty, empty, no_role)
        newest = writing.union(promoting, all=True).order_by("-last_at", "what", "one", "other", "at_branch", "as_role")
        rows = list(newest[:most])
        self.cut = self.cut or len(rows) == most
        return list(merged(self._arrow(*row) for row in rows).values())

    def _written(self, which: Q) -> QuerySet[Edge]:
        """The edges that match, but for those of producers elsewhere and for readings in other roles."""
        rows: QuerySet[Edge] = Edge.objects.filter(which).exclude(direction=Direction.PROMOTED)
        return rows.filter(~Q(direction=Direction.CONSUMES) | in_roles(self.roles)) if self.roles else rows

    def _then(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        return rows.filter(first_at__lte=self.as_of) if self.as_of else rows

    def _arrow(
        self,
        what: str,
        one: int,
        other: int | None,
        branch: str,
        entity: str,
        role: str | None,
        first: datetime,
        last: datetime,
        count: int,
        number: int | None,
    ) -> Arrow:
        (source, target), relation = _ends(what, one, other, branch), Relation(what)
        roles = (role_named(role),) if relation is Relation.CONSUMES else ()
        if self.as_of and last > self.as_of:
            return Arrow(source, target, relation, first, None, None, roles=roles)
        version = f"v{number}" if number else ""
        return Arrow(source, target, relation, first, last, count, entity, version, roles)


def _ends(what: str, one: int, other: int | None, branch: str) -> tuple[Key, Key]:
    """The source and the target of an arrow between an asset and the node at its other end."""
    if what == Relation.PROMOTES:
        return (unknown_sources_key(one) if other is None else asset_key(other)), asset_key(one)
    assert other is not None
    ends = asset_key(one), component_key(other, branch)
    return ends if what == Relation.CONSUMES else ends[::-1]


def _touching(keys: Collection[Key], at_asset: str, at_component: str) -> Q:
    return Q(asset__in=_assets(keys), direction=at_asset) | _at_components(keys) & Q(direction=at_component)


def _at_components(keys: Collection[Key]) -> Q:
    found = Q(pk__in=[])
    components = sorted((key[2], key[1]) for key in keys if _is(key, "component"))
    for branch, group in groupby(components, key=lambda pair: pair[0]):
        found |= Q(component__in=[pk for _, pk in group], write_branch=branch)
    return found


def _from_unknown(keys: Collection[Key]) -> Q:
    """The promotions from these nodes, each of which stands for the unknown sources of one asset."""
    return Q(source=None, target__in=[key[1] for key in keys if _is(key, "unknown_sources")])


def _assets(keys: Collection[Key]) -> list[int]:
    return [key[1] for key in keys if _is(key, "asset")]


def _is(key: Any, kind: str) -> bool:
    return bool(key[0] == kind)


def _columns(
    rows: QuerySet[Any], what: Any, ends: tuple[str, str], branch: Any, entity: Any, role: Any
) -> QuerySet[Any]:
    """The rows of one table in the columns of the union, which are the parameters of `ComponentRows._arrow`."""
    named = rows.order_by().annotate(
        what=what,
        one=F(ends[0]),
        other=F(ends[1]),
        at_branch=branch,
        entity=entity,
        as_role=role,
        number=F("last_instance__number"),
    )
    return named.values_list(
        "what", "one", "other", "at_branch", "entity", "as_role", "first_at", "last_at", "count", "number"
    )


class ComponentNames:
    """Reads the names of the nodes of an answer: three queries, however many nodes there are."""

    def __init__(self, viewer: Sees, as_of: datetime | None) -> None:
        self.visible, self.as_of, self.now = viewer.perimeter_ids(), as_of, timezone.now()

    def nodes(self, keys: Iterable[Key], arrows: Iterable[Arrow]) -> dict[Key, Node]:
        """The node of each key. `arrows` give the last activity of a component, and its task."""
        wanted = list(keys)
        assets = self.assets([key[1] for key in wanted if key[0] != "component"])
        components = self.components({key[1] for key in wanted if key[0] == "component"})
        writing = [(components[key[1]], key[2]) for key in wanted if key[0] == "component"]
        branches = self.branches(writing)
        last = last_active(arrows)
        hidden = Hidden()
        found: dict[Key, Node] = {}
        for key in wanted:
            row: Any = components[key[1]] if key[0] == "component" else assets[key[1]]
            if perimeter_of(row) not in self.visible:
                found[key] = hidden.next()
            elif key[0] == "asset":
                found[key] = self.asset(row)
            elif key[0] == "unknown_sources":
                found[key] = unknown_sources(row)
            else:
                found[key] = component_node(row, key[2], branches, last.get(key))
        return found

    def assets(self, pks: list[int]) -> dict[int, Asset]:
        if not pks:
            return {}
        rows = Asset.objects.filter(pk__in=pks).select_related("branch__project__perimeter", "newest_ready")
        return {row.pk: row for row in rows.only(*ASSET_FIELDS)}

    def components(self, pks: set[int]) -> dict[int, Component]:
        if not pks:
            return {}
        return {row.pk: row for row in Component.objects.filter(pk__in=pks).select_related("perimeter")}

    def branches(self, writing: Iterable[tuple[Component, str]]) -> dict[tuple[int, str, str], Branch]:
        """The branches that components write to, if the catalogue has them."""
        places = {(row.perimeter_id, row.project_name, key) for row, key in writing if key}
        if not places:
            return {}
        rows = Branch.objects.select_related("project__perimeter").filter(
            project__perimeter__in={place[0] for place in places},
            project__name__in={place[1] for place in places},
            key__in={place[2] for place in places},
        )
        return {(row.project.perimeter_id, row.project.name, row.key): row for row in rows}

    def asset(self, asset: Asset) -> Node:
        ready, branch = asset.newest_ready, asset.branch
        if ready and self.as_of and (asset.refreshed_at is None or asset.refreshed_at > self.as_of):
            ready = None  # the newest one of that time is not stored
        deleted = is_deleted(asset, self.as_of)
        return Node(
            id=asset.definition_uid,
            kind=asset_kind(asset),
            name=asset.title,
            key=asset.asset_id,
            perimeter=branch.project.perimeter.name,
            project=branch.project.name,
            branch=branch.key,
            branch_name=branch.name,
            version=ready.ref if ready else "",
            state=ready.state if ready else "",
            at=asset.refreshed_at if ready else None,
            url="" if asset.deleted_at else asset_url(asset),
            deleted=deleted,
            late_since=None if self.as_of or deleted else late_since(asset, self.now),
        )


ASSET_FIELDS = (
    "asset_id",
    "kind",
    "name",
    "definition_uid",
    "created_at",
    "deleted_at",
    "refreshed_at",
    "watch",
    "due_at",
    "late_at",
    "dormant_at",
    "branch__key",
    "branch__git_name",
    "branch__project__name",
    "branch__project__perimeter__name",
    "newest_ready__number",
    "newest_ready__state",
)


def late_since(asset: Asset, now: datetime) -> datetime | None:
    """When the next version of an asset was expected, if that is late."""
    state = freshness_of(asset.watch, asset.due_at, asset.late_at, asset.dormant_at, now)
    return asset.due_at if state == Freshness.LATE else None


def perimeter_of(row: Asset | Component) -> int:
    return row.branch.project.perimeter_id if isinstance(row, Asset) else row.perimeter_id


def is_deleted(asset: Asset, as_of: datetime | None) -> bool:
    return asset.deleted_at is not None and (as_of is None or asset.deleted_at <= as_of)


def asset_kind(asset: Asset) -> Kind:
    return Kind.MODEL if asset.kind == "models" else Kind.DATA


def component_node(row: Component, key: str, branches: dict[tuple[int, str, str], Branch], last: Arrow | None) -> Node:
    kind = KINDS.get(Component.Kind(row.kind)) if row.kind in Component.Kind.values else None
    branch = branches.get((row.perimeter_id, row.project_name, key))
    return Node(
        id=component_id(row.pk, key),
        kind=kind or Kind.UNKNOWN,
        name=row.name or "(no name)",
        key=last.entity if last else "",
        perimeter=row.perimeter.name,
        project=row.project_name,
        branch=key,
        branch_name=branch.name if branch else key,
        at=last.last_at if last else None,
        url=component_url(branch, row.kind, row.name) if branch else "",
        fault="" if kind and row.name else f"What is stored of this {row.kind or 'component'} makes no sense.",
    )


def component_id(pk: int, branch: str) -> str:
    return f"c_{pk}.{branch}"


def last_active(arrows: Iterable[Arrow]) -> dict[Key, Arrow]:
    last: dict[Key, Arrow] = {}
    for arrow in arrows:
        for key in (arrow.source, arrow.target):
            if arrow.last_at and (key not in last or arrow.last_at > (last[key].last_at or arrow.last_at)):
                last[key] = arrow
    return last


UNKNOWN_SOURCE = "What this was promoted from is not in this catalogue."


def unknown_sources(target: Asset) -> Node:
    digest = sha256(target.definition_uid.encode()).hexdigest()
    name = f"Unknown source of {target.title}"
    return Node(id=f"u_{digest[:20]}", kind=Kind.UNKNOWN, name=name, fault=UNKNOWN_SOURCE)


class Hidden:
    """Makes nodes without names for those that the viewer may not see."""

    def __init__(self) -> None:
        self.count = 0

    def next(self) -> Node:
        self.count += 1
        return Node(id=f"x_{self.count}", kind=Kind.HIDDEN, name="")
