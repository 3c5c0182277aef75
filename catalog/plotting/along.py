"""The horizontal axis of plots: where each version stands, by its number or by its moment. Several plots share one."""

from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from catalog.plotting.dates import Wording, lines_between
from catalog.plotting.lines import Line

MARGIN = 1.5
"""What stays free at both ends of an axis of time, in per cent."""
LABELS = 14
"""The most names of versions along it."""
FIRST_OF_NARROW = 7
"""From so many names on, every other one is left out where there is little room."""


@dataclass(frozen=True)
class Label:
    """What stands below the axis at a place in per cent; `under` in a second row. `spare`: left out where it is
    narrow."""

    x: float
    text: str
    under: str = ""
    spare: bool = False
    end: bool = False


@dataclass(frozen=True)
class Along:
    """Numbers or moments, and their places in per cent: between two that are known it goes evenly.

    `by_number` leads from numbers of the asset itself, `by_time` from moments, which others than the asset have too.
    """

    numbers: tuple[tuple[float, float], ...]
    moments: tuple[tuple[float, float], ...]
    labels: tuple[Label, ...]
    wording: Wording | None
    in_time: bool

    @classmethod
    def of(cls, lines: Sequence[Line], *, in_time: bool) -> "Along":
        """The axis for lines of which the first is the asset's own."""
        at = [moment for line in lines for _, moment in line.ends if moment is not None]
        wording = Wording(min(at), max(at)) if at else None
        if in_time and wording:
            return _by_time(wording)
        return _by_version(lines, wording)

    def x(self, number: int, at: datetime | None, *, own: bool) -> float:
        """The place of a version, of the asset itself or of another one."""
        if own and not self.in_time:
            return _between(self.numbers, number)
        return _between(self.moments, at.timestamp()) if at else 50.0

    def when(self, at: datetime | None) -> str:
        return self.wording.moment(at) if self.wording and at else ""


def _by_time(wording: Wording) -> Along:
    first, last = wording.first, wording.last
    if first == last:
        # the calendar has no day before its first and none after its last
        first = first - timedelta(minutes=30) if first.year > 1 else first
        last = last + timedelta(minutes=30) if last.year < datetime.max.year else last
    moments = ((first.timestamp(), MARGIN), (last.timestamp(), 100 - MARGIN))
    lines = lines_between(first, last)
    found = [
        Label(_between(moments, at.timestamp()), text, spare=len(lines) > 4 and place % 2 == 1)
        for place, (at, text) in enumerate(lines)
    ]
    return Along((), moments, tuple(found), wording, in_time=True)


def _by_version(lines: Sequence[Line], wording: Wording | None) -> Along:
    """One place for each version of the asset. Others stand between them by their moments; those from before the first
    version or after the last one have places of their own there."""
    own, others = lines[0].ends, [moment for line in lines[1:] for _, moment in line.ends]
    first, last = (own[0][0], own[-1][0]) if own else (1, 1)
    times = _risen([(moment.timestamp(), float(number)) for number, moment in own if moment])
    early, late = _outside([moment.timestamp() for moment in others if moment], times)
    room = last - first + 1
    share = min(1.0, room / max(len(early) + len(late), 1))
    start, end = first - 0.5 - share * len(early), last + 0.5 + share * len(late)
    knots = [(at, first - 0.5 - share * (len(early) - place - 0.5)) for place, at in enumerate(early)]
    knots += times + [(at, last + 0.5 + share * (place + 0.5)) for place, at in enumerate(late)]

    def placed(number: float) -> float:
        return round(100 * (number - start) / (end - start), 3)

    return Along(
        tuple((number, placed(number)) for number in (first, last)) if first < last else ((first, placed(first)),),
        tuple((at, placed(number)) for at, number in knots),
        tuple(_version_labels(own, placed, wording)),
        wording,
        in_time=False,
    )


def _risen(times: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """The same with moments that never go back: what arrived late is taken for as new as what arrived before it."""
    found: list[tuple[float, float]] = []
    for at, number in times:
        found.append((max(at, found[-1][0]) if found else at, number))
    return found


def _outside(others: list[float], times: list[tuple[float, float]]) -> tuple[list[float], list[float]]:
    if not times:
        return [], sorted(set(others))
    moments = sorted(set(others))
    return [at for at in moments if at < times[0][0]], [at for at in moments if at > times[-1][0]]


def _version_labels(
    own: list[tuple[int, datetime | None]], placed: Callable[[float], float], wording: Wording | None
) -> list[Label]:
    """The names of some versions at equal distances, and the days of the first, of one in the middle and the last."""
    if not own:
        return []
    first, last = own[0][0], own[-1][0]
    step = _step(last - first + 1)
    numbers = [number for number in range(first, last + 1) if number % step == 0 or step == 1]
    if step > 1:
        numbers = [first, *(number for number in numbers if number - first >= step * 0.6)]
        numbers = [*(number for number in numbers if last - number >= step * 0.6), last]
    days = _days(own, numbers, wording)
    narrow = len(numbers) >= FIRST_OF_NARROW
    kept = {number for place, number in enumerate(reversed(numbers)) if not narrow or place % 2 == 0}
    return [
        Label(placed(number), f"v{number}", days.get(number, ""), spare=number not in kept, end=number == last)
        for number in numbers
    ]


def _step(count: int) -> int:
    """Of how many versions one is named."""
    if count <= LABELS:
        return 1
    power = 1
    while True:
        for factor in (1, 2, 5):
            if count / (factor * power) <= LABELS - 2:
                return factor * power
        power *= 10


def _days(own: list[tuple[int, datetime | None]], named: list[int], wording: Wording | None) -> dict[int, str]:
    moments = {number: at for number, at in own if at}
    if not wording or not named:
        return {}
    chosen = dict.fromkeys([named[0], named[len(named) // 2], named[-1]] if len(named) > 4 else [named[0], named[-1]])
    found: dict[int, str] = {}
    for number in chosen:
        if number in moments:
            found[number] = wording.moment(moments[number])
    return found


def _between(knots: Sequence[tuple[float, float]], value: float) -> float:
    """The place of a value among those whose places are known, in their order."""
    if not knots:
        return 50.0
    place = bisect_left(knots, (value,))
    if place == len(knots):
        return knots[-1][1]
    if place == 0 or knots[place][0] == value:
        return knots[place][1]
    (low, from_), (high, to) = knots[place - 1], knots[place]
    return round(from_ + (to - from_) * (value - low) / (high - low), 3)
