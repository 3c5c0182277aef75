"""Layer assignment: the column of each node, such that edges lead to the right and their total length is small.

The least total length is found by the network simplex method of Gansner, Koutsofios, North and Vo, "A technique for
drawing directed graphs" (1993), section 2. Graphs too large for that are layered by longest paths, then nodes are moved
towards their neighbours.

Nodes are the numbers 0, 1, …; edges are pairs of them and form no cycle.
"""

from collections.abc import Sequence

Edge = tuple[int, int]

SIMPLEX_NODES = 700
"""Connected graphs with more nodes than this are layered by the faster, less exact method."""


def layers_of(size: int, edges: Sequence[Edge]) -> list[int]:
    """The column of each node of a connected graph, counted from 0."""
    outgoing: list[list[int]] = [[] for _ in range(size)]
    incoming: list[list[int]] = [[] for _ in range(size)]
    for tail, head in edges:
        outgoing[tail].append(head)
        incoming[head].append(tail)
    order = topological_order(outgoing, incoming)
    rank = _longest_paths(order, incoming)
    _drawn_to_neighbours(order, rank, incoming, outgoing)
    if edges and size <= SIMPLEX_NODES:
        _Simplex(size, edges, rank).improve()
        _even_out(order, rank, incoming, outgoing)
    first = min(rank, default=0)
    return [column - first for column in rank]


def topological_order(outgoing: Sequence[Sequence[int]], incoming: Sequence[Sequence[int]]) -> list[int]:
    waiting = [len(tails) for tails in incoming]
    order = [node for node, count in enumerate(waiting) if not count]
    for node in order:  # grows while it is read
        for head in outgoing[node]:
            waiting[head] -= 1
            if not waiting[head]:
                order.append(head)
    return order


def _longest_paths(order: Sequence[int], incoming: Sequence[Sequence[int]]) -> list[int]:
    rank = [0] * len(order)
    for node in order:
        rank[node] = max((rank[tail] for tail in incoming[node]), default=-1) + 1
    return rank


def _drawn_to_neighbours(
    order: Sequence[int], rank: list[int], incoming: Sequence[Sequence[int]], outgoing: Sequence[Sequence[int]]
) -> None:
    """Move each node as far as its edges allow towards the side on which it has more of them."""
    moved = True
    rounds = 0
    while moved and rounds < 8:
        moved = False
        rounds += 1
        for node in reversed(order):
            if outgoing[node] and len(outgoing[node]) > len(incoming[node]):
                column = min(rank[head] for head in outgoing[node]) - 1
                moved |= column != rank[node]
                rank[node] = column
        for node in order:
            if incoming[node] and len(incoming[node]) > len(outgoing[node]):
                column = max(rank[tail] for tail in incoming[node]) + 1
                moved |= column != rank[node]
                rank[node] = column


def _even_out(
    order: Sequence[int], rank: list[int], incoming: Sequence[Sequence[int]], outgoing: Sequence[Sequence[int]]
) -> None:
    """Move each node that may be in several columns at the same total length to the least crowded of them."""
    crowd: dict[int, int] = {}
    for column in rank:
        crowd[column] = crowd.get(column, 0) + 1
    for node in order:
        if not incoming[node] or len(incoming[node]) != len(outgoing[node]):
            continue
        leftmost = max(rank[tail] for tail in incoming[node]) + 1
        rightmost = min(rank[head] for head in outgoing[node]) - 1
        best = min(range(leftmost, rightmost + 1), key=lambda column: (crowd.get(column, 0), column))
        if crowd.get(best, 0) + 1 < crowd[rank[node]]:
            crowd[rank[node]] -= 1
            crowd[best] = crowd.get(best, 0) + 1
            rank[node] = best


class _Simplex:
    """A spanning tree of tight edges; tree edges are exchanged until no exchange shortens the total length.

    `parent_edge[v]` is the tree edge between `v` and its parent. `low` and `post` number the tree in postorder: the
    subtree of `v` has the numbers from `low[v]` to `post[v]`. The cut value `cut[e]` of a tree edge is the growth of
    the total length if the side of its head moves one column to the right.
    """

    def __init__(self, size: int, edges: Sequence[Edge], rank: list[int]) -> None:
        self.size = size
        self.edges = edges
        self.rank = rank
        self.tree: list[list[int]] = [[] for _ in range(size)]
        self.touching: list[list[int]] = [[] for _ in range(size)]
        for number, (tail, head) in enumerate(edges):
            self.touching[tail].append(number)
            self.touching[head].append(number)
        self.in_tree = [False] * len(edges)
        self.cut = [0] * len(edges)
        self.parent = [-1] * size
        self.parent_edge = [-1] * size
        self.low = [0] * size
        self.post = [0] * size

    def improve(self) -> None:
        """Improve the ranks in place."""
        self._grow_tree()
        self._number(0, 0)
        self._all_cut_values()
        start = 0
        for _ in range(20 * self.size):  # a bound for safety: far fewer exchanges are needed
            leaving = self._leaving(start)
            if leaving < 0:
                return
            start = leaving + 1
            self._exchange(leaving, self._entering(leaving))

    def _grow_tree(self) -> None:
        """Grow a spanning tree of tight edges; the tree so far is moved until one more edge is tight."""
        edges, rank = self.edges, self.rank
        reached = [False] * self.size
        reached[0] = True
        members = [0]
        frontier = [0]
        while True:
            while frontier:
                node = frontier.pop()
                for number in self.touching[node]:
                    tail, head = edges[number]
                    other = head if tail == node else tail
                    if not reached[other] and rank[head] - rank[tail] == 1:
                        reached[other] = True
                        members.append(other)
                        frontier.append(other)
                        self._join(number)
            if len(members) == self.size:
                return
            slack, tail = min(
                (rank[head] - rank[tail] - 1, tail) for tail, head in edges if reached[tail] != reached[head]
            )
            shift = slack if reached[tail] else -slack
            for node in members:
                rank[node] += shift
            frontier = list(members)

    def _join(self, number: int) -> None:
        tail, head = self.edges[number]
        self.in_tree[number] = True
        self.tree[tail].append(number)
        self.tree[head].append(number)

    def _part(self, number: int) -> None:
        tail, head = self.edges[number]
        self.in_tree[number] = False
        self.tree[tail].remove(number)
        self.tree[head].remove(number)

    def _number(self, root: int, low: int) -> list[int]:
        """Renumber the subtree of `root`, whose parent is known; return its nodes, each after its parent."""
        edges, parent, parent_edge = self.edges, self.parent, self.parent_edge
        members = [root]
        stack = [root]
        while stack:
            node = stack.pop()
            for number in self.tree[node]:
                if number != parent_edge[node]:
                    tail, head = edges[number]
                    child = head if tail == node else tail
                    parent[child] = node
                    parent_edge[child] = number
                    stack.append(child)
            if node != root:
                members.append(node)
        counts = dict.fromkeys(members, 1)
        for node in reversed(members[1:]):
            counts[parent[node]] += counts[node]
        next_low = {root: low}
        for node in members:
            self.low[node] = next_low[node] if node == root else self.low[node]
            self.post[node] = self.low[node] + counts[node] - 1
            first = self.low[node]
            for number in self.tree[node]:
                if number != parent_edge[node]:
                    tail, head = edges[number]
                    child = head if tail == node else tail
                    self.low[child] = first
                    first += counts[child]
        return members

    def _all_cut_values(self) -> None:
        members = sorted(range(self.size), key=self.post.__getitem__)
        for node in members[:-1]:
            self.cut[self.parent_edge[node]] = self._cut_value(node)

    def _cut_value(self, child: int) -> int:
        """The cut value of the edge above `child`, from those of the edges below it."""
        number = self.parent_edge[child]
        towards = 1 if self.edges[number][1] == child else -1  # the head's side is the subtree
        value = 0
        for other in self.touching[child]:
            _, head = self.edges[other]
            sign = towards if head == child else -towards
            value += sign
            if other != number and self.in_tree[other]:
                value -= sign * self.cut[other]
        return value

    def _leaving(self, start: int) -> int:
        """A tree edge of negative cut value, the worst of the first few after `start`; -1 if there is none."""
        cut, in_tree = self.cut, self.in_tree
        count = len(self.edges)
        best, found = -1, 0
        for step in range(count):
            number = (start + step) % count
            if cut[number] < 0 and in_tree[number]:
                if best < 0 or cut[number] < cut[best]:
                    best = number
                found += 1
                if found == 20:
                    break
        return best

    def _entering(self, leaving: int) -> int:
        """The tightest edge that leads from the head's side of a tree edge to its tail's side."""
        tail, head = self.edges[leaving]
        below = head if self.parent_edge[head] == leaving else tail
        low, high = self.low[below], self.post[below]
        head_is_below = below == head
        rank, post = self.rank, self.post
        best, least = -1, 0
        for number, (start, end) in enumerate(self.edges):
            start_below = low <= post[start] <= high
            if start_below == head_is_below and (low <= post[end] <= high) != start_below:
                slack = rank[end] - rank[start]
                if best < 0 or slack < least:
                    best, least = number, slack
        return best

    def _exchange(self, leaving: int, entering: int) -> None:
        tail, head = self.edges[leaving]
        below = head if self.parent_edge[head] == leaving else tail
        start, end = self.edges[entering]
        slack = self.rank[end] - self.rank[start] - 1
        if slack:
            shift = slack if below == head else -slack
            low, high = self.low[below], self.post[below]
            for node, post in enumerate(self.post):
                if low <= post <= high:
                    self.rank[node] += shift
        change = self.cut[leaving]
        top = self._cut_path(start, end, change)
        self._cut_path(end, start, -change)
        self.cut[entering] = -change
        self.cut[leaving] = 0
        self._part(leaving)
        self._join(entering)
        self._number(top, self.low[top])

    def _cut_path(self, node: int, other: int, change: int) -> int:
        """Change the cut values from `node` up to the common ancestor with `other`; return that ancestor."""
        post = self.post
        while not self.low[node] <= post[other] <= post[node]:
            number = self.parent_edge[node]
            self.cut[number] += change if self.edges[number][0] == node else -change
            node = self.parent[node]
        return node
