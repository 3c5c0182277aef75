"""The layered layout as a whole, from a graph to a drawing.

The steps are those of Sugiyama, Tagawa and Toda (1981), each in a module of its own: back edges, columns, orders,
heights; `assembly` makes the drawing. First the nodes are numbered by their names, and all steps use the numbers, so
the order in which a graph was built changes nothing.
"""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from math import ceil, sqrt

import networkx as nx

from lineage.layout.assembly import COLUMN_GAP, MARGIN, Part, Size, assembled, stacked
from lineage.layout.back_edges import add_turns
from lineage.layout.chains import Edge, Net, cut
from lineage.layout.cycles import back_edges
from lineage.layout.layers import layers_of
from lineage.layout.ordering import ordered
from lineage.layout.places import NODE_GAP, heights
from lineage.layout.result import Drawing
from lineage.layout.rows import Row, drawn_in_rows, graphs_of_rows, rows_of

SLACK = 1.1
"""A part that is wider by less than this is not broken into rows: it can be shown a little smaller."""


def drawn(
    graph: nx.DiGraph,
    sizes: Mapping[Hashable, Size],
    lane_names: Sequence[str],
    lane_of: Mapping[Hashable, str],
    widest: int | None = None,
) -> Drawing:
    """A drawing from scratch. `lane_names` are the lanes in use from the top, if any; `lane_of` maps nodes to lanes.
    Parts clearly wider than `widest` are drawn in rows, above the others."""
    names = sorted(graph, key=str)
    number = {name: place for place, name in enumerate(names)}
    every = sorted((number[tail], number[head]) for tail, head in graph.edges)
    edges = [edge for edge in every if edge[0] != edge[1]]
    numbered = _Numbered(
        edges,
        loops=[tail for tail, head in every if tail == head],
        backward=back_edges(len(names), edges),
        lanes=[lane_names.index(lane_of[name]) if lane_names else 0 for name in names],
        sizes=[sizes[name] for name in names],
    )
    parts = numbered.parts()
    columns = _columns(numbered, parts)
    if len(lane_names) > 1:
        _spread([nodes[0] for nodes, _ in parts if len(nodes) == 1], columns, numbered.lanes)
        parts = [(list(range(len(names))), edges)]
    drawings = []
    narrow: list[Part] = []
    for nodes, own in parts:
        widths = _widths(numbered, columns, nodes)
        if widest is not None and len(widths) > 1 and _least_width(widths) > SLACK * widest:
            drawings.append(_in_rows(numbered, columns, nodes, own, widths, names, lane_names, widest))
        else:
            narrow.append(_laid_part(numbered, columns, nodes, own))
    if narrow or not drawings:
        drawings.append(assembled(narrow, names, numbered.sizes, lane_names, widest))
    return stacked(drawings)


@dataclass(frozen=True)
class _Numbered:
    """A graph whose nodes are 0, 1, …; `loops` are the nodes with an edge to themselves, which is not in `edges`."""

    edges: list[Edge]
    loops: list[int]
    backward: set[Edge]
    lanes: list[int]
    sizes: list[Size]

    def parts(self) -> list[tuple[list[int], list[Edge]]]:
        """The nodes and edges of each connected part."""
        graph: nx.Graph = nx.Graph(self.edges)
        graph.add_nodes_from(range(len(self.lanes)))
        nodes = sorted(sorted(part) for part in nx.connected_components(graph))
        part_of = {node: place for place, part in enumerate(nodes) for node in part}
        grouped = groupby(sorted(self.edges, key=lambda edge: part_of[edge[0]]), key=lambda edge: part_of[edge[0]])
        edges = {part: list(own) for part, own in grouped}
        return [(part, edges.get(place, [])) for place, part in enumerate(nodes)]


def _columns(numbered: _Numbered, parts: Sequence[tuple[list[int], list[Edge]]]) -> list[int]:
    """The column of each node within its connected part."""
    columns = [0] * len(numbered.lanes)
    for nodes, edges in parts:
        local = {node: place for place, node in enumerate(nodes)}
        flow = [edge[::-1] if edge in numbered.backward else edge for edge in edges]
        ranks = layers_of(len(nodes), [(local[tail], local[head]) for tail, head in flow])
        for node, rank in zip(nodes, ranks, strict=True):
            columns[node] = rank
    return columns


def _spread(alone: Sequence[int], columns: list[int], lanes: Sequence[int]) -> None:
    """Spread the nodes without edges over the columns, lane by lane."""
    width = max(max(columns, default=0) + 1, ceil(sqrt(len(alone) / 2)))
    seen: dict[int, int] = {}
    for node in alone:
        columns[node] = seen.get(lanes[node], 0) % width
        seen[lanes[node]] = seen.get(lanes[node], 0) + 1


def _widths(numbered: _Numbered, columns: Sequence[int], nodes: Sequence[int]) -> list[int]:
    """The width of each column of a part."""
    widths = [0] * (max(columns[node] for node in nodes) + 1)
    for node in nodes:
        widths[columns[node]] = max(widths[columns[node]], numbered.sizes[node][0])
    return widths


def _least_width(widths: Sequence[int]) -> int:
    return sum(widths) + COLUMN_GAP * (len(widths) - 1) + 2 * MARGIN


def _in_rows(
    numbered: _Numbered,
    columns: Sequence[int],
    nodes: Sequence[int],
    edges: Sequence[Edge],
    widths: Sequence[int],
    names: Sequence[Hashable],
    lane_names: Sequence[str],
    widest: int,
) -> Drawing:
    """The drawing of a part that is too wide for one row."""
    row_of = rows_of(nodes, columns, widths, edges, widest)
    loops = set(numbered.loops)
    laid = []
    for graph in graphs_of_rows(nodes, edges, numbered.backward, numbered.lanes, columns, row_of):
        tall = [numbered.sizes[node][1] for node in graph.nodes]
        tall += [0] * (len(graph.columns) - len(graph.nodes))
        around = [place for place, node in enumerate(graph.nodes) if node in loops]
        net, at, extents = _laid(graph.columns, graph.lanes, tall, graph.edges, graph.backward, around)
        laid.append(Row(graph, Part(graph.nodes, net, at, extents)))
    every = [*edges, *((node, node) for node in nodes if node in loops)]
    return drawn_in_rows(laid, every, numbered.backward, names, numbered.sizes, lane_names, widest)


def _laid_part(numbered: _Numbered, columns: Sequence[int], nodes: list[int], edges: Sequence[Edge]) -> Part:
    local = {node: place for place, node in enumerate(nodes)}
    net, at, extents = _laid(
        [columns[node] for node in nodes],
        [numbered.lanes[node] for node in nodes],
        [numbered.sizes[node][1] for node in nodes],
        [(local[tail], local[head]) for tail, head in edges],
        {(local[tail], local[head]) for tail, head in edges if (tail, head) in numbered.backward},
        [local[node] for node in numbered.loops if node in local],
    )
    return Part(nodes, net, at, extents)


def _laid(
    columns: Sequence[int],
    lanes: Sequence[int],
    tall: Sequence[int],
    edges: Sequence[Edge],
    backward: set[Edge],
    loops: Sequence[int],
) -> tuple[Net, list[int], dict[int, tuple[int, int]]]:
    """The orders and heights of a part: its net, the middle of each vertex, and the top and bottom of each lane."""
    net = cut(columns, lanes, edges, backward)
    orders = ordered(net)
    add_turns(net, orders, backward, loops)
    at = [round(height) for height in heights(net, orders, tall)]
    extents: dict[int, tuple[int, int]] = {}
    for vertex, height in enumerate(at):
        half = tall[vertex] // 2 + 1 if vertex < net.size else NODE_GAP // 2
        top, bottom = extents.get(net.lane[vertex], (height, height))
        extents[net.lane[vertex]] = min(top, height - half), max(bottom, height + half)
    return net, at, extents
