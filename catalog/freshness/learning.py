"""When the next version of an asset is expected, learned from when those before came.

Where versions come every few days or more often, it is asked of each of the last six weeks: when did the next one come
after this same moment, by the clocks of the project's time zone? Where they come more rarely, the gaps between them
count. Younger histories are only learned from. docs/freshness.md has the rule for users, and how well it does.

Pure functions of times. A caller gives the last `LAST` times. Where the six weeks reach back further, it also looks up
the first `FOLLOWING` times after each of `moments(…)`, so that the cost does not grow with the history.
"""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

from catalog.freshness.declared import Declared, known_zone
from catalog.states import Watch

Json = dict[str, Any]

LAST = 61
"""How many times a caller gives: the last ones."""
FOLLOWING = 2
"""How many times a caller looks up after each moment."""
WEEKS = 6
DAY, WEEK = 86_400.0, 7 * 86_400.0
LONGEST_OF_WEEKS = 3.5 * DAY
"""Up to this usual gap the weeks are asked."""
HISTORY = 2.2 * WEEK
"""So long a history is needed for that."""
FEWEST = 6
"""So many times are needed where the gaps count; and ever."""
GAPS = 20
"""How many gaps count: the last ones."""
AS_ONE = 0.1
"""Of the usual gap: what comes within it counts as one."""
SLACK, SPREADS, LEAST_SLACK = 0.25, 4, 600.0
DORMANT_GAPS, DORMANT = 4, 14 * DAY


@dataclass(frozen=True)
class Expectation:
    """What goes into the columns of an asset; `told` says how it is known (`words.py` makes sentences of it)."""

    watch: Watch
    usual: int | None = None
    due_at: datetime | None = None
    late_at: datetime | None = None
    dormant_at: datetime | None = None
    told: Json = field(default_factory=dict)


def learn(
    times: Sequence[datetime],
    *,
    now: datetime,
    timezone: str = "UTC",
    declared: Declared | None = None,
    first: datetime | None = None,
    then: Mapping[datetime, Sequence[datetime]] | None = None,
) -> Expectation:
    """When the next version is expected after those that came at `times`: the last `LAST` that count, in any order.

    `first`: when the first of all came that count, if `times` do not reach back to it. `then`: what was looked up for
    `moments(…)`. `timezone` is that of the project; what is declared may name another one.
    """
    declared = declared or Declared(zone=known_zone(timezone))
    if declared.off:
        return Expectation(Watch.OFF, told={"rule": "off", "unreadable": declared.unreadable})
    stamps = _stamps(times, now)
    if declared.says_when:
        return by_declaration(declared, datetime.fromtimestamp(stamps[-1], UTC) if stamps else None)
    history = _History.of(stamps, min(first.timestamp(), stamps[0]) if first and stamps else None)
    if history is None:
        return _still_learning(stamps, declared, history)
    found = _by_weeks(history, declared, then) if history.is_weekly else _by_gaps(history, declared)
    return found or _still_learning(stamps, declared, history)


def by_declaration(declared: Declared, last: datetime | None) -> Expectation:
    """What is expected after the version of `last`, by what is declared. None: there was none, so nothing is yet."""
    rule = "every" if declared.every else "cron"
    usual = round(declared.usual.total_seconds())
    told: Json = {"rule": rule, "zone": declared.zone, "usual": usual, "grace": declared.grace.total_seconds()}
    due = declared.next_due(last) if last else None
    if last is None or due is None:
        return Expectation(Watch.DECLARED, usual, told=told)
    late = due + declared.grace_at(due)
    told["slack"] = (late - due).total_seconds()
    return Expectation(Watch.DECLARED, usual, due, late, dormant_after(late, usual), told)


def dormant_after(late_at: datetime, usual: int | None) -> datetime:
    """From when on a late one is no more news."""
    return late_at + timedelta(seconds=max(DORMANT_GAPS * (usual or 0), DORMANT))


def after_arrival(
    watch: str, usual: int | None, due_at: datetime | None, late_at: datetime | None, at: datetime, declared: Declared
) -> Expectation | None:
    """What a write keeps when a version comes, until the background has learned anew; None: the columns stay.

    A declaration says it exactly. What was learned is due again after the usual gap, with the slack it had.
    """
    if watch == Watch.DECLARED and declared.says_when:
        return by_declaration(declared, at)
    if watch != Watch.LEARNED or not usual or due_at is None or late_at is None:
        return None
    due = declared.not_excepted(at + timedelta(seconds=usual))
    late = due + max(late_at - due_at, timedelta(0))
    return Expectation(Watch.LEARNED, usual, due, late, dormant_after(late, usual))


def moments(times: Sequence[datetime], *, now: datetime, timezone: str = "UTC") -> list[datetime]:
    """After which moments a caller looks up the first `FOLLOWING` times: where `times` don't reach back far enough."""
    stamps = _stamps(times, now)
    history = _History.of(stamps, None)
    if history is None or len(times) < LAST or not history.is_weekly:
        return []
    asked = [history.moment(week, known_zone(timezone)) for week in range(1, WEEKS + 1)]
    return [_moment(at) for at in asked if at < history.stamps[0]]


@dataclass(frozen=True)
class _History:
    """When versions came, as seconds since 1970 in rising order, several at once counted as one."""

    stamps: list[float]
    gaps: list[float]
    """The last ones."""
    usual: float
    short: float
    first: float

    @classmethod
    def of(cls, stamps: list[float], first: float | None) -> "_History | None":
        """None: too few came."""
        if len(stamps) < 2:
            return None
        apart = _apart(stamps, AS_ONE * _scale(stamps))
        gaps = [after - before for before, after in pairwise(apart)][-GAPS:]
        if not gaps:
            return None
        ordered = sorted(gaps)
        short = ordered[int(0.4 * (len(ordered) - 1))]
        return cls(apart, gaps, _low_median(ordered), short, stamps[0] if first is None else first)

    @property
    def last(self) -> float:
        return self.stamps[-1]

    @property
    def is_weekly(self) -> bool:
        """Whether it is asked of the last weeks when the next one comes."""
        return self.usual <= LONGEST_OF_WEEKS and not (len(self.gaps) >= 3 and min(self.gaps[-3:]) > LONGEST_OF_WEEKS)

    def moment(self, week: int, zone: str) -> float:
        """The moment of the last one so many weeks ago, and so much later that what came then for it came before."""
        return _to_utc(_local(self.last, zone) - week * WEEK, zone) + self.short / 2


def _by_weeks(
    history: _History, declared: Declared, then: Mapping[datetime, Sequence[datetime]] | None
) -> Expectation | None:
    zone, last = declared.zone, history.last
    if last - history.first < HISTORY or len(history.gaps) < FEWEST - 1:
        return None
    here = _local(last, zone)
    found: list[float] = []
    afters: list[float] = []
    for week in range(1, WEEKS + 1):
        base = here - week * WEEK
        if _to_utc(base, zone) < history.first:
            break
        at = history.moment(week, zone)
        following = _following(history, at, then)
        if not following:
            continue
        found.append(_local(following[0], zone) - base)
        if len(following) > 1 and following[1] - following[0] > AS_ONE * history.short:
            afters.append(following[1] - following[0])
    if len(found) < 2:
        return None
    ordered = sorted(found)
    middle = _low_median(ordered)
    second = ordered[-2] if len(ordered) > 3 else ordered[-1]
    nearer = min([middle, *([_low_median(sorted(afters))] if afters else [])])
    spread = _low_median(sorted(abs(gap - middle) for gap in found))
    slack = _slack(nearer, spread, declared)
    least = max(second, history.short + slack, min(history.gaps[-2:]) + slack)
    return _expectation("weeks", history, declared, middle, slack, least, {"weeks": len(found), "spread": spread})


def _by_gaps(history: _History, declared: Declared) -> Expectation | None:
    if len(history.gaps) < FEWEST - 1:
        return None
    gaps = history.gaps
    changed = next((at for at, gap in enumerate(reversed(gaps)) if gap <= LONGEST_OF_WEEKS), len(gaps))
    if changed >= 3:
        gaps = gaps[-changed:]
    ordered = sorted(gaps)
    middle = _low_median(ordered)
    spread = _low_median(sorted(abs(gap - middle) for gap in gaps))
    slack = _slack(middle, spread, declared)
    long = ordered[-3] if len(ordered) >= 3 else middle
    return _expectation("gaps", history, declared, middle, slack, long, {"gaps": len(gaps), "spread": spread})


def _expectation(
    rule: str, history: _History, declared: Declared, gap: float, slack: float, least: float, more: Json
) -> Expectation:
    """Due after `gap` by the clocks of the zone, late after `slack` more, and not before `least`."""
    zone = declared.zone
    due = _moment(max(_to_utc(_local(history.last, zone) + gap, zone), history.last + 1))
    late = max(due + timedelta(seconds=slack), _moment(_to_utc(_local(history.last, zone) + least, zone)))
    moved = declared.not_excepted(due)
    late += moved - due
    usual = max(round(history.usual), 1)
    told: Json = {
        "rule": rule,
        "zone": zone,
        "usual": usual,
        "slack": slack,
        "times": len(history.stamps),
        "since": _moment(history.first).isoformat(),
        **more,
    }
    return Expectation(Watch.LEARNED, usual, moved, late, dormant_after(late, usual), told)


def _still_learning(stamps: list[float], declared: Declared, history: "_History | None") -> Expectation:
    told: Json = {"rule": "learning", "zone": declared.zone, "times": len(stamps), "wanted": FEWEST}
    if stamps:
        told["since"] = _moment(history.first if history else stamps[0]).isoformat()
    return Expectation(Watch.LEARNING, told=told)


def _slack(nearer: float, spread: float, declared: Declared) -> float:
    if declared.own_grace is not None:
        return declared.own_grace.total_seconds()
    return max(min(max(SLACK * nearer, SPREADS * spread), nearer), LEAST_SLACK)


def _following(history: _History, at: float, then: Mapping[datetime, Sequence[datetime]] | None) -> list[float]:
    """The first times after a moment."""
    if at < history.stamps[0] and then is not None:
        looked_up = then.get(_moment(at))
        if looked_up is not None:
            return [one.timestamp() for one in looked_up]
    place = bisect_right(history.stamps, at)
    return history.stamps[place : place + FOLLOWING]


def _stamps(times: Sequence[datetime], now: datetime) -> list[float]:
    """In order; what a clock that was wrong put into the future counts as now."""
    latest = now.timestamp()
    return sorted(min(at.timestamp(), latest) for at in times)


def _scale(stamps: list[float]) -> float:
    """The usual gap: where versions come in bursts of a few, the gap between the bursts."""
    gaps = sorted(after - before for before, after in pairwise(stamps))
    middle = _low_median(gaps)
    between = [gap for gap in gaps if gap > 20 * middle]
    return _low_median(between) if len(between) * 4 >= len(gaps) else middle


def _apart(stamps: list[float], within: float) -> list[float]:
    kept = [stamps[0]]
    for at in stamps:
        if at - kept[-1] > within:
            kept.append(at)
    return kept


def _low_median(ordered: list[float]) -> float:
    return ordered[(len(ordered) - 1) // 2]


@cache
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


def _local(at: float, zone: str) -> float:
    """The clocks' time, as if it were that of UTC."""
    if zone == "UTC":
        return at
    offset = datetime.fromtimestamp(at, _zone(zone)).utcoffset()
    return at + (offset.total_seconds() if offset else 0.0)


def _to_utc(local: float, zone: str) -> float:
    if zone == "UTC":
        return local
    return datetime.fromtimestamp(local, UTC).replace(tzinfo=_zone(zone)).timestamp()


def _moment(at: float) -> datetime:
    return datetime.fromtimestamp(at, UTC)
