"""The metrics of versions beside the base's, for any two versions: `comparing.measured`."""

from hypothesis import given
from hypothesis import strategies as st

from catalog.declared_metrics import DeclaredMetrics
from comparing.measured import Comparison, Measured, Past
from comparing.sameness import End
from comparing.sentences import Sentence
from comparing.table import METRICS_MOST
from tests.comparing.made import inputs, read, unhurried
from tests.comparing.test_deltas import TURNED
from tests.comparing.test_sameness import INPUTS

NAMES = ["auc", "accuracy", "log_loss", "rows", "train_duration", "run_id"]
VALUE = st.floats(-10, 10) | st.integers(-3, 3) | st.sampled_from(["n/a", "0.5", "NaN", True, None, [1]])
ENTRY = st.fixed_dictionaries(
    {"name": st.sampled_from(NAMES)},
    optional={
        "better": st.sampled_from(["higher", "lower", "none"]),
        "headline": st.booleans(),
        "unit": st.sampled_from(["s", "ms"]),
        "noise": st.floats(0.001, 5),
    },
)
DECLARED = st.lists(ENTRY, max_size=4, unique_by=lambda entry: entry["name"]).map(DeclaredMetrics.of)
STATE = st.sampled_from(["", "", "", "pending", "failed"])


def measured(declared, annotations, went_in, unsettled, name="v1"):
    return Measured(End("here", Sentence(name)), declared, annotations, went_in, unsettled)


VERSION = st.builds(
    measured, DECLARED, st.none() | st.dictionaries(st.sampled_from(NAMES), VALUE, max_size=6), INPUTS, STATE
)
PAST = st.lists(st.floats(0, 1), max_size=20).map(
    lambda values: Past(
        [{"auc": value, "rows": value * 100} for value in values],
        [inputs(read("holdout", "v4", "evaluation")) for _ in values],
    )
)


def deltas_of(found: Comparison) -> dict:
    return {row.name: delta for row in found.metrics.rows for delta in row.deltas if delta}


@unhurried
@given(VERSION, VERSION, PAST, PAST)
def test_seen_from_the_other_version_every_change_turns_around(one, other, past, others_past):
    there, back = Comparison([one, other], 0, past), Comparison([other, one], 0, others_past)
    deltas, turned = deltas_of(there), deltas_of(back)
    assert deltas.keys() == turned.keys()
    for name, delta in deltas.items():
        mirrored = turned[name]
        assert delta.change == (None if mirrored.change is None else -mirrored.change)
        assert (delta.wanted, delta.declared) == (mirrored.wanted, mirrored.declared)
        assert delta.comparability.data == mirrored.comparability.data
        assert (delta.base, delta.other) == (mirrored.other, mirrored.base)
        if not delta.within_noise and not mirrored.within_noise:  # noise is the base's
            assert delta.outcome == TURNED[mirrored.outcome]
    assert {row.name for row in there.metrics.rows if row.headline} == {
        row.name for row in back.metrics.rows if row.headline
    }
    assert {row.name for row in there.metrics.differing} == {row.name for row in back.metrics.differing}


@unhurried
@given(st.lists(VERSION, min_size=2, max_size=6), st.data(), PAST)
def test_whatever_is_compared_every_cell_has_a_word_and_the_best_is_one_of_them(versions, data, past):
    base = data.draw(st.integers(0, len(versions) - 1))
    found = Comparison(versions, base, past)
    assert str(found.verdict.sentence)
    assert found.best is None or 0 <= found.best < len(versions)
    for row in found.metrics.rows:
        assert all(side.text for side in row.sides)
        assert [delta is None for delta in row.deltas] == [at == base for at in range(len(versions))]
        assert all(delta.word for delta in row.deltas if delta)
        assert row.shape["versions"][base]["is_base"]


@unhurried
@given(VERSION, PAST)
def test_a_version_beside_itself_is_neither_better_nor_worse(one, past):
    assert all(delta.outcome in ("equal", "none") for delta in deltas_of(Comparison([one, one], 0, past)).values())


def test_of_more_metrics_than_are_shown_those_that_differ_come_first():
    same = {f"a{number}": number for number in range(METRICS_MOST)}
    versions = [measured(DeclaredMetrics(), {**same, "z": value}, inputs(), "") for value in (1, 2)]
    found = Comparison(versions, 0, Past()).metrics
    assert found.rows[0].name == "a0"  # in the place of a headline, as no metric has a direction
    assert "z" in {row.name for row in found.differing}
    assert (len(found.rows), found.left_out, found.left_out_differing) == (METRICS_MOST, 1, 0)


def test_what_a_project_does_not_compare_has_no_row():
    versions = [measured(DeclaredMetrics(), {"auc": value, "tmp": value}, inputs(), "") for value in (1, 2)]
    assert [row.name for row in Comparison(versions, 0, Past(), {"tmp"}).metrics.rows] == ["auc"]
