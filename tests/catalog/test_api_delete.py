"""E3: a deletion is final for every read; its rows stay behind as a tombstone."""

import pytest

from catalog.models import Alias, AliasMove, Asset, Branch, Consumption, Edge, Instance
from tests.catalog.wire import TASK, declaration, definition, deploy_body, spec_body


@pytest.fixture
def gone(api):
    """An asset with two instances, a consumer and an alias, deleted; the second instance as it was."""
    api.register()
    made = api.register(annotations={"n": 1})
    api.consume("data/xkcd/instances/latest")
    api.put("data/xkcd/aliases/production", {"entity_ref": TASK, "instance_id": made["id"]})
    api.register("data/other")
    answer = api.delete("data/xkcd")
    assert answer.status_code == 204
    assert not answer.content
    return made


def test_it_is_gone_for_every_read(api, gone):
    for path in (
        "data/xkcd",
        "data/xkcd/instances/latest",
        "data/xkcd/instances/v1",
        f"data/xkcd/instances/{gone['id']}",
        "data/xkcd/instances/@production",
        "data/xkcd/aliases",
        "data/xkcd/aliases/production",
        "data/xkcd/alias-history",
    ):
        answer = api.get(path)
        assert answer.status_code == 404, path
        assert answer.data["detail"] == {"asset": "xkcd"}
    assert [item["asset"]["id"] for item in api.get("data").data["items"]] == ["other"]
    assert api.get("data?state=any&text=xkcd").data["items"] == []
    api.post("/v1/perimeters/default/flowprojects", spec_body({"data": [{"id": "xkcd"}, {"id": "other"}]}))
    assert [entry["id"] for entry in api.get("latestflowproject").data["data"]] == ["other"]
    assert Branch.objects.get().data_count == 1


def test_it_is_gone_for_every_write(api, gone):
    for answer in (
        api.delete("data/xkcd"),
        api.put("data/xkcd/instances/latest", {"entity_ref": TASK}),
        api.put("data/xkcd/aliases/a", {"entity_ref": TASK, "instance_id": gone["id"]}),
        api.delete("data/xkcd/aliases/production"),
    ):
        assert answer.status_code == 404
        assert answer.data["detail"] == {"asset": "xkcd"}


def test_its_rows_stay(api, gone):
    tombstone = Asset.objects.get(asset_id="xkcd")
    assert tombstone.deleted_at is not None
    assert tombstone.deleted_by
    assert Instance.objects.filter(asset=tombstone).count() == 2
    assert Consumption.objects.filter(asset=tombstone).count() == 1
    assert Edge.objects.filter(asset=tombstone).count() == 2
    assert Alias.objects.filter(asset=tombstone).count() == AliasMove.objects.filter(asset=tombstone).count() == 1


def test_the_name_used_again_is_a_new_asset(api, gone):
    made = api.register()
    assert made["ref"] == "v1"
    assert made["id"] != gone["id"]
    assert api.get(f"data/xkcd/instances/{gone['id']}").status_code == 404
    assert api.get("data/xkcd/instances/v2").status_code == 404
    assert api.get("data/xkcd/aliases").data == {"aliases": []}
    assert api.get("data/xkcd/alias-history").data["entries"] == []
    assert api.get("data/xkcd").data["recently_consumed_by"] == []
    assert made["asset"]["properties"] == {}
    assert Asset.objects.filter(asset_id="xkcd").count() == 2


def test_it_can_be_deleted_and_made_again_and_again(api):
    ids = set()
    for _ in range(3):
        ids.add(api.register()["id"])
        assert api.delete("data/xkcd").status_code == 204
    assert len(ids) == 3
    assert Asset.objects.filter(asset_id="xkcd").exclude(deleted_at=None).count() == 3


def test_a_definition_is_deleted_with_it(api):
    first = api.patch("data/llm", declaration()).data
    api.delete("data/llm")
    assert api.get("data/llm/instances/latest").status_code == 404
    again = api.patch("data/llm", declaration()).data
    assert again["id"] != first["id"]
    assert api.get(f"data/llm/instances/{first['id']}").status_code == 404


def test_the_twin_of_the_other_kind_stays(api):
    api.register("data/a")
    api.register("models/a")
    api.delete("data/a")
    assert api.get("models/a").status_code == 200


def test_a_task_can_still_settle_what_was_deleted_under_it(api):
    api.register(state="pending")
    api.delete("data/xkcd")
    answer = api.post("/v1/perimeters/default/confirmations", {"entity_ref": TASK, "state": "ready"})
    assert answer.status_code == 200
    assert api.get("data/xkcd").status_code == 404


def test_what_is_unknown_cant_be_deleted(api):
    api.register()
    assert api.delete("data/nothing").data["detail"] == {"asset": "nothing"}
    assert api.delete("models/xkcd").status_code == 404
    assert api.get("data/xkcd").status_code == 200


def test_a_deletion_that_is_sent_twice_deletes_once(api):
    api.register()
    assert api.delete("data/xkcd", **{"Idempotency-Key": "k"}).status_code == 204
    api.register()
    assert api.delete("data/xkcd", **{"Idempotency-Key": "k"}).status_code == 204
    assert api.get("data/xkcd").status_code == 200


def test_a_deploy_counts_live_assets_only(api):
    api.post("deploys", deploy_body(definition("a"), definition("b")))
    api.delete("data/a")
    assert Branch.objects.get().data_count == 1
