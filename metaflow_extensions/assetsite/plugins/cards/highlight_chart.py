"""The chart of a highlight card: shapes in a drawing that stretches with the card, its text beside it in HTML."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

from obproject.charts import HEIGHT, WIDTH, Chart


def render_chart(data: Mapping[str, Any]) -> str:
    """Return the figure: legend, axis, drawing, caption. The colours are defined in ``highlight_style``."""
    chart = Chart.of(data)
    grid = "".join(f'<path class="grid" d="M0 {y}H{WIDTH}"/>' for y in chart.grid)
    shapes = "".join(f'<path class="{shape.kind} c{shape.colour}" d="{shape.path}"/>' for shape in chart.shapes)
    drawing = (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" preserveAspectRatio="none" role="img" '
        f'aria-label="{escape(chart.summary)}">{grid}{shapes}</svg>'
    )
    caption = f"<figcaption>{escape(chart.caption)}</figcaption>" if chart.caption else ""
    return f'<figure class="chart">{_legend(chart)}{_axis(chart)}{drawing}{_along(chart)}{caption}</figure>'


def _axis(chart: Chart) -> str:
    labels = [
        f'<span style="top:{round(100 * y / HEIGHT, 1)}%">{tick}</span>'
        for y, tick in zip(chart.grid, chart.ticks, strict=True)
    ]
    return f'<div class="axis" aria-hidden="true">{"".join(labels)}</div>'


def _along(chart: Chart) -> str:
    spans = "".join(f"<span>{escape(label)}</span>" for label in chart.along)
    return f'<div class="along{" each" if chart.each else ""}" aria-hidden="true">{spans}</div>'


def _legend(chart: Chart) -> str:
    items = "".join(f'<li class="c{colour}">{escape(name)}</li>' for colour, name in chart.legend)
    return f'<ul class="legend">{items}</ul>' if items else ""
