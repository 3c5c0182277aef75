"""Long edges are cut into segments, each from one column to the next.

A segment ends at a node or at a *bend* (a dummy vertex), the point at which the edge passes a column. Bends are
numbered after the nodes.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

Edge = tuple[int, int]

MOST_BENDS = 6_000
"""With more bends than this, the edges that leave a node share their bends until they part."""


@dataclass
class Net:
    """A graph whose edges all join neighbouring columns; its first `size` vertices are nodes, the others bends.

    `left[v]` and `right[v]` are the neighbours of `v` in the columns beside its own; `lane[v]` is the number of its
    lane. `bends[e]` are the bends of edge `e` from left to right; `shared` says whether edges share bends.
    """

    size: int
    column: list[int]
    lane: list[int]
    left: list[list[int]] = field(default_factory=list)
    right: list[list[int]] = field(default_factory=list)
    bends: dict[Edge, tuple[int, ...]] = field(default_factory=dict)
    shared: bool = False

    def __post_init__(self) -> None:
        self.left = [[] for _ in self.column]
        self.right = [[] for _ in self.column]

    @property
    def columns(self) -> int:
        return max(self.column, default=-1) + 1

    def add_bend(self, column: int, lane: int) -> int:
        self.column.append(column)
        self.lane.append(lane)
        self.left.append([])
        self.right.append([])
        return len(self.column) - 1

    def join(self, first: int, second: int) -> None:
        """Add a segment of an edge, unless there is a shared one."""
        if not (self.shared and second in self.right[first]):
            self.right[first].append(second)
            self.left[second].append(first)

    def part(self, first: int, second: int) -> None:
        if second in self.right[first]:
            self.right[first].remove(second)
            self.left[second].remove(first)


def cut(column: Sequence[int], lane: Sequence[int], edges: Sequence[Edge], backward: set[Edge]) -> Net:
    """The net of a layered graph; edges in `backward` lead to the left, the others to the right."""
    net = Net(len(column), list(column), list(lane))
    rightwards = [(edge, edge[::-1] if edge in backward else edge) for edge in edges]
    net.shared = sum(column[last] - column[first] - 1 for _, (first, last) in rightwards) > MOST_BENDS
    trunks: dict[tuple, list[int]] = {}
    for edge, (first, last) in rightwards:
        trunk = trunks.setdefault((first, edge in backward) if net.shared else edge, [])
        passed = column[last] - column[first] - 1
        while len(trunk) < passed:
            bend = net.add_bend(column[first] + len(trunk) + 1, lane[first])
            net.join(trunk[-1] if trunk else first, bend)
            trunk.append(bend)
        net.join(trunk[passed - 1] if passed else first, last)
        net.bends[edge] = tuple(trunk[:passed])
    return net
