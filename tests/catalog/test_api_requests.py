"""Requests for approvals by the API: whoever may move asks and withdraws, and nobody approves."""

import pytest

from catalog.models import PromotionRequest
from tests.catalog.wire import definition, deploy_body

GATES = {
    "production": {"require": ["auc >= 0.7"], "approvals": 1, "approvers": ["role:admin", "ann"]},
    "into branch": {"require": ["auc >= 0.7"], "approvals": 1},
}


@pytest.fixture
def gated(api):
    assert api.post("deploys", deploy_body(definition("xkcd", gates=GATES))).status_code == 200
    return api


def ask(api, to, **more):
    return api.post("data/xkcd/requests", {"alias": "production", "instance_id": to, **more})


def test_a_request_is_made_read_and_withdrawn(gated):
    uid = gated.register(annotations={"auc": 0.8})["id"]
    made = ask(gated, uid, comment="same holdout", expected_instance_id=None)
    assert made.status_code == 201, made.content
    request = made.data["request"]
    told = {"state": "open", "alias": "production", "into_branch": False, "instance_id": uid, "ref": "v1"}
    told |= {"comment": "same holdout", "expected_instance_id": None, "approvals": {"given": 0, "needed": 1}}
    assert request.items() >= told.items()
    assert request["approvers"] == ["role:admin", "ann"]
    assert request["url"].endswith(f"/default/churn/main/data/xkcd/requests/{request['id']}")
    address = f"data/xkcd/requests/{request['id']}"
    assert gated.get(address).data == {"request": request}
    assert gated.get("data/xkcd/requests").data == {"requests": [request], "continuation": None}
    withdrawn = gated.delete(address)
    assert (withdrawn.status_code, withdrawn.data["request"]["state"]) == (200, "withdrawn")
    assert gated.delete(address).status_code == 409


def test_nobody_approves_by_the_api(gated):
    uid = gated.register(annotations={"auc": 0.8})["id"]
    request = ask(gated, uid).data["request"]
    refused = gated.post(f"data/xkcd/requests/{request['id']}/approvals", {})
    assert refused.status_code == 403
    assert refused.data["message"].startswith("Requests are approved and rejected by people who are signed in, on http")
    assert refused.data["detail"] == {"url": request["url"]}


def test_it_is_refused_with_the_rules(gated):
    uid = gated.register(annotations={"auc": 0.6})["id"]
    refused = ask(gated, uid)
    assert (refused.status_code, refused.data["error"]) == (422, "gate_refused")
    assert refused.data["detail"]["rules"][0].items() >= {"rule": "auc >= 0.7", "passes": False}.items()
    assert not PromotionRequest.objects.exists()


def test_the_same_is_asked_for_once(gated):
    uid = gated.register(annotations={"auc": 0.8})["id"]
    first = ask(gated, uid).data["request"]
    again = ask(gated, uid)
    assert (again.status_code, again.data["detail"]["request"]) == (409, first["id"])


def test_a_repeat_with_the_same_key_gets_the_first_answer(gated):
    uid = gated.register(annotations={"auc": 0.8})["id"]
    body = {"alias": "production", "instance_id": uid}
    first, again = (gated.post("data/xkcd/requests", body, **{"Idempotency-Key": "k1"}) for _ in range(2))
    assert (first.status_code, again.status_code, first.data) == (201, 201, again.data)


def test_a_promotion_into_the_branch_is_asked_for_without_an_alias(gated):
    away = gated.branch.replace("/main", "/feature_x")
    good, bad = (gated.register(f"{away}/data/xkcd", annotations={"auc": auc})["id"] for auc in (0.8, 0.6))
    made = gated.post("data/xkcd/requests", {"instance_id": good})
    assert made.status_code == 201, made.content
    assert made.data["request"].items() >= {"alias": None, "into_branch": True, "instance_id": good}.items()
    assert gated.post("data/xkcd/requests", {"instance_id": bad}).status_code == 422
    assert gated.post("data/xkcd/requests", {"instance_id": "i_none"}).status_code == 404
    assert gated.post("data/other/requests", {"instance_id": good}).status_code == 400


@pytest.mark.parametrize("more", [{"alias": "a b"}, {"comment": 3}, {"instance_id": None}, {"comment": "x" * 2001}])
def test_what_makes_no_sense_is_refused(gated, more):
    assert ask(gated, "i_1", **more).status_code == 400


def test_the_list_has_pages(gated):
    for _ in range(3):
        ask(gated, gated.register(annotations={"auc": 0.8})["id"])
    first = gated.get("data/xkcd/requests?page_size=2").data
    rest = gated.get(f"data/xkcd/requests?page_size=2&continuation={first['continuation']}").data
    assert [row["ref"] for row in first["requests"] + rest["requests"]] == ["v3", "v2", "v1"]


def test_an_asset_without_requests(api):
    api.register()
    assert api.get("data/xkcd/requests").data == {"requests": [], "continuation": None}
    assert api.get("data/xkcd/requests/7").status_code == 404
