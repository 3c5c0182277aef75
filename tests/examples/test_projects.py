"""The example projects: what they declare is valid, and their flows are sound."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from obproject.project.definitions import read_project
from obproject.project.workflows import read_workflows
from tests.examples.folders import FLOWS
from tests.places import CHECKOUT, EXAMPLES

pytestmark = pytest.mark.slow

DECLARED = {
    "churn": {
        "data/customers",
        "data/churn_features",
        "data/evaluation",
        "data/holdout",
        "data/payments",
        "models/churn_model",
    },
    "comics": {"data/comic", "data/explanations", "models/small_llama"},
}
FLOW_NAMES = {
    "churn": {"DatasetFlow", "FeatureFlow", "TrainFlow", "GateFlow", "EvaluateFlow"},
    "comics": {"ComicData", "ComicExplainer"},
}


@pytest.mark.parametrize("name", DECLARED)
def test_a_project_declares_its_assets_with_all_that_a_newcomer_wants_to_know(name: str) -> None:
    project = read_project(EXAMPLES / name)
    assert project.config.project == name
    assert project.config.title
    assert project.config.dev_assets_branch == "main"
    assert {f"{asset.folder}/{asset.id}" for asset in project.assets} == DECLARED[name]
    for asset in project.assets:
        assert asset.readme, asset.source
        assert asset.icon, asset.source
        assert asset.properties, asset.source


@pytest.mark.parametrize("name", FLOW_NAMES)
def test_every_flow_is_found_and_has_a_readme(name: str) -> None:
    workflows = read_workflows(EXAMPLES / name)
    assert {workflow.flow_name for workflow in workflows} == FLOW_NAMES[name]
    assert all(workflow.readme for workflow in workflows)


@pytest.mark.parametrize("name", DECLARED)
def test_the_readme_names_every_flow_and_asset(name: str) -> None:
    readme = (EXAMPLES / name / "README.md").read_text()
    for word in (*FLOW_NAMES[name], *(asset.partition("/")[2] for asset in DECLARED[name])):
        assert f"`{word}`" in readme


@pytest.mark.parametrize("flow", FLOWS, ids=str)
def test_metaflow_finds_nothing_wrong_with_the_graph_of_a_flow(flow: Path, tmp_path: Path) -> None:
    project = shutil.copytree(EXAMPLES / flow.parts[0], tmp_path / flow.parts[0])
    done = subprocess.run(
        [sys.executable, str(flow.relative_to(flow.parts[0])), "--no-pylint", "check"],
        cwd=project,
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": os.pathsep.join([str(project / "src"), str(CHECKOUT)]),
            "METAFLOW_USER": "alice",
            "METAFLOW_HOME": str(tmp_path / "no-configuration"),
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert "The graph looks good" in done.stdout
