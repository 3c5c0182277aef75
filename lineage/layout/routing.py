"""Route edges between placed boxes: through free space in each column, as straight as possible."""

from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from itertools import pairwise

import networkx as nx

from lineage.layout import routes
from lineage.layout.gaps import Interval, nearest
from lineage.layout.places import BEND_GAP
from lineage.layout.result import Box, Edge, Route

CLEARANCE = BEND_GAP - 2
"""The least distance of a route from boxes and other routes; layouts from scratch keep it despite rounding."""
CLOSEST_COLUMNS = 40
"""The least distance between columns if one of them gets a wider box."""


class Columns:
    """The boxes by columns: those of one column share their middle, and columns do not overlap."""

    def __init__(self, boxes: Iterable[Box]) -> None:
        standing: dict[int, list[Box]] = defaultdict(list)
        for box in boxes:
            standing[box.middle].append(box)
        self.middles = sorted(standing)
        self.boxes = [standing[middle] for middle in self.middles]
        self.spans = [(min(box.x for box in column), max(box.right for box in column)) for column in self.boxes]
        self._numbers = {middle: number for number, middle in enumerate(self.middles)}

    def number(self, box: Box) -> int:
        return self._numbers[box.middle]

    def fits(self, column: int, left: int, right: int) -> bool:
        """Whether a box with these sides fits into a column without coming too close to the columns beside it."""
        own_left, own_right = self.spans[column]
        clear_left = column == 0 or left >= self.spans[column - 1][1] + CLOSEST_COLUMNS
        clear_right = column + 1 == len(self.spans) or right <= self.spans[column + 1][0] - CLOSEST_COLUMNS
        return (left >= own_left or clear_left) and (right <= own_right or clear_right)


def routed(graph: nx.DiGraph, boxes: Mapping[Hashable, Box], earlier: Mapping[Edge, Route]) -> dict[Edge, Route]:
    """A route for each edge; those with an earlier route are first and keep its heights where possible."""
    columns = Columns(boxes.values())
    taken: list[list[Interval]] = [
        [(box.y - CLEARANCE, box.bottom + CLEARANCE) for box in column] for column in columns.boxes
    ]
    found: dict[Edge, Route] = {}
    for edge in sorted(graph.edges, key=lambda edge: (edge not in earlier, str(edge))):
        source, target = boxes[edge[0]], boxes[edge[1]]
        start, end = columns.number(source), columns.number(target)
        back = start >= end
        passed = range(start, end - 1, -1) if back else range(start + 1, end)
        heights = _heights(passed, columns, taken, source.port, earlier.get(edge))
        if back:
            found[edge] = routes.backward(source, target, columns.spans[end : start + 1][::-1], heights)
        else:
            found[edge] = routes.forward(source, target, columns.spans[start : end + 1], heights)
    return dict(sorted(found.items(), key=str))


def _heights(
    passed: Iterable[int], columns: Columns, taken: Sequence[list[Interval]], height: int, earlier: Route | None
) -> list[int]:
    """The heights at which an edge passes the columns; they are marked as taken."""
    heights = []
    for column in passed:
        wanted = _height_at(columns.middles[column], earlier)
        spot = nearest(height if wanted is None else wanted, taken[column])
        if spot is not None:  # unbounded room always has one
            height = spot
        taken[column].append((height - CLEARANCE, height + CLEARANCE))
        heights.append(height)
    return heights


def _height_at(x: int, route: Route | None) -> int | None:
    """The height at which a route passes a column, by the middle of the column."""
    points = route.points if route else ()
    for (start, height), (end, end_height) in pairwise(points):
        if height == end_height and min(start, end) <= x <= max(start, end):
            return height
    return None
