"""Choose the back edges: those to draw against the flow, so that all others can lead to the right.

A smallest set is NP-hard to find. Each strongly connected part is put into a sequence by the greedy rule of Eades, Lin
and Smyth, "A fast and effective heuristic for the feedback arc set problem" (1993). Edges that lead back in the
sequence are reversed, except those that close no cycle once the others are.
"""

from collections.abc import Collection, Sequence

import networkx as nx

Edge = tuple[int, int]


def back_edges(size: int, edges: Sequence[Edge]) -> set[Edge]:
    """The edges to reverse, among `edges` between the nodes 0 … `size` - 1; loops are ignored."""
    graph: nx.DiGraph = nx.DiGraph()
    graph.add_nodes_from(range(size))
    graph.add_edges_from((tail, head) for tail, head in edges if tail != head)
    reversed_edges: set[Edge] = set()
    for part in nx.strongly_connected_components(graph):
        if len(part) > 1:
            reversed_edges |= _back_edges_of(part, graph)
    return reversed_edges


def _back_edges_of(part: Collection[int], graph: nx.DiGraph) -> set[Edge]:
    place = {node: number for number, node in enumerate(_row(part, graph))}
    inner = sorted((tail, head) for tail in part for head in graph[tail] if head in place)
    backward = [(tail, head) for tail, head in inner if place[tail] > place[head]]
    forward: nx.DiGraph = nx.DiGraph((tail, head) for tail, head in inner if place[tail] < place[head])
    forward.add_nodes_from(part)
    needed = set()
    for tail, head in backward:
        if nx.has_path(forward, head, tail):
            needed.add((tail, head))
        else:
            forward.add_edge(tail, head)
    return needed


def _row(part: Collection[int], graph: nx.DiGraph) -> list[int]:
    """The nodes in a sequence with few edges back: sinks last, sources first, else by out-degree less in-degree.

    Of equals, the one with most edges from outside the part is first: there the flow enters the cycle.
    """
    heads = {node: {head for head in graph[node] if head in part} for node in part}
    tails = {node: {tail for tail in graph.pred[node] if tail in part} for node in part}
    entries = {node: graph.in_degree(node) - len(tails[node]) for node in part}
    left: list[int] = []
    right: list[int] = []

    def take(node: int, row: list[int]) -> None:
        row.append(node)
        for head in heads.pop(node):
            tails[head].discard(node)
        for tail in tails.pop(node):
            heads[tail].discard(node)

    while heads:
        sink = min((node for node in heads if not heads[node]), default=None)
        source = min((node for node in tails if not tails[node]), default=None)
        if sink is not None:
            take(sink, right)
        elif source is not None:
            take(source, left)
        else:
            take(min(heads, key=lambda node: (len(tails[node]) - len(heads[node]), -entries[node], node)), left)
    return left + right[::-1]
