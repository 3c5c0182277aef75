"""E12 to E14: a posted spec reads back exactly, but for its lists, which agree with the catalogue."""

import json

import pytest

from catalog.models import Asset, Branch, DefinitionRevision, Project, SpecVersion
from tests.catalog.wire import PERIMETER, spec_body

POST = f"{PERIMETER}/flowprojects"
SPEC = {
    "title": "Churn",
    "workflows": [{"flow_name": "ComicData", "unknown": [None, True, 1, 1.0, 1e-7, -0.0, 12345678901234567890123]}],
    "zebra": {"z": 1, "a": {"nested": "é 日本 🎉 \u2028"}},
    "data": [],
    "models": [],
    "metaflow_project": "churn",
    "": "",
}


def post(api, spec, **more):
    answer = api.post(POST, spec_body(spec, **more))
    assert answer.status_code == 200, answer.content
    return answer.data


def spec_of(api, branch="main"):
    return api.get(f"{PERIMETER}/projects/churn/branches/{branch}/latestflowproject").data


def ids(api, kind="data"):
    return [entry["id"] for entry in spec_of(api)[kind]]


def test_a_spec_reads_back_exactly_in_order(api):
    post(api, SPEC)
    answer = api.get("latestflowproject")
    assert json.dumps(answer.json()) == json.dumps(SPEC)


def test_what_is_posted_is_answered_as_a_record(api):
    assert post(api, SPEC, branch="Feature/X", version_id="sdk-register-1-Flow/1/start/2") == {
        "perimeter": "default",
        "project": "churn",
        "branch": "feature_x",
        "version_id": "sdk-register-1-Flow/1/start/2",
        "branch_name": "feature_x",
    }
    assert SpecVersion.objects.get().version_id == "sdk-register-1-Flow/1/start/2"
    assert spec_of(api, "feature_x") == SPEC
    assert Branch.objects.get().key == "feature_x"
    assert Branch.objects.get().git_name == ""  # a spec does not say how people write the branch


def test_the_newest_version_counts_whatever_its_id(api):
    post(api, {"n": 1}, version_id="sha")
    post(api, {"n": 2}, version_id="other")
    post(api, {"n": 1}, version_id="sha")
    assert spec_of(api)["n"] == 1
    assert SpecVersion.objects.count() == 3


def test_lists_are_lists_even_if_none_were_posted(api):
    post(api, {"title": "x"})
    assert spec_of(api) == {"title": "x", "data": [], "models": []}


def test_there_is_no_spec_before_one_is_posted_nor_after_a_deletion(api):
    api.register()
    before = api.get("latestflowproject")
    assert before.status_code == 404
    assert before.data["error"] == "not_found"
    assert before.data["detail"] == {"branch": "main"}
    post(api, SPEC)
    assert api.get("latestflowproject").status_code == 200
    gone = api.delete("flowprojects")
    assert gone.status_code == 204
    assert not gone.content
    assert api.get("latestflowproject").status_code == 404
    post(api, SPEC)
    assert [entry["id"] for entry in spec_of(api)["data"]] == ["xkcd"]


def test_the_spec_of_what_is_unknown_is_404_and_named(api):
    post(api, SPEC)
    for path, detail in (
        (f"{PERIMETER}/projects/nothing/branches/main", {"project": "nothing"}),
        (f"{PERIMETER}/projects/churn/branches/nothing", {"branch": "nothing"}),
        ("/v1/perimeters/nowhere/projects/churn/branches/main", {"perimeter": "nowhere"}),
    ):
        assert api.get(f"{path}/latestflowproject").data["detail"] == detail
        assert api.delete(f"{path}/flowprojects").data["detail"] == detail


@pytest.mark.parametrize("bad", [None, {}, "x", 5, {"id": "a"}, True])
@pytest.mark.parametrize("kind", ["data", "models"])
def test_a_declaration_list_that_is_none_is_400(api, kind, bad):
    answer = api.post(POST, spec_body({kind: bad}))
    assert answer.status_code == 400
    assert answer.data["detail"] == {"field": f"spec.{kind}"}
    assert not SpecVersion.objects.exists()


@pytest.mark.parametrize(
    "wrong",
    [
        {"spec": None},
        {"spec": []},
        {"spec": "x"},
        {"project": None},
        {"project": "a/b"},
        {"branch": "//"},
        {"branch": 5},
        {"version_id": 5},
        {"version_id": "x" * 1025},
        {"perimeter": "other"},
        {"perimeter": 5},
        {"spec": {"data": [{"id": "a", "display_name": 5}]}},
        {"spec": {"data": [{"id": "a", "icon": "x" * 65}]}},
        {"spec": {"data": [{"id": "a", "card_markdown": ["x"]}]}},
    ],
)
def test_a_malformed_record_is_refused_and_leaves_nothing(api, wrong):
    assert api.post(POST, spec_body({"data": []}) | wrong).status_code == 400
    assert not Project.objects.exists()


def test_entries_of_any_form_are_kept(api):
    entries = [{"id": "a", "x": [1]}, {"no id": 1}, "text", None, 5, ["a"], {"id": 5}, {"id": "a"}]
    post(api, {"data": entries})
    assert spec_of(api)["data"] == entries


# Agreement with the catalogue


def test_assets_that_a_list_lacks_are_appended_behind_what_was_posted(api):
    posted = [{"id": "zz", "display_name": "Z", "extra": 1}, {"id": "b", "card_markdown": "# B"}]
    api.register("data/b")
    post(api, {"data": posted})
    api.register("data/c", description="third")
    api.register("data/a")
    api.register("models/m")
    spec = spec_of(api)
    assert spec["data"] == [
        *posted,
        {"id": "a", "display_name": "a", "description": "", "card_markdown": ""},
        {"id": "c", "display_name": "c", "description": "third", "card_markdown": ""},
    ]
    assert [entry["id"] for entry in spec["models"]] == ["m"]


def test_deleted_assets_leave_the_list(api):
    for name in "abc":
        api.register(f"data/{name}")
    post(api, {"data": [{"id": "c"}, {"id": "a"}], "models": [{"id": "a"}]})
    api.delete("data/a")
    assert ids(api) == ["c", "b"]
    assert ids(api, "models") == ["a"]


def test_a_stale_spec_brings_no_deleted_asset_back(api):
    for name in "ab":
        api.register(f"data/{name}")
    post(api, {"data": []})
    stale = spec_of(api)
    api.delete("data/a")
    post(api, stale)
    assert ids(api) == ["b"]
    assert [item["asset"]["id"] for item in api.get("data").data["items"]] == ["b"]
    api.register("data/a")
    assert sorted(ids(api)) == ["a", "b"]


def test_what_is_posted_of_a_name_used_again_is_kept(api):
    api.register("data/a")
    api.delete("data/a")
    api.register("data/a")
    post(api, {"data": [{"id": "a", "extra": 1}]})
    assert spec_of(api)["data"] == [{"id": "a", "extra": 1}]


def test_a_stale_spec_loses_no_registration(api):
    post(api, {"data": []})
    stale = spec_of(api)
    api.register("data/a")
    post(api, stale)
    assert ids(api) == ["a"]


def test_the_sequence_of_the_public_client_adds_an_asset_once(api):
    post(api, {"data": [], "models": []})
    api.register("data/d")
    spec = spec_of(api)
    if "d" not in [entry["id"] for entry in spec["data"]]:
        spec["data"].append({"id": "d", "display_name": "d", "description": "", "card_markdown": ""})
    post(api, spec)
    assert ids(api) == ["d"]


# Enrichment


def test_a_spec_enriches_the_definitions_that_exist_and_creates_none(api):
    api.register("data/a")
    entry = {"display_name": "An asset", "description": "All of it", "icon": "🅰", "card_markdown": "# A"}
    post(api, {"data": [{"id": "a", **entry}, {"id": "new", **entry}], "models": [{"id": "a", **entry}]})
    asset = Asset.objects.get()
    assert (asset.name, asset.description, asset.icon, asset.readme) == ("An asset", "All of it", "🅰", "# A")
    assert api.get("data/a").data["asset"]["display_name"] == "An asset"
    revision = DefinitionRevision.objects.get()
    assert revision.declared == {"name": "An asset", "description": "All of it", "icon": "🅰", "readme": "# A"}


def test_an_enriched_asset_has_no_definition_in_the_place_of_an_instance(api):
    api.register("data/a", state="pending")
    post(api, {"data": [{"id": "a", "description": "x"}]})
    assert api.get("data/a/instances/latest").status_code == 404


def test_a_spec_that_says_nothing_new_changes_no_definition(api):
    api.register("data/a")
    for _ in range(2):
        post(api, {"data": [{"id": "a", "display_name": "A thing", "description": "", "icon": None}]})
    post(api, {"data": [{"id": "a", "display_name": "a"}]})  # a client that knows no name repeats the id
    assert Asset.objects.get().name == "A thing"
    assert DefinitionRevision.objects.count() == 1


def test_the_title_of_the_project_is_that_of_its_newest_spec(api):
    post(api, {"title": "Churn prediction"})
    post(api, {"title": 5})
    post(api, {"title": "x" * 1000}, project="other")
    assert dict(Project.objects.values_list("name", "title")) == {"churn": "Churn prediction", "other": "x" * 255}


def test_the_same_key_twice_is_one_version(api):
    for _ in range(2):
        assert api.post(POST, spec_body(SPEC), **{"Idempotency-Key": "k"}).status_code == 200
    assert SpecVersion.objects.count() == 1


def test_another_name_for_the_key_of_a_branch_is_told(api):
    api.register("/v1/perimeters/default/projects/churn/branches/feature_a_b/data/x", branch_name="feature/a-b")
    assert "warning" not in post(api, SPEC, branch="feature_a_b")
    assert "warning" not in post(api, SPEC, branch="feature/a-b")
    told = post(api, SPEC, branch="Feature.A.B")
    assert told["branch_name"] == "feature/a-b"
    assert "feature/a-b" in told["warning"]
    assert "Feature.A.B" in told["warning"]
