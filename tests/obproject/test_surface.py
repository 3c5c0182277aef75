"""The names, parameters and results that code written for the public client of the protocol counts on."""

from __future__ import annotations

import importlib
import inspect
from types import SimpleNamespace
from typing import Any

import pytest
from metaflow import Config, FlowMutator, FlowSpec, StepMutator

import obproject
from obproject import assets
from obproject.evals import EvalsLogger
from obproject.events import ProjectEvent
from obproject.flow import ProjectFlow
from obproject.highlights import Highlight
from obproject.prj import ProjectContext

IMPORTS = {
    "obproject": (
        "AssetInstance EntityRef ProjectEvent ProjectFlow highlight project_schedule project_trigger promote_assets "
        "METAFLOW_PACKAGE_POLICY"
    ),
    "obproject.assets": (
        "Asset AssetInstance DeleteResult EntityRef InvalidAssetInstanceError promote_assets entity_ref task_ref "
        "user_ref register_asset get_data_asset get_model_asset consume_data_asset consume_model_asset "
        "delete_data_asset delete_model_asset list_data_assets list_model_assets get_data_asset_summary "
        "get_model_asset_summary"
    ),
    "obproject.project_events": "ProjectEvent project_trigger",
    "obproject.projectbase": "ProjectFlow resolve_scope",
}

REGISTER_ARTIFACT = "name, artifact, annotations=None, tags=None, description=None"
REGISTER_EXTERNAL = "name, blobs, kind, annotations=None, tags=None, description=None"
REGISTER_ASSET = "name, description=None, kind=None, blobs=None, annotations=None, tags=None"
READ = "name, instance='latest'"
EVENT = "name, payload=None"

SIGNATURES: dict[Any, dict[str, str]] = {
    ProjectContext: {
        "register_data": REGISTER_ARTIFACT,
        "register_model": REGISTER_ARTIFACT,
        "register_external_data": REGISTER_EXTERNAL,
        "register_external_model": REGISTER_EXTERNAL,
        "get_data": READ,
        "get_model": READ,
        "list_data_instances": "name",
        "list_model_instances": "name",
        "publish_event": EVENT,
        "safe_publish_event": EVENT,
    },
    assets.Asset: {
        "__init__": "project=None, branch=None, entity_ref=None, read_only=False",
        "register_data_asset": REGISTER_ASSET,
        "register_model_asset": REGISTER_ASSET,
        "peek_data_asset": READ,
        "peek_model_asset": READ,
        "consume_data_asset": READ,
        "consume_model_asset": READ,
        "list_data_assets": "tags=None",
        "list_model_assets": "tags=None",
        "list_data_asset_instances": "name",
        "list_model_asset_instances": "name",
        "delete_data_asset": "name",
        "delete_model_asset": "name",
        "get_flowproject_spec": "",
        "_set_alias": "branch, name, kind, instance_id, alias",
        "_asset_exists": "kind, name, branch=None",
    },
    ProjectEvent: {
        "__init__": "name, project=None, branch=None",
        "publish": "payload=None, ignore_errors=False",
        "safe_publish": "payload=None, ignore_errors=True",
    },
    EvalsLogger: {"__init__": "project=None, branch=None", "log": "message"},
    Highlight: {
        "set_title": "title",
        "add_label": "label",
        "add_line": "line, caption=''",
        "add_column": "big='', small=''",
        "set_image": "image",
    },
    obproject: {
        "promote_assets": (
            "project, source, target, kinds=None, asset=None, instance='latest', with_aliases=None, alias='candidate'"
        )
    },
    assets: {
        "entity_ref": "kind, entity_id",
        "task_ref": "flow, run, step, task",
        "user_ref": "user",
    },
}
"""Parameters in their order, with defaults; more may follow, and must then have defaults."""

PLACE = {"perimeter", "project", "branch"}
FUNCTIONS = {
    "register_asset": {"name", "kind", "entity_ref", "description", "data_asset_kind", "model_asset_kind", "blobs"}
    | {"annotations", "tags"},
    "get_data_asset": {"asset", "instance"},
    "get_model_asset": {"asset", "instance"},
    "consume_data_asset": {"asset", "entity_ref", "instance"},
    "consume_model_asset": {"asset", "entity_ref", "instance"},
    "delete_data_asset": {"asset"},
    "delete_model_asset": {"asset"},
    "list_data_assets": {"continuation"},
    "list_model_assets": {"continuation"},
    "get_data_asset_summary": {"asset"},
    "get_model_asset_summary": {"asset"},
}


@pytest.mark.parametrize(
    ("module", "name"), [(module, name) for module, names in IMPORTS.items() for name in names.split()]
)
def test_a_public_name_can_be_imported(module: str, name: str) -> None:
    exec(f"from {module} import {name}")


def test_the_same_name_is_the_same_thing_wherever_it_is_imported_from() -> None:
    for module, names in IMPORTS.items():
        for name in set(names.split()) & set(obproject.__all__):
            assert getattr(importlib.import_module(module), name) is getattr(obproject, name)


@pytest.mark.parametrize(
    ("owner", "name", "expected"),
    [
        pytest.param(owner, name, expected, id=f"{owner.__name__}.{name}")
        for owner, calls in SIGNATURES.items()
        for name, expected in calls.items()
    ],
)
def test_a_call_takes_the_public_parameters_in_their_order(owner: Any, name: str, expected: str) -> None:
    parameters = [one for one in inspect.signature(getattr(owner, name)).parameters.values() if one.name != "self"]
    wanted = [one for one in expected.split(", ") if one]
    found = [one.name if one.default is one.empty else f"{one.name}={one.default!r}" for one in parameters]
    assert found[: len(wanted)] == wanted
    assert all(one.default is not one.empty for one in parameters[len(wanted) :])


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_of_the_protocol_takes_address_headers_and_keywords(name: str) -> None:
    parameters = inspect.signature(getattr(assets, name)).parameters
    assert list(parameters)[:2] == ["base_url", "service_headers"]
    assert set(list(parameters)[2:]) == PLACE | FUNCTIONS[name]


@pytest.fixture
def prj(unconfigured: pytest.MonkeyPatch) -> ProjectContext:
    flow = SimpleNamespace(
        project_config={"project": "registry", "dev-assets": {"branch": "main"}},
        project_spec={"branch_name": "feature/x"},
    )
    return ProjectContext(flow)


def test_prj_has_its_public_attributes(prj: ProjectContext) -> None:
    assert (prj.project, prj.branch, prj.read_branch, prj.write_branch) == ("registry", "main", "main", "feature_x")
    assert (prj.flow.project_config, prj.flow.project_spec) == (prj.project_config, prj.project_spec)
    assert isinstance(prj.evals, EvalsLogger)
    assert prj.asset is prj._read_asset
    assert (prj._read_asset.branch, prj._write_asset.branch) == ("main", "feature_x")


def test_an_asset_has_its_public_attributes(unconfigured: pytest.MonkeyPatch) -> None:
    asset = assets.Asset("registry", "feature/x", {"entity_kind": "task", "entity_id": "app"}, True)
    assert (asset.project, asset.branch, asset.read_only) == ("registry", "feature_x", True)
    assert asset.entity_ref == assets.entity_ref("task", "app")
    assert asset.meta == {"project": "registry", "branch": "feature_x", "entity_reg": asset.entity_ref}
    assert (asset.perimeter, asset.base_url, asset.service_headers) == ("default", None, {})
    assert asset.register_data_asset("anything", kind="table") is None


def test_the_named_tuples_begin_with_the_public_fields() -> None:
    public = ("id", "created_at", "created_by", "annotations", "tags", "blobs", "kind", "asset_kind")
    assert assets.AssetInstance._fields[: len(public)] == public
    assert assets.EntityRef._fields == ("entity_kind", "entity_id")
    assert assets.DeleteResult._fields == ("catalog_deleted", "metadata_updated")
    assert issubclass(assets.InvalidAssetInstanceError, Exception)


def test_refs_are_what_goes_over_the_wire() -> None:
    assert assets.task_ref("F", "1", "start", "2") == {"entity_kind": "task", "entity_id": "F/1/start/2"}
    assert assets.user_ref("ada") == {"entity_kind": "user", "entity_id": "ada"}


def test_a_project_event_has_its_public_attributes(unconfigured: pytest.MonkeyPatch) -> None:
    event = ProjectEvent("ready", "registry", "feature/x")
    assert (event.project, event.branch, event.event) == ("registry", "feature_x", "prj.registry.feature_x.ready")


def test_a_project_flow_is_a_flow_with_the_public_configs() -> None:
    assert issubclass(ProjectFlow, FlowSpec)
    assert isinstance(ProjectFlow.prj, property)
    for name in ("project_config", "project_deps", "project_spec"):
        config = vars(ProjectFlow)[name]
        assert isinstance(config, Config)
        assert config.name == name


def test_the_decorators_are_those_of_metaflow() -> None:
    assert issubclass(obproject.project_trigger, FlowMutator)
    assert issubclass(obproject.project_schedule, FlowMutator)
    assert issubclass(obproject.highlight, StepMutator)


def test_highlight_data_has_the_public_shape() -> None:
    shown = Highlight()
    shown.title = "Zoo"
    shown.add_line("roar", caption="Lion")
    shown.add_column(big="1", small="lion")
    data = shown.as_data()
    assert data is not None
    assert data["id"].startswith("highlight-")
    assert data == {
        "type": "highlight",
        "id": data["id"],
        "title": "Zoo",
        "labels": [],
        "synopsis": ["**Lion** roar"],
        "highlight_type": "columns",
        "highlight_body": [{"big": "1", "small": "lion"}],
    }
