"""What went directly into versions, story by story: `lineage.inputs`."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from access.identity import Viewer
from access.models import Membership, Perimeter
from catalog.models import Instance
from lineage.inputs import inputs_of
from tests.lineage.stories import LOADED, Story

pytestmark = [pytest.mark.both, pytest.mark.django_db, pytest.mark.slow]


def versions(**those) -> list[Instance]:
    return list(Instance.objects.filter(**those).select_related("asset__branch__project__perimeter").order_by("pk"))


def superuser() -> Viewer:
    return Viewer(User.objects.get_or_create(username="boss", is_superuser=True)[0])


@pytest.fixture
def story(api) -> Story:
    told = Story(api)
    told.loads("data/raw", "data/other")
    return told


def says(*those: str, queries: int | None = None) -> list[list[str]]:
    """The inputs of the newest versions of these assets, asked for together; a sign for one that is incomplete."""
    asked = [versions(asset__asset_id=one)[-1] for one in those]
    viewer = superuser()
    assert viewer.perimeter_ids()
    with CaptureQueriesContext(connection) as captured:
        found = inputs_of(viewer, asked)
    assert queries is None or len(captured) == queries, [query["sql"] for query in captured]
    return [
        [*(f"{one.node.key} {one.node.version} {one.role}".strip() for one in found[row.pk])]
        + ([] if found[row.pk].complete else ["…"])
        for row in asked
    ]


def copy_of(story: Story, source: str, target: str, branch: str = "prod") -> str:
    """A promotion to another branch."""
    body = {"entity_ref": {"entity_kind": "user", "entity_id": "ada"}, "model_asset_kind": "artifact"}
    body["annotations"] = {"promoted_from_instance": source, "promoted_by": "ada"}
    body |= {"data_asset_kind": body.pop("model_asset_kind")} if target.startswith("data/") else {}
    answer = story.api.patch(f"/v1/perimeters/default/projects/churn/branches/{branch}/{target}", body)
    assert answer.status_code == 201, answer.content
    uid: str = answer.data["id"]
    return uid


def test_several_versions_cost_three_queries(story):
    for number in (1, 2):
        story.reads("data/raw", f"Train/{number}/start/1", graph=LOADED, foreach="")
        story.reads("data/other", f"Train/{number}/start/1", role="evaluation", foreach="")
        story.makes(f"models/m{number}", f"Train/{number}/end/3", foreach="")
    assert says("m1", "m2", queries=3) == [["raw v1", "other v1 evaluation"]] * 2
    assert says("m1", queries=3) == [["raw v1", "other v1 evaluation"]]


def test_a_baseline_went_into_nothing_and_two_roles_are_two_inputs(story):
    story.reads("data/raw", "Train/1/start/1", role="baseline")
    story.reads("data/other", "Train/1/start/1")
    story.reads("data/other", "Train/1/start/1", role="evaluation")
    story.makes("models/m", "Train/1/end/3")
    assert says("m") == [["other v1", "other v1 evaluation"]]


def test_what_was_read_again_in_another_role_counts_only_for_what_came_later(story):
    """Two registrations with the same things read, which lineage draws as one part of the run."""
    story.reads("data/raw", "Train/1/start/1", foreach="", attempt=0)
    story.makes("models/first", "Train/1/start/1", foreach="", attempt=0)
    story.reads("data/raw", "Train/1/start/1", role="evaluation", foreach="", attempt=0)
    story.makes("models/second", "Train/1/start/1", foreach="", attempt=0)
    assert says("first", "second") == [["raw v1"], ["raw v1", "raw v1 evaluation"]]


def test_failed_attempts_and_later_readings_do_not_count(story):
    story.reads("data/raw", "Train/1/start/1", graph=LOADED, foreach="", attempt=0)
    story.reads("data/other", "Train/1/start/1", foreach="", attempt=1)
    story.makes("models/m", "Train/1/start/1", foreach="", attempt=1)
    story.reads("data/raw", "Train/1/end/3", foreach="", attempt=0)
    assert says("m") == [["other v1"]]


def test_a_definition_is_an_input_without_a_version(story):
    declared = Instance.objects.get(asset__asset_id="raw").asset
    story.reads("data/raw", "Train/1/start/1", version=declared.definition_uid)
    story.reads("data/other", "Train/1/start/1")
    story.makes("models/m", "Train/1/end/3")
    assert says("m", queries=4) == [["other v1", "raw"]]


def test_a_copy_has_the_inputs_of_what_it_was_promoted_from_through_any_chain(story):
    story.reads("data/raw", "Train/1/start/1")
    uid = story.makes("models/m", "Train/1/end/3")
    for branch in ("staging", "prod", "archive"):
        uid = copy_of(story, uid, "models/copy", branch)
    assert says("copy", queries=6) == [["raw v1"]]


def test_a_chain_longer_than_one_query_follows_is_followed(story):
    story.reads("data/raw", "Train/1/start/1")
    uid = story.makes("models/m", "Train/1/end/3")
    for number in range(20):
        uid = copy_of(story, uid, "models/copy", f"stage{number}")
    assert says("copy") == [["raw v1"]]


def test_copies_among_the_inputs_have_the_key_of_their_origin(story):
    raw = Instance.objects.get(asset__asset_id="raw")
    copy = copy_of(story, copy_of(story, raw.uid, "data/copied", "staging"), "data/copied")
    story.reads("/v1/perimeters/default/projects/churn/branches/prod/data/copied", "Train/1/start/1")
    story.makes("models/m", "Train/1/end/3")
    story.reads("data/raw", "Train/2/start/1")
    story.makes("models/n", "Train/2/end/3")
    m, n = (versions(asset__asset_id=one)[-1] for one in "mn")
    viewer = superuser()
    found = inputs_of(viewer, [m, n])
    assert found[m.pk].all[0].node.id == copy
    assert found[m.pk].all[0].origin == found[n.pk].all[0].origin == ("instance", raw.pk)


def test_of_a_copy_of_something_unknown_the_inputs_are_not_known(story):
    copy_of(story, "i_00000000000000000000", "models/copy")
    assert says("copy") == [["…"]]


def test_copies_of_one_unknown_thing_are_the_same_input(story):
    unknown = "i_00000000000000000000"
    for number, branch in enumerate(("one", "two"), 1):
        copy_of(story, unknown, "data/copied", branch)
        story.reads(f"/v1/perimeters/default/projects/churn/branches/{branch}/data/copied", f"Train/{number}/a/1")
        story.makes(f"models/m{number}", f"Train/{number}/b/2")
    viewer = superuser()
    found = inputs_of(viewer, versions(asset__asset_id__in=["m1", "m2"]))
    assert {one.origin for inputs in found.values() for one in inputs} == {("unknown", unknown)}


def test_until_a_resumed_run_was_read_its_inputs_are_presumed(story):
    story.reads("data/raw", "Train/1/start/1", graph=LOADED, foreach="")
    story.makes("models/m", "Train/2/end/3", graph=LOADED, resumes="1", foreach="")
    assert says("m") == [["raw v1", "…"]]
    story.took_over("Train/2", {"start/1": "Train/1/start/1"})
    assert says("m") == [["raw v1"]]


def test_where_a_run_read_more_than_is_followed_nothing_is_claimed(story, monkeypatch):
    monkeypatch.setattr("lineage.inputs.WALK_MOST", 2)
    for asset in ("data/raw", "data/other", "data/raw"):
        story.reads(asset, "Train/1/start/1")
    story.makes("models/m", "Train/1/end/3")
    assert says("m")[0][-1] == "…"


def test_without_a_run_nothing_is_known_to_have_gone_in(story):
    app = {"entity_ref": {"entity_kind": "deployment", "entity_id": "app"}}
    story.reads("data/raw", "", **app)
    story.makes("models/m", "", **app)
    assert says("m") == [[]]


def test_what_may_not_be_seen_is_told_as_hidden(story):
    """A promotion leads out of a perimeter; what went into its source there stays without a name."""
    story.reads("data/raw", "Train/1/start/1")
    uid = story.makes("models/m", "Train/1/end/3")
    ada = User.objects.create(username="ada")
    theirs = Perimeter.objects.create(name="theirs")
    Membership.objects.create(user=ada, perimeter=theirs)
    body = {"entity_ref": {"entity_kind": "user", "entity_id": "ada"}, "model_asset_kind": "artifact"}
    body["annotations"] = {"promoted_from_instance": uid}
    story.api.patch("/v1/perimeters/theirs/projects/churn/branches/main/models/copy", body)
    found = inputs_of(Viewer(ada), versions(asset__asset_id="copy"))
    (one,) = next(iter(found.values())).all
    assert one.is_hidden
    assert "raw" not in repr(one.node)
