"""Series that are read from the instances, as long as nothing was packed."""

import json

import pytest

from catalog.declared_metrics import DeclaredMetrics
from catalog.metrics import metrics_of
from catalog.series import BLOCK, Span, names_of, series_of
from catalog.series.scanning import scan
from tests.catalog.series.worlds import BEGIN, MINUTE, asset_with

pytestmark = [pytest.mark.both, pytest.mark.django_db]


def test_values_stand_beside_their_versions_and_only_ready_ones_have_any():
    asset = asset_with(
        [{"auc": 0.9}, {"auc": "0.91"}, {"auc": "n/a"}, {"auc": 0.1}, {"auc": 0.2}], {4: "failed", 5: "pending"}
    )
    series = series_of(asset, ["auc", "nothing"])
    assert [(version.number, version.state) for version in series.versions][2:] == [
        (3, "ready"),
        (4, "failed"),
        (5, "pending"),
    ]
    assert series.versions[0].at == BEGIN + MINUTE
    assert [metric.values for metric in series.metrics] == [[0.9, 0.91, None, None, None], [None] * 5]
    assert (series.count, series.failed, series.pending, series.not_yet) == (5, 1, 1, [])
    assert not series.is_sampled


@pytest.mark.parametrize("padding", [0, 5_000], ids=["short", "long"])
def test_what_measures_is_the_same_in_short_and_in_long_annotations(padding):
    said = {
        'a"b': 0.1234567890123456,
        "é.x": "17",
        "[0]": -0.0,
        "$": 1e300,
        "zeros": "0." + "0" * 398,
        "too_long": "0." + "0" * 399,
        "number": 12345678901234567890,
        "flag": True,
        "nothing": None,
        "list": [1],
        "object": {"a": 1},
        "name_of_it": "00934",
        "run_id": 5,
        "text": "x" * padding,
    }
    asset = asset_with([said, {}])
    first, _ = scan(asset.pk, Span(1, 2), DeclaredMetrics())
    assert dict(first.measures) == metrics_of(said)
    assert {"too_long", "flag", "run_id"}.isdisjoint(first.measures)
    wanted = ['a"b', "é.x", "text", "run_id"]
    assert series_of(asset, wanted).metrics[0].values == [said['a"b'], None]
    assert [metric.values[0] for metric in series_of(asset, wanted).metrics[1:]] == [17, None, None]
    assert max(len(json.dumps(said)), 4_096) == (len(json.dumps(said)) if padding else 4_096)


def test_too_many_versions_come_in_buckets_that_keep_what_is_lowest_and_highest():
    asset = asset_with([{"auc": float(number % 7)} for number in range(1, 401)])
    series = series_of(asset, ["auc"], most_points=100)
    (auc,) = series.metrics
    assert (series.per_bucket, series.versions, auc.values) == (8, [], [])
    assert (auc.buckets[0].first, auc.buckets[0].last, auc.buckets[-1].last) == (1, 8, 400)
    assert (auc.buckets[0].low, auc.buckets[0].low_number, auc.buckets[0].high_number) == (0, 7, 6)
    assert sum(bucket.measured for bucket in auc.buckets) == auc.measured == 400
    assert auc.buckets[0].at_last == BEGIN + 8 * MINUTE


def test_a_span_is_a_part_of_the_versions_that_there_are():
    asset = asset_with([{"auc": number / 10} for number in range(1, 6)])
    part = series_of(asset, ["auc"], Span(4, 99))
    assert (part.span, part.metrics[0].values) == (Span(4, 5), [0.4, 0.5])
    none = series_of(asset, ["auc"], Span(8, 9))
    assert (none.span.size, none.versions, none.not_yet) == (0, [], [])
    assert series_of(asset_with([], asset_id="empty"), ["auc"]).count == 0


def test_what_waits_to_be_packed_is_said(django_assert_max_num_queries):
    asset = asset_with([{"auc": 0.5}] * (3 * BLOCK + 1))
    with django_assert_max_num_queries(4):
        series = series_of(asset, ["auc"])
    assert series.not_yet == [Span(1, 2 * BLOCK)]
    assert series.metrics[0].measured == series.count == BLOCK + 1
    with django_assert_max_num_queries(4):
        assert names_of(asset).seen == {"auc": BLOCK + 1}


def test_names_come_as_declared_and_what_is_beyond_two_hundred_is_counted():
    said = {f"n{number:03}": 1 for number in range(250)}
    asset = asset_with(
        [said, {"zeta": 1, "auc": 1}, {"zeta": 2, "build": 7}], declared=({"name": "zeta"}, {"name": "build"})
    )
    names = names_of(asset)
    assert names.names[:4] == ["zeta", "build", "auc", "n000"]
    assert (len(names.names), names.left_out, names.seen["zeta"]) == (200, 53, 2)
