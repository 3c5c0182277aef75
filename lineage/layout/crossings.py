"""Count edge crossings: of all columns, and of two vertices of a column in either order.

The crossings between two columns are counted as inversions, as in Barth, Jünger and Mutzel, "Simple and efficient
bilayer cross counting" (2002).
"""

from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate, pairwise
from operator import sub

from lineage.layout.chains import Net

Orders = list[list[int]]
"""The vertices of each column from top to bottom."""


def crossings(net: Net, orders: Orders) -> int:
    """The number of crossings between segments of edges."""
    position = positions(net, orders)
    return sum(crossings_after(column, net.right, position) for column in orders)


def positions(net: Net, orders: Orders) -> list[int]:
    position = [0] * len(net.column)
    for column in orders:
        for place, vertex in enumerate(column):
            position[vertex] = place
    return position


def crossings_after(column: Sequence[int], right: Sequence[Sequence[int]], position: Sequence[int]) -> int:
    """The crossings between a column and the next: pairs of edges whose right ends are inverted."""
    ends: list[int] = []
    for vertex in column:
        if right[vertex]:
            ends.extend(sorted([position[end] for end in right[vertex]]))
    above: list[int] = []
    count = 0
    for number, end in enumerate(ends):
        place = bisect_right(above, end)
        count += number - place
        above.insert(place, end)
    return count


def cost_table(
    part: Sequence[int], side: Sequence[Sequence[int]], position: Sequence[int], width: int
) -> list[list[int]]:
    """For each two vertices, the crossings on one side with the first above the second, less those with it below."""
    ends: list[int] = []
    stops = [0]
    for vertex in part:
        ends.extend([position[end] for end in side[vertex]])
        stops.append(len(ends))
    single = len(ends) == len(part) and all(len(side[vertex]) == 1 for vertex in part)
    known: dict[tuple[int, ...], list[int]] = {}
    rows = []
    for first, stop in pairwise(stops):
        own = tuple(sorted(ends[first:stop]))
        row = known.get(own)
        if row is None:
            balance = _balance(own, width)
            row = list(map(balance.__getitem__, ends))
            if not single:
                sums = list(accumulate(row, initial=0))
                row = list(map(sub, map(sums.__getitem__, stops[1:]), map(sums.__getitem__, stops)))
            known[own] = row
        rows.append(row)
    return rows


def _balance(ends: Sequence[int], width: int) -> list[int]:
    """For each place of a column, the number of `ends` below it less the number above it."""
    balance: list[int] = []
    for above, end in enumerate(ends):
        balance.extend([len(ends) - 2 * above] * (end - len(balance)))
        if end < len(balance):
            balance[end] -= 1
        else:
            balance.append(len(ends) - 2 * above - 1)
    balance.extend([-len(ends)] * (width - len(balance)))
    return balance
