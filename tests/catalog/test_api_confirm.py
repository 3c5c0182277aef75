"""Settling what a task registered as pending, and what a retried task does to its earlier attempts."""

import pytest

from catalog.models import Asset, Instance, StateChange
from tests.catalog.wire import PERIMETER, TASK, task

pytestmark = pytest.mark.both

OTHER = f"{PERIMETER}/projects/churn/branches/feature_x/data"


def confirm(api, state="ready", entity=TASK, **more):
    answer = api.post(f"{PERIMETER}/confirmations", {"entity_ref": entity, "state": state, **more})
    assert answer.status_code == 200, answer.content
    return answer.data["confirmed"]


def states(name="xkcd"):
    """The states of an asset's instances, oldest first."""
    return list(Instance.objects.filter(asset__asset_id=name).order_by("number").values_list("state", flat=True))


def test_pending_becomes_ready(api):
    made = api.register(state="pending", attempt=0)
    assert made["state"] == "pending"
    assert made["settled_at"] is None
    (line,) = confirm(api, attempt=0)
    assert line == {
        "id": made["id"],
        "ref": "v1",
        "state": "ready",
        "asset": "xkcd",
        "kind": "data",
        "project": "churn",
        "branch": "main",
    }
    latest = api.get("data/xkcd/instances/latest").data
    assert latest["id"] == made["id"]
    assert latest["settled_at"] > latest["created_at"]


def test_pending_becomes_failed_with_a_reason(api):
    api.register(state="pending")
    confirm(api, "failed", reason="disk full")
    found = api.get("data/xkcd/instances/v1").data
    assert (found["state"], found["state_reason"]) == ("failed", "disk full")
    assert api.get("data/xkcd/instances/latest").status_code == 404


def test_repeating_a_confirmation_changes_nothing(api):
    api.register(state="pending")
    first = confirm(api)
    before = Instance.objects.values().get()
    assert confirm(api) == first
    assert [line["state"] for line in confirm(api, "failed")] == ["ready"]
    assert Instance.objects.values().get() == before
    assert StateChange.objects.count() == 1


def test_all_that_a_task_registered_is_settled_on_every_branch(api):
    api.register("data/a", state="pending", attempt=1)
    api.register("models/b", state="pending", attempt=1)
    api.register(f"{OTHER}/c", state="pending", attempt=1)
    api.register("data/d", state="pending", attempt=1, task="Another/1/start/1")
    settled = confirm(api, attempt=1)
    assert [(line["kind"], line["asset"], line["branch"]) for line in settled] == [
        ("data", "a", "main"),
        ("models", "b", "main"),
        ("data", "c", "feature_x"),
    ]
    assert states("d") == ["pending"]


def test_a_confirmation_can_be_restricted_to_some(api):
    first, second = api.register("data/a", state="pending"), api.register("data/b", state="pending")
    confirm(api, instances=[second["id"]])
    assert (states("a"), states("b")) == (["pending"], ["ready"])
    confirm(api, "failed", instances=[first["id"]])
    assert (states("a"), states("b")) == (["failed"], ["ready"])


def test_ids_that_the_task_did_not_register_are_404_and_nothing_is_settled(api):
    mine = api.register("data/a", state="pending")
    other = api.register("data/b", state="pending", task="Another/1/start/1")
    body = {"entity_ref": TASK, "state": "ready", "instances": [mine["id"], other["id"]]}
    answer = api.post(f"{PERIMETER}/confirmations", body)
    assert answer.status_code == 404
    assert answer.data["detail"] == {"instance": other["id"]}
    assert states("a") == ["pending"]


def test_a_task_that_registered_nothing_confirms_nothing(api):
    assert confirm(api) == []


@pytest.mark.parametrize(
    "wrong",
    [{"state": "pending"}, {"state": None}, {"attempt": -1}, {"attempt": "0"}, {"instances": "x"}, {"reason": 5}],
)
def test_a_malformed_confirmation_is_400(api, wrong):
    body = {"entity_ref": TASK, "state": "ready"} | wrong
    assert api.post(f"{PERIMETER}/confirmations", body).status_code == 400


def test_latest_stays_at_the_higher_number_when_a_lower_one_is_confirmed_later(api):
    api.register(task="F/1/s/1", state="pending")
    api.register(task="F/2/s/1")
    confirm(api, entity=task("F/1/s/1"))
    assert api.get("data/xkcd/instances/latest").data["ref"] == "v2"
    assert api.get("data/xkcd/instances/latest-1").data["ref"] == "v1"
    asset = Asset.objects.get()
    assert (asset.newest.number, asset.newest_ready.number, asset.ready_count) == (2, 2, 2)
    assert asset.refreshed_at == asset.newest_ready.settled_at


def test_latest_moves_when_the_newest_is_confirmed(api):
    api.register(task="F/1/s/1")
    api.register(task="F/2/s/1", state="pending")
    assert api.get("data/xkcd/instances/latest").data["ref"] == "v1"
    confirm(api, entity=task("F/2/s/1"))
    assert api.get("data/xkcd/instances/latest").data["ref"] == "v2"


# Attempts


@pytest.mark.parametrize("state", ["pending", "ready"])
def test_a_higher_attempt_fails_what_the_lower_one_registered(api, state):
    first = api.register(state=state, attempt=0)
    second = api.register(state="pending", attempt=1)
    assert [first["ref"], second["ref"]] == ["v1", "v2"]
    assert states() == ["failed", "pending"]
    assert api.get("data/xkcd/instances/v1").data["state_reason"] == "superseded by attempt 1"
    confirm(api, attempt=1)
    assert states() == ["failed", "ready"]
    assert api.get("data/xkcd/instances/latest").data["ref"] == "v2"


def test_it_fails_them_on_other_assets_and_branches_too(api):
    api.register("data/a", attempt=0)
    api.register(f"{OTHER}/b", attempt=0)
    api.register("data/c", attempt=1)
    assert (states("a"), states("b"), states("c")) == (["failed"], ["failed"], ["ready"])
    assert api.get("data/a/instances/latest").status_code == 404
    assert Asset.objects.get(asset_id="a").newest_ready is None


def test_latest_goes_back_when_a_ready_one_is_superseded(api):
    api.register(task="F/1/s/1")
    api.register(attempt=0)
    assert api.get("data/xkcd/instances/latest").data["ref"] == "v2"
    api.register(attempt=1, state="pending")
    assert api.get("data/xkcd/instances/latest").data["ref"] == "v1"
    assert Asset.objects.get().ready_count == 1


def test_a_late_registration_of_a_lower_attempt_is_failed(api):
    api.register(attempt=2)
    late = api.register(attempt=1)
    assert (late["ref"], late["state"]) == ("v2", "failed")
    assert late["state_reason"] == "superseded by a later attempt"
    assert api.get("data/xkcd/instances/latest").data["ref"] == "v1"


def test_a_late_confirmation_of_a_lower_attempt_does_not_make_it_ready(api):
    api.register("data/a", state="pending", attempt=0)
    # as when the two requests overtook each other
    api.register("data/b", attempt=1)
    Instance.objects.filter(asset__asset_id="a").update(state="pending")
    confirm(api, attempt=0)
    assert states("a") == ["failed"]


def test_two_registrations_of_one_attempt_are_two_instances(api):
    api.register(state="pending", attempt=0)
    api.register(state="pending", attempt=0)
    confirm(api, attempt=0)
    assert states() == ["ready", "ready"]


@pytest.mark.parametrize("entity", ["F/1/s/2", "F/2/s/1", "G/1/s/1"])
def test_attempts_of_other_tasks_have_nothing_to_do_with_it(api, entity):
    api.register(task="F/1/s/1", attempt=0)
    api.register(task=entity, attempt=1)
    assert states() == ["ready", "ready"]


def test_a_registration_without_an_attempt_is_left_alone(api):
    api.register()
    api.register(attempt=1)
    api.register()
    assert states() == ["ready", "ready", "ready"]


def test_every_change_of_state_is_an_event(api):
    api.register(state="pending", attempt=0)
    api.register(state="pending", attempt=1)
    confirm(api, attempt=1, reason="done")
    changes = StateChange.objects.order_by("id").values_list("instance__number", "state", "reason")
    assert list(changes) == [(1, "failed", "superseded by attempt 1"), (2, "ready", "done")]


def test_what_was_deleted_meanwhile_is_passed_over(api):
    gone = api.register("data/gone", state="pending", attempt=0)
    kept = api.register("data/kept", state="pending", attempt=0)
    api.delete("data/gone")
    body = {"entity_ref": kept["created_by"], "attempt": 0, "state": "ready", "instances": [gone["id"], kept["id"]]}
    answer = api.post("/v1/perimeters/default/confirmations", body)
    assert answer.status_code == 200
    assert [row["id"] for row in answer.data["confirmed"]] == [kept["id"]]
