"""Flows really run by Metaflow, seen from the catalogue."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from metaflow import Task, metadata, namespace
from metaflow.parameters import flow_context

from obproject.errors import ArtifactUnreachable
from obproject.flow import ProjectFileError, declared_packages, default_project_file
from obproject.journal import Verdict, parse_entry, parse_verdict
from obproject.task.artifacts import load_artifact
from tests.obproject.deploying import write
from tests.obproject.flows import FlowRun, run_flow, write_flow
from tests.obproject.stub_server import StubCatalogue, StubServer

pytestmark = pytest.mark.flows

MAIN = ("default", "tryout", "main")
ALICE = ("default", "tryout", "user_alice")

DEVELOPMENT_FLOW = """
    from metaflow import Config, IncludeFile, Parameter, catch, current, get_namespace, retry, step
    from obproject import Asset, ProjectFlow, highlight
    from obproject.errors import AssetNotFound, WrongKind

    class DevelopmentFlow(ProjectFlow):
        notes = IncludeFile("notes", default="notes.txt")
        raw = IncludeFile("raw", default="notes.txt", is_text=False)
        parsed = IncludeFile("parsed", default="notes.txt", parser=str.split)
        depth = Parameter("tree-depth", default=3)
        names = Parameter("names", default="a,b", separator=",")
        layers = Config("layers", default_value='{"first": {"size": 2}}')
        CONSTANT = 7

        @step
        def start(self):
            self.numbers = [1, 2, 3]
            self.registered = self.prj.register_data(
                "numbers", "numbers", annotations={"rows": 3, "share": 0.5}, tags={"round": 1}, description="few"
            )
            assert self.registered["state"] == "pending"
            assert self.prj.get_data("numbers") == [1, 2, 3]
            assert self.prj.get_data("numbers", self.registered["id"]) is self.numbers
            assert self.prj.get_data("numbers", "v1") is self.numbers
            try:
                self.prj.register_data("numbers", "misspelt")
            except AttributeError as error:
                print("misspelt:", error)
            self.prj.register_external_model("llm", blobs=["s3://models/llm"], kind="s3_object")
            self.parts = [0, 1]
            self.next(self.work, foreach="parts")

        @retry(times=1, minutes_between_retries=0)
        @step
        def work(self):
            self.part = self.input * 10
            self.tried = current.retry_count
            self.prj.register_data("part", "part", annotations={"index": self.input})
            if self.input == 1 and current.retry_count == 0:
                raise RuntimeError("the first attempt fails")
            self.next(self.join)

        @catch(var="problem")
        @step
        def join(self, inputs):
            self.total = sum(branch.part for branch in inputs)
            self.prj.asset.register_data_asset("total", kind="artifact", annotations={"artifact": "total"})
            if self.total:
                raise RuntimeError("too much")
            self.next(self.end)

        @highlight
        @step
        def end(self):
            assert self.highlight.as_data() is None
            assert self.prj.get_data("numbers") == [1, 2, 3]
            try:
                self.prj.get_data("total")
            except AssetNotFound as error:
                print("total:", error)
            assert self.prj.get_data("total", "v1") == 10
            assert get_namespace() == "user:alice"
            run = "/".join(current.pathspec.split("/")[:2])
            producer = {"entity_kind": "task", "entity_id": f"{run}/start/1"}
            Asset(entity_ref=producer).register_data_asset("bare", kind="artifact", annotations={"artifact": "parts"})
            assert self.prj.get_data("bare") == [0, 1]
            assert get_namespace() == "user:alice"
            self.shared = self.prj.asset.consume_data_asset("shared")["values"]["rows"]
            assert self.shared == 7
            try:
                self.prj.get_model("llm")
            except WrongKind as error:
                print("wrong kind:", error)
            try:
                self.prj.get_data("nowhere")
            except AssetNotFound as error:
                print("nowhere:", error)
            assert (self.prj.branch, self.prj.read_branch, self.prj.write_branch) == ("main", "main", "user_alice")

    if __name__ == "__main__":
        DevelopmentFlow()
"""

KINDS = {
    "numbers": [1, 2, 3],
    "notes": "few words",
    "raw": b"few words",
    "parsed": "few words",
    "depth": 3,
    "names": ["a", "b"],
    "layers": {"first": {"size": 2}},
    "CONSTANT": 7,
    "name": "DevelopmentFlow",
}
"""What Metaflow's client gives of each kind of artifact."""


@pytest.fixture(scope="module")
def developed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[StubCatalogue, FlowRun]]:
    """A local run that reads main, of a flow with a foreach, a retry, a caught failure and several registrations."""
    folder = tmp_path_factory.mktemp("development")
    write_flow(folder, DEVELOPMENT_FLOW, 'project = "tryout"\n\n[dev-assets]\nbranch = "main"\n')
    (folder / "notes.txt").write_text("few words")
    with StubServer() as catalogue:
        catalogue.assets[*MAIN, "data", "shared"] = [_someone_elses("shared", {"rows": 7})]
        run = run_flow(folder, catalogue.url)
        assert run.ok, run.output
        yield catalogue, run


def _someone_elses(asset: str, annotations: dict[str, object]) -> dict[str, object]:
    return {
        "id": "s1",
        "number": 1,
        "ref": "v1",
        "state": "ready",
        "asset": {"id": asset, "kind": "data"},
        "created_at": "2026-01-23T08:35:51.123456789Z",
        "created_by": {"entity_kind": "user", "entity_id": "bob"},
        "data_properties": {"data_kind": "table", "annotations": annotations, "blobs": []},
        "tags": [],
    }


def test_a_registration_says_which_task_made_it_and_where_its_artifacts_are(
    developed: tuple[StubCatalogue, FlowRun],
) -> None:
    catalogue, run = developed
    [instance] = catalogue.assets[*ALICE, "data", "numbers"]
    assert instance["created_by"] == {"entity_kind": "task", "entity_id": f"DevelopmentFlow/{run.run_id}/start/1"}
    assert instance["datastore"] == {"type": "local", "root": str(run.folder / ".metaflow")}
    assert instance["data_properties"]["annotations"] == {
        "artifact": "numbers",
        "run_pathspec": f"DevelopmentFlow/{run.run_id}",
        "rows": 3,
        "share": 0.5,
    }
    assert instance["tags"] == [{"key": "round", "value": "1"}]
    assert instance["description"] == "few"
    [sent] = catalogue.of("PATCH", "/data/numbers")
    assert sent.body is not None
    assert (sent.body["branch_name"], sent.body["attempt"]) == ("user.alice", 0)


def test_what_a_task_registers_is_confirmed_once_when_the_task_ends(developed: tuple[StubCatalogue, FlowRun]) -> None:
    catalogue, _ = developed
    settled = [
        (sent["entity_ref"]["entity_id"].split("/")[2], sent["attempt"], sent["state"])
        for sent in catalogue.confirmations
    ]
    # The run goes on after the caught failure of "join"; "end" registers nothing of its own.
    assert sorted(settled) == [
        ("join", 0, "failed"),
        ("start", 0, "ready"),
        ("work", 0, "failed"),
        ("work", 0, "ready"),
        ("work", 1, "ready"),
    ]
    reasons = {
        sent["entity_ref"]["entity_id"].split("/")[2]: sent for sent in catalogue.confirmations if "reason" in sent
    }
    assert reasons["work"]["reason"] == "the step raised RuntimeError: the first attempt fails"
    assert reasons["join"]["reason"] == "the step raised RuntimeError: too much, caught by @catch"
    assert [sent.get("run_goes_on") for sent in (reasons["work"], reasons["join"])] == [None, True]
    parts = sorted((part["state"], part["attempt"]) for part in catalogue.assets[*ALICE, "data", "part"])
    assert parts == [("failed", 0), ("ready", 0), ("ready", 1)]


def test_consuming_names_task_and_write_branch_and_only_what_was_loaded(
    developed: tuple[StubCatalogue, FlowRun],
) -> None:
    catalogue, run = developed
    consumed = [sent["instance"] for sent in catalogue.consumptions]
    ids = {
        name: catalogue.assets[*scope, "data", name][0]["id"]
        for scope, name in [(ALICE, "numbers"), (ALICE, "total"), (ALICE, "bare"), (MAIN, "shared")]
    }
    assert consumed == [ids["numbers"], ids["total"], ids["bare"], ids["shared"]]
    assert [sent.get("reference") for sent in catalogue.consumptions] == ["latest", "v1", "latest", None]
    for sent in catalogue.consumptions:
        assert sent["consumer"] == {"project": "tryout", "branch": "user.alice"}
        assert sent["entity_ref"]["entity_id"].startswith(f"DevelopmentFlow/{run.run_id}/end/")


def test_nothing_is_written_to_the_branch_that_is_read(developed: tuple[StubCatalogue, FlowRun]) -> None:
    catalogue, _ = developed
    assert [key for key in catalogue.assets if key[:3] == MAIN] == [(*MAIN, "data", "shared")]


def test_the_output_says_what_happened(developed: tuple[StubCatalogue, FlowRun]) -> None:
    catalogue, run = developed
    said = run.said()
    page = catalogue.assets[*ALICE, "data", "numbers"][0]["url"]
    assert "assetsite: project 'tryout', reads branch 'main', writes branch 'user.alice'." in said
    assert (f"assetsite: registered data asset 'numbers' v1 (artifact numbers) on branch 'user.alice'. {page}") in said
    assert ("assetsite: branch 'main' has no data asset 'numbers', so it is read from branch 'user.alice'.") in said
    for beginning in (
        "misspelt: DevelopmentFlow has no artifact 'misspelt'",
        "wrong kind: The model asset 'llm' on branch 'user.alice' (v1) is of kind 's3_object'",
        "total: data asset 'total' (latest) on branch 'user.alice' of project 'tryout': ",
        "nowhere: data asset 'nowhere' (latest) on branch 'main' of project 'tryout': There is no asset 'nowhere'",
    ):
        assert beginning in run.output


def test_a_task_keeps_why_metaflow_does_not_count_it_as_successful(developed: tuple[StubCatalogue, FlowRun]) -> None:
    """Before Metaflow notes whether the run goes on, so that nothing comes between the two."""
    _, run = developed
    files = (run.folder / ".metaflow/DevelopmentFlow" / run.run_id).glob("*/*/_meta/sysmeta_assetsite_verdict_*.json")
    kept = {file.parts[-4]: file for file in files}
    verdicts = {step: parse_verdict(json.loads(file.read_text())["value"]) for step, file in kept.items()}
    assert verdicts == {
        "work": Verdict(False, "the step raised RuntimeError: the first attempt fails"),
        "join": Verdict(False, "the step raised RuntimeError: too much, caught by @catch"),
    }
    [noted] = kept["join"].parent.glob("sysmeta_attempt_ok_*.json")
    assert '"True"' in noted.read_text()
    assert kept["join"].stem.rpartition("_")[2] <= noted.stem.rpartition("_")[2]


def test_the_run_is_tagged_with_its_branches(developed: tuple[StubCatalogue, FlowRun]) -> None:
    _, run = developed
    record = json.loads((run.folder / ".metaflow/DevelopmentFlow" / run.run_id / "_meta/_self.json").read_text())
    assert set(record["tags"]) >= {"asset_write_branch:user_alice", "asset_read_branch:main"}


def test_an_artifact_in_another_local_datastore_is_loaded_from_there(
    developed: tuple[StubCatalogue, FlowRun], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    catalogue, _ = developed
    monkeypatch.chdir(tmp_path)
    [instance] = catalogue.assets[*ALICE, "data", "numbers"]
    assert load_artifact(instance, "numbers") == [1, 2, 3]


@pytest.mark.parametrize("own", [True, False], ids=["directly", "through the client"])
def test_every_kind_of_artifact_is_what_metaflow_s_client_gives(
    own: bool, developed: tuple[StubCatalogue, FlowRun], monkeypatch: pytest.MonkeyPatch
) -> None:
    catalogue, run = developed
    [instance] = catalogue.assets[*ALICE, "data", "numbers"]
    if not own:
        monkeypatch.setattr("obproject.task.artifacts._own_local_root", lambda datastore: None)
    before = metadata(f"local@{run.folder}")
    namespace(None)
    try:
        artifacts = Task(f"DevelopmentFlow/{run.run_id}/start/1").artifacts
        given = {name: getattr(artifacts, name).data for name in KINDS}
        loaded = {name: load_artifact(_of_artifact(instance, name), "it") for name in KINDS}
        [failed] = [part for part in catalogue.assets[*ALICE, "data", "part"] if part["state"] == "failed"]
        attempt = load_artifact(_of_artifact(failed, "tried"), "it")
    finally:
        metadata(before)
    assert loaded == given == KINDS
    assert {name: type(value) for name, value in loaded.items()} == {name: type(KINDS[name]) for name in KINDS}
    assert attempt == 0, "of the attempt that registered it, not of the last one"


def _of_artifact(instance: dict[str, Any], name: str) -> dict[str, Any]:
    return {**instance, "data_properties": {"data_kind": "artifact", "annotations": {"artifact": name}}}


def test_fault_45_an_artifact_that_is_gone_is_reported_with_asset_task_and_datastore(
    developed: tuple[StubCatalogue, FlowRun],
) -> None:
    catalogue, run = developed
    [instance] = catalogue.assets[*ALICE, "data", "numbers"]
    with pytest.raises(ArtifactUnreachable) as raised:
        load_artifact(_of_artifact(instance, "gone"), "The data asset 'numbers' on branch 'main'")
    message = str(raised.value)
    for part in (
        "'numbers'",
        "'main'",
        "'gone'",
        f"DevelopmentFlow/{run.run_id}/start/1",
        instance["datastore"]["root"],
    ):
        assert part in message


def test_a_deployed_flow_writes_the_branch_of_its_spec_and_a_failed_task_fails_its_instances(
    tmp_path: Path, catalogue: StubCatalogue
) -> None:
    source = """
        from metaflow import step
        from obproject import ProjectFlow

        class DeployedFlow(ProjectFlow):
            @step
            def start(self):
                self.model = {"weights": [1]}
                self.prj.register_model("classifier", "model")
                self.unstorable = (number for number in [1])
                self.next(self.end)

            @step
            def end(self):
                pass

        if __name__ == "__main__":
            DeployedFlow()
    """
    write_flow(tmp_path, source, 'project = "tryout"\nperimeter = "research"\n\n[dev-assets]\nbranch = "main"\n')
    spec = json.dumps({"branch": "feature_x", "spec": {"project_branch": "feature/x"}})
    run = run_flow(tmp_path, catalogue.url, "--config-value", "project_spec", spec)
    assert not run.ok
    [sent] = catalogue.of("PATCH")
    assert sent.path == "/v1/perimeters/research/projects/tryout/branches/feature_x/models/classifier"
    assert sent.body is not None
    assert sent.body["branch_name"] == "feature/x"
    # An artifact that can't be stored ends the task without Metaflow's last hook; the instance must not stay pending.
    [instance] = catalogue.assets["research", "tryout", "feature_x", "models", "classifier"]
    assert instance["state"] == "failed"


def test_without_a_catalogue_the_flow_runs_and_says_once_how_to_publish(tmp_path: Path) -> None:
    source = """
        from metaflow import step
        from obproject import ProjectFlow
        from obproject.errors import NoServer

        class LonelyFlow(ProjectFlow):
            @step
            def start(self):
                self.numbers = [1]
                assert self.prj.register_data("numbers", "numbers", annotations={"rows": 1}) is None
                assert self.prj.get_data("numbers") == [1]
                self.next(self.end)

            @step
            def end(self):
                self.prj.register_data("again", "numbers")
                try:
                    self.prj.get_data("numbers")
                except NoServer as error:
                    print("no server:", error)

        if __name__ == "__main__":
            LonelyFlow()
    """
    write_flow(tmp_path, source)
    run = run_flow(tmp_path, None)
    assert run.ok, run.output
    told = [line for line in run.said() if "not published" in line]
    assert len(told) == 1
    assert "ASSETSITE_URL" in told[0]
    assert f"assetsite reconcile --root {tmp_path / '.metaflow'}" in told[0]
    assert "no server: data asset 'numbers' (latest) on branch 'user.alice'" in run.output
    data = (json.loads(path.read_text()) for path in tmp_path.rglob("sysmeta_assetsite-i_*.json"))
    kept = [parse_entry(datum["value"]) for datum in data]
    assert {(entry.asset, entry.branch, entry.project) for entry in kept} == {
        ("numbers", "user.alice", "tryout"),
        ("again", "user.alice", "tryout"),
    }
    (first,) = (entry for entry in kept if entry.asset == "numbers")
    assert first.body["annotations"]["rows"] == 1
    assert first.body["entity_ref"]["entity_id"] == f"LonelyFlow/{run.run_id}/start/1"
    assert (first.body["state"], first.body["attempt"]) == ("pending", 0)


def test_a_flow_that_must_publish_fails_without_a_catalogue(flow_of: Path) -> None:
    source = (flow_of / "flow.py").read_text().replace("pass", "self.prj.register_external_data('x', [], 'table')")
    (flow_of / "flow.py").write_text(source)
    run = run_flow(flow_of, None, settings={"ASSETSITE_STRICT": "1"})
    assert not run.ok
    assert "NoServer: data asset 'x' on branch 'user.alice'" in run.output


@pytest.fixture
def flow_of(tmp_path: Path) -> Path:
    """A folder with a flow, for what shows before any task runs."""
    source = """
        from metaflow import step
        from obproject import ProjectFlow

        class PlainFlow(ProjectFlow):
            @step
            def start(self):
                self.next(self.end)

            @step
            def end(self):
                pass

        if __name__ == "__main__":
            PlainFlow()
    """
    write_flow(tmp_path, source)
    return tmp_path


@pytest.mark.parametrize(
    ("project_toml", "said"),
    [
        ("project = ", "obproject.toml is no valid TOML: Invalid value (at "),
        ('title = "x"', "obproject.toml: key 'project' is missing"),
        ('project = "x"\n[runs]\nleave_out = "a"', "obproject.toml: [runs] key 'leave_out': found the string 'a'"),
    ],
)
def test_a_project_file_that_cannot_be_used_is_told_in_a_sentence(flow_of: Path, project_toml: str, said: str) -> None:
    (flow_of / "obproject.toml").write_text(project_toml)
    run = run_flow(flow_of, None)
    assert not run.ok
    assert said in run.output
    assert "Traceback" not in run.output


def test_declared_dependencies_become_pypi_base(flow_of: Path) -> None:
    (flow_of / "pyproject.toml").write_text('[project]\nname = "x"\nversion = "1"\ndependencies = ["numpy>=1"]\n')
    run = run_flow(flow_of, None, "--config", "project_deps", "pyproject.toml")
    # Metaflow refuses packages without an environment for them, which shows that the decorator is there.
    assert "@pypi decorator requires --environment" in run.output


@pytest.mark.parametrize(
    ("script", "code", "present", "found"),
    [
        ("one/flows/a/flow.py", None, "elsewhere", "one"),
        ("one/flows/a/flow.py", None, "one/flows/a", "one"),
        ("one/flows/a/flow.py", None, "two", "one"),
        ("elsewhere/flow.py", None, "two/flows", "two"),
        ("elsewhere/launch.py", "one/flows/a/flow.py", "elsewhere", "one"),
        ("one/flows/linked/flow.py", None, "elsewhere", "one"),
    ],
)
def test_the_project_of_a_flow_is_above_it_else_above_the_present_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, code: str | None, present: str, found: str
) -> None:
    files = {"one/obproject.toml": "", "two/obproject.toml": "", "elsewhere/flow.py": "", "two/flows/x": ""}
    write(tmp_path, files | {f"one/flows/{name}/flow.py": "" for name in ("a", "linked")})
    (tmp_path / "one/flows/linked/obproject.toml").symlink_to("../../obproject.toml")
    monkeypatch.setattr(sys, "argv", [str(tmp_path / script), "run"])
    monkeypatch.chdir(tmp_path / present)
    namespace: dict[str, Any] = {}
    exec(compile("def start(self): ...", tmp_path / (code or script), "exec"), namespace)
    with flow_context(type("AFlow", (), namespace)):
        assert default_project_file(None) == str(tmp_path / found / "obproject.toml")


def test_a_flow_without_a_project_says_where_one_was_looked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["/nowhere/flow.py", "run"])
    with pytest.raises(ProjectFileError, match=rf"there is no obproject\.toml in /nowhere or {tmp_path}, or above\."):
        default_project_file(None)
    monkeypatch.setattr(sys, "argv", ["/nowhere/flow.py", "resume"])
    assert default_project_file(None) == "obproject.toml"


@pytest.mark.parametrize(
    ("dependencies", "skip", "expected"),
    [
        ({}, "", {"packages": {"numpy": ">=1"}, "python": ">=3.11"}),
        ({"include_pyproject_toml": False}, "", {}),
        ({}, "1", {}),
    ],
)
def test_a_flow_may_manage_its_packages_itself(
    dependencies: dict[str, object], skip: str, expected: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OBPROJECT_SKIP_PYPI_BASE", skip)
    configs = {
        "project_config": {"project": "tryout", "dependencies": dependencies},
        "project_deps": {"packages": {"numpy": ">=1"}, "python": ">=3.11"},
    }
    assert declared_packages(configs) == expected


def test_nothing_of_the_client_becomes_an_artifact(developed: tuple[StubCatalogue, FlowRun]) -> None:
    _, run = developed
    stored = json.loads((run.folder / ".metaflow/DevelopmentFlow" / run.run_id / "start/1/0.data.json").read_text())
    own = {name for name in stored["objects"] if not name.startswith("_")}
    assert own == {*KINDS, "parts", "project_config", "project_deps", "project_spec", "registered"}
    assert "_prj" not in stored["objects"]


def test_a_step_that_is_spun_reads_and_writes_nothing(developed: tuple[StubCatalogue, FlowRun]) -> None:
    """Metaflow leaves our decorators out there; the asserts of the step hold all the same."""
    catalogue, run = developed  # `run_id` of it is that of the spin afterwards
    seen = len(catalogue.requests)
    spun = run_flow(run.folder, catalogue.url, command="spin", after=(f"DevelopmentFlow/{run.run_id}/end",))
    assert spun.ok, spun.output
    assert {request.method for request in catalogue.requests[seen:]} == {"GET"}
    assert len([line for line in spun.said() if "only tried out (spin)" in line]) == 1
    assert "wrong kind: The model asset 'llm'" in spun.output
