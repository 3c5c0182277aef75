"""Whether two versions were measured on the same data: `comparing.sameness`."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comparing.input_rows import input_rows
from comparing.sameness import BASE, HERE, Data, End, as_sentence, comparability
from lineage.graph import Kind
from tests.comparing.made import hidden, inputs, read, unhurried

HOLDOUT = read("holdout", "v4", "evaluation")
MAIN = End("on main", "main", "main")
FEATURE = End("here", "feature/x", "feature_x")


def said(base, other, base_end=MAIN, other_end=FEATURE):
    found = comparability(base, other, base_end, other_end)
    return found.data, str(found.which)


class TestInTheRoleOfEvaluation:
    def test_one_version_is_the_same_data_whatever_else_went_in(self):
        base, other = inputs(HOLDOUT, read("features", "v1")), inputs(HOLDOUT, read("features", "v2"))
        assert said(base, other) == (Data.SAME, "holdout v4 of main")
        assert comparability(base, other).thing == "holdout"

    def test_a_promoted_copy_counts_as_its_origin(self):
        copy = read("holdout", "v1", "evaluation", origin=HOLDOUT.origin, branch="feature_x")
        assert said(inputs(HOLDOUT), inputs(copy)) == (Data.SAME, "holdout v1")

    def test_equal_content_is_the_same_data_and_said(self):
        base = inputs(read("holdout", "v4", "evaluation", digest="sha:1"))
        here = inputs(read("holdout", "v2", "evaluation", digest="sha:1", branch="feature_x"))
        assert said(base, here) == (Data.SAME, "holdout v2, same content as holdout v4")

    def test_other_versions_are_other_data_and_named(self):
        here = read("holdout", "v2", "evaluation", branch="feature_x")
        assert said(inputs(HOLDOUT), inputs(here)) == (Data.OTHER, "holdout v2 here, v4 on main")

    def test_other_assets_are_other_data_each_by_its_name(self):
        here = read("panel", "v2", "evaluation", branch="feature_x")
        assert said(inputs(HOLDOUT), inputs(here)) == (Data.OTHER, "panel v2 here, holdout v4 on main")

    def test_of_several_each_stands_beside_what_is_in_its_place(self):
        base = inputs(HOLDOUT, read("panel", "v1", "evaluation"), read("old", "v3", "evaluation"))
        here = inputs(read("panel", "v2", "evaluation"), read("new", "v1", "evaluation"))
        assert said(base, here, MAIN, End("here", "v2", "main")) == (
            Data.OTHER,
            "panel v2 here, v1 on main; new v1 here, holdout v4 on main; old v3 on main only",
        )

    def test_one_more_on_one_side_is_other_data(self):
        more = inputs(HOLDOUT, read("panel", "v1", "evaluation"))
        assert said(inputs(HOLDOUT), more) == (Data.OTHER, "panel v1 of main here only")
        assert said(more, inputs(HOLDOUT)) == (Data.OTHER, "panel v1 on main only")

    def test_on_one_side_only_it_is_unknown(self):
        here = inputs(read("holdout", "v4"))
        assert said(inputs(HOLDOUT), here) == (
            Data.UNKNOWN,
            "only of main is it known what it was measured on, not of feature/x",
        )
        assert said(here, inputs(HOLDOUT))[1].startswith("only of feature/x is it known")


class TestWithoutThatRole:
    def test_all_data_inputs_have_to_be_equal(self):
        base = inputs(read("features", "v1"), read("labels", "v1"))
        assert said(base, inputs(read("labels", "v1"), read("features", "v1")))[0] == Data.SAME

    def test_where_they_differ_it_is_not_known_what_either_was_measured_on(self):
        base = inputs(read("features", "v1"), read("labels", "v1"))
        assert said(base, inputs(read("labels", "v1"), read("features", "v2"))) == (
            Data.UNKNOWN,
            "neither says what it was measured on; features v2 of main here, v1 on main",
        )

    def test_models_are_no_data(self):
        base = inputs(read("features", "v1"), read("encoder", "v1", kind=Kind.MODEL))
        assert said(base, inputs(read("features", "v1")))[0] == Data.SAME
        assert said(inputs(read("encoder", "v1", kind=Kind.MODEL)), base)[0] == Data.UNKNOWN

    def test_without_any_it_is_unknown_and_said_of_whom(self):
        some = inputs(HOLDOUT)
        assert said(inputs(), inputs()) == (Data.UNKNOWN, "no data is known that went into either")
        assert said(inputs(read("a")), inputs())[1] == "no data is known that went into feature/x"
        assert said(inputs(), some)[0] == Data.UNKNOWN


class TestWhatIsNotKnown:
    def test_a_definition_has_no_content_so_it_is_unknown(self):
        definition = read("holdout", "", "evaluation")
        assert said(inputs(definition), inputs(definition)) == (Data.UNKNOWN, "holdout was read without a version")
        assert said(inputs(HOLDOUT), inputs(definition))[0] == Data.UNKNOWN

    def test_a_definition_of_another_asset_is_other_data(self):
        assert said(inputs(HOLDOUT), inputs(read("panel", "", "evaluation")))[0] == Data.OTHER

    def test_what_may_not_be_seen_is_not_named_and_nothing_is_claimed(self):
        found = comparability(inputs(HOLDOUT), inputs(hidden(role="evaluation")))
        assert found.data == Data.UNKNOWN
        assert str(found.which) == "something is among it that you may not see"

    def test_the_same_hidden_thing_is_the_same_data(self):
        found = comparability(inputs(hidden(role="evaluation")), inputs(hidden(role="evaluation")))
        assert (found.data, str(found.which)) == (Data.SAME, "something that you may not see")

    def test_while_inputs_may_be_missing_nothing_is_claimed(self):
        unread = inputs(HOLDOUT, complete=False)
        assert said(inputs(HOLDOUT), unread) == (Data.UNKNOWN, "it is not known what all went into feature/x")
        assert said(unread, inputs(HOLDOUT))[0] == Data.UNKNOWN


def test_digests_that_nobody_knows_are_not_equal():
    here = read("holdout", "v2", "evaluation", digest="")
    assert said(inputs(HOLDOUT), inputs(here))[0] == Data.OTHER


def test_names_are_told_apart_from_words():
    found = comparability(inputs(HOLDOUT), inputs(read("hold<b>", "v2", "evaluation", branch="x")), MAIN, FEATURE)
    names = [text for text, is_name in found.which.parts if is_name]
    assert names == ["hold<b>", "x", "holdout"]
    assert str(as_sentence(found)) == "Other data: hold<b> v2 of x here, holdout v4 on main"


INPUT = st.builds(
    read,
    st.sampled_from(["holdout", "panel"]),
    st.sampled_from(["v1", "v2", ""]),
    st.sampled_from(["", "evaluation", "validation"]),
    digest=st.sampled_from(["", "one", "two"]),
    kind=st.sampled_from([Kind.DATA, Kind.MODEL]),
) | st.builds(hidden, st.sampled_from(["a", "b"]), st.sampled_from(["", "evaluation"]))
INPUTS = st.builds(lambda some, complete: inputs(*some, complete=complete), st.lists(INPUT, max_size=4), st.booleans())


@unhurried
@given(INPUTS, INPUTS)
def test_it_is_the_same_from_either_side(one, other):
    assert comparability(one, other).data == comparability(other, one).data


@unhurried
@given(INPUTS, INPUTS)
def test_every_answer_is_explained(one, other):
    assert str(comparability(one, other).which)


@unhurried
@given(INPUTS)
def test_a_version_is_never_on_other_data_than_itself(one):
    assert comparability(one, one).data != Data.OTHER


@pytest.mark.parametrize("many", [6, 40])
def test_a_long_list_is_counted(many):
    base = inputs(*(read(f"part{number}", "v1", "evaluation") for number in range(many)))
    assert str(comparability(base, inputs(HOLDOUT)).which).endswith(f" and {many - 4} more")


@pytest.mark.parametrize("role", ["", "evaluation"])
def test_thousands_of_inputs_cost_no_more_than_there_are(role):
    several = [inputs(*(read(f"part_{at}", version, role) for at in range(3_000))) for version in ("v4", "v4", "v5")]
    began = time.process_time()
    same, other = (comparability(several[0], one) for one in several[1:])
    rows = input_rows(several, [BASE, HERE, HERE], 0, True, {})
    assert time.process_time() - began < 5
    assert (same.data, other.data) == (Data.SAME, Data.OTHER if role else Data.UNKNOWN)
    assert str(other.which).endswith("part_3 v5 here, v4 in the base and 2,996 more")
    assert [cell.as_base for cell in rows[0].cells] == [True, True, False]
