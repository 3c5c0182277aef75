"""Events of a project, published to a webhook that really listens."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from metaflow import current, metaflow_config
from metaflow.exception import MetaflowException
from metaflow.plugins.argo import argo_events

from obproject import ProjectEvent, errors
from obproject.events import EventNotPublished
from tests.obproject.flows import run_flow, write_flow

pytestmark = pytest.mark.slow


@dataclass
class Webhook:
    """The requests to an Argo Events webhook, and the status that it answers."""

    url: str = ""
    status: int = 200
    events: list[dict[str, Any]] = field(default_factory=list)


@pytest.fixture
def webhook() -> Iterator[Webhook]:
    known = Webhook()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            known.events.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(known.status)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    known.url = f"http://127.0.0.1:{server.server_port}/"
    yield known
    server.shutdown()
    server.server_close()


@pytest.fixture(autouse=True)
def nowhere(unconfigured: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """No webhook, no project, no Argo."""
    unconfigured.setattr(metaflow_config, "ARGO_EVENTS_WEBHOOK_URL", None)
    unconfigured.delenv("ARGO_WORKFLOW_TEMPLATE", raising=False)
    return unconfigured


@pytest.fixture
def configured(nowhere: pytest.MonkeyPatch, webhook: Webhook) -> Webhook:
    nowhere.setattr(metaflow_config, "ARGO_EVENTS_WEBHOOK_URL", webhook.url)
    return webhook


def test_an_event_is_named_after_its_project_and_the_key_of_its_branch() -> None:
    event = ProjectEvent("ready", "churn", "feature/New-Model")
    assert (event.project, event.branch, event.event) == (
        "churn",
        "feature_new_model",
        "prj.churn.feature_new_model.ready",
    )


def test_publishing_sends_name_and_payload_and_returns_the_id(configured: Webhook) -> None:
    event_id = ProjectEvent("ready", "churn", "main").publish({"date": "2026-02-01", "rows": 12})
    [sent] = configured.events
    assert sent["name"] == "prj.churn.main.ready"
    assert sent["payload"]["id"] == event_id
    assert (sent["payload"]["date"], sent["payload"]["rows"]) == ("2026-02-01", 12)


def test_publishing_without_argo_events_says_what_to_set(capsys: pytest.CaptureFixture[str]) -> None:
    event = ProjectEvent("ready", "churn", "main")
    with pytest.raises(EventNotPublished, match="METAFLOW_ARGO_EVENTS_WEBHOOK_URL") as caught:
        event.publish()
    assert isinstance(caught.value, errors.AssetError)
    assert isinstance(caught.value, MetaflowException)
    assert event.publish(ignore_errors=True) is None
    assert "'prj.churn.main.ready' was not published" in capsys.readouterr().out


def test_where_events_are_optional_publishing_without_argo_events_is_one_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ASSETSITE_EVENTS", "optional")
    assert ProjectEvent("ready", "churn", "main").publish({"rows": 1}) is None
    assert "'prj.churn.main.ready' was not published" in capsys.readouterr().out
    with pytest.raises(errors.InvalidInput):
        ProjectEvent("ready", "churn", "main").publish({"name": "Anna"})


def test_where_events_are_optional_a_webhook_that_refuses_is_still_named(
    configured: Webhook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ASSETSITE_EVENTS", "optional")
    configured.status = 500
    with pytest.raises(EventNotPublished):
        ProjectEvent("ready", "churn", "main").publish()


def test_a_webhook_that_refuses_is_named(configured: Webhook) -> None:
    configured.status = 500
    with pytest.raises(EventNotPublished, match=f"500.*{configured.url}"):
        ProjectEvent("ready", "churn", "main").publish()


@pytest.mark.parametrize("name", ["", " ", "it's", "two words", "a/b", None, 7])
def test_a_name_that_argo_could_not_tell_from_others_is_refused_before_anything_is_sent(
    configured: Webhook, name: Any
) -> None:
    with pytest.raises(errors.InvalidInput, match="can't name an event"):
        ProjectEvent(name, "churn", "main").publish()
    assert not configured.events


def test_a_payload_that_would_rename_the_event_is_refused(configured: Webhook) -> None:
    with pytest.raises(errors.InvalidInput, match="'name'"):
        ProjectEvent("ready", "churn", "main").publish({"name": "Anna"})
    assert not configured.events


def test_fault_36_safe_publish_is_one_line_in_a_local_run(
    configured: Webhook, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ProjectEvent("ready", "churn", "main").safe_publish({"a": 1}, ignore_errors=False) is None
    assert not configured.events
    [line] = capsys.readouterr().out.splitlines()
    assert line.startswith("assetsite: event 'prj.churn.main.ready' was not published.")


@pytest.mark.parametrize("payload", [{"a": object()}, "no dictionary", {"name": "x"}, {"fine": 1}])
def test_fault_36_safe_publish_never_raises_in_a_deployed_run(
    configured: Webhook, nowhere: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], payload: Any
) -> None:
    nowhere.setenv("ARGO_WORKFLOW_TEMPLATE", "churn.prod.trainflow")
    configured.status = 500
    assert ProjectEvent("ready", "churn", "main").safe_publish(payload) is None
    assert len(capsys.readouterr().out.splitlines()) == 1


def test_safe_publish_survives_a_webhook_that_is_away(
    nowhere: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    nowhere.setenv("ARGO_WORKFLOW_TEMPLATE", "churn.prod.trainflow")
    nowhere.setattr(metaflow_config, "ARGO_EVENTS_WEBHOOK_URL", "http://127.0.0.1:1/")
    nowhere.setattr(argo_events, "SERVICE_RETRY_COUNT", 1)
    assert ProjectEvent("ready", "churn", "main").safe_publish() is None
    assert "refused" in capsys.readouterr().out


def test_safe_publish_publishes_in_a_deployed_run(configured: Webhook, nowhere: pytest.MonkeyPatch) -> None:
    nowhere.setenv("ARGO_WORKFLOW_TEMPLATE", "churn.prod.trainflow")
    assert ProjectEvent("ready", "churn", "main").safe_publish({"a": 1}) == configured.events[0]["payload"]["id"]


def test_an_app_says_by_the_environment_where_it_belongs(nowhere: pytest.MonkeyPatch) -> None:
    nowhere.setenv("OB_PROJECT", "churn")
    nowhere.setenv("OB_BRANCH", "feature/x")
    assert ProjectEvent("ready").event == "prj.churn.feature_x.ready"


@pytest.mark.parametrize(
    ("metaflow_branch", "branch"),
    [
        ("prod", "main"),
        ("prod.eu", "eu"),
        ("test.feature_x", "feature_x"),
        ("user.alice", "user_alice"),
        ("test.", "test"),
    ],
)
def test_fault_32_a_flow_without_a_spec_publishes_for_the_branch_it_was_deployed_from(
    nowhere: pytest.MonkeyPatch, metaflow_branch: str, branch: str
) -> None:
    for name, value in (("project_name", "churn"), ("branch_name", metaflow_branch)):
        nowhere.setattr(type(current), name, property(lambda _, value=value: value), raising=False)
    assert ProjectEvent("ready").event == f"prj.churn.{branch}.ready"


def test_an_event_of_nowhere_says_what_to_give() -> None:
    with pytest.raises(errors.InvalidInput, match="OB_PROJECT and OB_BRANCH"):
        ProjectEvent("ready")


@pytest.mark.flows
def test_a_flow_publishes_for_its_write_branch(webhook: Webhook, tmp_path: Path) -> None:
    source = f"""
        import os

        os.environ["METAFLOW_ARGO_EVENTS_WEBHOOK_URL"] = "{webhook.url}"

        from metaflow import step
        from obproject import ProjectEvent, ProjectFlow

        class PublishingFlow(ProjectFlow):
            @step
            def start(self):
                self.prj.publish_event("ready", {{"rows": 3}})
                ProjectEvent("bare").publish()
                assert self.prj.safe_publish_event("quiet") is None
                assert self.prj.safe_publish_event(None, "nonsense") is None
                self.next(self.end)

            @step
            def end(self):
                pass

        if __name__ == "__main__":
            PublishingFlow()
    """
    write_flow(tmp_path, source, 'project = "tryout"\n\n[dev-assets]\nbranch = "main"\n')
    run = run_flow(tmp_path, None)
    assert run.ok, run.output
    assert [event["name"] for event in webhook.events] == [
        "prj.tryout.user_alice.ready",
        "prj.tryout.user_alice.bare",
    ]
    assert len([line for line in run.said() if "was not published" in line]) == 2
