"""What a layout returns: whole numbers of pixels and nothing of how they were found."""

from collections.abc import Hashable
from dataclasses import dataclass
from itertools import pairwise

Point = tuple[int, int]
Edge = tuple[Hashable, Hashable]

TURN = 24
"""How far the curve of a back edge is drawn beside its column, in pixels; it stays within three quarters of that."""


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
        """Where the box stands in its column: boxes of one column share it."""
        return self.x + self.width // 2

    @property
    def port(self) -> int:
        """The height at which edges arrive and leave."""
        return self.y + self.height // 2


@dataclass(frozen=True, slots=True)
class Route:
    """The way of one edge from the right side of its source to the left side of its target.

    Between the two lie the points at which it enters and leaves the columns on its way. An edge drawn against the flow
    is `back`: it turns round right of its source, runs to the left, and turns again left of its target.
    """

    points: tuple[Point, ...]
    back: bool = False

    @property
    def path(self) -> str:
        """The data of an SVG path: level where columns are crossed, smooth curves between them."""
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
