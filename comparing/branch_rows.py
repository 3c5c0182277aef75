"""What two branches of a project have, as SQL: their assets with the newest version of each, their definitions that
differ, and who makes and reads what on them. Each is one statement, however much there is, up to a limit."""

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from access.models import Perimeter
from access.statements import Rows, Statement, moment_of
from catalog.metrics import annotations_of
from catalog.models import Asset, Branch, Instance
from catalog.states import State
from obproject.roles import INPUT

MOST_ASSETS = 5_000
"""How many assets of a branch are looked at, in the order of their kinds and ids."""
MOST_ARROWS = 10_000
"""How many arrows, those last used first."""
MOST_MOVES = 1_000
"""Up to how many versions of an asset that came since a time are counted."""
LONGEST_ANNOTATIONS = 32_000
LONGEST_BLOBS = 500


def two_branches(perimeter: Perimeter, project: str, keys: Iterable[str]) -> dict[str, Any]:
    """The branches of these keys by their keys, each with its newest deploy and `first_deploy_at`."""
    found: list[Any] = _branches.all(perimeter=perimeter.pk, project=project, keys=list(keys))
    for branch in found:
        branch.project.perimeter = perimeter
        branch.first_deploy_at = moment_of(branch.first_deploy_at)
    return {branch.key: branch for branch in found}


_branches = Rows(
    Branch,
    """
    SELECT {columns}, (
        SELECT first.at FROM catalog_specversion AS first
        WHERE first.branch_id = branch.id ORDER BY first.id LIMIT 1
    )
    FROM catalog_branch AS branch
    JOIN catalog_project AS project ON project.id = branch.project_id
    LEFT JOIN catalog_specversion AS spec ON spec.id = branch.spec_id
    WHERE project.perimeter_id = %(perimeter)s AND project.name = %(project)s AND branch.key {any keys}
    """,
    related=["project", "spec"],
    also=["first_deploy_at"],
)


class AssetRow(NamedTuple):
    """A live asset of one of the branches, or (`is_gone`) one that was declared there and is deleted.

    What begins with `ready` is of its newest ready version, and None without one; what begins with `newest` is of a
    version that is newer. `annotations` are JSON, cut where they are too long to be read of so many; `moved`: how many
    versions it has from after the time asked for.
    """

    branch: int
    is_gone: bool
    pk: int
    kind: str
    asset_id: str
    name: str
    is_declared: bool
    declared_by: str
    declared_metrics: str
    newest_number: int | None
    newest_state: str | None
    ready_pk: int | None
    ready_number: int | None
    ready_at: Any
    digest: str | None
    origin: int | None
    annotations: str | None
    blobs: str | None
    producer_kind: str | None
    producer: str | None
    moved: int

    @property
    def key(self) -> tuple[str, str]:
        return (self.kind, self.asset_id)

    @property
    def title(self) -> str:
        return self.name or self.asset_id

    @property
    def is_built(self) -> bool:
        return self.ready_number is not None

    @property
    def made_at(self) -> datetime:
        moment = moment_of(self.ready_at)
        assert moment is not None  # of one that has a ready version
        return moment

    @property
    def ref(self) -> str:
        return f"v{self.ready_number}" if self.ready_number else ""

    def values(self) -> Mapping[str, Any]:
        """The annotations of the newest ready version."""
        return annotations_of([self.annotations_text])[0]

    @property
    def annotations_text(self) -> str:
        return self.annotations if self.annotations and not self.is_too_long else "{}"

    @property
    def is_too_long(self) -> bool:
        return self.annotations is not None and len(self.annotations) > LONGEST_ANNOTATIONS


def assets_of_two(base: Branch, head: Branch, since: datetime) -> list[AssetRow]:
    """The assets of both branches; and how far those of the base have moved since a time."""
    found = _assets.all(
        base=base.pk,
        head=head.pk,
        since=since,
        most=MOST_ASSETS + 1,
        most_moves=MOST_MOVES,
        ready=State.READY.value,
        longest=LONGEST_ANNOTATIONS + 1,
        longest_blobs=LONGEST_BLOBS,
    )
    return list(map(AssetRow._make, found))


def _keys_of(branch: str, which: str) -> str:
    return f"""
        SELECT * FROM (
            SELECT id FROM catalog_asset WHERE branch_id = %({branch})s AND {which}
            ORDER BY kind, asset_id LIMIT %(most)s
        ) AS of_{branch}
    """  # noqa: S608 (constants)


_assets = Statement(
    f"""
    SELECT asset.branch_id, CASE WHEN asset.deleted_at IS NULL THEN 0 ELSE 1 END, asset.id, asset.kind, asset.asset_id,
        asset.name, CASE WHEN asset.declared_at IS NULL THEN 0 ELSE 1 END, asset.declared_by_kind,
        CAST(asset.declared_metrics AS text), newest.number, newest.state, ready.id, ready.number,
        {{moment ready.created_at}},
        ready.digest, ready.promoted_from_id, SUBSTR(CAST(ready.annotations AS text), 1, %(longest)s),
        SUBSTR(CAST(ready.blobs AS text), 1, %(longest_blobs)s),
        component.kind, component.name,
        CASE WHEN asset.branch_id = %(base)s AND asset.newest_at > %(since)s THEN (
            SELECT COUNT(*) FROM (
                SELECT 1 FROM catalog_instance AS later
                WHERE later.asset_id = asset.id AND later.created_at > %(since)s AND later.state = %(ready)s
                AND later.deprecation_id IS NULL
                LIMIT %(most_moves)s
            ) AS moves
        ) ELSE 0 END
    FROM (
        {_keys_of("base", "deleted_at IS NULL")}
        UNION ALL {_keys_of("head", "deleted_at IS NULL")}
        UNION ALL SELECT * FROM (
            SELECT id FROM catalog_asset WHERE branch_id = %(head)s AND deleted_at IS NOT NULL
            AND declared_at IS NOT NULL ORDER BY deleted_at DESC LIMIT %(most)s
        ) AS gone
    ) AS shown
    JOIN catalog_asset AS asset ON asset.id = shown.id
    LEFT JOIN catalog_instance AS ready ON ready.id = asset.newest_ready_id
    LEFT JOIN catalog_instance AS newest ON newest.id = NULLIF(asset.newest_id, asset.newest_ready_id)
    LEFT JOIN catalog_component AS component ON component.id = ready.component_id
    """,  # noqa: S608 (constants)
    by_key=False,
)

DECLARED = ("name", "description", "icon", "readme", "properties", "tags", "blobs", "metrics", "not_compared")
"""What is declared of an asset, in the order in which a page tells of it."""
_TEXTS, _OBJECTS = DECLARED[:4], {"properties": "declared_properties", "tags": "declared_tags"}
_OBJECTS |= {"blobs": "declared_blobs", "metrics": "declared_metrics", "not_compared": "not_compared"}


class DefinitionRow(NamedTuple):
    """An asset that both branches declare, each in its way: what is declared, by its names, of either."""

    kind: str
    asset_id: str
    source: str
    base: dict[str, Any]
    head: dict[str, Any]


def definitions_of_two(base: Branch, head: Branch, most: int, start: int) -> tuple[list[DefinitionRow], int]:
    """The definitions that differ, by kind and id, those after the first `start`; and how many there are in all."""
    found = _definitions.all(base=base.pk, head=head.pk, last=start + most, start=start)
    return [_definition_row(row[1:]) for row in found if row[0] > start], found[0][1] if found else 0


def _definition_row(row: tuple[Any, ...]) -> DefinitionRow:
    _, kind, asset_id, source, *values = row
    ours, theirs = values[: len(DECLARED)], values[len(DECLARED) :]
    return DefinitionRow(kind, asset_id, source, _declared(ours), _declared(theirs))


def _declared(values: list[Any]) -> dict[str, Any]:
    named = dict(zip(DECLARED, values, strict=True))
    return named | {name: json.loads(named[name]) for name in _OBJECTS}


def _columns_of(side: str) -> str:
    texts = [f"{side}.{name}" for name in _TEXTS]
    return ", ".join([*texts, *(f"CAST({side}.{column} AS text)" for column in _OBJECTS.values())])


_DIFFERS = " OR ".join(f"base.{column} <> head.{column}" for column in (*_TEXTS, *_OBJECTS.values()))
_definitions = Statement(
    f"""
    SELECT * FROM (
        SELECT ROW_NUMBER() OVER (ORDER BY head.kind, head.asset_id) AS place, COUNT(*) OVER (),
            head.kind, head.asset_id, head.source, {_columns_of("base")}, {_columns_of("head")}
        FROM catalog_asset AS base JOIN catalog_asset AS head
            ON head.branch_id = %(head)s AND head.kind = base.kind AND head.asset_id = base.asset_id
        WHERE base.branch_id = %(base)s AND base.deleted_at IS NULL AND head.deleted_at IS NULL
            AND base.declared_at IS NOT NULL AND head.declared_at IS NOT NULL AND ({_DIFFERS})
    ) AS differing WHERE place = 1 OR (place > %(start)s AND place <= %(last)s) ORDER BY place
    """,  # noqa: S608 (constants)
    by_key=False,
)
"""Each with its place among them, and how many there are; the first one in any case, as it says that."""


class ArrowRow(NamedTuple):
    """Who makes or reads an asset on one of the branches; `perimeter` is that of the asset."""

    branch: str
    component_kind: str
    component: str
    direction: str
    role: str | None
    kind: str
    asset_id: str
    name: str
    asset_branch: str
    project: str
    perimeter: int
    perimeter_name: str
    number: int | None
    last_at: Any

    @property
    def maker(self) -> tuple[str, str]:
        return (self.component_kind, self.component)

    @property
    def ends(self) -> tuple[str | None, ...]:
        """What makes it the same arrow on another branch. A reading without a role is one as an input."""
        role = self.role if self.role != INPUT else None
        place = (self.perimeter_name, self.project, self.kind, self.asset_id)
        return (self.component_kind, self.component, self.direction, role or None, *place)


def arrows_of_two(base: Branch, head: Branch) -> list[ArrowRow]:
    """What the flows of either branch make and read, wherever it is; and who else reads what is on it."""
    values = {
        "perimeter": base.project.perimeter_id,
        "project": base.project.name,
        "keys": [base.key, head.key],
        "branches": [base.pk, head.pk],
        "most": MOST_ARROWS + 1,
    }
    found = _arrows.all(**values)
    if len(found) > MOST_ARROWS:  # else they need no order
        found = _last_arrows.all(**values)
    return list(map(ArrowRow._make, found))


_ARROW = """
    component.kind, component.name, edge.direction, edge.role, asset.kind, asset.asset_id, asset.name, branch.key,
    project.name, project.perimeter_id, perimeter.name, last.number,
    {moment edge.last_at} AS last_at
"""
_AT_ASSET = """
    JOIN catalog_asset AS asset ON asset.id = edge.asset_id
    JOIN catalog_branch AS branch ON branch.id = asset.branch_id
    JOIN catalog_project AS project ON project.id = branch.project_id
    JOIN access_perimeter AS perimeter ON perimeter.id = project.perimeter_id
    LEFT JOIN catalog_instance AS last ON last.id = edge.last_instance_id
"""
_ARROWS = f"""
    SELECT * FROM (
        SELECT edge.write_branch, {_ARROW}
        FROM catalog_component AS component JOIN catalog_edge AS edge ON edge.component_id = component.id {_AT_ASSET}
        WHERE component.perimeter_id = %(perimeter)s AND component.project_name = %(project)s
            AND edge.write_branch {{any keys}} AND edge.direction <> 'promoted' AND asset.deleted_at IS NULL
        UNION ALL
        SELECT branch.key, {_ARROW}
        FROM catalog_edge AS edge JOIN catalog_component AS component ON component.id = edge.component_id {_AT_ASSET}
        WHERE edge.branch_id {{any branches}} AND edge.write_branch = '' AND edge.direction <> 'promoted'
            AND asset.deleted_at IS NULL
    ) AS arrows
"""  # noqa: S608 (constants)
_arrows = Statement(f"{_ARROWS} LIMIT %(most)s", by_key=False)
_last_arrows = Statement(f"{_ARROWS} ORDER BY last_at DESC LIMIT %(most)s", by_key=False)


def last_versions(base: Branch, head: Branch, rows: Iterable[tuple[AssetRow, AssetRow]], most: int) -> list[Instance]:
    """Of assets of the base the last ready versions, oldest first, and the newest ready one of those of the head."""
    theirs, ours = ([pair[side] for pair in rows] for side in (0, 1))
    found = _last.all(
        base=base.pk,
        head=head.pk,
        assets=[row.pk for row in theirs],
        newest=[row.ready_pk for row in ours],
        most=most,
        ready=State.READY.value,
    )
    assets = {row.pk: _asset(row, base) for row in theirs} | {row.pk: _asset(row, head) for row in ours}
    for version in found:
        version.asset = assets[version.asset_id]
    return found


def _asset(row: AssetRow, branch: Branch) -> Asset:
    return Asset(pk=row.pk, branch=branch, kind=row.kind, asset_id=row.asset_id, name=row.name)


# With a sign SQLite takes the keys that are asked for, and not the index of the branch with all its versions.
_last = Rows(
    Instance,
    """
    SELECT {columns} FROM (
        SELECT version.id FROM catalog_asset AS asset JOIN catalog_instance AS version ON version.id IN (
            SELECT last.id FROM catalog_instance AS last
            WHERE last.asset_id = asset.id AND last.state = %(ready)s AND last.deprecation_id IS NULL
            ORDER BY last.created_at DESC, last.number DESC LIMIT %(most)s
        )
        WHERE +asset.branch_id = %(base)s AND asset.id {any assets}
        UNION SELECT version.id FROM catalog_instance AS version
        JOIN catalog_asset AS asset ON asset.id = version.asset_id
        WHERE +asset.branch_id = %(head)s AND version.id {any newest}
    ) AS shown
    JOIN catalog_instance AS instance ON instance.id = shown.id
    ORDER BY instance.asset_id, instance.created_at, instance.number
    """,
    without=[
        *("uid", "state_reason", "asset_kind", "description", "tags", "blobs", "producer_kind"),
        *("datastore_type", "datastore_root", "datastore_cards", "settled_at", "actor"),
    ],
)
