"""What Metaflow says of runs: facts, state, cloned tasks, digests, failed attempts; read once, and never guessed."""

import json
import os
from datetime import timedelta
from io import StringIO

import psutil
import pytest
from django.core.management import call_command
from django.utils import timezone

from access.models import Perimeter
from catalog.counters import Recount
from catalog.models import ClonedTask, Consumption, Edge, Instance, MetadataSource, Run, StateChange
from catalog.reconciling import run_facts
from catalog.runs.metadata import MetadataFolder
from obproject.journal import Process
from tests.catalog.kept import START, Metaflow, Task
from tests.catalog.wire import PERIMETER

pytestmark = [pytest.mark.both, pytest.mark.django_db, pytest.mark.slow]

FLOW = "ComicFlow"
SHA, OTHER_SHA = "ab" * 20, "cd" * 20
GIT = {"repo_url": "https://ada:secret@example.org/me/x.git?token=1", "branch_name": "feature/x", "commit_sha": "f51d"}


@pytest.fixture(autouse=True)
def _no_configuration(monkeypatch, tmp_path):
    monkeypatch.setenv("METAFLOW_HOME", str(tmp_path / "no-configuration"))


@pytest.fixture
def metaflow(tmp_path):
    Perimeter.objects.get_or_create(name="default")
    return Metaflow(tmp_path / "project" / ".metaflow")


def reconcile(metaflow):
    metaflow.root.mkdir(parents=True, exist_ok=True)
    out = StringIO()
    call_command("reconcile", "--root", str(metaflow.root), stdout=out)
    return out.getvalue()


def task(metaflow, run=1, step="start", name=1, attempt=0):
    return Task(metaflow.root, f"{FLOW}/{run}/{step}/{name}", attempt)


def end_of(metaflow, run=1):
    return task(metaflow, run, "end", 9).resumes().ends()


def run(number=1):
    return Run.objects.get(name=f"{FLOW}/{number}")


def records_read(monkeypatch):
    """The tasks whose records are read from now on."""
    read, record = [], MetadataFolder.record

    def noted(self, path):
        read.append(path.folder)
        return record(self, path)

    monkeypatch.setattr(MetadataFolder, "record", noted)
    return read


class TestFacts:
    def test_what_no_client_has_told_is_read_from_metaflow(self, metaflow, api):
        api.register(task=task(metaflow).resumes().ends().path)
        task(metaflow, step="end", name=2).note("git-info", json.dumps(GIT))
        metaflow.notes(f"{FLOW}/1")
        reconcile(metaflow)
        found = run()
        assert (found.user, found.tags, found.started_at) == (
            "ada",
            ["nightly"],
            START.replace(microsecond=START.microsecond // 1000 * 1000),
        )
        assert (found.metaflow_version, found.python_version) == ("2.19.39", "3.11.7")
        assert (found.repository, found.commit) == ("https://example.org/me/x.git", "f51d")
        assert (found.git_branch, found.dirty) == ("feature/x", False)
        assert (found.parameters, found.configs, found.graph, found.reported_at) == (None, None, None, None)

    def test_changes_that_are_not_committed(self, metaflow, api):
        api.register(task=task(metaflow).path)
        task(metaflow).note("git-info", json.dumps(GIT | {"has_uncommitted_changes": True}))
        reconcile(metaflow)
        assert run().dirty is True

    def test_what_a_client_has_told_stays(self, metaflow, api):
        told = {"user": "eve", "commit": "mine", "tags": ["t"]}
        api.register(task=task(metaflow).ends().path, run=told)
        task(metaflow).note("git-info", json.dumps(GIT))
        metaflow.notes(f"{FLOW}/1")
        reconcile(metaflow)
        found = run()
        assert (found.user, found.commit, found.repository, found.dirty, found.tags) == ("eve", "mine", "", None, ["t"])
        assert found.metaflow_version == "2.19.39"  # which it has not told

    @pytest.mark.each
    @pytest.mark.parametrize(
        ("git", "repository", "commit"),
        [
            ("no JSON", "", ""),
            ("[]", "", ""),
            (json.dumps({"repo_url": "https://example.org/x"}), "", ""),
            (json.dumps({"commit_sha": "a\0b"}), "", ""),
            (json.dumps({"commit_sha": "f", "repo_url": "x" * 600}), "", "f"),
            (json.dumps({"commit_sha": "f", "repo_url": "git@example.org:me/x.git"}), "example.org:me/x.git", "f"),
            (json.dumps({"commit_sha": "f", "repo_url": "ssh://git:pw@example.org/x"}), "ssh://example.org/x", "f"),
            (json.dumps({"commit_sha": "f", "repo_url": "https://[::1/x"}), "", "f"),
        ],
    )
    def test_hostile_facts(self, metaflow, api, git, repository, commit):
        api.register(task=task(metaflow).path)
        task(metaflow).note("git-info", git)
        metaflow.notes(
            f"{FLOW}/1", tags=["a\0b", 7, "x" * 999, "fine"], system_tags="no", user_name="e\ud800", ts_epoch=1e40
        )
        reconcile(metaflow)
        found = run()
        assert (found.repository, found.commit, found.tags, found.user) == (repository, commit, ["fine"], "")
        assert found.started_at is None

    def test_a_session_is_no_run_of_metaflow(self, metaflow, api):
        api.register(task="app", session="s_" + "0" * 20)
        reconcile(metaflow)
        found = Run.objects.get()
        assert (found.read_at, found.state, found.clones_read_at) == (None, "", None)

    def test_tags_that_were_added_do_not_change_when_a_local_run_began(self, metaflow, api):
        """Metaflow writes the run's own note anew, with the time of that."""
        path = f"{FLOW}/1796001805066366"
        api.register(task=Task(metaflow.root, f"{path}/start/1").path)
        metaflow.notes(path, tags=["added"])
        reconcile(metaflow)
        assert Run.objects.get().started_at.isoformat() == "2026-11-30T01:23:25.066366+00:00"


class TestState:
    def test_a_run_that_ended_well(self, metaflow, api):
        api.register(task=task(metaflow).ends().path)
        end = end_of(metaflow)
        reconcile(metaflow)
        found = run()
        assert (found.state, found.finished_at) == (
            "succeeded",
            end.at.replace(microsecond=end.at.microsecond // 1000 * 1000),
        )
        assert found.read_at is not None

    def test_a_run_that_goes_on(self, metaflow, api):
        running = task(metaflow)
        api.register(task=running.path, state="pending")
        reconcile(metaflow)
        assert (run().state, run().finished_at) == ("running", None)
        running.ends()
        reconcile(metaflow)
        assert run().state == "running"  # its next step begins at any moment
        end_of(metaflow)
        reconcile(metaflow)
        assert run().state == "succeeded"

    def test_a_run_has_failed_once_nothing_of_it_runs(self, metaflow, api):
        api.register(task=task(metaflow).ends().path)
        other = task(metaflow, step="loop", name=2)
        failed = task(metaflow, step="loop", name=3).ends(ok=False)
        reconcile(metaflow)
        assert run().state == "running"
        other.ends()
        reconcile(metaflow)
        assert run().state == "failed"
        assert failed.at - timedelta(seconds=1) < run().finished_at <= other.at

    def test_a_run_goes_on_after_a_caught_step_and_fails_with_a_caught_end(self, metaflow, api):
        caught = task(metaflow).raises("the step raised RuntimeError: disk full, caught by @catch")
        api.register(task="Other/1/start/1")
        api.consume("data/xkcd/instances/v1", task=caught.path, attempt=0)
        reconcile(metaflow)
        assert run().state == "running"
        task(metaflow, step="end", name=9).raises("the step raised RuntimeError: again, caught by @catch")
        reconcile(metaflow)
        assert run().state == "failed", "as Metaflow counts it: by its last step"
        assert Consumption.objects.get().failed is None

    def test_a_retry_makes_a_failed_run_go_on(self, metaflow, api):
        failed = task(metaflow).ends(ok=False)
        api.register(task=failed.path)
        reconcile(metaflow)
        assert run().state == "failed"
        again = task(metaflow, attempt=1)
        reconcile(metaflow)
        assert (run().state, run().finished_at) == ("running", None)
        again.ends()
        end_of(metaflow)
        reconcile(metaflow)
        assert run().state == "succeeded"

    def test_a_run_whose_process_is_gone_has_failed(self, metaflow, api):
        gone = task(metaflow)
        dead = next(pid for pid in range(2**22, 0, -1) if not psutil.pid_exists(pid))
        kept = gone.registers(process=Process(os.uname().nodename, dead))
        api.register(task=gone.path, id=kept.id, attempt=0, state="pending")
        reconcile(metaflow)
        assert run().state == "failed"

    def test_how_a_run_ended_that_nobody_noted_is_not_guessed(self, metaflow, api):
        """It was killed between two steps, long ago."""
        ended = task(metaflow).ends()
        ended.at -= timedelta(days=4)
        api.register(task=ended.path)
        for file in ended.meta.glob("sysmeta_*"):
            note = json.loads(file.read_text())
            file.write_text(json.dumps(note | {"ts_epoch": note["ts_epoch"] - 4 * 86_400_000}))
        metaflow.was_changed(ended.meta, seconds_ago=4 * 86_400)
        reconcile(metaflow)
        assert (run().state, run().finished_at) == ("", None)
        assert run().clones_read_at is not None

    def test_a_run_that_metaflow_does_not_have(self, metaflow, api):
        api.register(task=f"{FLOW}/1/start/1")
        api.register(task=f"{FLOW}/a b/start/1")
        reconcile(metaflow)
        assert set(Run.objects.values_list("state", "clones_read_at")) == {("", None)}
        assert not Run.objects.filter(read_at=None).exists()

    def test_it_is_looked_for_again_where_a_place_has_become_known(self, metaflow, api, tmp_path):
        api.register(task=task(metaflow).path)
        end_of(metaflow)
        reconcile(Metaflow(tmp_path / "elsewhere" / ".metaflow"))
        Run.objects.update(read_at=timezone.now(), first_at=timezone.now() - timedelta(days=90))
        reconcile(metaflow)
        assert run().state == "succeeded"

    def test_while_a_place_is_out_of_reach_it_is_not_given_up(self, metaflow, api):
        api.register(task=task(metaflow).path)
        MetadataSource.objects.create(place=str(metaflow.root))
        out = StringIO()
        metaflow.root.rename(metaflow.root.with_name("away"))
        call_command("reconcile", stdout=out)
        assert run().read_at is None
        metaflow.root.with_name("away").rename(metaflow.root)
        end_of(metaflow)
        call_command("reconcile", stdout=out)
        assert run().state == "succeeded"

    def test_other_perimeters_are_read_from_their_own_places(self, metaflow, api, settings):
        api.register(task=task(metaflow).path)
        end_of(metaflow)
        settings.MODE, settings.LOCAL_MODE = "team", False
        settings.RECONCILE = [f"other={metaflow.root}"]
        reconcile(metaflow)
        assert run().state == ""
        settings.RECONCILE = [f"default={metaflow.root}"]
        reconcile(metaflow)  # it is young, so it is looked for once more
        assert run().state == "succeeded"


class TestReadOnce:
    def test_what_has_ended_is_not_read_again(self, metaflow, api, monkeypatch):
        api.register(task=task(metaflow).ends().path)
        end_of(metaflow)
        reconcile(metaflow)
        read = records_read(monkeypatch)
        reconcile(metaflow)
        assert read == []
        task(metaflow).note("something", "else")  # it is over; nobody looks
        reconcile(metaflow)
        assert read == []

    def test_of_a_run_that_goes_on_only_what_has_changed_is_read(self, metaflow, api, monkeypatch):
        for name in range(1, 6):
            metaflow.was_changed(task(metaflow, step="loop", name=name).ends().meta, seconds_ago=3600)
        api.register(task=f"{FLOW}/1/loop/1")
        running = task(metaflow, step="last", name=7)
        reconcile(metaflow)
        read = records_read(monkeypatch)
        reconcile(metaflow)
        assert read == [running.path]

    def test_settling_and_reading_read_a_record_once(self, metaflow, monkeypatch):
        registering = task(metaflow)
        registering.registers()
        registering.consumes(registering.registers("other").id)
        registering.ends()
        end = end_of(metaflow)
        read = records_read(monkeypatch)
        reconcile(metaflow)
        assert sorted(read) == sorted([registering.path, end.path])

    def test_the_newest_runs_of_many_come_first(self, metaflow, api, monkeypatch):
        for number in range(1, 5):
            api.register(task=task(metaflow, number).path)
            end_of(metaflow, number)
        monkeypatch.setattr(run_facts, "RUNS_OF_A_PASS", 3)
        monkeypatch.setattr(run_facts, "BATCH", 2)
        reconcile(metaflow)
        states = dict(Run.objects.values_list("name", "state"))
        assert [states[f"{FLOW}/{number}"] for number in range(1, 5)] == ["", *["succeeded"] * 3]
        Run.objects.filter(state="succeeded").update(read_at=timezone.now())
        reconcile(metaflow)
        assert run(1).state == "succeeded"


class TestResumes:
    def resumed(self, metaflow, run, origin, tasks):
        for step, name, original in tasks:
            task(metaflow, run, step, name).is_cloned_from(str(origin), str(original))

    def test_a_run_that_resumes_none(self, metaflow, api):
        api.register(task=task(metaflow).resumes().path, run={"origin_run": "7"})
        reconcile(metaflow)
        assert (run().state, run().origin) == ("running", "")
        assert run().clones_read_at is not None
        assert not ClonedTask.objects.exists()

    def test_what_it_took_over(self, metaflow, api):
        task(metaflow, 1).resumes().ends()
        task(metaflow, 1, "train", 2).resumes().ends(ok=False)
        self.resumed(metaflow, 2, 1, [("start", 1, 1)])
        own = task(metaflow, 2, "train", 5).resumes("1")
        api.register(task=own.path, state="pending")
        reconcile(metaflow)
        assert (run(2).origin, run(2).clones_read_at, run(2).state) == (f"{FLOW}/1", None, "running")
        assert list(ClonedTask.objects.values_list("run__name", "task", "origin")) == [
            (f"{FLOW}/2", "start/1", f"{FLOW}/1/start/1")
        ]
        assert (run(1).state, run(1).component) == ("failed", run(2).component)  # it wrote nothing, and has a row
        own.ends()
        task(metaflow, 2, "end", 9).resumes("1").ends()
        reconcile(metaflow)
        assert run(2).clones_read_at is not None
        assert ClonedTask.objects.count() == 1

    def test_chains_are_followed_to_their_beginning(self, metaflow, api):
        task(metaflow, 1).resumes().ends()
        for number in (2, 3, 4):
            self.resumed(metaflow, number, number - 1, [("start", 1, 1), ("loop", 2, 3)])
        api.register(task=task(metaflow, 4, "end", 9).resumes("3").ends().path)
        reconcile(metaflow)
        assert dict(Run.objects.values_list("name", "origin")) == {
            f"{FLOW}/{number}": f"{FLOW}/{number - 1}" if number > 1 else "" for number in range(1, 5)
        }
        assert ClonedTask.objects.get(run=run(3), task="loop/2").origin == f"{FLOW}/2/loop/3"
        assert run(1).clones_read_at is not None
        assert "0 writes" in reconcile(metaflow)
        assert ClonedTask.objects.count() == 6

    def test_a_chain_that_bites_its_tail_ends(self, metaflow, api):
        self.resumed(metaflow, 1, 2, [("start", 1, 1)])
        self.resumed(metaflow, 2, 1, [("start", 1, 1)])
        api.register(task=f"{FLOW}/1/start/1")
        reconcile(metaflow)
        assert set(Run.objects.values_list("origin", flat=True)) == {f"{FLOW}/1", f"{FLOW}/2"}

    @pytest.mark.parametrize("origin", ["../x", "a/b", "", "1", "x" * 300, "a\0b"])
    def test_an_origin_that_can_not_be_one(self, metaflow, api, origin):
        api.register(task=task(metaflow, 1).is_cloned_from(origin, "1").path)
        reconcile(metaflow)
        assert run().origin == ""
        assert not ClonedTask.objects.exists()


class TestDigests:
    def test_settling_takes_it_from_the_record_of_the_artifact(self, metaflow):
        made = task(metaflow).stores("img", SHA)
        one = made.registers(body={"annotations": {"artifact": "img"}})
        made.registers("other", body={"annotations": {"artifact": "lacking"}})
        made.registers("third", body={"annotations": {"artifact": "../../x"}, "data_asset_kind": "artifact"})
        made.ends()
        reconcile(metaflow)
        assert dict(Instance.objects.values_list("asset__asset_id", "digest")) == {
            "xkcd": SHA, "other": None, "third": None,
        }  # fmt: skip
        assert StateChange.objects.get(instance__uid=one.id).digest == SHA

    def test_what_was_settled_before_gets_it_later(self, metaflow, api):
        made = task(metaflow).stores("img", SHA).ends()
        found = api.register(task=made.path, annotations={"artifact": "img"}, state="pending", attempt=0)
        api.post(f"{PERIMETER}/confirmations", {"entity_ref": made.ref, "attempt": 0, "state": "ready"})
        api.register("data/told", task=made.path, annotations={"artifact": "img"}, digest="mine")
        reconcile(metaflow)
        assert Instance.objects.get(uid=found["id"]).digest == SHA
        assert StateChange.objects.get().digest == SHA
        assert Instance.objects.get(asset__asset_id="told").digest == "mine"

    def test_only_of_the_attempt_that_ended_well(self, metaflow, api):
        first = task(metaflow).stores("img", OTHER_SHA).ends(ok=False)
        api.register(task=first.path, annotations={"artifact": "img"}, attempt=0)
        again = task(metaflow, attempt=1).stores("img", SHA).ends()
        api.register("data/b", task=again.path, annotations={"artifact": "img"})  # which attempt, was not told
        api.register("data/c", task=again.path, annotations={"artifact": "img"}, data_asset_kind="s3")
        reconcile(metaflow)
        assert dict(Instance.objects.values_list("asset__asset_id", "digest")) == {"xkcd": None, "b": SHA, "c": None}

    @pytest.mark.parametrize(
        "content", ["{", "[]", '{"name": "img", "sha": 7}', '{"name": "img", "sha": "a b"}', '{"sha": "ab"}']
    )
    def test_a_record_that_is_none(self, metaflow, api, content):
        made = task(metaflow).ends()
        (made.meta / "0_artifact_img.json").write_text(content)
        api.register(task=made.path, annotations={"artifact": "img"})
        reconcile(metaflow)
        assert Instance.objects.get().digest is None


class TestFailedReadings:
    def read(self, api, path, **more):
        api.consume("data/xkcd/instances/v1", task=path, **more)

    def failed(self):
        return list(Consumption.objects.order_by("pk").values_list("attempt", "failed"))

    def test_those_of_earlier_attempts(self, metaflow, api):
        api.register(task="Other/1/start/1")
        task(metaflow).ends(ok=False)
        again = task(metaflow, attempt=1)
        self.read(api, again.path, attempt=0)
        self.read(api, again.path)
        self.read(api, f"{FLOW}/1/start/2", attempt=0)
        reconcile(metaflow)
        assert self.failed() == [(0, True), (None, None), (0, None)]
        assert Edge.objects.get(direction="consumes").count == 2
        assert Recount().run().corrections == []

    def test_those_of_a_task_whose_last_attempt_failed(self, metaflow, api):
        api.register(task="Other/1/start/1")
        task(metaflow).ends(ok=False)
        again = task(metaflow, attempt=1).ends(ok=False)
        for attempt in ({"attempt": 0}, {"attempt": 1}, {}):
            self.read(api, again.path, **attempt)
        reconcile(metaflow)
        assert self.failed() == [(0, True), (1, True), (None, True)]
        assert Edge.objects.get(direction="consumes").count == 0
        assert Recount().run().corrections == []

    def test_a_lost_task_is_not_known_to_have_failed(self, metaflow, api):
        api.register(task="Other/1/start/1")
        gone = task(metaflow)
        dead = next(pid for pid in range(2**22, 0, -1) if not psutil.pid_exists(pid))
        kept = gone.consumes("v1", process=Process(os.uname().nodename, dead))
        self.read(api, gone.path, attempt=0, id=kept.id)
        reconcile(metaflow)
        assert run().state == "failed"
        assert self.failed() == [(0, None)]
