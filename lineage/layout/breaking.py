"""Where a drawing that is too wide is broken into rows, as a text is broken into lines.

The best breaks of all are found by dynamic programming, as in Knuth and Plass, "Breaking paragraphs into lines" (1981):
few edges lead across them, rows are few and about equally long.
"""

from collections.abc import Sequence

from lineage.layout.chains import Edge

COST_OF_ROW = 3
"""One more row is as bad as so many edges across a break."""
COST_OF_ROOM = 4
"""A row that is almost empty is as bad as so many edges across a break."""


def breaks(widths: Sequence[int], across: Sequence[int], room: int) -> list[int]:
    """The first column of each row. `widths` are those of the columns with the gaps after them, `across[c]` is the
    number of lines that lead across a break before column `c`, and a row has `room`, or one column that is wider."""
    best: list[tuple[float, int]] = [(0.0, 0)]
    for end in range(1, len(widths) + 1):
        found = (float("inf"), 0)
        used = 0
        for start in range(end - 1, -1, -1):
            used += widths[start]
            if used > room and start < end - 1:
                break
            free = max(room - used, 0) / room
            cost = best[start][0] + COST_OF_ROW + across[start] + COST_OF_ROOM * free * free
            found = min(found, (cost, start))
        best.append(found)
    firsts = []
    end = len(widths)
    while end:
        end = best[end][1]
        firsts.append(end)
    return firsts[::-1]


def lines_across(columns: Sequence[int], edges: Sequence[Edge]) -> list[int]:
    """For each column, the number of nodes with an edge that leads across the gap before it; those share a line."""
    count = max(columns, default=-1) + 1
    across: list[set[int]] = [set() for _ in range(count)]
    for tail, head in edges:
        first, last = sorted((columns[tail], columns[head]))
        for column in range(first + 1, last + 1):
            across[column].add(tail)
    return [len(tails) for tails in across]
