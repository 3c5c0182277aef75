"""Reading series: what was packed from its blocks, what is newer or not packed from the instances."""

from collections import Counter
from collections.abc import Sequence
from itertools import groupby
from math import nan

from catalog.models import Asset
from catalog.series.buckets import bucket_size, in_buckets, parts_of
from catalog.series.kept_names import kept_names, shown_order
from catalog.series.scanning import Scanned, scan
from catalog.series.shapes import MetricSeries, Names, Series, Span, Version, block_of, span_of, spans_of
from catalog.states import State

LIVE = 2
"""So many blocks are read from the instances at most: the newest ones that are not packed."""


def series_of(asset: Asset, names: Sequence[str], span: Span | None = None, most_points: int = 500) -> Series:
    """Some metrics of an asset, which was found visible, over a span of its versions, or over all of them.

    Of more than `most_points` versions it has buckets, each of two points.
    """
    every = Span(1, asset.last_number)
    span = every if span is None else span.within(every)
    size = bucket_size(span, most_points)
    missing = list(span.blocks)
    live, not_yet = missing[-LIVE:], missing[:-LIVE]
    rows = scan(asset.pk, _live_part(live, span), asset.metrics, names)
    return _series(span, rows, names, size, not_yet)


def _series(span: Span, rows: list[Scanned], names: Sequence[str], size: int, not_yet: list[int]) -> Series:
    versions = [Version(row.number, row.at, row.state) for row in rows]
    if size == 1:
        metrics = [MetricSeries(name, values=[row.measures.get(name) for row in rows]) for name in names]
    else:
        parts = []
        for _, some in groupby(rows, key=lambda row: block_of(row.number)):
            mine = list(some)
            values = {name: [row.measures.get(name, nan) for row in mine] for name in names}
            parts += parts_of([Version(row.number, row.at, row.state) for row in mine], values, size)
        metrics = [MetricSeries(name, buckets=its) for name, its in in_buckets(parts, names, size).items()]
    states = Counter(row.state for row in rows)
    return Series(
        span=span,
        versions=versions if size == 1 else [],
        metrics=metrics,
        not_yet=[part.within(span) for part in spans_of(not_yet)],
        count=len(rows),
        failed=states[State.FAILED],
        pending=states[State.PENDING],
        per_bucket=size,
    )


def names_of(asset: Asset) -> Names:
    """The metrics of an asset, which was found visible: of all its versions, but for those that wait to be packed."""
    every = Span(1, asset.last_number)
    live = list(every.blocks)[-LIVE:]
    seen: Counter[str] = Counter()
    for row in scan(asset.pk, _live_part(live, every), asset.metrics):
        seen.update(row.measures.keys())
    kept = kept_names(seen, asset.metrics)
    return Names(shown_order(kept, asset.metrics), {name: seen[name] for name in kept}, len(seen) - len(kept))


def _live_part(blocks: list[int], span: Span) -> Span:
    return span_of(blocks[0], blocks[-1]).within(span) if blocks else Span(1, 0)
