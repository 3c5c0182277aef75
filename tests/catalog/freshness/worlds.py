"""Worlds in which versions of assets come: of many kinds, with outages; and a site that watches them as the real one.

A world is made from its kind and a seed. Of the moments at which runs should have been done, an outage takes away one
to three in a row. The rule was tuned on the seeds of `TUNED_ON`, looking at misses and false alarms. Figures are told
only of other seeds: those of `MEASURED_ON` were not looked at before the rule was what it is.
"""

import random
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from catalog.freshness import learning

TUNED_ON = range(60)
MEASURED_ON = range(1000, 1012)
PASS = timedelta(minutes=1)
"""How often the background looks what is late, and how soon it has learned anew."""
AT_ONCE = timedelta(minutes=3)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


@dataclass
class World:
    """When versions came; in which gaps runs were missed, by the moment at which the first of them should have been
    done; in which gaps they were not to come, on holidays that nobody declared."""

    zone: str
    times: list[datetime]
    missed: list[datetime] = field(default_factory=list)
    holidays: list[datetime] = field(default_factory=list)


@dataclass
class Measured:
    """What the rule said of worlds, after their learning period."""

    outages: int = 0
    found: int = 0
    false_alarms: int = 0
    holidays: int = 0
    holiday_alarms: int = 0
    years: float = 0.0
    misses: list[datetime] = field(default_factory=list)
    falses: list[datetime] = field(default_factory=list)

    def __iadd__(self, other: "Measured") -> "Measured":
        for name, value in vars(other).items():
            setattr(self, name, getattr(self, name) + value)
        return self

    @property
    def share(self) -> float:
        return self.found / self.outages if self.outages else 1.0

    @property
    def false_a_year(self) -> float:
        return self.false_alarms / self.years if self.years else 0.0


@dataclass(frozen=True)
class Kind:
    """`ideal` yields the moments at which versions come if all goes well; one in `one_in` begins an outage."""

    words: str
    ideal: Callable[[random.Random, ZoneInfo], Iterable[datetime]]
    zone: str = "UTC"
    scheduled_in: str = ""
    """The time zone of its schedule, if it is not that of the project."""
    one_in: int = 40
    learned_after: int = 0
    """So many times, where it is not 2.2 weeks."""
    again: float = 0
    """The share of runs that are done once more by hand, within hours."""
    holidays: int = 0
    """A year."""
    asked: bool = True
    """Whether it counts for the bounds; else it is told apart."""


def world(kind: Kind, seed: int) -> World:
    chance = random.Random(f"{kind.words} {seed}")
    zone = ZoneInfo(kind.scheduled_in or kind.zone)
    made = World(kind.zone, [])
    ideal = sorted(kind.ideal(chance, zone))
    days = sorted({at.astimezone(zone).date() for at in ideal})
    free = set(chance.sample(days, round(kind.holidays * len(days) / 260))) if kind.holidays else set()
    missing, spared, before = 0, 0, ideal[0] - DAY
    for at in ideal:
        if at - before < AT_ONCE:  # of the same run
            if made.times and made.times[-1] > before - AT_ONCE:
                made.times.append(at)
            continue
        before = at
        if at.astimezone(zone).date() in free:
            made.holidays.append(at)
            continue
        if missing == 0 and spared <= 0 and kind.one_in and made.times and chance.random() < 1 / kind.one_in:
            missing, spared = chance.randint(1, 3), 6
            made.missed.append(at)
        if missing:
            missing -= 1
            continue
        spared -= 1
        made.times.append(at)
    made.times = sorted([*made.times, *_again(chance, made.times, kind.again)])
    made.missed = [at for at in made.missed if at < made.times[-1]]
    return made


def watched(made: World, kind: Kind) -> Measured:
    """What a site says that looks at each arrival as the real one does: the write, and the pass soon after it."""
    measured = Measured()
    times = made.times
    begin = kind.learned_after or bisect_left(times, times[0] + timedelta(weeks=2.2)) + 1
    for at, (came, following) in enumerate(pairwise(times), 1):
        if at < begin:
            continue
        late_at = expected(times[:at] if at <= learning.LAST else times[at - learning.LAST : at], times[:at], made.zone)
        told = late_at is not None and late_at + PASS < following
        measured.years += (following - came) / timedelta(days=365.25)
        if _between(made.missed, came, following):
            measured.outages += 1
            measured.found += told
            measured.misses += [] if told else [came]
        elif _between(made.holidays, came, following):
            measured.holidays += 1
            measured.holiday_alarms += told
        else:
            measured.false_alarms += told
            measured.falses += [came] if told else []
    return measured


def expected(last: Sequence[datetime], all_times: Sequence[datetime], zone: str) -> datetime | None:
    """From when the next one is called late, as the background asks it: the last times, and a look-up for each week."""
    now = last[-1] + PASS / 2
    then = {}
    for moment in learning.moments(last, now=now, timezone=zone):
        place = bisect_right(all_times, moment)
        then[moment] = all_times[place : place + learning.FOLLOWING]
    return learning.learn(last, now=now, timezone=zone, first=all_times[0], then=then).late_at


def measure(kind: Kind, seeds: Iterable[int]) -> Measured:
    total = Measured()
    for seed in seeds:
        total += watched(world(kind, seed), kind)
    return total


def _between(moments: list[datetime], after: datetime, before: datetime) -> bool:
    place = bisect_right(moments, after)
    return place < len(moments) and moments[place] < before


# what the kinds are made of


def _days(chance: random.Random, count: int) -> Iterator[date]:
    first = date(2024, 1, 1) + timedelta(days=chance.randrange(366))
    return (first + timedelta(days=number) for number in range(count))


def _at(day: date, hour: float, zone: ZoneInfo) -> datetime:
    whole = timedelta(hours=hour)
    local = datetime.combine(day + timedelta(days=whole.days), time(), zone) + (whole - timedelta(days=whole.days))
    return local.astimezone(UTC)


def _queue(chance: random.Random, minutes: float, sometimes: float = 0.01) -> timedelta:
    """How long a run takes and waits: mostly about as long; sometimes several times as long."""
    length = chance.gammavariate(4, minutes / 4)
    return timedelta(minutes=length * (chance.uniform(2, 4) if chance.random() < sometimes else 1))


def _daily(
    chance: random.Random, zone: ZoneInfo, days: Iterable[date], hours: Sequence[float], run: float
) -> Iterator[datetime]:
    for day in days:
        for hour in hours:
            yield _at(day, hour, zone) + _queue(chance, run)


def _every(chance: random.Random, minutes: int, count: int, run: float) -> Iterator[datetime]:
    first = datetime.combine(next(_days(chance, 1)), time(), UTC)
    for number in range(count):
        yield first + number * timedelta(minutes=minutes) + _queue(chance, run)


def _weekdays(chance: random.Random, count: int, which: Sequence[int] = range(5)) -> Iterator[date]:
    return (day for day in _days(chance, count) if day.weekday() in which)


def _office(chance: random.Random, zone: ZoneInfo) -> Iterator[datetime]:
    return _daily(chance, zone, _weekdays(chance, 180), range(8, 19), 5)


def _noisy(chance: random.Random, zone: ZoneInfo) -> Iterator[datetime]:
    for day in _days(chance, 400):
        yield _at(day, 12, zone) + timedelta(hours=max(min(chance.gauss(0, 2.5), 9), -9))


def _growing(chance: random.Random, zone: ZoneInfo) -> Iterator[datetime]:
    for number, day in enumerate(_days(chance, 400)):
        yield _at(day, 1, zone) + _queue(chance, 30 + number * 0.8)


def _loop(chance: random.Random, zone: ZoneInfo) -> Iterator[datetime]:
    at = _at(next(_days(chance, 1)), 3, zone)
    for _ in range(600):
        at += timedelta(hours=max(chance.gauss(5, 0.5), 2))
        yield at


def _again(chance: random.Random, times: list[datetime], share: float) -> Iterator[datetime]:
    return (at + timedelta(hours=chance.uniform(1, 9)) for at in times if share and chance.random() < share)


def _bursts(chance: random.Random, zone: ZoneInfo) -> Iterator[datetime]:
    for day in _days(chance, 300):
        at = _at(day, 2, zone) + _queue(chance, 30)
        yield from (at + timedelta(seconds=40 * number) for number in range(chance.randint(1, 4)))


def _weekly(weeks: int) -> Callable[[random.Random, ZoneInfo], Iterator[datetime]]:
    def ideal(chance: random.Random, zone: ZoneInfo) -> Iterator[datetime]:
        weekday = chance.randrange(7)
        mondays = [day for day in _days(chance, 1400) if day.weekday() == weekday][::weeks]
        return _daily(chance, zone, mondays, [4], 90)

    return ideal


def _monthly(months: int, years: int, workday: bool = False) -> Callable[[random.Random, ZoneInfo], Iterator[datetime]]:
    def ideal(chance: random.Random, zone: ZoneInfo) -> Iterator[datetime]:
        for number in range(0, years * 12, months):
            day = date(2014 + number // 12, number % 12 + 1, 1)
            while workday and day.weekday() > 4:
                day += timedelta(days=1)
            yield _at(day, 6, zone) + _queue(chance, 120)

    return ideal


def _by_hand(chance: random.Random, zone: ZoneInfo) -> Iterator[datetime]:
    at = _at(next(_days(chance, 1)), 9, zone)
    for _ in range(300):
        at += timedelta(days=chance.expovariate(1 / 1.3))
        yield at


def _working_by_hand(chance: random.Random, zone: ZoneInfo) -> Iterator[datetime]:
    for day in _weekdays(chance, 500):
        if chance.random() < 0.7:
            yield _at(day, chance.uniform(9, 18), zone)


BERLIN, NEW_YORK, SYDNEY, INDIA = "Europe/Berlin", "America/New_York", "Australia/Sydney", "Asia/Kolkata"
KINDS = {
    "quarter-hourly": Kind("every 15 minutes", lambda chance, zone: _every(chance, 15, 4000, 1), one_in=400),
    "hourly": Kind("hourly", lambda chance, zone: _every(chance, 60, 24 * 120, 5), BERLIN, one_in=200),
    "3 hours, UTC": Kind(
        "every 3 hours of UTC, seen from Berlin",
        lambda chance, zone: _every(chance, 180, 8 * 200, 10),
        BERLIN,
        one_in=100,
    ),
    "3 hours, local": Kind(
        "every 3 hours by Sydney's clocks",
        lambda chance, zone: _daily(chance, zone, _days(chance, 200), range(0, 24, 3), 10),
        SYDNEY,
        one_in=100,
    ),
    "4 a day": Kind(
        "at 07:10, 12:30, 16:45 and 22:00",
        lambda chance, zone: _daily(chance, zone, _days(chance, 250), (7.17, 12.5, 16.75, 22), 12),
        NEW_YORK,
        one_in=60,
    ),
    "office hours": Kind("hourly from 8 to 18 on weekdays", _office, BERLIN, one_in=150),
    "twice a day": Kind(
        "at 06:00 and 18:00, runs of 45 minutes",
        lambda chance, zone: _daily(chance, zone, _days(chance, 400), (6, 18), 45),
        BERLIN,
    ),
    "morning twice": Kind(
        "at 06:00 and 09:00", lambda chance, zone: _daily(chance, zone, _days(chance, 300), (6, 9), 15), INDIA
    ),
    "daily": Kind(
        "daily, runs of an hour", lambda chance, zone: _daily(chance, zone, _days(chance, 500), (3,), 60), NEW_YORK
    ),
    "noisy daily": Kind("daily at noon, give or take 2.5 hours (one standard deviation)", _noisy, BERLIN),
    "growing": Kind("nightly, runs grow from 30 minutes to 6 hours", _growing, BERLIN),
    "bursts": Kind("nightly, one to four at once", _bursts, BERLIN, one_in=40),
    "weekdays": Kind(
        "weekdays at 06:30",
        lambda chance, zone: _daily(chance, zone, _weekdays(chance, 600), (6.5,), 25),
        BERLIN,
        one_in=30,
    ),
    "Mon, Wed, Fri": Kind(
        "Monday, Wednesday and Friday",
        lambda chance, zone: _daily(chance, zone, _weekdays(chance, 900, (0, 2, 4)), (21,), 60),
        NEW_YORK,
        one_in=30,
    ),
    "loop": Kind("a loop: each run begins when the last one is done, after 5 hours or so", _loop),
    "weekly": Kind("weekly", _weekly(1), NEW_YORK, one_in=15, learned_after=8),
    "fortnightly": Kind("every two weeks", _weekly(2), BERLIN, one_in=15, learned_after=8),
    "monthly": Kind("on the first of each month", _monthly(1, 12), BERLIN, one_in=15, learned_after=8),
    "first workday": Kind(
        "on the first working day of each month", _monthly(1, 12, True), NEW_YORK, one_in=15, learned_after=8
    ),
    "quarterly": Kind("quarterly", _monthly(3, 12), one_in=12, learned_after=8),
    "reruns": Kind(
        "daily; on every tenth day once more by hand",
        lambda chance, zone: _daily(chance, zone, _days(chance, 400), (5,), 40),
        BERLIN,
        again=0.1,
    ),
    "other zone": Kind(
        "weekdays by New York's clocks, the project's zone is UTC",
        lambda chance, zone: _daily(chance, zone, _weekdays(chance, 600), (17,), 25),
        "UTC",
        NEW_YORK,
        one_in=30,
    ),
    "holidays": Kind(
        "weekdays with 10 undeclared holidays a year",
        lambda chance, zone: _daily(chance, zone, _weekdays(chance, 600), (6.5,), 25),
        BERLIN,
        one_in=40,
        holidays=10,
        asked=False,
    ),
    "by hand": Kind("by hand, at random, every 1.3 days on average", _by_hand, one_in=0, asked=False),
    "working by hand": Kind("by hand, at some time of most weekdays", _working_by_hand, one_in=0, asked=False),
}
