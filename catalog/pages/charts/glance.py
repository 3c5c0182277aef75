"""The chart of an asset's first metric on its own page: the newest versions, which that page reads anyway."""

from collections.abc import Iterable

from catalog.addresses import asset_url
from catalog.models import Alias, Asset
from catalog.pages.trends import Trend
from catalog.plotting import Along, Line, Plot, Point, Range

NOT_READY = "not ready"
"""A version that the page has not read: it failed, or is pending."""


def glance_of(asset: Asset, trend: Trend, name: str, aliases: Iterable[Alias]) -> Plot | None:
    """The chart of a metric; None while fewer than two versions have measured it."""
    values = dict(zip(trend.numbers, trend.series(name), strict=True))
    if sum(value is not None for value in values.values()) < 2:
        return None
    held: dict[int, list[str]] = {}
    for alias in aliases:
        held.setdefault(alias.number, []).append(alias.name)  # type: ignore[attr-defined]  # annotated by its query
    url = asset_url(asset)
    points = [
        Point(
            number,
            values.get(number),
            f"{url}/v{number}",
            why="not measured" if number in values else NOT_READY,
            aliases=tuple(held.get(number, ())),
        )
        for number in range(min(values), max(values) + 1)
    ]
    line = Line(points=tuple(points))
    along = Along.of([line], in_time=False)
    return Plot.of(name, [line], along, Range(), unit=asset.metrics.unit(name), of=asset.title, small=True)
