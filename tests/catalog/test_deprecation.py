"""A deprecated version stays where it is, but `latest` passes it over; if all are, there is no latest one."""

import pytest

from access.errors import NotFound
from catalog import recording
from catalog.counters import Recount
from catalog.entities import Entity
from catalog.models import Asset, Deprecation, Instance, SeriesBlock
from catalog.recording import deprecate, undo_deprecation
from catalog.series import pack_one, series_of
from catalog.states import DEPRECATED
from tests.catalog.wire import PERIMETER, TASK, declaration

pytestmark = pytest.mark.both

WHY = "Trained with labels of the wrong month."
EVENT = "w_" + "0" * 19
XKCD = "data/xkcd"


@pytest.fixture
def three(api):
    """An asset with three ready versions; the last one is deprecated."""
    made = [api.register(annotations={"n": n}) for n in (1, 2, 3)]
    assert put(api, "v3").status_code == 200
    return made


def put(api, ref, reason=WHY, **more):
    return api.put(f"{XKCD}/instances/{ref}/deprecation", {"reason": reason} | more)


def undo(api, ref, query=""):
    return api.delete(f"{XKCD}/instances/{ref}/deprecation{query}")


def ref_of(api, reference):
    answer = api.get(f"{XKCD}/instances/{reference}")
    return answer.data["ref"] if answer.status_code == 200 else answer.data["error"]


def pointers():
    asset = Asset.objects.get(asset_id="xkcd")
    return asset.ready_number, asset.ready_count, asset.deprecated_count


def test_latest_passes_it_over(api, three):
    assert [ref_of(api, name) for name in ("latest", "latest-1", "latest-2")] == ["v2", "v1", "not_found"]
    assert pointers() == (2, 3, 1)
    assert Asset.objects.get().refreshed_at == Instance.objects.get(number=2).settled_at
    assert Asset.objects.get().newest.number == 3
    (item,) = api.get("data").data["items"]
    assert item["latest_instance"]["ref"] == "v2"
    assert item["latest_instance"]["deprecated"] is None
    (item,) = api.get("data?state=any").data["items"]
    assert item["latest_instance"]["ref"] == "v2"
    summary = api.get(XKCD).data
    assert [row["ref"] for row in summary["recent_instances"]] == ["v2", "v1"]


def test_by_number_id_or_alias_it_is_found_with_the_reason(api, three):
    assert put(api, "v3", "Worse still.").status_code == 200
    entity = {"entity_ref": TASK, "instance_id": three[1]["id"]}
    assert api.put(f"{XKCD}/aliases/production", entity).status_code == 200
    answer = put(api, "@production")
    assert answer.data["deprecated"]["reason"] == WHY
    for name in ("v2", three[1]["id"], "@production"):
        found = api.get(f"{XKCD}/instances/{name}").data
        assert (found["ref"], found["deprecated"]["reason"]) == ("v2", WHY)
        assert set(found["deprecated"]) == {"reason", "at", "by"}
    assert api.get(f"{XKCD}/instances/v3").data["deprecated"]["reason"] == "Worse still."
    (alias,) = api.get(f"{XKCD}/aliases").data["aliases"]
    assert alias["deprecated"] == found["deprecated"]
    assert api.get(f"{XKCD}/aliases/production").data["alias"]["deprecated"] == found["deprecated"]
    assert api.consume(f"{XKCD}/instances/@production")["deprecated"]["reason"] == WHY


def test_undone_it_counts_again(api, three):
    assert undo(api, "v3").status_code == 204
    assert ref_of(api, "latest") == "v3"
    assert pointers() == (3, 3, 0)
    assert list(Deprecation.objects.values_list("undone", flat=True).order_by("pk")) == [False, True]
    assert undo(api, "v3").status_code == 404
    assert put(api, "v1").status_code == 200
    assert undo(api, "v1").status_code == 204
    assert ref_of(api, "latest") == "v3"


def test_a_later_registration_is_the_latest_as_ever(api, three):
    api.register()
    assert ref_of(api, "latest") == "v4"
    assert ref_of(api, "latest-1") == "v2"
    assert pointers() == (4, 4, 1)
    api.register(state="pending", task="Late/1/s/1")
    api.post(f"{PERIMETER}/confirmations", {"entity_ref": TASK | {"entity_id": "Late/1/s/1"}, "state": "ready"})
    assert ref_of(api, "latest") == "v5"


def test_if_all_are_deprecated_there_is_no_latest_one(api, three):
    for ref in ("v1", "v2"):
        put(api, ref, "Old.")
    for name in ("latest", "latest-1", "latest?state=any"):
        answer = api.get(f"{XKCD}/instances/{name}")
        assert answer.status_code == 404
        assert answer.data["error"] == "all_deprecated"
        assert answer.data["detail"]["newest"] == "v3"
        assert answer.data["detail"]["reason"] == WHY
        assert f"v3: {WHY}" in answer.data["message"]
    assert pointers() == (None, 3, 3)
    assert api.put(f"{XKCD}/instances/latest", {"entity_ref": TASK}).data["error"] == "all_deprecated"
    assert api.get("data").data["items"][0]["latest_instance"] is None
    assert api.get(XKCD).data["recent_instances"] == []


def test_no_definition_stands_for_deprecated_versions(api):
    api.patch("data/llm", declaration())
    assert api.get("data/llm/instances/latest").data["ref"] == "definition"
    api.register("data/llm")
    api.put("data/llm/instances/v1/deprecation", {"reason": WHY})
    assert api.get("data/llm/instances/latest").data["error"] == "all_deprecated"
    (item,) = api.get("data").data["items"]
    assert item["latest_instance"] is None
    assert api.get("data?kind=nothing").data["items"] == []


@pytest.mark.parametrize(("query", "refs"), [
    ("", ["v2", "v1"]),
    ("?deprecated=true", ["v3"]),
    ("?deprecated=false", ["v2", "v1"]),
    ("?state=any", ["v4", "v3", "v2", "v1"]),
    ("?state=any&deprecated=false", ["v4", "v2", "v1"]),
    ("?annotation=n>1", ["v2"]),
    ("?annotation=n>1&deprecated=true", ["v3"]),
])  # fmt: skip
def test_the_filter(api, three, query, refs):
    api.register(state="pending", task="Other/1/s/1")
    rows = api.get(f"{XKCD}{query}").data["recent_instances"]
    assert [row["ref"] for row in rows] == refs
    assert [row["ref"] for row in rows if row["deprecated"]] == [ref for ref in refs if ref == "v3"]
    api.register("data/other")
    names = {True: ["xkcd"], False: ["other"]}
    for value, its in names.items():
        items = api.get(f"data?deprecated={str(value).lower()}").data["items"]
        assert [item["asset"]["id"] for item in items] == its
    assert api.get(f"{XKCD}?deprecated=maybe").status_code == 400


def test_only_what_is_ready_can_be_deprecated(api):
    api.register(state="pending")
    answer = put(api, "v1")
    assert answer.status_code == 400
    assert answer.data["message"] == "v1 is pending; only a ready version can be deprecated."
    api.post(f"{PERIMETER}/confirmations", {"entity_ref": TASK, "state": "failed"})
    assert put(api, "v1").data["message"] == "v1 is failed; only a ready version can be deprecated."
    assert put(api, "v9").status_code == 404


def test_what_is_refused(api, three):
    for name in ("latest", "latest-1"):
        assert "changes when a version is deprecated" in put(api, name).data["message"]
    for reason in ("", " ", "x" * 513):
        assert put(api, "v1", reason).data["detail"] == {"field": "reason"}
    api.patch("data/llm", declaration())
    uid = Asset.objects.get(asset_id="llm").definition_uid
    answer = api.put(f"data/llm/instances/{uid}/deprecation", {"reason": WHY})
    assert answer.data["message"] == "A definition can't be deprecated; a version can."
    assert pointers() == (2, 3, 1)


def test_a_repeat_changes_nothing(api, three):
    first = put(api, "v1", id=f"{EVENT}1")
    assert undo(api, "v1", f"?id={EVENT}2").status_code == 204
    again = put(api, "v1", id=f"{EVENT}1")
    assert (first.data["deprecated"]["reason"], again.status_code, again.data["deprecated"]) == (WHY, 200, None)
    assert undo(api, "v1", f"?id={EVENT}2").status_code == 204
    assert put(api, "v2", id=f"{EVENT}1").status_code == 409
    assert put(api, "v1", "Another reason.", id=f"{EVENT}1").status_code == 409
    assert undo(api, "v1", f"?id={EVENT}1").status_code == 409
    before = Deprecation.objects.count()
    assert put(api, "v3").status_code == 200
    assert Deprecation.objects.count() == before
    put(api, "v2", **{"entity_ref": TASK})
    event = Deprecation.objects.latest("pk")
    assert (event.entity_id, event.user) == (TASK["entity_id"], None)  # a person only where one is signed in


def test_what_fails_later_is_no_longer_deprecated(api):
    api.register(attempt=0)
    put(api, "v1")
    api.register(attempt=1)
    assert Instance.objects.get(number=1).is_failed
    assert pointers() == (2, 1, 0)
    assert Recount().run().corrections == []
    assert undo(api, "v1").status_code == 404


def test_recount_finds_and_repairs_it(api, three):
    assert Recount().run().corrections == []
    event = Deprecation.objects.get()
    Instance.objects.filter(number=3).update(deprecation=None)
    Instance.objects.filter(number=1).update(deprecation=event)
    Asset.objects.update(deprecated_count=0, ready_number=3)
    assert len(Recount().run().corrections) == 3
    assert pointers() == (2, 3, 1)
    assert set(Instance.objects.values_list("number", "deprecation")) == {(1, None), (2, None), (3, event.pk)}
    assert Recount().run().corrections == []


def copied(instance, number):
    values = {field.attname: getattr(instance, field.attname) for field in Instance._meta.concrete_fields}
    mine = {"id": None, "uid": f"i_{number:020x}", "number": number, "annotations": {"n": number}}
    return Instance(**values | mine)


def test_charts_mark_it_and_have_no_value_of_it(api):
    api.register(annotations={"n": 1})
    first = Instance.objects.get()
    more = range(2, 258)
    Instance.objects.bulk_create(copied(first, n) for n in more)
    Recount().run()
    asset, who = Asset.objects.get(), {"actor": "ada", "entity": Entity("user", "ada")}

    def seen(number):
        series = series_of(Asset.objects.get(), ["n"], most_points=500)
        return series.versions[number - 1].state, series.metrics[0].values[number - 1], series.deprecated

    assert pack_one(asset.pk)
    for number in (3, 257):  # in a block, and beyond
        uid = Instance.objects.get(number=number).uid
        deprecate(asset=asset, target_uid=uid, reason=WHY, **who)
        assert seen(number) == (DEPRECATED, None, 1)
        pack_one(asset.pk)
        assert seen(number) == (DEPRECATED, None, 1)
        undo_deprecation(asset=asset, target_uid=uid, **who)
        assert seen(number) == ("ready", number, 0)
        pack_one(asset.pk)
    deprecate(asset=asset, target_uid=Instance.objects.get(number=3).uid, reason=WHY, **who)
    assert not SeriesBlock.objects.exists()
    pack_one(asset.pk)
    assert SeriesBlock.objects.get().deprecated == 1
    bucketed = series_of(Asset.objects.get(), ["n"], most_points=10)
    assert (bucketed.deprecated, bucketed.metrics[0].measured) == (1, 256)
    assert Recount().run().corrections == []


def test_a_deleted_asset_has_nothing_to_deprecate(api, three):
    asset = Asset.objects.get()
    recording.delete_asset(actor="ada", asset=asset)
    with pytest.raises(NotFound, match="was deleted"):
        deprecate(actor="ada", asset=asset, target_uid=three[0]["id"], reason=WHY, entity=Entity("user", "ada"))
