"""Looking at what came: when the next version of an asset is expected, and whether a new one is unusual.

Every write that brings a version marks its asset (`to_look_at`). Here the marked ones are looked at, some hundred at a
time, without a lock; then they are locked for the moment of writing, and what was found is kept of those that nobody
has changed meanwhile, as their marks say (`catalog/marks.py`). The others are looked at again, locked from the
beginning. So no write is lost, whoever is killed at whatever moment, and nobody waits.
"""

import json
import logging
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from django.db import connection, transaction
from django.utils import timezone as clock

from access.statements import Answer, Statement, moment_of
from catalog.alarming import alarms
from catalog.attention import attention, of_asset, raise_all, settle_attention
from catalog.freshness.declared import Declared, data_time
from catalog.freshness.learning import FOLLOWING, LAST, Expectation, advancing, learn, moments
from catalog.metrics import annotations_of
from catalog.models import Asset, Attention, Instance, Message, Unusual
from catalog.news import fresh_again, unusual
from catalog.outbox import keep
from catalog.states import AttentionKind, Watch
from catalog.unusual import LAST as BEFORE
from catalog.unusual import RULE, unusual_of
from catalog.watching import statements

logger = logging.getLogger(__name__)

Json = dict[str, Any]
AT_ONCE = 500
LOCKED_AT_ONCE = 20
JUDGED = 20
"""Of so many of the last versions it is looked whether they are unusual; of those that were there before any look, of
the last one only."""
LAST_OF_DATA = 1_500
"""So many of the last versions are read where an annotation has the time that counts, which no index finds."""
LONGEST_MAKING = timedelta(days=2)
"""What takes longer from being registered to being ready may be missed among the weeks before."""
NOT_LATE = "{} is not late by what is known by now."
UNTHOUGHT_OF = (ArithmeticError, LookupError, TypeError, ValueError)
EVER = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass
class Looked:
    """How many assets were looked at, and of how many versions it was found that they are unusual."""

    assets: int = 0
    unusual: int = 0


def look(
    *, now: datetime | None = None, after_each: Callable[[], None] = lambda: None, at_once: int = AT_ONCE
) -> Looked:
    """Look at all assets that are marked. `after_each` is called between two transactions; what it raises ends it."""
    looked, after = Looked(), 0
    while rows := statements.flagged_after.all(after=after, most=at_once):
        after = rows[-1][0]
        at = now or clock.now()
        left = _keep(_found_of_each(rows, at), at, looked, statements.lock_free)
        after_each()
        for start in range(0, len(left), LOCKED_AT_ONCE):
            _look_locked(left[start : start + LOCKED_AT_ONCE], at, looked)
            after_each()
    return looked


def is_anything_to_look_at() -> bool:
    """So that nobody takes a lease for nothing."""
    return bool(statements.flagged_after.all(after=0, most=1))


@transaction.atomic
def _look_locked(assets: list[int], now: datetime, looked: Looked) -> None:
    statements.lock_all.all(assets=assets)
    _keep(_found_of_each(statements.flagged_of.all(assets=assets), now), now, looked, statements.lock_all)


# what is found


@dataclass
class _Asset:
    """What is kept of an asset, and what was found."""

    pk: int
    mark: int | None
    branch: int
    zone: str
    declared: Declared
    normal_since: datetime | None
    newest_ready: int | None
    kept: Expectation
    late_told_at: datetime | None
    judged: list[int] | None
    found: Expectation = field(default_factory=lambda: Expectation(Watch.OFF))
    now_judged: list[int] = field(default_factory=list)
    unusual: "list[_Verdict]" = field(default_factory=list)
    is_ahead: bool = False
    """Whether a version came later than now, by a clock that was put back since. It is looked at until that is past."""

    @classmethod
    def of(cls, row: Answer) -> "_Asset":
        pk, mark, branch, zone, declared, normal_since, newest_ready, watch, usual, due, late, dormant, *rest = row
        late_told_at, told, judged = rest
        kept = Expectation(
            Watch(watch),
            usual,
            moment_of(due),
            moment_of(late),
            moment_of(dormant),
            json.loads(told) if told is not None else {},
        )
        return cls(
            pk,
            mark,
            branch,
            zone,
            _declared(declared, zone),
            moment_of(normal_since),
            newest_ready,
            kept,
            moment_of(late_told_at),
            json.loads(judged) if judged is not None else None,
        )

    def is_over(self, now: datetime) -> bool:
        """Whether it was told that it is late, and by what is known now it is not."""
        late_at = self.found.late_at
        return self.late_told_at is not None and not (late_at is not None and late_at <= now)

    def is_normal(self, at: datetime) -> bool:
        """Whether what is of this time teaches what is usual."""
        return self.normal_since is None or at >= self.normal_since


@dataclass(frozen=True)
class _Verdict:
    """A version that is unusual."""

    instance: int
    uid: str
    number: int
    at: datetime
    reasons: dict[str, str]


@lru_cache(maxsize=4096)
def _declared(text: str, zone: str) -> Declared:
    return Declared.of(json.loads(text), zone)


Came = tuple[datetime, Any]
"""When a version became ready, and when it was made, as the database answers it."""


def _found_of_each(rows: Sequence[Answer], now: datetime) -> list[_Asset]:
    """What is found of some, but for those that have something of which nobody thought: they keep their marks, and the
    others do not wait for them."""
    try:
        return _found(rows, now)
    except UNTHOUGHT_OF:
        if len(rows) > 1:
            return [asset for row in rows for asset in _found_of_each([row], now)]
        logger.exception("The asset with the key %s can't be looked at.", rows[0][0])
        return []


def _found(rows: Iterable[Answer], now: datetime) -> list[_Asset]:
    assets = [_Asset.of(row) for row in rows]
    _learn(assets, now)
    _judge(assets)
    return assets


def _learn(assets: list[_Asset], now: datetime) -> None:
    by_data = [asset for asset in assets if asset.declared.at and not asset.declared.off]
    others = [asset for asset in assets if not asset.declared.at and not asset.declared.off]
    times, made = _times_of_data(by_data), _times(others)
    times |= {pk: [settled for settled, _ in its] for pk, its in made.items()}
    then = _looked_up([asset for asset in others if len(made[asset.pk]) >= LAST], made, now)
    for asset in assets:
        came = times.get(asset.pk, [])
        if not came and not asset.declared.off and not asset.declared.says_when:
            continue  # no task makes it
        first, following = then.get(asset.pk, (None, None))
        asset.is_ahead = asset.pk in made and max(came, default=now) > now
        asset.found = learn(came, now=now, timezone=asset.zone, declared=asset.declared, first=first, then=following)


def _times(assets: list[_Asset]) -> dict[int, list[Came]]:
    """When the last versions of each that count came."""
    found: dict[int, list[Came]] = {asset.pk: [] for asset in assets}
    for pk, settled, made in statements.last_times.all(assets=[*found], most=LAST) if found else ():
        found[pk].append((_known(settled), made))
    for asset in assets:
        if asset.normal_since and not asset.declared.says_when:
            found[asset.pk] = [came for came in found[asset.pk] if asset.is_normal(came[0])]
    return found


def _times_of_data(assets: list[_Asset]) -> dict[int, list[datetime]]:
    """The times that annotations tell of the last versions of each that count. Where the rest is learned: when those
    came that told a later time than all before."""
    found: dict[int, list[datetime]] = {asset.pk: [] for asset in assets}
    came: dict[int, list[tuple[datetime, datetime]]] = defaultdict(list)
    by_key = {asset.pk: asset for asset in assets}
    for most, says_when in ((LAST, True), (LAST_OF_DATA, False)):
        asked = [asset.pk for asset in assets if asset.declared.says_when is says_when]
        for pk, settled, text in statements.last_annotations.all(assets=asked, most=most) if asked else ():
            asset = by_key[pk]
            (said,) = annotations_of([text])
            at = data_time(said.get(asset.declared.at), asset.declared.zone)
            if at is not None and asset.declared.says_when:
                found[pk].append(min(at, _known(settled)))  # of data that reaches into the future it came then
            elif at is not None and asset.is_normal(_known(settled)):
                came[pk].append((_known(settled), at))
    return found | {pk: advancing(sorted(its)) for pk, its in came.items()}


Then = tuple[datetime | None, dict[datetime, list[datetime]]]


def _looked_up(assets: list[_Asset], came: Mapping[int, Sequence[Came]], now: datetime) -> dict[int, Then]:
    """Of each with a long history: when its first version came, and which came after the moments that it is asked for
    of the weeks before."""
    asked: list[tuple[int, datetime | None]] = []
    wanted: list[Json] = []
    for asset in assets:
        its = came[asset.pk]
        ask = moments([settled for settled, _ in its], now=now, timezone=asset.zone)
        if not ask:
            continue
        longest = min(max(settled - _known(at) for settled, at in its), LONGEST_MAKING)
        for at in [None, *ask]:
            since = at or max(asset.normal_since or EVER, EVER) - timedelta(microseconds=1)
            moment = {"made": _text(since - longest), "settled": _text(since)}
            wanted.append({"place": len(asked), "asset": asset.pk, **moment})
            asked.append((asset.pk, at))
    answers: dict[int, list[datetime]] = defaultdict(list)
    if wanted:
        for place, settled in statements.first_times.all(wanted=json.dumps(wanted), most=FOLLOWING):
            answers[int(place)].append(_known(settled))
    found: dict[int, Then] = {}
    for place, (pk, at) in enumerate(asked):
        _, following = found.setdefault(pk, (None, {}))
        if at is None:
            found[pk] = (min(answers[place], default=None), following)
        else:
            following[at] = sorted(answers[place])
    return found


# what is unusual


def _judge(assets: list[_Asset]) -> None:
    """Which of the last versions that nobody has looked at are unusual."""
    by_key = {asset.pk: asset for asset in assets}
    numbers: dict[int, list[int]] = {pk: [] for pk in by_key}
    for pk, number in statements.last_numbers.all(assets=[*by_key], most=JUDGED) if by_key else ():
        numbers[pk].append(number)
    depths: dict[int, list[int]] = defaultdict(list)
    for asset in assets:
        asset.now_judged = sorted(numbers[asset.pk])
        if depth := _depth(asset, numbers[asset.pk]):
            depths[1 if depth == 1 else JUDGED].append(asset.pk)
    for depth, some in depths.items():
        history: dict[int, list[Answer]] = defaultdict(list)
        for pk, *version in statements.last_versions.all(assets=some, most=BEFORE + depth):
            history[pk].append(tuple(version))
        for pk in some:
            by_key[pk].unusual = _unusual_in(by_key[pk], history[pk])


def _depth(asset: _Asset, numbers: Sequence[int]) -> int:
    """How far back among the last versions the first one is that is to be judged, from the end; 0: none is."""
    if asset.judged is None:
        return min(len(numbers), 1)
    new = [place for place, number in enumerate(numbers) if number not in asset.judged]
    return len(numbers) - new[0] if new else 0


def _unusual_in(asset: _Asset, versions: Sequence[Answer]) -> list[_Verdict]:
    new = {versions[-1][0]} if asset.judged is None else {*asset.now_judged} - {*asset.judged}
    said = annotations_of(version[5] for version in versions)
    old = sum(not asset.is_normal(_known(version[3])) for version in versions) if asset.normal_since else 0
    found = []
    for place in range(old, len(versions)):
        number, instance, uid, _, settled, _ = versions[place]
        if number in new and (reasons := unusual_of(said[max(old, place - BEFORE) : place], said[place])):
            found.append(_Verdict(instance, uid, number, _known(settled), reasons))
    return found


# keeping it


@transaction.atomic
def _keep(assets: Sequence[_Asset], now: datetime, looked: Looked, lock: Statement) -> list[int]:
    """Keep what was found of those that nobody has changed since they were read; the keys of the others."""
    marks: dict[int, int | None] = dict(lock.all(assets=[asset.pk for asset in assets])) if assets else {}
    same = [asset for asset in assets if asset.pk in marks and marks[asset.pk] == asset.mark]
    if same:
        new = _new_verdicts(same)
        _keep_columns(same, now)
        _keep_unusual(same, new, now)
        _keep_attention(same, new, now)
        statements.take_flags.run(assets=[asset.pk for asset in same if not asset.is_ahead])
        looked.assets += len(same)
        looked.unusual += len(new)
    done = {asset.pk for asset in same}
    return [asset.pk for asset in assets if asset.pk not in done]


def _new_verdicts(assets: Iterable[_Asset]) -> dict[int, tuple[_Asset, _Verdict]]:
    """The versions that are unusual and were not known as such, by their keys."""
    found = {verdict.instance: (asset, verdict) for asset in assets for verdict in asset.unusual}
    if found:
        for known in Unusual.objects.filter(instance__in=found).values_list("instance_id", flat=True):
            del found[known]
    return found


def _keep_columns(assets: Iterable[_Asset], now: datetime) -> None:
    wanted: list[Json] = []
    cadences: list[Json] = []
    for asset in assets:
        found = asset.found
        if found != asset.kept or asset.unusual or asset.is_over(now):
            moments_ = {name: _text(at) for name in ("due_at", "late_at", "dormant_at") if (at := getattr(found, name))}
            about = {"id": asset.pk, "watch": found.watch.value, "usual": found.usual, "is_over": asset.is_over(now)}
            wanted.append(about | moments_)
        if found.told != asset.kept.told or asset.now_judged != asset.judged:
            cadences.append({"id": asset.pk, "told": found.told, "judged": asset.now_judged})
    if wanted:
        statements.keep_expected.run(wanted=json.dumps(wanted))
    if cadences:
        statements.keep_cadences.run(wanted=json.dumps(cadences), now=now)


def _keep_unusual(assets: Iterable[_Asset], new: Mapping[int, tuple[_Asset, _Verdict]], now: datetime) -> None:
    rows = [Unusual(instance_id=pk, reasons=verdict.reasons, rule=RULE, at=now) for pk, (_, verdict) in new.items()]
    Unusual.objects.bulk_create(rows)


def _keep_attention(assets: Sequence[_Asset], new: Mapping[int, tuple[_Asset, _Verdict]], now: datetime) -> None:
    """What needs attention by what was found, and what needs none any more; and whoever wants to be told is told."""
    by_newest = {asset.newest_ready: asset for asset in assets if asset.newest_ready is not None}
    rows = Unusual.objects.filter(instance__in=by_newest).select_related("instance")
    found = {
        asset.pk: row
        for row in rows.only("reasons", "instance__number", "instance__settled_at")
        if (asset := by_newest[row.instance_id]).is_normal(row.instance.settled_at or now)
    }
    over = {asset.pk for asset in assets if asset.is_over(now)}
    wanted = {*found, *over, *(asset.pk for asset, _ in new.values())}
    known = _with_place(wanted)
    alarming = {pk for pk in found if alarms(known[pk].branch)}
    raise_all([_needed(known[pk], found[pk]) for pk in sorted(alarming)])
    settle_attention(
        AttentionKind.UNUSUAL, *(of_asset(asset.pk) for asset in assets if asset.pk not in alarming), now=now
    )
    if over:
        settle_attention(AttentionKind.LATE, *map(of_asset, over), now=now)
    not_late = (known[pk] for pk in sorted(over))
    messages = [told for asset in not_late for told in fresh_again(asset, sentence=NOT_LATE.format(asset.title))]
    keep([*messages, *_found_unusual(new.values(), known)])


def _with_place(assets: Collection[int]) -> dict[int, Asset]:
    found = Asset.objects.select_related("branch__project__perimeter").defer("readme", "description")
    return found.in_bulk(assets) if assets else {}


def _needed(asset: Asset, unusual: Unusual) -> Attention:
    newest = unusual.instance
    return attention(
        AttentionKind.UNUSUAL,
        of_asset(asset.pk),
        perimeter_id=asset.branch.project.perimeter_id,
        branch_id=asset.branch_id,
        asset_id=asset.pk,
        since=newest.settled_at or unusual.at,
        facts={"number": newest.number, "reasons": unusual.reasons},
    )


def _found_unusual(found: Iterable[tuple[_Asset, _Verdict]], known: Mapping[int, Asset]) -> Iterator[Message]:
    for its, verdict in found:
        asset = known[its.pk]
        if alarms(asset.branch):
            instance = Instance(pk=verdict.instance, uid=verdict.uid, number=verdict.number)
            yield from unusual(instance, asset, verdict.reasons, verdict.at)


# values


def _text(at: datetime) -> str:
    """A moment in JSON, as the columns of this database are compared with it."""
    text = str(at.astimezone(UTC).replace(tzinfo=None))
    return f"{text}+00:00" if connection.vendor == "postgresql" else text


def _known(value: Any) -> datetime:
    """A moment as a statement answers it, of a column that every ready version has."""
    if isinstance(value, str):  # of SQLite, thousands at a time
        return datetime.fromisoformat(value).replace(tzinfo=UTC)
    at = moment_of(value)
    assert at is not None
    return at
