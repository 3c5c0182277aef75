"""Layered drawings of directed graphs, from left to right.

`lay_out` is all that others call. It is pure: the same graph gives the same drawing, in whatever order its nodes and
edges were added.
"""

from collections.abc import Hashable, Mapping, Sequence

import networkx as nx

from lineage.layout.incremental import extended, holds
from lineage.layout.layered import drawn
from lineage.layout.result import Box, Drawing, Lane, Route

__all__ = ["Box", "Drawing", "Lane", "Route", "lay_out"]


def lay_out(
    graph: nx.DiGraph,
    *,
    sizes: Mapping[Hashable, tuple[int, int]],
    lanes: Mapping[Hashable, str] | None = None,
    lane_order: Sequence[str] = (),
    held: Drawing | None = None,
) -> Drawing:
    """Draws `graph`, whose nodes measure `sizes` (width and height in pixels).

    Edges lead to the right, except those that close a cycle. The nodes of one lane of `lanes` lie in one horizontal
    band; the bands follow `lane_order`, then their names. With `held`, an earlier drawing, nodes that were in it keep
    their places relative to one another and new ones are added in the free space near their neighbours.
    """
    lane_of = {node: (lanes or {}).get(node, "") for node in graph}
    used = set(lane_of.values()) if lanes else set()
    lane_names = [name for name in dict.fromkeys(lane_order) if name in used]
    lane_names += sorted(used.difference(lane_names))
    if held is not None and holds(held, sizes, lane_of):
        return extended(graph, sizes, lane_names, lane_of, held)
    return drawn(graph, sizes, lane_names, lane_of)
