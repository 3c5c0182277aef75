"""What the catalogue is told of runs that Metaflow really made, and what it is never told."""

from __future__ import annotations

import json
import os
import platform
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import metaflow
import pytest

from obproject.journal import parse_entry
from tests.obproject.flows import FlowRun, run_flow, write_flow
from tests.obproject.stub_server import Request, StubCatalogue, StubServer

pytestmark = pytest.mark.flows

FACTS_FLOW = """
    import os
    from metaflow import Config, IncludeFile, JSONType, Parameter, current, retry, step
    from obproject import Asset, ProjectFlow

    class FactsFlow(ProjectFlow):
        alpha = Parameter("alpha", default=0.2)
        rounds = Parameter("how-many-rounds", default=2)
        text = Parameter("text", default="x" * 300)
        options = Parameter("options", type=JSONType, default='{"depth": 3, "api_key": "s3cret-inner"}')
        apiToken = Parameter("apiToken", default="s3cret-token")
        private = Parameter("private", default="s3cret-private")
        database = Parameter("database", default="postgres://ada:s3cret-url@db.example/x")
        notes = IncludeFile("notes", default="notes.txt")
        cfg = Config("cfg", default="cfg.json")

        @step
        def start(self):
            self.registered = self.prj.register_external_data("begun", ["s3://x"], "s3_object", digest="sha256:12")
            self.prj.register_external_data("begun", [], "s3_object")
            self.outer = [0, 1]
            self.next(self.loop, foreach="outer")

        @step
        def loop(self):
            self.middle = ["a", "b"]
            self.next(self.inner, foreach="middle")

        @retry(times=1, minutes_between_retries=0)
        @step
        def inner(self):
            self.prj.asset.consume_data_asset("shared", role="baseline")
            if self.index == 0 and current.retry_count == 0:
                raise RuntimeError("the first attempt has only read")
            self.part = [self.input]
            self.prj.register_data("part", "part")
            self.part = [self.input, "again"]
            self.next(self.inner_join)

        @step
        def inner_join(self, inputs):
            self.prj.register_external_data("joined", [], "s3_object")
            self.next(self.outer_join)

        @step
        def outer_join(self, inputs):
            self.round = 0
            self.next(self.again)

        @step
        def again(self):
            self.round += 1
            self.prj.register_external_data("round", [], "s3_object")
            self.state = "more" if self.round < self.rounds else "done"
            self.next({"more": self.again, "done": self.end}, condition="state")

        @step
        def end(self):
            Asset(deployment="dashboard").register_data_asset("view", kind="table")
            if os.environ.get("BREAK"):
                raise RuntimeError("broken")
            self.prj.register_external_data("ended", [], "s3_object")

    if __name__ == "__main__":
        FactsFlow()
"""
PROJECT = 'project = "tryout"\n\n[runs]\nleave_out = ["private", "cfg.inner.hidden"]\n'
SECRETS = ("s3cret", "hidden-value", "sk-deep")


def git(folder: Path, *arguments: str) -> str:
    env = {**os.environ, "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null"}
    known = ("-c", "user.name=ada", "-c", "user.email=ada@example.org")
    done = subprocess.run(
        ["git", *known, *arguments],
        cwd=folder,
        env=env,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[StubCatalogue, FlowRun, FlowRun]]:
    """A run that fails in its last step, and the run that resumes it, from a checkout with a change."""
    folder = tmp_path_factory.mktemp("facts")
    write_flow(folder, FACTS_FLOW, PROJECT)
    (folder / "notes.txt").write_text("s3cret-file")
    hidden = {"list": [{"token": "sk-deep"}], "inner": {"hidden": "hidden-value", "shown": 1}}
    (folder / "cfg.json").write_text(json.dumps(hidden))
    git(folder, "init", "--quiet", "--initial-branch", "feature/x")
    git(folder, "add", "flow.py")
    git(folder, "commit", "--quiet", "--message", "first")
    git(folder, "remote", "add", "origin", "https://ada:s3cret-git@git.example/me/x.git?token=s3cret-query")
    with (folder / "flow.py").open("a") as flow:
        flow.write("# changed\n")
    with StubServer() as catalogue:
        catalogue.assets["default", "tryout", "user_alice", "data", "shared"] = [SHARED]
        first = run_flow(folder, catalogue.url, after=("--tag", "weekly"), settings={"BREAK": "1"})
        assert not first.ok
        resumed = run_flow(folder, catalogue.url, command="resume")
        assert resumed.ok, resumed.output
        assert resumed.started != first.started
        yield catalogue, first, resumed


SHARED: dict[str, Any] = {
    "id": "s1",
    "number": 1,
    "ref": "v1",
    "state": "ready",
    "asset": {"id": "shared", "kind": "data"},
    "created_at": "2026-01-23T08:35:51Z",
    "created_by": {"entity_kind": "user", "entity_id": "bob"},
    "data_properties": {"data_kind": "table", "annotations": {}, "blobs": []},
    "tags": [],
}


def bodies(catalogue: StubCatalogue, ending: str, method: str = "PATCH") -> list[dict[str, Any]]:
    return [sent.body for sent in catalogue.of(method, ending) if sent.body]


def step_of(body: dict[str, Any]) -> str:
    return str(body["entity_ref"]["entity_id"].split("/")[2])


def run_of(body: dict[str, Any]) -> str:
    return str(body["entity_ref"]["entity_id"].split("/")[1])


def test_the_first_write_of_a_task_tells_what_the_run_is_and_its_next_does_not(
    told: tuple[StubCatalogue, FlowRun, FlowRun],
) -> None:
    catalogue, first, _ = told
    sent, again = bodies(catalogue, "/data/begun")
    assert "run" not in again
    facts = sent["run"]
    began = datetime.fromtimestamp(int(first.started) / 1e6, UTC)
    assert abs(datetime.fromisoformat(facts.pop("started_at")) - began) < timedelta(seconds=5)
    assert facts.pop("graph") == {
        "start": ["loop"],
        "loop": ["inner"],
        "inner": ["inner_join"],
        "inner_join": ["outer_join"],
        "outer_join": ["again"],
        "again": ["again", "end"],
        "end": [],
    }
    parameters, configs = facts.pop("parameters"), facts.pop("configs")
    assert facts == {
        "user": "alice",
        "metaflow_version": metaflow.__version__,
        "python_version": platform.python_version(),
        "repository": "https://git.example/me/x.git",
        "commit": git(first.folder, "rev-parse", "HEAD"),
        "dirty": True,
        "git_branch": "feature/x",
        "tags": ["weekly"],
        "left_out": ["apiToken", "cfg.inner.hidden", "cfg.list.token", "database", "options.api_key", "private"],
    }
    long = parameters.pop("text")["_omitted"]
    assert (long["length"], long["digest"][:7]) == (302, "sha256:")
    assert parameters == {
        "alpha": 0.2,
        "how-many-rounds": 2,
        "options": {"depth": 3},
        "notes": {"_omitted": {"file": "notes"}},
    }
    assert configs == {"cfg": {"list": [{}], "inner": {"shown": 1}}}  # and not those of the project


def test_every_task_tells_the_facts_for_tasks_know_nothing_of_each_other(
    told: tuple[StubCatalogue, FlowRun, FlowRun],
) -> None:
    catalogue, *_ = told
    writes = [sent for sent in catalogue.requests if sent.method in ("PATCH", "PUT") and sent.body]
    first_of: dict[tuple[str, int], Request] = {}
    for sent in writes:
        assert sent.body
        if sent.body["entity_ref"]["entity_kind"] == "task":
            first_of.setdefault((sent.body["entity_ref"]["entity_id"], sent.body["attempt"]), sent)
    with_facts = [sent for sent in writes if sent.body and "run" in sent.body and "session" not in sent.body]
    assert with_facts == list(first_of.values())
    assert len(with_facts) > 10


def test_secrets_are_neither_sent_nor_kept_nor_printed(told: tuple[StubCatalogue, FlowRun, FlowRun]) -> None:
    catalogue, first, resumed = told
    journal = [path.read_text() for path in first.folder.rglob("sysmeta_assetsite-*.json")]
    assert sum('"graph"' in parse_entry_text(text) for text in journal) > 10
    sent = [json.dumps([request.path, request.query, request.headers, request.body]) for request in catalogue.requests]
    for text in (*journal, *sent, *first.said(), *resumed.said()):
        assert not [secret for secret in SECRETS if secret in text], text


def parse_entry_text(text: str) -> str:
    try:
        return parse_entry(json.loads(text)["value"]).as_json()
    except ValueError:
        return ""


def test_a_write_says_where_in_the_run_it_was_made(told: tuple[StubCatalogue, FlowRun, FlowRun]) -> None:
    catalogue, _, resumed = told
    splits = [
        ({"step": "inner", "foreach": f"loop:{outer},inner:{inner}", "iteration": 0}, attempt)
        for outer in (0, 1)
        for inner, attempt in ((0, 1), (1, 0))
    ]
    parts = [(body["position"], body["attempt"]) for body in bodies(catalogue, "/data/part")]
    assert sorted(parts, key=str) == sorted(splits, key=str)
    joined = [body["position"] for body in bodies(catalogue, "/data/joined")]
    assert sorted(place["foreach"] for place in joined) == ["loop:0", "loop:1"]
    rounds = [body["position"] for body in bodies(catalogue, "/data/round")]
    assert rounds == [{"step": "again", "foreach": "", "iteration": at} for at in (0, 1)]
    paths = {
        datum["value"]
        for datum in map(json.loads, (path.read_text() for path in resumed.folder.rglob("sysmeta_foreach-ex*.json")))
    }
    assert {body["position"]["foreach"] for body in bodies(catalogue, "/data/part")} < paths


def test_a_failed_attempt_that_has_only_read_says_so_and_its_readings_have_attempt_and_role(
    told: tuple[StubCatalogue, FlowRun, FlowRun],
) -> None:
    catalogue, *_ = told
    readings = [(sent["position"]["foreach"], sent["attempt"], sent["role"]) for sent in catalogue.consumptions]
    assert sorted(readings) == [
        ("loop:0,inner:0", 0, "baseline"),
        ("loop:0,inner:0", 1, "baseline"),
        ("loop:0,inner:1", 0, "baseline"),
        ("loop:1,inner:0", 0, "baseline"),
        ("loop:1,inner:0", 1, "baseline"),
        ("loop:1,inner:1", 0, "baseline"),
    ]
    failed = [(step_of(sent), sent["attempt"]) for sent in catalogue.confirmations if sent["state"] == "failed"]
    assert failed == [("inner", 0), ("inner", 0)]


def test_a_confirmation_has_the_content_key_of_each_artifact(told: tuple[StubCatalogue, FlowRun, FlowRun]) -> None:
    catalogue, first, _ = told
    digests = [sent.get("digests") for sent in catalogue.confirmations if step_of(sent) == "inner"]
    assert len([one for one in digests if one]) == 4
    instances = catalogue.assets["default", "tryout", "user_alice", "data", "part"]
    for instance in instances:
        task = instance["created_by"]["entity_id"]
        record = first.folder / ".metaflow" / task / "_meta" / f"{instance['attempt']}_artifact_part.json"
        [sent] = [one for one in digests if one and instance["id"] in one]
        assert sent == {instance["id"]: json.loads(record.read_text())["sha"]}
    # Nothing but artifacts has one: the digest of other assets is what the producer says.
    assert [sent for sent in catalogue.confirmations if step_of(sent) == "start" and "digests" in sent] == []
    assert [body.get("digest") for body in bodies(catalogue, "/data/begun")] == ["sha256:12", None]


def test_a_resumed_run_names_its_origin(told: tuple[StubCatalogue, FlowRun, FlowRun]) -> None:
    catalogue, first, resumed = told
    [ended] = bodies(catalogue, "/data/ended")
    assert run_of(ended) == resumed.started
    assert ended["run"]["origin_run"] == first.started
    assert ended["run"]["parameters"]["alpha"] == 0.2
    [begun, _] = bodies(catalogue, "/data/begun")
    assert "origin_run" not in begun["run"]


def test_what_a_task_does_as_somebody_else_belongs_to_a_session(
    told: tuple[StubCatalogue, FlowRun, FlowRun],
) -> None:
    catalogue, first, _ = told
    views = bodies(catalogue, "/data/view")
    assert len({view["session"] for view in views}) == 2
    for view in views:
        assert view["run"]["commit"] == git(first.folder, "rev-parse", "HEAD")
        assert not {"parameters", "configs", "graph"} & set(view["run"])
        assert "position" not in view
