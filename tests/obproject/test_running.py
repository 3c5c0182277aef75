"""The end of a task, seen from the catalogue and from its output."""

from __future__ import annotations

import os
from types import SimpleNamespace

import pytest

from obproject import Asset
from obproject.connection import Connection
from obproject.settings import Settings
from obproject.task import running
from tests.obproject.stub_server import Canned, StubCatalogue, StubServer
from tests.obproject.tasks import running_task


def test_a_confirmation_that_is_refused_is_told_in_a_line(
    catalogue: StubCatalogue, capsys: pytest.CaptureFixture[str]
) -> None:
    catalogue.answer_next(Canned(403, b'{"error": "forbidden", "message": "Not you."}'))
    task = running_task()
    task.will_settle(Connection(Settings(url=catalogue.url)))
    task.settle(ok=True)
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith("assetsite: what this task registered stays pending. ")
    assert "Not you." in line


@pytest.mark.parametrize("ok", [True, False])
def test_a_confirmation_that_gets_no_answer_is_left_to_the_catalogue(
    ok: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    with StubServer() as away:
        url = away.url
    task = running_task()
    task.will_settle(Connection(Settings(url=url, retries=0)))
    task.settle(ok)
    (line,) = capsys.readouterr().out.splitlines()
    assert url in line
    assert "What this task registers is kept with the run" in line


def test_a_forked_child_does_not_end_the_task_of_its_parent(catalogue: StubCatalogue) -> None:
    task = running_task()
    task.will_settle(Connection(Settings(url=catalogue.url)))
    child = os.fork()
    if child == 0:
        task.settle(ok=False)
        os._exit(0)
    os.waitpid(child, 0)
    assert catalogue.confirmations == []
    task.settle(ok=True)
    assert [sent["state"] for sent in catalogue.confirmations] == ["ready"]


def test_the_assets_of_a_flow_are_in_the_perimeter_of_its_project_file(
    catalogue: StubCatalogue, unconfigured: pytest.MonkeyPatch
) -> None:
    unconfigured.setenv("ASSETSITE_URL", catalogue.url)
    flow = SimpleNamespace(name="F", project_config={"project": "p", "perimeter": "research"})
    unconfigured.setattr(running, "_current", running_task(flow))
    assert Asset("registry", "main", entity_ref={"entity_kind": "user", "entity_id": "a"}).perimeter == "research"
    unconfigured.setenv("ASSETSITE_PERIMETER", "environment")
    assert Asset("registry", "main").perimeter == "environment"
    unconfigured.setattr(running, "_current", running_task())
    unconfigured.delenv("ASSETSITE_PERIMETER")
    assert Asset("registry", "main", entity_ref={"entity_kind": "user", "entity_id": "a"}).perimeter == "default"
