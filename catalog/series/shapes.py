"""What a reader of series gets: plain values, of which charts and tables are made."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from catalog.querysets import BLOCK

KEPT_NAMES = 200
"""So many metrics are kept of a block, and shown of an asset."""


@dataclass(frozen=True)
class Span:
    """Numbers of versions, the last one included."""

    first: int
    last: int

    @property
    def size(self) -> int:
        return max(0, self.last - self.first + 1)

    @property
    def blocks(self) -> range:
        """The blocks in which its numbers are."""
        return range(block_of(self.first), block_of(self.last) + 1) if self.size else range(0)

    def within(self, other: "Span") -> "Span":
        """What both have; of no size if they have nothing in common."""
        return Span(max(self.first, other.first), min(self.last, other.last))


NOWHERE = Span(1, 0)


def block_of(number: int) -> int:
    """The block that the number of a version is in, from 0."""
    return (number - 1) // BLOCK


def span_of(block: int, last: int | None = None) -> Span:
    """The numbers of a block, or from that block to the last one."""
    return Span(block * BLOCK + 1, ((block if last is None else last) + 1) * BLOCK)


def spans_of(blocks: list[int]) -> Iterator[Span]:
    """Blocks, in their order, as spans, of those that stand side by side one."""
    first = before = None
    for block in blocks:
        if before is not None and block != before + 1:
            yield span_of(first or 0, before)
            first = block
        first = block if first is None else first
        before = block
    if first is not None:
        yield span_of(first, before)


@dataclass(frozen=True)
class Version:
    """`state` is DEPRECATED for a ready one that is."""

    number: int
    at: datetime
    state: str


@dataclass(frozen=True)
class Bucket:
    """Successive versions taken together: from when to when, and the lowest and the highest value among them.

    Of versions with the same value the first one stands for it. `measured`: how many of them have a value.
    """

    first: int
    last: int
    at_first: datetime
    at_last: datetime
    low: float
    low_number: int
    high: float
    high_number: int
    measured: int


@dataclass(frozen=True)
class MetricSeries:
    """One metric: its values, one for each version of the series, None where it was not measured; or, of a series with
    too many versions, its buckets.

    `left_out`: where it is not among the metrics that are kept, so that nobody knows whether it was measured.
    """

    name: str
    values: list[float | None] = field(default_factory=list)
    buckets: list[Bucket] = field(default_factory=list)
    left_out: list[Span] = field(default_factory=list)

    @property
    def measured(self) -> int:
        """How many versions have a value."""
        return sum(value is not None for value in self.values) + sum(bucket.measured for bucket in self.buckets)


@dataclass(frozen=True)
class Series:
    """Some metrics of an asset over a span of its versions.

    `versions` are all of them, or none where buckets stand for them; then `per_bucket` is how many numbers a bucket has
    at most. `not_yet`: what the series does not have yet, because it waits for the background pass.
    """

    span: Span
    versions: list[Version]
    metrics: list[MetricSeries]
    not_yet: list[Span] = field(default_factory=list)
    count: int = 0
    """Of versions in the span, without those of `not_yet`."""
    failed: int = 0
    pending: int = 0
    deprecated: int = 0
    per_bucket: int = 1

    @property
    def is_sampled(self) -> bool:
        return self.per_bucket > 1


@dataclass(frozen=True)
class Names:
    """The metrics that an asset has, in the order in which they are shown, and how many versions have measured each.

    `left_out`: how many more names there are at least, which are not kept.
    """

    names: list[str]
    seen: Mapping[str, int]
    left_out: int = 0
