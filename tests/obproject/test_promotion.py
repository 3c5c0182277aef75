"""Promotion from branch to branch and from stage to stage, on a really served site."""

from __future__ import annotations

import inspect
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import requests

from obproject import Asset, errors, promote_assets, promotion
from obproject.evals import EvalsLogger
from obproject.evaluation_log import EVALUATION_LOG
from tests.conftest import Site
from tests.obproject.stub_server import Canned, StubCatalogue

PROJECT = """
project = "ignored"
perimeter = "default"
[promotion]
aliases = ["gold", "candidate"]
"""


@pytest.fixture
def name(served: Site, unconfigured: pytest.MonkeyPatch, tmp_path: Path) -> str:
    """A project of its own, worked on by alice in an empty folder."""
    unconfigured.setenv("ASSETSITE_URL", served.url)
    unconfigured.setattr("metaflow.metaflow_config.USER", "alice")
    for variable in ("GITHUB_SHA", "CI_COMMIT_SHA", "BUILD_SOURCEVERSION", "CIRCLE_SHA1"):
        unconfigured.delenv(variable, raising=False)
    unconfigured.chdir(tmp_path)
    return f"promotion_{uuid4().hex}"


@pytest.fixture
def feature(name: str) -> Asset:
    return Asset(name, "feature/x", deployment="trainer")


@pytest.fixture
def main(name: str) -> Asset:
    return Asset(name, "main")


def make(asset: Asset, name: str = "clf", **more: Any) -> dict[str, Any]:
    made = asset.register_model_asset(name, kind="artifact", **more)
    assert made is not None
    return made


def promoted(*names: str, alias: str | None = "candidate", kind: str = "models") -> dict[str, Any]:
    return {"promoted": [{"kind": kind, "name": name, "alias": alias} for name in names], "errors": []}


def test_the_signature_is_that_of_the_public_client() -> None:
    parameters = inspect.signature(promote_assets).parameters
    assert {name: parameter.default for name, parameter in parameters.items()} == {
        "project": inspect.Parameter.empty,
        "source": inspect.Parameter.empty,
        "target": inspect.Parameter.empty,
        "kinds": None,
        "asset": None,
        "instance": "latest",
        "with_aliases": None,
        "alias": "candidate",
    }


def test_all_assets_of_a_branch_are_promoted_with_all_that_they_are(name: str, feature: Asset, main: Asset) -> None:
    table = feature.register_data_asset(
        "rows",
        description="of today",
        kind="table",
        blobs=["s3://rows"],
        annotations={"count": 3, "by": {"a": [1]}},
        tags={"env": "test"},
    )
    assert table is not None
    make(feature)
    assert promote_assets(name, "feature/x", "main") == {
        "promoted": [
            {"kind": "data", "name": "rows", "alias": "candidate"},
            {"kind": "models", "name": "clf", "alias": "candidate"},
        ],
        "errors": [],
    }
    copy = main.peek_data_asset("rows", "@candidate")
    assert copy["id"] != table["id"]
    assert copy["created_by"] == {"entity_kind": "deployment", "entity_id": "trainer"}
    assert (copy["description"], copy["data_properties"]["blobs"]) == ("of today", ["s3://rows"])
    assert copy["tags"] == [{"key": "env", "value": "test"}]
    assert copy["values"].items() >= {"count": 3, "promoted_from_branch": "feature/x", "promoted_by": "alice"}.items()
    assert copy["values"]["by"] == {"a": [1]}
    assert copy["values"]["promoted_from_instance"] == table["id"]


def test_the_source_is_not_consumed_by_a_promotion_and_is_in_its_lineage(
    served: Site, name: str, feature: Asset, main: Asset
) -> None:
    make(feature)
    promote_assets(name, "feature/x", "main")
    base = f"{served.url}/v1/perimeters/default/projects/{name}/branches"
    assert requests.get(f"{base}/feature_x/models/clf", timeout=10).json()["recently_consumed_by"] == []
    lineage = requests.get(f"{base}/main/models/clf/instances/latest/lineage", timeout=10).json()
    assert "promotes" in {link["relation"] for link in lineage["links"]}


def test_fault_1_the_alias_lands_on_the_promoted_instance_while_others_register(
    name: str, feature: Asset, main: Asset
) -> None:
    for number in range(6):
        make(feature, f"m{number}")

    def promote(number: int) -> str:
        promote_assets(name, "feature/x", "main", asset=f"m{number}", kinds=["models"])
        return main.peek_model_asset(f"m{number}", "@candidate")["values"]["promoted_from_instance"]

    def disturb(number: int) -> None:
        for _ in range(5):
            make(main, f"m{number}")

    with ThreadPoolExecutor(4) as pool:
        disturbing = [pool.submit(disturb, number) for number in range(6)]
        landed = list(pool.map(promote, range(6)))
        for each in disturbing:
            each.result()
    assert landed == [feature.peek_model_asset(f"m{number}")["id"] for number in range(6)]


def test_an_instance_is_copied_once_however_many_promote_it(name: str, feature: Asset, main: Asset) -> None:
    make(feature)

    def promote(number: int) -> dict[str, Any]:
        return promote_assets(name, "feature/x", "main", asset="clf", kinds=["models"])

    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(promote, range(6)))
    assert answers == [promoted("clf")] * 6
    assert len(list(main.list_model_asset_instances("clf"))) == 1


def test_promoters_of_other_words_make_no_second_copy(
    name: str, feature: Asset, main: Asset, unconfigured: pytest.MonkeyPatch
) -> None:
    source = make(feature)
    promote_assets(name, "feature/x", "main")
    [copy] = main.list_model_asset_instances("clf")
    unconfigured.setenv("ASSETSITE_DEPLOYMENT", "releaser")
    assert promote_assets(name, "feature/x", "main") == promoted("clf")
    # As if both had looked for a copy before either made one.
    find, looks = promotion._Route._find_copy, iter([False])
    unconfigured.setattr(promotion._Route, "_find_copy", lambda *place: find(*place) if next(looks, True) else None)
    assert promote_assets(name, "feature_x", "main") == promoted("clf")
    assert next(looks, "both looked") == "both looked"
    assert [one.id for one in main.list_model_asset_instances("clf")] == [copy.id]
    assert copy.values["promoted_from_instance"] == source["id"]


def test_what_was_deleted_on_the_target_can_be_promoted_again(name: str, feature: Asset, main: Asset) -> None:
    make(feature)
    for _ in range(3):
        assert promote_assets(name, "feature/x", "main") == promoted("clf")
        assert main.peek_model_asset("clf", "@candidate")["ref"] == "v1"
        main.delete_model_asset("clf")


def test_fault_46_only_aliases_of_the_promoted_instance_are_copied(name: str, feature: Asset, main: Asset) -> None:
    make(feature)
    make(feature)
    feature.set_alias("clf", "production", "v1")
    feature.set_alias("clf", "champion", "v2")
    assert promote_assets(name, "feature/x", "main", with_aliases=True) == promoted("clf")
    assert {alias.name for alias in main.list_aliases("clf")} == {"champion", "candidate"}


def test_fault_46_the_targets_own_alias_is_never_overwritten_unsaid(
    name: str, feature: Asset, main: Asset, capsys: pytest.CaptureFixture[str]
) -> None:
    mine = make(main)
    main.set_alias("clf", "production")
    main.set_alias("clf", "candidate")
    make(feature)
    feature.set_alias("clf", "production")
    assert promote_assets(name, "feature/x", "main") == promoted("clf")
    said = capsys.readouterr().out
    assert main.peek_model_asset("clf", "@production")["id"] == mine["id"]
    assert f"@production of model asset 'clf' was not copied to branch 'main': there it stays on {mine['id']}" in said
    assert main.peek_model_asset("clf", "@candidate")["ref"] == "v2"
    assert f"no more to {mine['id']}" in said


def test_aliases_stay_behind_on_demand(name: str, feature: Asset, main: Asset) -> None:
    make(feature)
    feature.set_alias("clf", "champion")
    assert promote_assets(name, "feature/x", "main", with_aliases=False, alias=None) == promoted("clf", alias=None)
    assert main.list_aliases("clf") == []


def test_fault_47_a_move_between_stages_of_one_branch_makes_no_duplicate(name: str, feature: Asset) -> None:
    made = make(feature)
    for alias in ("candidate", "validated", "production"):
        answer = promote_assets(name, "feature/x", "feature_x", asset="clf", alias=alias)
        assert answer == promoted("clf", alias=alias)
    [only] = feature.list_model_asset_instances("clf")
    assert only.id == made["id"]
    assert {alias.instance_id for alias in feature.list_aliases("clf")} == {made["id"]}
    assert "promoted_from_instance" not in only.values


def test_fault_47_and_48_the_chain_of_promotions_can_be_followed_to_its_start(
    name: str, feature: Asset, main: Asset
) -> None:
    staging = Asset(name, "staging")
    first = make(feature)
    promote_assets(name, "feature/x", "staging")
    second = staging.peek_model_asset("clf")
    promote_assets(name, "staging", "staging", alias="validated")
    promote_assets(name, "staging", "main", instance="@validated")
    third = main.peek_model_asset("clf")
    assert third["values"]["promoted_from_instance"] == second["id"]
    assert third["values"]["promoted_from_branch"] == "staging"
    assert third["values"]["promoted_from_chain"] == [
        {"branch": "feature/x", "instance": first["id"], "ref": "v1", "created_at": first["created_at"]},
        {
            "branch": "staging",
            "instance": second["id"],
            "ref": "v1",
            "created_at": second["created_at"],
            "promoted_by": "alice",
        },
    ]
    assert {alias.name for alias in main.list_aliases("clf")} == {"candidate", "validated"}


def test_fault_48_any_instance_is_promoted_and_a_missing_one_is_an_error_of_its_asset(
    name: str, feature: Asset, main: Asset
) -> None:
    for number in range(3):
        make(feature, annotations={"number": number})
    assert promote_assets(name, "feature/x", "main", asset="clf", instance="v2") == promoted("clf")
    assert main.peek_model_asset("clf")["values"]["number"] == 1
    answer = promote_assets(name, "feature/x", "main", instance="v3")
    assert answer == promoted("clf")
    make(feature, "young")
    answer = promote_assets(name, "feature/x", "main", instance="v3")
    assert answer["promoted"] == promoted("clf")["promoted"]
    [error] = answer["errors"]
    assert (error["kind"], error["name"]) == ("models", "young")
    assert "v3" in error["error"]


def test_an_asset_that_is_nowhere_is_reported(name: str, feature: Asset) -> None:
    make(feature)
    assert promote_assets(name, "feature/x", "main", asset="none") == {
        "promoted": [],
        "errors": [
            {
                "kind": None,
                "name": "none",
                "error": "asset 'none' not found on source branch 'feature/x' (checked: data, models)",
            }
        ],
    }
    [error] = promote_assets(name, "feature/x", "main", asset="none", kinds=["data"])["errors"]
    assert (error["kind"], error["name"]) == ("data", "none")


def test_a_branch_that_has_nothing_or_is_not_there_is_an_error(name: str, feature: Asset) -> None:
    """Jobs of a CI tear it down next."""

    def error(source: str, **options: Any) -> tuple[Any, str]:
        answer = promote_assets(name, source, "main", **options)
        [found] = answer["errors"]
        assert (answer["promoted"], found["name"]) == ([], None)
        return found["kind"], found["error"]

    assert error("feature/x") == (
        None,
        f"branch 'feature/x' of project '{name}' is not in the catalogue, so nothing was promoted. Is its name right?",
    )
    make(feature)
    assert error("feature/y")[1].startswith("branch 'feature/y'")
    assert error("feature/x", kinds=["data"]) == (
        "data",
        f"branch 'feature/x' of project '{name}' has no data to promote, so nothing was promoted.",
    )
    EvalsLogger(asset=Asset(name, "logged")).log({"accuracy": 0.5})
    assert "has no data or models to promote" in error("logged")[1]


def test_a_target_that_is_not_there_is_made_and_said(
    name: str, feature: Asset, capsys: pytest.CaptureFixture[str]
) -> None:
    make(feature)
    make(feature, "other")
    assert promote_assets(name, "feature/x", "mian") == promoted("clf", "other")
    assert capsys.readouterr().out.count(f"branch 'mian' of project '{name}' is new") == 1


def test_only_what_is_ready_is_promoted(name: str, feature: Asset, main: Asset) -> None:
    body = {
        "entity_ref": {"entity_kind": "task", "entity_id": "Train/1/start/1"},
        "model_asset_kind": "artifact",
        "state": "pending",
        "attempt": 0,
    }
    feature.catalogue.asset_request("PATCH", "feature/x", "model", "clf", body=body)
    for instance in ("v1", "latest"):
        [error] = promote_assets(name, "feature/x", "main", asset="clf", instance=instance)["errors"]
        assert error["name"] == "clf"
    assert not main._asset_exists("model", "clf")


def test_a_definition_comes_by_a_deploy_and_hides_no_instance_of_the_target(
    name: str, feature: Asset, main: Asset
) -> None:
    def declare(asset: Asset, branch: str) -> None:
        definition = {"kind": "models", "id": "llama", "name": "Llama", "properties": {"size": branch}}
        body = {
            "branch_name": branch,
            "version_id": "1",
            "entity_ref": {"entity_kind": "ci", "entity_id": "obproject-deploy"},
            "spec": {},
            "definitions": [definition],
        }
        asset.catalogue.request("POST", branch, "deploys", body=body, about="deploy")

    declare(feature, "feature/x")
    # The target knows nothing of it: what it is now is copied.
    assert promote_assets(name, "feature/x", "other") == promoted("llama")
    # The target declares it: its own definition gets the alias.
    declare(main, "main")
    assert promote_assets(name, "feature/x", "main") == promoted("llama")
    assert main.peek_model_asset("llama", "@candidate")["values"]["size"] == "main"
    assert main.peek_model_asset("llama")["ref"] == "definition"
    # The target has instances: they stay the latest.
    make(main, "llama")
    make(feature)
    assert promote_assets(name, "feature/x", "main") == promoted("clf")
    assert main.peek_model_asset("llama")["ref"] == "v1"
    # Nothing but definitions: nothing is promoted, and nothing would be lost.
    feature.delete_model_asset("clf")
    assert promote_assets(name, "feature/x", "main") == promoted()
    [error] = promote_assets(name, "feature/x", "main", asset="llama")["errors"]
    assert "deploy" in error["error"]


def test_an_alias_that_is_not_of_the_lifecycle_is_refused_before_any_request(name: str, feature: Asset) -> None:
    make(feature)
    with pytest.raises(ValueError, match=r"gold.*candidate, validated, production"):
        promote_assets(name, "feature/x", "main", alias="gold")
    with pytest.raises(ValueError, match="kind"):
        promote_assets(name, "feature/x", "main", kinds=["datasets"])
    with pytest.raises(ValueError, match="asset id"):
        promote_assets(name, "feature/x", "main", asset="a/b")
    with pytest.raises(ValueError, match="latest-1"):
        promote_assets(name, "feature/x", "main", instance="latest-x")
    with pytest.raises(ValueError, match="branch name"):
        promote_assets(name, "feature/x", "---")
    with pytest.raises(ValueError, match="nothing to promote"):
        promote_assets(name, "feature/x", "feature_x", alias=None)


def test_fault_49_the_allowed_aliases_are_found_from_below_the_project_root(
    name: str, feature: Asset, main: Asset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(feature)
    (tmp_path / "obproject.toml").write_text(PROJECT)
    (tmp_path / "flows" / "train").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "flows" / "train")
    assert promote_assets(name, "feature/x", "main", alias="gold") == promoted("clf", alias="gold")
    with pytest.raises(errors.InvalidInput, match=r"validated.*gold, candidate"):
        promote_assets(name, "feature/x", "main", alias="validated")


@pytest.mark.parametrize(
    "content",
    [
        "[promotion\n",
        '[promotion]\naliases = "gold"\n',
        "[promotion]\naliases = [1]\n",
        "[promotion]\naliases=['a b']\n",
        'promotion = "gold"\n',
    ],
)
def test_fault_49_a_project_file_that_cannot_be_used_is_said(name: str, tmp_path: Path, content: str) -> None:
    (tmp_path / "obproject.toml").write_text(content)
    with pytest.raises(errors.InvalidInput, match=r"obproject\.toml"):
        promote_assets(name, "feature/x", "main")


def test_fault_13_a_promotion_by_a_ci_is_one_by_a_ci(
    name: str, feature: Asset, main: Asset, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(feature)
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_SHA", "0" * 40)
    promote_assets(name, "feature/x", "main")
    [alias] = main.list_aliases("clf")
    assert alias.updated_by == ("ci", "obproject-promote")
    assert main.peek_model_asset("clf")["values"]["promoted_by"] == "obproject-promote"


def test_without_a_catalogue_nothing_is_promoted_and_it_is_an_error(unconfigured: pytest.MonkeyPatch) -> None:
    with pytest.raises(errors.NoServer, match="ASSETSITE_URL"):
        promote_assets("churn", "feature/x", "main")


def test_fault_48_an_alias_that_fails_is_an_error_and_a_repetition_finishes(
    name: str, feature: Asset, main: Asset, unconfigured: pytest.MonkeyPatch
) -> None:
    make(feature)

    def refuse(*arguments: Any, **named: Any) -> None:
        raise errors.NotAllowed("the token may not move aliases")

    with unconfigured.context() as patch:
        patch.setattr(Asset, "set_alias", refuse)
        [error] = promote_assets(name, "feature/x", "main")["errors"]
    assert "It is v1 on branch 'main', but without all of its aliases; promote it again to finish." in error["error"]
    assert "the token may not move aliases" in error["error"]
    assert promote_assets(name, "feature/x", "main") == promoted("clf")
    [copy] = main.list_model_asset_instances("clf")
    assert main.list_aliases("clf")[0].instance_id == copy.id


def test_a_kind_that_cannot_be_listed_is_an_error_and_the_other_goes_on(
    catalogue: StubCatalogue, unconfigured: pytest.MonkeyPatch
) -> None:
    unconfigured.setenv("ASSETSITE_URL", catalogue.url)
    refusal = b'{"error": "forbidden", "message": "Not for you.", "detail": {}}'
    catalogue.answer_next(Canned(403, refusal), Canned(200, b'{"items": [], "continuation": null}'))
    answer = promote_assets("churn", "feature/x", "main")
    assert answer["promoted"] == []
    [error] = answer["errors"]
    assert set(error) == {"kind", "error"}
    assert error["kind"] == "data"
    assert "Not for you" in error["error"]


def test_evaluations_stay_on_their_branch(name: str, feature: Asset, main: Asset) -> None:
    make(feature)
    EvalsLogger(asset=feature).log({"accuracy": 1})
    assert promote_assets(name, "feature/x", "main") == promoted("clf")
    assert not main._asset_exists("data", EVALUATION_LOG)
    # What a user keeps under that name is an asset like any other.
    feature.delete_data_asset(EVALUATION_LOG)
    feature.register_data_asset(EVALUATION_LOG, kind="table")
    assert promote_assets(name, "feature/x", "main", kinds=["data"]) == promoted(EVALUATION_LOG, kind="data")
