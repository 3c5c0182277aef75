"""The series of assets as the lines of plots: each version with its address, its aliases and the reason for a gap."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from catalog.addresses import asset_metrics_url, asset_url
from catalog.models import Asset
from catalog.pagekit.query import PageQuery
from catalog.plotting import Along, Group, Line, Plot, Point, Range
from catalog.series import Bucket, MetricSeries, Series, Span, Version

NOT_LOOKED_UP = "no number"
"""Said of a version whose gap is one of too many to say why."""


@dataclass(frozen=True)
class Charted:
    """An asset in a chart. `name` is empty for the asset whose page it is; `groups` is how the
    address of a chart of a part of it begins."""

    asset: Asset
    series: Series
    name: str
    groups: str
    aliases: Mapping[int, tuple[str, ...]]
    why: Mapping[str, Mapping[int, str]]
    """By metric and number."""
    asked: Span
    """All versions that are asked for; the series has the last ones of too many."""

    @property
    def left_out(self) -> Span:
        """The versions before those of the series."""
        return Span(self.asked.first, self.series.span.first - 1)

    def line(self, name: str) -> Line:
        metric = next(one for one in self.series.metrics if one.name == name)
        if self.series.is_sampled:
            return Line(self.name, groups=tuple(self._group(bucket) for bucket in metric.buckets))
        return Line(self.name, points=tuple(self._points(metric)))

    def known(self, name: str) -> list[tuple[int, float]]:
        """Number and value of each version that has one, where they are not in groups."""
        metric = next(one for one in self.series.metrics if one.name == name)
        pairs = zip(self.series.versions, metric.values, strict=False)
        return [(version.number, value) for version, value in pairs if value is not None]

    def why_not(self, name: str, number: int) -> str:
        """Why a version has no number of a metric."""
        return self.why.get(name, {}).get(number, NOT_LOOKED_UP)

    def _points(self, metric: MetricSeries) -> list[Point]:
        url = asset_url(self.asset)
        pairs = zip(self.series.versions, metric.values, strict=True)
        return [self._point(version, value, url, metric.name) for version, value in pairs]

    def _point(self, version: Version, value: float | None, url: str, name: str) -> Point:
        return Point(
            version.number,
            value,
            f"{url}/v{version.number}",
            version.at,
            version.state,
            self.why_not(name, version.number),
            self.aliases.get(version.number, ()),
        )

    def _group(self, bucket: Bucket) -> Group:
        url = f"{self.groups}from=v{bucket.first}&to=v{bucket.last}"
        ends = (bucket.first, bucket.last, bucket.at_first, bucket.at_last)
        low, high = (bucket.low, bucket.low_number), (bucket.high, bucket.high_number)
        return Group(*ends, *low, *high, bucket.measured, url)


def groups_of(query: PageQuery, asset: Asset, own: Asset) -> str:
    """How the address of a group begins: the same page of a part of the versions; of another asset its own page."""
    if asset.pk == own.pk:
        url = query.url(**{"from": None, "to": None})
    else:
        params = query.params.copy()
        for name in ("with", "from", "to"):
            params.pop(name, None)
        url = PageQuery(asset_metrics_url(asset), params).url()
    return f"{url}&" if "?" in url else f"{url}?"


def plots_of(charted: Sequence[Charted], names: Sequence[str], asked: Range, in_time: bool) -> list[Plot]:
    """A plot of each metric, which share one axis along versions or time. The first one is large; the ends that are
    asked for are those of its axis."""
    if not names:
        return []
    lines = {name: [one.line(name) for one in charted] for name in names}
    along = Along.of(_longest(lines), in_time=in_time)
    asset = charted[0].asset
    plain = Range(asked.log, asked.zero, asked.whole)
    return [
        Plot.of(
            name,
            its,
            along,
            plain if place else asked,
            unit=asset.metrics.unit(name),
            of=asset.title,
            small=place > 0,
        )
        for place, (name, its) in enumerate(lines.items())
    ]


def _longest(lines: Mapping[str, Sequence[Line]]) -> list[Line]:
    """Of each asset the line with the most on it: of metrics in groups those groups are lacking that have no value."""
    return [max(of_asset, key=lambda line: len(line.ends)) for of_asset in zip(*lines.values(), strict=True)]
