"""Why assets are late, by the catalogue's own rows.

The first that holds: the last run failed; the next version is being made; an input is late, of which the one that is
late on its own account is named; the flow ran without making it; what came since it was due has old data, by the
annotation with its time; the flow has not run. All assets of a list are asked for together: two queries, and none of
them reads more because an asset has many versions.
"""

import json
from collections.abc import Collection, Iterator
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from access.statements import Answer, Statement, moment_of
from catalog.freshness.declared import data_time
from catalog.shown.times import minute
from catalog.states import CauseKind, RunState, State

Json = dict[str, Any]
Place = tuple[int, str]
"""Who makes or reads, and on which branch: the keys of a component and of a branch."""
MOST_INPUTS = 2_000
"""So many late inputs are followed, of all assets together."""
STILL_READ = timedelta(days=1)
"""What was last read longer before an asset was refreshed last, and twice its usual time before that, is no input."""


@dataclass(frozen=True)
class LateInput:
    """An asset that is late, and from which another is made."""

    asset: int
    kind: str
    asset_id: str
    branch: str
    project: str
    due_at: datetime


@dataclass(frozen=True)
class Cause:
    """Why an asset is late.

    `since`: when the run failed or ended, when making it began, when the input was due, or when its flow ran last.
    `maker` is the name of the flow (or of who else makes it), `maker_kind` the kind of this component, `run` the run
    or session, `number` the version that failed, is being made, or has old data. `until` is what the annotation says of
    when that data is. What is not known is empty.
    """

    kind: CauseKind
    since: datetime | None = None
    maker: str = ""
    maker_kind: str = ""
    run: str = ""
    number: int | None = None
    until: str = ""
    input: LateInput | None = None

    @property
    def sentence(self) -> str:
        """With moments in UTC, for messages."""
        return "".join(text for text, _ in self.parts)

    @property
    def parts(self) -> list[tuple[str, str]]:
        """The sentence in pieces, each with what it is: a `run`, an `input`, a `maker`, a `version`, a `moment`, or
        nothing else."""
        return [part for part in self._parts() if part[0]]

    def _parts(self) -> Iterator[tuple[str, str]]:
        at = minute(self.since) + " UTC" if self.since else ""
        run, maker = (self.run, "run"), (self.maker or "its flow", "maker" if self.maker else "")
        if self.kind == CauseKind.INPUT and self.input:
            yield from ((self.input.asset_id, "input"), (" is late, from which it is made: it was due at ", ""))
            yield from ((at, "moment"),)
        elif self.kind == CauseKind.FAILED:
            yield from (("its last run ", "") if self.run else ("the last version failed", ""), run)
            yield from ((" failed" if self.run else "", ""), (" at ", ""), (at, "moment"))
        elif self.kind == CauseKind.MAKING:
            yield from (("it is being made since ", ""), (at, "moment"), (" by " if self.run else "", ""), run)
        elif self.kind == CauseKind.NOT_MADE:
            yield from (run, (" ended", ""), (" at " if at else "", ""), (at, "moment"), (" without making it", ""))
        elif self.kind == CauseKind.OLD_DATA:
            until = f" has data until {self.until} only" if self.until else " does not say until when its data is"
            yield from (("its newest version ", ""), (f"v{self.number}", "version"), (until, ""))
        else:
            yield from (maker, (" has not run", ""), (" since " if at else "", ""), (at, "moment"))

    def kept(self) -> Json:
        """As it is kept with the asset, and with what is told of it: what is not known is left out."""
        found = {name: value for name, value in asdict(self).items() if value not in ("", None)}
        if self.input:
            found["input"] = asdict(self.input) | {"due_at": self.input.due_at.isoformat()}
        return found | {"kind": self.kind.value} | ({"since": self.since.isoformat()} if self.since else {})

    @classmethod
    def of(cls, kept: Json) -> "Cause | None":
        """As it was kept; None if nothing was."""
        if not kept:
            return None
        said = dict(kept)
        if given := said.pop("input", None):
            said["input"] = LateInput(**{**given, "due_at": datetime.fromisoformat(given["due_at"])})
        since = datetime.fromisoformat(said["since"]) if "since" in said else None
        return cls(**{**said, "kind": CauseKind(said["kind"]), "since": since})


MAKER = """
    (SELECT made.component_id FROM catalog_edge AS made
     WHERE made.asset_id = {asset}.id AND made.direction = 'produces' AND made.last_entity_kind = 'task'
     ORDER BY made.last_at DESC, made.id DESC LIMIT 1)
"""
"""The flow that made an asset last."""

with_their_last = Statement(
    f"""
    SELECT asset.id, asset.branch_id, component.id, component.name, component.kind,
        asset.refreshed_at, asset.late_at, asset.usual, asset.due_at, CAST(asset.declared_freshness AS text),
        ready.number,
        CAST(CASE WHEN CAST(asset.declared_freshness AS text) <> '{{}}' THEN ready.annotations END AS text),
        newest.state, newest.number, newest.run, COALESCE(newest.settled_at, newest.created_at), newest.created_at,
        run.name, run.state, COALESCE(run.started_at, run.first_at), run.finished_at
    FROM catalog_asset AS asset
    JOIN catalog_branch AS branch ON branch.id = asset.branch_id
    LEFT JOIN catalog_instance AS newest ON newest.id = asset.newest_id AND newest.id <> COALESCE(newest_ready_id, 0)
    LEFT JOIN catalog_instance AS ready ON ready.id = asset.newest_ready_id
    LEFT JOIN catalog_component AS component ON component.id = {MAKER.format(asset="asset")}
    LEFT JOIN catalog_run AS run ON run.id = (
        SELECT one.id FROM catalog_run AS one WHERE one.component_id = component.id AND one.branch = branch.key
        ORDER BY one.first_at DESC LIMIT 1
    )
    WHERE asset.id {{any assets}}
    """  # noqa: S608 (names of tables and columns, and no values)
)
"""Assets with who made them last, with their newest version if it is not ready, and with the last run there."""

late_inputs = Statement(
    f"""
    WITH RECURSIVE reading (maker, branch_id, asset_id, input_maker, input_branch_id, last_at) AS (
        SELECT DISTINCT CAST(NULL AS bigint), CAST(NULL AS bigint), CAST(NULL AS bigint),
            {MAKER.format(asset="asset")}, branch.id, branch.created_at
        FROM catalog_asset AS asset JOIN catalog_branch AS branch ON branch.id = asset.branch_id
        WHERE asset.id {{any assets}}
        UNION
        SELECT edge.component_id, reading.input_branch_id, input.id,
            {MAKER.format(asset="input")}, input.branch_id, edge.last_at
        FROM reading
        JOIN catalog_branch AS branch ON branch.id = reading.input_branch_id
        JOIN catalog_edge AS edge ON edge.component_id = reading.input_maker AND edge.direction = 'consumes'
            AND edge.role IS NULL AND edge.write_branch IN (branch.key, '')
        JOIN catalog_asset AS input ON input.id = edge.asset_id AND input.deleted_at IS NULL
        WHERE input.late_at <= %(now)s AND input.dormant_at > %(now)s
    )
    SELECT reading.maker, reading.branch_id, reading.last_at, reading.input_maker, reading.input_branch_id,
        input.id, input.kind, input.asset_id, branch.key, project.name,
        input.due_at, input.refreshed_at, input.late_at, input.usual
    FROM reading
    JOIN catalog_asset AS input ON input.id = reading.asset_id
    JOIN catalog_branch AS branch ON branch.id = input.branch_id
    JOIN catalog_project AS project ON project.id = branch.project_id
    LIMIT {MOST_INPUTS}
    """,  # noqa: S608 (names of tables and columns, and no values)
    by_key=False,
)
"""What is late of that from which some assets are made, also by way of others; with who reads it on which branch."""


@dataclass(frozen=True)
class _Made:
    """An asset, with who makes it where, and when it last came and should have come."""

    pk: int
    place: Place
    refreshed_at: datetime | None
    late_at: datetime | None
    usual: int | None

    def reads(self, its: "_Input") -> bool:
        """Whether its last versions were made from an input of its maker, which somebody else makes, and which was due
        before this asset was late."""
        slack = STILL_READ + timedelta(seconds=2 * (self.usual or 0))
        is_read = self.refreshed_at is None or its.read_at >= self.refreshed_at - slack
        is_earlier = self.late_at is None or its.told.due_at <= self.late_at
        return is_read and is_earlier and its.made.place != self.place


@dataclass(frozen=True)
class _Input:
    """Something late that somebody reads."""

    read_at: datetime
    made: _Made
    told: LateInput


@dataclass(frozen=True)
class _Event:
    """A version that is not ready, or a run: how it stands with it, since when it is being made, when it ended."""

    state: str = ""
    run: str = ""
    number: int | None = None
    began_at: datetime | None = None
    ended_at: datetime | None = None


@dataclass(frozen=True)
class _OldData:
    """A version that came when it was due, and does not count, as its data is of an earlier time than its making."""

    number: int
    until: str

    @classmethod
    def of(
        cls, made: datetime | None, due: datetime | None, declared: str, number: int | None, said: str | None
    ) -> "_OldData | None":
        if not made or not due or made < due or number is None or said is None:
            return None
        name = json.loads(declared).get("at")
        return cls(number, _time_said(json.loads(said).get(name))) if name else None


def _time_said(value: Any) -> str:
    """The time of data as an annotation has it; seconds since 1970 as a moment. Empty: it has none."""
    at = data_time(value)
    if at is None:
        return ""
    text = str(value).strip()
    return minute(at) + " UTC" if text.replace(".", "").isdigit() else text


@dataclass(frozen=True)
class _Asset:
    """An asset, and what came last of it and of its maker; `old` is set if it came since it was due, and its data was
    of before."""

    made: _Made
    maker: str
    maker_kind: str
    newest: _Event
    run: _Event
    old: "_OldData | None"

    @classmethod
    def of(cls, row: Answer) -> "_Asset":
        pk, branch, component, maker, kind, refreshed, late, usual, due, declared, ready, said, *events = row
        state, number, its_run, ended, began, run, run_state, run_began, run_ended = events
        return cls(
            _Made(pk, (component, branch), moment_of(refreshed), moment_of(late), usual),
            maker or "",
            kind or "",
            _Event(state or "", its_run or "", number, moment_of(began), moment_of(ended)),
            _Event(run_state or "", run or "", None, moment_of(run_began), moment_of(run_ended)),
            _OldData.of(moment_of(refreshed), moment_of(due), declared, ready, said),
        )

    def cause(self, kind: CauseKind, event: _Event, since: datetime | None) -> Cause:
        return Cause(kind, since, self.maker, self.maker_kind, event.run, event.number)


def causes_of(assets: Collection[int], now: datetime | None = None) -> dict[int, Cause]:
    """Why some assets are late, by their keys. Those that are not late have a cause, too: what would be said."""
    if not assets:
        return {}
    found = [_Asset.of(row) for row in with_their_last.all(assets=list(assets))]
    causes = {asset.made.pk: cause for asset in found if (cause := _by_its_last(asset))}
    if rest := [asset for asset in found if asset.made.pk not in causes]:
        read = _late_inputs([asset.made.pk for asset in rest], now or timezone.now())
        causes |= {asset.made.pk: _by_its_inputs(asset, read) or _by_its_flow(asset) for asset in rest}
    return causes


def cause_of(asset: int, now: datetime | None = None) -> Cause | None:
    """Why an asset is late, by its key; None if there is no such asset."""
    return causes_of([asset], now).get(asset)


def _by_its_last(asset: _Asset) -> Cause | None:
    """What its newest version says if it is not ready; or the last run, if it began after that, and after the last
    ready version."""
    newest, run = asset.newest, asset.run
    before = max(filter(None, (asset.made.refreshed_at, newest.began_at)), default=None)
    last = run if run.began_at and run.run != newest.run and (before is None or run.began_at > before) else newest
    if last.state in (State.PENDING, RunState.RUNNING):
        return asset.cause(CauseKind.MAKING, last, last.began_at)
    if newest.state == State.PENDING:
        return asset.cause(CauseKind.MAKING, newest, newest.began_at)
    if last.state in (State.FAILED, RunState.FAILED):
        return asset.cause(CauseKind.FAILED, last, last.ended_at or last.began_at)
    return None


def _by_its_flow(asset: _Asset) -> Cause:
    run, refreshed_at = asset.run, asset.made.refreshed_at
    is_new = run.began_at is not None and (refreshed_at is None or run.began_at > refreshed_at)
    if is_new and run.state == RunState.SUCCEEDED:
        return asset.cause(CauseKind.NOT_MADE, run, run.ended_at)
    if asset.old:
        old = asset.old
        return Cause(CauseKind.OLD_DATA, None, asset.maker, asset.maker_kind, number=old.number, until=old.until)
    return Cause(CauseKind.NOT_RUN, refreshed_at, asset.maker, asset.maker_kind)


def _late_inputs(assets: list[int], now: datetime) -> dict[Place, list[_Input]]:
    """What is late of that from which some assets are made, by who reads it."""
    found: dict[Place, list[_Input]] = {}
    for maker, branch, read_at, place, home, *told, refreshed, late, usual in late_inputs.all(assets=assets, now=now):
        pk, kind, asset_id, key, project, due = told
        made = _Made(pk, (place, home), moment_of(refreshed), moment_of(late), usual)
        its = _Input(_known(read_at), made, LateInput(pk, kind, asset_id, key, project, _known(due)))
        found.setdefault((maker, branch), []).append(its)
    return found


def _by_its_inputs(asset: _Asset, read: dict[Place, list[_Input]]) -> Cause | None:
    """The input that is late on its own account: none of its own inputs is late. Of several that which is so longest.

    Where assets are made from each other, each of them is taken for such a one.
    """
    seen: dict[int, _Input] = {}
    made_from_late = set()
    at_hand = [asset.made]
    while at_hand:
        made = at_hand.pop()
        for its in filter(made.reads, read.get(made.place, ())):
            if its.made.pk != asset.made.pk:
                made_from_late.add(made.pk)
                if its.made.pk not in seen:
                    seen[its.made.pk] = its
                    at_hand.append(its.made)
    first = [its for pk, its in seen.items() if pk not in made_from_late] or list(seen.values())
    if not first:
        return None
    told = min((its.told for its in first), key=lambda one: (one.due_at, one.asset))
    return Cause(CauseKind.INPUT, told.due_at, asset.maker, asset.maker_kind, input=told)


def _known(value: Any) -> datetime:
    moment = moment_of(value)
    assert moment is not None, "a column that is not null, or was asked to have a value"
    return moment
