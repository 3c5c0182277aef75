"""Flows that a version before 0.6 deployed, whose key of the branch had lost letters: the next deploy replaces them."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from obproject.deploy.airflow import Airflow
from obproject.deploy.choice import delete_live, former_branch
from obproject.deploy.deployment import deploy
from obproject.deploy.options import Options
from obproject.project.record import build_record, metaflow_branch
from obproject.settings import Settings

NAME = "été/x"
FORMER = {"flow_name": "TrainFlow", "deployer": "airflow", "flow_template_id": "…", "metaflow_branch": "test.t_x"}


class Kept:
    """A catalogue that has the spec of an older deploy."""

    def __init__(self, *_: object) -> None:
        self.posted: list[Any] = []

    def spec(self) -> Any:
        return {"project_branch": "t_x", "workflows": [FORMER]}

    def deploy(self, body: Any) -> Any:
        return {}

    def post(self, record: Any) -> None:
        self.posted.append(record)


class Writes(Airflow):
    """Airflow without Metaflow's compiler."""

    def deploy(self, flow: Any, spec_file: Path) -> str:
        self._file_of("churn", NAME, flow.name).write_text("new")
        return ""


@pytest.mark.parametrize(
    ("said", "branch", "former"),
    [
        ("test.t_x", NAME, "t_x"),
        (metaflow_branch(NAME), NAME, ""),
        ("test.t_x", "t/x", ""),
        ("prod", "main", ""),
        (None, NAME, ""),
    ],
)
def test_an_entry_says_whether_an_older_version_made_it(said: str | None, branch: str, former: str) -> None:
    assert former_branch({"metaflow_branch": said}, branch) == former


def test_what_an_older_version_deployed_is_deleted_where_it_is(tmp_path: Path) -> None:
    live = tmp_path / "churn-test-t_x-TrainFlow.py"
    live.touch()
    delete_live(FORMER, "churn", NAME, None, tmp_path)
    assert not live.exists()


def test_the_next_deploy_leaves_no_second_copy_of_a_flow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("obproject.deploy.deployment.BranchCatalogue", Kept)
    former, other = tmp_path / "churn-test-t_x-TrainFlow.py", tmp_path / "churn-test-t_x-OtherFlow.py"
    for file in (former, other):
        file.touch()
    names = {"metaflow_branch": metaflow_branch(NAME), "project_name": "churn", "perimeter": "default"}
    spec = {**names, "project_branch": "t", "branch_name": NAME, "workflows": [{"flow_name": "TrainFlow", **names}]}
    plan: Any = SimpleNamespace(
        name="churn", branch=NAME, settings=Settings(None), spec_file=tmp_path / "project_spec.json", apps=(),
        record=build_record(spec=spec, version_id="v"), deployer=Writes(None, tmp_path),
        flows=[SimpleNamespace(name="TrainFlow")], workflows=[SimpleNamespace(flow_name="TrainFlow")],
    )  # fmt: skip
    said: list[str] = []
    result = deploy(plan, {"TrainFlow": "new"}, Options(skip_assets=True), said.append)
    assert result.failures == []
    assert sorted(file.name for file in tmp_path.glob("*.py")) == sorted(
        [other.name, f"churn-test-{metaflow_branch(NAME).removeprefix('test.')}-TrainFlow.py"]
    )
    assert "Deleting TrainFlow from airflow, where it is deployed to 't_x' ..." in said
