"""Free space in one column: the free place nearest to a wanted one."""

from collections.abc import Iterable

Interval = tuple[int, int]


def nearest(wanted: int, blocked: Iterable[Interval], top: int | None = None, bottom: int | None = None) -> int | None:
    """The number nearest to `wanted` from `top` to `bottom` and outside the (open) blocked intervals; None if there is
    none."""
    if top is not None:
        wanted = max(wanted, top)
    if bottom is not None:
        wanted = min(wanted, bottom)
    intervals = sorted(blocked)
    below = above = wanted
    for low, high in intervals:
        if low < below < high:
            below = high
    for low, high in sorted(intervals, key=lambda interval: -interval[1]):
        if low < above < high:
            above = low
    found = [spot for spot in (below, above) if _inside(spot, top, bottom)]
    return min(found, key=lambda spot: abs(spot - wanted), default=None)


def _inside(spot: int, top: int | None, bottom: int | None) -> bool:
    return (top is None or top <= spot) and (bottom is None or spot <= bottom)
