"""When the next version of an asset is expected, learned from when those before came.

Where versions come every few days or more often, it is asked of each of the last six weeks: when did the next one come
after this same moment, by the clocks of the project's time zone? Where they come more rarely, the gaps between them
count. Younger histories are only learned from. docs/freshness.md has the rule for users, and how well it does.

Pure functions of times. A caller gives the last `LAST` times. Where the six weeks reach back further, it also looks up
the first `FOLLOWING` times after each of `moments(…)`, so that the cost does not grow with the history.
"""

import math
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

from catalog.freshness.declared import Declared
from catalog.states import Watch

Json = dict[str, Any]

LAST = 61
"""How many times a caller gives: the last ones."""
FOLLOWING = 2
"""How many times a caller looks up after each moment."""
WEEKS = 6
HOUR, DAY, WEEK = 3_600.0, 86_400.0, 7 * 86_400.0
LONGEST_OF_WEEKS = 3.5 * DAY
"""Up to this usual gap the weeks are asked."""
HISTORY = 2.2 * WEEK
"""So long a history is needed for that."""
FEWEST = 6
"""So many times are needed in any case."""
GAPS = 20
"""How many gaps say what is usual: the last ones."""
CHANGED = 3
"""So many long gaps, the last ones, are a new cadence; so many among the last ones make a long gap usual."""
AS_ONE = 0.1
"""Of the usual gap: what comes within it counts as one."""
BURST, OF_BURSTS = 20, 0.25
"""Gaps so many times the median that are such a share of all lie between bursts, and are the usual ones."""
SHORT = 0.4
"""The share of gaps that are shorter than what is usual by day, where those of nights and weekends are longer."""

QUARTER, SPREADS, LEAST_SLACK, HALF_AT_MOST = 0.25, 4, 600.0, HOUR
"""The slack: of the nearer gap, times the spread, at least; and half of short gaps, up to an hour."""
LATES, LATES_MOST, LATE_NOT_MISSING = 2, 0.75, 0.75
"""The slack is also so many times what the latest one was late by, up to that share of the nearer gap; what is later
than such a share of a gap was missing."""
ERRORS, FEW_ERRORS = 20, 8
"""In how many cases it is looked up how well the weeks before said it."""
IRREGULAR, ONE_IN, LONGEST = 0.5, 10, 2
"""Where more than one in ten was wrong by more than half a gap, nothing is late before twice the longest silence."""
ALIKE, OTHERS, FEWEST_ALIKE = 1.6, 4, 30
"""Where all gaps but four are alike, the gaps may say better than the weeks when the next one comes."""
SILENCE = 4
"""So many usual gaps are a silence; after a longer one than ever, the next is not late before it is as long."""
LONGER = 1.3
"""Gaps so many times the usual one, and more than chance, are those of nights and weekends."""
ALMOST = 0.1
"""So much of the slack more is the slack, as it is told."""
DORMANT_GAPS, DORMANT = 4, 14 * DAY
OFFSET_HOLDS = 28 * DAY
"""What is less apart and has the same distance from UTC has it in between, too."""


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
    timezone: str = "",
    declared: Declared | None = None,
    first: datetime | None = None,
    then: Mapping[datetime, Sequence[datetime]] | None = None,
) -> Expectation:
    """When the next version is expected after those that came at `times`: the last `LAST` that count, in any order.

    `first`: when the first of all came that count, if `times` do not reach back to it. `then`: what was looked up for
    `moments(…)`. `timezone` is that of the project; what is declared may name another one. With `at` declared, and
    nothing else that says when, `times` are those of `advancing`.
    """
    declared = _declared(declared, timezone)
    if declared.off:
        return Expectation(Watch.OFF, told={"rule": "off", "unreadable": declared.unreadable})
    stamps = _stamps(times, now)
    if declared.says_when:
        return by_declaration(declared, datetime.fromtimestamp(stamps[-1], UTC) if stamps else None)
    history = _History.of(stamps, declared.zone, min(first.timestamp(), stamps[0]) if first and stamps else None)
    if history is None:
        return _still_learning(stamps, declared, history)
    found = _by_weeks(history, declared, then) if history.is_weekly else _by_gaps(history, declared)
    return found or _still_learning(stamps, declared, history)


def by_declaration(declared: Declared, last: datetime | None) -> Expectation:
    """What is expected after the version of `last`, by what is declared. None: there was none, so nothing is yet."""
    usual = round(declared.usual.total_seconds())
    told: Json = {
        "rule": "every" if declared.every else "cron",
        "zone": declared.zone,
        "usual": usual,
        "declared": declared.text,
        "why": "grace" if declared.own_grace is not None else "quarter",
        "except": len(declared.excepted),
    }
    if declared.at:
        told["at"] = declared.at
    due = declared.next_due(last) if last else None
    if last is None or due is None:
        return Expectation(Watch.DECLARED, usual, told=told)
    late = due + declared.grace_at(due)
    told["late_after"] = round((late - due).total_seconds())
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


def moments(
    times: Sequence[datetime],
    *,
    now: datetime,
    timezone: str = "",
    declared: Declared | None = None,
    first: datetime | None = None,
) -> list[datetime]:
    """After which moments a caller looks up the first `FOLLOWING` times: where `times` don't reach back far enough.

    `first` as for `learn`: what is older than the first of all is not asked.
    """
    stamps = _stamps(times, now)
    begin = min(first.timestamp(), stamps[0]) if first and stamps else 0.0
    history = _History.of(stamps, _declared(declared, timezone).zone, begin)
    if history is None or len(times) < LAST or not history.is_weekly:
        return []
    return [_moment(at) for _, at in history.moments() if at < history.stamps[0]]


def advancing(arrivals: Iterable[tuple[datetime, datetime | None]]) -> list[datetime]:
    """When those came whose data was newer than all before: of moments of arriving and of data, in order of arrival.

    What says no moment of its data does not count, nor what brings old data anew.
    """
    newest, found = None, []
    for came, data in arrivals:
        if data is not None and (newest is None or data > newest):
            newest = data
            found.append(came)
    return found


def _declared(declared: Declared | None, timezone: str) -> Declared:
    """With the time zone that counts."""
    declared = declared or Declared.NOTHING
    return declared.in_zone(timezone) if timezone else declared


@dataclass(frozen=True)
class _History:
    """When versions came, as seconds since 1970 in rising order, several at once counted as one."""

    zone: str
    stamps: list[float]
    gaps: list[float]
    """Between the last of them."""
    usual: float
    """The median of the last gaps."""
    short: float
    """A gap as it is by day, where those of nights and weekends are longer."""
    first: float

    @classmethod
    def of(cls, stamps: list[float], zone: str, first: float | None = None) -> "_History | None":
        """None: too few came."""
        if len(stamps) < 2 or stamps[0] == stamps[-1]:
            return None
        gaps = [after - before for before, after in pairwise(stamps)]
        within = AS_ONE * _scale(gaps)
        if min(gaps) <= within:
            stamps = _apart(stamps, within)
            gaps = [after - before for before, after in pairwise(stamps)]
        gaps = gaps[1 - LAST :]
        ordered = sorted(gaps[-GAPS:])
        short = ordered[int(SHORT * (len(ordered) - 1))]
        return cls(zone, stamps, gaps, _low_median(ordered), short, stamps[0] if first is None else first)

    @property
    def last(self) -> float:
        return self.stamps[-1]

    @property
    def is_weekly(self) -> bool:
        """Whether it is asked of the last weeks when the next one comes."""
        has_changed = len(self.gaps) >= CHANGED and min(self.gaps[-CHANGED:]) > LONGEST_OF_WEEKS
        return self.usual <= LONGEST_OF_WEEKS and not has_changed

    @property
    def is_steady(self) -> bool:
        """Whether almost all gaps of a week and more are alike: there are no nights and weekends in it."""
        known = len(self.gaps) >= FEWEST_ALIKE and self.last - self.stamps[0] >= WEEK
        return known and sorted(self.gaps)[-1 - OTHERS] < ALIKE * self.usual

    @property
    def silence(self) -> float:
        """The last gap, if there was none as long before; else 0."""
        last, before = self.gaps[-1], max(self.gaps[:-1], default=0.0)
        is_new = self.last - self.stamps[0] - last > WEEK and last > 1.5 * before
        return last if is_new and last > SILENCE * self.usual else 0.0

    def moments(self) -> list[tuple[float, float]]:
        """The moment of the last one, so many weeks ago, by the clocks; and the time from which the next one is looked
        for, which is so much later that what came then for the last one came before."""
        here = _local(self.last, self.zone)
        found = []
        for week in range(1, WEEKS + 1):
            at = _to_utc(here - week * WEEK, self.zone)
            if at < self.first:
                break
            found.append((here - week * WEEK, at + self.short / 2))
        return found

    def errors(self) -> list[float]:
        """By how much the last ones came later than the three weeks before said, as far as these times show it."""
        local = _locals(self.stamps, self.zone)
        begin, half, errors = local[0], self.short / 2, []
        for at in range(max(len(local) - 1 - ERRORS, 0), len(local) - 1):
            here = local[at]
            said = []
            for base in (here - WEEK, here - 2 * WEEK, here - 3 * WEEK):
                if base < begin:
                    break
                said.append(local[bisect_right(local, base + half)] - base)
            if said:
                said.sort()
                errors.append(local[at + 1] - here - _low_median(said))
        return errors

    def latest_late(self, errors: list[float]) -> float:
        """By how much the latest of the late ones was late that was not missing."""
        if len(errors) >= FEW_ERRORS:
            return max((error for error in errors if error < LATE_NOT_MISSING * self.short), default=0.0)
        alike = sorted(gap for gap in self.gaps if 0.5 * self.short < gap < ALIKE * self.short)
        return alike[-1] - _low_median(alike) if len(alike) >= FEW_ERRORS else 0.0


def _by_weeks(
    history: _History, declared: Declared, then: Mapping[datetime, Sequence[datetime]] | None
) -> Expectation | None:
    """When the next one came after the same moment of the last weeks; None: too little is known of them."""
    if history.last - history.first < HISTORY or len(history.gaps) < FEWEST - 1:
        return None
    gaps: list[float] = []
    afterwards: list[float] = []
    for base, at in history.moments():
        following = _following(history, at, then)
        if following:
            gaps.append(_local(following[0], history.zone) - base)
        if len(following) > 1 and following[1] - following[0] > AS_ONE * history.short:
            afterwards.append(following[1] - following[0])
    if len(gaps) < 2:
        return None
    gaps.sort()
    gap, spread = _middle_and_spread(gaps)
    weeks = gaps[-2] if len(gaps) > 3 else gaps[-1]
    nearer = min(gap, _low_median(sorted(afterwards))) if afterwards else gap
    errors = history.errors()
    more: Json = {"weeks": len(gaps)}
    if history.is_steady:
        by_gaps, of_gaps = _middle_and_spread(sorted(history.gaps))
        if of_gaps < max(spread, _low_median(sorted(map(abs, errors))) if errors else 0.0):
            gap, spread, weeks, nearer, errors, more = by_gaps, of_gaps, 0.0, by_gaps, [], {"gaps": len(history.gaps)}
    slack, why = _slack(nearer, spread, declared, history.latest_late(errors))
    least = {
        "usual": history.short + slack,
        "twice": min(history.gaps[-2:]) + slack,
        "silence": history.silence and history.silence + slack,
        "irregular": LONGEST * max(history.gaps) if _is_irregular(errors, history.short) else 0.0,
    }
    more |= {"spread": spread, "why": why}
    return _expectation("weeks" if weeks else "gaps", history, declared, gap, slack, weeks, least, more)


def _by_gaps(history: _History, declared: Declared) -> Expectation | None:
    """After the median gap; None: there are too few."""
    if len(history.gaps) < FEWEST - 1:
        return None
    local = _locals(history.stamps[-GAPS - 1 :], history.zone)
    gaps = [after - before for before, after in pairwise(local)]
    long = next((at for at, gap in enumerate(reversed(gaps)) if gap <= LONGEST_OF_WEEKS), len(gaps))
    if long >= CHANGED:  # what is older was another cadence
        gaps = gaps[-long:]
    ordered = sorted(gaps)
    gap, spread = _middle_and_spread(ordered)
    slack, why = _slack(gap, spread, declared)
    more = {"gaps": len(gaps), "spread": spread, "why": why}
    return _expectation("gaps", history, declared, gap, slack, ordered[-CHANGED], {}, more)


def _expectation(
    rule: str,
    history: _History,
    declared: Declared,
    gap: float,
    slack: float,
    before: float,
    least: Mapping[str, float],
    more: Json,
) -> Expectation:
    """Due after `gap` by the clocks, late after `slack` more; not late before the gap `before` by the clocks, nor
    before any of `least`."""
    zone, last = declared.zone, history.last
    here = _local(last, zone)
    due = max(_to_utc(here + gap, zone), last + 1)
    ends = {"slack": due + slack, "before": _to_utc(here + before, zone)} | {
        name: last + length for name, length in least.items()
    }
    by = max(ends, key=ends.__getitem__)
    due_at, late_at = _moment(due), _moment(ends[by])
    if ends[by] - ends["slack"] <= ALMOST * slack:
        by = "slack"
    moved = declared.not_excepted(due_at) if declared.excepted else due_at
    late_at += moved - due_at
    usual = max(round(history.usual if history.is_weekly else gap), 1)
    told: Json = {
        "rule": rule,
        "zone": zone,
        "times": len(history.stamps),
        "since": _moment(history.first).isoformat(),
        "usual": usual,
        "gap": round(due - last),
        "slack": round(slack),
        "late_by": by,
        "late_after": round((late_at - moved).total_seconds()),
        **{name: round(value) if isinstance(value, float) else value for name, value in more.items()},
    }
    longest = sorted(history.gaps)[-1 - min(OTHERS, len(history.gaps) // 10)]
    if history.is_weekly and longest > LONGER * usual + 2 * more["spread"]:
        told |= {"cron": _as_cron(history), "longest": round(longest)}
    return Expectation(Watch.LEARNED, usual, moved, late_at, dormant_after(late_at, usual), told)


def _is_irregular(errors: list[float], gap: float) -> bool:
    return len(errors) >= 3 and sorted(errors)[-1 - len(errors) // ONE_IN] > IRREGULAR * gap


def _middle_and_spread(ordered: list[float]) -> tuple[float, float]:
    """The median of some gaps, and the median of their distances from it."""
    middle = _low_median(ordered)
    return middle, _low_median(sorted(abs(gap - middle) for gap in ordered))


def _still_learning(stamps: list[float], declared: Declared, history: "_History | None") -> Expectation:
    told: Json = {"rule": "learning", "zone": declared.zone, "times": len(history.stamps) if history else len(stamps)}
    told |= {"wanted": FEWEST}
    if stamps:
        told["since"] = _moment(history.first if history else stamps[0]).isoformat()
    if history and history.is_weekly:
        told["wanted_days"] = math.ceil(HISTORY / DAY)
    return Expectation(Watch.LEARNING, told=told)


def _as_cron(history: _History) -> str:
    """The moments of the week at which versions came, if a cron expression can say them; else nothing.

    Only for what does not come as often in nights or at weekends.
    """
    local = _locals(history.stamps[-LAST:], history.zone)
    if local[-1] - local[0] < WEEK:
        return ""
    weekdays = Counter(int(at // DAY + 3) % 7 for at in local)
    apart = max(HOUR / 2, SHORT * min(history.short, DAY))
    clusters: list[list[float]] = []
    for at in sorted(at % DAY for at in local):
        if clusters and at - clusters[-1][-1] < apart:
            clusters[-1].append(at)
        else:
            clusters.append([at])
    if any(cluster[-1] - cluster[0] > 2 * HOUR for cluster in clusters):
        return ""
    middles = [_low_median(cluster) for cluster in clusters if len(cluster) * 20 > len(local)]
    minutes = sorted(middle % HOUR / 60 for middle in middles)
    often = sorted(day for day, count in weekdays.items() if count * 20 > len(local))
    if not middles or len(middles) > 12 or minutes[-1] - minutes[0] > 15 or not often:
        return ""
    hours = ",".join(dict.fromkeys(str(int(middle // HOUR)) for middle in middles))
    days = (
        "*" if len(often) == 7 else "1-5" if often == [0, 1, 2, 3, 4] else ",".join(str((day + 1) % 7) for day in often)
    )
    return f"{min(math.ceil(minutes[-1] / 5) * 5, 59)} {hours} * * {days}"


def _slack(nearer: float, spread: float, declared: Declared, latest_late: float = 0.0) -> tuple[float, str]:
    """How long after its moment one is not yet called late, and which of the reasons made it so long."""
    if declared.own_grace is not None:
        return declared.own_grace.total_seconds(), "grace"
    reasons = {
        "quarter": QUARTER * nearer,
        "half": min(nearer / 2, HALF_AT_MOST),
        "spread": SPREADS * spread,
        "lates": min(LATES * latest_late, LATES_MOST * nearer),
    }
    why = max(reasons, key=reasons.__getitem__)
    slack = min(reasons[why], nearer)
    return (slack, why) if slack >= LEAST_SLACK else (LEAST_SLACK, "least")


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


def _scale(gaps: list[float]) -> float:
    """The usual gap: where versions come in bursts of a few, the gap between the bursts."""
    ordered = sorted(gaps)
    middle = _low_median(ordered)
    if ordered[-1] <= BURST * middle:
        return middle
    between = [gap for gap in ordered if gap > BURST * middle]
    return _low_median(between) if len(between) >= OF_BURSTS * len(gaps) else middle


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


def _locals(stamps: list[float], zone: str) -> list[float]:
    """The clocks' times of moments in order, as if they were those of UTC."""
    if zone == "UTC":
        return stamps
    offset = _local(stamps[0], zone) - stamps[0]
    if _local(stamps[-1], zone) - stamps[-1] == offset and stamps[-1] - stamps[0] < OFFSET_HOLDS:
        return [at + offset for at in stamps]
    if len(stamps) == 1:
        return [_local(stamps[0], zone)]
    middle = len(stamps) // 2
    return _locals(stamps[:middle], zone) + _locals(stamps[middle:], zone)


def _to_utc(local: float, zone: str) -> float:
    if zone == "UTC":
        return local
    return datetime.fromtimestamp(local, UTC).replace(tzinfo=_zone(zone)).timestamp()


def _moment(at: float) -> datetime:
    return datetime.fromtimestamp(at, UTC)
