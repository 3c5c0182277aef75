"""Initial orders of the columns: by a traversal of the graph, and shuffled."""

import random
from collections import deque
from collections.abc import Callable, Iterable

from lineage.layout.chains import Net
from lineage.layout.crossings import Orders


def starting_order(net: Net, number: int) -> Orders:
    """The initial order of this number: the first four by traversals of the graph, the others shuffled."""
    if number == 0:
        return walk(net, lambda vertex: net.left[vertex] + net.right[vertex])
    if number == 1:
        return walk(net, net.right.__getitem__)
    if number == 2:
        return walk(net, lambda vertex: net.left[vertex] + net.right[vertex], deep=True)
    if number == 3:
        return walk(net, net.left.__getitem__)
    orders = walk(net, lambda _: ())
    shuffler = random.Random(number)  # noqa: S311 - a fixed sequence, nothing secret
    for column in orders:
        shuffler.shuffle(column)
    return _by_lane(net, orders)


def walk(net: Net, following: Callable[[int], Iterable[int]], deep: bool = False) -> Orders:
    """The vertices in the order of a traversal, breadth first or `deep`, that starts at sources."""
    orders: Orders = [[] for _ in range(net.columns)]
    met = [False] * len(net.column)
    for first in sorted(range(len(net.column)), key=lambda vertex: bool(net.left[vertex])):
        waiting = deque([first])
        while waiting:
            vertex = waiting.pop() if deep else waiting.popleft()
            if not met[vertex]:
                met[vertex] = True
                orders[net.column[vertex]].append(vertex)
                waiting.extend(following(vertex))
    return _by_lane(net, orders)


def _by_lane(net: Net, orders: Orders) -> Orders:
    for column in orders:
        column.sort(key=net.lane.__getitem__)
    return orders
