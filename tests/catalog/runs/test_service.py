"""Facts of a task whose metadata is in Metaflow's metadata service."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from catalog.runs import Datastore, Reason, TaskFacts, Unavailable, task_facts
from catalog.runs import facts as facts_module
from catalog.runs.stores import Silence

TASK = "Flow/argo-flow-x7/start/t-12"
ADDRESS = "/flows/Flow/runs/argo-flow-x7/steps/start/tasks/t-12"


def note(name: str, value: str, when: int, attempt: int = 0) -> dict[str, object]:
    return {"field_name": name, "value": value, "type": name, "ts_epoch": when, "tags": [f"attempt_id:{attempt}"]}


ANSWERS = {
    ADDRESS: {"user_name": "ada", "ts_epoch": 1000, "tags": ["nightly"], "system_tags": ["runtime:argo-workflows"]},
    f"{ADDRESS}/metadata": [
        note("attempt_ok", "False", 3000),
        note("attempt", "1", 5000, attempt=1),
        note("attempt_ok", "True", 9000, attempt=1),
        note("attempt-done", "1", 9000, attempt=1),
        note("kubernetes-pod-name", "flow-x7-12", 5000, attempt=1),
    ],
}


class MetadataService(BaseHTTPRequestHandler):
    """The two addresses that are read, in the shape of the real service; asks for a key, as a hosted one does."""

    def do_GET(self) -> None:
        known = self.path in ANSWERS
        self.send_response(200 if known and self.headers["x-api-key"] == "key" else 404 if not known else 403)
        self.end_headers()
        self.wfile.write(json.dumps(ANSWERS.get(self.path)).encode())

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setattr(facts_module, "_service_silence", Silence())
    with ThreadingHTTPServer(("127.0.0.1", 0), MetadataService) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setenv("METAFLOW_SERVICE_URL", f"http://127.0.0.1:{server.server_port}/")
        monkeypatch.setenv("METAFLOW_SERVICE_AUTH_KEY", "key")
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture
def datastore(tmp_path: Path) -> Datastore:
    """A datastore that knows of the task's first attempt only."""
    folder = tmp_path / "datastore" / TASK
    folder.mkdir(parents=True)
    (folder / "0.attempt.json").write_text('{"time": 1}')
    return Datastore("local", str(tmp_path / "datastore"))


@pytest.mark.usefixtures("service")
def test_the_service_tells_what_the_datastore_does_not(datastore: Datastore) -> None:
    facts = task_facts(TASK, datastore)
    assert isinstance(facts, TaskFacts)
    assert (facts.state, facts.attempt, facts.user, facts.seconds) == ("succeeded", 1, "ada", 4.0)
    assert facts.tags == ("nightly",)
    assert facts.where == "in Kubernetes, pod flow-x7-12"
    assert facts.metadata["attempt_ok"] == "True"


@pytest.mark.usefixtures("service")
def test_a_task_that_the_service_does_not_know_is_told_by_its_files(datastore: Datastore, tmp_path: Path) -> None:
    (tmp_path / "datastore" / TASK).rename(tmp_path / "datastore" / "Flow/argo-flow-x7/start/t-13")
    facts = task_facts("Flow/argo-flow-x7/start/t-13", datastore)
    assert isinstance(facts, TaskFacts)
    assert (facts.state, facts.user) == ("running", None)


@pytest.mark.parametrize(
    "broken", [{"METAFLOW_SERVICE_AUTH_KEY": "wrong"}, {"METAFLOW_SERVICE_URL": "http://127.0.0.1:1"}]
)
@pytest.mark.usefixtures("service")
def test_a_service_that_refuses_or_does_not_answer_leaves_what_the_datastore_tells(
    datastore: Datastore, broken: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in broken.items():
        monkeypatch.setenv(name, value)
    facts = task_facts(TASK, datastore)
    assert isinstance(facts, TaskFacts)
    assert (facts.state, facts.user) == ("running", None)


@pytest.mark.usefixtures("service")
def test_the_service_is_not_asked_about_another_perimeters_task(datastore: Datastore, tmp_path: Path, settings) -> None:
    settings.CARD_ROOTS = [f"beta={datastore.root}", str(tmp_path)]
    assert isinstance(task_facts(TASK, datastore._replace(perimeter="beta")), TaskFacts)
    facts = task_facts(TASK, Datastore("local", str(tmp_path), "alpha"))
    assert isinstance(facts, Unavailable)
    assert facts.reason is Reason.TASK_GONE
