"""Versions and groups of them on the axes of a plot."""

from dataclasses import dataclass

from catalog.plotting.along import Along
from catalog.plotting.lines import Group, Line, Point
from catalog.plotting.scales import Scale, drawable, too_large

TOO_LARGE, NOT_ON_LOG = "too large for an axis", "no place on a log scale"


@dataclass(frozen=True)
class Place:
    """A version on the axes. `y` is None without a value that can be drawn; `why` says why.

    `look` is that of its mark: dot, above, below, missing, group, or the state of one that is not ready.
    """

    point: Point
    x: float
    y: float | None
    look: str
    why: str = ""


@dataclass(frozen=True)
class Band:
    """A group on the axes; `high` and `low` are None without values."""

    group: Group
    x: float
    left: float
    right: float
    high: float | None
    low: float | None
    is_cut: bool
    """Whether not all of its values are within the axis."""


@dataclass(frozen=True)
class Drawn:
    line: Line
    second: bool
    places: list[Place]
    bands: list[Band]


def on_axes(line: Line, along: Along, scale: Scale, *, second: bool) -> Drawn:
    """A line on the axes, from left to right."""
    places = [_place(point, along, scale, second) for point in line.points]
    bands = [_band(group, along, scale, second) for group in line.groups]
    if along.in_time or second:
        places.sort(key=lambda place: (place.x, place.point.number))
        bands.sort(key=lambda band: (band.x, band.group.first))
    return Drawn(line, second, places, bands)


def _place(point: Point, along: Along, scale: Scale, second: bool) -> Place:
    x = along.x(point.number, point.at, own=not second)
    value = point.value
    if value is None:
        look, why = ("missing", point.why) if point.is_ready else (point.state, point.state)
        return Place(point, x, None, look, why)
    if not drawable(value, log=scale.log):
        return Place(point, x, None, "missing", TOO_LARGE if too_large(value) else NOT_ON_LOG)
    y = scale.y(value)
    if scale.holds(value):
        return Place(point, x, y, "dot")
    return Place(point, x, y, "below" if value < scale.low else "above")


def _band(group: Group, along: Along, scale: Scale, second: bool) -> Band:
    left = along.x(group.first, group.at_first, own=not second)
    right = along.x(group.last, group.at_last, own=not second)
    ends = [end for end in (group.high, group.low) if group.measured and drawable(end, log=scale.log)]
    high, low = (scale.y(ends[0]), scale.y(ends[-1])) if ends else (None, None)
    is_cut = bool(group.measured) and not all(len(ends) == 2 and scale.holds(end) for end in (group.high, group.low))
    return Band(group, round((left + right) / 2, 3), min(left, right), max(left, right), high, low, is_cut)
