"""The chart of a highlight as shapes and words: its card and the catalogue's pages only have to write them down.

The drawing is 1000 by 300 and may be stretched to any size, so there is no text in it: what stands at its edges comes
as lists, evenly spaced. Standard library only, for client and server alike.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, NamedTuple

WIDTH, HEIGHT = 1000, 300
COLOURS = 6
"""Further series begin again."""
_BAR_SHARE = 0.8
"""Of the room that is there for a bar."""
_STEPS = 4
_LABELS_ALONG = 5
_LABELLED_BARS = 8
"""As long as there are no more bars, each has its label."""
_AROUND_ONE = 0.1
"""How far the scale goes to both sides of a value that has no other beside it, as a share of it."""
_SAME = 1e-12
"""Numbers that differ by no larger share are drawn as one."""
_LARGEST, _SMALLEST = 1e300, 1e-300
"""Beyond them, sums and quotients of numbers are none any more."""
# A unit, its size, and the largest number from which on it is used: 2026 stays as it is.
_UNITS = (("G", 1e9, 1e9), ("M", 1e6, 1e6), ("k", 1e3, 1e4))

Values = Sequence[float | None]


class Shape(NamedTuple):
    """A line through the values of a series, the dot of one that stands alone, or a bar."""

    kind: str
    colour: int
    path: str


@dataclass(frozen=True)
class Chart:
    """What there is to draw and to say."""

    shapes: list[Shape]
    grid: list[float]
    """Where the horizontal lines are, from the lowest to the highest."""
    ticks: list[str]
    """What these lines stand for."""
    along: list[str]
    """What stands below the drawing; below each bar if ``each``, else from its left end to its right end."""
    each: bool
    legend: list[tuple[int, str]]
    """Colour and name of the series that have one."""
    caption: str
    summary: str
    """The same in words, for those who don't see it."""

    @classmethod
    def of(cls, chart: Mapping[str, Any]) -> Chart:
        """Return the chart for what :meth:`Highlight.set_chart` was given: kind, caption, x and series."""
        series = [[_drawable(value) for value in one["values"]] for one in chart["series"]]
        values = [value for one in series for value in one if value is not None]
        scale = _scale_of(values, from_zero=chart["kind"] == "bar")
        draw = _bars if chart["kind"] == "bar" else _lines
        ticks = scale.ticks()
        along, each = _along(chart)
        return cls(
            shapes=draw(series, scale),
            grid=[scale.y(tick) for tick in ticks],
            ticks=[short(tick, scale.largest) for tick in ticks],
            along=along,
            each=each,
            legend=[(number % COLOURS, one["name"]) for number, one in enumerate(chart["series"]) if one["name"]],
            caption=chart.get("caption", ""),
            summary=_summary(chart, values),
        )


class _Scale(NamedTuple):
    """The range of values that the drawing covers, with a line at every step."""

    low: float
    high: float
    step: float

    @property
    def largest(self) -> float:
        return max(abs(self.low), abs(self.high))

    def y(self, value: float) -> float:
        return round(HEIGHT * (self.high - value) / (self.high - self.low), 1)

    def ticks(self) -> list[float]:
        count = round((self.high - self.low) / self.step)
        return [self.low + number * self.step for number in range(count + 1)]


def _drawable(value: float | None) -> float | None:
    """Return what is drawn for a value: a gap for one that no scale can hold."""
    if value is None or not abs(value) < _LARGEST:
        return None
    return float(value) if abs(value) > _SMALLEST else 0.0


def _scale_of(values: Sequence[float], *, from_zero: bool) -> _Scale:
    """Return a scale around the values with round numbers at its lines."""
    low, high = min(values, default=0.0), max(values, default=1.0)
    if from_zero:
        low, high = min(low, 0.0), max(high, 0.0)
    if high - low <= max(abs(low), abs(high)) * _SAME:
        margin = abs(low) * _AROUND_ONE or 1.0
        low, high = low - margin, high + margin
    step = _round_step((high - low) / _STEPS)
    return _Scale(math.floor(low / step) * step, math.ceil(high / step) * step, step)


def _round_step(rough: float) -> float:
    power = 10.0 ** math.floor(math.log10(rough))
    return next((factor * power for factor in (1, 2, 2.5, 5) if factor * power >= rough), 10 * power)


def _lines(series: Sequence[Values], scale: _Scale) -> list[Shape]:
    """Return a line for each series that stops at gaps, and its values between two gaps as dots."""
    most = max(map(len, series))
    between, left = (WIDTH / (most - 1), 0.0) if most > 1 else (0.0, WIDTH / 2)
    shapes: list[Shape] = []
    for number, values in enumerate(series):
        paths = {"line": "", "dot": ""}
        for stretch in _stretches(values):
            points = [f"{round(left + place * between, 1)} {scale.y(value)}" for place, value in stretch]
            paths["line" if len(points) > 1 else "dot"] += "M" + "L".join(points) + ("" if len(points) > 1 else "h0")
        shapes += [Shape(kind, number % COLOURS, path) for kind, path in paths.items() if path]
    return shapes


def _stretches(values: Values) -> list[list[tuple[int, float]]]:
    """Return the values without gaps between them, each with its place."""
    known = groupby(enumerate(values), key=lambda placed: placed[1] is not None)
    return [[(place, value) for place, value in run if value is not None] for is_known, run in known if is_known]


def _bars(series: Sequence[Values], scale: _Scale) -> list[Shape]:
    room = WIDTH / max(map(len, series))
    width = room * _BAR_SHARE / len(series)
    bars: list[Shape] = []
    for number, values in enumerate(series):
        for position, value in enumerate(values):
            if value is not None:
                left = room * (position + (1 - _BAR_SHARE) / 2) + number * width
                top, bottom = sorted((scale.y(value), scale.y(0.0)))
                path = f"M{round(left, 1)} {top}h{round(width, 1)}V{bottom}h{-round(width, 1)}z"
                bars.append(Shape("bar", number % COLOURS, path))
    return bars


def _along(chart: Mapping[str, Any]) -> tuple[list[str], bool]:
    labels = chart.get("x") or []
    each = chart["kind"] == "bar" and len(labels) <= _LABELLED_BARS
    count = len(labels) if each else min(len(labels), _LABELS_ALONG)
    return [labels[round(number * (len(labels) - 1) / max(count - 1, 1))] for number in range(count)], each


def _summary(chart: Mapping[str, Any], values: Sequence[float]) -> str:
    kind = "Bar" if chart["kind"] == "bar" else "Line"
    names = ", ".join(one["name"] for one in chart["series"] if one["name"])
    of = f" of {names}" if names else ""
    if not values:
        return f"{kind} chart{of} without values"
    labels = chart.get("x") or []
    ends = f" from {labels[0]} to {labels[-1]}" if labels else ""
    low, high = min(values), max(values)
    largest = max(abs(low), abs(high))
    return f"{kind} chart{of}{ends}, values from {short(low, largest)} to {short(high, largest)}"


def short(value: float, largest: float) -> str:
    """Return a number in a few characters, such as 12.5, 3.2M or 1e-07, in the unit that suits the largest one."""
    unit, size = next(((unit, size) for unit, size, start in _UNITS if largest >= start), ("", 1.0))
    number = value / size
    # A sum of steps misses zero by a little.
    return f"{number:.4g}{unit}" if abs(value) > largest * 1e-9 else "0"
