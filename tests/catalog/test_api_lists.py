"""E2 and E6: pages of assets and of instances."""

import pytest

from tests.catalog.wire import PERIMETER


def pages(api, path, key, size):
    """All rows of a list, page by page, as a client reads them."""
    rows, token, count = [], "", 0
    while True:
        answer = api.get(f"{path}?page_size={size}" + (f"&continuation={token}" if token else ""))
        assert answer.status_code == 200
        assert len(answer.data[key]) <= size
        rows += answer.data[key]
        token, count = answer.data["continuation"], count + 1
        if not token:
            return rows, count


def test_a_list_is_paged_by_continuation(api):
    names = [f"asset-{n}" for n in range(7)]
    for name in reversed(names):
        api.register(f"data/{name}")
    api.register("models/other")
    rows, count = pages(api, "data", "items", 3)
    assert [row["asset"]["id"] for row in rows] == names
    assert count == 3
    assert pages(api, "data", "items", 7)[1] == 1


def test_a_list_goes_on_where_it_was_whatever_comes_and_goes(api):
    for name in "abcd":
        api.register(f"data/{name}")
    first = api.get("data?page_size=2").data
    api.delete("data/b")
    api.register("data/aa")
    second = api.get(f"data?page_size=2&continuation={first['continuation']}").data
    assert [row["asset"]["id"] for row in second["items"]] == ["c", "d"]


def test_a_summary_pages_through_all_instances_newest_first(api):
    for n in range(1, 8):
        api.register(task=f"F/{n}/s/1")
    rows, count = pages(api, "data/xkcd", "recent_instances", 3)
    assert [row["ref"] for row in rows] == ["v7", "v6", "v5", "v4", "v3", "v2", "v1"]
    assert count == 3


def test_a_summary_goes_on_where_it_was_while_more_are_registered(api):
    for _ in range(4):
        api.register()
    first = api.get("data/xkcd?page_size=2").data
    api.register()
    second = api.get(f"data/xkcd?page_size=2&continuation={first['continuation']}").data
    assert [row["ref"] for row in second["recent_instances"]] == ["v2", "v1"]
    assert second["continuation"] is None


def test_a_summary_has_fifty_instances_unless_asked_for_less(api):
    from catalog.models import Asset, Instance

    api.register()
    asset, first = Asset.objects.get(), Instance.objects.get()
    fields = {
        name: getattr(first, name)
        for name in ("asset", "state", "asset_kind", "producer_kind", "producer_id", "component", "created_at", "actor")
    }
    Instance.objects.bulk_create(Instance(number=number, **fields) for number in range(2, 61))
    Asset.objects.filter(pk=asset.pk).update(last_number=60)
    summary = api.get("data/xkcd").data
    assert len(summary["recent_instances"]) == 50
    assert len(summary["recently_produced_by"]) == 50
    rest = api.get(f"data/xkcd?continuation={summary['continuation']}").data
    assert [row["number"] for row in rest["recent_instances"]] == list(range(10, 0, -1))


def test_a_summary_says_who_produced_and_consumed(api):
    made = api.register(task="ComicData/7/start/1")
    api.consume("data/xkcd/instances/latest", task="Reader/3/start/1")
    summary = api.get("data/xkcd").data
    (produced,), (consumed,) = summary["recently_produced_by"], summary["recently_consumed_by"]
    assert produced["entity_ref"] == {"entity_kind": "task", "entity_id": "ComicData/7/start/1"}
    assert produced["component"] == {"kind": "flow", "name": "ComicData"}
    assert consumed["entity_ref"] == {"entity_kind": "task", "entity_id": "Reader/3/start/1"}
    assert consumed["component"] == {"kind": "flow", "name": "Reader"}
    assert produced["instance_id"] == consumed["instance_id"] == made["id"]
    assert produced["branch"] == "main"
    assert produced["project"] == consumed["project"] == "churn"


@pytest.mark.parametrize("kind", ["data", "models"])
@pytest.mark.parametrize("place", ["projects/nothing/branches/main", "projects/churn/branches/nothing"])
def test_a_list_of_a_project_or_branch_nobody_has_used_is_empty(api, kind, place):
    api.register()
    answer = api.get(f"{PERIMETER}/{place}/{kind}")
    assert answer.status_code == 200
    assert answer.data == {"items": [], "continuation": None}


def test_a_list_of_an_unknown_perimeter_is_404(api):
    answer = api.get("/v1/perimeters/nowhere/projects/churn/branches/main/data")
    assert answer.status_code == 404
    assert answer.data["detail"] == {"perimeter": "nowhere"}


@pytest.mark.parametrize("token", ["x", "%00", "AA", "!!!!", "9999", "%F0%9F%90%8D", "a" * 5000, "////"])
def test_a_bad_continuation_is_400(api, token):
    api.register()
    for path in ("data/xkcd", "data/xkcd/alias-history"):
        answer = api.get(f"{path}?continuation={token}")
        assert answer.status_code == 400, path
        assert answer.data["detail"] == {"field": "continuation"}


@pytest.mark.parametrize("token", ["x", "AA", "!!!!", "gA"])
def test_a_continuation_that_is_no_text_is_400_in_a_list(api, token):
    assert api.get(f"data?continuation={token}").status_code == 400


@pytest.mark.parametrize("size", ["0", "-1", "x", "1.5", "99999999999999999999", "%00", "²", " 5"])
def test_a_page_size_that_is_none_is_400(api, size):
    api.register()
    for path in ("data", "data/xkcd", "data/xkcd/alias-history"):
        answer = api.get(f"{path}?page_size={size}")
        assert answer.status_code == 400, path
        assert answer.data["detail"] == {"field": "page_size"}


@pytest.mark.parametrize(("path", "most"), [("data", 500), ("data/xkcd", 200), ("data/xkcd/alias-history", 500)])
def test_a_page_has_an_upper_bound(api, path, most):
    api.register()
    assert api.get(f"{path}?page_size={most}").status_code == 200
    assert api.get(f"{path}?page_size={most + 1}").status_code == 400
