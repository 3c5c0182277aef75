"""Numbers on pages: counts, metrics, and small charts of them."""

from collections.abc import Sequence
from typing import Any

from django import template

from catalog.metrics import describe_trend, format_metric, line_through
from catalog.metrics import sparkline as sparkline_points

register = template.Library()


@register.filter
def grouped(count: int) -> str:
    """A count with thousands set apart: `48,210`."""
    return f"{count:,}"


@register.filter
def metric(value: float | None) -> str:
    """A metric's value as people read it; a dash where there is none."""
    return "\N{EN DASH}" if value is None else format_metric(value)


@register.inclusion_tag("_sparkline.html")
def sparkline(name: str, values: Sequence[float | None], width: int = 92, height: int = 26) -> dict[str, Any]:
    """The small line chart of a metric's values, oldest first, with gaps where it was not measured."""
    points = sparkline_points(values, width, height)
    return {
        "path": line_through(points),
        "newest": next((point for point in reversed(points) if point), None),
        "label": describe_trend(name, values),
        "width": width,
        "height": height,
    }
