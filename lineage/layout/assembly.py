"""Assemble the parts of a layout into a drawing: columns on one grid, lanes below one another, in whole pixels."""

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from operator import add

from lineage.layout import routes
from lineage.layout.chains import Edge, Net
from lineage.layout.packing import packed
from lineage.layout.result import Box, Drawing, Lane, Route

COLUMN_GAP = 60
"""The least distance between columns."""
STEEP = 4
"""The gap grows with the mean height difference of its edges: by a pixel for each `STEEP`, to twice as much at most."""
MARGIN = 24
LANE_GAP = 16
LANE_HEAD = 32
"""Room for the name of a lane above its nodes."""
LANE_FOOT = 16

Size = tuple[int, int]
Spot = tuple[int, int]


@dataclass
class Part:
    """A part of a graph with a column and a height for each vertex.

    `nodes` are the numbers of its nodes in the whole graph; `at` are the middles of its vertices; `extents` are the top
    and the bottom of each lane in it.
    """

    nodes: list[int]
    net: Net
    at: list[int]
    extents: dict[int, tuple[int, int]]

    @property
    def height(self) -> int:
        return sum(bottom - top for top, bottom in self.extents.values())


def assembled(
    parts: Sequence[Part],
    names: Sequence[Hashable],
    sizes: Sequence[Size],
    lane_names: Sequence[str],
    widest: int | None = None,
) -> Drawing:
    """The drawing of all parts; with several lanes there is one part. Gaps grow no further than to `widest`."""
    pitch = max((width for width, _ in sizes), default=0) + COLUMN_GAP
    spots = packed([(part.net.columns, part.height) for part in parts], pitch, widest)
    spans = _spans(parts, [first for first, _ in spots], sizes, widest)
    bottom = max((top + part.height for part, (_, top) in zip(parts, spots, strict=True)), default=0)
    bands = _bands(parts, sizes, lane_names, bottom)
    boxes: dict[int, Box] = {}
    ways: dict[Edge, Route] = {}
    for part, (first, top) in zip(parts, spots, strict=True):
        zero = {
            lane: top + (bands[lane].y + LANE_HEAD if bands else MARGIN) - extent[0]
            for lane, extent in part.extents.items()
        }
        at = [height + zero[lane] for height, lane in zip(part.at, part.net.lane, strict=True)]
        columns = [first + column for column in part.net.column]
        for place, node in enumerate(part.nodes):
            boxes[node] = box_of(sizes[node], spans[columns[place]], at[place])
        ways.update(_routes(part, boxes, columns, spans, at))
    return Drawing(
        spans[-1][1] + MARGIN if spans else 2 * MARGIN,
        bands[-1].y + bands[-1].height + MARGIN if bands else bottom + 2 * MARGIN,
        {name: boxes[number] for number, name in enumerate(names) if number in boxes},
        {(names[tail], names[head]): ways[tail, head] for tail, head in sorted(ways)},
        tuple(bands),
    )


def box_of(size: Size, span: routes.Span, height: int) -> Box:
    """The box of a node in the middle of its column."""
    width, tall = size
    return Box((span[0] + span[1]) // 2 - width // 2, height - tall // 2, width, tall)


def _routes(
    part: Part, boxes: Mapping[int, Box], columns: Sequence[int], spans: Sequence[routes.Span], at: Sequence[int]
) -> Iterator[tuple[Edge, Route]]:
    for (tail, head), bends in part.net.bends.items():
        edge = part.nodes[tail], part.nodes[head]
        source, target = boxes[edge[0]], boxes[edge[1]]
        start, end = columns[tail], columns[head]
        heights = [at[bend] for bend in bends]
        if start < end:
            yield edge, routes.forward(source, target, spans[start : end + 1], heights)
        else:
            yield edge, routes.backward(source, target, spans[end : start + 1][::-1], heights[::-1])


def _spans(
    parts: Sequence[Part], firsts: Sequence[int], sizes: Sequence[Size], widest: int | None
) -> list[routes.Span]:
    """The left and right sides of each column."""
    count = max((first + part.net.columns for part, first in zip(parts, firsts, strict=True)), default=0)
    widths = [0] * count
    for part, first in zip(parts, firsts, strict=True):
        for place, node in enumerate(part.nodes):
            column = first + part.net.column[place]
            widths[column] = max(widths[column], sizes[node][0])
    right = None if widest is None else widest - MARGIN
    return sides(widths, [COLUMN_GAP] * (count - 1), rises(parts, firsts, count), MARGIN, right)


def rises(parts: Sequence[Part], firsts: Sequence[int], count: int) -> list[int]:
    """The mean height difference of the edges in the gap after each column; `firsts` are the columns of parts."""
    found: list[list[int]] = [[] for _ in range(count)]
    for part, first in zip(parts, firsts, strict=True):
        for vertex, ends in enumerate(part.net.right):
            found[first + part.net.column[vertex]] += [abs(part.at[vertex] - part.at[end]) for end in ends]
    return [sum(rise) // len(rise) if rise else 0 for rise in found]


def sides(
    widths: Sequence[int], gaps: Sequence[int], steepness: Sequence[int], left: int, right: int | None
) -> list[routes.Span]:
    """The left and right sides of columns with these least gaps between them; gaps are wider where edges are steep, as
    far as there is room up to `right`."""
    more = [min(COLUMN_GAP, mean // STEEP) for mean, _ in zip(steepness, gaps, strict=False)]
    wanted = sum(more)
    if right is not None and wanted:
        room = max(right - left - sum(widths) - sum(gaps), 0)
        more = [each * min(room, wanted) // wanted for each in more]
    spans = []
    x = left
    for width, gap in zip(widths, [*map(add, gaps, more), 0], strict=False):
        spans.append((x, x + width))
        x += width + gap
    return spans


def _bands(parts: Sequence[Part], sizes: Sequence[Size], lane_names: Sequence[str], bottom: int) -> list[Lane]:
    """The lanes below one another, each high enough for any node; a single lane holds all parts, down to `bottom`."""
    extents = parts[0].extents if len(lane_names) > 1 else {0: (0, bottom)}
    tallest = max((height for _, height in sizes), default=0)
    bands = []
    y = MARGIN
    for lane, name in enumerate(lane_names):
        low, high = extents[lane]
        bands.append(Lane(name, y, LANE_HEAD + max(high - low, tallest) + LANE_FOOT))
        y += bands[-1].height + LANE_GAP
    return bands


def stacked(drawings: Sequence[Drawing]) -> Drawing:
    """One drawing of several, under one another."""
    if len(drawings) == 1:
        return drawings[0]
    boxes: dict[Hashable, Box] = {}
    ways: dict[tuple[Hashable, Hashable], Route] = {}
    lanes: list[Lane] = []
    rows: list[int] = []
    down = 0
    for drawing in drawings:
        boxes |= {name: replace(box, y=box.y + down) for name, box in drawing.boxes.items()}
        ways |= {edge: way.moved(down) for edge, way in drawing.routes.items()}
        lanes += [replace(lane, y=lane.y + down) for lane in drawing.lanes]
        rows += [top + down for top in drawing.rows or (0,)]
        down += drawing.height - MARGIN
    return Drawing(
        max(drawing.width for drawing in drawings),
        down + MARGIN,
        dict(sorted(boxes.items(), key=str)),
        dict(sorted(ways.items(), key=str)),
        tuple(lanes),
        tuple(rows),
    )
