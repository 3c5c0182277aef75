"""What became of the assets of one branch on another: `comparing.branches`."""

import time

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from access.identity import Viewer
from catalog import recording
from catalog.models import Branch, Instance
from catalog.querysets import PROMOTED_FROM
from catalog.recording import Declaration
from comparing.branch_rows import arrows_of_two, two_branches
from comparing.branches import compare_branches
from comparing.pairs import Fate
from tests.comparing.two_branches import DATA, FEATURE, HOLDOUT, MODEL, consume, declare, trained

pytestmark = [pytest.mark.both, pytest.mark.slow]


def compared(world, base="main", head=FEATURE, start=0):
    keys = [world.branch(name).key for name in (base, head)]
    found = two_branches(world.alpha, "churn", keys)
    return compare_branches(Viewer(world.people["vic"]), found[keys[0]], found[keys[1]], start)


def fates(found):
    return {pair.row.asset_id: pair.fate.value for pair in found.pairs}


def of(found, name):
    return next(pair for pair in found.pairs if pair.row.asset_id == name)


def test_a_model_is_better_on_the_same_data_because_of_what_it_was_trained_on(churn):
    found = compared(churn)
    pair = of(found, "churn_model")
    assert fates(found) == {
        "churn_model": "better",
        "features": "not built here",
        "holdout": "not built here",
        "interactions": "new",
    }
    assert str(found.sentence) == "churn_model is better here: auc 0.797 → 0.85, on the same holdout"
    assert str(pair.because) == "trained on interactions v1 instead of features v1"
    assert (pair.base_ref, pair.head_ref) == ("v7", "v1")
    (delta,) = pair.deltas
    assert (delta.noise.steps, delta.within_noise) == (6, False)
    assert (found.better, found.worse, found.new, found.gone) == (1, 0, 1, 0)


def test_a_change_that_is_smaller_than_the_usual_step_is_none(churn):
    trained(churn, "TrainFlow/22", FEATURE, [("data/interactions", FEATURE)], 0.7971)
    found = compared(churn)
    assert fates(found)["churn_model"] == "changed"
    assert str(found.sentence) == "0 models better, 0 worse, 1 new asset"


def test_on_other_data_nothing_is_better(churn):
    churn.register(HOLDOUT, "DataFlow/30/split/1", FEATURE)
    consume(churn, HOLDOUT, "TrainFlow/31", FEATURE, FEATURE, role="evaluation")
    trained(churn, "TrainFlow/31", FEATURE, [("data/interactions", FEATURE)], 0.9, holdout="")
    found = compared(churn)
    assert fates(found)["churn_model"] == "changed"
    assert str(of(found, "churn_model").deltas[0].comparability.which) == "holdout v1 here, v1 on main"


def test_a_worse_one_and_what_else_is_worse_are_said(churn):
    consume(churn, HOLDOUT, "TrainFlow/40", FEATURE, role="evaluation")
    churn.register(MODEL, "TrainFlow/40/train/1", FEATURE, annotations={"auc": 0.7, "error_rate": 0.4, "seconds": 9})
    consume(churn, HOLDOUT, "TrainFlow/41", "main", role="evaluation")
    churn.register(MODEL, "TrainFlow/41/train/1", annotations={"auc": 0.79, "error_rate": 0.4, "seconds": 4})
    found = compared(churn)
    assert fates(found)["churn_model"] == "worse"
    assert found.worse == 1


def test_equal_versions_are_the_same_by_origin_and_by_content(churn):
    newest = churn.asset(MODEL).newest_ready
    churn.register(MODEL, "Promote/1/start/1", FEATURE, annotations={PROMOTED_FROM: newest.uid})
    churn.register(DATA, "FeatureFlow/50/build/1", FEATURE)
    Instance.objects.filter(asset__asset_id="features").update(digest="sha:1")
    found = compared(churn)
    assert (fates(found)["churn_model"], fates(found)["features"]) == ("same", "same")


def test_what_is_newer_and_what_is_older(churn):
    churn.register(DATA, "FeatureFlow/60/build/1", FEATURE)
    assert fates(compared(churn))["features"] == "newer"
    churn.register(DATA, "FeatureFlow/61/build/1")
    assert fates(compared(churn))["features"] == "older"
    assert fates(compared(churn, FEATURE, "main"))["features"] == "newer"


def test_gone_is_only_what_a_deploy_of_the_branch_dropped(churn):
    declare(churn, FEATURE, "models/churn_model")
    assert fates(compared(churn))["features"] == "not built here"
    declare(churn, FEATURE, "models/churn_model", DATA)
    assert fates(compared(churn))["features"] == "not built here"
    declare(churn, FEATURE, "models/churn_model")
    found = compared(churn)
    assert fates(found)["features"] == "gone"
    assert (found.gone, fates(compared(churn, FEATURE, "main"))["features"]) == (1, "new")


def test_a_deleted_definition_that_a_deploy_declared_is_gone_too(churn):
    declare(churn, FEATURE, DATA)
    recording.delete_asset(actor="ada", asset=churn.asset(DATA, FEATURE))
    assert fates(compared(churn))["features"] == "not built here"
    declare(churn, FEATURE, "models/churn_model")
    assert fates(compared(churn))["features"] == "gone"


def test_a_deploy_that_lists_no_assets_drops_none(churn):
    declare(churn, FEATURE, DATA)
    churn.deploy(FEATURE, {"title": "No lists"})
    assert fates(compared(churn))["features"] == "not built here"


def test_perhaps_renamed(churn):
    declare(churn, FEATURE, DATA)
    declare(churn, FEATURE, "models/churn_model")
    found = compared(churn)
    assert str(of(found, "features").renamed) == "perhaps renamed to interactions: both made by FeatureFlow"
    assert str(of(found, "interactions").renamed) == "perhaps renamed from features: both made by FeatureFlow"
    Instance.objects.filter(asset__asset_id__in=["features", "interactions"]).update(digest="sha:2")
    assert "same content" in str(of(compared(churn), "features").renamed)


def test_definitions_that_both_declare_are_compared(churn):
    churn.deploy("main", {}, models__churn_model=Declaration({"min": "0.78", "old": "x"}, readme="# A\nb\nc", name="M"))
    churn.deploy(FEATURE, {}, models__churn_model=Declaration({"min": "0.80", "new": "y"}, readme="# A\nb\nd\ne"))
    found = compared(churn)
    (one,) = found.definitions
    assert str(one.said) == (
        "name: M → nothing; min: 0.78 → 0.80; new: nothing → y; old: x → nothing; README: 2 lines added, 1 removed"
    )
    assert found.definitions_total == 1
    turned = compared(churn, FEATURE, "main").definitions[0]
    assert turned.lines == (1, 2)


def test_of_many_changes_of_a_definition_the_first_are_told_and_the_rest_counted(churn):
    for branch, place in (("main", "old"), (FEATURE, "new")):
        blobs = [f"{place}/{number}" for number in range(5_000)]
        churn.deploy(branch, {}, data__features=Declaration({}, declared_blobs=blobs))
    began = time.process_time()
    (one,) = compared(churn).definitions
    assert time.process_time() - began < 3
    assert (len(one.changes), one.more) == (50, 9_950)
    assert str(one.said).endswith("blob: old/49 → nothing; and 9,950 more")


def test_long_entries_that_begin_alike_are_not_taken_for_the_same(churn):
    for branch, end in (("main", "old"), (FEATURE, "new")):
        churn.deploy(branch, {}, data__features=Declaration({}, declared_blobs=[f"{'s3://' * 100}{end}"]))
    (one,) = compared(churn).definitions
    assert [str(change.what) for change in one.changes] == ["blob", "blob"]


def test_every_page_says_how_many_definitions_differ(churn, monkeypatch):
    monkeypatch.setattr("comparing.branches.SHOWN", 1)
    for branch, owner in (("main", "ada"), (FEATURE, "grace")):
        said = {f"data__d{number}": Declaration({"owner": owner}) for number in range(3)}
        churn.deploy(branch, {}, **said)
    pages = [compared(churn, start=start) for start in (0, 2, 3, 500_000_000_000)]
    assert [[one.asset_id for one in page.definitions] for page in pages] == [["d0"], ["d2"], [], []]
    assert [page.definitions_total for page in pages] == [3, 3, 3, 3]


def test_a_definition_whose_keys_are_in_another_order_is_equal(churn):
    churn.deploy("main", {}, data__features=Declaration({"a": "1", "b": "2"}))
    churn.deploy(FEATURE, {}, data__features=Declaration({"b": "2", "a": "1"}))
    found = compared(churn)
    assert (found.definitions, found.definitions_total) == ([], 0)


def test_arrows_of_flows_that_ran_on_both(churn):
    consume(churn, DATA, "ScoreFlow/1", "main")
    found = compared(churn)
    assert [arrow.place[3] for arrow in found.arrows.removed] == ["features", "features"]
    assert {(arrow.component[1], arrow.place[3]) for arrow in found.arrows.added} == {
        ("FeatureFlow", "interactions"),
        ("TrainFlow", "interactions"),
    }
    assert found.arrows.resting_components == ["DataFlow", "ScoreFlow"]
    turned = compared(churn, FEATURE, "main").arrows
    assert {arrow.key for arrow in turned.added} == {
        arrow.key for arrow in (*found.arrows.removed, *found.arrows.resting)
    }


def test_how_far_the_base_has_moved_since_the_first_deploy(churn):
    assert compared(churn).moved.versions == 0
    churn.deploy(FEATURE, {"title": "First"})
    churn.register(DATA, "FeatureFlow/70/build/1")
    churn.register(DATA, "FeatureFlow/71/build/1", state="pending")
    churn.deploy(FEATURE, {"title": "Second"})
    found = compared(churn)
    assert (found.moved.versions, list(found.moved.assets), found.moved.is_since_deploy) == (1, ["features"], True)


def test_what_is_newer_and_not_ready_is_said(churn):
    churn.register("data/interactions", "FeatureFlow/80/build/1", FEATURE, state="pending", attempt=0)
    assert str(of(compared(churn), "interactions").unsettled) == "v2 is pending"


def test_with_itself_nothing_is_read(churn):
    branch = Branch.objects.get(key="main")
    with CaptureQueriesContext(connection) as queries:
        found = compare_branches(Viewer(churn.people["vic"]), branch, branch)
    assert (len(queries), str(found.sentence), found.differs) == (0, "main is compared with itself", False)


def test_two_equal_branches_say_so(churn):
    churn.register("data/y", branch="feature/y")
    churn.register("data/y", branch="feature/z")
    Instance.objects.filter(asset__asset_id="y").update(digest="sha:3")
    found = compared(churn, "feature/y", "feature/z")
    assert (str(found.sentence), fates(found)) == ("Both branches give the same", {"y": "same"})


def test_the_worst_come_first_and_the_rest_on_further_pages(churn, monkeypatch):
    monkeypatch.setattr("comparing.branches.SHOWN", 2)
    for number, auc in enumerate((0.9, 0.5, 0.6)):
        churn.register(f"models/m{number}", annotations={"auc": 0.8})
        churn.register(f"models/m{number}", branch=FEATURE, annotations={"auc": auc})
    found = compared(churn)
    names = [pair.row.asset_id for pair in found.differences]
    assert names == ["m1", "m2", "m0", "churn_model", "interactions"]
    assert [pair.row.asset_id for pair in compared(churn, start=2).shown] == ["m0", "churn_model"]
    assert next(fate for fate in Fate if fate.differs) == Fate.WORSE


def test_beyond_the_first_models_it_is_not_looked_up_what_they_were_made_from(churn, monkeypatch):
    monkeypatch.setattr("comparing.branches.JUDGED", 1)
    churn.register("models/other", annotations={"auc": 0.8})
    churn.register("models/other", branch=FEATURE, annotations={"auc": 0.5})
    found = compared(churn)
    assert [(pair.row.asset_id, pair.is_judged) for pair in found.differences if pair.deltas] == [
        ("other", True),
        ("churn_model", False),
    ]


def test_an_asset_beyond_the_limit_is_looked_at_on_neither_side(churn, monkeypatch):
    monkeypatch.setattr("comparing.branch_rows.MOST_ASSETS", 2)
    monkeypatch.setattr("comparing.branches.MOST_ASSETS", 2)
    found = compared(churn)
    assert found.is_cut
    assert set(fates(found)) == {"features", "holdout"}


def test_of_too_many_arrows_those_used_last_are_read(churn, monkeypatch):
    branches = list(Branch.objects.select_related("project").order_by("pk"))
    every = sorted(arrows_of_two(*branches), key=lambda row: row.last_at, reverse=True)
    monkeypatch.setattr("comparing.branch_rows.MOST_ARROWS", 2)
    assert len(every) > 3
    assert [row.last_at for row in arrows_of_two(*branches)] == [row.last_at for row in every[:3]]
