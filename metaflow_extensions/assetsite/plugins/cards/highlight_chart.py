"""The chart of a highlight card: shapes in a drawing that stretches with the card, its text beside it in HTML."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any, NamedTuple

COLOURS = 6
"""Defined in ``highlight_style``; further series begin again."""
_WIDTH, _HEIGHT = 1000, 300
_BAR_SHARE = 0.8
"""Of the room that is there for a bar."""
_STEPS = 4
_LABELS_ALONG = 5
_LABELLED_BARS = 8
"""As long as there are no more bars, each has its label."""
# A unit, its size, and the largest number from which on it is used: 2026 stays as it is.
_UNITS = (("G", 1e9, 1e9), ("M", 1e6, 1e6), ("k", 1e3, 1e4))

Values = Sequence[float | None]


class _Scale(NamedTuple):
    """The range of values that the drawing covers, with a line at every step."""

    low: float
    high: float
    step: float

    def y(self, value: float) -> float:
        return round(_HEIGHT * (self.high - value) / (self.high - self.low), 1)

    def ticks(self) -> list[float]:
        count = round((self.high - self.low) / self.step)
        return [self.low + number * self.step for number in range(count + 1)]


def render_chart(chart: Mapping[str, Any]) -> str:
    """Return the figure: legend, axis, drawing, caption."""
    series = chart["series"]
    values = [value for one in series for value in one["values"] if value is not None]
    scale = _scale_of(values, from_zero=chart["kind"] == "bar")
    draw = _bars if chart["kind"] == "bar" else _lines
    shapes = "".join(draw([one["values"] for one in series], scale))
    grid = "".join(f'<path class="grid" d="M0 {scale.y(tick)}H{_WIDTH}"/>' for tick in scale.ticks())
    drawing = (
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" preserveAspectRatio="none" role="img" '
        f'aria-label="{escape(_summary(chart, values))}">{grid}{shapes}</svg>'
    )
    caption = f"<figcaption>{escape(chart['caption'])}</figcaption>" if chart["caption"] else ""
    return f'<figure class="chart">{_legend(series)}{_axis(scale)}{drawing}{_along(chart)}{caption}</figure>'


def _scale_of(values: Sequence[float], *, from_zero: bool) -> _Scale:
    """Return a scale around the values with round numbers at its lines."""
    low, high = min(values, default=0.0), max(values, default=1.0)
    if from_zero:
        low, high = min(low, 0.0), max(high, 0.0)
    if low == high:
        margin = abs(low) / 2 or 1.0
        low, high = low - margin, high + margin
    step = _round_step((high - low) / _STEPS)
    return _Scale(math.floor(low / step) * step, math.ceil(high / step) * step, step)


def _round_step(rough: float) -> float:
    power = 10.0 ** math.floor(math.log10(rough))
    return next((factor * power for factor in (1, 2, 2.5, 5) if factor * power >= rough), 10 * power)


def _lines(series: Sequence[Values], scale: _Scale) -> list[str]:
    between = _WIDTH / max(max(map(len, series)) - 1, 1)
    return [
        f'<path class="line c{number % COLOURS}" d="{_path(values, between, scale)}"/>'
        for number, values in enumerate(series)
    ]


def _path(values: Values, between: float, scale: _Scale) -> str:
    """Return a line through the values that stops at gaps; a value alone is a dot."""
    parts: list[str] = []
    for number, value in enumerate(values):
        if value is None:
            continue
        follows = number > 0 and values[number - 1] is not None
        point = f"{round(number * between, 1)} {scale.y(value)}"
        parts.append(f"L{point}" if follows else f"M{point}h0")
    return "".join(parts)


def _bars(series: Sequence[Values], scale: _Scale) -> list[str]:
    room = _WIDTH / max(map(len, series))
    width = room * _BAR_SHARE / len(series)
    bars: list[str] = []
    for number, values in enumerate(series):
        for position, value in enumerate(values):
            if value is not None:
                left = room * (position + (1 - _BAR_SHARE) / 2) + number * width
                top, bottom = sorted((scale.y(value), scale.y(0.0)))
                bars.append(
                    f'<path class="bar c{number % COLOURS}" '
                    f'd="M{round(left, 1)} {top}h{round(width, 1)}V{bottom}h{-round(width, 1)}z"/>'
                )
    return bars


def _axis(scale: _Scale) -> str:
    largest = max(abs(scale.low), abs(scale.high))
    labels = [
        f'<span style="top:{round(100 * scale.y(tick) / _HEIGHT, 1)}%">{_short(tick, largest)}</span>'
        for tick in scale.ticks()
    ]
    return f'<div class="axis" aria-hidden="true">{"".join(labels)}</div>'


def _along(chart: Mapping[str, Any]) -> str:
    labels = chart["x"]
    each = chart["kind"] == "bar" and len(labels) <= _LABELLED_BARS
    count = len(labels) if each else min(len(labels), _LABELS_ALONG)
    shown = [labels[round(number * (len(labels) - 1) / max(count - 1, 1))] for number in range(count)]
    spans = "".join(f"<span>{escape(label)}</span>" for label in shown)
    return f'<div class="along{" each" if each else ""}" aria-hidden="true">{spans}</div>'


def _legend(series: Sequence[Mapping[str, Any]]) -> str:
    named = [(number % COLOURS, one["name"]) for number, one in enumerate(series) if one["name"]]
    items = "".join(f'<li class="c{colour}">{escape(name)}</li>' for colour, name in named)
    return f'<ul class="legend">{items}</ul>' if items else ""


def _summary(chart: Mapping[str, Any], values: Sequence[float]) -> str:
    """Return what is in the drawing, for those who don't see it."""
    kind = "Bar" if chart["kind"] == "bar" else "Line"
    names = ", ".join(one["name"] for one in chart["series"] if one["name"])
    of = f" of {names}" if names else ""
    if not values:
        return f"{kind} chart{of} without values"
    ends = f" from {chart['x'][0]} to {chart['x'][-1]}"
    low, high = min(values), max(values)
    largest = max(abs(low), abs(high))
    return f"{kind} chart{of}{ends}, values from {_short(low, largest)} to {_short(high, largest)}"


def _short(value: float, largest: float) -> str:
    """Return a number in a few characters, such as 12.5, 3.2M or 1e-07, in the unit that suits the largest one."""
    unit, size = next(((unit, size) for unit, size, start in _UNITS if largest >= start), ("", 1.0))
    number = value / size
    # A sum of steps misses zero by a little.
    return f"{number:.4g}{unit}" if abs(value) > largest * 1e-9 else "0"
