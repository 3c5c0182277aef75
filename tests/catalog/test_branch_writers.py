"""Who has written to a branch: every kind of write counts, by the person behind it."""

import pytest
from django.apps import apps

from access.identity import is_by
from access.models import Perimeter
from catalog import branch_writers, recording
from catalog.branch_writers import EVENTS, is_only_by
from catalog.entities import Entity
from catalog.models import BranchName, Consumption, PropertyOverride
from catalog.recording import AssetAddress, BranchAddress, Declaration, Highlighted, Registration

NO_WRITES = {
    Consumption: "whoever may read may consume",
    PropertyOverride: "its edits are events",
    BranchName: "a branch without a name has none",
}

pytestmark = pytest.mark.django_db


def test_every_model_of_events_on_a_branch_is_asked():
    models = {
        model
        for model in apps.get_app_config("catalog").get_models()
        if "branch__" in getattr(model, "PERIMETER", "") and hasattr(model, "actor")
    }
    assert models - NO_WRITES.keys() == set(EVENTS)


def test_the_writes_of_a_person_are_told_from_those_of_a_namesake():
    assert all(is_by("eve", actor) for actor in ("eve", "eve via token as_1a2b3c4d…"))
    others = ("Eve", "eve2", "eve via token", "reconcile", "evelyn via token as_1")
    assert not any(is_by("eve", actor) for actor in others)


ACTS = ["register", "alias", "deploy", "spec", "delete", "confirm", "highlight", "override", "deprecate"]


@pytest.mark.parametrize("act", ACTS)
def test_every_kind_of_write_has_a_writer(act):
    place = BranchAddress(Perimeter.objects.create(name="walled"), "churn", "y")
    at, entity = AssetAddress(place, "data", "a"), Entity("task", "F/1/s/1")
    what = Registration(asset_kind="artifact", state="pending" if act == "confirm" else "ready")
    made = recording.register(actor="eve", at=at, entity=entity, what=what)
    branch, asset = made.asset.branch, made.asset
    assert is_only_by("eve", branch)
    confirmed = {"perimeter": place.perimeter, "attempt": None, "state": "ready", "reason": "", "uids": ()}
    definitions = {("data", "a"): Declaration({"owner": "ada"})}
    shown = {"at": place, "entity": entity, "what": Highlighted("93 %")}
    {
        "register": lambda: recording.register(actor="ada", at=at, entity=entity, what=what),
        "alias": lambda: recording.set_alias(actor="ada", asset=asset, name="p", target_uid=made.uid, entity=entity),
        "deploy": lambda: recording.deploy(
            actor="ada", at=place, entity=entity, version_id="1", spec={}, definitions=definitions
        ),
        "spec": lambda: recording.post_spec(actor="ada", at=place, entity=entity, version_id="1", spec={}),
        "delete": lambda: recording.delete_asset(actor="ada", asset=asset),
        "deprecate": lambda: recording.deprecate(
            actor="ada", asset=asset, target_uid=made.uid, reason="Old.", entity=entity
        ),
        "confirm": lambda: recording.confirm(actor="ada", entity=entity, **confirmed),
        "highlight": lambda: recording.show_highlight(actor="ada", **shown),
        "override": lambda: recording.override_property(user=None, actor="ada", asset=asset, key="k", value="v"),
    }[act]()
    assert not is_only_by("eve", branch)


def test_a_branch_of_more_events_than_are_looked_at_may_have_other_writers(monkeypatch):
    place = BranchAddress(Perimeter.objects.create(name="walled"), "churn", "y")
    at, what = AssetAddress(place, "data", "a"), Registration(asset_kind="artifact")
    made = recording.register(actor="eve", at=at, entity=Entity("task", "F/1/s/1"), what=what)
    for most, known in ((2, True), (1, False)):
        monkeypatch.setattr(branch_writers, "MOST_EVENTS", most)
        assert is_only_by("eve", made.asset.branch) == known
