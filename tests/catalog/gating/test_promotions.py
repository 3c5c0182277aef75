"""Nothing is promoted into a branch past the rules of its gate, however it is registered."""

import pytest
from django.db import transaction

from catalog import recording
from catalog.models import Asset, GateVerdict, Instance
from tests.catalog.gating.doors import FEATURE, deployed, measured, promoted, refused, requires
from tests.catalog.wire import PERIMETER, TASK

pytestmark = pytest.mark.both
INTO_BRANCH = "into branch"


@pytest.fixture
def source(api):
    """The id of a version on a feature branch."""
    return measured(type(api)(api.client, branch=FEATURE), 0.7)


def gated(api, *rules):
    deployed(api, requires(*rules, alias=INTO_BRANCH))


def test_a_copy_is_judged_by_what_it_says_itself_and_its_verdict_is_kept(api, source):
    gated(api, "auc >= 0.75", "tag stage=final")
    answer = api.patch("data/xkcd", promoted(source, 0.7))
    assert refused(answer).startswith("Nothing was promoted to main: v1 of feature does not pass 2 of 2 rules")
    assert "auc >= 0.75: has 0.7, needs 0.75, 0.05 short. tag stage=final: no tag stage." in answer.data["message"]
    assert (answer.data["detail"]["alias"], answer.data["detail"]["into_branch"]) == (None, True)
    assert answer.data["detail"]["instance"] == source
    assert not Instance.objects.filter(asset__branch__key="main").exists()
    done = api.patch("data/xkcd", promoted(source, 0.8) | {"tags": [{"key": "stage", "value": "final"}]})
    assert done.status_code == 201
    verdict = Instance.objects.get(uid=done.data["id"]).verdict
    assert (verdict.outcome, verdict.instance_uid, verdict.alias) == ("passed", source, "")
    assert GateVerdict.objects.get(outcome="refused").instance_uid == source


def test_age_and_branch_are_those_of_the_origin(api, source):
    gated(api, "age <= 7d", "from feature")
    assert api.patch("data/xkcd", promoted(source, 0.7)).status_code == 201
    gated(api, "from main")
    assert "made on feature" in refused(api.patch("data/xkcd", promoted(source, 0.7)))


@pytest.mark.parametrize(
    "said",
    [
        {"promoted_from_branch": "feature"},
        {"promoted_from_instance": ""},
        {"promoted_from_instance": None},
        {"promoted_from_instance": ["x"]},
        {"promoted_from_instance": {"id": "x"}},
        {"promoted_from_instance": "i_ffffffffffffffffffff"},
        {"promoted_from_instance": "x" * 300},
        {"promoted_from_chain": [{"branch": "main"}]},
        {"promoted_from_": 1},
    ],
    ids=str,
)
def test_whatever_says_that_it_is_a_copy_is_one_and_an_unknown_origin_is_refused(api, said):
    gated(api, "from main")
    body = {"entity_ref": TASK, "data_asset_kind": "artifact", "annotations": {"auc": 1, **said}}
    assert "where it was made is not known" in refused(api.patch("data/xkcd", body))
    many = api.post("registrations", {"registrations": [body | {"kind": "data", "asset": "xkcd"}]})
    assert [entry["status"] for entry in many.data["registrations"]] == [422]
    assert not Instance.objects.exists()


def test_what_is_made_on_the_branch_is_no_promotion(api):
    gated(api, "auc >= 0.75")
    measured(api, 0.1)
    assert not GateVerdict.objects.exists()


def test_of_many_those_are_made_that_pass_and_refusals_are_noted(api, source):
    gated(api, "auc >= 0.75")
    entries = [promoted(source, auc) | {"kind": "data", "asset": "xkcd"} for auc in (0.8, 0.7, 0.9)]
    answer = api.post("registrations", {"registrations": entries}).data["registrations"]
    assert [entry["status"] for entry in answer] == [201, 422, 201]
    assert answer[1]["answer"]["error"] == "gate_refused"
    assert Instance.objects.filter(asset__branch__key="main").count() == 2
    assert list(GateVerdict.objects.order_by("outcome").values_list("outcome", "count")) == [
        ("passed", 1),
        ("passed", 1),
        ("refused", 1),
    ]


def test_a_pending_copy_is_judged_when_it_is_registered_and_again_if_gates_came_since(api, source):
    gated(api, "auc >= 0.75")
    refused(api.patch("data/xkcd", promoted(source, 0.7) | {"state": "pending", "attempt": 0}))
    made = api.patch("data/xkcd", promoted(source, 0.76) | {"state": "pending", "attempt": 0})
    kept = api.patch("data/xkcd", promoted(source, 0.9) | {"state": "pending", "attempt": 0})
    gated(api, "auc >= 0.8")
    confirmed = api.post(f"{PERIMETER}/confirmations", {"entity_ref": TASK, "attempt": 0, "state": "ready"})
    assert confirmed.status_code == 200
    states = {row["id"]: row["state"] for row in confirmed.data["confirmed"]}
    assert states == {made.data["id"]: "failed", kept.data["id"]: "ready"}
    row = Instance.objects.get(uid=made.data["id"])
    assert row.state_reason.startswith("the gates refuse it: auc >= 0.8: has 0.76")
    assert Asset.objects.get(branch__key="main").ready_count == 1


def test_a_pending_copy_is_not_judged_again_by_the_rules_that_it_passed(api, source):
    now = {"require": ["tag fresh"]}
    deployed(api, {INTO_BRANCH: now})
    body = promoted(source, 0.8) | {"state": "pending", "attempt": 0, "tags": [{"key": "fresh", "value": ""}]}
    made = api.patch("data/xkcd", body)
    Instance.objects.filter(uid=made.data["id"]).update(tags={})  # what its rules said then need not hold for ever
    deployed(api, {INTO_BRANCH: now, "production": {"require": ["auc >= 0.9"]}})
    confirmed = api.post(f"{PERIMETER}/confirmations", {"entity_ref": TASK, "attempt": 0, "state": "ready"})
    assert [row["state"] for row in confirmed.data["confirmed"]] == ["ready"]


def test_a_later_attempt_is_judged_as_the_first_was(api, source):
    gated(api, "auc >= 0.75")
    for attempt in (0, 1):
        refused(api.patch("data/xkcd", promoted(source, 0.7) | {"attempt": attempt}))


def test_gates_of_a_deleted_asset_hold_for_who_promotes_it_anew(api, source):
    gated(api, "auc >= 0.75")
    assert api.delete("data/xkcd").status_code == 204
    refused(api.patch("data/xkcd", promoted(source, 0.7)))
    assert not Asset.objects.live().filter(branch__key="main").exists()
    assert api.patch("data/xkcd", promoted(source, 0.8)).status_code == 201


def test_references_are_those_of_the_target(api, source):
    deployed(api, requires("auc >= @production", alias=INTO_BRANCH))
    best = measured(api, 0.75)
    body = {"entity_ref": TASK, "instance_id": best}
    assert api.put("data/xkcd/aliases/production", body).status_code == 200
    assert "(v1 has 0.75)" in refused(api.patch("data/xkcd", promoted(source, 0.7)))


def test_what_is_asked_beforehand_is_answered_by_the_same_judge(api, source):
    gated(api, "auc >= 0.7", "from feature")
    asset = Asset.objects.get(branch__key="main")
    said = recording.Registration("artifact", annotations=promoted(source, 0.7)["annotations"])
    assert recording.judge_promotion(asset, said).passes
    said = recording.Registration("artifact", annotations=promoted(source, 0.6)["annotations"])
    assert not recording.judge_promotion(asset, said).passes
    with transaction.atomic():
        assert not GateVerdict.objects.exists()
