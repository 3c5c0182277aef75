"""Incremental layout: add nodes to a drawing that a reader is looking at, without moving the others.

This is the extreme case of preserving the mental map (Misue, Eades, Lai and Sugiyama, "Layout adjustment and the mental
map", 1995): old nodes keep their exact places; each new one takes the free place nearest to its neighbours in the
column beside them, or a new column outside; edges are routed again, at their old heights where possible.
"""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import fmean

import networkx as nx

from lineage.layout.assembly import COLUMN_GAP, LANE_FOOT, LANE_GAP, LANE_HEAD, MARGIN
from lineage.layout.gaps import nearest
from lineage.layout.places import NODE_GAP
from lineage.layout.result import Box, Drawing, Lane, Route
from lineage.layout.routing import Columns, routed


def can_extend(previous: Drawing, sizes: Mapping[Hashable, tuple[int, int]], lane_of: Mapping[Hashable, str]) -> bool:
    """Whether the layout can be incremental: it is not in rows, some nodes are left, each in its lane, and new nodes
    fit their lanes."""
    kept = [node for node in lane_of if node in previous.boxes]
    if not kept or previous.rows:
        return False
    if not previous.lanes:
        return len({lane_of[node] for node in kept}) == 1
    bands = {lane.name: lane for lane in previous.lanes}
    if not all(lane_of[node] in bands and _within(previous.boxes[node], bands[lane_of[node]]) for node in kept):
        return False
    room = {lane.name: lane.height - LANE_HEAD - LANE_FOOT for lane in previous.lanes[:-1]}
    return all(
        node in previous.boxes or sizes[node][1] <= room.get(lane, sizes[node][1]) for node, lane in lane_of.items()
    )


def extended(
    graph: nx.DiGraph,
    sizes: Mapping[Hashable, tuple[int, int]],
    lane_names: Sequence[str],
    lane_of: Mapping[Hashable, str],
    previous: Drawing,
) -> Drawing:
    """The drawing of `graph` in which the nodes of `previous` keep their relative places."""
    boxes = {node: box for node, box in previous.boxes.items() if node in graph}
    bands = _bands(previous, boxes, lane_names, lane_of)
    newer = {name: place for place, name in enumerate(name for name in lane_names if name not in bands)}
    turn = sorted(_in_turn(graph, boxes), key=lambda node: newer.get(lane_of[node], -1))
    for node in turn:
        band = bands.get(lane_of[node])
        if band is None:
            band = bands[lane_of[node]] = _new_band(list(bands.values()), boxes)
        boxes[node] = _placed(node, sizes[node], graph, boxes, band)
    lanes = []
    for name, band in bands.items() if lane_names else ():
        lanes.append(_lane(name, band, [box for node, box in boxes.items() if lane_of[node] == name]))
    return _shifted(boxes, routed(graph, boxes, previous.routes), lanes)


def _within(box: Box, lane: Lane) -> bool:
    return lane.y <= box.y and box.bottom <= lane.y + lane.height


def _in_turn(graph: nx.DiGraph, placed: Iterable[Hashable]) -> list[Hashable]:
    """The new nodes in the order of their placement, each after a neighbour if it has any."""
    known = set(placed)
    waiting = sorted(set(graph) - known, key=str)
    wave = list(known)
    turn: list[Hashable] = []
    while waiting:
        reached = {other for node in wave for other in nx.all_neighbors(graph, node)} - known
        wave = sorted(reached, key=str) or waiting[:1]
        turn += wave
        known.update(wave)
        waiting = [node for node in waiting if node not in known]
    return turn


# --- bands


@dataclass(slots=True)
class _Band:
    """The bounds of the nodes of one lane; None where there is none."""

    top: int | None
    bottom: int | None


def _bands(
    previous: Drawing, boxes: Mapping[Hashable, Box], lane_names: Sequence[str], lane_of: Mapping[Hashable, str]
) -> dict[str, _Band]:
    """The bands of the previous drawing, the last one open below; without lanes, one open band."""
    if previous.lanes:
        bands = {lane.name: _Band(lane.y + LANE_HEAD, lane.y + lane.height - LANE_FOOT) for lane in previous.lanes}
        bands[previous.lanes[-1].name].bottom = None
        return bands
    name = lane_of[next(iter(boxes))]
    return {name: _Band(min(box.y for box in boxes.values()) if lane_names else None, None)}


def _new_band(bands: Sequence[_Band], boxes: Mapping[Hashable, Box]) -> _Band:
    """A new band below all others; the one before it now ends at its last node."""
    last = bands[-1]
    last.bottom = max(last.top or 0, *(box.bottom for box in boxes.values()))
    return _Band(last.bottom + LANE_FOOT + LANE_GAP + LANE_HEAD, None)


def _lane(name: str, band: _Band, boxes: Sequence[Box]) -> Lane:
    top = band.top or 0
    bottom = max([top if band.bottom is None else band.bottom, *(box.bottom for box in boxes)])
    return Lane(name, top - LANE_HEAD, bottom - top + LANE_HEAD + LANE_FOOT)


# --- boxes


def _placed(
    node: Hashable, size: tuple[int, int], graph: nx.DiGraph, boxes: Mapping[Hashable, Box], band: _Band
) -> Box:
    """The box of a new node: right of its predecessors, else left of its successors, as near to them as possible."""
    width, height = size
    columns = Columns(boxes.values())
    before = [boxes[other] for other in graph.predecessors(node) if other in boxes]
    after = [boxes[other] for other in graph.successors(node) if other in boxes]
    if before or after:
        wanted = round(fmean(box.port for box in before + after)) - height // 2
    else:
        wanted = max(box.bottom for box in boxes.values()) + NODE_GAP
    leftwards = bool(after and not before)
    if before:
        column = max(columns.number(box) for box in before) + 1
    else:
        column = min(columns.number(box) for box in after) - 1 if after else 0
    lowest = None if band.bottom is None else band.bottom - height
    while 0 <= column < len(columns.spans):
        x = columns.middles[column] - width // 2
        blocked = [(box.y - NODE_GAP - height, box.bottom + NODE_GAP) for box in columns.boxes[column]]
        y = nearest(wanted, blocked, band.top, lowest)
        if y is not None and columns.fits(column, x, x + width):
            return Box(x, y, width, height)
        column += -1 if leftwards else 1
    x = columns.spans[0][0] - COLUMN_GAP - width if leftwards else columns.spans[-1][1] + COLUMN_GAP
    y = nearest(wanted, [], band.top, lowest)
    return Box(x, wanted if y is None else y, width, height)


def _shifted(
    boxes: Mapping[Hashable, Box], ways: Mapping[tuple[Hashable, Hashable], Route], lanes: Sequence[Lane]
) -> Drawing:
    """The drawing, shifted as a whole if anything is left of its margin or above it."""
    heights = [y for way in ways.values() for _, y in way.points]
    left = min(box.x for box in boxes.values())
    top = min([*(box.y for box in boxes.values()), *(lane.y for lane in lanes), *heights])
    right = max(box.right for box in boxes.values())
    bottom = max([*(box.bottom for box in boxes.values()), *(lane.y + lane.height for lane in lanes), *heights])
    across, down = max(MARGIN - left, 0), max(MARGIN - top, 0)
    return Drawing(
        right + across + MARGIN,
        bottom + down + MARGIN,
        {node: replace(box, x=box.x + across, y=box.y + down) for node, box in sorted(boxes.items(), key=str)},
        {edge: Route(tuple((x + across, y + down) for x, y in way.points), way.back) for edge, way in ways.items()},
        tuple(replace(lane, y=lane.y + down) for lane in lanes),
    )
