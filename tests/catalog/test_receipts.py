"""Receipts: the catalogue's own word of a move or a promotion, which proves nothing of any other."""

from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta

import pytest

from catalog.entities import Entity
from catalog.models import AliasMove, Asset, Instance
from catalog.recording.receipts import (
    Act,
    content_digest,
    place_of,
    read,
    receipt_of_move,
    receipt_of_promotion,
    verified,
)
from catalog.recording.registering import Registration
from obproject.journal import receipt_in
from tests.catalog.wire import TASK, task

ID, OTHER = "i_" + "0a" * 10, "i_" + "0b" * 10
MOVE = "a_" + "1b" * 10
NEVER = datetime(1970, 1, 1, tzinfo=UTC)
COPY = {"promoted_from_instance": "i_elsewhere", "auc": 0.81, "big": 1e23, "n": 7}


def move(api, to=ID, name="production", **more):
    return api.put(f"data/xkcd/aliases/{name}", {"entity_ref": TASK, "instance_id": to, "id": MOVE, **more})


@pytest.fixture
def moved(api):
    """The answer to a move, and what it is."""
    api.register(id=ID)
    answer = move(api).data
    return answer["receipt"], act_of(AliasMove.objects.get())


def act_of(row):
    return Act.move(place_of(row.asset), row.uid, row.name, row.to_uid, Entity(row.entity_kind, row.entity_id))


def promote(api, path="data/gold", **more):
    return api.patch(path, {"entity_ref": TASK, "data_asset_kind": "artifact", "annotations": COPY, "id": ID} | more)


class TestAnswers:
    pytestmark = pytest.mark.both

    def test_a_move_with_an_id_has_a_receipt_of_when_it_was_made(self, moved):
        receipt, act = moved
        assert verified(receipt, act).at == AliasMove.objects.get().at
        assert not read(receipt).gated
        assert receipt_in({"receipt": receipt}) == receipt  # the client keeps it

    def test_a_repeat_has_the_same_receipt_however_the_alias_has_moved_since(self, api, moved):
        api.register(id=OTHER)
        move(api, OTHER, id=None)
        assert move(api).data["receipt"] == moved[0]

    def test_without_an_id_there_is_none(self, api, moved):
        assert "receipt" not in move(api, id=None).data
        assert "receipt" not in api.get("data/xkcd/aliases/production").data

    def test_a_refused_move_has_none(self, api, moved):
        assert "receipt" not in move(api, id="a_" + "2b" * 10, expected_instance_id=OTHER).data

    def test_a_promotion_has_one_by_itself_as_one_of_many_and_as_a_repeat(self, api):
        receipt = promote(api).data["receipt"]
        made = Instance.objects.get()
        what = Registration("artifact", annotations=COPY)
        act = Act.promotion(place_of(made.asset), ID, Entity(**TASK_ENTITY), content_digest(what))
        assert verified(receipt, act).at == made.created_at
        assert promote(api).data["receipt"] == receipt
        entry = {"entity_ref": TASK, "data_asset_kind": "artifact", "annotations": COPY, "kind": "data"}
        many = [entry | {"asset": "gold", "id": ID}, entry | {"asset": "more", "id": OTHER}]
        again, new = api.post("registrations", {"registrations": many}).data["registrations"]
        assert again["answer"]["receipt"] == receipt
        assert new["answer"]["receipt"] == receipt_of_promotion(Instance.objects.get(uid=OTHER))

    def test_what_is_no_promotion_or_has_no_id_has_none(self, api):
        assert "receipt" not in api.register(id=OTHER)
        assert "receipt" not in promote(api, id=None).data

    def test_what_failed_as_it_was_made_was_not_judged_and_has_none(self, api):
        api.register(attempt=1)
        assert "receipt" not in promote(api, attempt=0, id=OTHER).data
        pending = promote(api, attempt=1, state="pending").data
        confirmation = {"entity_ref": TASK, "attempt": 1, "state": "failed"}
        assert api.post("/v1/perimeters/default/confirmations", confirmation).status_code == 200
        again = promote(api, attempt=1, state="pending").data
        assert (again["state"], again["receipt"]) == ("failed", pending["receipt"])


TASK_ENTITY = {"kind": TASK["entity_kind"], "id": TASK["entity_id"]}


class TestProof:
    @pytest.mark.parametrize("changed", [field.name for field in fields(Act)])
    def test_it_proves_nothing_of_another_write(self, moved, changed):
        receipt, act = moved
        assert verified(receipt, act)
        assert verified(receipt, replace(act, **{changed: getattr(act, changed) + "x"})) is None

    @pytest.mark.parametrize("part", [0, 1, 2])
    def test_none_of_its_parts_can_be_changed(self, moved, part):
        receipt, act = moved
        parts = receipt.split(":")
        parts[part] = {0: "1", 1: str(int(parts[1]) + 1), 2: parts[2][::-1]}[part]
        assert verified(":".join(parts), act) is None

    @pytest.mark.parametrize(
        "text", ["", ":", "0::", "0:1:", "2:1:x", "0:1:x:y", "0:1:x y", f"0:{10**17}:x", "0:1:x\n", "0:\u0661:x"]
    )
    def test_what_is_no_receipt_says_nothing(self, moved, text):
        assert read(text) is None
        assert verified(text, moved[1]) is None

    def test_it_can_say_no_time_that_is_none(self):
        assert read(f"0:{10**17 - 1}:x").at - NEVER == timedelta(microseconds=10**17 - 1)

    def test_two_writes_never_share_one(self, api, moved):
        api.register(id=OTHER)
        promote(api, id="i_" + "0c" * 10)
        again = move(api, OTHER, id="a_" + "2b" * 10).data["receipt"]
        assert verified(again, moved[1]) is None
        assert verified(receipt_of_promotion(Instance.objects.last()), moved[1]) is None

    def test_older_keys_stay_valid_while_they_are_listed(self, moved, settings):
        receipt, act = moved
        settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "new" * 20, ["older", settings.SECRET_KEY]
        assert verified(receipt, act)
        anew = receipt_of_move(AliasMove.objects.get())
        assert anew != receipt
        settings.SECRET_KEY_FALLBACKS = []
        assert verified(receipt, act) is None
        assert verified(anew, act)


class TestContent:
    pytestmark = pytest.mark.both

    @pytest.mark.parametrize(
        "other",
        [
            {"annotations": COPY | {"auc": 0.82}},
            {"annotations": COPY | {"n": "7"}},
            {"annotations": COPY | {"n": True}},
            {"annotations": COPY | {"n": 9_007_199_254_740_993}},
            {"annotations": COPY | {"promoted_from_instance": "i_other"}},
            {"tags": {"stage": "final"}},
            {"blobs": ["s3://b"]},
            {"description": "Another one"},
            {"asset_kind": "s3_object"},
        ],
    )
    def test_other_content_has_another_digest(self, other):
        what = Registration("artifact", annotations=COPY | {"n": 9_007_199_254_740_992})
        assert content_digest(replace(what, **other)) != content_digest(what)

    @pytest.mark.parametrize(
        "numbers",
        [[1e23, 5e-324, -0.0, 1.5e300], [1, 1.0, -1, 0, 2**53 + 1, 10**23, 10**40], [{"b": 1, "a": [None, 0.1]}, True]],
    )
    def test_what_a_database_makes_of_it_has_the_same(self, api, numbers):
        what = Registration("artifact", annotations=COPY | {"numbers": numbers}, blobs=numbers)
        promote(api, annotations=what.annotations, blobs=what.blobs)
        assert content_digest(Instance.objects.get()) == content_digest(what)

    def test_the_order_of_members_plays_no_part(self):
        assert content_digest(Registration("x", tags={"a": "1", "b": "2"})) == content_digest(
            Registration("x", tags={"b": "2", "a": "1"})
        )


def test_another_asset_at_the_address_is_the_same_place(api, moved):
    """It is the address that a receipt is about: what was deleted and made anew is known by the instance."""
    api.delete("data/xkcd")
    api.register(id=OTHER, task=task("ComicData/2/start/1")["entity_id"])
    first, second = Asset.objects.order_by("pk")
    assert place_of(first) == place_of(second)
