"""The lists of pages that always have the same shape, written as SQL. Their rows belong to what was found visible."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from operator import itemgetter
from typing import Any, NamedTuple

from django.utils import timezone

from access.statements import Rows, Statement, moment_of
from catalog.models import Alias, Asset, Branch, Consumption, Highlight, Instance, PropertyOverride
from catalog.pagekit.statements import KNOWN, KNOWN_COLUMNS, WITH_KNOWN
from catalog.querysets import LATEST_FIRST, NOT_IN_LISTS
from catalog.states import AttentionKind, Kind, State

TITLE = "LOWER(COALESCE(NULLIF({of}name, ''), {of}asset_id))"
ORDERS = {
    "name": f"{TITLE} ASC",
    "-name": f"{TITLE} DESC",
    "refreshed": "{of}refreshed_at ASC NULLS LAST",
    "-refreshed": "{of}refreshed_at DESC NULLS LAST",
    "consumers": "{of}consumer_count ASC",
    "-consumers": "{of}consumer_count DESC",
    "version": "{of}ready_number ASC NULLS LAST",
    "-version": "{of}ready_number DESC NULLS LAST",
}
"""As `catalog.querysets.asset_order`."""

_WITH_NEWEST = f"""
    LEFT JOIN catalog_instance AS newest_ready ON newest_ready.id = asset.newest_ready_id
    LEFT JOIN catalog_component AS newest_ready__component ON newest_ready__component.id = newest_ready.component_id
    LEFT JOIN catalog_instance AS newest ON newest.id = asset.newest_id
    LEFT JOIN catalog_component AS newest__component ON newest__component.id = newest.component_id
    {WITH_KNOWN}
"""


def assets_in_order(branch: Branch, kind: str, sort: str, size: int, start: int = 0) -> list[Asset]:
    """A part of a list of a branch's live assets, of one kind or (empty) of both, without what no list shows."""
    asking = _latest_first(kind, size) if sort == LATEST_FIRST else _in_order(sort, kind, size)
    found = asking.all(branch=branch.pk, start=start, now=timezone.now())
    return on_branch(found, branch)


def counted(branch: Branch) -> tuple[int, int, int]:
    """How many live assets of a branch are late, are due, and need attention as something of them is unusual."""
    late, due, unusual = _counted.one(branch=branch.pk, now=timezone.now()) or (0, 0, 0)
    return late, due, unusual


_counted = Statement(
    f"""
    SELECT
        (SELECT COUNT(*) FROM catalog_asset WHERE branch_id = %(branch)s AND deleted_at IS NULL
            AND late_at <= %(now)s AND dormant_at > %(now)s),
        (SELECT COUNT(*) FROM catalog_asset WHERE branch_id = %(branch)s AND deleted_at IS NULL
            AND due_at <= %(now)s AND late_at > %(now)s),
        (SELECT COUNT(*) FROM catalog_attention WHERE branch_id = %(branch)s
            AND kind = '{AttentionKind.UNUSUAL.value}' AND (until IS NULL OR until > %(now)s) AND dismissed_at IS NULL)
    """  # noqa: S608 (a constant)
)


def on_branch(assets: list[Asset], branch: Branch) -> list[Asset]:
    """The assets, which know their branch then without a query."""
    for asset in assets:
        asset.branch = branch
    return assets


@cache
def _in_order(sort: str, kind: str, size: int) -> Rows[Asset]:
    """First the keys from an index, then what belongs to them."""
    order = f"{ORDERS[sort]}, {{of}}asset_id, {{of}}kind"
    of_kind = f"AND kind = '{Kind(kind)}'" if kind else ""
    sql = f"""
        SELECT {{columns}} FROM (
            SELECT id FROM catalog_asset WHERE branch_id = %(branch)s AND deleted_at IS NULL {of_kind}
            ORDER BY {order.replace("{of}", "")} LIMIT {size} OFFSET %(start)s
        ) AS shown CROSS JOIN catalog_asset AS asset {_WITH_NEWEST}
        WHERE asset.id = shown.id ORDER BY {order.replace("{of}", "asset.")}
    """  # noqa: S608 (names of columns, and no values)
    return _assets(sql)


@cache
def _latest_first(kind: str, size: int) -> Rows[Asset]:
    """As LATEST_FIRST: what is expected, from its index; then all else, from that of the freshest."""
    of_kind = f"AND kind = '{Kind(kind)}'" if kind else ""
    of_branch = f"FROM catalog_asset WHERE branch_id = %(branch)s AND deleted_at IS NULL {of_kind}"
    columns, ties = "refreshed_at, asset_id, kind", "{of}refreshed_at DESC NULLS LAST, {of}asset_id, {of}kind"
    inner, outer = ties.replace("{of}", ""), ties.replace("{of}", "shown.")
    sql = f"""
        SELECT {{columns}} FROM (
            SELECT * FROM (
                SELECT * FROM (
                    SELECT id, 0 AS behind, due_at, {columns} {of_branch}
                    AND due_at IS NOT NULL AND (dormant_at IS NULL OR dormant_at > %(now)s)
                    ORDER BY due_at, {inner} LIMIT {size} + %(start)s
                ) AS expected
                UNION ALL SELECT * FROM (
                    SELECT id, 1 AS behind, CAST(NULL AS timestamptz) AS due_at, {columns} {of_branch}
                    AND (due_at IS NULL OR dormant_at <= %(now)s)
                    ORDER BY {inner} LIMIT {size} + %(start)s
                ) AS others
            ) AS both_parts ORDER BY behind, due_at, {inner} LIMIT {size} OFFSET %(start)s
        ) AS shown CROSS JOIN catalog_asset AS asset {_WITH_NEWEST}
        WHERE asset.id = shown.id ORDER BY shown.behind, shown.due_at, {outer}
    """  # noqa: S608 (names of columns, and no values)
    return _assets(sql)


def _assets(sql: str) -> Rows[Asset]:
    related = ("newest_ready", "newest_ready__component", "newest", "newest__component")
    return Rows(
        Asset,
        sql.replace("{columns}", f"{{columns}}, {KNOWN_COLUMNS}"),
        related=related,
        without=NOT_IN_LISTS,
        also=KNOWN,
    )


def recent_ready(assets: Iterable[Asset], most: int) -> list[tuple[int, int, str]]:
    """Of the last `most` numbers of each asset the ready ones that are not deprecated, oldest first: asset, number and
    annotations as JSON."""
    wanted = json.dumps({asset.pk: asset.last_number - most for asset in assets})
    return _recent_ready.all(wanted=wanted, most=most, ready=State.READY.value)


_recent_ready = Statement(
    {
        "postgresql": """
            SELECT recent.asset_id, recent.number, recent.annotations::text
            FROM json_each_text(%(wanted)s::json) AS wanted
            CROSS JOIN LATERAL (
                SELECT asset_id, number, created_at, annotations, state, deprecation_id FROM catalog_instance
                WHERE asset_id = wanted.key::bigint AND number > wanted.value::bigint
                ORDER BY number DESC LIMIT %(most)s
            ) AS recent
            WHERE recent.state = %(ready)s AND recent.deprecation_id IS NULL
            ORDER BY recent.asset_id, recent.created_at, recent.number
        """,
        # the sign keeps SQLite from an index by state, which leads through the whole history
        "sqlite": """
            SELECT instance.asset_id, instance.number, instance.annotations
            FROM json_each(%(wanted)s) AS wanted CROSS JOIN catalog_instance AS instance
            WHERE instance.asset_id = CAST(wanted.key AS integer) AND instance.number > wanted.value
                AND +instance.state = %(ready)s AND instance.deprecation_id IS NULL
            ORDER BY instance.asset_id, instance.created_at, instance.number
        """,
    }
)


def ready_before(asset: Asset, number: int, most: int) -> list[tuple[int, str]]:
    """The ready instances of an asset below a number that are not deprecated, newest first: number and annotations as
    JSON."""
    return _ready_before.all(asset=asset.pk, number=number, most=most, ready=State.READY.value)


_ready_before = Statement(
    """
    SELECT number, CAST(annotations AS text) FROM catalog_instance
    WHERE asset_id = %(asset)s AND number < %(number)s AND state = %(ready)s AND deprecation_id IS NULL
    ORDER BY number DESC LIMIT %(most)s
    """
)


def newest_of_each_day(asset: Asset, until: datetime, most: int) -> list[Instance]:
    """The last instance of each of the last `most` days that have any, by UTC, of those made before `until`; the newest
    first, without what can be large and no strip shows."""
    return _newest_of_each_day.all(asset=asset.pk, until=until, most=most)


def _last_of_days(day_of: str) -> str:
    """One look into an index for each day. `day_of`: what begins the day of a moment."""
    last = "SELECT id FROM catalog_instance AS made WHERE asset_id = %(asset)s AND created_at < {before}"
    last += " ORDER BY created_at DESC, number DESC LIMIT 1"
    of_before = day_of.format("(SELECT created_at FROM catalog_instance WHERE id = day.id)")
    return f"""
        WITH RECURSIVE day(id, place) AS (
            SELECT ({last.format(before="%(until)s")}), 1
            UNION ALL
            SELECT ({last.format(before=of_before)}), place + 1 FROM day WHERE id IS NOT NULL AND place < %(most)s
        )
        SELECT {{columns}} FROM day JOIN catalog_instance AS instance ON instance.id = day.id ORDER BY place
    """  # noqa: S608 (constants)


_newest_of_each_day = Rows(
    Instance,
    {"postgresql": _last_of_days("date_trunc('day', {}, 'UTC')"), "sqlite": _last_of_days("date({})")},
    without=["blobs", "tags", "description"],
)


def aliases_of_each(assets: list[Asset], most: int) -> list[tuple[int, str, int | None]]:
    """Asset, name and number of the version (None: the definition) of the aliases of some assets, by name."""
    return _aliases_of_each.all(assets=[asset.pk for asset in assets], most=most) if assets else []


_aliases_of_each = Statement(
    """
    SELECT alias.asset_id, alias.name, instance.number FROM catalog_alias AS alias
    LEFT JOIN catalog_instance AS instance ON instance.id = alias.instance_id
    WHERE alias.asset_id {any assets} ORDER BY alias.name LIMIT %(most)s
    """
)


def aliases_of(asset: Asset) -> list[Alias]:
    """The aliases by name, each with the `number` of the version that it points to (None: the definition), and the
    reason for which that is `deprecated` (None: it is not)."""
    return _aliases_of.all(asset=asset.pk)


_aliases_of = Rows(
    Alias,
    """
    SELECT {columns}, instance.number, deprecation.reason FROM catalog_alias AS alias
    LEFT JOIN catalog_instance AS instance ON instance.id = alias.instance_id
    LEFT JOIN catalog_deprecation AS deprecation ON deprecation.id = instance.deprecation_id
    WHERE alias.asset_id = %(asset)s ORDER BY alias.name
    """,
    also=["number", "deprecated"],
)


class Failure(NamedTuple):
    """An asset whose last registration failed: its number, why, and what the latest ready one is, if there is any."""

    kind: str
    asset_id: str
    title: str
    number: int
    reason: str
    ready_number: int | None


class Edited(NamedTuple):
    """A property that a person has edited: the value that was declared then, and all that is declared now."""

    kind: str
    asset_id: str
    title: str
    key: str
    actor: str
    declared_then: Any
    declared_now: dict[str, Any]


def aliases_and_overrides(asset: Asset) -> tuple[list[Alias], list[PropertyOverride]]:
    """The aliases as `aliases_of`, and the edits of its properties that are in force.

    The asset gets what is `KNOWN`, as lists bring it along.
    """
    aliases: list[Alias] = []
    overrides: list[PropertyOverride] = []
    found = _aliases_and_overrides.all(asset=asset.pk)
    for what, _, name, number, at, kind, who, value, declared in sorted(found, key=itemgetter(0, 1)):
        if what == "known":
            for attribute, text in zip(KNOWN, (name, kind, value), strict=True):
                setattr(asset, attribute, text)
            continue
        moment: Any = moment_of(at)
        if what == "alias":
            alias = Alias(asset=asset, name=name, updated_at=moment, entity_kind=kind, entity_id=who)
            alias.number, alias.deprecated = number, declared  # type: ignore[attr-defined]
            aliases.append(alias)
        else:
            before = None if declared is None else json.loads(declared)
            row = PropertyOverride(asset=asset, key=name, value=value, declared_value=before, at=moment, actor=who)
            overrides.append(row)
    return aliases, overrides


_aliases_and_overrides = Statement(
    f"""
    SELECT 'alias', row_number() OVER (ORDER BY alias.name), alias.name, instance.number, alias.updated_at,
        alias.entity_kind, alias.entity_id, '', deprecation.reason
    FROM catalog_alias AS alias LEFT JOIN catalog_instance AS instance ON instance.id = alias.instance_id
    LEFT JOIN catalog_deprecation AS deprecation ON deprecation.id = instance.deprecation_id
    WHERE alias.asset_id = %(asset)s
    UNION ALL
    SELECT 'override', edit.id, edit.key, NULL, edit.at, '', edit.actor, edit.value, CAST(edit.declared_value AS text)
    FROM catalog_propertyoverride AS edit WHERE edit.asset_id = %(asset)s
    UNION ALL
    SELECT 'known', 0, CAST(cadence.told AS text), NULL, NULL, CAST(cadence.cause AS text), '',
        CAST(unusual.reasons AS text), CAST(NULL AS text)
    FROM catalog_asset AS asset {WITH_KNOWN} WHERE asset.id = %(asset)s
    """  # noqa: S608 (constants)
)


def newest_highlights(branch: Branch, most: int) -> list[Highlight]:
    """The newest highlight of each component of a branch, newest first, without images."""
    found = _newest_highlights.all(branch=branch.pk, most=most)
    for highlight in found:
        highlight.branch = branch
    return found


_newest_highlights = Rows(
    Highlight,
    """
    SELECT {columns} FROM catalog_highlight AS highlight
    JOIN catalog_component AS component ON component.id = highlight.component_id
    WHERE highlight.branch_id = %(branch)s AND highlight.is_newest
    ORDER BY highlight.at DESC, highlight.id DESC LIMIT %(most)s
    """,
    related=["component"],
    without=["image"],
)


def consumptions_of(instance: Instance, most: int) -> list[Consumption]:
    """The newest consumptions of an instance, with their components."""
    found = _consumptions_of.all(instance=instance.pk, most=most)
    for consumption in found:
        consumption.instance = instance
    return found


_consumptions_of = Rows(
    Consumption,
    """
    SELECT {columns} FROM catalog_consumption AS consumption
    JOIN catalog_component AS component ON component.id = consumption.component_id
    WHERE consumption.instance_id = %(instance)s ORDER BY consumption.id DESC LIMIT %(most)s
    """,
    related=["component"],
)


class FeedRow(NamedTuple):
    """What happened, as `catalog.pages.activity.Happening` says."""

    what: str
    at: datetime
    who_kind: str
    who: str
    kind: str
    asset_id: str
    number: int | None
    detail: str
    elsewhere: str


@dataclass(frozen=True)
class Lately:
    """What happened on a branch, `most` of each kind; what failed last, and the last edits of properties that are in
    force, the last one first."""

    feed: list[FeedRow]
    failures: list[Failure]
    edits: list[Edited]


def lately_on_branch(branch: Branch, most: int, most_failures: int, most_edits: int) -> Lately:
    asked = {"most": most, "most_failures": most_failures, "most_edits": most_edits}
    lately = Lately([], [], [])
    rows = _lately_on_branch.all(branch=branch.pk, **asked)
    for row in sorted(rows, key=itemgetter(1), reverse=True):  # as the database answers moments
        what, _, _, who, kind, asset_id, number, text, title, ready, then, now = row
        if what == "failure":
            lately.failures.append(Failure(kind, asset_id, title, number, text, ready))
        elif what == "in force":
            before = None if then is None else json.loads(then)
            lately.edits.append(Edited(kind, asset_id, title, text, who, before, json.loads(now)))
        else:
            lately.feed.append(_feed_row(*row[:9]))
    return lately


def last_of_asset(asset: Asset, most: int) -> list[FeedRow]:
    """The same of an asset."""
    return [_feed_row(*row) for row in _last_of_asset.all(asset=asset.pk, most=most)]


def _feed_row(what: str, at: Any, *others: Any) -> FeedRow:
    moment: Any = moment_of(at)
    return FeedRow(what, moment, *others)


def _feed(*parts: str) -> Statement:
    return Statement(_limited(*parts))


def _limited(*parts: str, more: str = "") -> str:
    """The parts, `most` rows of each; `more`: further columns of them."""
    limited = (f"SELECT *{more} FROM ({part} LIMIT %(most)s) AS part" for part in parts)  # noqa: S608 (constants)
    return " UNION ALL ".join(limited)


_last_of_branch = _limited(
    # first, as it says which types the columns of all parts have
    """
    SELECT 'registered', made.created_at, made.producer_kind, made.producer_id, asset.kind, asset.asset_id, made.number,
        made.state, ''
    FROM catalog_asset AS asset JOIN catalog_instance AS made ON made.id = asset.newest_id
    WHERE asset.branch_id = %(branch)s AND asset.deleted_at IS NULL AND asset.newest_id IS NOT NULL
    ORDER BY asset.newest_id DESC
    """,
    """
    SELECT 'consumed', edge.last_at, edge.last_entity_kind, edge.last_entity_id, asset.kind, asset.asset_id,
        instance.number, '', edge.write_branch_name
    FROM catalog_edge AS edge JOIN catalog_asset AS asset ON asset.id = edge.asset_id
    LEFT JOIN catalog_instance AS instance ON instance.id = edge.last_instance_id
    WHERE edge.branch_id = %(branch)s AND edge.direction = 'consumes' AND asset.deleted_at IS NULL
    ORDER BY edge.last_at DESC
    """,
    """
    SELECT 'alias', alias.updated_at, alias.entity_kind, alias.entity_id, asset.kind, asset.asset_id, instance.number,
        alias.name, asset.definition_uid
    FROM catalog_alias AS alias JOIN catalog_asset AS asset ON asset.id = alias.asset_id
    LEFT JOIN catalog_instance AS instance ON instance.id = alias.instance_id
    WHERE alias.branch_id = %(branch)s AND asset.deleted_at IS NULL
    ORDER BY alias.updated_at DESC
    """,
    """
    SELECT 'edited', edit.at, 'user', edit.actor, asset.kind, asset.asset_id, CAST(NULL AS integer), edit.key, ''
    FROM catalog_propertyedit AS edit JOIN catalog_asset AS asset ON asset.id = edit.asset_id
    WHERE edit.branch_id = %(branch)s AND asset.deleted_at IS NULL
    ORDER BY edit.id DESC
    """,
    """
    SELECT 'deployed', spec.at, 'user', spec.actor, '', '', CAST(NULL AS integer), spec.version_id, ''
    FROM catalog_specversion AS spec WHERE spec.branch_id = %(branch)s ORDER BY spec.id DESC
    """,
    """
    SELECT 'deleted', asset.deleted_at, 'user', asset.deleted_by, asset.kind, asset.asset_id, CAST(NULL AS integer), '',
        ''
    FROM catalog_asset AS asset WHERE asset.branch_id = %(branch)s AND asset.deleted_at IS NOT NULL
    ORDER BY asset.deleted_at DESC
    """,
    more=", CAST(NULL AS integer), CAST(NULL AS text), CAST(NULL AS text)",
)
_failures_and_edits = """
    SELECT * FROM (
        SELECT 'failure', asset.failed_at, '', '', asset.kind, asset.asset_id, newest.number, newest.state_reason,
            COALESCE(NULLIF(asset.name, ''), asset.asset_id), asset.ready_number,
            CAST(NULL AS text) AS declared_then, CAST(NULL AS text) AS declared_now
        FROM catalog_asset AS asset JOIN catalog_instance AS newest ON newest.id = asset.newest_id
        WHERE asset.branch_id = %(branch)s AND asset.deleted_at IS NULL AND asset.failed_at IS NOT NULL
        ORDER BY asset.failed_at DESC LIMIT %(most_failures)s
    ) AS failures
    UNION ALL SELECT * FROM (
        SELECT 'in force', edit.at, 'user', edit.actor, asset.kind, asset.asset_id, CAST(NULL AS integer), edit.key,
            COALESCE(NULLIF(asset.name, ''), asset.asset_id), CAST(NULL AS integer) AS ready,
            CAST(edit.declared_value AS text), CAST(asset.declared_properties AS text)
        FROM catalog_propertyoverride AS edit JOIN catalog_asset AS asset ON asset.id = edit.asset_id
        WHERE edit.branch_id = %(branch)s AND asset.deleted_at IS NULL
        ORDER BY edit.at DESC LIMIT %(most_edits)s
    ) AS edits
"""
_lately_on_branch = Statement(f"{_last_of_branch} UNION ALL {_failures_and_edits}")
_last_of_asset = _feed(
    """
    SELECT 'registered', made.created_at, made.producer_kind, made.producer_id, asset.kind, asset.asset_id, made.number,
        made.state, ''
    FROM catalog_instance AS made JOIN catalog_asset AS asset ON asset.id = made.asset_id
    WHERE made.asset_id = %(asset)s ORDER BY made.number DESC
    """,
    """
    SELECT 'consumed', reading.at, reading.entity_kind, reading.entity_id, asset.kind, asset.asset_id, instance.number,
        reading.reference, reading.write_branch_name
    FROM catalog_consumption AS reading JOIN catalog_asset AS asset ON asset.id = reading.asset_id
    LEFT JOIN catalog_instance AS instance ON instance.id = reading.instance_id
    WHERE reading.asset_id = %(asset)s ORDER BY reading.id DESC
    """,
    """
    SELECT 'alias', move.at, move.entity_kind, move.entity_id, asset.kind, asset.asset_id, instance.number, move.name,
        move.to_uid
    FROM catalog_aliasmove AS move JOIN catalog_asset AS asset ON asset.id = move.asset_id
    LEFT JOIN catalog_instance AS instance ON instance.uid = move.to_uid AND instance.asset_id = move.asset_id
    WHERE move.asset_id = %(asset)s ORDER BY move.id DESC
    """,
    """
    SELECT 'declared', revision.at, revision.entity_kind, revision.entity_id, asset.kind, asset.asset_id,
        CAST(NULL AS integer), '', ''
    FROM catalog_definitionrevision AS revision JOIN catalog_asset AS asset ON asset.id = revision.asset_id
    WHERE revision.asset_id = %(asset)s ORDER BY revision.id DESC
    """,
    """
    SELECT 'edited', edit.at, 'user', edit.actor, asset.kind, asset.asset_id, CAST(NULL AS integer), edit.key, ''
    FROM catalog_propertyedit AS edit JOIN catalog_asset AS asset ON asset.id = edit.asset_id
    WHERE edit.asset_id = %(asset)s ORDER BY edit.id DESC
    """,
)
