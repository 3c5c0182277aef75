"""A metric beside that of the base: `comparing.deltas`."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.declared_metrics import DeclaredMetrics
from comparing.deltas import Side, delta_of, headline_of, rules_of, side_of, signed
from comparing.noise import Noise
from comparing.sentences import Sentence
from tests.comparing.made import OTHER, SAME, UNKNOWN, delta, unhurried


def declared(**metric):
    return DeclaredMetrics.of([{"name": "auc", **metric}])


class TestWhatAVersionSays:
    @pytest.mark.parametrize(
        ("value", "text"),
        [
            (0.8, "0.8"),
            ("0.8", "0.8"),
            ("n/a", "text: 'n/a'"),
            ("NaN", "not finite: NaN"),
            (" -Infinity ", "not finite: -Infinity"),
            (math.inf, "not finite: inf"),
            (10**400, "too large for a number"),
            (True, "no number: true"),
            ([1, 2], "no number: [1, 2]"),
            (None, "not measured"),
            ("", "text: ''"),
            ("x" * 50, "text: '" + "x" * 39 + "…'"),
        ],
    )
    def test_a_value_or_the_reason_why_there_is_none(self, value, text):
        assert side_of({"auc": value}, "auc").text == text

    def test_what_is_not_there_was_not_measured(self):
        assert side_of({}, "auc").text == "not measured"
        assert side_of({}, "auc", "pending").text == "pending"
        assert side_of({"_secret": 1, "run_id": 2}, "run_id").text == "not measured"

    def test_a_failed_one_may_have_a_value_which_does_not_count(self):
        failed = side_of({"auc": 0.9}, "auc", "failed")
        assert (failed.value, str(failed.why), failed.is_settled) == (0.9, "failed", False)


class TestChange:
    def test_size_and_per_cent_are_those_of_the_base(self):
        found = delta("auc", 0.8, 0.84)
        assert found.change == pytest.approx(0.04)
        assert (found.change_text, found.percent_text) == ("+0.04", "+5 %")

    def test_from_zero_there_are_no_per_cent(self):
        found = delta("errors", 0.0, 3.0)
        assert (found.percent, found.percent_text, found.change_text) == (None, "from 0", "+3")

    def test_from_below_zero_up_is_still_up(self):
        assert delta("gain", -2.0, -1.0).percent_text == "+50 %"

    def test_per_cent_have_three_digits(self):
        assert [delta("auc", 3.0, value).percent_text for value in (4.0, 3.000001)] == ["+33.3 %", "+3.33e-05 %"]

    def test_nothing_is_said_of_per_cent_where_nothing_changed(self):
        assert (delta("auc", 0.0, 0.0).percent_text, delta("auc", 1.0, 1.0).percent_text) == ("", "")

    def test_rounding_is_no_change(self):
        assert delta("auc", 0.3, 0.1 + 0.2).outcome == "equal"

    def test_a_change_beyond_all_numbers_is_none(self):
        found = delta("auc", -1.7e308, 1.7e308)
        assert (found.change, found.outcome, found.word) == (None, "none", "can't be compared")

    def test_the_sign_is_as_wide_as_a_plus(self):
        assert [signed(value, "s") for value in (1.5, -1.5, 0.0)] == ["+1.5 s", "\N{MINUS SIGN}1.5 s", "0 s"]


class TestOutcome:
    def test_better_and_worse_need_a_direction(self):
        assert [delta("auc", 0.8, 0.9).outcome, delta("auc", 0.9, 0.8).outcome] == ["better", "worse"]
        assert [delta("log_loss", 0.8, 0.9).outcome, delta("rows", 1, 2).word] == ["worse", "no direction"]

    def test_on_other_data_there_is_none(self):
        found = delta("auc", 0.8, 0.9, data=OTHER)
        assert (found.outcome, found.word, found.counts) == ("none", "can't be compared", False)
        assert delta("rows", 1.0, 2.0, data=OTHER).word == "no direction"

    def test_where_the_data_is_not_known_there_is_one_with_the_data_said_beside_it(self):
        found = delta("auc", 0.8, 0.9, data=UNKNOWN)
        assert (found.outcome, found.comparability.words) == ("better", "not known whether on the same data")

    def test_within_noise_there_is_none(self):
        found = delta("auc", 0.8, 0.801, noise=0.002)
        assert (found.outcome, found.word, found.within_noise) == ("none", "within noise", True)
        assert delta("auc", 0.8, 0.803, noise=0.002).outcome == "better"

    @pytest.mark.parametrize("unsettled", ["pending", "failed"])
    def test_what_is_pending_or_failed_is_neither_better_nor_worse(self, unsettled):
        side = Side(0.9, Sentence(unsettled))
        assert (delta("auc", 0.8, side).outcome, delta("auc", 0.8, side).word) == ("none", unsettled)
        assert delta("auc", side, 0.8).word == f"{unsettled} in the base"

    def test_on_one_side_only_it_is_said_where(self):
        assert delta("auc", 0.8, None).word == "not measured"
        assert delta("auc", None, 0.8).word == "not measured in the base"


class TestWhatIsDeclared:
    def test_one_side_that_declares_a_direction_is_enough(self):
        for sides in (("lower", ""), ("", "lower")):
            rules = rules_of("auc", *(declared(better=better) for better in sides))
            assert (rules.wanted, rules.declared) == ("down", True)

    def test_two_directions_are_none_and_said(self):
        rules = rules_of("auc", declared(better="higher"), declared(better="lower"))
        assert rules.wanted is None
        assert "another way" in str(rules.note)

    def test_without_any_the_name_tells(self):
        assert (rules_of("auc", DeclaredMetrics(), DeclaredMetrics()).wanted) == "up"
        assert (rules_of("auc", declared(better="none"), DeclaredMetrics()).wanted) is None

    def test_noise_and_unit_are_the_bases_else_those_of_the_other_side(self):
        both = rules_of("auc", declared(noise=0.1, unit="s"), declared(noise=0.2, unit="s"))
        other = rules_of("auc", declared(), declared(noise=0.2, unit="s"))
        assert [(rules.noise, rules.unit) for rules in (both, other)] == [(0.1, "s"), (0.2, "s")]

    def test_in_two_units_nothing_is_compared(self):
        rules = rules_of("auc", declared(unit="s"), declared(unit="ms"))
        found = delta_of("auc", Side(1.0), Side(1000.0), rules, SAME, None)
        assert (found.change, found.outcome, found.word) == (None, "none", "can't be compared")
        assert str(found.note) == "in ms, the base's is in s"


class TestHeadline:
    def test_what_any_side_declares_in_the_order_that_it_declares(self):
        ones = DeclaredMetrics.of([{"name": "b", "headline": True}, {"name": "a", "headline": True}])
        names = ["a", "b", "auc"]
        for sides in ([ones, DeclaredMetrics()], [DeclaredMetrics(), ones]):
            assert headline_of(sides, names) == ["b", "a"]
        assert headline_of([ones, ones], ["auc"]) == ["auc"]

    def test_else_the_first_with_a_direction_by_name_whichever_side_is_the_base(self):
        nothing = [DeclaredMetrics(), DeclaredMetrics()]
        assert headline_of(nothing, ["rows", "recall", "auc", "loss", "f1"]) == ["auc", "f1", "loss"]
        assert headline_of(nothing, ["rows", "columns"]) == ["columns", "rows"]
        assert headline_of(nothing, []) == []


VALUE = st.floats(allow_nan=False, allow_infinity=False) | st.sampled_from([0.0, 0.8, 0.80001])
SIDE = st.builds(Side, VALUE) | st.builds(
    side_of,
    st.dictionaries(st.just("auc"), VALUE | st.sampled_from(["n/a", "NaN", "0.8", ""])),
    st.just("auc"),
    st.sampled_from(["", "failed"]),
)
DECLARED = st.builds(
    declared, better=st.sampled_from(["", "higher", "lower", "none"]), unit=st.sampled_from(["", "s", "ms"])
)
NOISE = st.none() | st.builds(Noise, st.floats(0, 1), declared=st.booleans())
TURNED = {"better": "worse", "worse": "better", "equal": "equal", "none": "none"}


@unhurried
@given(SIDE, SIDE, DECLARED, DECLARED, st.sampled_from([SAME, OTHER, UNKNOWN]), NOISE)
def test_seen_from_the_other_side_every_change_turns_around(one, other, ones, others, data, noise):
    there = delta_of("auc", one, other, rules_of("auc", ones, others), data, noise)
    back = delta_of("auc", other, one, rules_of("auc", others, ones), data, noise)
    assert there.change == (None if back.change is None else -back.change)
    assert (there.wanted, there.declared) == (back.wanted, back.declared)
    assert there.outcome == TURNED[back.outcome]
    assert there.can_compare == back.can_compare


@unhurried
@given(SIDE, SIDE, DECLARED, DECLARED, st.sampled_from([SAME, OTHER, UNKNOWN]), NOISE)
def test_no_cell_is_empty(one, other, ones, others, data, noise):
    found = delta_of("auc", one, other, rules_of("auc", ones, others), data, noise)
    assert all([found.word, found.base.text, found.other.text])
    assert all(number is None or math.isfinite(number) for number in (found.change, found.percent))
