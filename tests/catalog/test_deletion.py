"""A deletion is an event: refused while a gated alias holds the asset, and for 30 days it can be taken back."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from catalog import recording
from catalog.counters import Recount
from catalog.models import Asset, Branch, Deletion, GateRevision, NameStart
from catalog.series import assets_to_pack
from obproject.journal import Operation
from tests.catalog.kept import Metaflow
from tests.catalog.wire import TASK, definition, deploy_body, spec_body

pytestmark = pytest.mark.both

XKCD = "data/xkcd"
FIRST, SECOND = (f"d_{digit * 20}" for digit in "12")
RECOVERY = f"r_{'3' * 20}"


@pytest.fixture
def gone(api):
    """An asset with two instances, a consumer and an alias, deleted; the second instance as it was."""
    api.post("deploys", deploy_body(definition("xkcd", properties={"owner": "ada"})))
    api.register()
    made = api.register(annotations={"n": 1})
    api.consume(f"{XKCD}/instances/latest")
    api.put(f"{XKCD}/aliases/production", {"entity_ref": TASK, "instance_id": made["id"]})
    assert api.delete(f"{XKCD}?id={FIRST}").status_code == 204
    return made


def recover(api, path=XKCD, **body):
    return api.post(f"{path}/recover", body)


def told(answer):
    return answer.status_code, answer.data["error"]


class TestRecovering:
    def test_it_is_as_it_was(self, api, gone):
        assert NameStart.objects.filter(kind="asset").count() == 0
        answer = recover(api)
        assert answer.status_code == 200
        assert answer.data["latest_instance"]["id"] == gone["id"]
        assert answer.data["asset"]["properties"] == {"owner": "ada"}
        assert api.get(f"{XKCD}/instances/@production").data["id"] == gone["id"]
        assert api.get(XKCD).data["recently_consumed_by"]
        assert Branch.objects.get().data_count == 1
        assert NameStart.objects.filter(kind="asset").exists()
        assert Asset.objects.get().deleted_by == ""
        assert list(Deletion.objects.order_by("pk").values_list("recovered", "uid")) == [(False, FIRST), (True, None)]
        assert Recount().run().corrections == []
        assert api.register()["ref"] == "v3"
        api.post("/v1/perimeters/default/flowprojects", spec_body({"data": [{"id": "xkcd"}]}))
        assert [entry["id"] for entry in api.get("latestflowproject").data["data"]] == ["xkcd"]

    def test_a_replayed_deletion_does_not_delete_what_was_recovered(self, api, gone):
        recover(api)
        assert api.delete(f"{XKCD}?id={FIRST}").status_code == 204
        assert api.get(XKCD).status_code == 200
        assert api.delete(f"{XKCD}?id={SECOND}").status_code == 204
        assert api.get(XKCD).status_code == 404
        recover(api)
        assert api.delete(f"{XKCD}?id={FIRST}").status_code == 204
        assert api.get(XKCD).status_code == 200

    def test_a_repeat_recovers_nothing(self, api, gone):
        assert recover(api, id=RECOVERY).status_code == 200
        assert recover(api, id=RECOVERY).status_code == 200
        assert Deletion.objects.filter(recovered=True).count() == 1
        assert recover(api, "data/other", id=RECOVERY).status_code == 409
        assert told(recover(api)) == (409, "not_deleted")
        assert recover(api).data["message"] == "The asset 'xkcd' is not deleted."

    def test_the_newest_of_several_comes_back(self, api, gone):
        second = api.register(annotations={"n": 2})
        api.delete(XKCD)
        assert recover(api).data["latest_instance"]["id"] == second["id"]
        assert Asset.objects.live().count() == 1

    def test_not_while_another_has_its_name(self, api, gone):
        api.register()
        answer = recover(api)
        assert told(answer) == (409, "name_in_use")
        assert Asset.objects.live().count() == 1

    def test_another_may_be_made_at_that_moment(self, api, gone, monkeypatch):
        """The one that was made is not seen before the row is written."""
        api.register()
        tombstone = Asset.objects.exclude(deleted_at=None).get()
        only_that = Asset.objects.filter(pk=tombstone.pk)
        with pytest.raises(recording.NameInUse, match="just now"), transaction.atomic():
            recording.recover_asset(actor="ada", here=only_that)
        assert Deletion.objects.filter(recovered=True).count() == 0

    def test_not_after_30_days(self, api, gone):
        Asset.objects.update(deleted_at=timezone.now() - timedelta(days=30, minutes=1))
        answer = recover(api)
        assert told(answer) == (409, "too_late")
        assert "after 30 days" in answer.data["message"]
        Asset.objects.update(deleted_at=timezone.now() - timedelta(days=29, hours=23))
        assert recover(api).status_code == 200

    def test_what_there_is_nothing_of(self, api, gone):
        api.register("data/never")
        assert told(recover(api, "data/never")) == (409, "not_deleted")
        assert told(recover(api, "data/nothing")) == (404, "not_found")
        assert told(recover(api, "models/xkcd")) == (404, "not_found")

    def test_its_series_are_packed_anew(self, api, gone):
        asset = Asset.objects.get()
        Asset.objects.update(last_number=300)
        assert assets_to_pack() == []
        recover(api)
        assert assets_to_pack() == [asset.pk]


class TestGates:
    @pytest.fixture
    def held(self, api):
        """An asset whose production alias has gates, and two that have none."""
        made = api.register()
        for name in ("production", "staging", "x"):
            api.put(f"{XKCD}/aliases/{name}", {"entity_ref": TASK, "instance_id": made["id"]})
        return Asset.objects.get()

    def declare(self, asset, gates):
        who = {"entity_kind": "ci", "entity_id": "1", "actor": "ada", "at": timezone.now()}
        at = {"branch": asset.branch, "kind": asset.kind, "asset_id": asset.asset_id}
        asset.gates = GateRevision.objects.create(gates=gates, **at, **who)
        asset.save()

    @pytest.mark.parametrize(("gates", "names"), [
        ({"production": {"require": ["card present"]}, "staging": {"approvals": 1}}, ["production", "staging"]),
        ({"*": {"require": ["card present"]}}, ["production", "staging", "x"]),
        ({"production": {"warn": ["card present"]}, "into branch": {"require": ["card present"]}}, []),
        ({"other": {"require": ["card present"]}}, []),
    ])  # fmt: skip
    def test_what_they_hold_is_not_deleted(self, api, held, gates, names):
        self.declare(held, gates)
        answer = api.delete(XKCD)
        if not names:
            assert answer.status_code == 204
            return
        assert told(answer) == (422, "held_by_gated_alias")
        assert answer.data["detail"] == {"asset": "xkcd", "aliases": names}
        assert all(f"@{name}" in answer.data["message"] for name in names)
        for name in names:
            assert api.delete(f"{XKCD}/aliases/{name}").status_code == 204
        assert api.delete(XKCD).status_code == 204

    def test_an_administrator_may_with_a_reason(self, api, held):
        self.declare(held, {"production": {"require": ["card present"]}})
        ada = User.objects.create(username="ada")
        recording.delete_asset(actor="ada", user=ada, asset=held, override="The data must go.")
        event = Deletion.objects.get()
        assert (event.reason, event.user, event.actor) == ("The data must go.", ada, "ada")

    def test_what_is_recovered_has_the_gates_of_its_address(self, api, held):
        api.delete(XKCD)
        self.declare(Asset.objects.get(), {"production": {"require": ["card present"]}})
        Asset.objects.update(gates=None)
        recover(api)
        assert told(api.delete(XKCD)) == (422, "held_by_gated_alias")


class TestReconciling:
    @pytest.fixture
    def metaflow(self, tmp_path, monkeypatch):
        monkeypatch.setenv("METAFLOW_HOME", str(tmp_path / "no-configuration"))
        return Metaflow(tmp_path / "project" / ".metaflow")

    @pytest.fixture
    def reconcile(self, metaflow):
        from tests.catalog.test_reconcile import reconcile

        return lambda: reconcile(metaflow)

    def test_what_it_deleted_can_be_recovered(self, api, metaflow, reconcile):
        task = metaflow.task()
        made = task.registers()
        task.keep(task.entry(Operation.DELETE, "xkcd"))
        task.ends()
        reconcile()
        assert not Asset.objects.live().exists()
        assert recover(api).status_code == 200
        assert api.get(f"{XKCD}/instances/latest").data["id"] == made.id
        assert "0 writes backfilled" in reconcile()
        assert Asset.objects.live().exists()
        assert Recount().run().corrections == []

    def test_it_deletes_nothing_that_was_recovered_since(self, api, metaflow, reconcile):
        task = metaflow.task()
        task.registers()
        reconcile_first = task.keep(task.entry(Operation.DELETE, "xkcd"))
        task.ends()
        reconcile()
        recover(api)
        Deletion.objects.filter(uid=reconcile_first.id).update(uid=None)  # as if another had deleted it
        assert "0 writes backfilled" in reconcile()
        assert Asset.objects.live().exists()
