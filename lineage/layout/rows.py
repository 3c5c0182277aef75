"""A wide part of a graph in rows, like a text: where the columns of one row end, the next row goes on.

Each row is a layered drawing of its own. An edge to another row leaves on the right and comes in on the left, at
vertices without a size that stand for its other end: an exit for each node with such edges, an entry for each node and
each lane that its edges come to. In between it runs down (or up) in the right margin, back in the channel above the row
of its target, and down in the left margin. The edges of one node share their lines until they part.
"""

from bisect import bisect_right
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from lineage.layout import routes
from lineage.layout.assembly import COLUMN_GAP, LANE_FOOT, LANE_GAP, LANE_HEAD, MARGIN, Part, Size, box_of, rises, sides
from lineage.layout.breaking import breaks, lines_across
from lineage.layout.chains import Edge
from lineage.layout.packing import GAP
from lineage.layout.result import Box, Drawing, Lane, Point, Route

CLEAR = 12
"""The least distance of the lines in margins and channels from everything else."""
PITCH, CLOSEST = 10, 2
"""The distances of such lines from each other: the usual one, and the least one if there are very many."""
THICK = 120
"""The width of a margin or channel, unless its lines would come too close to each other."""
LANE_SIDE = 4
"""How far lanes reach beyond entries and exits."""
END_GAP = 40
"""The distance of entries and exits from the nodes beside them."""


@dataclass
class RowGraph:
    """The graph of one row: its vertices are those of `nodes`, then exits and entries, then bends."""

    nodes: list[int]
    columns: list[int]
    lanes: list[int]
    edges: list[Edge] = field(default_factory=list)
    backward: set[Edge] = field(default_factory=set)
    exits: dict[int, int] = field(default_factory=dict)
    """The exit of each node that has edges to other rows."""
    entries: dict[Edge, int] = field(default_factory=dict)
    """The entry of what comes from a node into a lane."""

    def add_end(self, column: int, lane: int) -> int:
        self.columns.append(column)
        self.lanes.append(lane)
        return len(self.columns) - 1


def rows_of(
    nodes: Sequence[int], columns: Sequence[int], widths: Sequence[int], edges: Sequence[Edge], widest: int
) -> dict[int, int]:
    """The row of each node, such that rows are at most `widest`, lines in the margins included. `columns` are those of
    all nodes of the graph, `widths` are those of the columns of this part."""
    across = lines_across(columns, edges)
    room = widest - 2 * (MARGIN + END_GAP) + COLUMN_GAP
    margins = -1
    firsts = [0]
    for _ in range(3):
        needed = 2 * _thick(max(across[first] for first in firsts))
        if needed <= margins:
            break
        margins = needed
        firsts = breaks([width + COLUMN_GAP for width in widths], across, max(room - margins, 1))
    used = sorted({bisect_right(firsts, columns[node]) for node in nodes})
    return {node: used.index(bisect_right(firsts, columns[node])) for node in nodes}


def graphs_of_rows(
    nodes: Sequence[int],
    edges: Sequence[Edge],
    backward: set[Edge],
    lanes: Sequence[int],
    columns: Sequence[int],
    row_of: Mapping[int, int],
) -> list[RowGraph]:
    """The graph of each row; all numbers are those of the whole graph, `row_of` is the row of each node."""
    own: list[list[int]] = [[] for _ in range(max(row_of.values(), default=-1) + 1)]
    for node in nodes:
        own[row_of[node]].append(node)
    first = [min(columns[node] for node in row) for row in own]
    rows = [
        RowGraph(row, [columns[node] - begin + 1 for node in row], [lanes[node] for node in row])
        for row, begin in zip(own, first, strict=True)
    ]
    place = {node: number for row in own for number, node in enumerate(row)}
    for tail, head in edges:
        leaving, coming = rows[row_of[tail]], rows[row_of[head]]
        if leaving is coming:
            leaving.edges.append((place[tail], place[head]))
            if (tail, head) in backward:
                leaving.backward.add((place[tail], place[head]))
            continue
        if tail not in leaving.exits:
            last = max(columns[node] for node in leaving.nodes) - first[row_of[tail]] + 2
            leaving.exits[tail] = leaving.add_end(last, lanes[tail])
            leaving.edges.append((place[tail], leaving.exits[tail]))
        key = tail, lanes[head]
        if key not in coming.entries:
            coming.entries[key] = coming.add_end(0, lanes[head])
        coming.edges.append((coming.entries[key], place[head]))
    return rows


@dataclass
class Row:
    """One row as it is laid out: where its columns are, and from where on it stands."""

    graph: RowGraph
    part: Part
    spans: list[routes.Span] = field(default_factory=list)
    at: list[int] = field(default_factory=list)
    """The height of each vertex in the drawing."""
    channel: dict[int, int] = field(default_factory=dict)
    """The height of the line of each source in the channel above it."""

    def point(self, vertex: int) -> Point:
        """Where an exit or an entry is."""
        return self.spans[self.part.net.column[vertex]][0], self.at[vertex]


@dataclass(frozen=True)
class _Across:
    """The edges between rows: for each source its row and the height of its exit in that, and where it leads."""

    exits: dict[int, tuple[int, int]]
    targets: dict[int, list[int]]
    """The rows that each source leads to."""

    def into(self, row: int) -> list[int]:
        """The sources of what comes into a row, in the order of their lines in the channel above it.

        What leaves a row at its bottom turns first, so lines don't cross; what comes from below is above all.
        """
        coming = [tail for tail, rows in self.targets.items() if row in rows]
        return sorted(coming, key=lambda tail: self.exits[tail], reverse=True)


def drawn_in_rows(
    rows: Sequence[Row],
    edges: Sequence[Edge],
    backward: set[Edge],
    names: Sequence[Hashable],
    sizes: Sequence[Size],
    lane_names: Sequence[str],
    widest: int,
) -> Drawing:
    """The drawing of one part, at most `widest` as far as its columns and lines find room in that."""
    across = _across(rows, edges)
    left = MARGIN + max(_thick(len(row.graph.entries)) for row in rows)
    right = widest - MARGIN - max(_thick(len(row.graph.exits)) for row in rows)
    lanes: list[Lane] = []
    tops = []
    top = MARGIN
    for number, row in enumerate(rows):
        tops.append(top)
        row.spans = _spans(row, sizes, left, right)
        coming = across.into(number)
        row.channel = _lines(coming, top + CLEAR)
        own, bottom = _stand(row, top + _thick(len(coming)), lane_names)
        lanes += own
        top = bottom + (LANE_GAP if own else GAP)
    end = max(row.spans[-1][1] for row in rows)
    tracks = _tracks(rows, across, end + CLEAR)
    boxes = {
        node: box_of(sizes[node], row.spans[row.part.net.column[place]], row.at[place])
        for row in rows
        for place, node in enumerate(row.graph.nodes)
    }
    ways = dict(_ways(rows, edges, backward, boxes, tracks))
    return Drawing(
        max([end, *(x + CLEAR for x in tracks.values())]) + MARGIN,
        top - (LANE_GAP if lanes else GAP) + MARGIN,
        {names[node]: box for node, box in sorted(boxes.items())},
        {(names[tail], names[head]): way for (tail, head), way in sorted(ways.items())},
        tuple(lanes),
        tuple(tops),
        (left - LANE_SIDE, end + LANE_SIDE),
    )


def _thick(count: int) -> int:
    """The room that so many lines need beside each other."""
    return (count - 1) * _pitch(count) + 2 * CLEAR if count else 0


def _pitch(count: int) -> int:
    return max(CLOSEST, min(PITCH, (THICK - 2 * CLEAR) // max(count, 1)))


def _lines(keys: Sequence[Hashable], start: int, step: int = 1) -> dict[Any, int]:
    """The place of a line for each key, from `start` on."""
    pitch = step * _pitch(len(keys))
    return {key: start + number * pitch for number, key in enumerate(keys)}


def _across(rows: Sequence[Row], edges: Sequence[Edge]) -> _Across:
    exits = {
        tail: (number, row.part.at[vertex])
        for number, row in enumerate(rows)
        for tail, vertex in row.graph.exits.items()
    }
    row_of = {node: number for number, row in enumerate(rows) for node in row.graph.nodes}
    targets: dict[int, list[int]] = {tail: [] for tail in exits}
    for tail, head in edges:
        if row_of[tail] != row_of[head] and row_of[head] not in targets[tail]:
            targets[tail].append(row_of[head])
    return _Across(exits, targets)


def _spans(row: Row, sizes: Sequence[Size], left: int, right: int) -> list[routes.Span]:
    """The sides of its columns; those of entries and exits have no width."""
    net = row.part.net
    widths = [0] * net.columns
    for place, node in enumerate(row.graph.nodes):
        widths[net.column[place]] = max(widths[net.column[place]], sizes[node][0])
    gaps = [COLUMN_GAP if before and after else END_GAP for before, after in pairwise(widths)]
    return sides(widths, gaps, rises([row.part], [0], net.columns), left, right)


def _stand(row: Row, top: int, lane_names: Sequence[str]) -> tuple[list[Lane], int]:
    """Gives each vertex its height in the drawing; the row's lanes, and its bottom."""
    zero: dict[int, int] = {}
    lanes = []
    for lane, (low, high) in sorted(row.part.extents.items()):
        head = LANE_HEAD if lane_names else 0
        zero[lane] = top + head - low
        if lane_names:
            lanes.append(Lane(lane_names[lane], top, head + high - low + LANE_FOOT))
            top = lanes[-1].y + lanes[-1].height + LANE_GAP
        else:
            top += high - low
    row.at = [height + zero[lane] for height, lane in zip(row.part.at, row.part.net.lane, strict=True)]
    return lanes, top - LANE_GAP if lane_names else top


def _tracks(rows: Sequence[Row], across: _Across, start: int) -> dict[int, int]:
    """The x of the line of each source in the right margin: as far inside as it is free, the lowest of a row first."""
    taken: list[list[tuple[int, int]]] = []
    track_of: dict[int, int] = {}
    for tail, (number, _) in sorted(across.exits.items(), key=lambda item: (item[1][0], -item[1][1])):
        row = rows[number]
        heights = [row.at[row.graph.exits[tail]], *(rows[target].channel[tail] for target in across.targets[tail])]
        low, high = min(heights) - CLEAR // 2, max(heights) + CLEAR // 2
        free = (place for place, spans in enumerate(taken) if all(high < top or bottom < low for top, bottom in spans))
        track = next(free, len(taken))
        taken[track:] = taken[track:] or [[]]
        taken[track].append((low, high))
        track_of[tail] = track
    pitch = _pitch(len(taken))
    return {tail: start + track * pitch for tail, track in track_of.items()}


def _ways(
    rows: Sequence[Row],
    edges: Sequence[Edge],
    backward: set[Edge],
    boxes: Mapping[int, Box],
    tracks: Mapping[int, int],
) -> Iterator[tuple[Edge, Route]]:
    row_of = {node: row for row in rows for node in row.graph.nodes}
    inner = {id(row): _entering(row) for row in rows}
    place = {node: number for row in rows for number, node in enumerate(row.graph.nodes)}
    for tail, head in edges:
        row, other = row_of[tail], row_of[head]
        if row is other:
            yield (tail, head), _within(row, (place[tail], place[head]), boxes[tail], boxes[head])
            continue
        leaving = row.graph.exits[tail]
        lane = other.part.net.lane[place[head]]
        coming = other.graph.entries[tail, lane]
        start, end = row.point(leaving), other.point(coming)
        first = _within(row, (place[tail], leaving), boxes[tail], Box(*start, 0, 0))
        last = _within(other, (coming, place[head]), Box(*end, 0, 0), boxes[head])
        channel, out, back = other.channel[tail], tracks[tail], inner[id(other)][tail, lane]
        corners = (out, start[1]), (out, channel), (back, channel), (back, end[1])
        fold = len(first.points) - 1, len(first.points) + len(corners)
        yield (tail, head), Route((*first.points, *corners, *last.points), (tail, head) in backward, fold)


def _entering(row: Row) -> dict[Edge, int]:
    """The x of the line of each entry in the left margin, the highest one inside."""
    entries = row.graph.entries
    keys = sorted(entries, key=lambda key: (row.at[entries[key]], key))
    return _lines(keys, row.spans[0][0] - CLEAR, -1)


def _within(row: Row, edge: Edge, source: Box, target: Box) -> Route:
    net = row.part.net
    start, end = net.column[edge[0]], net.column[edge[1]]
    heights = [row.at[bend] for bend in net.bends[edge]]
    if start < end:
        return routes.forward(source, target, row.spans[start : end + 1], heights)
    return routes.backward(source, target, row.spans[end : start + 1][::-1], heights[::-1])
