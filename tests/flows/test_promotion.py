"""A flow that trains, passes its own quality gate and promotes what it made, against a really served site."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from obproject import Asset
from obproject.task.artifacts import load_artifact
from tests.conftest import Site
from tests.obproject.flows import run_flow, write_flow

pytestmark = pytest.mark.flows

GATE = """
    from metaflow import step
    from obproject import ProjectFlow, promote_assets

    class GateFlow(ProjectFlow):
        @step
        def start(self):
            self.model = {"weights": [1, 2, 3]}
            self.prj.register_model("clf", "model", annotations={"accuracy": 0.93})
            self.prj.evals.log({"model": "clf", "accuracy": 0.93})
            self.next(self.gate)

        @step
        def gate(self):
            assert self.prj.get_model("clf", "latest") == {"weights": [1, 2, 3]}
            self.prj.asset.set_alias("clf", "champion")
            self.entries = [entry.values for entry in self.prj.evals.entries()]
            self.answer = promote_assets(self.prj.project, self.prj.branches.write, "main", asset="clf", alias="gold")
            self.copy = self.prj._write_asset.peek_model_asset("clf", "@champion")["id"]
            self.next(self.end)

        @step
        def end(self):
            print("ANSWER", __import__("json").dumps([self.answer, self.entries, self.copy]))

    if __name__ == "__main__":
        GateFlow()
"""


def test_a_flow_promotes_what_passed_its_gate(served: Site, tmp_path: Path) -> None:
    write_flow(tmp_path, GATE, 'project = "gated"\n[promotion]\naliases = ["gold"]\n')
    run = run_flow(tmp_path, served.url)
    assert run.ok, run.output
    [said] = [line.split("ANSWER ", 1)[1] for line in run.output.splitlines() if "ANSWER " in line]
    answer, entries, source_id = json.loads(said)
    assert answer == {"promoted": [{"kind": "models", "name": "clf", "alias": "gold"}], "errors": []}
    assert entries == [{"model": "clf", "accuracy": 0.93}]
    assert "usm0jrb3 gated user_alice evals " in run.output

    main = Asset("gated", "main", deployment="dashboard", url=served.url)
    copy = main.consume_model_asset("clf", "@gold")
    assert copy["values"]["promoted_from_instance"] == source_id
    assert copy["values"]["promoted_by"] == f"GateFlow/{run.run_id}/gate/2"
    # the producer is still the task that trained, so its artifact is found
    assert copy["created_by"]["entity_id"] == f"GateFlow/{run.run_id}/start/1"
    assert load_artifact(copy, "the copy") == {"weights": [1, 2, 3]}
    assert {alias.name: alias.updated_by.entity_id for alias in main.list_aliases("clf")} == {
        "gold": f"GateFlow/{run.run_id}/gate/2",
        "champion": f"GateFlow/{run.run_id}/gate/2",
    }
