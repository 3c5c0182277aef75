"""Metadata in Metaflow's metadata service. A small server stands in for the real one, which PyPI does not have."""

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import StringIO

import pytest
from django.core.management import call_command
from django.utils import timezone

from access.models import Perimeter
from catalog.models import ClonedTask, Consumption, Instance, MetadataSource, Reconciliation, Run
from obproject.journal import TYPE, Outcome
from tests.catalog.kept import Task

pytestmark = [pytest.mark.django_db, pytest.mark.slow]
TASK = "ServedFlow/12/start/34"


class Service:
    """Answers as the real one does: lists of flows, runs, steps, tasks, and what was noted about each task."""

    def __init__(self):
        self.answers, self.asked, self.broken = {}, [], None

    def add(self, task, **more):
        flow, run, step, name = task.path.split("/")
        at = f"/flows/{flow}/runs/{run}"
        row = {"ts_epoch": int(task.at.timestamp() * 1000)} | more
        self.answers["/flows"] = [{"flow_id": flow}]
        self.answers[f"/flows/{flow}/runs"] = [{"run_number": int(run), "run_id": None, **row}]
        self.answers[at] = {"system_tags": ["user:ada", "metaflow_version:2.19.39"], "tags": ["nightly"], **row}
        self.answers[f"{at}/steps"] = [{"step_name": step}, {"step_name": "end"}]
        self.answers[f"{at}/steps/{step}/tasks"] = [{"task_id": int(name), "task_name": None, **row}]
        self.answers[f"{at}/steps/{step}/tasks/{name}"] = {"user_name": "ada", **row}
        self.answers[f"{at}/steps/{step}/tasks/{name}/metadata"] = task.notes
        return self


class Noted(Task):
    """A task whose metadata is in memory."""

    def __post_init__(self):
        self.notes = []
        self.note("attempt", str(self.attempt))

    def _write(self, name, content):
        self.notes.append(content)
        return self.root


@pytest.fixture
def task(tmp_path):
    return Noted(tmp_path, TASK)


@pytest.fixture
def service(task, settings, monkeypatch, tmp_path):
    monkeypatch.setenv("METAFLOW_HOME", str(tmp_path))
    monkeypatch.setenv("METAFLOW_SERVICE_AUTH_KEY", "key")
    served = Service().add(task)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            served.asked.append(self.path)
            found = served.answers.get(self.path)
            status = 403 if self.headers["x-api-key"] != "key" else 200 if found is not None else 404
            self.send_response(served.broken[0] if served.broken else status)
            self.end_headers()
            self.wfile.write(served.broken[1] if served.broken else json.dumps(found).encode())

        def log_message(self, *_):
            pass

    settings.MODE, settings.LOCAL_MODE = "team", False
    Perimeter.objects.create(name="default")
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        settings.RECONCILE = [f"default=http://127.0.0.1:{server.server_port}/"]
        yield served
        server.shutdown()


def reconcile():
    out = StringIO()
    call_command("reconcile", stdout=out)
    return out.getvalue()


def test_what_was_missed_is_backfilled(service, task):
    registered = task.registers()
    task.consumes(registered.id)
    task.was_answered({registered.id: Outcome(registered.at, 3)})
    task.ends()
    assert "1 run read, 2 writes backfilled, 1 instance settled" in reconcile()
    assert (Instance.objects.get().number, Instance.objects.get().state) == (3, "ready")
    assert "0 writes backfilled" in reconcile()
    assert Consumption.objects.count() == 1


def test_what_it_says_is_not_believed_blindly(service, task):
    task.registers()
    task.notes.append({"type": TYPE, "field_name": "assetsite-i_0", "value": 7, "tags": "no"})
    task.notes += [None, {"type": TYPE}, {"type": TYPE, "field_name": "assetsite-outcomes-x", "value": "{}"}]
    task.ends()
    service.answers["/flows"] += [{"flow_id": "../admin"}, {"flow_id": 3}, "x"]
    assert "1 write backfilled, 1 instance settled, 3 writes could not be backfilled" in reconcile()
    assert not [path for path in service.asked if "admin" in path]


def test_a_heart_that_has_stopped_is_a_lost_task(service, task, api):
    kept = task.registers(at=timezone.now())
    service.add(task, last_heartbeat_ts=int(time.time()) - 700)
    assert "1 write backfilled, 1 instance settled" in reconcile() or Instance.objects.exists()
    Instance.objects.update(created_at=kept.at - timezone.timedelta(minutes=5))
    reconcile()
    assert Instance.objects.get().state_reason.startswith("the task was lost: its heart")


def test_a_heart_that_beats_keeps_it_waiting(service, task):
    task.registers()
    service.add(task, last_heartbeat_ts=int(time.time()))
    assert "will be backfilled" in reconcile()
    assert not Instance.objects.exists()


@pytest.mark.parametrize(
    ("broken", "sentence"),
    [((500, b""), "answers with the status 500"), ((200, b"<html>"), "that is no JSON"), ((302, b""), "status 302")],
)
def test_a_service_that_does_not_answer_is_told_and_tried_again(service, task, broken, sentence):
    task.registers()
    task.ends()
    service.broken = broken
    assert sentence in reconcile()
    assert sentence in MetadataSource.objects.get().trouble
    assert Reconciliation.objects.last().complete
    service.broken = None
    assert "1 write backfilled" in reconcile()
    assert MetadataSource.objects.get().trouble == ""


class TestRuns:
    def test_facts_clones_and_digests_are_read(self, service, task):
        kept = task.registers(body={"annotations": {"artifact": "img"}})
        task.note("origin-run-id", "11")
        task.note("git-info", json.dumps({"commit_sha": "f51d"}))
        task.ends()
        service.answers["/flows/ServedFlow/runs/12/steps/start/tasks/34/artifacts"] = [
            {"name": "img", "sha": "0" * 40, "attempt_id": 1},
            {"name": "img", "sha": "ab" * 20, "attempt_id": 0},
        ]
        cloned = Noted(task.root, "ServedFlow/12/end/35").is_cloned_from("11", "7")
        at = "/flows/ServedFlow/runs/12/steps/end/tasks"
        service.answers[at] = [{"task_id": 35, "ts_epoch": 1}]
        service.answers[f"{at}/35"], service.answers[f"{at}/35/metadata"] = {"user_name": "ada"}, cloned.notes
        reconcile()
        found, origin = Run.objects.order_by("pk")
        assert (found.user, found.tags, found.metaflow_version, found.commit) == ("ada", ["nightly"], "2.19.39", "f51d")
        assert (found.state, found.origin, origin.name) == ("succeeded", "ServedFlow/11", "ServedFlow/11")
        assert (origin.read_at is None, origin.state) == (False, "")
        assert ClonedTask.objects.get().origin == "ServedFlow/11/end/7"
        assert Instance.objects.get(uid=kept.id).digest == "ab" * 20
        asked = len(service.asked)
        Run.objects.update(read_at=timezone.now() + timezone.timedelta(days=3))
        reconcile()
        assert not [path for path in service.asked[asked:] if path.endswith(("/runs/12", "/artifacts"))]

    def test_a_run_whose_heart_has_stopped_between_two_tasks_has_failed(self, service, task):
        task.registers()
        task.ends()
        service.add(task, last_heartbeat_ts=int(time.time()) - 700)
        reconcile()
        assert Run.objects.get().state == "failed"
        service.add(task, last_heartbeat_ts=int(time.time()))
        reconcile()
        assert Run.objects.get().state == "running"  # it beats again

    def test_a_service_that_goes_away_meanwhile_is_not_asked_again_and_again(self, service, task):
        for number in range(20, 23):
            perimeter = Perimeter.objects.get()
            Run.objects.create(perimeter=perimeter, name=f"ServedFlow/{number}", first_at=timezone.now())
        service.broken = (500, b"")
        reconcile()
        assert len([path for path in service.asked if "/runs/2" in path]) == 1
        assert set(Run.objects.values_list("read_at", flat=True)) == {None}
        service.broken = None
        reconcile()
        assert None not in set(Run.objects.values_list("read_at", flat=True))
