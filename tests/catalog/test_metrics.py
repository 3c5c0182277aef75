"""Which annotations are metrics, how changes are judged, and how series are drawn."""

import json
import math

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from catalog.metrics import Metric, describe_trend, format_metric, headline, metrics_of, sparkline, wanted_direction

FINITE = st.floats(allow_nan=False, allow_infinity=False)


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (0, 0.0),
        (-3, -3.0),
        (0.5, 0.5),
        ("12", 12.0),
        ("-0.25", -0.25),
        ("1e5", 100000.0),
        ("1E-2", 0.01),
        ("0", 0.0),
    ],
)
def test_numbers_and_json_number_strings_are_metrics(value, number):
    assert metrics_of({"k": value}) == {"k": number}


@pytest.mark.parametrize(
    "value",
    [
        *(True, False, None, [], {}, [1], float("nan"), float("inf"), 10**400),
        *("", " 1", "1 ", "1\n", "+1", ".5", "1.", "01", "-", "0x1", "1e400", "9" * 500),
        *("NaN", "Infinity", "-inf", "1_000", "1,000", "true", "v2"),
        *("\u0663", "\uff11"),  # digits of other scripts
    ],
)
def test_everything_else_is_not_a_metric(value):
    assert metrics_of({"k": value}) == {}


@pytest.mark.parametrize(
    "key",
    ["artifact", "run_pathspec", "promoted_from_branch", "promoted_from_instance", "promoted_by", "_config_hash", "_"],
)
def test_reserved_keys_are_never_metrics(key):
    assert metrics_of({key: 1, "rows": 2}) == {"rows": 2.0}


@given(st.text())
def test_a_string_is_a_metric_exactly_when_json_reads_it_as_a_finite_number(text):
    try:
        value = json.loads(text, parse_constant=lambda name: None)
    except ValueError:
        value = None
    is_number = isinstance(value, int | float) and not isinstance(value, bool) and text == text.strip()
    assert bool(metrics_of({"k": text})) == (is_number and math.isfinite(value))


@given(FINITE)
def test_a_number_means_the_same_as_its_json_text(value):
    assert metrics_of({"k": json.dumps(value)}) == metrics_of({"k": value}) == {"k": value}


def test_metrics_keep_the_order_of_the_annotations():
    assert list(metrics_of({"rows": 1, "note": "x", "auc": 2, "acc": 3})) == ["rows", "auc", "acc"]


def test_the_headline_shows_quality_first_then_what_can_be_compared_then_names():
    metrics = {"zebra": 1.0, "rows": 5.0, "bytes": 7.0, "val_loss": 0.2, "accuracy": 0.9}
    names = [metric.name for metric in headline(metrics, {"rows": 4.0, "accuracy": 0.8}, limit=4)]
    assert names == ["accuracy", "val_loss", "rows", "bytes"]


def test_the_headline_does_not_depend_on_the_order_of_annotations():
    metrics = {"b": 1.0, "a": 2.0, "auc": 3.0}
    assert headline(metrics, None) == headline(dict(reversed(metrics.items())), None)


def test_the_headline_carries_the_value_before_and_never_more_than_the_limit():
    assert headline({"auc": 0.5, "rows": 2.0}, {"auc": 0.25}, limit=1) == [Metric("auc", 0.5, 0.25)]
    assert headline({"auc": 0.5}, None, limit=0) == []


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("accuracy", "up"),
        ("val_AUC", "up"),
        ("f1-score", "up"),
        ("recall@10", "up"),
        ("log_loss", "down"),
        ("p95 latency ms", "down"),
        ("score_error", "down"),
        ("row_count", None),
        ("auc_in_production", None),
        ("accurate", None),
        ("", None),
    ],
)
def test_the_name_of_a_metric_tells_where_it_should_go(name, wanted):
    assert wanted_direction(name) == wanted


@pytest.mark.parametrize(
    ("metric", "direction", "verdict", "delta_text"),
    [
        (Metric("accuracy", 0.934, 0.928), "up", "better", "0.006"),
        (Metric("accuracy", 0.92, 0.93), "down", "worse", "0.01"),
        (Metric("loss", 0.2, 0.3), "down", "better", "0.1"),
        (Metric("rows", 48210, 47655), "up", "neutral", "555"),
        (Metric("accuracy", 0.9, 0.9), "same", "neutral", "0"),
        (Metric("accuracy", 0.9), None, "neutral", ""),
        (Metric("gain", 1.7e308, -1.7e308), None, "neutral", ""),
    ],
)
def test_a_change_is_told_by_direction_size_and_verdict(metric, direction, verdict, delta_text):
    assert (metric.direction, metric.verdict, metric.delta_text) == (direction, verdict, delta_text)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (-0.0, "0"),
        (0.934, "0.934"),
        (0.9300, "0.93"),
        (0.123456, "0.1235"),
        (48210, "48,210"),
        (-1234567.0, "-1,234,567"),
        (1234.56, "1,234.6"),
        (0.99999, "0.99999"),
        (0.00001234, "1.23e-05"),
        (3e20, "3e+20"),
    ],
)
def test_numbers_are_written_for_people(value, text):
    assert format_metric(value) == text


@given(st.floats(min_value=-1e300, max_value=1e300))
def test_every_number_can_be_written_shortly_and_close_to_its_value(value):
    text = format_metric(value)
    assert len(text) <= 24
    assert float(text.replace(",", "")) == pytest.approx(value, rel=0.01, abs=1e-300)


@given(st.lists(st.none() | FINITE, max_size=40))
def test_a_sparkline_stays_in_its_box_and_runs_from_left_to_right(values):
    points = sparkline(values, width=92, height=26)
    assert len(points) == sum(value is not None for value in values)
    assert all(0 <= x <= 92 and 0 <= y <= 26 for x, y in points)
    assert [x for x, _ in points] == sorted(x for x, _ in points)


@given(FINITE, FINITE)
def test_a_higher_value_is_drawn_higher(low, high):
    assume(low < high)
    (_, y_low), (_, y_high) = sparkline([low, high])
    assert y_high < y_low


def test_a_constant_series_runs_along_the_middle():
    assert [y for _, y in sparkline([5.0, 5.0, 5.0], height=26)] == [13, 13, 13]


def test_a_single_value_is_one_point_at_the_right_end():
    assert sparkline([0.9], width=92, height=26) == [(89, 13)]


def test_a_missing_value_keeps_its_place():
    assert [x for x, _ in sparkline([1.0, None, 2.0], width=92)] == [3, 89]
    assert sparkline([None, None]) == sparkline([]) == []


def test_a_trend_is_told_in_words():
    series = [0.9, None, 0.95, 0.93]
    assert describe_trend("auc", series) == "auc over 3 versions: from 0.9 to 0.93, between 0.9 and 0.95"
    assert describe_trend("auc", [0.9]) == "auc: 0.9"
    assert describe_trend("auc", [None]) == "auc: no values"
