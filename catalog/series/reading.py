"""Reading series: what was packed from its blocks, what is newer or waits to be packed from the instances.

A block that is forgotten or packed while it is read is read as the one or the other: its rows are made and deleted, and
never changed.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import Any

import orjson

from catalog.models import Asset
from catalog.querysets import BLOCK
from catalog.series.buckets import Extremes, Frame, Part, bucket_size, in_buckets
from catalog.series.kept_names import kept_names, shown_order
from catalog.series.packing import Block, blocks_of, floats_of, moment, moments_of
from catalog.series.scanning import EVERY, Scanned, scan
from catalog.series.shapes import NOWHERE, MetricSeries, Names, Series, Span, Version, block_of, span_of, spans_of
from catalog.series.statements import blocks_between, names_of_blocks
from catalog.states import DEPRECATED, State

LIVE = 2
"""So many blocks are read from the instances at most: the newest ones that are not packed."""
MOST_NAMED = 50_000
"""So many numbers of long annotations are looked at for their names."""


class Reading:
    """An asset, which was found visible, whose metrics and series are read: what is newest once for both."""

    def __init__(self, asset: Asset) -> None:
        self._asset, self._newest = asset, dict[int, list[Scanned]]()

    def names(self) -> Names:
        """The metrics of all its versions, but for those that wait to be packed.

        Of versions that are not packed and have very many, not all are looked at.
        """
        asset, seen, least, kept = self._asset, Counter[str](), 0, set()
        for number, names, more in names_of_blocks.all(asset=asset.pk) if asset.series_packed else ():
            its = names if isinstance(names, dict) else orjson.loads(names)
            kept.add(number)
            seen.update(its)
            least = max(least, len(its) + more)
        every = Span(1, asset.last_number)
        for row in self._scan_whole([number for number in every.blocks if number not in kept][-LIVE:]):
            seen.update(row.measures.keys())
        chosen = kept_names(seen, asset.metrics)
        shown = shown_order(chosen, asset.metrics)
        return Names(shown, {name: seen[name] for name in shown}, left_out=max(len(seen), least) - len(chosen))

    def series(self, names: Sequence[str], span: Span | None = None, most_points: int = 500) -> Series:
        """Some metrics over a span of its versions, or over all of them; of more than `most_points` versions buckets,
        each of two points."""
        every = Span(1, self._asset.last_number)
        span = every if span is None else span.within(every)
        names, size = list(dict.fromkeys(names)), bucket_size(span, most_points)
        kept = _kept_blocks(self._asset, names, span, size)
        waiting = [number for number in span.blocks if number not in kept]
        live, not_yet = waiting[-LIVE:], waiting[:-LIVE]
        rows = self._scan(span, live, names)
        found: dict[int, Block | _Whole] = {**kept, **{block.number: block for block in blocks_of(rows, names)}}
        return _series(span, [found[number] for number in sorted(found)], names, size, not_yet)

    def _scan_whole(self, blocks: list[int]) -> list[Scanned]:
        """The versions of some blocks with whatever they measured."""
        rows = _scanned(self._asset, blocks, Span(1, self._asset.last_number), most=MOST_NAMED)
        self._newest = {number: [] for number in blocks} if all(row.is_whole for row in rows) else {}
        for row in rows if self._newest else ():
            self._newest[block_of(row.number)].append(row)
        return rows

    def _scan(self, span: Span, blocks: list[int], names: list[str]) -> list[Scanned]:
        """Those in a span, with at least these metrics."""
        if any(number not in self._newest for number in blocks):
            return _scanned(self._asset, blocks, span, names)
        return [row for number in blocks for row in self._newest[number] if span.first <= row.number <= span.last]


def series_of(asset: Asset, names: Sequence[str], span: Span | None = None, most_points: int = 500) -> Series:
    return Reading(asset).series(names, span, most_points)


def names_of(asset: Asset) -> Names:
    return Reading(asset).names()


def _scanned(
    asset: Asset, blocks: list[int], span: Span, names: Collection[str] | None = None, most: int = EVERY
) -> list[Scanned]:
    """The versions of at most two blocks from the instances."""
    spans = [part.within(span) for part in spans_of(blocks)]
    first, other = [*spans, NOWHERE, NOWHERE][:2]
    return scan(asset.pk, first, asset.metrics, names, other, most)


@dataclass(frozen=True)
class _Whole:
    """What is kept of a block that is taken as a whole."""

    number: int
    part: Part | None
    states: Counter[str]
    left_out: int = 0

    @property
    def known(self) -> Collection[str]:
        return self.part.extremes.keys() if self.part else ()

    def parts(self, span: Span, size: int) -> list[Part]:
        return [self.part] if self.part else []

    def count(self, span: Span) -> Counter[str]:
        return self.states


def _kept_blocks(asset: Asset, names: list[str], span: Span, size: int) -> "dict[int, Block | _Whole]":
    """What is kept of a span, by the numbers of blocks: with each version, or as a whole where that is enough."""
    if not span.size or asset.series_packed < span.first:
        return {}
    blocks = span.blocks
    opened = [number for number in blocks if size < BLOCK or span_of(number).within(span).size < BLOCK]
    rows = blocks_between.all(asset=asset.pk, first=blocks[0], last=blocks[-1], names=names, opened=opened)
    found = [list(some) for _, some in groupby(rows, key=itemgetter(0))]
    return {some[0][1]: _block(some) if some[0][1] in opened else _whole(some) for some in found}


def _whole(rows: list[Any]) -> _Whole:
    """A block of which there are rows as `blocks_between` answers them."""
    _, number, first, last, first_at, last_at, versions, failed, pending, deprecated, left_out, *_ = rows[0]
    states = Counter({State.FAILED.value: failed, State.PENDING.value: pending, DEPRECATED: deprecated})
    states[State.READY.value] = versions - states.total()
    if not versions:
        return _Whole(number, None, states)
    extremes = {row[11]: Extremes(*row[12:17]) for row in rows if row[11] is not None}
    return _Whole(number, Part(Frame(first, last, moment(first_at), moment(last_at)), extremes), states, left_out)


def _block(rows: list[Any]) -> Block:
    number, left_out, times, states = rows[0][1], rows[0][10], rows[0][18], rows[0][19]
    values = {row[11]: floats_of(row[17]) for row in rows if row[11] is not None}
    return Block(number, moments_of(times), bytes(states).decode(), values, left_out)


def _series(span: Span, found: "list[Block | _Whole]", names: list[str], size: int, not_yet: list[int]) -> Series:
    count = sum((block.count(span) for block in found), Counter[str]())
    left_out = {name: [block.number for block in found if block.left_out and name not in block.known] for name in names}
    return Series(
        span=span,
        versions=[] if size > 1 else _versions(span, found),
        metrics=[
            MetricSeries(name, **drawn, left_out=[part.within(span) for part in spans_of(left_out[name])])
            for name, drawn in _drawn(span, found, names, size)
        ],
        not_yet=[part.within(span) for part in spans_of(not_yet)],
        count=count.total(),
        failed=count[State.FAILED],
        pending=count[State.PENDING],
        deprecated=count[DEPRECATED],
        per_bucket=size,
    )


def _versions(span: Span, found: "list[Block | _Whole]") -> list[Version]:
    return [version for block in found if isinstance(block, Block) for version in block.versions(span)]


def _drawn(span: Span, found: "list[Block | _Whole]", names: list[str], size: int) -> Iterator[tuple[str, Any]]:
    """The values of each metric, or its buckets."""
    if size > 1:
        parts = [part for block in found for part in block.parts(span, size)]
        for name, buckets in in_buckets(parts, names, size).items():
            yield name, {"buckets": buckets}
        return
    blocks = [block for block in found if isinstance(block, Block)]
    for name in names:
        yield name, {"values": [value for block in blocks for value in block.values_in(span, name)]}
