"""The route of an edge through the columns that it passes."""

from collections.abc import Sequence
from itertools import groupby

from lineage.layout.result import Box, Point, Route

Span = tuple[int, int]


def forward(source: Box, target: Box, spans: Sequence[Span], heights: Sequence[int]) -> Route:
    """A route to the right. `spans` are the sides of the columns from the source's to the target's, both included;
    `heights` are those at which it passes the columns between them."""
    (_, source_right), *passed, (target_left, _) = spans
    points = [(source.right, source.port), (source_right, source.port)]
    for (left, right), height in zip(passed, heights, strict=True):
        points += [(left, height), (right, height)]
    points += [(target_left, target.port), (target.x, target.port)]
    return Route(_distinct(points))


def backward(source: Box, target: Box, spans: Sequence[Span], heights: Sequence[int]) -> Route:
    """A route against the flow. `spans` are the sides of the columns from the source's to the target's, to the left;
    `heights` are those at which it passes them, those two included."""
    points = [(source.right, source.port), (spans[0][1], source.port)]
    for (left, right), height in zip(spans, heights, strict=True):
        points += [(right, height), (left, height)]
    points += [(spans[-1][0], target.port), (target.x, target.port)]
    return Route(_distinct(points), back=True)


def _distinct(points: Sequence[Point]) -> tuple[Point, ...]:
    """The points without consecutive duplicates."""
    return tuple(point for point, _ in groupby(points))
