"""Deploys that speak of gates declare them; the last ones at an address hold, whatever becomes of its assets."""

import pytest
from django.db import transaction

from access.models import Perimeter
from catalog import recording
from catalog.counters import Recount
from catalog.entities import Entity
from catalog.models import Asset, DefinitionRevision, GateRevision
from catalog.recording import AssetAddress, BranchAddress, Declaration
from tests.catalog.gating.doors import deployed, measured, requires
from tests.catalog.wire import declaration, definition, deploy_body

pytestmark = pytest.mark.both
GATES = requires("auc >= 0.8", "card present", warn=["rows > 5"], approvals=1)
KEPT = {
    "production": {
        "require": ["auc >= 0.8", "card present"],
        "warn": ["rows > 5"],
        "approvals": 1,
        "approvers": ["role:admin"],
    }
}


def shown(api):
    return api.get("data/xkcd").data["gates"]


def test_gates_are_kept_as_they_were_declared_with_their_deploy(api):
    answer = deployed(api, GATES, version="v7")
    assert (answer["created"], answer["gated"]) == (["data/xkcd"], ["data/xkcd"])
    revision = GateRevision.objects.get()
    assert (revision.gates, revision.version_id, revision.entity_kind) == (KEPT, "v7", "ci")
    assert shown(api)["declared"] == KEPT
    assert (shown(api)["revision"]["id"], shown(api)["revision"]["version"]) == (revision.pk, "v7")


def test_the_same_gates_again_are_no_new_revision(api):
    deployed(api, GATES)
    for version in ("2", "3"):
        answer = deployed(api, GATES, version=version)
        assert (answer["unchanged"], answer["gated"]) == (["data/xkcd"], [])
    assert GateRevision.objects.count() == 1


def test_other_gates_alone_are_no_new_definition(api):
    deployed(api, GATES)
    answer = deployed(api, requires("auc >= 0.9"))
    assert (answer["updated"], answer["gated"]) == (["data/xkcd"], ["data/xkcd"])
    assert (GateRevision.objects.count(), DefinitionRevision.objects.count()) == (2, 1)
    hashes = set(Asset.objects.values_list("config_hash", flat=True))
    deployed(api, None)
    assert set(Asset.objects.values_list("config_hash", flat=True)) == hashes
    assert shown(api)["declared"] == requires("auc >= 0.9")


def test_empty_gates_remove_them_once_as_an_edit(api):
    deployed(api, {})
    assert not GateRevision.objects.exists()
    deployed(api, GATES)
    assert [deployed(api, {})["gated"] for _ in range(2)] == [["data/xkcd"], []]
    assert shown(api) is None
    assert [row.gates for row in GateRevision.objects.order_by("id")] == [KEPT, {}]
    measured(api, 1)
    assert api.delete("data/xkcd").status_code == 204
    measured(api, 1)
    assert Asset.objects.live().get().gates is None
    assert deployed(api, GATES)["gated"] == ["data/xkcd"]


def test_who_knows_nothing_of_gates_changes_none(api):
    deployed(api, GATES)
    assert api.patch("data/xkcd", declaration("h9")).status_code == 201
    deployed(api, None, version="older client")
    assert shown(api)["declared"] == KEPT
    assert api.delete("data/xkcd").status_code == 204
    assert api.patch("data/xkcd", declaration("h9")).status_code == 201
    assert shown(api)["declared"] == KEPT


def test_one_declaration_may_speak_of_gates_too(api):
    deployed(api, GATES)
    at = AssetAddress(BranchAddress(Perimeter.objects.get(), "churn", "main", "main"), "data", "xkcd")
    for gates, said in ((None, KEPT), (requires("auc >= 1"), requires("auc >= 1")), ({}, None)):
        with transaction.atomic():
            entity = Entity("user", "ada")
            recording.declare(actor="ada", at=at, entity=entity, declaration=Declaration({}, gates=gates))
        assert (shown(api) or {}).get("declared") == said


def test_all_that_can_not_be_read_is_told_with_its_place_and_nothing_is_written(api):
    bad = definition("xkcd", gates=requires("auc >= ", "auc >= 0.8", "lates"), source="data/xkcd/asset_config.toml")
    worse = definition("comics", gates={"@production": {"requires": []}})
    good = definition("fine", gates=GATES)
    answer = api.post("deploys", deploy_body(bad, good, worse))
    assert answer.status_code == 400
    problems = answer.data["detail"]["problems"]
    places = [(one["file"], one["key"], one["rule"], one["column"]) for one in problems]
    assert places[:2] == [
        ("data/xkcd/asset_config.toml", "gates.production.require", 1, 7),
        ("data/xkcd/asset_config.toml", "gates.production.require", 3, 6),
    ]
    assert {one["file"] for one in problems[2:]} == {"data/comics"}
    assert "a number" in problems[0]["expected"]
    assert answer.data["detail"]["column"] == 7
    assert "data/xkcd/asset_config.toml: gates.production.require, rule 1, column 7: " in answer.data["message"]
    assert not Asset.objects.exists()


@pytest.mark.parametrize("gates", [[], "auc", {"production": []}, {"production": {"require": ["x" * 5000]}}, 1, True])
def test_gates_of_another_form_are_refused(api, gates):
    answer = api.post("deploys", deploy_body(definition(gates=gates)))
    assert answer.status_code == 400
    assert answer.data["detail"]["file"] == "data/xkcd"


def test_null_is_not_spoken_of(api):
    deployed(api, GATES)
    assert api.post("deploys", deploy_body(definition(gates=None))).status_code == 200
    assert shown(api)["declared"] == KEPT


def test_a_recount_finds_which_gates_hold(api):
    deployed(api, GATES)
    measured(api, 1)
    assert api.delete("data/xkcd").status_code == 204
    measured(api, 1)
    right = Asset.objects.live().get()
    assert right.gates_id
    assert Recount().run().corrections == []
    Asset.objects.filter(pk=right.pk).update(gates=None)
    assert Recount().run().corrections == [f"Asset {right.pk}: gates_id"]
    assert Asset.objects.live().get().gates_id == right.gates_id
    deployed(api, {})
    assert Recount().run().corrections == []
    Asset.objects.filter(pk=right.pk).update(gates=right.gates)
    assert Recount().run().corrections == [f"Asset {right.pk}: gates_id"]
