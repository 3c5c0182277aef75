"""E1: registering an instance, and what a registration must be."""

import json

import pytest

from catalog.models import Asset, Branch, Edge, Instance

pytestmark = pytest.mark.both

TASK = {"entity_kind": "task", "entity_id": "ComicData/1/start/1"}


def body(**fields):
    return {"entity_ref": TASK, "data_asset_kind": "artifact", **fields}


def test_registration_answers_the_whole_instance(api):
    made = api.register(
        annotations={"rows": 3, "ok": True, "note": "x", "none": None, "list": [1], "nested": {"a": 1.5}},
        tags=[{"key": "env", "value": "prod"}],
        blobs=["s3://a", ["openai", "gpt"]],
        description="the newest strip",
    )
    assert made["ref"] == "v1"
    assert made["number"] == 1
    assert made["state"] == "ready"
    assert made["asset"]["id"] == made["asset"]["name"] == "xkcd"
    assert made["asset"]["kind"] == "data"
    assert made["asset"]["description"] == "the newest strip"
    properties = made["data_properties"]
    assert properties["data_kind"] == "artifact"
    assert properties["annotations"] == {
        "rows": 3, "ok": True, "note": "x", "none": None, "list": [1], "nested": {"a": 1.5},
    }  # fmt: skip
    assert properties["blobs"] == ["s3://a", ["openai", "gpt"]]
    assert made["tags"] == [{"key": "env", "value": "prod"}]
    assert made["created_by"] == TASK
    assert "T" in made["created_at"]
    assert made["created_at"].endswith("Z")
    assert made["url"].endswith("/default/churn/main/data/xkcd/v1")
    found = api.get("data/xkcd/instances/latest").data
    assert found == made | {"run": found["run"]}


def test_models_have_their_own_namespace_and_words(api):
    api.register("data/thing")
    made = api.register("models/thing")
    assert made["model_properties"]["model_kind"] == "artifact"
    assert made["asset"]["kind"] == "model"
    assert Asset.objects.count() == 2


def test_strings_stay_strings(api):
    made = api.register(annotations={"rows": "3", "ok": "True"})
    assert made["data_properties"]["annotations"] == {"rows": "3", "ok": "True"}


def test_numbers_count_up_within_each_asset(api):
    refs = [api.register(path)["ref"] for path in ("data/a", "data/b", "data/a", "data/a")]
    assert refs == ["v1", "v1", "v2", "v3"]


def test_two_registrations_of_one_task_are_two_instances(api):
    assert api.register()["ref"] == "v1"
    assert api.register()["ref"] == "v2"


def test_the_same_key_twice_gives_one_instance(api):
    headers = {"Idempotency-Key": "k1"}
    first = api.patch("data/xkcd", body(), **headers)
    again = api.patch("data/xkcd", body(), **headers)
    assert first.status_code == again.status_code == 201
    assert first.data == again.data
    assert Instance.objects.count() == 1
    assert Edge.objects.get().count == 1


def test_the_same_key_with_another_body_is_a_conflict(api):
    api.patch("data/xkcd", body(), **{"Idempotency-Key": "k1"})
    answer = api.patch("data/xkcd", body(description="other"), **{"Idempotency-Key": "k1"})
    assert answer.status_code == 409
    assert Instance.objects.count() == 1


def test_the_same_key_at_another_address_is_another_request(api):
    api.patch("data/a", body(), **{"Idempotency-Key": "k1"})
    assert api.patch("data/b", body(), **{"Idempotency-Key": "k1"}).status_code == 201
    assert Instance.objects.count() == 2


def test_an_answer_is_kept_seven_days(api, monkeypatch):
    from datetime import timedelta

    from django.utils import timezone

    from catalog.models import IdempotencyKey

    api.patch("data/xkcd", body(), **{"Idempotency-Key": "k1"})
    IdempotencyKey.objects.update(created_at=timezone.now() - timedelta(days=7, seconds=1))
    api.patch("data/xkcd", body(), **{"Idempotency-Key": "k1"})
    assert Instance.objects.count() == 2


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"entity_ref": None}, "entity_ref"),
        ({"entity_ref": {"entity_kind": "task"}}, "entity_id"),
        ({"entity_ref": {"entity_kind": "", "entity_id": "x"}}, "entity_kind"),
        ({"entity_ref": {"entity_kind": 5, "entity_id": "x"}}, "entity_kind"),
        ({"entity_ref": "task"}, "entity_ref"),
        ({"data_asset_kind": None}, "data_asset_kind"),
        ({"data_asset_kind": ""}, "data_asset_kind"),
        ({"data_asset_kind": None, "model_asset_kind": "artifact"}, "data_asset_kind"),
        ({"model_asset_kind": "artifact"}, "model_asset_kind"),
        ({"tags": {"a": "b"}}, "tags"),
        ({"tags": [{"key": "a"}]}, "tags"),
        ({"tags": [{"key": "a", "value": 1}]}, "tags"),
        ({"tags": [{"key": "a", "value": "1"}, {"key": "a", "value": "2"}]}, "tags"),
        ({"annotations": []}, "annotations"),
        ({"annotations": {"big": "x" * 70_000}}, "annotations"),
        ({"annotations": {"k" * 300: 1}}, "annotations"),
        ({"annotations": {"": 1}}, "annotations"),
        ({"tags": [{"key": "", "value": "1"}]}, "tags.0.key"),
        ({"blobs": "s3://a"}, "blobs"),
        ({"description": 5}, "description"),
        ({"state": "failed"}, "state"),
        ({"attempt": -1}, "attempt"),
        ({"attempt": True}, "attempt"),
        ({"attempt": "1"}, "attempt"),
        ({"datastore": "local"}, "datastore"),
        ({"datastore": {"type": "local", "root": "/a", "cards": 1}}, "datastore"),
        ({"branch_name": "//"}, "branch_name"),
        ({"branch_name": "other"}, "branch_name"),
        ({"perimeter": "other"}, "perimeter"),
        ({"branch": "other"}, "branch"),
        ({"annotations": {"nul": "a\x00b"}}, ""),
        ({"annotations": {"nul\x00": 1}}, ""),
        ({"annotations": {"surrogate": "\ud800"}}, ""),
    ],
)
def test_a_malformed_registration_is_refused_by_name_and_leaves_nothing(api, wrong, named):
    answer = api.patch("data/xkcd", body() | wrong)
    assert answer.status_code == 400, answer.content
    assert set(answer.data) == {"error", "message", "detail"}
    assert named in json.dumps(answer.data)
    assert not Asset.objects.exists()
    assert not Branch.objects.exists()


@pytest.mark.parametrize(
    "raw",
    [
        b"", b"{", b"[]", b'"x"', b"null", b"5", b"\xff\xfe", b'{"a": NaN}', b'{"a": 1e999}',
        b'{"a": ' + b"9" * 5000 + b"}",
        b"[" * 100_000 + b"]" * 100_000,
        b'{"a": ' + b"[" * 60 + b"]" * 60 + b"}",
    ],
)  # fmt: skip
def test_bad_json_is_400(api, raw):
    answer = api.patch("data/xkcd", raw)
    assert answer.status_code == 400
    assert answer.data["error"] == "bad_request"


def test_a_huge_body_is_413(api):
    answer = api.patch("data/xkcd", b'{"x": "' + b"a" * (9 * 1024 * 1024) + b'"}')
    assert answer.status_code == 413


def test_another_content_type_is_415(api):
    answer = api.client.generic("PATCH", f"{api.branch}/data/xkcd", "a=b", content_type="text/plain")
    assert answer.status_code == 415


@pytest.mark.parametrize(
    "name", ["a%20b", "%40a", "a%00b", "x" * 129, ".", "..", "-a", "a%3Fb", "a%23b", "a%0Ab", "a%25b"]
)
def test_a_name_that_cant_stand_in_an_address_is_refused(api, name):
    answer = api.patch(f"data/{name}", body())
    assert answer.status_code in (400, 404)
    assert answer.data["error"] in ("bad_request", "not_found")
    assert not Asset.objects.exists()


@pytest.mark.parametrize("name", ["été", "a.b", "A_b-c", "x@y", "report.csv", "v1", "latest", "数据"])
def test_a_name_that_can_is_kept(api, name):
    from urllib.parse import quote

    assert api.register(f"data/{quote(name)}")["asset"]["id"] == name
    assert api.get(f"data/{quote(name)}/instances/latest").status_code == 200


def test_a_registration_through_another_spelling_lands_on_the_same_branch(api):
    api.register("/v1/perimeters/default/projects/p/branches/feature_x/data/a")
    api.register("/v1/perimeters/default/projects/p/branches/Feature-X/data/a")
    assert Branch.objects.get().key == "feature_x"


def test_an_unknown_perimeter_is_404_by_name(api):
    answer = api.patch("/v1/perimeters/nowhere/projects/p/branches/main/data/a", body())
    assert answer.status_code == 404
    assert answer.data["detail"] == {"perimeter": "nowhere"}


@pytest.mark.parametrize("tags", [[None], [None, {"key": "env", "value": "prod"}], [[]], [1], ["env=prod"]])
def test_what_is_no_tag_is_refused(api, tags):
    answer = api.patch("data/xkcd", {"entity_ref": TASK, "data_asset_kind": "s3", "tags": tags})
    assert answer.status_code == 400
    assert answer.data["detail"]["field"].startswith("tags")
    assert api.get("data/xkcd").status_code == 404
