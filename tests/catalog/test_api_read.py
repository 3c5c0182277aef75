"""E4: what each form of reference means, which states it sees, and how a missing part is named."""

import pytest

from tests.built_once import built_once
from tests.catalog.wire import PERIMETER, TASK


@pytest.fixture
def three(api):
    """Three ready instances of one asset."""
    return [api.register(annotations={"n": n}) for n in (1, 2, 3)]


def read(api, reference, query=""):
    return api.get(f"data/xkcd/instances/{reference}{query}")


@pytest.mark.parametrize(
    ("reference", "ref"),
    [("latest", "v3"), ("latest-0", "v3"), ("latest-1", "v2"), ("latest-2", "v1"), ("v1", "v1"), ("v3", "v3")],
)
def test_a_reference_by_position(api, three, reference, ref):
    assert read(api, reference).data["ref"] == ref


def test_a_reference_by_id(api, three):
    for instance in three:
        found = read(api, instance["id"]).data
        assert found == instance | {"run": found["run"]}


@pytest.mark.parametrize("at", ["@", "%40"])
def test_a_reference_by_alias_literal_or_encoded(api, three, at):
    api.put("data/xkcd/aliases/production", {"entity_ref": TASK, "instance_id": three[1]["id"]})
    found = read(api, f"{at}production")
    assert found.status_code == 200
    assert found.data["id"] == three[1]["id"]
    assert found.data["aliases"] == ["production"]


def test_all_forms_of_an_id_are_one_asset_and_a_note_says_so(api, client):
    """As a Mac writes names of files: `é` in two characters."""
    composed, decomposed = "caf%C3%A9", "cafe%CC%81"
    made = api.register(f"data/{decomposed}")
    assert made["asset"]["id"] == "caf\u00e9"
    assert made["notes"] == ["The asset id was given in another form of Unicode than NFC; in NFC it is kept."]
    assert api.get(f"data/{composed}/instances/v1").data["id"] == made["id"]
    for path in (f"data/{decomposed}", f"data/{decomposed}/v1", f"lineage?focus=data/{decomposed}"):
        assert client.get(f"/default/churn/main/{path}", follow=True).status_code == 200, path


@pytest.mark.parametrize(
    ("reference", "detail"),
    [
        ("latest-3", {"asset": "xkcd", "instance": "latest-3"}),
        ("latest-2147483647", {"asset": "xkcd", "instance": "latest-2147483647"}),
        ("v4", {"asset": "xkcd", "instance": "v4"}),
        ("v2147483647", {"asset": "xkcd", "instance": "v2147483647"}),
        ("@nothing", {"asset": "xkcd", "alias": "nothing"}),
        ("i_0000", {"asset": "xkcd", "instance": "i_0000"}),
        ("d_0000", {"asset": "xkcd", "instance": "d_0000"}),
        ("V1", {"asset": "xkcd", "instance": "V1"}),
    ],
)
def test_an_unknown_instance_is_404_and_named(api, three, reference, detail):
    answer = read(api, reference)
    assert answer.status_code == 404
    assert answer.data["error"] == "not_found"
    assert answer.data["detail"] == detail


@pytest.mark.parametrize(
    "reference", ["v0", "v01", "latest-x", "latest-", "v2147483648", "@", "@a%20b", "%00", "x" * 300]
)
def test_what_can_be_no_reference_is_400(api, three, reference):
    assert read(api, reference).status_code == 400


def test_an_id_of_another_asset_is_unknown_here(api, three):
    other = api.register("data/other")
    assert read(api, other["id"]).status_code == 404
    assert read(api, other["id"].upper()).status_code == 404


@pytest.mark.parametrize(
    ("path", "detail"),
    [
        ("/v1/perimeters/nowhere/projects/churn/branches/main/data/xkcd", {"perimeter": "nowhere"}),
        (f"{PERIMETER}/projects/nothing/branches/main/data/xkcd", {"project": "nothing"}),
        (f"{PERIMETER}/projects/churn/branches/feature_x/data/xkcd", {"branch": "feature_x"}),
        (f"{PERIMETER}/projects/churn/branches/main/data/nothing", {"asset": "nothing"}),
        (f"{PERIMETER}/projects/churn/branches/main/models/xkcd", {"asset": "xkcd", "exists_as": "data"}),
    ],
)
def test_the_unknown_part_of_an_address_is_named(api, three, path, detail):
    for tail in ("", "/instances/latest", "/aliases", "/aliases/a", "/alias-history"):
        answer = api.get(path + tail)
        assert answer.status_code == 404
        assert set(answer.data) == {"error", "message", "detail"}
        assert answer.data["detail"] == detail
        assert next(iter(detail.values())) in answer.data["message"]


@pytest.mark.parametrize("branch", ["Main", "MAIN", "_main_"])
def test_a_branch_is_found_by_any_spelling_of_its_key(api, three, branch):
    found = api.get(f"{PERIMETER}/projects/churn/branches/{branch}/data/xkcd/instances/latest")
    assert found.status_code == 200


def test_an_address_that_is_none_is_404_in_the_one_shape(api):
    for path in ("/v1/", "/v1/nothing", "/v1/perimeters", f"{PERIMETER}/projects/p/branches/b/things"):
        for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
            answer = api.call(method, path)
            assert answer.status_code == 404, (method, path)
            assert answer.data["error"] == "not_found"


def test_a_method_that_an_address_lacks_is_405_in_the_one_shape(api):
    answer = api.post("data/xkcd", {})
    assert answer.status_code == 405
    assert answer.data["error"] == "method_not_allowed"
    assert "PATCH" in answer.headers["Allow"]


# States


@pytest.fixture
def mixed(api):
    built_once(register_mixed, api)


def register_mixed(api):
    """v1 ready, v2 failed, v3 ready, v4 failed, v5 pending."""
    for number, state in enumerate(["ready", "failed", "ready", "failed", "pending"], start=1):
        api.register(task=f"F/{number}/s/1", state="ready" if state == "ready" else "pending")
        if state == "failed":
            body = {"entity_ref": {"entity_kind": "task", "entity_id": f"F/{number}/s/1"}, "state": "failed"}
            assert api.post(f"{PERIMETER}/confirmations", body).status_code == 200


@pytest.mark.parametrize(
    ("reference", "query", "ref"),
    [
        ("latest", "", "v3"),
        ("latest-1", "", "v1"),
        ("latest", "?state=any", "v5"),
        ("latest-1", "?state=any", "v4"),
        ("latest", "?state=pending", "v5"),
        ("latest", "?state=failed", "v4"),
        ("latest-1", "?state=failed", "v2"),
        ("latest", "?state=ready", "v3"),
        ("latest", "?state=ready,failed", "v4"),
        ("latest", "?state=ready&state=pending", "v5"),
        ("v2", "", "v2"),
        ("v5", "", "v5"),
    ],
)
def test_latest_sees_the_states_that_are_asked_for_and_numbers_see_all(api, mixed, reference, query, ref):
    assert read(api, reference, query).data["ref"] == ref


def test_lists_and_summaries_see_ready_ones_unless_asked(api, mixed):
    def summary(query=""):
        return [row["ref"] for row in api.get(f"data/xkcd{query}").data["recent_instances"]]

    def shown(query=""):
        return [item["latest_instance"]["ref"] for item in api.get(f"data{query}").data["items"]]

    assert summary() == ["v3", "v1"]
    assert summary("?state=any") == ["v5", "v4", "v3", "v2", "v1"]
    assert summary("?state=failed") == ["v4", "v2"]
    assert shown() == ["v3"]
    assert shown("?state=ready") == ["v3"]
    assert shown("?state=any") == ["v5"]
    assert shown("?state=pending") == ["v5"]
    assert shown("?state=failed") == []  # a list asks for the state of the newest registration


def test_an_asset_with_nothing_ready_has_no_latest_but_is_listed(api):
    api.register(state="pending")
    answer = read(api, "latest")
    assert answer.status_code == 404
    assert "v1, is pending" in answer.data["message"]
    (item,) = api.get("data").data["items"]
    assert item["latest_instance"] is None
    assert item["tags"] == []
    assert api.get("data/xkcd").data["recent_instances"] == []
    assert read(api, "latest", "?state=pending").data["state"] == "pending"


def test_an_unknown_state_is_400(api, mixed):
    for path in ("data/xkcd/instances/latest", "data/xkcd", "data"):
        answer = api.get(f"{path}?state=done")
        assert answer.status_code == 400
        assert answer.data["detail"] == {"field": "state"}


# Who am I


def test_me_says_who_the_server_takes_the_caller_for(api):
    answer = api.get("/v1/me")
    assert answer.data["mode"] == "local"
    assert answer.data["perimeters"] == [{"perimeter": "default", "role": "admin", "branches": []}]
