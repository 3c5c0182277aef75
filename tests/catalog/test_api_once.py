"""Writes to which a client gives an id of its own: each is recorded once for ever, however often it arrives."""

import pytest

from catalog.models import AliasMove, Asset, Consumption, Edge, Instance
from tests.catalog.wire import TASK, declaration, task

pytestmark = pytest.mark.both

ID, OTHER_ID = "i_" + "0a" * 10, "i_" + "0b" * 10
CONSUMPTION, MOVE, DELETION = "c_" + "1a" * 10, "a_" + "1b" * 10, "d_" + "1c" * 10
OTHER_MOVE = "a_" + "2b" * 10
BODY = {"entity_ref": TASK, "data_asset_kind": "artifact"}


@pytest.fixture
def made(api):
    return api.register(id=ID)


def register(api, path="data/xkcd", **more):
    return api.patch(path, BODY | {"id": ID} | more)


def test_an_instance_has_the_id_that_its_client_gave_it(api, made):
    assert made["id"] == ID
    assert api.get(f"data/xkcd/instances/{ID}").data["number"] == 1


def test_a_registration_that_arrives_again_is_answered_as_it_is_and_writes_nothing(api, made):
    api.register()
    again = register(api)
    assert again.status_code == 201
    assert again.data == made
    assert Instance.objects.count() == 2
    assert list(Edge.objects.values_list("count", flat=True)) == [2]


def test_it_is_the_same_with_an_idempotency_key(api, made):
    assert api.patch("data/xkcd", BODY | {"id": ID}, **{"Idempotency-Key": "another"}).data == made


def test_a_repeat_after_the_deletion_of_the_asset_does_not_bring_it_back(api, made):
    api.delete("data/xkcd")
    assert register(api).data["id"] == ID
    assert not Asset.objects.live().exists()


def test_an_attempt_that_fails_others_does_so_once(api):
    api.register(attempt=0, state="pending")
    first = register(api, attempt=1, state="pending").data
    assert register(api, attempt=1, state="pending").data == first
    assert list(Instance.objects.order_by("number").values_list("state", flat=True)) == ["failed", "pending"]


@pytest.mark.parametrize(
    ("path", "more"),
    [
        ("data/xkcd", {"entity_ref": task("ComicData/2/start/1")}),
        ("data/other", {}),
        ("/v1/perimeters/default/projects/churn/branches/x/data/xkcd", {}),
        ("/v1/perimeters/default/projects/other/branches/main/data/xkcd", {}),
    ],
)
def test_the_id_of_another_registration_is_refused(api, made, path, more):
    answer = register(api, path, **more)
    assert answer.status_code == 409
    assert ID in answer.data["message"]
    assert Instance.objects.count() == 1
    assert Asset.objects.count() == 1


WHOLE = {
    "description": "Rows of the comic, caf\u00e9",
    "annotations": {"n": 1, "rate": 1e23, "small": 5e-324, "deep": {"a": [1.0, None, True]}, "text": "1"},
    "tags": [{"key": "a", "value": "1"}, {"key": "b", "value": ""}],
    "blobs": ["s3://a", {"uri": "s3://b", "size": 1}],
}


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"tags": WHOLE["tags"][::-1]},  # they have no order
        {"annotations": {**WHOLE["annotations"], "n": 1.0, "deep": {"a": [1, None, True]}}},
        {"unknown": 1, "state": "pending", "attempt": 3, "datastore": {"type": "s3", "root": "s3://elsewhere"}},
        {"digest": "sha", "run": {"user": "eve"}, "position": {"step": "start"}},
    ],
)
def test_a_repeat_may_say_otherwise_what_is_no_content(api, more):
    first = register(api, **WHOLE).data
    again = register(api, **WHOLE | more)
    assert (again.status_code, again.data["id"], again.data["tags"]) == (201, first["id"], first["tags"])
    assert Instance.objects.get().description == WHOLE["description"]


@pytest.mark.parametrize("nothing", [{"description": None, "annotations": None, "tags": None, "blobs": None}])
def test_nothing_and_null_are_the_same_content(api, nothing):
    assert register(api).data == register(api, **nothing).data


@pytest.mark.parametrize(
    ("more", "differing"),
    [
        ({"data_asset_kind": "s3_object"}, ["kind"]),
        ({"description": "Other rows"}, ["description"]),
        ({"description": None}, ["description"]),
        ({"description": "Rows of the comic, cafe\u0301"}, ["description"]),  # as stored
        ({"annotations": {**WHOLE["annotations"], "n": 2}}, ["annotations"]),
        ({"annotations": {**WHOLE["annotations"], "n": "1"}}, ["annotations"]),
        ({"annotations": {**WHOLE["annotations"], "n": True}}, ["annotations"]),
        ({"annotations": {**WHOLE["annotations"], "deep": {"a": [1.0, None, 1]}}}, ["annotations"]),
        ({"annotations": {**WHOLE["annotations"], "more": None}}, ["annotations"]),
        ({"tags": WHOLE["tags"][:1], "blobs": WHOLE["blobs"][::-1]}, ["tags", "blobs"]),
    ],
)
def test_a_repeat_with_other_content_is_refused_by_the_name_of_what_differs(api, more, differing):
    register(api, **WHOLE)
    answer = register(api, **WHOLE | more)
    assert answer.status_code == 409
    assert answer.data["detail"] == {"field": "id", "differing": differing}
    assert f"({', '.join(differing)})" in answer.data["message"]
    assert Instance.objects.count() == 1


@pytest.mark.parametrize("key", ["same", "other"])
def test_it_is_refused_with_an_idempotency_key_too(api, key):
    api.patch("data/xkcd", BODY | {"id": ID}, **{"Idempotency-Key": "same"})
    answer = api.patch("data/xkcd", BODY | {"id": ID, "annotations": {"n": 2}}, **{"Idempotency-Key": key})
    assert (answer.status_code, answer.data["detail"]["differing"]) == (409, ["annotations"])


@pytest.mark.parametrize("uid", ["", "i_1", "c_" + "0a" * 10, ID.upper(), f"{ID}\n", 7])
def test_what_is_no_id_is_refused(api, uid):
    assert register(api, id=uid).status_code == 400


def test_an_id_may_be_left_out(api):
    assert register(api, id=None).data["id"].startswith("i_")


def consume(api, asked="latest", **more):
    return api.put(f"data/xkcd/instances/{asked}", {"entity_ref": TASK, "id": CONSUMPTION, **more})


def test_a_consumption_that_arrives_again_is_recorded_once(api, made):
    first = consume(api).data
    api.register(id=OTHER_ID)
    assert consume(api).data == first  # what it consumed then, not what is latest now
    assert Consumption.objects.get().uid == CONSUMPTION
    assert Edge.objects.get(direction="consumes").count == 1


def test_the_id_of_another_consumption_is_refused(api, made):
    consume(api)
    assert consume(api, entity_ref=task("Other/1/s/1")).status_code == 409
    assert Consumption.objects.count() == 1


def test_a_consumption_of_something_else_is_refused(api, made):
    api.register(id=OTHER_ID)
    assert consume(api, ID, reference="v1", role="baseline", consumer={"branch": "x"}).status_code == 200
    assert consume(api, ID, reference="v1", role="baseline", consumer={"branch": "y"}, attempt=1).status_code == 200
    for asked, more, differing in (
        (ID, {"reference": "latest", "role": "baseline"}, ["reference"]),
        (ID, {"reference": "v1"}, ["role"]),
        (OTHER_ID, {"reference": "v1", "role": "baseline"}, ["instance"]),
        ("v2", {"role": "baseline"}, ["reference"]),
    ):
        answer = consume(api, asked, **more)
        assert (answer.status_code, answer.data["detail"]["differing"]) == (409, differing)
    assert consume(api, "v0").status_code == 400
    assert Consumption.objects.count() == 1


def test_a_definition_is_consumed_once(api):
    declared = api.patch("data/xkcd", declaration()).data
    first = consume(api, declared["id"], reference="latest").data
    assert consume(api, declared["id"], reference="latest").data == first


def test_consumptions_without_ids_do_not_meet(api, made):
    api.consume("data/xkcd/instances/latest")
    api.consume("data/xkcd/instances/latest")
    assert Consumption.objects.count() == 2


def move(api, name="p", **more):
    return api.put(f"data/xkcd/aliases/{name}", {"entity_ref": TASK, "instance_id": ID, "id": MOVE, **more})


def test_an_alias_is_moved_once_also_with_an_expectation_that_holds_no_more(api, made):
    assert move(api, expected_instance_id=None).status_code == 200
    assert move(api, expected_instance_id=None).status_code == 200
    assert AliasMove.objects.get().uid == MOVE


def test_a_repeat_does_not_move_an_alias_back(api, made):
    move(api)
    other = api.register(id=OTHER_ID)
    api.put("data/xkcd/aliases/p", {"entity_ref": TASK, "instance_id": OTHER_ID})
    assert move(api).data["alias"]["instance_id"] == other["id"]


def test_the_id_of_another_move_is_refused(api, made):
    move(api)
    assert move(api, name="q").status_code == 409


def test_a_move_to_elsewhere_and_a_deletion_are_other_writes(api, made):
    move(api)
    api.register(id=OTHER_ID)
    assert move(api, instance_id=OTHER_ID).data["detail"]["differing"] == ["instance_id"]
    assert api.delete(f"data/xkcd/aliases/p?id={MOVE}").status_code == 409
    assert api.get("data/xkcd/aliases/p").data["alias"]["instance_id"] == ID
    api.delete(f"data/xkcd/aliases/p?id={OTHER_MOVE}")
    assert move(api, id=OTHER_MOVE).data["detail"]["differing"] == ["instance_id"]
    assert AliasMove.objects.count() == 2


def test_an_alias_is_deleted_once(api, made):
    move(api, id=None)
    assert api.delete(f"data/xkcd/aliases/p?id={MOVE}").status_code == 204
    assert api.delete(f"data/xkcd/aliases/p?id={MOVE}").status_code == 204
    assert api.delete("data/xkcd/aliases/p").status_code == 404
    assert AliasMove.objects.count() == 2


def test_an_asset_is_deleted_once_and_a_new_one_of_its_name_stays(api, made):
    assert api.delete(f"data/xkcd?id={DELETION}").status_code == 204
    assert api.delete(f"data/xkcd?id={DELETION}").status_code == 204
    api.register()
    assert api.delete(f"data/xkcd?id={DELETION}").status_code == 204
    assert Asset.objects.live().count() == 1


def test_the_id_of_another_deletion_is_refused(api, made):
    api.register("data/other")
    api.delete(f"data/xkcd?id={DELETION}")
    answer = api.delete(f"data/other?id={DELETION}")
    assert (answer.status_code, answer.data["detail"]) == (409, {"field": "id"})
    assert Asset.objects.live().get().asset_id == "other"


@pytest.mark.parametrize("path", ["data/xkcd", "data/xkcd/aliases/p"])
def test_a_deletion_under_what_is_no_id_is_refused(api, made, path):
    move(api)
    assert api.delete(f"{path}?id=x").status_code == 400
