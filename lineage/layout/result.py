"""The result of a layout, in whole pixels."""

from bisect import bisect_right
from collections.abc import Hashable
from dataclasses import dataclass, replace
from itertools import pairwise

Point = tuple[int, int]
Edge = tuple[Hashable, Hashable]

TURN = 24
"""The control points of a back edge's curve are so many pixels beside its column; the curve is within 3/4 of that."""
CORNER = 8
"""The radius of the corners of a route to another row."""


@dataclass(frozen=True, slots=True)
class Box:
    """The rectangle of one node; `x` and `y` are its left top corner."""

    x: int
    y: int
    width: int
    height: int

    @property
    def right(self) -> int:
        return self.x + self.width

    @property
    def bottom(self) -> int:
        return self.y + self.height

    @property
    def middle(self) -> int:
        """The x of the middle, which all boxes of one column share."""
        return self.x + self.width // 2

    @property
    def port(self) -> int:
        """The height at which edges enter and leave."""
        return self.y + self.height // 2


@dataclass(frozen=True, slots=True)
class Route:
    """The route of one edge from the right side of its source to the left side of its target.

    The points between are those at which it enters and leaves columns. A `back` edge is drawn against the flow: it
    turns round right of its source, runs to the left, and turns again left of its target.

    A route to another row leads straight from corner to corner between the points with the numbers in `fold`.
    """

    points: tuple[Point, ...]
    back: bool = False
    fold: tuple[int, int] | None = None

    @property
    def path(self) -> str:
        """The data of an SVG path: horizontal within columns, smooth curves between them."""
        if self.fold is None:
            return self._start + self._curves
        first, last = self.fold
        before, after = (Route(points) for points in (self.points[: first + 1], self.points[last:]))
        return before._start + before._curves + _cornered(self.points[first : last + 1]) + after._curves

    def moved(self, down: int) -> "Route":
        return replace(self, points=tuple((x, y + down) for x, y in self.points))

    @property
    def _start(self) -> str:
        return f"M{self.points[0][0]} {self.points[0][1]}"

    @property
    def _curves(self) -> str:
        parts = [""]
        steps = [number for number, (start, end) in enumerate(pairwise(self.points)) if start[1] != end[1]]
        for number, ((x, y), (end_x, end_y)) in enumerate(pairwise(self.points)):
            if y == end_y:
                if parts[-1].startswith("H"):
                    parts.pop()
                parts.append(f"H{end_x}")
                continue
            if self.back and number == steps[0]:
                bend = max(x, end_x) + TURN
            elif self.back and number == steps[-1]:
                bend = min(x, end_x) - TURN
            else:
                bend = (x + end_x) // 2
            parts.append(f"C{bend} {y} {bend} {end_y} {end_x} {end_y}")
        return "".join(parts)


def _cornered(points: tuple[Point, ...]) -> str:
    """Level and upright lines from the first of these points to the last, with rounded corners."""
    parts = []
    for number, ((x, y), (end_x, end_y)) in enumerate(pairwise(points), start=1):
        if number == len(points) - 1:
            parts.append(f"H{end_x}")
            break
        after_x, after_y = points[number + 1]
        if y == end_y:
            r = min(CORNER, abs(end_x - x) // 2, abs(after_y - end_y) // 2)
            parts.append(f"H{end_x - _sign(end_x - x) * r}Q{end_x} {end_y} {end_x} {end_y + _sign(after_y - y) * r}")
        else:
            r = min(CORNER, abs(end_y - y) // 2, abs(after_x - end_x) // 2)
            parts.append(f"V{end_y - _sign(end_y - y) * r}Q{end_x} {end_y} {end_x + _sign(after_x - x) * r} {end_y}")
    return "".join(parts)


def _sign(number: int) -> int:
    return (number > 0) - (number < 0)


@dataclass(frozen=True, slots=True)
class Lane:
    """A horizontal band across the whole drawing; in a drawing in rows, one of each row."""

    name: str
    y: int
    height: int


@dataclass(frozen=True, slots=True)
class Drawing:
    width: int
    height: int
    boxes: dict[Hashable, Box]
    routes: dict[Edge, Route]
    lanes: tuple[Lane, ...] = ()
    rows: tuple[int, ...] = ()
    """The tops of its rows, if it is too wide for one."""
    band: tuple[int, int] | None = None
    """The left and the right side of all lanes, if they leave margins to the lines between rows."""

    @property
    def order(self) -> list[Hashable]:
        """The nodes in reading order: row by row, column by column from the left, each from the top."""
        boxes = self.boxes
        return sorted(
            boxes, key=lambda node: (bisect_right(self.rows, boxes[node].y), boxes[node].middle, boxes[node].y)
        )
