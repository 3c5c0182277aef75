"""Crossing minimization: the order of the nodes and bends of each column.

Several initial orders are swept in both directions with barycentres (Sugiyama, Tagawa and Toda, "Methods for visual
understanding of hierarchical system structures", 1981) and medians (Eades and Wormald, "Edge crossings in drawings of
bipartite graphs", 1994). The results are refined by sifting (Matuszewski, Schönfeld and Molitor, "Using sifting for
k-layer straightline crossing minimization", 1999), here with the columns on both sides and with moves to equally good
places. The best result is returned. The number of starts depends on the size of the graph, not on the clock.

The nodes of a lane stay together in each column, lanes in the order of their numbers.
"""

from collections.abc import Sequence
from itertools import accumulate, pairwise
from operator import add

from lineage.layout.chains import Net
from lineage.layout.crossings import Orders, cost_table, crossings_after, positions
from lineage.layout.initial_orders import starting_order, walk

EFFORT = 250_000
"""The search ends before a start that would exceed this effort, counted in pairs compared while sifting."""
MOST_EFFORT = 1_000_000
"""Sifting ends at this effort."""
MOST_STARTS = 12
MOST_SWEEPS = 24
PATIENCE = 6
"""The number of sweeps without a new best after which sweeping ends."""
MOST_ROUNDS = 40
"""Rounds of sifting through all columns."""
PASSES = 6
"""The number of times that the vertices of one column are sifted before the next column."""
NAMING_ROUNDS = 2
FADING = 0.8
"""The weight of each node relative to the one before it, when an order is compared with its mirror image."""


def ordered(net: Net) -> Orders:
    """The nodes and bends of each column, from top to bottom."""
    search = _Search(net)
    best: Orders = []
    fewest = -1
    for number in range(MOST_STARTS):
        spent = search.effort
        orders, crossed = search.run(starting_order(net, number), mixed=number % 4 != 2)
        if fewest < 0 or crossed < fewest:
            best, fewest = orders, crossed
        if not fewest or 2 * search.effort - spent > EFFORT:
            break
    return search.by_name(_upright(net, best))


def _upright(net: Net, orders: Orders) -> Orders:
    """Of an order and its mirror image, which have equal crossings, the one with the first nodes above.

    Each node counts a little less than the one before it, so that a small change of the graph rarely flips the drawing.
    """
    if len(set(net.lane)) > 1:
        return orders
    tendency = 0.0
    for column in orders:
        middle = (len(column) - 1) / 2
        tendency += sum((middle - place) * FADING**node for place, node in enumerate(column) if node < net.size)
    return orders if tendency >= 0 else [column[::-1] for column in orders]


class _Search:
    """The current order, with the position of each vertex, and the effort so far."""

    def __init__(self, net: Net) -> None:
        self.net = net
        self.effort = 0
        self.orders: Orders = []
        self.position = [0] * len(net.column)
        self.segments = [self._segments(column) for column in walk(net, lambda _: ())]

    def _segments(self, column: Sequence[int]) -> list[tuple[int, int]]:
        """The range of each lane in a column, which is the same in every order."""
        lanes = [self.net.lane[vertex] for vertex in column]
        cuts = [place for place in range(1, len(lanes)) if lanes[place] != lanes[place - 1]]
        return list(pairwise([0, *cuts, len(lanes)]))

    def run(self, orders: Orders, mixed: bool) -> tuple[Orders, int]:
        """Sweep and sift an initial order; return the result and its crossings."""
        crossed = self._sweep(orders, mixed)
        return self.orders, crossed - self._sift()

    def _stand(self, orders: Orders) -> None:
        self.orders = [list(column) for column in orders]
        self.position = positions(self.net, self.orders)

    def _count(self) -> int:
        return sum(crossings_after(column, self.net.right, self.position) for column in self.orders)

    def _sweep(self, start: Orders, mixed: bool) -> int:
        """Sweep until nothing improves, and make the best order the current one; return its crossings."""
        self._stand(start)
        best, fewest, idle = start, self._count(), 0
        for sweep in range(MOST_SWEEPS):
            self._pass(rightwards=sweep % 2 == 0, medians=mixed and sweep % 4 >= 2, turn_ties=sweep % 4 >= 2)
            crossed = self._count()
            idle += 1
            if crossed < fewest:
                best, fewest, idle = [list(column) for column in self.orders], crossed, 0
            if idle > PATIENCE or not fewest:
                break
        self._stand(best)
        return fewest

    def _pass(self, rightwards: bool, medians: bool, turn_ties: bool) -> None:
        """Order each column by the places of its neighbours in the column before."""
        net, position = self.net, self.position
        side = net.left if rightwards else net.right
        rule = _median if medians else _mean
        key: dict[int, float] = {}
        for number in range(1, net.columns) if rightwards else range(net.columns - 2, -1, -1):
            column = self.orders[number]
            free = []
            for vertex in column:
                ends = side[vertex]
                if len(ends) == 1:
                    key[vertex] = position[ends[0]]
                elif ends:
                    key[vertex] = rule([position[end] for end in ends])
                else:
                    free.append(vertex)
            fixed = set(free)
            for start, stop in self.segments[number]:
                part = column[start:stop]
                if turn_ties:
                    part.reverse()
                if fixed.isdisjoint(part):
                    part.sort(key=key.__getitem__)
                else:  # vertices without neighbours there keep their places
                    moving = iter(sorted([vertex for vertex in part if vertex not in fixed], key=key.__getitem__))
                    part = [vertex if vertex in fixed else next(moving) for vertex in part]
                column[start:stop] = part
            for place, vertex in enumerate(column):
                position[vertex] = place

    def _sift(self) -> int:
        """Sift column by column in both directions until none changes; return the crossings saved."""
        last = len(self.orders) - 1
        stale = [True] * (last + 1)
        saved = 0
        for turn in range(MOST_ROUNDS):
            saved_before = saved
            for number in range(last + 1) if turn % 2 == 0 else range(last, -1, -1):
                if not stale[number] or self.effort > MOST_EFFORT:
                    continue
                stale[number] = False
                for segment in self.segments[number]:
                    gain, moved = self._sift_segment(number, *segment)
                    saved += gain
                    if moved:
                        stale[max(number - 1, 0)] = stale[min(number + 1, last)] = True
            if saved == saved_before:
                break
        return saved

    def by_name(self, orders: Orders) -> Orders:
        """The order with adjacent nodes, or bends, put in the order of their names if that changes no crossings."""
        self._stand(orders)
        for _ in range(NAMING_ROUNDS):
            for number, column in enumerate(self.orders):
                for start, stop in self.segments[number]:
                    for place in range(start + 1, stop):
                        self._rise(column, start, place)
        return self.orders

    def _rise(self, column: list[int], start: int, place: int) -> None:
        """Move a vertex up past those with later names, while that changes no crossings."""
        size = self.net.size
        vertex = column[place]
        while place > start:
            above = column[place - 1]
            if above < vertex or (above < size) != (vertex < size) or self._difference(above, vertex):
                break
            column[place], self.position[above] = above, place
            place -= 1
        column[place], self.position[vertex] = vertex, place

    def _difference(self, one: int, other: int) -> int:
        """The crossings of two vertices with `one` above `other`, less those with it below."""
        position = self.position
        return sum(
            (position[end] > position[other_end]) - (position[end] < position[other_end])
            for side in (self.net.left, self.net.right)
            for end in side[one]
            for other_end in side[other]
        )

    def _costs(self, number: int, part: Sequence[int]) -> list[list[int]]:
        """For each two vertices of a column, the crossings with the first above, less those with it below."""
        sides = [(self.net.left, number - 1), (self.net.right, number + 1)]
        tables = [
            cost_table(part, side, self.position, len(self.orders[beside]))
            for side, beside in sides
            if 0 <= beside < len(self.orders)
        ]
        self.effort += 2 * len(part) * len(part)
        if not tables:
            return [[0] * len(part) for _ in part]
        return tables[0] if len(tables) == 1 else [list(map(add, *rows)) for rows in zip(*tables, strict=True)]

    def _sift_segment(self, number: int, start: int, stop: int) -> tuple[int, bool]:
        """Sift the vertices of one lane in a column; return the crossings saved, and whether anything moved."""
        if stop - start < 2:
            return 0, False
        column = self.orders[number]
        part = column[start:stop]
        costs = self._costs(number, part)
        order, gain = _sifted(costs)
        if order == list(range(len(part))):
            return 0, False
        column[start:stop] = [part[place] for place in order]
        for place in range(start, stop):
            self.position[column[place]] = place
        return gain, True


def _mean(places: list[int]) -> float:
    return sum(places) / len(places)


def _median(places: list[int]) -> float:
    """The median; between two middle places it is weighted towards the side with the smaller spread."""
    places.sort()
    middle = len(places) // 2
    if len(places) % 2:
        return places[middle]
    above, below = places[middle - 1], places[middle]
    spread_above, spread_below = above - places[0], places[-1] - below
    if spread_above + spread_below == 0:
        return (above + below) / 2
    return (above * spread_below + below * spread_above) / (spread_above + spread_below)


def _sifted(costs: list[list[int]]) -> tuple[list[int], int]:
    """An order that no move of a single vertex improves, and the crossings that it saves over 0, 1, 2, …

    Of equally good places the topmost is taken: a move that saves nothing often makes one possible that does.
    """
    order = list(range(len(costs)))
    saved = 0
    for turn in range(PASSES):
        saved_before = saved
        for mover in order[:] if turn % 2 == 0 else order[::-1]:
            row = costs[mover]
            gains = list(accumulate(map(row.__getitem__, order), initial=0))
            place = order.index(mover)
            best = max(gains)
            target = gains.index(best)
            if target in (place, place + 1):
                continue
            saved += best - gains[place]
            del order[place]
            order.insert(target - (target > place), mover)
        if saved == saved_before:
            break
    return order, saved
