"""E7 to E11: movable names, their history, and moving one only from where it is expected."""

import pytest

from catalog import limits
from catalog.models import Alias, AliasMove
from tests.catalog.wire import PERIMETER, TASK, task

ADA = {"entity_kind": "user", "entity_id": "ada"}


@pytest.fixture
def ids(api):
    """The ids of three ready instances."""
    return [api.register()["id"] for _ in range(3)]


def move(api, to, name="production", **more):
    return api.put(f"data/xkcd/aliases/{name}", {"entity_ref": TASK, "instance_id": to, **more})


def history(api, query=""):
    entries = api.get(f"data/xkcd/alias-history{query}").data["entries"]
    return [(row["alias_name"], row["previous_instance_id"], row["instance_id"]) for row in entries]


def test_an_alias_is_set_and_moved_by_the_same_call(api, ids):
    made = move(api, ids[0])
    assert made.status_code == 200
    alias = made.data["alias"]
    assert alias["name"] == "production"
    assert alias["instance_id"] == ids[0]
    assert alias["updated_by"] == TASK
    assert alias["updated_at"].endswith("Z")
    moved = move(api, ids[2], entity_ref=ADA).data["alias"]
    assert moved["instance_id"] == ids[2]
    assert moved["updated_by"] == ADA
    assert api.get("data/xkcd/aliases/production").data["alias"] == moved
    assert api.get("data/xkcd/instances/@production").data["ref"] == "v3"
    assert Alias.objects.count() == 1


def test_all_aliases_of_an_asset_are_listed_by_name(api, ids):
    assert api.get("data/xkcd/aliases").data == {"aliases": []}
    for name, to in (("staging", ids[1]), ("candidate", ids[2]), ("staging", ids[2])):
        move(api, to, name)
    aliases = api.get("data/xkcd/aliases").data["aliases"]
    assert [(row["name"], row["instance_id"]) for row in aliases] == [("candidate", ids[2]), ("staging", ids[2])]
    assert [len(row["recent_history"]) for row in aliases] == [1, 2]
    assert aliases[1] == api.get("data/xkcd/aliases/staging").data["alias"]
    assert api.get("data/xkcd/instances/latest").data["aliases"] == ["candidate", "staging"]
    assert api.get("data/xkcd/instances/v1").data["aliases"] == []


def test_each_alias_carries_its_last_moves_however_often_others_move(api, ids):
    move(api, ids[0], "quiet")
    for n in range(limits.RECENT_MOVES + 3):
        move(api, ids[n % 2], "busy")
    busy, quiet = api.get("data/xkcd/aliases").data["aliases"]
    assert len(busy["recent_history"]) == limits.RECENT_MOVES
    assert busy["recent_history"][0]["instance_id"] == busy["instance_id"]
    assert [row["instance_id"] for row in quiet["recent_history"]] == [ids[0]]


def test_the_history_has_every_move_of_every_alias_newest_first(api, ids):
    move(api, ids[0])
    move(api, ids[1], "candidate")
    move(api, ids[2], entity_ref=ADA)
    api.delete("data/xkcd/aliases/candidate")
    assert history(api) == [
        ("candidate", ids[1], ""),
        ("production", ids[0], ids[2]),
        ("candidate", "", ids[1]),
        ("production", "", ids[0]),
    ]
    entries = api.get("data/xkcd/alias-history").data["entries"]
    assert entries[1]["updated_by"] == ADA
    assert entries[1]["updated_at"] > entries[2]["updated_at"]


def test_the_history_is_paged(api, ids):
    for n in range(5):
        move(api, ids[n % 3])
    first = api.get("data/xkcd/alias-history?page_size=2").data
    assert len(first["entries"]) == 2
    second = api.get(f"data/xkcd/alias-history?page_size=3&continuation={first['continuation']}").data
    assert second["continuation"] is None
    assert history(api) == [
        (row["alias_name"], row["previous_instance_id"], row["instance_id"])
        for row in first["entries"] + second["entries"]
    ]


def test_a_move_tells_what_became_of_it_and_why(api, ids):
    move(api, ids[0])
    moved = move(api, ids[2], comment="Better on the holdout").data["alias"]
    for rows in (
        moved["recent_history"],
        api.get("data/xkcd/aliases").data["aliases"][0]["recent_history"],
        api.get("data/xkcd/alias-history").data["entries"],
    ):
        assert [(row["outcome"], row["comment"]) for row in rows] == [("passed", "Better on the holdout"), (None, "")]


def test_a_deleted_alias_is_gone_and_its_history_stays(api, ids):
    move(api, ids[0])
    gone = api.delete("data/xkcd/aliases/production")
    assert gone.status_code == 204
    assert not gone.content
    assert api.get("data/xkcd/aliases/production").status_code == 404
    assert api.get("data/xkcd/instances/@production").status_code == 404
    assert api.get("data/xkcd/aliases").data == {"aliases": []}
    assert api.delete("data/xkcd/aliases/production").status_code == 404
    assert history(api) == [("production", ids[0], ""), ("production", "", ids[0])]
    again = move(api, ids[1]).data["alias"]
    assert [row["instance_id"] for row in again["recent_history"]] == [ids[1], "", ids[0]]


# Compare and set


def test_an_alias_moves_from_where_it_is_expected(api, ids):
    assert move(api, ids[0], expected_instance_id=None).status_code == 200
    assert move(api, ids[1], expected_instance_id=ids[0]).status_code == 200
    assert api.delete(f"data/xkcd/aliases/production?expected_instance_id={ids[1]}").status_code == 204


def test_an_alias_that_moved_on_is_409_with_where_it_is(api, ids):
    move(api, ids[1])
    current = api.get("data/xkcd/aliases/production").data["alias"]
    for answer in (
        move(api, ids[2], expected_instance_id=ids[0]),
        move(api, ids[2], expected_instance_id=None),
        move(api, ids[2], expected_instance_id="i_unknown"),
        api.delete(f"data/xkcd/aliases/production?expected_instance_id={ids[0]}"),
    ):
        assert answer.status_code == 409
        assert answer.data["error"] == "conflict"
        assert answer.data["detail"] == {"current": current}
    assert len(history(api)) == 1


def test_an_alias_that_does_not_exist_is_409_with_null(api, ids):
    for answer in (
        move(api, ids[2], expected_instance_id=ids[0]),
        api.delete(f"data/xkcd/aliases/production?expected_instance_id={ids[0]}"),
    ):
        assert answer.status_code == 409
        assert answer.data["detail"] == {"current": None}
    assert not AliasMove.objects.exists()


# Targets


def test_only_ready_instances_can_be_named(api, ids):
    pending = api.register(state="pending")
    failed = api.register(state="pending", task="F/1/s/1")
    api.post(f"{PERIMETER}/confirmations", {"entity_ref": task("F/1/s/1"), "state": "failed"})
    for instance in (pending, failed):
        answer = move(api, instance["id"])
        assert answer.status_code == 400
        assert answer.data["detail"] == {"instance": instance["id"]}
    assert not Alias.objects.exists()


def test_only_instances_of_the_asset_can_be_named(api, ids):
    other = api.register("data/other")["id"]
    for to in (other, "i_unknown", "v1", "latest", "@production"):
        answer = move(api, to)
        assert answer.status_code == 404
        assert answer.data["detail"] == {"instance": to}


@pytest.mark.parametrize(
    "wrong",
    [{"instance_id": None}, {"instance_id": ""}, {"instance_id": 5}, {"entity_ref": None}, {"expected_instance_id": 5}],
)
def test_a_malformed_move_is_400(api, ids, wrong):
    body = {"entity_ref": TASK, "instance_id": ids[0]} | wrong
    assert api.put("data/xkcd/aliases/production", body).status_code == 400
    assert not Alias.objects.exists()


@pytest.mark.parametrize("name", ["a%20b", "x" * 129, "@a", "%00", "-x"])
def test_a_name_that_cant_be_an_alias_is_400(api, ids, name):
    for answer in (
        move(api, ids[0], name),
        api.get(f"data/xkcd/aliases/{name}"),
        api.delete(f"data/xkcd/aliases/{name}"),
    ):
        assert answer.status_code == 400


@pytest.mark.parametrize("name", ["v1", "latest", "été", "a.b-c_d", "x" * 128])
def test_a_name_that_can_is_kept(api, ids, name):
    assert move(api, ids[0], name).status_code == 200
    assert api.get(f"data/xkcd/instances/@{name}").data["ref"] == "v1"
    assert api.get("data/xkcd/instances/latest").data["ref"] == "v3"


def test_an_asset_has_a_limited_number_of_aliases(api, ids, monkeypatch):
    monkeypatch.setattr(limits, "ALIASES", 2)
    assert move(api, ids[0], "a").status_code == 200
    assert move(api, ids[0], "b").status_code == 200
    answer = move(api, ids[0], "c")
    assert answer.status_code == 400
    assert answer.data["detail"] == {"alias": "c"}
    assert move(api, ids[1], "b").status_code == 200
    api.delete("data/xkcd/aliases/a")
    assert move(api, ids[0], "c").status_code == 200


def test_the_same_key_twice_is_one_move(api, ids):
    body, headers = {"entity_ref": TASK, "instance_id": ids[0]}, {"Idempotency-Key": "k"}
    first = api.put("data/xkcd/aliases/production", body, **headers)
    again = api.put("data/xkcd/aliases/production", body, **headers)
    assert first.data == again.data
    assert len(history(api)) == 1


def test_a_deletion_that_is_sent_twice_succeeds_twice(api, ids):
    move(api, ids[0])
    for _ in range(2):
        assert api.delete("data/xkcd/aliases/production", **{"Idempotency-Key": "k"}).status_code == 204
    assert len(history(api)) == 2


def test_an_alias_stays_where_it_is_when_more_is_registered(api, ids):
    move(api, ids[0])
    api.register()
    assert api.get("data/xkcd/instances/@production").data["id"] == ids[0]
