"""The result of a layout, in whole pixels."""

from bisect import bisect_right
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from lineage.layout.pen import Pen

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
        pen = Pen(*self.points[0])
        if self.fold is None:
            self._draw(pen, self.points)
        else:
            first, last = self.fold
            self._draw(pen, self.points[: first + 1])
            _draw_cornered(pen, self.points[first : last + 1])
            self._draw(pen, self.points[last:])
        return pen.path

    @property
    def middle(self) -> Point:
        """A point on it for a label: in the middle of its last curve, or if it has none of its longest level piece."""
        points = self.points[self.fold[1] :] if self.fold else self.points
        pieces = list(pairwise(points))
        curves = [piece for piece in pieces if piece[0][1] != piece[1][1]]
        if curves and not self.back:
            (x, y), (end_x, end_y) = curves[-1]
        else:
            (x, y), (end_x, end_y) = max(
                pieces, key=lambda piece: abs(piece[0][0] - piece[1][0]) * (piece[0][1] == piece[1][1])
            )
        return (x + end_x) // 2, (y + end_y) // 2

    def moved(self, down: int) -> "Route":
        return replace(self, points=tuple((x, y + down) for x, y in self.points))

    def _draw(self, pen: Pen, points: Sequence[Point]) -> None:
        steps = [number for number, (start, end) in enumerate(pairwise(points)) if start[1] != end[1]]
        turns = [*steps[:1], *steps[-1:]] if self.back and not self.fold else []
        for number, ((x, y), (end_x, end_y)) in enumerate(pairwise(points)):
            if y == end_y:
                pen.level(end_x)
                continue
            bend = (x + end_x) // 2
            if number in turns:
                bend = max(x, end_x) + TURN if number == turns[0] else min(x, end_x) - TURN
            pen.cubic((bend, y), (bend, end_y), (end_x, end_y))


def _draw_cornered(pen: Pen, points: Sequence[Point]) -> None:
    """Level and upright lines from the first of these points to the last, with rounded corners."""
    for (x, y), (corner_x, corner_y), (end_x, end_y) in zip(points, points[1:], points[2:], strict=False):
        r = min(
            CORNER, (abs(corner_x - x) + abs(corner_y - y)) // 2, (abs(end_x - corner_x) + abs(end_y - corner_y)) // 2
        )
        if y == corner_y:
            pen.level(corner_x - _sign(corner_x - x) * r)
        else:
            pen.upright(corner_y - _sign(corner_y - y) * r)
        after = corner_x + _sign(end_x - corner_x) * r, corner_y + _sign(end_y - corner_y) * r
        pen.quadratic((corner_x, corner_y), after)
    pen.level(points[-1][0])


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
