"""Layered drawings of directed graphs, from left to right.

The entry point is `lay_out`. It is pure: the same graph gives the same drawing, in whatever order its nodes and edges
were added.
"""

from collections.abc import Hashable, Mapping, Sequence

import networkx as nx

from lineage.layout.incremental import can_extend, extended
from lineage.layout.layered import drawn
from lineage.layout.result import Box, Drawing, Lane, Route

__all__ = ["Box", "Drawing", "Lane", "Route", "lay_out"]


def lay_out(
    graph: nx.DiGraph,
    *,
    sizes: Mapping[Hashable, tuple[int, int]],
    lanes: Mapping[Hashable, str] | None = None,
    lane_order: Sequence[str] = (),
    previous: Drawing | None = None,
    widest: int | None = None,
) -> Drawing:
    """The drawing of `graph`, whose nodes have the `sizes` (width and height in pixels).

    Edges lead to the right, except back edges, which close a cycle. The nodes of one lane of `lanes` lie in one
    horizontal band; the bands follow `lane_order`, then their names. With `previous`, an earlier drawing, the layout is
    incremental: its nodes keep their relative places, and new ones are added in free space near their neighbours.
    A part wider than `widest` is drawn in rows; such a drawing can't be extended, and an extended one may be wider.
    """
    lane_of = {node: (lanes or {}).get(node, "") for node in graph}
    used = set(lane_of.values()) if lanes else set()
    lane_names = [name for name in dict.fromkeys(lane_order) if name in used]
    lane_names += sorted(used.difference(lane_names))
    if previous is not None and can_extend(previous, sizes, lane_of):
        return extended(graph, sizes, lane_names, lane_of, previous)
    return drawn(graph, sizes, lane_names, lane_of, widest)
