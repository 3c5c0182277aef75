"""The end of a task, seen from the catalogue and from its output."""

from __future__ import annotations

import json
import shlex
import subprocess
from types import SimpleNamespace

import pytest

from obproject import Asset, running
from obproject.connection import Connection
from obproject.running import RunningTask
from obproject.settings import Settings
from tests.obproject.stub_server import StubCatalogue, StubServer


def task_of(**flow: object) -> RunningTask:
    return RunningTask(
        flow=SimpleNamespace(name="TrainFlow", **flow),
        run_id="12",
        step="start",
        task_id="3",
        attempt=1,
        metadata=None,
        datastore={"type": "local", "root": "/data/.metaflow"},
    )


@pytest.mark.parametrize("token", [None, "secret-token"])
@pytest.mark.parametrize("ok", [True, False])
def test_a_confirmation_that_cannot_be_sent_names_the_call_that_sends_it(
    token: str | None, ok: bool, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with StubServer() as away:
        url = away.url
    task = task_of()
    task.will_settle(Connection(Settings(url=url, token=token, perimeter="team", retries=0)))
    task.settle(ok)
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith("assetsite: what this task registered stays pending. ")
    assert url in line
    assert "Run the task again, or settle it by: curl " in line
    assert "secret-token" not in line
    command = line[line.index("curl -X POST") :]
    assert ("$ASSETSITE_TOKEN" in command) == (token is not None)
    with StubServer(port=int(url.rpartition(":")[2])) as back:
        monkeypatch.setenv("ASSETSITE_TOKEN", "from-the-shell")
        subprocess.run(["sh", "-c", f"{command} --silent --noproxy '*'"], check=True, capture_output=True)
        (request,) = back.requests
    assert (request.method, request.path) == ("POST", "/v1/perimeters/team/confirmations")
    assert request.headers.get("x-api-key") == (token and "from-the-shell")
    assert request.body == {
        "entity_ref": {"entity_kind": "task", "entity_id": "TrainFlow/12/start/3"},
        "attempt": 1,
        "state": "ready" if ok else "failed",
        **({} if ok else {"reason": "the task failed"}),
    }
    assert json.loads(shlex.split(command)[-1]) == request.body


def test_the_assets_of_a_flow_are_in_the_perimeter_of_its_project_file(
    catalogue: StubCatalogue, unconfigured: pytest.MonkeyPatch
) -> None:
    unconfigured.setenv("ASSETSITE_URL", catalogue.url)
    unconfigured.setattr(running, "_current", task_of(project_config={"project": "p", "perimeter": "research"}))
    assert Asset("registry", "main", entity_ref={"entity_kind": "user", "entity_id": "a"}).perimeter == "research"
    unconfigured.setenv("ASSETSITE_PERIMETER", "environment")
    assert Asset("registry", "main").perimeter == "environment"
    unconfigured.setattr(running, "_current", task_of())
    unconfigured.delenv("ASSETSITE_PERIMETER")
    assert Asset("registry", "main", entity_ref={"entity_kind": "user", "entity_id": "a"}).perimeter == "default"
