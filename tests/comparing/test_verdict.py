"""The verdict over versions: `comparing.verdict`."""

from hypothesis import given
from hypothesis import strategies as st

from comparing.deltas import side_of
from comparing.sameness import Comparability, Data
from comparing.sentences import Name, Sentence
from comparing.verdict import Contender, verdict_of
from tests.comparing.made import OTHER, SAME, UNKNOWN, delta, unhurried

BASE = Sentence("v7")
HOLDOUT = Comparability(Data.SAME, Sentence("holdout v4"), "holdout")


def version(name, *deltas, headline=("auc", "accuracy", "log_loss")):
    return Contender(Sentence(Name(name)), deltas, headline)


def said(*contenders):
    return str(verdict_of(BASE, contenders).sentence)


def lines(*contenders):
    return [str(line) for line in verdict_of(BASE, contenders).lines]


class TestOfTwo:
    def test_better_by_what_on_which_data(self):
        found = verdict_of(BASE, [version("v8", delta("auc", 0.8024, 0.8107, data=HOLDOUT))])
        assert str(found.sentence) == "v8 is better: auc +0.0083 over v7, on the same holdout"
        assert (found.best, found.standing) == (0, "better")

    def test_worse(self):
        found = verdict_of(BASE, [version("v8", delta("auc", 0.81, 0.80))])
        assert str(found.sentence) == "v8 is worse: auc \N{MINUS SIGN}0.01 against v7, on the same data"
        assert (found.best, found.standing) == (-1, "worse")

    def test_better_here_and_worse_there_is_no_answer(self):
        found = version("v8", delta("auc", 0.8, 0.9), delta("accuracy", 0.8, 0.7))
        assert said(found) == "auc up, accuracy down: no clear answer, on the same data"

    def test_where_some_should_rise_and_some_fall_it_is_said_what_is_better(self):
        found = version("v8", delta("auc", 0.8, 0.9), delta("log_loss", 0.4, 0.5))
        assert said(found) == "auc better, log_loss worse: no clear answer, on the same data"

    def test_within_noise_nothing_is_claimed(self):
        assert said(version("v8", delta("auc", 0.8, 0.8001, noise=0.01))) == "No headline metric differs beyond noise"

    def test_equal_ones_are_said_to_be_equal(self):
        assert said(version("v8", delta("auc", 0.8, 0.8))) == "The headline metric is equal"

    def test_data_that_is_not_known_to_be_the_same_is_said(self):
        found = said(version("v8", delta("auc", 0.8, 0.9, data=UNKNOWN)))
        assert found == "v8 is better: auc +0.1 over v7, on data that is not known to be the same"

    def test_on_other_data_nothing_is_claimed(self):
        found = verdict_of(BASE, [version("v3", delta("auc", 0.8, 0.9, data=OTHER))])
        assert str(found.sentence) == "v3 was measured on other data, so its auc can't be set against v7's"
        assert (found.best, found.lines) == (None, ())

    def test_where_a_headline_metric_is_lacking_it_is_said(self):
        assert said(version("v8", delta("auc", 0.8, None))) == "auc of v8: not measured"
        assert said(version("v8", delta("auc", None, 0.8))) == "auc of v7: not measured"

    def test_without_metrics(self):
        assert said(version("v8")) == "There are no metrics to compare by"
        assert said() == "There is nothing to compare v7 with"

    def test_a_direction_that_nobody_knows_gives_no_verdict(self):
        found = version("v8", delta("rows", 1.0, 2.0), headline=("rows",))
        assert said(found) == "Headline metrics differ, but which way is better is not known"


class TestOfSeveral:
    def test_the_best(self):
        found = verdict_of(
            BASE,
            [
                version("v3", delta("auc", 0.8024, 0.8016, data=OTHER)),
                version("v9", delta("auc", 0.8024, 0.8107, data=HOLDOUT)),
            ],
        )
        assert str(found.sentence) == "v9 is the best: auc +0.0083 over v7, on the same holdout"
        assert found.best == 1
        assert [str(line) for line in found.lines] == [
            "v3 was measured on other data, so its auc can't be set against v7's"
        ]

    def test_the_best_of_several_better_ones_leads_by_more_than_noise(self):
        one, other = (
            version("v8", delta("auc", 0.8, 0.85, noise=0.01)),
            version("v9", delta("auc", 0.8, 0.9, noise=0.01)),
        )
        assert said(one, other) == "v9 is the best: auc +0.1 over v7, on the same data"
        near = version("v9", delta("auc", 0.8, 0.855, noise=0.01))
        assert said(one, near) == (
            "v8 and v9 are both better than v7, on the same data; between them there is no clear answer"
        )

    def test_one_that_leads_in_one_metric_and_trails_in_another_is_not_the_best(self):
        one = version("v8", delta("auc", 0.8, 0.9), delta("accuracy", 0.8, 0.81))
        other = version("v9", delta("auc", 0.8, 0.81), delta("accuracy", 0.8, 0.9))
        found = verdict_of(BASE, [one, other])
        assert found.best is None
        assert str(found.sentence).endswith("; between them there is no clear answer")

    def test_the_base_may_be_the_best(self):
        found = verdict_of(BASE, [version("v8", delta("auc", 0.8, 0.7)), version("v9", delta("auc", 0.8, 0.6))])
        assert str(found.sentence) == (
            "v7 is the best: auc \N{MINUS SIGN}0.1 in v8 and auc \N{MINUS SIGN}0.2 in v9, on the same data"
        )
        assert found.best == -1

    def test_one_worse_and_one_equal_leave_none_better(self):
        found = said(version("v8", delta("auc", 0.8, 0.7)), version("v9", delta("auc", 0.8, 0.8)))
        assert found.startswith("None is better than v7: ")

    def test_a_better_one_is_not_the_best_beside_one_that_is_better_and_worse(self):
        better = version("v8", delta("auc", 0.8, 0.85))
        mixed = version("v9", delta("auc", 0.8, 0.95), delta("accuracy", 0.8, 0.7))
        found = verdict_of(BASE, [better, mixed])
        assert found.best is None
        assert str(found.sentence) == (
            "v8 is better than v7, on the same data; auc up, accuracy down in v9: no clear answer"
        )

    def test_where_none_can_be_compared(self):
        found = said(version("v8", delta("auc", 0.8, 0.7, data=OTHER)), version("v9", delta("auc", 0.8, None)))
        assert found == "No headline metric can be set against that of v7"


class TestLines:
    def test_another_metric_that_is_worse_beyond_noise_has_one(self):
        found = lines(
            version(
                "v8",
                delta("auc", 0.8, 0.9),
                delta("train_duration", 4.1, 9.6, declared={"unit": "s"}),
                delta("error", 1.0, 1.1, noise=0.5),
                delta("rows", 5.0, 4.0),
                headline=("auc",),
            )
        )
        assert found == ["train_duration is worse: 4.1 s → 9.6 s (+5.5 s)"]

    def test_a_headline_metric_that_is_lacking_has_one(self):
        lacking = [delta(name, 0.8, None) for name in ("accuracy", "log_loss")]
        assert lines(version("v8", delta("auc", 0.8, 0.9), *lacking)) == ["accuracy and log_loss of v8: not measured"]

    def test_what_the_sentence_says_has_none(self):
        assert lines(version("v8", delta("auc", 0.8, 0.7))) == []

    def test_each_reason_has_one(self):
        lacking = [delta("accuracy", 0.8, None), delta("log_loss", 0.8, 0.7, data=OTHER)]
        assert lines(version("v8", delta("auc", 0.8, 0.9), *lacking)) == [
            "v8 was measured on other data, so its log_loss can't be set against v7's",
            "accuracy of v8: not measured",
        ]


class TestMany:
    """Nothing that is said grows without end."""

    def test_of_many_lines_the_rest_is_counted(self):
        many = [delta(f"error_{number}", 1.0, 2.0) for number in range(500)]
        found = lines(version("v8", delta("auc", 0.8, 0.9), *many, headline=("auc",)))
        assert (len(found), found[-1]) == (20, "and 481 more like these")

    def test_of_many_headline_metrics_too(self):
        names = [f"auc_{number}" for number in range(200)]
        moves = [delta(name, 0.5, 0.6 if number % 2 else 0.4) for number, name in enumerate(names)]
        assert said(version("v8", *moves, headline=names)).startswith(
            "auc_1 up, auc_3 up, auc_5 up, auc_7 up and 196 more: no clear answer"
        )
        lacking = [delta(name, 0.5, side_of({name: f"text {name}"}, name)) for name in names]
        assert said(version("v8", *lacking, headline=names)).endswith("; auc_3 of v8: text: 'text auc_3' and 196 more")


CHANGES = st.sampled_from([None, 0.5, 0.8, 0.8001, 0.9])
CONTENDER = st.builds(
    lambda name, auc, accuracy, data: version(
        name, delta("auc", 0.8, auc, data=data, noise=0.01), delta("accuracy", 0.8, accuracy, data=data)
    ),
    st.sampled_from(["v1", "v2", "v3"]),
    CHANGES,
    CHANGES,
    st.sampled_from([SAME, OTHER, UNKNOWN]),
)


@unhurried
@given(st.lists(CONTENDER, max_size=5))
def test_there_is_always_a_sentence_and_the_best_is_worse_in_nothing(contenders):
    found = verdict_of(BASE, contenders)
    assert str(found.sentence)
    if found.best is not None and found.best >= 0:
        best = contenders[found.best]
        assert best.standing == "better"
        assert not best.worse


@unhurried
@given(st.lists(CONTENDER, min_size=1, max_size=5))
def test_a_verdict_never_rests_on_other_data(contenders):
    others = [each for each in contenders if all(one.comparability.data == Data.OTHER for one in each.deltas)]
    found = verdict_of(BASE, contenders)
    assert found.best is None or found.best < 0 or contenders[found.best] not in others
