"""Series of too many versions to show each: successive ones in buckets, of which the lowest and the highest stay.

A bucket begins at a number that its size divides, but for the first one of a span; so it is a part of a block, a block,
or several whole ones. Pure functions.
"""

from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import groupby
from typing import NamedTuple

from catalog.querysets import BLOCK
from catalog.series.shapes import Bucket, Span

POINTS_OF_BUCKET = 2
"""Its lowest and its highest value."""
MOST_OPENED = 64
"""Of a span of more blocks no bucket is smaller than a block, so that none has to be opened."""


class Extremes(NamedTuple):
    """The lowest and the highest of some values of one metric, and the numbers of the versions that have them."""

    low: float
    low_number: int
    high: float
    high_number: int
    measured: int


class Frame(NamedTuple):
    """Successive versions of one block: the first and the last one, and from when to when they were made."""

    first: int
    last: int
    at_first: datetime
    at_last: datetime


class Part(NamedTuple):
    """Such versions, with the extremes of each metric that was measured."""

    frame: Frame
    extremes: Mapping[str, Extremes]


def bucket_size(span: Span, most_points: int) -> int:
    """How many numbers a bucket has at most: 1, where each version is a point of its own; else a power of two."""
    if span.size <= most_points:
        return 1
    size, most = 2 if len(span.blocks) <= MOST_OPENED else BLOCK, max(1, most_points // POINTS_OF_BUCKET)
    while (span.last - 1) // size - (span.first - 1) // size + 1 > most:
        size *= 2
    return size


def extremes_of(first: int, values: "array[float]") -> Extremes | None:
    """Those of the values of successive numbers, of which NaN are none; None if there is no other. Of equal ones the
    first is named."""
    total = sum(values)  # values are finite, so it is NaN only if one of them is
    known = values if total == total else [value for value in values if value == value]
    if not known:
        return None
    low, high = values.index(min(known)), values.index(max(known))
    return Extremes(values[low], first + low, values[high], first + high, len(known))


def in_buckets(parts: Iterable[Part], names: Sequence[str], size: int) -> dict[str, list[Bucket]]:
    """Parts, in their order, as the buckets of each metric; a bucket in which nothing was measured is none."""
    buckets: dict[str, list[Bucket]] = {name: [] for name in names}
    for frame, together in _together(parts, size):
        for name, extremes in together.items():
            buckets[name].append(Bucket(**frame._asdict(), **extremes._asdict()))
    return buckets


def _together(parts: Iterable[Part], size: int) -> Iterator[Part]:
    """Parts of blocks as they are, or those of several blocks as one."""
    if size <= BLOCK:
        yield from parts
        return
    for _, some in groupby(parts, key=lambda part: (part.frame.first - 1) // size):
        mine = list(some)
        frames = [part.frame for part in mine]
        frame = Frame(
            frames[0].first,
            frames[-1].last,
            min(each.at_first for each in frames),
            max(each.at_last for each in frames),
        )
        names = dict.fromkeys(name for part in mine for name in part.extremes)
        found = {name: [part.extremes[name] for part in mine if name in part.extremes] for name in names}
        yield Part(frame, {name: _of_all(its) for name, its in found.items()})


def _of_all(found: Sequence[Extremes]) -> Extremes:
    low = min(found, key=lambda each: each.low)
    high = max(found, key=lambda each: each.high)
    return Extremes(low.low, low.low_number, high.high, high.high_number, sum(each.measured for each in found))
