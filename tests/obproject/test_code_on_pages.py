"""The code that pages show, run as it stands there: in a flow and outside, for each kind of asset."""

from __future__ import annotations

import re
from html import unescape
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest
import requests
from metaflow.datastore import FlowDataStore
from metaflow.plugins.datastores.local_storage import LocalStorage

from obproject import Asset, EvalsLogger
from obproject.prj import ProjectContext
from tests.conftest import Site

TASK = "TrainFlow/1/train/1"
SHOWN = re.compile(
    r'<figure class="code">\s*<figcaption>[^<]*flow[^<]*</figcaption><pre[^>]*><code>(.*?)</code>', re.DOTALL
)


@pytest.fixture(scope="module")
def project(served: Site, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A project with an asset of each kind on the branch feature/x; the artifact is that of a task of Metaflow."""
    name, root = f"pages_{uuid4().hex}", tmp_path_factory.mktemp("datastore")
    kept = FlowDataStore("TrainFlow", storage_impl=LocalStorage, ds_root=str(root))
    kept = kept.get_task_datastore("1", "train", "1", attempt=0, mode="w")
    kept.init_task()
    kept.save_artifacts([("weights", {"slope": 0.4})])
    kept.done()
    asset = Asset(name, "feature/x", {"entity_kind": "task", "entity_id": TASK}, url=served.url)
    body = {
        "entity_ref": asset.entity_ref,
        "branch_name": "feature/x",
        "model_asset_kind": "artifact",
        "annotations": {"artifact": "weights"},
        "datastore": {"type": "local", "root": str(root)},
        "attempt": 0,
    }
    for _ in range(2):
        asset.catalogue.asset_request("PATCH", "feature/x", "model", "clf", body=body)
    asset.register_data_asset("rows", kind="s3_object", blobs=["s3://bucket/rows"])
    EvalsLogger(asset=asset).log({"accuracy": 0.91})
    definition = {"kind": "models", "id": "llm", "name": "LLM", "properties": {"size": "8B"}}
    deploy = {"branch_name": "feature/x", "version_id": "1", "entity_ref": {"entity_kind": "ci", "entity_id": "ci"}}
    hosted = {"kind": "models", "id": "vlm", "name": "VLM", "properties": {"size": "2B"}, "blobs": ["org/vlm"]}
    deploy |= {"spec": {}, "definitions": [definition, hosted]}
    asset.catalogue.request("POST", "feature/x", "deploys", body=deploy, about="deploy")
    return name


@pytest.fixture
def step(project: str, unconfigured: pytest.MonkeyPatch) -> SimpleNamespace:
    """What stands for a flow of the project in a step, deployed from feature/x."""
    return SimpleNamespace(project_config={"project": project}, project_spec={"branch_name": "feature/x"})


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("models/clf", {"model": {"slope": 0.4}}),
        ("models/clf/v1", {"model": {"slope": 0.4}}),
        ("data/rows", {"blobs": ["s3://bucket/rows"]}),
        ("data/rows/v1", {"blobs": ["s3://bucket/rows"]}),
        ("models/llm", {"properties": {"size": "8B"}}),
        ("models/vlm", {"blobs": ["org/vlm"]}),
        ("data/evaluation_log", {}),
    ],
)
def test_code_runs_as_it_is_copied(
    served: Site,
    step: SimpleNamespace,
    project: str,
    path: str,
    expected: dict[str, Any],
    unconfigured: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    address = f"{served.url}/default/{project}/feature_x/{path}"
    page = requests.get(address, timeout=10).text.replace("<wbr>", "")
    in_flow, outside = map(unescape, SHOWN.findall(page))
    twin = requests.get(f"{address}.json", timeout=10).json()
    assert (twin["code"], twin["code_outside_flows"]) == (in_flow, outside)
    found: dict[str, Any] = {}
    exec(outside, found)  # no setting says where the server is
    assert found.items() >= expected.items()
    unconfigured.setenv("ASSETSITE_URL", served.url)
    step.prj = ProjectContext(step)
    found = {"self": step}
    exec(in_flow, found)
    assert (vars(step) | found).items() >= expected.items()
    assert capsys.readouterr().out.count("'accuracy': 0.91") == (2 if "evaluation" in path else 0)
