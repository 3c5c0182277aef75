"""Numbers on pages: counts, metrics, and small charts of them."""

from collections.abc import Sequence
from dataclasses import dataclass

from catalog.metrics import describe_trend, format_metric, line_through
from catalog.metrics import sparkline as sparkline_points


def grouped(count: int) -> str:
    """A count with thousands set apart: `48,210`."""
    return f"{count:,}"


def metric(value: float | None) -> str:
    """A metric's value as people read it; a dash where there is none."""
    return "\N{EN DASH}" if value is None else format_metric(value)


@dataclass(frozen=True)
class Sparkline:
    """A small line chart: the `path` of its line, which stops at gaps, the place of the newest value, and `label`,
    the same in words."""

    path: str
    newest: tuple[float, float] | None
    label: str


def sparkline_of(name: str, values: Sequence[float | None], width: int, height: int, unit: str = "") -> Sparkline:
    """The chart of a metric's values, oldest first, with gaps where it was not measured."""
    points = sparkline_points(values, width, height)
    newest = next((point for point in reversed(points) if point), None)
    return Sparkline(line_through(points), newest, describe_trend(name, values, unit))
