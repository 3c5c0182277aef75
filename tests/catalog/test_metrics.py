"""Which annotations are metrics, how changes are judged, and how series are drawn."""

import json
from decimal import Decimal

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from catalog.declared_metrics import NONE_DECLARED, DeclaredMetrics
from catalog.metrics import (
    Metric,
    describe_trend,
    format_metric,
    line_through,
    metrics_of,
    sparkline,
    wanted_direction,
)
from catalog.pages.trends import RECENT, Trend

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
        ("999999999999999", 999999999999999.0),
        ("-4200000000000000000", -4.2e18),
        ("0.30000000000000004", 0.30000000000000004),
        ("0.9333333333333333", 0.9333333333333333),
        ("1.2345678901234567e-05", 1.2345678901234567e-05),
        (10**25, 1e25),
    ],
)
def test_numbers_and_json_number_strings_are_metrics(value, number):
    assert metrics_of({"k": value}) == {"k": number}


@pytest.mark.parametrize(
    "value",
    [
        *(True, False, None, [], {}, [1], float("nan"), float("inf"), 10**400),
        *("", " 1", "1 ", "1\n", "+1", ".5", "1.", "01", "-", "0x1", "1e400", "9" * 500),
        *("NaN", "nan", "Infinity", "-inf", "1_000", "1,000", "true", "v2", "n/a"),
        *(
            "1" * 40,
            "1234567890123456",
            "-1234567890123456",
            "0123",
            "01.5",
            "0.123456789012345678",
            "1.23456789012345678e3",
        ),
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
@example("1000000000000001")
@example("100000000000000100")
def test_a_string_is_a_metric_only_when_json_reads_it_as_a_finite_number(text):
    try:
        value = json.loads(text, parse_constant=lambda name: None)
    except ValueError:
        value = None
    is_number = isinstance(value, int | float) and not isinstance(value, bool) and text == text.strip()
    if is_number:  # of more digits than these it is a name
        digits = "".join(map(str, Decimal(text).as_tuple().digits)).strip("0")
        is_number = len(digits) <= (15 if isinstance(value, int) else 17)
    assert metrics_of({"k": text}) == (metrics_of({"k": value}) if is_number else {})


@given(FINITE)
def test_a_number_means_the_same_as_its_json_text(value):
    assert metrics_of({"k": json.dumps(value)}) == metrics_of({"k": value}) == {"k": value}


def test_metrics_keep_the_order_of_the_annotations():
    assert list(metrics_of({"rows": 1, "note": "x", "auc": 2, "acc": 3})) == ["rows", "auc", "acc"]


def trend(*annotations):
    """The trend of versions that say this, oldest first."""
    return Trend(tuple(range(1, len(annotations) + 1)), annotations)


def test_the_headline_shows_quality_first_then_what_can_be_compared_then_names():
    shown = trend({"rows": 4, "accuracy": 0.8, "val_loss": 1}, {"zebra": 1, "rows": 5, "bytes": 7, "accuracy": 0.9})
    assert [metric.name for metric in shown.headline(4)] == ["accuracy", "val_loss", "rows", "bytes"]


def test_the_headline_does_not_depend_on_the_order_of_annotations():
    said = {"b": 1, "a": 2, "auc": 3}
    assert trend(said).headline(3) == trend(dict(reversed(said.items()))).headline(3)
    assert trend(said).headline(0) == trend().headline(3) == []


GAPS = [None, {}, "n/a", "NaN", "", True, [0.9], {"value": 0.9}]


@pytest.mark.parametrize("gap", GAPS)
def test_a_version_without_a_number_takes_no_metric_away(gap):
    """Neither from the names, nor from their order, nor from the values before it."""
    said = {"rows": 5, "bytes": 7} | ({} if gap == {} else {"auc": gap})
    shown = trend({"auc": 0.8, "rows": 4, "bytes": 7}, {"auc": 0.9, "rows": 4, "bytes": 7}, said)
    assert shown.names == ["auc", "bytes", "rows"]
    assert shown.series("auc") == [0.8, 0.9, None]
    auc = shown.metric("auc")
    assert (auc.is_gap, auc.text, auc.previous_ref, auc.ref, auc.delta) == (True, "0.9", "v2", "v3", None)
    assert auc.shape == {
        "value": None,
        "before": 0.9,
        "before_ref": "v2",
        "change": None,
        "better": "higher",
        "unit": None,
        "noise": None,
    }


@pytest.mark.parametrize("missing", ["a", "b", "c", "d"])
def test_no_single_version_changes_which_metrics_come_first(missing):
    whole = dict.fromkeys("abcd", 1)
    newest = {name: value for name, value in whole.items() if name != missing}
    assert trend(whole, whole, newest).names == trend(whole, newest, whole).names == list("abcd")


def test_a_change_is_that_since_the_last_version_that_measured_it():
    shown = trend({"auc": 0.8}, {"auc": "n/a"}, {}, {"auc": 0.9})
    assert shown.metric("auc") == Metric("auc", 0.9, 0.8, "v1", skips=True, ref="v4", wanted="up")
    assert trend({"auc": 0.8}, {"auc": 0.9}).metric("auc") == Metric("auc", 0.9, 0.8, "v1", ref="v2", wanted="up")
    assert trend({}, {"auc": 0.9}).metric("auc") == Metric("auc", 0.9, ref="v2", wanted="up")


def test_what_was_given_up_comes_after_what_is_measured():
    assert trend({"acc": 1}, *[{"auc": 1, "rows": 2}] * RECENT).names == ["auc", "acc", "rows"]
    assert trend({"acc": 1}, *[{"auc": 1, "rows": 2}] * (RECENT - 1)).names == [
        "auc",
        "acc",
        "rows",
    ]  # not compared yet
    assert trend({"acc": 1}, {"acc": 1}, *[{"auc": 1}] * (RECENT - 1)).names == ["acc", "auc"]


DECLARED = DeclaredMetrics.of(
    [
        {"name": "rows", "better": "lower", "unit": "k"},
        {"name": "auc", "better": "none"},
        {"name": "zeal", "better": "higher", "headline": True},
    ]
)


def test_what_is_declared_comes_first_in_its_order():
    said = {"accuracy": 1, "auc": 0.9, "bytes": 7, "rows": 5, "zeal": 1}
    shown = Trend((1, 2), (said, said), DECLARED)
    assert shown.names == ["zeal", "rows", "auc", "accuracy", "bytes"]
    assert [metric.name for metric in shown.headline(2)] == ["zeal", "rows"]
    assert trend(said, said).names == ["accuracy", "auc", "bytes", "rows", "zeal"]


def test_a_declared_direction_counts_instead_of_that_of_the_name():
    shown = Trend((1, 2), ({"rows": 5, "auc": 0.8, "zeal": 1}, {"rows": 4, "auc": 0.9, "zeal": 0}), DECLARED)
    assert [shown.metric(name).verdict for name in ("rows", "auc", "zeal")] == ["better", "neutral", "worse"]
    rows = shown.metric("rows")
    assert (rows.unit, rows.shape["better"], rows.shape["unit"]) == ("k", "lower", "k")
    assert shown.metric("auc").shape["better"] is None


def test_a_change_smaller_than_the_declared_noise_is_neither_better_nor_worse():
    declared = DeclaredMetrics.of([{"name": "auc", "better": "higher", "noise": 0.002}])
    changes = [(0.8, 0.801), (0.8, 0.7981), (0.8, 0.802), (0.8, 0.798), (0.8, 0.8)]
    judged = [declared.metric("auc", after, before) for before, after in changes]
    assert [metric.within_noise for metric in judged] == [True, True, False, False, False]
    assert [metric.verdict for metric in judged] == ["neutral", "neutral", "better", "worse", "neutral"]


def test_a_trend_in_words_has_the_unit():
    assert describe_trend("t", [4.0, 4.1], "s") == "t over 2 versions: from 4 s to 4.1 s, between 4 s and 4.1 s"


def test_names_of_identities_and_moments_have_no_series():
    said = {"commit": 1234567, "created_at": 1.7e9, "rows": 5, "_private": 1, "artifact": 7}
    assert trend(said, said).names == ["rows"]


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
        (NONE_DECLARED.metric("accuracy", 0.934, 0.928), "up", "better", "0.006"),
        (NONE_DECLARED.metric("accuracy", 0.92, 0.93), "down", "worse", "0.01"),
        (NONE_DECLARED.metric("loss", 0.2, 0.3), "down", "better", "0.1"),
        (NONE_DECLARED.metric("rows", 48210, 47655), "up", "neutral", "555"),
        (NONE_DECLARED.metric("accuracy", 0.9, 0.9), "same", "neutral", "0"),
        (NONE_DECLARED.metric("accuracy", 0.9), None, "neutral", ""),
        (NONE_DECLARED.metric("gain", 1.7e308, -1.7e308), None, "neutral", ""),
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
    assert [point is None for point in points] == [value is None for value in values] or not any(points)
    drawn = [point for point in points if point]
    assert len(drawn) == sum(value is not None for value in values)
    assert all(0 <= x <= 92 and 0 <= y <= 26 for x, y in drawn)
    assert [x for x, _ in drawn] == sorted(x for x, _ in drawn)


@given(FINITE, FINITE)
def test_a_higher_value_is_drawn_higher(low, high):
    assume(low < high)
    (_, y_low), (_, y_high) = sparkline([low, high])
    assert y_high < y_low


def test_a_constant_series_runs_along_the_middle():
    assert [y for _, y in sparkline([5.0, 5.0, 5.0], height=26)] == [13, 13, 13]


def test_a_single_value_is_one_point_at_the_right_end():
    assert sparkline([0.9], width=92, height=26) == [(89, 13)]


def test_a_missing_value_keeps_its_place_and_the_line_stops_there():
    points = sparkline([1.0, 1.0, None, 2.0, None, 1.0], width=103)
    assert [point and point[0] for point in points] == [3, 22, None, 61, None, 100]
    assert line_through(points) == "M3 23h0L22 23M61 3h0M100 23h0"
    assert sparkline([None, None]) == sparkline([]) == []
    assert line_through([]) == ""


def test_a_trend_is_told_in_words():
    series = [0.9, None, 0.95, 0.93]
    assert describe_trend("auc", series) == "auc in 3 of 4 versions: from 0.9 to 0.93, between 0.9 and 0.95"
    assert describe_trend("auc", [0.9, 0.8]) == "auc over 2 versions: from 0.9 to 0.8, between 0.8 and 0.9"
    assert describe_trend("auc", [0.9]) == "auc: 0.9"
    assert describe_trend("auc", [None, 0.9, None]) == "auc in 1 of 3 versions: 0.9; not measured in the newest"
    assert describe_trend("auc", [None]) == "auc: no values"
