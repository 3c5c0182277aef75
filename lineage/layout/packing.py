"""Where the connected parts of a graph stand in one drawing: on a common grid of columns, under one another.

Each part goes to the columns over which it comes to lie highest, the largest part first: the skyline rule of packing
rectangles (Burke, Kendall and Whitwell, "A new placement heuristic for the orthogonal stock-cutting problem", 2004,
has one like it).
"""

from collections.abc import Sequence
from math import ceil, sqrt

GAP = 32
"""Between two parts, in pixels."""
ASPECT = 1.6
"""About how much wider than high a drawing of many parts becomes."""


def packed(parts: Sequence[tuple[int, int]], pitch: int, widest: int | None = None) -> list[tuple[int, int]]:
    """The first column and the top of each part, given as its columns and its height; columns are `pitch` apart.

    They are beside each other up to `widest`."""
    area = sum(columns * pitch * (height + GAP) for columns, height in parts)
    wanted = ceil(sqrt(area * ASPECT) / pitch)
    if widest is not None:
        wanted = min(wanted, widest // pitch)
    width = max([wanted, *(columns for columns, _ in parts)], default=0)
    skyline = [0] * width
    spots = [(0, 0)] * len(parts)
    for number in sorted(range(len(parts)), key=lambda number: (-parts[number][0], -parts[number][1], number)):
        columns, height = parts[number]
        top, first = min((max(skyline[first : first + columns]), first) for first in range(width - columns + 1))
        spots[number] = first, top
        skyline[first : first + columns] = [top + height + GAP] * columns
    return spots
