"""Whatever the values are, buckets keep the lowest and the highest of each stretch, and who has them."""

from array import array
from datetime import timedelta
from math import nan

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from catalog.series.buckets import MOST_OPENED, bucket_size, in_buckets
from catalog.series.packing import BEGIN, Block, as_bytes, blocks_of, floats_of, moments_of
from catalog.series.scanning import Scanned
from catalog.series.shapes import BLOCK, Span, span_of, spans_of

FINITE = st.floats(allow_nan=False, allow_infinity=False)
VERSIONS = st.lists(
    st.tuples(st.none() | FINITE | st.sampled_from([0.0, -0.0, 1.0, 5e-324, 1.7e308]), st.integers(0, 10**6)),
    max_size=40,
)
STRETCHED = st.integers(1, 40)
SIZES = st.sampled_from([2, 4, 8, 32, 128, 256, 512, 1024])


def versions_of(drawn, stretch):
    """So many versions, a few numbers apart, so that they are in several blocks."""
    return [
        Scanned(1 + place * stretch, BEGIN + timedelta(seconds=at), "ready", {} if value is None else {"auc": value})
        for place, (value, at) in enumerate(drawn)
    ]


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(VERSIONS, STRETCHED, SIZES, st.integers(1, 900), st.integers(1, 900))
def test_every_bucket_keeps_its_extremes(drawn, stretch, size, first, more):
    rows, span = versions_of(drawn, stretch), Span(first, first + more)
    parts = [part for block in blocks_of(rows, ["auc"]) for part in block.parts(span, size)]
    buckets = in_buckets(parts, ["auc", "loss"], size)
    assert buckets["loss"] == []
    groups: dict[int, list[Scanned]] = {}
    for row in rows:
        if span.first <= row.number <= span.last:
            groups.setdefault((row.number - 1) // size, []).append(row)
    measured = [mine for mine in groups.values() if any(row.measures for row in mine)]
    assert len(buckets["auc"]) == len(measured)
    for bucket, mine in zip(buckets["auc"], measured, strict=True):
        values = {row.number: row.measures["auc"] for row in mine if row.measures}
        assert (bucket.low, bucket.high) == (min(values.values()), max(values.values()))
        assert bucket.low_number == min(number for number, value in values.items() if value == bucket.low)
        assert bucket.high_number == min(number for number, value in values.items() if value == bucket.high)
        assert (bucket.first, bucket.last, bucket.measured) == (mine[0].number, mine[-1].number, len(values))
        assert (bucket.at_first, bucket.at_last) == (min(row.at for row in mine), max(row.at for row in mine))


@given(st.integers(1, 10**6), st.integers(0, 10**6), st.integers(1, 2000))
def test_no_span_has_more_points_than_are_wanted(first, more, most):
    span = Span(first, first + more)
    size = bucket_size(span, most)
    assert size == 1 or size & (size - 1) == 0
    assert (size == 1) == (span.size <= most)
    buckets = (span.last - 1) // size - (span.first - 1) // size + 1
    assert size == 1 or 2 * buckets <= max(most, 2)
    assert size == 1 or size >= BLOCK or len(span.blocks) <= MOST_OPENED


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(VERSIONS, STRETCHED)
def test_a_block_comes_back_from_its_bytes(drawn, stretch):
    for block in blocks_of(versions_of(drawn, stretch), ["auc"]):
        values = {name: floats_of(as_bytes(its)) for name, its in block.values.items()}
        again = Block(block.number, moments_of(as_bytes(block.times)), block.states, values)
        everything = span_of(block.number)
        assert again.versions(everything) == block.versions(everything)
        assert as_bytes(again.values["auc"]) == as_bytes(block.values["auc"])
        assert again.values_in(everything, "auc") == block.values_in(everything, "auc")
        assert again.values_in(everything, "loss") == [None] * len(again.versions(everything))


def test_bytes_are_the_same_on_every_machine():
    assert as_bytes(array("d", [1.0, nan]))[:8] == b"\0\0\0\0\0\0\xf0?"
    assert as_bytes(array("q", [258])) == b"\x02\x01\0\0\0\0\0\0"


def test_blocks_side_by_side_are_one_span():
    assert list(spans_of([0, 1, 3])) == [Span(1, 512), Span(769, 1024)]
    assert list(spans_of([])) == []
