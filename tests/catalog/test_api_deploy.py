"""Deploying all that a project declares on a branch: all of it or nothing."""

import pytest

from catalog.models import Asset, Branch, BranchName, DefinitionRevision, Project, PropertyOverride, SpecVersion
from catalog.recording import clear_override, override_property
from tests.catalog.wire import CI, PERIMETER, declaration, definition, deploy_body

FEATURE = f"{PERIMETER}/projects/churn/branches/feature_x"


def deploy(api, *definitions, path="deploys", **more):
    answer = api.post(path, deploy_body(*definitions, **more))
    assert answer.status_code == 200, answer.content
    return answer.data


def test_a_deploy_declares_assets_and_posts_the_spec(api):
    done = deploy(
        api,
        definition(
            "xkcd",
            description="The newest",
            tags={"env": "prod"},
            asset_kind="artifact",
            blobs=["s3://x"],
            icon="🖼",
            readme="# Comics",
            source="data/xkcd/asset_config.toml",
        ),
        definition("llm", "models"),
        branch_name="main",
        spec={"title": "Churn", "data": [{"id": "xkcd", "display_name": "The xkcd"}], "models": [], "ci_url": "u"},
    )
    assert done["version_id"] == "sha1"
    assert (done["branch"], done["branch_name"]) == ("main", "main")
    assert done["created"] == ["data/xkcd", "models/llm"]
    assert done["updated"] == done["unchanged"] == done["overridden"] == []
    assert done["url"].endswith("/default/churn/main")
    latest = api.get("data/xkcd/instances/latest").data
    assert latest["ref"] == "definition"
    assert latest["created_by"] == CI
    assert latest["tags"] == [{"key": "env", "value": "prod"}]
    asset = Asset.objects.get(asset_id="xkcd")
    assert latest["data_properties"] == {
        "data_kind": "artifact",
        "annotations": {"owner": "ada", "_config_hash": asset.config_hash},
        "blobs": ["s3://x"],
    }
    assert (asset.icon, asset.readme, asset.source) == ("🖼", "# Comics", "data/xkcd/asset_config.toml")
    spec = api.get("latestflowproject").data
    assert spec["ci_url"] == "u"
    assert [entry["id"] for entry in spec["data"] + spec["models"]] == ["xkcd", "llm"]
    branch = Branch.objects.get()
    assert (branch.data_count, branch.models_count) == (1, 1)


def test_a_deploy_says_what_it_changed(api):
    deploy(api, definition("a"), definition("b"))
    done = deploy(api, definition("a"), definition("b", properties={"owner": "bob"}), definition("c"), version="sha2")
    assert (done["created"], done["updated"], done["unchanged"]) == (["data/c"], ["data/b"], ["data/a"])
    again = deploy(api, definition("c"), definition("a"), version="sha2")
    assert again["unchanged"] == ["data/a", "data/c"]
    assert Asset.objects.count() == 3  # what is declared no more stays
    assert DefinitionRevision.objects.count() == 4
    assert SpecVersion.objects.count() == 3


def test_a_deploy_replaces_the_whole_declaration(api):
    deploy(api, definition("a", properties={"x": "1", "y": "2"}, tags={"t": "1"}, icon="🅰", description="old"))
    deploy(api, definition("a", name="B", properties={"y": "3"}))
    asset = Asset.objects.get()
    assert asset.properties == {"y": "3"}
    assert (asset.name, asset.declared_tags, asset.icon, asset.description) == ("B", {}, "", "")


def test_a_deploy_declares_what_a_flow_has_registered_already(api):
    made = api.register("data/a")
    assert deploy(api, definition("a"))["updated"] == ["data/a"]
    latest = api.get("data/a/instances/latest").data
    assert latest["id"] == made["id"]
    assert latest["asset"]["properties"] == {"owner": "ada"}


def test_an_asset_declared_by_the_public_tool_can_be_deployed(api):
    api.patch("data/a", declaration())
    assert deploy(api, definition("a"))["updated"] == ["data/a"]
    assert deploy(api, definition("a"))["unchanged"] == ["data/a"]


def test_deploying_a_deleted_asset_makes_a_new_one(api):
    deploy(api, definition("a"))
    first = api.get("data/a/instances/latest").data["id"]
    api.delete("data/a")
    assert deploy(api, definition("a"))["created"] == ["data/a"]
    assert api.get("data/a/instances/latest").data["id"] != first


@pytest.mark.parametrize(
    ("bad", "field"),
    [
        (definition("b", name=""), "definitions"),
        (definition("b", name=5), "definitions"),
        (definition("b", name="x" * 256), "definitions"),
        (definition("b", kind="datasets"), "definitions"),
        (definition("b/c"), "definitions"),
        (definition(""), "definitions"),
        (definition("b", properties={"k": 5}), "definitions"),
        (definition("b", properties=["k"]), "definitions"),
        (definition("b", tags={"k": None}), "definitions"),
        (definition("b", tags={"": "x"}), "definitions.1.tags"),
        (definition("b", properties={"": "x"}), "definitions.1.properties"),
        (definition("b", properties={"k" * 256: "x"}), "definitions.1.properties"),
        (definition("b", blobs="x"), "definitions"),
        (definition("b", icon="x" * 65), "definitions"),
        (definition("a"), "definitions"),
        ("b", "definitions"),
        (None, "definitions"),
    ],
)
def test_one_bad_definition_changes_nothing(api, bad, field):
    answer = api.post("deploys", deploy_body(definition("a"), bad, definition("c")))
    assert answer.status_code == 400
    assert answer.data["detail"]["field"].startswith(field)
    assert not Project.objects.exists()
    assert not Asset.objects.exists()


@pytest.mark.parametrize(
    "wrong",
    [
        {"spec": None},
        {"spec": {"data": None}},
        {"spec": {"models": {}}},
        {"version_id": None},
        {"version_id": ""},
        {"definitions": None},
        {"definitions": {}},
        {"entity_ref": None},
        {"branch_name": "//"},
        {"branch_name": "other"},
        {"branch_name": None},
    ],
)
def test_a_malformed_deploy_changes_nothing(api, wrong):
    answer = api.post("deploys", deploy_body(definition("a")) | wrong)
    assert answer.status_code == 400, answer.content
    assert not Project.objects.exists()


def test_a_deploy_of_nothing_is_one(api):
    assert deploy(api)["created"] == []
    assert api.get("latestflowproject").status_code == 200


def test_the_same_key_twice_is_one_deploy(api):
    body, headers = deploy_body(definition("a")), {"Idempotency-Key": "k"}
    first, again = api.post("deploys", body, **headers), api.post("deploys", body, **headers)
    assert first.data == again.data
    assert again.data["created"] == ["data/a"]
    assert SpecVersion.objects.count() == 1


# Overrides


def test_an_override_wins_over_a_deploy_which_says_so(api):
    deploy(api, definition("a", properties={"owner": "ada", "tier": "1"}))
    asset = Asset.objects.get()
    override_property(user=None, actor="eve", asset=asset, key="owner", value="eve")
    override_property(user=None, actor="eve", asset=asset, key="note", value="mine")
    assert api.get("data/a").data["asset"]["properties"] == {"owner": "eve", "tier": "1", "note": "mine"}
    assert deploy(api, definition("a", properties={"owner": "ada", "tier": "2"}))["overridden"] == []
    done = deploy(api, definition("a", properties={"owner": "bob", "tier": "2", "note": "theirs"}))
    assert done["overridden"] == [
        {"asset": "data/a", "key": "note", "declared": "theirs", "previously_declared": None, "override": "mine"},
        {"asset": "data/a", "key": "owner", "declared": "bob", "previously_declared": "ada", "override": "eve"},
    ]
    assert api.get("data/a").data["asset"]["properties"] == {"owner": "eve", "tier": "2", "note": "mine"}
    assert PropertyOverride.objects.get(key="owner").declared_has_changed
    clear_override(user=None, actor="eve", asset=asset, key="owner")
    assert api.get("data/a").data["asset"]["properties"]["owner"] == "bob"


# Branch names


def test_the_git_name_is_adopted_and_shown(api):
    done = deploy(api, path=f"{FEATURE}/deploys", branch_name="feature/x")
    assert (done["branch"], done["branch_name"]) == ("feature_x", "feature/x")
    assert BranchName.objects.get().git_name == "feature/x"


def test_a_name_equal_to_its_key_is_adopted_by_the_first_real_one(api):
    api.register(f"{FEATURE}/data/a", branch_name="feature_x")
    assert Branch.objects.get().git_name == ""
    assert deploy(api, path=f"{FEATURE}/deploys", branch_name="feature/x")["branch_name"] == "feature/x"
    api.register(f"{FEATURE}/data/a", branch_name="feature_x")
    api.register(f"{FEATURE}/data/a", branch_name="feature/x")
    assert Branch.objects.get().git_name == "feature/x"
    assert BranchName.objects.count() == 1


@pytest.mark.parametrize("second", ["feature-x", "Feature/X", "feature.x"])
def test_a_second_name_for_one_key_is_409_naming_both_and_changes_nothing(api, second):
    deploy(api, path=f"{FEATURE}/deploys", branch_name="feature/x")
    register = {"entity_ref": CI, "data_asset_kind": "s3", "branch_name": second}
    for answer in (
        api.post(f"{FEATURE}/deploys", deploy_body(definition("a"), branch_name=second)),
        api.patch(f"{FEATURE}/data/a", register),
        api.patch(f"{FEATURE}/data/a", declaration() | {"branch_name": second}),
    ):
        assert answer.status_code == 409
        assert answer.data["detail"] == {"branch": second, "taken_by": "feature/x", "key": "feature_x"}
        assert "'feature/x'" in answer.data["message"]
        assert f"'{second}'" in answer.data["message"]
    assert not Asset.objects.exists()
    assert SpecVersion.objects.count() == 1


@pytest.mark.parametrize("main", ["main", "master"])
def test_main_and_master_are_names_of_their_own(api, main):
    path = f"{PERIMETER}/projects/churn/branches/{main}"
    api.register(f"{path}/data/a")
    assert Branch.objects.get().git_name == main
    assert deploy(api, path=f"{path}/deploys", branch_name=main)["branch_name"] == main
    answer = api.post(f"{path}/deploys", deploy_body(branch_name=main.title()))
    assert answer.status_code == 409
    assert answer.data["detail"]["taken_by"] == main


def test_main_and_master_are_two_branches(api):
    api.register("data/a")
    api.register(f"{PERIMETER}/projects/churn/branches/master/data/a")
    assert sorted(Branch.objects.values_list("key", flat=True)) == ["main", "master"]


def test_what_is_no_longer_declared_stays_and_is_told(api):
    api.register("data/undeclared")
    deploy(api, definition("kept"), definition("left", kind="models"))
    done = deploy(api, definition("kept"), version="sha2")
    assert done["not_declared"] == ["models/left"]
    assert api.get("models/left/instances/latest").data["ref"] == "definition"
