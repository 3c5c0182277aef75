"""Sessions of a process, and the facts that travel once."""

from __future__ import annotations

import os
import signal
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from obproject import Asset
from obproject.errors import BadRequest, ServerUnreachable
from obproject.sessions import LIFETIME, is_session_id
from obproject.task import process_session, running
from obproject.task.first_report import FirstReport
from obproject.task.process_session import session_of
from tests.obproject.stub_server import Canned, StubCatalogue
from tests.obproject.tasks import running_task

APP = {"entity_kind": "deployment", "entity_id": "app"}


@pytest.fixture
def configured(catalogue: StubCatalogue, unconfigured: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    unconfigured.setenv("ASSETSITE_URL", catalogue.url)
    unconfigured.setenv("ASSETSITE_RETRIES", "0")
    unconfigured.setattr("metaflow.util.get_username", lambda: "alice")
    unconfigured.setattr(process_session, "_sessions", {})
    return unconfigured


def sent(catalogue: StubCatalogue) -> list[dict[str, Any]]:
    return [request.body for request in catalogue.requests if request.body]


def test_the_writes_of_an_app_are_one_session_and_its_first_says_what_it_is(
    configured: pytest.MonkeyPatch, catalogue: StubCatalogue
) -> None:
    before = datetime.now(UTC)
    Asset("churn", "main", deployment="app").register_data_asset("rows", kind="table")
    Asset("churn", "feature/x", deployment="app").register_data_asset("rows", kind="table")
    Asset("churn", "main", deployment="app").consume_data_asset("rows")
    first, second, third = sent(catalogue)
    assert is_session_id(first["session"])
    assert {body["session"] for body in (second, third)} == {first["session"]}
    assert ["run" in body for body in (first, second, third)] == [True, False, False]
    assert first["run"]["user"] == "alice"
    assert {"metaflow_version", "python_version"} <= set(first["run"])
    assert datetime.fromisoformat(first["run"]["started_at"]) <= before
    assert not {"parameters", "configs", "graph"} & set(first["run"])
    assert not {"position", "attempt", "state"} & (set(first) | set(third))


def test_each_catalogue_is_told_once(configured: pytest.MonkeyPatch, catalogue: StubCatalogue) -> None:
    for perimeter in ("default", "research", "default"):
        Asset("churn", "main", deployment="app", perimeter=perimeter).register_data_asset("rows", kind="table")
    assert ["run" in body for body in sent(catalogue)] == [True, True, False]


def test_entities_have_sessions_of_their_own(configured: pytest.MonkeyPatch) -> None:
    other = session_of({**APP, "entity_id": "other"})
    assert session_of(APP).id == session_of(dict(reversed(APP.items()))).id != other.id


def test_a_session_lasts_twelve_hours(configured: pytest.MonkeyPatch) -> None:
    first, began = session_of(APP), time.time()
    configured.setattr(time, "time", lambda: began + LIFETIME.total_seconds() - 60)
    assert session_of(APP) is first
    configured.setattr(time, "time", lambda: began + LIFETIME.total_seconds() + 60)
    assert session_of(APP).id != first.id
    assert timedelta(hours=12) == LIFETIME


def test_a_forked_child_has_a_session_of_its_own(configured: pytest.MonkeyPatch) -> None:
    of_parent = session_of(APP).id
    with process_session._lock:
        child = os.fork()
        if child == 0:
            # It may wait for ever for a lock that its parent holds.
            signal.signal(signal.SIGALRM, signal.SIG_DFL)
            signal.alarm(20)
            os._exit(0 if session_of(APP).id != of_parent else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert session_of(APP).id == of_parent


@pytest.mark.parametrize(("status", "error"), [(400, BadRequest), (503, ServerUnreachable)])
def test_facts_that_did_not_arrive_go_with_the_next_write(
    configured: pytest.MonkeyPatch, catalogue: StubCatalogue, status: int, error: type[Exception]
) -> None:
    asset = Asset("churn", "main", deployment="app")
    catalogue.answer_next(Canned(status, b'{"error": "error", "message": "No."}'))
    with pytest.raises(error):
        asset.register_data_asset("rows", kind="table")
    asset.register_data_asset("rows", kind="table")
    assert ["run" in body for body in sent(catalogue)] == [True, True]


def test_a_task_that_runs_here_has_no_session_and_one_that_does_not_tells_nothing(
    configured: pytest.MonkeyPatch, catalogue: StubCatalogue
) -> None:
    configured.setattr(running, "_current", running_task())
    Asset("churn", "main", entity_ref={"entity_kind": "task", "entity_id": "F/1/a/2"}).register_data_asset(
        "x", kind="t"
    )
    configured.setattr(running, "_current", None)
    Asset("churn", "main", entity_ref={"entity_kind": "task", "entity_id": "F/1/a/2"}).register_data_asset(
        "x", kind="t"
    )
    for body in sent(catalogue):
        assert not {"session", "run", "position"} & set(body)


def test_a_read_only_asset_begins_no_session(configured: pytest.MonkeyPatch, catalogue: StubCatalogue) -> None:
    Asset("churn", "main", deployment="app").register_data_asset("rows", kind="table")
    process_session._sessions.clear()
    Asset("churn", "main", deployment="other", read_only=True).consume_data_asset("rows")
    assert process_session._sessions == {}


def test_facts_that_can_not_be_found_out_fail_no_write() -> None:
    def broken() -> dict[str, Any]:
        raise RuntimeError("broken")

    settings = Asset("churn", "main", url="http://localhost").catalogue.settings
    assert FirstReport(broken).to(settings) == {}
    assert FirstReport(dict).to(settings) == {}
