"""No alias is moved past a rule of the gates that were declared last at its address."""

import pytest

from catalog.models import Alias, AliasMove, GateVerdict
from tests.catalog.wire import TASK, definition, deploy_body

pytestmark = pytest.mark.both

PRODUCTION = {"production": {"require": ["auc >= 0.8"]}}


def deployed(api, gates, asset="xkcd", **more):
    answer = api.post("deploys", deploy_body(definition(asset, gates=gates), **more))
    assert answer.status_code == 200, answer.content
    return answer.data


def move(api, to, name="production", **more):
    return api.put(f"data/xkcd/aliases/{name}", {"entity_ref": TASK, "instance_id": to, **more})


def measured(api, auc, **more):
    return api.register(annotations={"auc": auc}, **more)["id"]


def test_an_alias_is_not_moved_past_a_rule(api):
    deployed(api, PRODUCTION)
    good, bad = measured(api, 0.8), measured(api, 0.79)
    assert move(api, good).status_code == 200
    refused = move(api, bad)
    assert refused.status_code == 422
    assert refused.data["error"] == "gate_refused"
    assert "@production stays on v1: v2 does not pass 1 of 1 rule (" in refused.data["message"]
    assert "auc >= 0.8: has 0.79, needs 0.8, 0.01 short." in refused.data["message"]
    detail = refused.data["detail"]
    assert (detail["alias"], detail["into_branch"], detail["instance"]) == ("production", False, bad)
    assert [rule["passes"] for rule in detail["rules"]] == [False]
    assert detail["revision"]["version"] == "sha1"
    assert Alias.objects.get().instance.uid == good
    assert AliasMove.objects.get().verdict.outcome == "passed"
    assert GateVerdict.objects.get(outcome="refused").instance_uid == bad
    assert move(api, bad, "staging").status_code == 200
