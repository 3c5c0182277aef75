"""Series of too many versions to show each: successive ones in buckets, of which the lowest and the highest stay.

A bucket begins at a number that its size divides, but for the first one of a span; so it is a part of a block, a block,
or several whole ones. Pure functions.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import NamedTuple

from catalog.series.shapes import BLOCK, Bucket, Span, Version

POINTS_OF_BUCKET = 2
"""Its lowest and its highest value."""


class Extremes(NamedTuple):
    """The lowest and the highest of some values of one metric, and the numbers of the versions that have them."""

    low: float
    low_number: int
    high: float
    high_number: int
    measured: int


@dataclass(frozen=True)
class Part:
    """Successive versions of one block: the first and the last one, from when to when, and each metric's extremes."""

    first: int
    last: int
    at_first: datetime
    at_last: datetime
    extremes: Mapping[str, Extremes]


def bucket_size(span: Span, most_points: int) -> int:
    """How many numbers a bucket has at most: 1, where each version is a point of its own; else a power of two."""
    if span.size <= most_points:
        return 1
    size, most = 2, max(1, most_points // POINTS_OF_BUCKET)
    while (span.last - 1) // size - (span.first - 1) // size + 1 > most:
        size *= 2
    return size


def extremes_of(numbers: Sequence[int], values: Sequence[float]) -> Extremes | None:
    """Those of values, of which NaN are none; None if there is no other. Of equal ones the first."""
    known = [value for value in values if value == value]
    if not known:
        return None
    low, high = values.index(min(known)), values.index(max(known))
    return Extremes(values[low], numbers[low], values[high], numbers[high], len(known))


def parts_of(versions: Sequence[Version], values: Mapping[str, Sequence[float]], size: int) -> list[Part]:
    """The versions of one block as parts: of so many numbers, or one for all."""
    parts, start = [], 0
    for _, some in groupby(versions, key=lambda version: (version.number - 1) // min(size, BLOCK)):
        mine = list(some)
        stop = start + len(mine)
        numbers, times = [version.number for version in mine], [version.at for version in mine]
        found = {name: extremes_of(numbers, its[start:stop]) for name, its in values.items()}
        extremes = {name: its for name, its in found.items() if its}
        parts.append(Part(numbers[0], numbers[-1], min(times), max(times), extremes))
        start = stop
    return parts


def in_buckets(parts: Iterable[Part], names: Sequence[str], size: int) -> dict[str, list[Bucket]]:
    """Parts, in their order, as the buckets of each metric; a bucket in which nothing was measured is none."""
    buckets: dict[str, list[Bucket]] = {name: [] for name in names}
    for _, some in groupby(parts, key=lambda part: (part.first - 1) // size):
        mine = list(some)
        since, until = min(part.at_first for part in mine), max(part.at_last for part in mine)
        for name, its in buckets.items():
            if found := [part.extremes[name] for part in mine if name in part.extremes]:
                its.append(Bucket(mine[0].first, mine[-1].last, since, until, **_together(found)._asdict()))
    return buckets


def _together(found: Sequence[Extremes]) -> Extremes:
    low = min(found, key=lambda each: each.low)
    high = max(found, key=lambda each: each.high)
    return Extremes(low.low, low.low_number, high.high, high.high_number, measured=sum(each.measured for each in found))
