"""No alias is moved past a rule of the gates that were declared last at its address."""

import pytest
from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from access.errors import BadRequest
from catalog import recording
from catalog.entities import Entity
from catalog.gates.facts import Told
from catalog.models import Alias, AliasMove, Asset, Deprecation, GateVerdict, Instance
from catalog.recording import GateRefused, Wish
from tests.catalog.gating.doors import FEATURE, deployed, measured, move, moved, refused, requires

pytestmark = pytest.mark.both
ADA = Entity("user", "ada")


def set_alias(uid, wish=recording.PLAIN, name="production"):
    asset = Asset.objects.live().get(asset_id="xkcd", branch__key="main")
    with transaction.atomic():  # as in a test each is in a larger one
        return recording.set_alias(actor="ada", asset=asset, name=name, target_uid=uid, entity=ADA, wish=wish)


def test_an_alias_is_not_moved_past_a_rule(api):
    deployed(api, requires("auc >= 0.8"), version="0123456789abcdef")
    good, bad = measured(api, 0.8), measured(api, 0.79)
    moved(api, good)
    answer = move(api, bad)
    assert refused(answer).startswith("@production stays on v1: v2 does not pass 1 of 1 rule (gates of main, ")
    assert answer.data["message"].endswith(", 0123456789ab). auc >= 0.8: has 0.79, needs 0.8, 0.01 short.")
    detail = answer.data["detail"]
    assert (detail["alias"], detail["into_branch"], detail["instance"]) == ("production", False, bad)
    assert [rule["passes"] for rule in detail["rules"]] == [False]
    assert detail["revision"]["version"] == "0123456789abcdef"
    assert Alias.objects.get().instance.uid == good
    assert AliasMove.objects.get().verdict.outcome == "passed"
    verdict = GateVerdict.objects.get(outcome="refused")
    assert (verdict.instance_uid, verdict.from_uid, verdict.alias) == (bad, good, "production")


def test_where_it_is_an_alias_may_stay_whatever_the_rules(api):
    uid = measured(api, 0.7)
    moved(api, uid)
    deployed(api, requires("auc >= 0.8"))
    moved(api, uid)


def test_a_gate_for_every_alias_holds_beside_that_of_one(api):
    deployed(api, requires("auc >= 0.8") | requires("auc <= 0.9", alias="*"))
    moved(api, measured(api, 0.85))
    assert "auc >= 0.8" in refused(move(api, measured(api, 0.7)))
    assert "auc <= 0.9" in refused(move(api, measured(api, 0.95)))
    assert "auc <= 0.9" in refused(move(api, measured(api, 0.95), "any"))
    moved(api, measured(api, 0.7), "any")


def test_what_held_the_alias_before_is_compared_with_nothing_but_meets_what_is_fixed(api):
    deployed(api, requires("auc >= @production", "auc >= 0.5"))
    first, second = measured(api, 0.6), measured(api, 0.7)
    moved(api, first)
    moved(api, second)
    assert "auc >= @production" in refused(move(api, measured(api, 0.6)))
    moved(api, first)
    rolled_back = AliasMove.objects.order_by("-id").first().verdict
    assert rolled_back.outcome == "rollback"
    assert [rule["says"] for rule in rolled_back.rules] == ["exempt", "passes"]
    deployed(api, requires("auc >= 0.65"))
    moved(api, second)
    assert "auc >= 0.65" in refused(move(api, first))


def test_who_deletes_an_alias_is_compared_with_its_last_holder(api):
    deployed(api, requires("auc >= @production"))
    moved(api, measured(api, 0.7))
    assert api.delete("data/xkcd/aliases/production").status_code == 204
    message = refused(move(api, measured(api, 0.6)))
    assert "@production is not set" in message
    assert "v1, the last that held it, has 0.7" in message


def test_who_deletes_an_asset_and_registers_it_anew_meets_its_gates_and_its_last_holder(api):
    deployed(api, requires("auc >= @production"))
    moved(api, measured(api, 0.7))
    assert api.delete("data/xkcd/aliases/production").status_code == 204
    assert api.delete("data/xkcd").status_code == 204
    assert "the last that held it, has 0.7" in refused(move(api, measured(api, 0.6)))
    moved(api, measured(api, 0.8))


def test_another_branch_changes_nothing_and_neither_does_a_deploy_that_does_not_speak_of_gates(api):
    deployed(api, requires("auc >= 0.8"))
    feature = type(api)(api.client, branch=FEATURE)
    deployed(feature, {})
    deployed(feature, requires("auc >= 0"))
    deployed(api, None, version="2")
    bad = measured(api, 0.7)
    refused(move(api, bad))
    deployed(api, {})
    moved(api, bad)


def test_a_definition_measures_nothing(api):
    deployed(api, requires("auc >= 0"))
    uid = Asset.objects.get().definition_uid
    assert "the definition measures nothing" in refused(move(api, uid))


def test_a_deprecated_version_gets_no_alias_it_did_not_have(api):
    first, second = measured(api, 0.7), measured(api, 0.8)
    moved(api, first)
    moved(api, second)
    row = Instance.objects.get(uid=first)
    by = {"at": timezone.now(), "actor": "ada", "entity_kind": "user", "entity_id": "ada"}
    row.deprecation = Deprecation.objects.create(instance=row, reason="leaks the label", **by)
    row.save()
    assert "it is deprecated: leaks the label" in refused(move(api, first, "other"))
    moved(api, first)
    assert AliasMove.objects.order_by("-id").first().verdict.outcome == "rollback"
    deployed(api, requires("not deprecated"))
    moved(api, second)
    assert "v1 is deprecated" in refused(move(api, first))


def test_what_waits_for_approvals_is_refused_and_says_how_many_are_missing(api):
    deployed(api, requires("auc >= 0.5", approvals=2, approvers=["role:admin"]))
    uid = measured(api, 0.7)
    answer = move(api, uid)
    assert "approvals = 2: has 0 of 2, needs 2, 2 short" in refused(answer)
    assert answer.data["detail"]["approvals"] == {"given": 0, "needed": 2}


def test_the_same_refusal_again_is_counted_and_every_repeat_is_judged_anew(api):
    deployed(api, requires("auc >= 0.8"))
    bad = measured(api, 0.7)
    for _ in range(3):
        refused(move(api, bad, key="k"))
    assert [row.count for row in GateVerdict.objects.all()] == [3]
    deployed(api, requires("auc >= 0.7"))
    moved(api, bad, key="k")
    deployed(api, requires("auc >= 0.9"))
    moved(api, bad, key="k")  # the answer that was given


def test_a_plain_move_leaves_no_verdict_and_one_with_a_comment_does(api):
    first, second = measured(api, 0.7), measured(api, 0.8)
    moved(api, first)
    assert not GateVerdict.objects.exists()
    moved(api, second, comment="looks good")
    verdict = GateVerdict.objects.get()
    assert (verdict.comment, verdict.outcome, verdict.gates, verdict.rules) == ("looks good", "passed", None, [])


def test_an_admin_may_override_with_a_reason_which_is_kept(api):
    deployed(api, requires("auc >= 0.8"))
    uid, ann = measured(api, 0.7), User.objects.create(username="ann")
    with pytest.raises(BadRequest):
        set_alias(uid, Wish(override="it is urgent"))
    set_alias(uid, Wish(override="it is urgent", user=ann))
    verdict = AliasMove.objects.get().verdict
    assert (verdict.outcome, verdict.comment, verdict.user) == ("override", "it is urgent", ann)
    assert [rule["passes"] for rule in verdict.rules] == [False]


def test_what_a_judge_says_beforehand_is_what_the_move_does(api):
    deployed(api, requires("auc >= 0.8"))
    good, bad = measured(api, 0.8), measured(api, 0.7)
    asset = Asset.objects.get()
    assert recording.judge_move(asset, "production", good).passes
    assert not recording.judge_move(asset, "production", bad).passes
    assert not GateVerdict.objects.exists()
    with pytest.raises(GateRefused):
        set_alias(bad)


def test_a_card_that_was_not_looked_up_is_none(api):
    deployed(api, requires("card present"))
    uid = measured(api, 0.7)
    assert "card present" in refused(move(api, uid))
    with pytest.raises(GateRefused, match="it was not looked up whether there is a card"):
        set_alias(uid)
    set_alias(uid, Wish(card=Told(True)))
