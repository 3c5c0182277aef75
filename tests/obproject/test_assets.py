"""The assets of one branch, as code outside a flow uses them."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import requests
from metaflow.includefile import IncludedFile

from obproject import Asset, AssetInstance, DeleteResult, EntityRef, errors, notices
from obproject.branches import BranchChoice
from obproject.entities import user_ref
from obproject.instances import json_value, parse_instance
from obproject.prj import ProjectAsset, ProjectContext
from obproject.task.artifacts import load_artifact, own_artifact
from tests.obproject.stub_server import Canned, StubCatalogue
from tests.places import CHECKOUT

FEATURE = ("default", "registry", "feature_x")
ALICE = ("default", "registry", "user_alice")


@pytest.fixture
def asset(catalogue: StubCatalogue, unconfigured: pytest.MonkeyPatch) -> Asset:
    unconfigured.setenv("ASSETSITE_URL", catalogue.url)
    return Asset("registry", "feature/x")


def test_a_registration_sends_typed_annotations_text_tags_and_the_git_name(
    asset: Asset, catalogue: StubCatalogue
) -> None:
    instance = asset.register_model_asset(
        "classifier",
        description="a classifier",
        kind="s3_object",
        blobs=["s3://bucket/model", ["openai", "gpt"]],
        annotations={"accuracy": 0.91, "rows": 12, "final": True, "parent": None, "by class": {"a": [1, 2]}},
        tags={"round": 3, "final": False},
    )
    [sent] = catalogue.requests
    assert (sent.method, sent.path) == (
        "PATCH",
        "/v1/perimeters/default/projects/registry/branches/feature_x/models/classifier",
    )
    assert sent.body is not None
    assert sent.body["branch_name"] == "feature/x"
    assert sent.body["annotations"] == {
        "accuracy": 0.91,
        "rows": 12,
        "final": True,
        "parent": None,
        "by class": {"a": [1, 2]},
    }
    assert sent.body["tags"] == [{"key": "round", "value": "3"}, {"key": "final", "value": "False"}]
    assert sent.body["blobs"] == ["s3://bucket/model", ["openai", "gpt"]]
    assert "state" not in sent.body
    assert instance is not None
    assert (instance["ref"], instance["state"], instance["number"]) == ("v1", "ready", 1)
    assert instance["model_properties"]["annotations"]["rows"] == "12"
    assert instance["values"]["rows"] == 12


class _Scalar:
    """A zero-dimensional array, as numpy and its relatives have them."""

    shape = ()

    def __init__(self, value: object) -> None:
        self._value = value

    def item(self) -> object:
        return self._value


@pytest.mark.parametrize(
    ("value", "sent"),
    [
        (float("nan"), "nan"),
        (float("-inf"), "-inf"),
        (_Scalar(0.5), 0.5),
        (_Scalar(_Scalar(3)), "_"),
        (_Scalar(float("nan")), "nan"),
        ((1, _Scalar(2)), [1, 2]),
        ({1: {"deep": Decimal("1.5")}}, {"1": {"deep": "1.5"}}),
        (Path("/data/x"), "/data/x"),
        (True, True),
    ],
)
def test_values_that_json_cannot_hold_become_what_it_can(value: object, sent: object) -> None:
    converted = json_value(value)
    assert converted == sent or (sent == "_" and isinstance(converted, str))
    assert type(converted) is type(sent)


def test_peeking_leaves_no_trace_and_consuming_does(asset: Asset, catalogue: StubCatalogue) -> None:
    asset.register_data_asset("numbers", kind="table", annotations={"rows": 1})
    asset.register_data_asset("numbers", kind="table", annotations={"rows": 2})
    assert asset.peek_data_asset("numbers")["values"] == {"rows": 2}
    assert asset.peek_data_asset("numbers", "latest-1")["ref"] == "v1"
    assert catalogue.consumptions == []
    assert asset.consume_data_asset("numbers", "v1")["ref"] == "v1"
    (sent,) = catalogue.consumptions
    assert sent["instance"] == asset.peek_data_asset("numbers", "v1")["id"]
    assert sent["consumer"] == {"project": asset.project, "branch": "feature/x"}


def test_an_alias_travels_as_it_is_written(asset: Asset, catalogue: StubCatalogue) -> None:
    asset.register_data_asset("numbers", kind="table")
    catalogue.aliases[*FEATURE, "data", "numbers"] = {"production": 1}
    assert asset.peek_data_asset("numbers", "@production")["ref"] == "v1"
    assert catalogue.requests[-1].path.endswith("/instances/@production")


def test_a_deployment_is_named_by_argument_or_environment(
    asset: Asset, catalogue: StubCatalogue, unconfigured: pytest.MonkeyPatch
) -> None:
    unconfigured.setattr("metaflow.metaflow_config.USER", "alice")
    assert Asset("registry", "main").entity_ref == {"entity_kind": "user", "entity_id": "alice"}
    unconfigured.setenv("ASSETSITE_DEPLOYMENT", "nightly")
    assert Asset("registry", "main").entity_ref == {"entity_kind": "deployment", "entity_id": "nightly"}
    dashboard = Asset("registry", "main", deployment="dashboard")
    assert dashboard.entity_ref == {"entity_kind": "deployment", "entity_id": "dashboard"}
    dashboard.register_data_asset("numbers", kind="table")
    dashboard.consume_data_asset("numbers")
    assert [sent.body["entity_ref"]["entity_id"] for sent in catalogue.requests if sent.body] == ["dashboard"] * 2
    assert Asset("registry", "main", entity_ref=user_ref("bob")).meta == {
        "project": "registry",
        "branch": "main",
        "entity_reg": {"entity_kind": "user", "entity_id": "bob"},
    }


def test_a_read_only_asset_writes_nothing(asset: Asset, catalogue: StubCatalogue) -> None:
    asset.register_data_asset("numbers", kind="table")
    reader = Asset("registry", "feature/x", read_only=True)
    assert reader.register_data_asset("numbers", kind="table") is None
    assert reader.consume_data_asset("numbers")["ref"] == "v1"
    with pytest.raises(errors.ReadOnly, match="numbers"):
        reader.delete_data_asset("numbers")
    assert [request.method for request in catalogue.requests] == ["PATCH", "GET"]


def test_listings_go_through_all_pages_and_filter_by_tags_as_text(asset: Asset, catalogue: StubCatalogue) -> None:
    catalogue.page_size = 2
    for number in range(5):
        asset.register_data_asset(f"numbers_{number}", kind="table", tags={"even": number % 2 == 0})
    listed = asset.list_data_assets()
    assert [item["asset"]["id"] for item in listed["items"]] == [f"numbers_{number}" for number in range(5)]
    assert listed["continuation"] is None
    assert [item["asset"]["id"] for item in asset.list_data_assets(tags={"even": False})["items"]] == [
        "numbers_1",
        "numbers_3",
    ]
    assert asset.list_model_assets() == {"items": [], "continuation": None}


def test_instances_are_read_page_by_page_as_they_are_asked_for(asset: Asset, catalogue: StubCatalogue) -> None:
    catalogue.page_size = 2
    for number in range(5):
        asset.register_data_asset(
            "numbers", kind="table", blobs=[number], annotations={"n": number}, tags={"t": number}
        )
    catalogue.requests.clear()
    instances = asset.list_data_asset_instances("numbers")
    assert catalogue.requests == []
    newest = next(instances)
    assert len(catalogue.requests) == 1
    assert isinstance(newest, AssetInstance)
    assert (newest.number, newest.ref, newest.state, newest.kind, newest.asset_kind) == (
        5,
        "v5",
        "ready",
        "data",
        "table",
    )
    assert (newest.annotations, newest.values, newest.tags, newest.blobs) == ({"n": "4"}, {"n": 4}, {"t": "4"}, [4])
    assert newest.created_by == EntityRef(**asset.entity_ref)
    assert newest.created_at.tzinfo is not None
    assert [instance.number for instance in instances] == [4, 3, 2, 1]
    assert len(catalogue.requests) == 3


def test_an_instance_has_its_digest_its_run_and_its_position_where_they_are_known(asset: Asset) -> None:
    answer = asset.register_data_asset("numbers", kind="table")
    assert answer
    older = parse_instance(answer)
    assert (older.digest, older.run, older.position) == (None, None, None)
    known = {"digest": "ab12", "run": {"id": "F/1", "kind": "run"}, "position": {"step": "start"}}
    newer = parse_instance(answer | known)
    assert {"digest": newer.digest, "run": newer.run, "position": newer.position} == known


def test_a_digest_is_sent_of_what_is_no_artifact(asset: Asset, catalogue: StubCatalogue) -> None:
    asset.register_data_asset("numbers", kind="table", digest="sha256:12")
    asset.register_model_asset("classifier", kind="table")
    assert [sent.body["digest"] for sent in catalogue.requests if sent.body and "digest" in sent.body] == ["sha256:12"]
    for digest in ("", " ", "x" * 129, "a\nb", 3):
        with pytest.raises(errors.InvalidInput, match="no visible text of at most 128 characters"):
            asset.register_data_asset("numbers", kind="table", digest=digest)  # type: ignore[arg-type]
    with pytest.raises(errors.InvalidInput, match="Metaflow's own"):
        asset.register_data_asset("numbers", kind="artifact", digest="sha256:12")
    assert len(catalogue.requests) == 2


def test_what_the_catalogue_leaves_out_is_told_once(
    asset: Asset, catalogue: StubCatalogue, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(notices, "_told", set())
    answer = asset.register_data_asset("numbers", kind="table")
    assert answer
    noted = Canned(body=json.dumps(answer | {"notes": ["The graph has too many steps.", 3]}).encode())
    catalogue.answer_next(noted, noted, Canned(body=json.dumps(answer | {"notes": "none"}).encode()))
    asset.register_data_asset("numbers", kind="table")
    asset.consume_data_asset("numbers")
    asset.register_data_asset("numbers", kind="table")
    assert capsys.readouterr().out == "assetsite: the catalogue: The graph has too many steps.\n"


def test_an_unknown_asset_is_told_from_an_unknown_instance(asset: Asset) -> None:
    with pytest.raises(errors.AssetNotFound, match=r"'numbers'.*'feature/x'.*'registry'") as raised:
        asset.peek_data_asset("numbers")
    assert not isinstance(raised.value, errors.InstanceNotFound)
    assert isinstance(raised.value, requests.HTTPError)
    asset.register_data_asset("numbers", kind="table")
    with pytest.raises(errors.InstanceNotFound, match="v7"):
        asset.peek_data_asset("numbers", "v7")


def test_deleting_what_is_not_there_is_no_error(asset: Asset) -> None:
    asset.register_data_asset("numbers", kind="table")
    assert asset.delete_data_asset("numbers") == DeleteResult(catalog_deleted=True, metadata_updated=True)
    assert asset.delete_data_asset("numbers") == DeleteResult(catalog_deleted=False, metadata_updated=False)


def test_properties_are_read_of_data_or_models(asset: Asset, catalogue: StubCatalogue) -> None:
    catalogue.properties[*FEATURE, "models", "llama"] = {"bedrock": "us.meta.llama"}
    assert asset.get_properties("llama") == {"bedrock": "us.meta.llama"}
    catalogue.properties[*FEATURE, "data", "llama"] = {}
    with pytest.raises(errors.InvalidInput, match="kind='data'"):
        asset.get_properties("llama")
    assert asset.get_properties("llama", kind="model") == {"bedrock": "us.meta.llama"}
    with pytest.raises(errors.AssetNotFound):
        asset.get_properties("nothing")


def test_a_branch_without_a_spec_has_none(asset: Asset, catalogue: StubCatalogue) -> None:
    assert asset.get_flowproject_spec() is None
    catalogue.specs[FEATURE] = {"title": "Registry"}
    assert asset.get_flowproject_spec() == {"title": "Registry"}


def test_a_refused_token_is_not_taken_for_a_missing_spec(asset: Asset, catalogue: StubCatalogue) -> None:
    catalogue.answer_next(Canned(401, b'{"error": "unauthorized", "message": "No token.", "detail": {}}'))
    with pytest.raises(errors.WrongToken, match="ASSETSITE_TOKEN"):
        asset.get_flowproject_spec()


@pytest.mark.parametrize(
    "call",
    [
        lambda asset: asset.register_data_asset("a/b", kind="table"),
        lambda asset: asset.register_data_asset("numbers"),
        lambda asset: asset.peek_data_asset("numbers", ""),
        lambda asset: asset.peek_data_asset("numbers", "latest-x"),
        lambda asset: asset.get_properties("numbers", kind="flows"),
        lambda asset: Asset("registry", "//"),
        lambda asset: Asset("regis/try", "main"),
        lambda asset: Asset(branch="main"),
        lambda asset: Asset(project="registry"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_sent(asset: Asset, catalogue: StubCatalogue, call: Any) -> None:
    with pytest.raises(errors.InvalidInput):
        call(asset)
    assert catalogue.requests == []


def test_an_app_finds_its_project_and_branch_in_its_environment(asset: Asset, unconfigured: pytest.MonkeyPatch) -> None:
    unconfigured.setenv("OB_PROJECT", "registry")
    unconfigured.setenv("OB_BRANCH", "main")
    found = Asset()
    assert (found.project, found.branch) == ("registry", "main")


@pytest.fixture
def folder(asset: Asset, unconfigured: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The folder of the project registry on the git branch feature/x, in which alice works, somewhere below it."""
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "obproject.toml").write_text('project = "registry"\n')
    subprocess.run(["git", "init", "--quiet", "--initial-branch", "feature/x", tmp_path], check=True)
    for variable in ("GITHUB_ACTIONS", "GITLAB_CI", "SYSTEM_COLLECTIONURI", "CIRCLECI"):
        unconfigured.delenv(variable, raising=False)
    unconfigured.setattr("metaflow.util.get_username", lambda: "alice")
    unconfigured.setattr(notices, "_told", set())
    unconfigured.chdir(tmp_path / "notebooks")
    return tmp_path


def test_a_notebook_finds_its_place_as_a_local_run_does_and_says_so_once(
    folder: Path, asset: Asset, catalogue: StubCatalogue, capsys: pytest.CaptureFixture[str]
) -> None:
    found = Asset()
    assert (found.project, found.writer.branch, found.reader.branches) == (
        "registry",
        "user.alice",
        ("user.alice", "feature/x"),
    )
    Asset("registry")
    assert capsys.readouterr().out.splitlines() == [
        f"assetsite: project 'registry' ({folder / 'obproject.toml'}), "
        "reads branch 'user.alice', then 'feature/x', writes branch 'user.alice'."
    ]
    asset.register_data_asset("numbers", kind="table")
    assert found.peek_data_asset("numbers")["ref"] == "v1"
    found.register_data_asset("mine", kind="table")
    assert [key[:3] for key in catalogue.assets if key[-1] == "mine"] == [ALICE]
    assert Asset(branch="main").reader.branches == ("main",)
    with pytest.raises(errors.InvalidInput, match=r"Which branch\?.* folder of project 'other'"):
        Asset("other")


def test_a_notebook_reads_and_writes_as_dev_assets_the_ci_and_the_scripts_folder_say(
    folder: Path, unconfigured: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    file = folder / "obproject.toml"
    file.write_text(file.read_text() + 'perimeter = "fraud"\n[dev-assets]\nbranch = "main"\n')
    assert Asset().reader.branches == ("main", "user.alice", "feature/x")
    assert Asset().perimeter == "fraud"
    unconfigured.chdir(tmp_path_factory.mktemp("elsewhere"))
    with pytest.raises(errors.InvalidInput, match=r"Which project\?.*obproject.toml"):
        Asset()
    unconfigured.setattr(sys.modules["__main__"], "__file__", str(folder / "notebooks" / "report.py"), raising=False)
    unconfigured.setenv("GITHUB_ACTIONS", "true")
    unconfigured.setenv("GITHUB_REF_NAME", "feature/y")
    assert (Asset().writer.branch, Asset().reader.branches) == ("feature/y", ("main", "feature/y"))
    file.write_text("project =")
    with pytest.raises(errors.InvalidInput, match=r"obproject\.toml can't be read"):
        Asset()


def test_an_app_loads_an_artifact_and_is_its_consumer_by_its_session(
    asset: Asset, catalogue: StubCatalogue, unconfigured: pytest.MonkeyPatch
) -> None:
    unconfigured.setattr("obproject.catalogue.loading.load_artifact", lambda found, about: found["ref"])
    for _ in range(2):
        asset.register_model_asset("clf", kind="artifact")
    app = Asset("registry", "feature/x", deployment="dashboard")
    assert (app.get_model("clf"), app.get_model("clf", 1, role="baseline")) == ("v2", "v1")
    for sent, role, reference in zip(catalogue.consumptions, (None, "baseline"), ("latest", "v1"), strict=True):
        assert (sent["entity_ref"]["entity_id"], sent.get("role"), sent["reference"]) == ("dashboard", role, reference)
        assert sent["session"].startswith("s_")
    assert Asset("registry", "feature/x", read_only=True).get_model("clf") == "v2"
    with pytest.raises(errors.AssetNotFound, match="'clf' is a model asset: use get_model"):
        app.get_data("clf")
    assert len(catalogue.consumptions) == 2


@pytest.fixture
def development(asset: Asset) -> ProjectAsset:
    """A local run's view: writes user.alice, reads feature/x."""
    return ProjectAsset("registry", BranchChoice(write="user.alice", read="feature/x", source="metaflow"))


def test_writes_never_go_to_the_branch_that_is_read(
    development: ProjectAsset, asset: Asset, catalogue: StubCatalogue
) -> None:
    asset.register_data_asset("numbers", kind="table")
    development.register_data_asset("numbers", kind="table")
    development.delete_data_asset("numbers")
    assert [(*key[:3],) for key in catalogue.assets] == [FEATURE]
    assert [request.path.split("/")[7] for request in catalogue.of("DELETE")] == ["user_alice"]


def test_reads_prefer_the_read_branch_and_say_when_they_leave_it(
    development: ProjectAsset, asset: Asset, capsys: pytest.CaptureFixture[str]
) -> None:
    development.register_data_asset("numbers", kind="table", annotations={"rows": 1})
    assert development.peek_data_asset("numbers")["values"] == {"rows": 1}
    assert capsys.readouterr().out.splitlines() == [
        "assetsite: branch 'feature/x' has no data asset 'numbers', so it is read from branch 'user.alice'."
    ]
    asset.register_data_asset("numbers", kind="table", annotations={"rows": 2})
    assert development.consume_data_asset("numbers")["values"] == {"rows": 2}
    assert [instance.values for instance in development.list_data_asset_instances("numbers")] == [{"rows": 2}]
    assert capsys.readouterr().out == ""


def test_listings_hold_the_assets_of_both_branches(
    development: ProjectAsset, asset: Asset, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("both", "read"):
        asset.register_data_asset(name, kind="table", tags={"on": "read", "common": "yes"})
    for name in ("both", "mine"):
        development.register_data_asset(name, kind="table", tags={"on": "write", "common": "yes"})

    def listed(tags: dict[str, str] | None = None) -> list[tuple[str, str]]:
        items = development.list_data_assets(tags=tags)["items"]
        return [(item["asset"]["id"], item["latest_instance"]["tags"][0]["value"]) for item in items]

    everything = [("both", "read"), ("read", "read"), ("mine", "write")]
    assert listed() == everything
    assert capsys.readouterr().out.splitlines() == [
        "assetsite: 1 of the data assets listed are not on branch 'feature/x', "
        "so they are read from branch 'user.alice'."
    ]
    assert listed({"common": "yes"}) == everything
    # "both" has this tag on the write branch only, where it is hidden by its namesake.
    assert listed({"on": "write"}) == [("mine", "write")]
    assert [item["asset"]["id"] for item in asset.list_data_assets()["items"]] == ["both", "read"]
    assert development.list_model_assets()["items"] == []


def test_an_instance_missing_on_the_read_branch_is_not_taken_from_another(
    development: ProjectAsset, asset: Asset
) -> None:
    asset.register_data_asset("numbers", kind="table")
    development.register_data_asset("numbers", kind="table")
    development.register_data_asset("numbers", kind="table")
    with pytest.raises(errors.InstanceNotFound, match="feature/x"):
        development.peek_data_asset("numbers", "v2")


@pytest.mark.parametrize("reference", ["latest", "latest-1", "v1", 2])
def test_a_bare_definition_on_the_read_branch_hides_no_instance_of_the_write_branch(
    development: ProjectAsset, catalogue: StubCatalogue, reference: Any
) -> None:
    catalogue.properties[*FEATURE, "data", "numbers"] = {"unit": "m"}
    assert development.consume_data_asset("numbers")["ref"] == "definition"
    assert [one.ref for one in development.list_data_asset_instances("numbers")] == ["definition"]
    for _ in range(2):
        development.register_data_asset("numbers", kind="artifact")
    catalogue.consumptions.clear()
    found = development.peek_data_asset("numbers", reference)
    assert (found["url"].split("/")[5], found["number"]) == ("user_alice", 1 if reference in ("latest-1", "v1") else 2)
    assert development.consume_data_asset("numbers", reference)["id"] == found["id"]
    assert [sent["instance"] for sent in catalogue.consumptions] == [found["id"]], "the definition was passed by"
    assert [one.ref for one in development.list_data_asset_instances("numbers")] == ["v2", "v1"]
    [item] = development.list_data_assets()["items"]
    assert item["latest_instance"]["ref"] == "v2"
    assert development.get_properties("numbers") == {"unit": "m"}


def test_a_definition_is_found_where_no_branch_has_an_instance_and_by_its_own_id(
    development: ProjectAsset, catalogue: StubCatalogue
) -> None:
    for branch in (FEATURE, ALICE):
        catalogue.properties[*branch, "models", "llm"] = {"on": branch[2]}
    assert development.consume_model_asset("llm")["values"] == {"on": "feature_x"}
    assert len(development.list_model_assets()["items"]) == 1
    with pytest.raises(errors.InstanceNotFound, match="v9"):
        development.peek_model_asset("llm", "v9")


@pytest.mark.parametrize(
    "call",
    [
        lambda asset: asset.peek_model_asset("numbers"),
        lambda asset: asset.consume_model_asset("numbers", "v1"),
        lambda asset: list(asset.list_model_asset_instances("numbers")),
        lambda asset: asset.set_alias("numbers", "production", kind="model"),
        lambda asset: asset.get_properties("numbers", kind="model"),
    ],
)
def test_an_asset_asked_for_as_the_other_kind_says_what_it_is(
    development: ProjectAsset, call: Callable[[Asset], object], capsys: pytest.CaptureFixture[str]
) -> None:
    development.register_data_asset("numbers", kind="table")
    with pytest.raises(errors.AssetNotFound, match="'numbers' is a data asset: use get_data"):
        call(development)
    assert development.delete_model_asset("numbers") == (False, False)
    assert "nothing was deleted." in capsys.readouterr().out


def test_a_name_in_another_form_of_unicode_is_the_same_asset_and_is_told_once(
    asset: Asset, catalogue: StubCatalogue, capsys: pytest.CaptureFixture[str]
) -> None:
    composed, decomposed = "caf\u00e9", "cafe\u0301"
    asset.register_data_asset(decomposed, kind="table")
    assert asset.peek_data_asset(decomposed)["id"] == asset.peek_data_asset(composed)["id"]
    assert [key[-1] for key in catalogue.assets] == [composed]
    assert capsys.readouterr().out.count("in NFC it is kept") == 1


def _instance(**changes: Any) -> dict[str, Any]:
    return {
        "id": "i1",
        "ref": "v1",
        "state": "ready",
        "asset": {"id": "numbers", "kind": "data"},
        "created_at": "2026-01-23T08:35:51.123456789Z",
        "created_by": {"entity_kind": "task", "entity_id": "SomeFlow/1/start/2"},
        "data_properties": {"data_kind": "artifact", "annotations": {"artifact": "numbers"}, "blobs": None},
        "tags": None,
        **changes,
    }


@pytest.mark.parametrize(
    ("changes", "expected", "said"),
    [
        ({"data_properties": {"data_kind": "table"}}, errors.WrongKind, "consume_data_asset"),
        ({"ref": "definition", "number": None}, errors.WrongKind, "no instance yet"),
        ({"state": "pending"}, errors.InstancePending, "SomeFlow/1/start/2"),
        ({"data_properties": {"data_kind": "artifact"}}, errors.ArtifactUnreachable, "no annotation"),
        ({"created_by": {"entity_kind": "task", "entity_id": "deployer"}}, errors.ArtifactUnreachable, "deployer"),
        (
            {"created_by": {"entity_kind": "user", "entity_id": "a/b/c/d"}},
            errors.ArtifactUnreachable,
            "no Metaflow task",
        ),
    ],
)
def test_what_holds_no_artifact_is_told_before_metaflow_is_asked(
    changes: dict[str, Any], expected: type[errors.AssetError], said: str
) -> None:
    with pytest.raises(expected, match=said) as raised:
        load_artifact(_instance(**changes), "The data asset 'numbers' on branch 'main'")
    assert "'numbers' on branch 'main'" in str(raised.value)
    assert isinstance(raised.value, AttributeError) == (expected is errors.WrongKind)


def test_somebody_elses_local_datastore_is_not_unpickled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    monkeypatch.setattr("obproject.task.artifacts._from_local_datastore", lambda *found: opened.append("directly"))
    monkeypatch.setattr("obproject.task.artifacts._from_client", lambda *found: opened.append("through the client"))
    instance = _instance(datastore={"type": "local", "root": str(tmp_path)}, attempt=0)
    load_artifact(instance, "numbers")
    monkeypatch.setattr(os, "getuid", lambda: tmp_path.stat().st_uid + 1)
    load_artifact(instance, "numbers")
    assert opened == ["directly", "through the client"]


def test_a_task_reads_of_its_own_parameters_what_is_stored_of_them(tmp_path: Path) -> None:
    """As any other task gets it, and not as the flow has parsed it."""
    file = tmp_path / "notes.gz"
    file.write_bytes(gzip.compress(b"few words"))
    stored = IncludedFile({"type": "uploader-v1", "url": f"local://{file}", "is_text": True, "encoding": "utf-8"})

    class Flow(SimpleNamespace):
        notes = property(lambda _: ["few", "words"])

    flow = Flow(_datastore={"notes": stored}, model={"weights": [1]})
    assert own_artifact(flow, "notes") == "few words"
    assert own_artifact(flow, "model") is flow.model


def test_an_instance_of_another_client_is_read(catalogue: StubCatalogue) -> None:
    instance = parse_instance(_instance())
    assert (instance.created_at.year, instance.created_at.microsecond) == (2026, 123456)
    assert (instance.blobs, instance.tags, instance.number, instance.asset) == ([], {}, None, "numbers")


@pytest.mark.parametrize("changes", [{"asset": None}, {"created_at": "yesterday"}, {"created_by": "alice"}])
def test_what_is_no_instance_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(errors.InvalidAssetInstanceError):
        parse_instance(_instance(**changes))


def test_fault_31_the_branch_of_prj_is_the_read_branch_as_the_docs_say(unconfigured: pytest.MonkeyPatch) -> None:
    flow = SimpleNamespace(
        project_config={"project": "registry", "dev-assets": {"branch": "main"}},
        project_spec={"branch_name": "feature/x"},
    )
    prj = ProjectContext(flow)
    assert (prj.branch, prj.read_branch, prj.write_branch) == ("main", "main", "feature_x")
    docs = (CHECKOUT / "docs/flows.md").read_text()
    assert "`prj.branch` is the read branch" in docs
