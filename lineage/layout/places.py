"""Coordinate assignment: the heights of nodes and bends in ordered columns, such that edges are straight and short.

Each column in turn is moved towards its neighbours: least squares under its order and least distances, solved exactly
by pooling adjacent violators (Ayer, Brunk, Ewing, Reid and Silverman, "An empirical distribution function for sampling
with incomplete information", 1955). Segments of long edges have larger weights, as in Gansner, Koutsofios, North and Vo
(1993), section 4. Last, the bends of a long edge are put at one height where there is room, and each node at the height
of its median neighbour.
"""

from collections.abc import Sequence
from itertools import accumulate, pairwise

from lineage.layout.chains import Edge, Net
from lineage.layout.crossings import Orders

NODE_GAP = 16
"""The least distance between two boxes of a column."""
BEND_GAP = 10
"""The least distance of an edge from boxes and other edges of a column that it passes."""
SNAP = 6
"""A node whose height differs by at most this from that of a neighbour on the left is moved to it, if there is room."""
SWEEPS = 8
FIRST_SWEEPS = 2
"""The number of sweeps, the first ones, in which a column follows only the column before it."""
TOUCHES = 3
"""The number of rounds in which edges are straightened and nodes levelled."""
PULL = (1, 2, 8)
"""The weight of an edge between two nodes, a node and a bend, two bends."""
SLACK = 0.1
"""The weight of the present height of a vertex without neighbours."""


def heights(net: Net, orders: Orders, tall: Sequence[int]) -> list[float]:
    """The middle of each vertex, in each lane from 0; `tall` are the heights of the nodes."""
    places = _Places(net, orders, tall)
    for number in range(SWEEPS):
        places.sweep(towards_right=True, both=number >= FIRST_SWEEPS)
        places.sweep(towards_right=False, both=number >= FIRST_SWEEPS)
    for _ in range(TOUCHES):
        places.straighten()
        places.level()
    places.snap()
    places.straighten()
    return places.at


class _Places:
    """The present heights: `at[v]` is the middle of vertex `v`.

    `rows` are the columns split by lanes; in a row the order is fixed, and `offsets` are the sums of least distances.
    """

    def __init__(self, net: Net, orders: Orders, tall: Sequence[int]) -> None:
        self.net = net
        self.rows = [row for column in orders for row in _rows(net, column)]
        self.half = [tall[vertex] / 2 if vertex < net.size else 0.0 for vertex in range(len(net.column))]
        self.offsets = [
            list(accumulate((self._distance(above, below) for above, below in pairwise(row)), initial=0.0))
            for row in self.rows
        ]
        self.chains = _chains(net)
        self.above: dict[int, int] = {below: above for row in self.rows for above, below in pairwise(row)}
        self.below: dict[int, int] = {above: below for row in self.rows for above, below in pairwise(row)}
        self.left = self._pulls(net.left)
        self.right = self._pulls(net.right)
        self.at = [0.0] * len(net.column)
        for row, offsets in zip(self.rows, self.offsets, strict=True):
            for vertex, offset in zip(row, offsets, strict=True):
                self.at[vertex] = offset - offsets[-1] / 2

    def _distance(self, above: int, below: int) -> float:
        """The least distance between the middles of two adjacent vertices."""
        nodes = above < self.net.size and below < self.net.size
        return self.half[above] + self.half[below] + (NODE_GAP if nodes else BEND_GAP)

    def _pulls(self, side: Sequence[Sequence[int]]) -> list[list[tuple[int, int]]]:
        """For each vertex, its neighbours on one side in its own lane, with their weights."""
        net = self.net
        return [
            [
                (end, PULL[(vertex >= net.size) + (end >= net.size)])
                for end in side[vertex]
                if net.lane[end] == net.lane[vertex]
            ]
            for vertex in range(len(net.column))
        ]

    def sweep(self, towards_right: bool, both: bool) -> None:
        """Move row after row towards its neighbours in the column before, or on both sides."""
        at = self.at
        behind, ahead = (self.left, self.right) if towards_right else (self.right, self.left)
        step = 1 if towards_right else -1
        for row, offsets in list(zip(self.rows, self.offsets, strict=True))[::step]:
            wanted, weights = [], []
            for vertex, offset in zip(row, offsets, strict=True):
                pulls = behind[vertex] + ahead[vertex] if both else behind[vertex]
                if pulls:
                    weight = float(sum([pull for _, pull in pulls]))
                    goal = sum([at[end] * pull for end, pull in pulls]) / weight
                else:
                    weight, goal = SLACK, at[vertex]
                wanted.append(goal - offset)
                weights.append(weight)
            for vertex, offset, place in zip(row, offsets, pooled(wanted, weights), strict=True):
                at[vertex] = place + offset

    def _room(self, vertex: int) -> tuple[float, float]:
        """The range in which a vertex may move between its neighbours above and below."""
        above, below = self.above.get(vertex), self.below.get(vertex)
        low = float("-inf") if above is None else self.at[above] + self._distance(above, vertex)
        high = float("inf") if below is None else self.at[below] - self._distance(vertex, below)
        return low, high

    def straighten(self) -> None:
        """Put the bends of each long edge at one height, or at as few as there is room for."""
        for (tail, head), bends in self.chains.values():
            ends = (tail, head) if self.net.column[tail] <= self.net.column[head] else (head, tail)
            before = ends[0]
            run: list[int] = []
            low, high = float("-inf"), float("inf")
            for bend in bends:
                least, most = self._room(bend)
                if run and max(low, least) > min(high, most):
                    self._align(run, before, bend, low, high)
                    before, run, low, high = run[-1], [], float("-inf"), float("inf")
                run.append(bend)
                low, high = max(low, least), min(high, most)
            self._align(run, before, ends[1], low, high)

    def _align(self, run: list[int], before: int, after: int, low: float, high: float) -> None:
        """Put a run of bends at the height of the vertex before or after it, else as near to both as possible."""
        first, last = self.at[before], self.at[after]
        if low <= first <= high:
            height = first
        elif low <= last <= high:
            height = last
        else:
            height = min(max((first + last) / 2, low), high)
        for bend in run:
            self.at[bend] = height

    def level(self) -> None:
        """Move each node, as far as there is room, to the height of its median neighbour."""
        for row in self.rows:
            for vertex in row:
                if vertex < self.net.size:
                    ends = sorted(self.at[end] for end, _ in self.left[vertex] + self.right[vertex])
                    if ends:
                        low, high = self._room(vertex)
                        first, second = ends[(len(ends) - 1) // 2], ends[len(ends) // 2]
                        goal = min(max(self.at[vertex], first), second)
                        self.at[vertex] = min(max(goal, low), high)

    def snap(self) -> None:
        """Remove small steps, from left to right."""
        for row in self.rows:
            for vertex in row:
                if vertex < self.net.size and self.left[vertex]:
                    low, high = self._room(vertex)
                    goal = min((self.at[end] for end, _ in self.left[vertex]), key=lambda y: abs(y - self.at[vertex]))
                    if abs(goal - self.at[vertex]) <= SNAP and low <= goal <= high:
                        self.at[vertex] = goal


def _chains(net: Net) -> dict[int, tuple[Edge, tuple[int, ...]]]:
    """The edges with bends, by their first bend; of those that share it, the longest."""
    chains: dict[int, tuple[Edge, tuple[int, ...]]] = {}
    for edge, bends in net.bends.items():
        if bends and (bends[0] not in chains or len(bends) > len(chains[bends[0]][1])):
            chains[bends[0]] = edge, bends
    return chains


def _rows(net: Net, column: Sequence[int]) -> list[list[int]]:
    """A column, split by lanes."""
    rows: dict[int, list[int]] = {}
    for vertex in column:
        rows.setdefault(net.lane[vertex], []).append(vertex)
    return list(rows.values())


def pooled(wanted: Sequence[float], weights: Sequence[float]) -> list[float]:
    """The non-decreasing numbers nearest to `wanted` by the weighted sum of squares (isotonic regression)."""
    pools: list[tuple[float, float, int]] = []  # mean, weight, count
    for mean, weight in zip(wanted, weights, strict=True):
        count = 1
        while pools and pools[-1][0] >= mean:
            other, other_weight, other_count = pools.pop()
            mean = (mean * weight + other * other_weight) / (weight + other_weight)
            weight += other_weight
            count += other_count
        pools.append((mean, weight, count))
    return [mean for mean, _, count in pools for _ in range(count)]
