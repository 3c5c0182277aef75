"""A block of versions in memory, and its bytes in the database. Pure functions.

A block has a place for each of its numbers. Bytes are little-endian, on every machine.
"""

import sys
from array import array
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from math import isnan, nan
from typing import Protocol, TypeVar

from catalog.series.buckets import Frame, Part, extremes_of
from catalog.series.shapes import BLOCK, Span, Version, span_of
from catalog.states import DEPRECATED, State

Values = TypeVar("Values", "array[int]", "array[float]")
NO_VERSION = " "
LETTERS = {state: state[0] for state in (*State.values, DEPRECATED)} | {"": NO_VERSION}
STATES = {letter: state for state, letter in LETTERS.items()}
BEGIN = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
NOT_MEASURED = array("d", [nan]) * BLOCK


class Row(Protocol):
    """A version as it was read from its instance."""

    @property
    def number(self) -> int: ...
    @property
    def at(self) -> datetime: ...
    @property
    def state(self) -> str: ...
    @property
    def measures(self) -> Mapping[str, float]: ...


@dataclass(frozen=True)
class Block:
    """Time and state of each number, and the values of some metrics. `left_out`: how many others nobody has kept."""

    number: int
    times: "array[int]"
    states: str
    values: Mapping[str, "array[float]"]
    left_out: int = 0

    @classmethod
    def of(cls, number: int, rows: Collection[Row], names: Collection[str]) -> "Block":
        """The block with these versions, and with what they measured of these metrics."""
        times, states = array("q", bytes(8 * BLOCK)), [NO_VERSION] * BLOCK
        values = {name: array("d", NOT_MEASURED) for name in names}
        for row in rows:
            place = (row.number - 1) % BLOCK
            times[place], states[place] = microseconds_of(row.at), LETTERS[row.state]
            for name, value in row.measures.items():
                if name in values:
                    values[name][place] = value
        return cls(number, times, "".join(states), values)

    @property
    def known(self) -> Collection[str]:
        """The metrics whose values it has."""
        return self.values.keys()

    def versions(self, span: Span) -> list[Version]:
        """Those in a span."""
        return [self._version(place) for place in self._places(span)]

    def values_in(self, span: Span, name: str) -> list[float | None]:
        """One for each of these versions."""
        its = self.values.get(name, NOT_MEASURED)
        return [None if isnan(its[place]) else its[place] for place in self._places(span)]

    def count(self, span: Span) -> Counter[str]:
        """How many of the versions in a span have which state."""
        return Counter(STATES[self.states[place]] for place in self._places(span))

    def parts(self, span: Span, size: int) -> list[Part]:
        """The versions in a span as parts, of so many numbers each or all in one."""
        mine, size = span_of(self.number).within(span), min(size, BLOCK)
        if not mine.size:
            return []
        ends = [mine.first - 1, *range(mine.first - 1 - (mine.first - 1) % size + size, mine.last, size), mine.last]
        found = (self._part(first + 1, last) for first, last in pairwise(ends))
        return [part for part in found if part]

    def _part(self, first: int, last: int) -> Part | None:
        start = (first - 1) % BLOCK
        stop = start + last - first + 1
        frame = self._frame(start, stop)
        found = ((name, extremes_of(first, its[start:stop])) for name, its in self.values.items())
        return frame and Part(frame, {name: its for name, its in found if its})

    def _frame(self, start: int, stop: int) -> Frame | None:
        states, times = self.states[start:stop], self.times[start:stop]
        if NO_VERSION in states:
            places = [place for place, state in enumerate(states) if state != NO_VERSION]
            if not places:
                return None
            times = array("q", (times[place] for place in places))
            start, stop = start + places[0], start + places[-1] + 1
        return Frame(self._number(start), self._number(stop - 1), moment(min(times)), moment(max(times)))

    def _places(self, span: Span) -> Sequence[int]:
        mine = span_of(self.number).within(span)
        every = range((mine.first - 1) % BLOCK, (mine.first - 1) % BLOCK + mine.size)
        return every if NO_VERSION not in self.states else [i for i in every if self.states[i] != NO_VERSION]

    def _number(self, place: int) -> int:
        return self.number * BLOCK + place + 1

    def _version(self, place: int) -> Version:
        return Version(self._number(place), moment(self.times[place]), STATES[self.states[place]])


def microseconds_of(at: datetime) -> int:
    """Since 1970, as SQLite and Python keep moments."""
    return (at - BEGIN) // MICROSECOND


def moment(microseconds: int) -> datetime:
    return BEGIN + microseconds * MICROSECOND


def as_bytes(values: Values) -> bytes:
    return _turned(values[:]).tobytes()


def floats_of(packed: bytes) -> "array[float]":
    return _turned(array("d", packed))


def moments_of(packed: bytes) -> "array[int]":
    return _turned(array("q", packed))


def _turned(values: Values) -> Values:
    if sys.byteorder == "big":
        values.byteswap()
    return values


def blocks_of(rows: Sequence[Row], names: Collection[str]) -> Iterator[Block]:
    """Versions, in their order, as blocks."""
    start = 0
    while start < len(rows):
        number = (rows[start].number - 1) // BLOCK
        stop = start
        while stop < len(rows) and (rows[stop].number - 1) // BLOCK == number:
            stop += 1
        yield Block.of(number, rows[start:stop], names)
        start = stop
