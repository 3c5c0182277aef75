"""A step that is only tried out by Metaflow's spin: it reads the catalogue, and writes nothing to it."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from metaflow import current, metaflow_config

from obproject import Asset, ProjectEvent, assets, notices
from obproject.catalogue.client import CatalogueClient
from obproject.errors import AssetError
from obproject.highlights import Highlight, HighlightOfSpin
from obproject.prj import ProjectContext
from obproject.promotion import promote_assets
from obproject.task import running, spinning
from obproject.task.defaults import place_of
from tests.obproject.stub_server import StubCatalogue

LINE = "assetsite: this step is only tried out (spin): the catalogue is read, and nothing is written to it."
PLACE = {"perimeter": "default", "project": "churn", "branch": "feature/x"}
TASK = {"entity_kind": "task", "entity_id": "TrainFlow/1/start/0"}


@pytest.fixture
def prj(unconfigured: pytest.MonkeyPatch, catalogue: StubCatalogue, capsys: Any) -> ProjectContext:
    """The project of a flow that is spun, with one asset of its own, `rows` v1 with the alias `best`."""
    unconfigured.setenv("ASSETSITE_URL", catalogue.url)
    there = Asset("churn", "feature/x", deployment="app")
    made = there.register_data_asset("rows", kind="table", annotations={"count": 3})
    best = {"name": "best", "instance_id": made["id"] if made else ""}
    unconfigured.setattr(CatalogueClient, "aliases", lambda *_asked: {"aliases": [best]})
    catalogue.requests.clear()
    capsys.readouterr()
    unconfigured.setattr(current, "_metadata_str", "spin@/here")
    unconfigured.setattr(notices, "_told", set())
    unconfigured.setattr(running, "_tried", [])
    flow = SimpleNamespace(
        name="TrainFlow",
        project_config={"project": "churn", "perimeter": "default"},
        project_spec={"branch_name": "feature/x"},
        _datastore=None,
        model={"weights": [1]},
    )
    flow.prj = ProjectContext(flow)
    unconfigured.setattr(spinning, "flow_tried_out", lambda: flow)
    return flow.prj


def registered_together(prj: ProjectContext) -> list[Any]:
    with prj.register_together() as made:
        prj.register_data("made", "model")
    return made


def written(prj: ProjectContext) -> dict[str, Callable[[], Any]]:
    """Every way to write, by its name."""
    asset = Asset("churn", "feature/x")
    given = (asset.base_url, asset.service_headers)
    highlight = Highlight()
    highlight.set_title("Better")
    return {
        "register_data": lambda: prj.register_data("made", "model"),
        "register_model": lambda: prj.register_model("made", "model", annotations={"auc": 0.9}),
        "register_external_data": lambda: prj.register_external_data("table", ["s3://a"], "s3"),
        "register_external_model": lambda: prj.register_external_model("llm", ["s3://b"], "s3"),
        "register_together": lambda: registered_together(prj),
        "register_data_asset": lambda: asset.register_data_asset("made", kind="table"),
        "register_model_asset": lambda: asset.register_model_asset("made", kind="table"),
        "consume_data_asset": lambda: prj.asset.consume_data_asset("rows", role="baseline"),
        "delete_data_asset": lambda: asset.delete_data_asset("rows"),
        "delete_model_asset": lambda: asset.delete_model_asset("rows"),
        "set_alias": lambda: asset.set_alias("rows", "@good", "v1", "data"),
        "delete_alias": lambda: asset.delete_alias("rows", "best", "data"),
        "deprecate": lambda: asset.deprecate("rows", "v1", "Never.", "data").get("deprecated"),
        "undo_deprecation": lambda: asset.undo_deprecation("rows", "v1", "data"),
        "show_highlight": lambda: asset.show_highlight(highlight),
        "log": lambda: prj.evals.log({"auc": 0.9}),
        "publish_event": lambda: prj.publish_event("done"),
        "safe_publish_event": lambda: prj.safe_publish_event("done"),
        "publish": lambda: ProjectEvent("done").publish(),
        "promote_assets": lambda: promote_assets("churn", "feature/x", "main"),
        "register_asset": lambda: assets.register_asset(
            *given, **PLACE, name="made", kind="data", entity_ref=TASK, data_asset_kind="table"
        ),
        "consume": lambda: assets.consume_data_asset(*given, **PLACE, asset="rows", entity_ref=TASK, instance="v1"),
        "delete": lambda: assets.delete_data_asset(*given, **PLACE, asset="rows"),
    }


def test_nothing_is_written_and_one_line_says_so(
    prj: ProjectContext, catalogue: StubCatalogue, unconfigured: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    unconfigured.setattr(metaflow_config, "ARGO_EVENTS_WEBHOOK_URL", catalogue.url)
    unconfigured.setenv("ARGO_WORKFLOW_TEMPLATE", "here")
    did = {name: write() for name, write in written(prj).items()}
    assert {request.method for request in catalogue.requests} == {"GET"}
    assert {request.path.split("/")[1] for request in catalogue.requests} == {"v1"}
    out = capsys.readouterr().out.splitlines()
    assert out == ["assetsite: project 'churn', branch 'feature/x'.", LINE]
    assert (did.pop("consume_data_asset")["values"], did.pop("consume")["ref"]) == ({"count": 3}, "v1")
    move = did.pop("set_alias")
    assert (move.alias, move.instance_id, move.previous_instance_id) == ("good", catalogue_id(catalogue), None)
    assert did.pop("register_together") == []
    assert did.pop("promote_assets") == {"promoted": [], "errors": []}
    assert set(map(str, did.values())) <= {
        "None", "False", "{}", "DeleteResult(catalog_deleted=False, metadata_updated=False)",
    }  # fmt: skip


def catalogue_id(catalogue: StubCatalogue) -> str:
    [instances] = catalogue.assets.values()
    return str(instances[0]["id"])


def test_every_method_that_writes_is_tried(prj: ProjectContext) -> None:
    """So that no new one is forgotten: what does not read is in the list."""
    reading = ("get_", "peek_", "list_", "alias_history", "on_write_branch")
    tried = {*written(prj), "consume_model_asset"}
    for kind in (ProjectContext, type(prj.asset)):
        named = [name for name, _ in inspect.getmembers(kind, inspect.isfunction) if not name.startswith("_")]
        assert {name for name in named if not name.startswith(reading)} <= tried


def test_what_the_step_would_have_registered_is_read_from_the_flow(prj: ProjectContext) -> None:
    prj.register_model("made", "model")
    assert prj.get_model("made") is prj.flow.model


def test_a_move_says_where_the_alias_was(prj: ProjectContext, catalogue: StubCatalogue) -> None:
    assert prj.asset.set_alias("rows", "best", "v1").previous_instance_id == catalogue_id(catalogue)


def test_mistakes_are_errors_as_in_a_run(prj: ProjectContext) -> None:
    for wrong in (
        lambda: prj.register_data("rows", "misspelt"),
        lambda: prj.register_external_data("a/b", [], "s3"),
        lambda: prj.asset.consume_data_asset("rows", role="As Baseline"),
        lambda: prj.asset.consume_data_asset("nowhere"),
        lambda: promote_assets("churn", "feature/x", "main", alias="wrong"),
    ):
        with pytest.raises(AssetError):
            wrong()


def test_project_and_branch_are_those_of_the_flow(prj: ProjectContext) -> None:
    prj.flow.project_config["perimeter"] = "research"
    place = place_of("churn")
    assert (place.write, place.perimeter) == ("feature/x", "research")


def test_self_highlight_is_there_and_keeps_nothing(prj: ProjectContext) -> None:
    decorator = HighlightOfSpin()
    decorator.pre_step("start", prj.flow)
    prj.flow.highlight.set_title("Better")
    wrong = RuntimeError("as it was")
    assert decorator.post_step("start", prj.flow, wrong) is wrong
    assert not hasattr(prj.flow, "highlight")


def test_in_a_run_the_highlight_is_left_to_its_decorator() -> None:
    flow = SimpleNamespace()
    HighlightOfSpin().pre_step("start", flow)
    assert vars(flow) == {}


def test_a_step_that_is_called_by_hand_registers_no_artifact(
    prj: ProjectContext, catalogue: StubCatalogue, unconfigured: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Outside Metaflow, as in a test of the step, no task keeps what it would refer to."""
    unconfigured.setattr(current, "_metadata_str", None)
    assert prj.register_model("made", "model") is None
    assert catalogue.requests == []
    assert "'model' is not registered as model asset 'made': no Metaflow task runs here" in capsys.readouterr().out
