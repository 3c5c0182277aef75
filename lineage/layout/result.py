"""The result of a layout, in whole pixels."""

from collections.abc import Hashable
from dataclasses import dataclass
from itertools import pairwise

Point = tuple[int, int]
Edge = tuple[Hashable, Hashable]

TURN = 24
"""The control points of a back edge's curve are so many pixels beside its column; the curve is within 3/4 of that."""


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
    """

    points: tuple[Point, ...]
    back: bool = False

    @property
    def path(self) -> str:
        """The data of an SVG path: horizontal within columns, smooth curves between them."""
        parts = [f"M{self.points[0][0]} {self.points[0][1]}"]
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


@dataclass(frozen=True, slots=True)
class Lane:
    """A horizontal band across the whole drawing."""

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

    @property
    def order(self) -> list[Hashable]:
        """The nodes in reading order: column by column from the left, each from the top."""
        return sorted(self.boxes, key=lambda node: (self.boxes[node].middle, self.boxes[node].y))
