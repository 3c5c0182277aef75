"""Flows really run by Metaflow against a really served site: what they do is what the catalogue says."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests

from tests.conftest import Site
from tests.obproject.deploying import write
from tests.obproject.flows import FlowRun, run_flow, write_flow
from tests.places import CHECKOUT

pytestmark = pytest.mark.flows

PRODUCER = """
    from metaflow import Parameter, card, current, retry, step
    from metaflow.cards import Markdown
    from obproject import ProjectFlow

    class ProducerFlow(ProjectFlow):
        how = Parameter("how", default="well")

        @card(type="blank")
        @step
        def start(self):
            self.rows = [1, 2, 3]
            current.card.append(Markdown("# Three rows"))
            made = self.prj.register_data("rows", "rows", annotations={"count": 3, "share": 0.5}, tags={"env": "test"})
            assert made["state"] == "pending"
            self.parts = list(range(4))
            if self.how == "badly":
                raise RuntimeError("after registering")
            self.next(self.work, foreach="parts")

        @retry(times=1, minutes_between_retries=0)
        @step
        def work(self):
            self.part = self.input
            self.prj.register_model("part", "part", annotations={"index": self.input})
            if self.input == 2 and current.retry_count == 0:
                raise RuntimeError("the first attempt fails")
            self.next(self.join)

        @step
        def join(self, inputs):
            self.next(self.end)

        @step
        def end(self):
            pass

    if __name__ == "__main__":
        ProducerFlow()
"""

BOTH = """
    from metaflow import step
    from obproject import ProjectFlow

    class BothFlow(ProjectFlow):
        @step
        def start(self):
            self.rows = [1]
            self.prj.register_data("rows", "rows")
            self.next(self.end)

        @step
        def end(self):
            self.found = self.prj.get_data("rows")

    if __name__ == "__main__":
        BothFlow()
"""


@dataclass
class Project:
    """A folder with a flow, and what the catalogue says of its project."""

    folder: Path
    site: Site
    name: str

    def write(self, source: str, *, dev_assets: str = "") -> None:
        self.folder.mkdir(exist_ok=True)
        reads = f'[dev-assets]\nbranch = "{dev_assets}"\n' if dev_assets else ""
        write_flow(self.folder, source, f'project = "{self.name}"\n{reads}')

    def run(self, *options: str, after: tuple[str, ...] = (), command: str = "run") -> FlowRun:
        """Options before the command, and after it."""
        return run_flow(self.folder, self.site.url, *options, after=after, command=command)

    def write_whole(self, source: str, *, dev_assets: str = "") -> None:
        """Write the flow where a project has its flows."""
        self.write(source, dev_assets=dev_assets)
        (self.folder / "flows/both").mkdir(parents=True)
        (self.folder / "flow.py").rename(self.folder / "flows/both/flow.py")

    def run_below(self) -> FlowRun:
        """Run the flow in its own folder, below that of the project."""
        return run_flow(self.folder / "flows/both", self.site.url)

    def deploy_and_run(self, branch: str) -> FlowRun:
        """Deploy, and run the flow by the very command that was printed, with a module of ``src``."""
        write(self.folder, {"src/team.py": "ROWS = [1]\n"})
        flow = self.folder / "flows/both/flow.py"
        flow.write_text("from team import ROWS\n" + flow.read_text().replace("= [1]", "= ROWS"))
        env = self.site.env | {"ASSETSITE_URL": self.site.url, "PYTHONPATH": str(CHECKOUT), "METAFLOW_USER": "alice"}
        env |= {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
        deploy = [sys.executable, "-m", "obproject.deploy", "--branch", branch, "--root", str(self.folder)]
        told = subprocess.run(deploy, env=env, check=True, stdout=subprocess.PIPE, text=True).stdout
        (command,) = [line for line in told.splitlines() if line.endswith(" run")]
        done = subprocess.run(
            ["sh", "-c", command], cwd="/", env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        return FlowRun(done.returncode == 0, done.stdout, self.folder)

    def get(self, path: str, branch: str = "user_alice") -> dict:
        url = f"{self.site.url}/v1/perimeters/default/projects/{self.name}/branches/{branch}/{path}"
        answer = requests.get(url, timeout=10)
        return answer.json() if answer.ok else {"recent_instances": [], "recently_consumed_by": []}

    def arrows(self, branch: str) -> set[tuple[str, str, str]]:
        """The lineage of a branch, each node as "name on branch"."""
        answer = self.get("lineage", branch)
        assert answer["complete"]
        names = {node["id"]: f"{node['name']} on {node['branch'] or '?'}" for node in answer["nodes"]}
        return {(names[link["source"]], link["relation"], names[link["target"]]) for link in answer["links"]}


@pytest.fixture
def project(served: Site, tmp_path: Path, request: pytest.FixtureRequest) -> Project:
    return Project(tmp_path, served, request.node.name.replace("[", "_").rstrip("]").replace("-", "_")[:60])


def states(summary: dict) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for instance in summary["recent_instances"]:
        found.setdefault(instance["created_by"]["entity_id"].rpartition("/")[2], []).append(instance["state"])
    return found


def test_what_a_run_registers_is_ready_when_its_tasks_are_done(project):
    project.write(PRODUCER)
    run = project.run()
    assert run.ok, run.output
    rows = project.get("data/rows/instances/latest")
    assert rows["ref"] == "v1"
    assert rows["state"] == "ready"
    assert rows["created_by"]["entity_id"] == f"ProducerFlow/{run.run_id}/start/1"
    assert rows["data_properties"]["annotations"] | {"count": 3, "share": 0.5} == rows["data_properties"]["annotations"]
    assert rows["datastore"] == {"type": "local", "root": str(project.folder / ".metaflow")}
    # four tasks registered at once, one of them twice: its first attempt is failed, and no number is missing
    parts = project.get("models/part?state=any")["recent_instances"]
    assert sorted(part["number"] for part in parts) == [1, 2, 3, 4, 5]
    assert sorted(part["state"] for part in parts) == ["failed", *["ready"] * 4]
    (failed,) = [part for part in parts if part["state"] == "failed"]
    assert failed["attempt"] == 0
    assert failed["model_properties"]["annotations"]["index"] == 2


def test_what_a_failed_task_registered_is_never_the_latest(project):
    project.write(PRODUCER)
    project.folder.joinpath("flow.py").write_text(
        project.folder.joinpath("flow.py").read_text().replace('default="well"', 'default="badly"')
    )
    assert not project.run().ok
    assert project.get("data/rows?state=any")["recent_instances"][0]["state"] == "failed"
    assert project.get("data/rows")["recent_instances"] == []


CONTEXTS = {
    # deployed from, [dev-assets] branch: write branch, read branch
    "deployed from main": ("main", "", "main", "main"),
    "deployed from a feature branch with dev-assets": ("feature/x", "main", "feature_x", "main"),
    "local": ("", "", "user_alice", "user_alice"),
    "deployed from main with dev-assets": ("main", "main", "main", "main"),
    "deployed from a feature branch": ("feature/x", "", "feature_x", "feature_x"),
    "local with dev-assets": ("", "main", "user_alice", "main"),
}


@pytest.mark.sample(1)
@pytest.mark.parametrize("context", CONTEXTS)
def test_each_context_writes_and_reads_its_branches(served, tmp_path, context):
    deployed_from, dev_assets, write, read = CONTEXTS[context]
    name = context.replace(" ", "_").replace("-", "_")
    if read != write:  # somebody else's folder, deployed from main
        seed = Project(tmp_path / "main", served, name)
        seed.write_whole(BOTH)
        assert seed.deploy_and_run("main").ok
    project = Project(tmp_path / "my project", served, name)
    project.write_whole(BOTH, dev_assets=dev_assets)
    run = project.deploy_and_run(deployed_from) if deployed_from else project.run_below()
    assert run.ok, run.output

    mine = f"BothFlow/{run.run_id}"
    producers = [one["created_by"]["entity_id"] for one in project.get("data/rows", write)["recent_instances"]]
    assert producers[0].startswith(mine)
    assert len(producers) == 1
    consumer = project.get("data/rows", read)["recently_consumed_by"][0]
    assert consumer["entity_ref"]["entity_id"].startswith(mine)
    assert consumer["branch"] == write
    made = (f"BothFlow on {write}", "produces", f"rows on {write}")
    consumed = (f"rows on {read}", "consumes", f"BothFlow on {write}")
    assert project.arrows(write) == {made, consumed}
    if read != write:
        assert not project.get("data/rows", write)["recently_consumed_by"]
        assert len(project.get("data/rows", read)["recent_instances"]) == 1
        theirs = ("BothFlow on main", "produces", "rows on main"), ("rows on main", "consumes", "BothFlow on main")
        assert project.arrows(read) == {*theirs, consumed}
    # it read after it had registered, so nothing went into what it registered
    exact = project.get("data/rows/instances/latest/lineage", write)
    assert [node["name"] for node in exact["nodes"] if node["kind"] == "run"] == [mine]
    assert {link["relation"] for link in exact["links"]} == {"produces"}
    assert exact["complete"]
