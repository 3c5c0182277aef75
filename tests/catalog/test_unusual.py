"""What is unusual for a metric: `catalog.unusual`."""

import random
from fractions import Fraction
from itertools import pairwise
from statistics import median

import pytest

from catalog.unusual import FEWEST, LAST, unusual, unusual_of
from tests.catalog.unusual_worlds import KINDS, MEASURED_ON, measure
from tests.lanes import every

STEADY = [0.80, 0.81, 0.79, 0.80, 0.82, 0.80, 0.81, 0.80]


def test_what_is_far_from_all_is_unusual():
    assert unusual(STEADY, 0.2) == "0.2, far below the last 8 values: 0.79 to 0.82, median 0.8"
    assert unusual(STEADY, 1.2) == "1.2, far above the last 8 values: 0.79 to 0.82, median 0.8"


@pytest.mark.parametrize("new", [0.79, 0.82, 0.775, 0.835, 0.86])
def test_what_is_near_is_not(new):
    assert unusual(STEADY, new) == ""


def test_it_has_to_be_beyond_both_the_spread_and_the_range():
    one_far = [*STEADY, 8.0]
    assert unusual(one_far, 6.0) == ""  # far from the median, within the range
    assert unusual([100.0] * 8, 100.59) == ""  # beyond the range, which has no width; within six thousandths
    assert unusual([100.0] * 8, 100.61)


def test_a_steady_trend_is_not_unusual():
    rows = list(range(1000, 4000, 100))
    assert unusual(rows, 4000) == ""
    assert unusual(rows, 400_000)


def test_the_bounds_themselves_are_not_beyond():
    # median 10, median distance 1, median step 1: ten times the spread is 10; range 9 to 11, widened 7 to 13
    values = [9, 10, 11, 10, 9, 10, 11, 10]
    assert unusual(values, 19) == ""
    assert unusual(values, 20) == ""
    assert unusual(values, 20.001)
    assert unusual(values, -0.001)


def test_of_few_values_nothing_is_said():
    assert unusual(STEADY[: FEWEST - 1], 1e9) == ""
    assert unusual([*STEADY[: FEWEST - 1], None, "n/a", True], 1e9) == ""
    assert unusual([], None) == ""


def test_only_the_last_are_looked_at():
    assert unusual([*[1e9] * 5, *STEADY * 4], 1e9)
    assert unusual([*[1e9] * 5, *[None] * LAST], 1e9) == ""


def test_what_is_suddenly_missing_is_unusual():
    assert unusual(STEADY, None) == "missing, and the last 8 versions had it"
    assert unusual([*STEADY, None, *STEADY[1:]], None) == ""


@pytest.mark.parametrize(
    ("new", "reason"),
    [
        ("n/a", "text: 'n/a', where 8 of the last 8 versions had a number"),
        (float("nan"), "not finite: nan, where 8 of the last 8 versions had a number"),
        ("NaN", "not finite: NaN, where 8 of the last 8 versions had a number"),
        (True, "no number: true, where 8 of the last 8 versions had a number"),
        ([0.8], "no number: [0.8], where 8 of the last 8 versions had a number"),
    ],
)
def test_what_is_no_number_any_more_is_unusual(new, reason):
    assert unusual(STEADY, new) == reason


def test_a_text_that_reads_as_a_number_is_one():
    assert unusual(list(map(str, STEADY)), "0.8") == ""


@pytest.mark.parametrize("size", [1e308, 5e-324, 0.0])
def test_extremes_are_no_trouble(size):
    assert unusual([size, -size] * 15, size) == ""
    assert unusual([size] * 8, size) == ""


def test_what_was_always_0_and_is_not_any_more_is_unusual():
    assert unusual([0] * 8, 1) == "1, far above the last 8 values: 0 to 0, median 0"


def test_of_several_metrics_those_that_are_unusual_are_named():
    history = [{"auc": value, "rows": 100, "note": "x", "run_id": place} for place, value in enumerate(STEADY)]
    assert unusual_of(history, {"auc": 0.8, "rows": 100, "note": "y", "run_id": 10**9}) == {}
    assert unusual_of(history, {"auc": 0.1, "new": 5}) == {
        "auc": "0.1, far below the last 8 values: 0.79 to 0.82, median 0.8",
        "rows": "missing, and the last 8 versions had it",
    }


@pytest.mark.parametrize("seeds", every(10, range(3000)))
def test_it_says_what_fractions_say(seeds):
    found = 0
    for seed in seeds:
        chance = random.Random(seed)
        center = chance.choice((0, 0.8, 100, -5))
        values = [center + chance.gauss(0, 1) * chance.choice((0, 0.001, 1)) for _ in range(chance.randrange(8, 40))]
        new = center + chance.gauss(0, 1) * chance.choice((0.001, 1, 10, 100))
        known, value = [Fraction(one) for one in values[-LAST:]], Fraction(new)
        middle = median(known)
        steps = [abs(one - before) for before, one in pairwise(known)]
        spread = 10 * max(median(abs(one - middle) for one in known), median(steps))
        far, width = max(spread, abs(middle) * 6 / 1000), max(known) - min(known)
        is_far = abs(value - middle) > far and not min(known) - width <= value <= max(known) + width
        assert bool(unusual(values, new)) == is_far, seed
        found += is_far
    assert 0.2 < found / len(seeds) < 0.8


def test_wrong_units_are_found_in_every_kind_of_world():
    for kind in KINDS.values():
        measured = measure(kind, MEASURED_ON[:1], every=73)
        assert measured.found["×1000"] == measured.tried or not kind.asked  # noqa: RUF001


@pytest.mark.long
@pytest.mark.parametrize("name", KINDS)
def test_the_figures(name):
    measured = measure(KINDS[name], MEASURED_ON)
    assert measured.false_a_year <= 0.6
    assert measured.share("×1000") == 1 or not KINDS[name].asked  # noqa: RUF001
