"""Plots of any world: every place is finite and within, every version is there, nothing is left out without a word."""

import math
import re
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from catalog.plotting import Along, Group, Line, Plot, Point, Range
from catalog.plotting.dates import lines_between
from catalog.plotting.scales import scale_of, usual_of

START = datetime(2026, 11, 16, 5, 50, tzinfo=UTC)
NUMBER = re.compile(r"-?[0-9]+(?:\.[0-9]+)?")
numbers = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from([0.0, -0.0, 0.8024, 1e-320, 5e-324, 1.7e308, -1.7e308, 1e15 + 1, 1e300, 1e-300, 0.1 + 0.2]),
    st.integers(-5, 5).map(float),
)
moments = st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=st.just(UTC))


@st.composite
def points(draw, prefix="v", most=20):
    start = draw(st.integers(1, 10**9))
    values = draw(st.lists(st.none() | numbers, min_size=1, max_size=most))
    at = draw(st.none() | moments)
    found = []
    for place, value in enumerate(values):
        if at:
            late = draw(st.timedeltas(timedelta(days=-3), timedelta(days=30)))
            at = min(max(at + late, datetime(1, 1, 2, tzinfo=UTC)), datetime(9999, 12, 30, tzinfo=UTC))
        state = draw(st.sampled_from(["ready", "ready", "failed", "pending"])) if value is None else "ready"
        aliases = tuple(draw(st.lists(st.text("ab", min_size=1, max_size=30), max_size=4)))
        found.append(Point(start + place, value, f"/{prefix}{start + place}", at, state, aliases=aliases))
    return tuple(found)


@st.composite
def groups(draw):
    count, size = draw(st.integers(1, 15)), draw(st.integers(1, 300))
    found = []
    for place in range(count):
        first, at = 1 + place * size, START + timedelta(days=place)
        low, high = sorted([draw(numbers), draw(numbers)])
        measured = draw(st.integers(0, size))
        last = first + size - 1
        found.append(Group(first, last, at, at + timedelta(hours=9), low, first, high, last, measured, f"/{first}"))
    return tuple(found)


lines = st.one_of(st.builds(Line, points=points()), st.builds(Line, groups=groups()))
others = st.builds(Line, name=st.just("feature/x"), points=points("o"))
ranges = st.builds(
    Range, st.booleans(), st.booleans(), st.booleans(), st.none() | numbers, st.none() | numbers
)  # fmt: skip


def plotted(lines, asked=None, *, in_time=False, **how):
    return Plot.of("auc", lines, Along.of(lines, in_time=in_time), asked or Range(), **how)


def series(*values, **how):
    at = [START + timedelta(days=number) for number in range(1, len(values) + 1)]
    made = zip(values, at, strict=True)
    return Line(points=tuple(Point(n, value, f"/v{n}", when, **how) for n, (value, when) in enumerate(made, 1)))


def places(plot):
    """Every number of a plot that is a place."""
    for path in (*plot.lines, *plot.bridges, *plot.envelopes):
        yield from (float(number) / 10 for number in NUMBER.findall(path))
        assert not re.search(r"nan|inf|e", path)
    for mark in plot.marks:
        yield from (mark.x, mark.y, mark.left, mark.width, mark.left + mark.width, *([mark.low] if mark.low else []))
    yield from (place for one in plot.extremes for place in (one.x, one.y))
    yield from (tick.y for tick in plot.ticks)
    yield from (label.x for label in plot.labels)


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(lines, st.none() | others, ranges, st.booleans(), st.booleans())
def test_any_world_is_drawn_within_its_frame(line, other, asked, in_time, small):
    given_lines = [line, *([other] if other else [])]
    plot = plotted(given_lines, asked, in_time=in_time, small=small, unit="s")
    assert all(math.isfinite(place) and -0.01 <= place <= 100.01 for place in places(plot))
    expected = [one.url for each in given_lines for one in (*each.points, *each.groups)]
    assert sorted(mark.url for mark in plot.marks) == sorted(expected)
    assert len(plot.ticks) <= 14
    assert len({tick.text for tick in plot.ticks}) == len(plot.ticks)
    assert all(len(tick.text) <= 12 for tick in plot.ticks)
    assert len(plot.labels) <= 16
    for word in ("nan", "inf"):
        assert word not in " ".join([*plot.words, *(tick.text for tick in plot.ticks)]).lower().split()


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.builds(Line, points=points()), ranges, st.booleans())
def test_who_has_no_place_on_the_line_is_said(line, asked, in_time):
    plot = plotted([line], asked, in_time=in_time)
    for mark in plot.marks:
        if mark.look != "dot":
            ref = mark.url.removeprefix("/")
            assert any(ref in word for word in plot.words) or any(" more " in word for word in plot.words)


@given(st.lists(numbers, min_size=1).filter(lambda values: all(abs(value) < 1e300 for value in values)), st.booleans())
def test_higher_values_stand_higher(values, log):
    values = [value for value in values if value >= 1e-300] if log else values
    scale = scale_of(values, Range(log=log, whole=True), 4)
    ordered = sorted(values)
    assert all(scale.y(low) >= scale.y(high) for low, high in pairwise(ordered))
    assert all(scale.holds(value) for value in values)


@given(moments, moments)
def test_moments_along_an_axis_are_few_and_within(one, other):
    first, last = sorted([one, other])
    found = lines_between(first, last)
    assert len(found) <= 9
    assert all(first <= at <= last for at, _ in found)


def test_a_line_stops_where_a_version_has_no_value():
    plot = plotted([series(1.0, 2.0, None, 4.0, 5.0)])
    assert plot.lines[0].count("M") == 2
    assert plot.bridges[0].count("M") == 1
    assert [mark.look for mark in plot.marks] == ["dot", "dot", "missing", "dot", "dot"]
    assert plot.words == ("v3 did not measure it.",)


def test_equal_values_and_one_value_stand_in_the_middle():
    for values in ((0.5,), (0.5, 0.5, 0.5), (0.0, 0.0), (1e-310,)):
        plot = plotted([series(*values)])
        assert {mark.y for mark in plot.marks} == {50.0}
        assert len(plot.ticks) >= 2
    assert "All values are equal." in plotted([series(3.0, 3.0)]).words


def test_a_value_far_from_all_others_lies_off_the_axis_and_is_named():
    values = [0.80, 0.81, 0.802, 0.799, 0.805, 0.808, 0.801, 0.612, 0.803]
    plot = plotted([series(*values)])
    (low,) = [mark for mark in plot.marks if mark.look == "below"]
    assert (low.url, low.note, low.y) == ("/v8", "0.612", 100.0)
    assert plot.words == ("v8 (0.612) lies below the axis.",)
    assert plot.is_cut
    assert not plotted([series(*values)], Range(whole=True)).is_cut
    assert usual_of([5.0] * 9 + [6.0]) == [5.0] * 9 + [6.0]
    best = [0.80, 0.81, 0.802, 0.799, 0.805, 0.808, 0.801, 0.803, 0.825]
    assert usual_of(best) == best


def test_on_a_log_scale_zero_and_less_are_left_out_and_said():
    plot = plotted([series(1.0, 10.0, 0.0, 1000.0, -3.0)], Range(log=True))
    assert [mark.look for mark in plot.marks] == ["dot", "dot", "missing", "dot", "missing"]
    assert plot.words == ("v3 and v5 are zero or less, which has no place on a log scale.",)
    assert [tick.text for tick in plot.ticks] == ["1", "10", "100", "1000"]
    assert [mark.y for mark in plot.marks if mark.look == "dot"] == [100.0, 66.67, 0.0]


def test_what_no_axis_can_hold_is_said():
    plot = plotted([series(1.0, 1.7e308, 2.0)])
    assert plot.words == ("v2 is too large for an axis.",)
    assert "1.7e+308, too large for an axis" in plot.marks[1].label


def test_an_axis_from_zero_and_one_between_two_ends():
    assert plotted([series(3.0, 4.0)], Range(zero=True)).ticks[0].text == "0"
    plot = plotted([series(1.0, 2.0, 3.0)], Range(low=1.5, high=2.5))
    assert [mark.look for mark in plot.marks] == ["below", "dot", "above"]
    assert plotted([series(-1.0, 1.0)]).ground == 50.0


@pytest.mark.parametrize(
    ("values", "texts"),
    [
        ((0.75, 0.81), ["0.74", "0.76", "0.78", "0.80", "0.82"]),
        ((12_000.0, 48_000.0), ["10k", "20k", "30k", "40k", "50k"]),
        ((3.0, 4.0), ["3.00", "3.25", "3.50", "3.75", "4.00"]),
        ((1.5e-7, 4e-7), ["1e-7", "2e-7", "3e-7", "4e-7"]),
        ((100_000.1, 100_000.4), ["+0", "+0.1", "+0.2", "+0.3"]),
    ],
)
def test_texts_beside_the_axis(values, texts):
    plot = plotted([series(*values)])
    assert [tick.text for tick in plot.ticks] == texts
    assert plot.about == ("auc, more than 100,000.1" if texts[0] == "+0" else "auc")


def test_a_short_unit_stands_beside_each_line_and_a_long_one_behind_the_name():
    plot = plotted([series(3.0, 5.0)], unit="s")
    assert (plot.ticks[0].text, plot.about, plot.newest) == ("3.0 s", "auc", "v2 · 5 s")
    assert plotted([series(3.0, 5.0)], unit="customers").about == "auc, in customers"


def test_the_other_asset_stands_between_versions_by_its_moments():
    own = series(0.80, 0.81, 0.82)
    late = [START + timedelta(days=day) for day in (2.5, 3.5, 3.6)]
    other = Line("feature/x", tuple(Point(number, 0.8, f"/o{number}", at) for number, at in enumerate(late, 1)))
    plot = plotted([own, other])
    assert [mark.x for mark in plot.marks] == [10.0, 30.0, 50.0, 40.0, 70.0, 90.0]
    assert plot.marks[3].reading.startswith("feature/x v1 · 0.8 · 18 Nov")
    assert [label.text for label in plot.labels] == ["v1", "v2", "v3"]
    assert plot.names == ("", "feature/x")


def test_aliases_are_named_where_there_is_room():
    far = Line(points=tuple(
        Point(number, 0.5 + number / 100, f"/v{number}", aliases=("production",) if number in (7, 8, 9) else ())
        for number in range(1, 29)
    ))  # fmt: skip
    flags = [mark.flag for mark in plotted([far]).marks if mark.is_held]
    assert [(flag and flag.text, flag and flag.under) for flag in flags] == [
        ("@production", False), ("@production", True), (None, None),
    ]  # fmt: skip


def test_groups_are_an_envelope_with_its_extremes_named():
    numbers = [(1 + 100 * place, 100 + 100 * place) for place in range(5)]
    many = tuple(
        Group(first, last, START, START, float(place), first + 4, 1.0 + place, 7, 90, f"/{place}")
        for place, (first, last) in enumerate(numbers)
    )
    plot = plotted([Line(groups=many)])
    assert plot.envelopes[0].count("M") == 1
    assert [(one.text, one.is_low) for one in plot.extremes] == [("v7 · 5", False), ("v5 · 0", False)]
    assert "Lowest and highest of each 100 versions: no extreme is lost." in plot.words
    assert plot.marks[0].label.startswith("v1 to v100, 16 Nov 05:50: 0 in v5 to 1 in v7")


@pytest.mark.parametrize(
    ("days", "texts"),
    [
        (13, ["17 Nov", "19 Nov", "21 Nov", "23 Nov", "25 Nov", "27 Nov", "29 Nov"]),
        (0.2, ["06:00", "07:00", "08:00", "09:00", "10:00"]),
        (200, ["Dec 2026", "Jan 2027", "Feb 2027", "Mar 2027", "Apr 2027", "May 2027", "Jun 2027"]),
    ],
)
def test_moments_are_round(days, texts):
    assert [text for _, text in lines_between(START, START + timedelta(days=days))] == texts


def test_long_names_are_cut_in_the_drawing_and_whole_in_words():
    long = "customer_lifetime_value_regression_with_seasonal_decomposition_experimental"
    other = Line(long, series(1.0, 2.0).points)
    plot = Plot.of(long, [series(1.0, 2.0), other], Along.of([other, other], in_time=True), Range())
    assert plot.about == "customer_lifetime_value…experimental"
    assert plot.summary.startswith(f"{long} over 2 versions")
    assert plot.marks[2].reading.startswith("customer_lifetime_value…experimental v1 · 1")
    assert plot.marks[2].label.startswith(f"{long} v1, ")
