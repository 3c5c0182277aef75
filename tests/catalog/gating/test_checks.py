"""What is only asked about is answered by the code that judges, and nothing is written."""

import pytest

from catalog.models import Asset, GateRevision, GateVerdict, Instance
from tests.catalog.gating.doors import FEATURE, deployed, measured, moved, promoted, requires

pytestmark = pytest.mark.both


def check(api, uid, name="production"):
    return api.post(f"data/xkcd/aliases/{name}/check", {"instance_id": uid})


def look_back(api, *definitions):
    return api.post("gates/check", {"definitions": list(definitions)})


def test_a_move_is_asked_about(api):
    deployed(api, requires("auc >= 0.8", approvals=1))
    bad = measured(api, 0.7)
    said = check(api, bad)
    assert said.status_code == 200
    assert (said.data["passes"], said.data["outcome"], said.data["alias"]) == (False, "refused", "production")
    assert [rule["rule"] for rule in said.data["rules"]] == ["auc >= 0.8", "approvals = 1"]
    assert said.data["approvals"] == {"given": 0, "needed": 1}
    assert said.data["revision"]["id"] == GateRevision.objects.get().pk
    free = check(api, bad, "staging").data
    assert (free["passes"], free["rules"], free["revision"]) == (True, [], None)
    assert check(api, "i_00000000000000000000").status_code == 404
    assert check(api, bad, "no such/name").status_code in (400, 404)
    assert not GateVerdict.objects.exists()


def test_a_promotion_is_asked_about(api):
    source = measured(type(api)(api.client, branch=FEATURE), 0.7)
    path = "data/xkcd/promotions/check"
    assert api.post(path, {"instance_id": source}).data["passes"]  # there is no branch yet
    deployed(api, requires("auc >= 0.8", "from feature", alias="into branch"))
    said = api.post(path, {"instance_id": source})
    assert said.status_code == 200
    assert [rule["passes"] for rule in said.data["rules"]] == [False, True]
    assert (said.data["alias"], said.data["outcome"]) == (None, "refused")
    assert api.post(path, promoted(source, 0.7)).data == said.data
    assert api.post(path, promoted(source, 0.9)).data["passes"]
    own = {name: value for name, value in promoted(source, 0.1).items() if name != "annotations"}
    assert api.post(path, own).data["rules"] == []
    assert api.delete("data/xkcd").status_code == 204
    assert not api.post(path, {"instance_id": source}).data["passes"]
    assert api.post(path, {"instance_id": "i_00000000000000000000"}).status_code == 404
    pending = type(api)(api.client, branch=FEATURE).register(state="pending")["id"]
    assert api.post(path, {"instance_id": pending}).status_code == 400
    assert Instance.objects.count() == 2
    assert not GateVerdict.objects.exists()


def test_new_gates_are_asked_what_they_would_have_done(api):
    deployed(api, None)
    for auc in (0.6, 0.7, 0.8, 0.9):
        last = measured(api, auc)
    moved(api, measured(api, 0.75))
    gates = requires("auc >= 0.8", "age <= 7d", "card present", "not late", approvals=1)
    answer = look_back(api, {"kind": "data", "id": "xkcd", "gates": gates}, {"kind": "data", "id": "new", "gates": {}})
    assert answer.status_code == 200
    mine, new = answer.data["definitions"]
    assert (mine["differs"], mine["looked_back"]) == (True, True)
    (gate,) = mine["gates"]
    assert (gate["gate"], gate["versions"], gate["refused"], gate["approvals"]) == ("production", 5, 3, 1)
    assert gate["by_rule"] == [{"rule": "auc >= 0.8", "refused": 3}]
    assert gate["left_out"] == ["age <= 7d", "card present", "not late"]
    assert (gate["holder"]["ref"], gate["holder"]["passes"]) == ("v5", False)
    assert (new["differs"], new["looked_back"], new["gates"]) == (False, False, [])
    assert not GateRevision.objects.exists()
    assert Asset.objects.get().alias_index["production"] != last


def test_a_gate_for_every_alias_is_asked_of_each(api):
    deployed(api, None)
    low = measured(api, 0.6)
    moved(api, low)
    moved(api, low, "staging")
    answer = look_back(api, {"kind": "data", "id": "xkcd", "gates": requires("auc >= 0.8", alias="*")})
    found = {
        gate["gate"]: gate["holder"] and gate["holder"]["passes"] for gate in answer.data["definitions"][0]["gates"]
    }
    assert found == {"*": None, "production": False, "staging": False}


def test_gates_that_hold_already_are_not_looked_back_upon(api):
    deployed(api, requires("auc >= 0.8"))
    answer = look_back(api, {"kind": "data", "id": "xkcd", "gates": requires("auc >= 0.8")})
    assert [(one["differs"], one["looked_back"]) for one in answer.data["definitions"]] == [(False, False)]


def test_gates_that_can_not_be_read_are_refused_as_in_a_deploy(api):
    answer = look_back(api, {"kind": "data", "id": "xkcd", "source": "a.toml", "gates": requires("auc >=")})
    assert answer.status_code == 400
    assert answer.data["detail"]["file"] == "a.toml"
    assert answer.data["detail"]["key"] == "gates.production.require"
