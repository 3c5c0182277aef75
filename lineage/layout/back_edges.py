"""Turns of back edges: room beside their nodes to turn round.

While columns are ordered, a back edge is reversed and treated like any other. Then it gets a bend next to its source
and one next to its target, in their columns, so that it can leave on the right, pass its own node and run back, like
edges with inverted ports in Schulze, Spönemann and von Hanxleden, "Drawing layered graphs with port constraints"
(2014).
"""

from collections.abc import Iterable, Sequence

from lineage.layout.chains import Edge, Net
from lineage.layout.crossings import Orders


def add_turns(net: Net, orders: Orders, backward: Iterable[Edge], loops: Iterable[int]) -> None:
    """Add the bends to net and orders; `net.bends` of a back edge then lists all of them, from left to right."""
    place = {vertex: number for column in orders for number, vertex in enumerate(column)}
    turns: dict[object, int] = {}

    def turn(key: object, node: int, below: bool) -> int:
        if key not in turns:
            turns[key] = net.add_bend(net.column[node], net.lane[node])
            column = orders[net.column[node]]
            column.insert(column.index(node) + below, turns[key])
        return turns[key]

    sides = {}
    for source, target in sorted(backward):
        inner = net.bends[source, target]
        below = _comes_from_below(inner[-1] if inner else target, source, net.left[source], place)
        sides[source, target] = below, _comes_from_below(inner[0], target, net.right[target], place) if inner else below
    for edge, (source_below, target_below) in sides.items():
        source, target = edge
        inner = net.bends[edge]
        at_source = turn(("source", source) if net.shared else ("source", *edge), source, source_below)
        at_target = turn(("target", target) if net.shared else ("target", *edge), target, target_below)
        if inner:
            net.part(target, inner[0])
            net.part(inner[-1], source)
            net.join(at_target, inner[0])
            net.join(inner[-1], at_source)
        else:
            net.part(target, source)
            net.join(at_target, at_source)
        net.bends[edge] = (at_target, *inner, at_source)
    for node in loops:
        net.bends[node, node] = (turn(("loop", node), node, below=True),)


def _comes_from_below(end: int, node: int, ends: Sequence[int], place: dict[int, int]) -> bool:
    """Whether an edge crosses fewer others if it passes below its node: its end is compared with theirs."""
    others = [place[other] for other in ends if other != end]
    return place[end] >= sum(others) / len(others) if others else True
