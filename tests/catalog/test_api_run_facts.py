"""What the API says of the run behind an instance, of its content, and in which role it was read."""

import pytest

from catalog.models import Run
from catalog.states import RunState
from tests.catalog.wire import PERIMETER, TASK

FACTS = {
    "started_at": "2026-11-30T08:00:00Z",
    "user": "ada",
    "metaflow_version": "2.19.39",
    "python_version": "3.11.7",
    "repository": "https://github.com/acme/churn",
    "commit": "6a20eaa0b2c4d6e8f00112233445566778899aab",
    "dirty": True,
    "git_branch": "feature/x",
    "parameters": {"alpha": 0.2, "notes": {"_omitted": {"digest": "sha256:ab", "length": 12345}}},
    "configs": {"cfg": {"depth": 3}},
    "left_out": ["api_key"],
    "origin_run": "17",
    "tags": ["nightly"],
    "graph": {"start": ["end"], "end": []},
}
POSITION = {"step": "start", "foreach": "loop:1,inner:0", "iteration": 2}
SESSION = "s_" + "0a" * 10
PERSON = {"entity_kind": "user", "entity_id": "ada"}
NOTHING = {
    **dict.fromkeys(("user", "started_at", "metaflow_version", "python_version", "origin", "tags", "state")),
    **dict.fromkeys(("repository", "commit", "dirty", "git_branch", "finished_at")),
    **dict.fromkeys(("parameters", "configs", "left_out")),
}


def read(api, reference="latest"):
    return api.get(f"data/xkcd/instances/{reference}").data


def test_an_instance_says_what_is_known_of_its_run(api):
    made = api.register(run=FACTS, position=POSITION, attempt=1)
    assert made["run"] == {"id": "ComicData/1", "kind": "run"}
    assert made["position"] == POSITION
    told = {name: value for name, value in FACTS.items() if name not in ("origin_run", "graph", "started_at")}
    assert read(api)["run"] == {
        **made["run"],
        **told,
        "started_at": "2026-11-30T08:00:00.000000Z",
        "origin": "ComicData/17",
        "state": None,
        "finished_at": None,
    }


def test_what_metaflow_says_of_a_run_is_said_with_it(api):
    api.register(run=FACTS)
    Run.objects.filter(name="ComicData/1").update(state=RunState.SUCCEEDED, finished_at="2026-11-30T08:04:10Z")
    run = read(api)["run"]
    assert (run["state"], run["finished_at"]) == ("succeeded", "2026-11-30T08:04:10.000000Z")


def test_a_run_that_nobody_has_told_of_is_a_name(api):
    made = api.register()
    assert made["position"] == {"step": "start", "foreach": None, "iteration": None}
    assert read(api)["run"] == {"id": "ComicData/1", "kind": "run", **NOTHING}
    Run.objects.all().delete()  # as of an older catalogue
    assert read(api)["run"] == {"id": "ComicData/1", "kind": "run", **NOTHING}


def test_a_session_stands_in_the_place_of_a_run(api):
    body = {"entity_ref": PERSON, "data_asset_kind": "s3", "session": SESSION, "run": {"user": "ada"}}
    assert api.patch("data/xkcd", body).data["run"] == {"id": SESSION, "kind": "session"}
    found = read(api)
    assert found["run"] == {"id": SESSION, "kind": "session", **NOTHING, "user": "ada"}
    assert found["position"] is None


def test_who_has_neither_run_nor_session_has_none(api):
    api.patch("data/xkcd", {"entity_ref": PERSON, "data_asset_kind": "s3"})
    assert (read(api)["run"], read(api)["position"]) == (None, None)


def test_a_definition_was_made_by_no_run(api):
    body = {"entity_ref": {"entity_kind": "task", "entity_id": "deployer"}, "data_asset_kind": "s3"}
    made = api.patch("data/xkcd", body | {"annotations": {"_config_hash": "h"}}).data
    assert (made["run"], made["position"], made["digest"]) == (None, None, None)
    assert read(api) == made


@pytest.fixture
def contents(api):
    """v1 and v3 with equal content, v2 of another, v4 of unknown content, v5 that has failed, v6 as v2."""
    for digest, state in (("a", 1), ("b", 1), ("a", 1), (None, 1), ("a", 0), ("b", 1)):
        more = {"digest": digest} if digest else {}
        task = "ComicData/1/start/1" if state else "ComicData/2/start/1"
        api.register(task=task, **more, **({} if state else {"state": "pending"}))
    failed = {"entity_ref": TASK | {"entity_id": "ComicData/2/start/1"}, "state": "failed"}
    assert api.post(f"{PERIMETER}/confirmations", failed).status_code == 200
    return api


def test_equal_digests_are_the_same_content_and_unknown_ones_are_not(contents):
    same = {"v1": None, "v2": None, "v3": "v1", "v4": None, "v5": None, "v6": "v2"}
    assert {ref: read(contents, ref)["same_as"] for ref in same} == same
    assert [read(contents, ref)["digest"] for ref in ("v3", "v4")] == ["a", None]
    rows = contents.get("data/xkcd?state=any").data["recent_instances"]
    assert {row["ref"]: row["same_as"] for row in rows} == same
    assert contents.get("data").data["items"][0]["latest_instance"]["same_as"] == "v2"


def test_what_has_failed_is_no_first_with_a_content(api):
    api.register(task="ComicData/2/start/1", digest="a", state="pending")
    failed = {"entity_ref": TASK | {"entity_id": "ComicData/2/start/1"}, "state": "failed"}
    api.post(f"{PERIMETER}/confirmations", failed)
    api.register(digest="a")
    api.register(digest="a")
    assert [read(api, ref)["same_as"] for ref in ("v1", "v2", "v3")] == [None, None, "v2"]


def test_equal_content_of_another_asset_is_not_named(api):
    api.register("data/other", digest="a")
    api.register(digest="b")
    api.register(digest="a")
    assert read(api, "v2")["same_as"] is None
    items = {item["asset"]["id"]: item["latest_instance"]["same_as"] for item in api.get("data").data["items"]}
    assert items == {"other": None, "xkcd": None}


def test_a_consumer_has_its_role(api):
    api.register()
    for number, role in enumerate((None, "baseline", "input")):
        api.consume("data/xkcd/instances/latest", f"Reader/{number}/start/1", **({"role": role} if role else {}))
    consumers = api.get("data/xkcd").data["recently_consumed_by"]
    assert [entry["role"] for entry in consumers] == [None, "baseline", None]
