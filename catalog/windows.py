"""How much of an asset's history a request looks through for what filters ask: newest first, and never all of it.

A page of what is there often is among the newest, which are looked at first. What is rare is found by an index, if one
knows it. What no index knows is looked for in a part of the numbers, and the next request goes on from there.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.db.models import F, Max, Q

from catalog.filters import FiltersAsked
from catalog.models import Asset, Instance
from catalog.querysets import BACKFILLED, InstanceQuerySet

MOST = 20_000
"""How many numbers a request looks through, and how many instances it takes from an index."""
STEPS = (1_000, MOST)
"""So many of the newest are looked through, before an index is asked for what matches, if that is no more either."""
AT_ONCE = 1_000
"""Of what an index has found, so many are read at once."""


@dataclass(frozen=True)
class Part:
    """Numbers of instances of an asset, both ends included; none if they are the wrong way round."""

    lowest: int
    highest: int

    def newest(self, most: int) -> "Part":
        return Part(max(self.lowest, self.highest - most + 1), self.highest)

    def oldest(self, most: int) -> "Part":
        return Part(self.lowest, min(self.highest, self.lowest + most - 1))


@dataclass(frozen=True)
class Looked:
    """What was found, in the order in which it was looked for: one row more than asked for, if there are more.

    `part`: the numbers that were looked through, if there are others to go on with; None: all, or enough was found.
    """

    rows: list[Any]
    part: Part | None = None


def older(found: InstanceQuerySet, asset: Asset, asked: FiltersAsked, size: int, before: int | None = None) -> Looked:
    """The newest of `found`, below a number; `found` are those instances of the asset that match what is asked."""
    top = asset.last_number if before is None else min(before - 1, asset.last_number)
    return _look(found.before(before), "-number", asset, asked, size, Part(1, top))


def newer(found: InstanceQuerySet, asset: Asset, asked: FiltersAsked, size: int, after: int) -> Looked:
    """The oldest of `found` above a number, the oldest first."""
    return _look(found.after(after), "number", asset, asked, size, Part(after + 1, asset.last_number))


def _look(found: InstanceQuerySet, order: str, asset: Asset, asked: FiltersAsked, size: int, whole: Part) -> Looked:
    ordered = found.order_by(order)
    if not asked.narrow or whole.highest - whole.lowest < STEPS[0]:
        return Looked(list(ordered[: size + 1]))
    looked, by_index = Looked([]), _ByIndex(asset, asked, whole)
    for most in STEPS:
        part = whole.newest(most) if order == "-number" else whole.oldest(most)
        looked = _through(ordered, part, whole, size)
        if looked.part is None:
            break
        numbers = by_index.numbers(most)
        if numbers is not None:
            return Looked(_rows_with(sorted(numbers, reverse=order == "-number"), ordered, size))
        whole = Part(whole.lowest, _last_before(asset, asked, whole.highest))
    return looked


def _through(ordered: InstanceQuerySet, part: Part, whole: Part, size: int) -> Looked:
    rows = list(ordered.filter(number__gte=part.lowest, number__lte=part.highest)[: size + 1])
    return Looked(rows, None if len(rows) > size or part == whole else part)


class _ByIndex:
    """What is asked for among some instances of an asset, as an index finds it, if one can."""

    def __init__(self, asset: Asset, asked: FiltersAsked, part: Part) -> None:
        self.asset, self.asked, self.part = asset, asked, part

    @cached_property
    def condition(self) -> Q | None:
        return self.asked.by_index(self.asset)

    def numbers(self, most: int) -> list[int] | None:
        """The numbers of what is found, in no order; None if they are more, or no index finds them."""
        if self.condition is None:
            return None
        found = Instance.objects.filter(self.condition).order_by().values_list("number", flat=True)
        numbers = list(found[: most + 1])
        if len(numbers) > most:
            return None
        return [number for number in numbers if self.part.lowest <= number <= self.part.highest]


def _rows_with(numbers: list[int], ordered: InstanceQuerySet, size: int) -> list[Any]:
    rows: list[Any] = []
    for some in (numbers[at : at + AT_ONCE] for at in range(0, len(numbers), AT_ONCE)):
        rows += ordered.filter(number__in=some)[: size + 1 - len(rows)]
        if len(rows) > size:
            break
    return rows


def _last_before(asset: Asset, asked: FiltersAsked, highest: int) -> int:
    """The last number of those that were made before the time that is asked for.

    Those that arrive in time are numbered as they are made, so the last few in time have it. What was backfilled may
    have arrived later, and is kept in an index of its own.
    """
    times = asked.until()
    if not times:
        return highest
    made = Instance.objects.of(asset).filter(times)
    last = made.latest_first().values_list("number", flat=True)[: STEPS[0]]
    late = made.filter(BACKFILLED).aggregate(last=Max(F("number") + 0))["last"]
    return min(highest, max([*last, late or 0], default=0))
