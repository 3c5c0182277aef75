"""An empty catalogue becomes what it was, as far as tasks wrote it; and a pass may be killed at any moment."""

import secrets
import sqlite3
import subprocess
import time
from contextlib import closing
from dataclasses import replace
from datetime import datetime
from functools import partial

import psycopg
import pytest
from django.core.management import CommandError
from django.utils import timezone

from access.models import Membership, Perimeter
from catalog.counters import Recount
from catalog.models import (
    Alias,
    AliasMove,
    Asset,
    Branch,
    ClonedTask,
    Consumption,
    Edge,
    GateVerdict,
    Instance,
    MissedWrite,
    Promotion,
    Run,
    SourceFlow,
    StateChange,
)
from catalog.reconciling import progress
from catalog.states import Outcome as Said
from obproject.branches import branch_key
from obproject.journal import Operation, Outcome
from tests import migrated
from tests.built_once import built_once
from tests.catalog.gating.lost import lose_the_catalogue, manage
from tests.catalog.kept import Metaflow
from tests.catalog.wire import PERIMETER, declaration, definition, deploy_body
from tests.conftest import POSTGRES, Site, database_url
from tests.places import ASSETSITE, CHECKOUT

pytestmark = pytest.mark.slow

WHERE = ("branch__project__perimeter__name", "branch__project__name", "branch__key", "kind", "asset_id")
OF_ASSET = tuple(f"asset__{name}" for name in WHERE)
COMPONENT = ("component__project_name", "component__kind", "component__name")
COMPARED = {
    Branch: ("project__name", "key", "git_name", "data_count", "models_count"),
    Asset: (*WHERE, "last_number", "ready_count", "newest__uid", "newest_ready__uid", "alias_index"),
    Instance: (
        *OF_ASSET, "uid", "number", "state", "asset_kind", "description", "annotations", "tags", "blobs",
        "producer_kind", "producer_id", *COMPONENT, "run", "promoted_from__uid", "attempt", "datastore_type",
        "datastore_root", "datastore_cards", "created_at", "foreach_path", "iteration", "digest",
    ),
    Consumption: (
        *OF_ASSET, "uid", "instance__uid", "reference", "entity_kind", "entity_id", *COMPONENT, "run", "write_branch",
        "write_branch_name", "at", "role", "attempt", "foreach_path", "iteration", "failed",
    ),
    Run: (
        "perimeter__name", "name", *COMPONENT, "branch", "user", "started_at", "metaflow_version", "python_version",
        "repository", "commit", "dirty", "git_branch", "parameters", "configs", "left_out", "tags", "graph", "origin",
        "state", "finished_at",
    ),
    ClonedTask: ("run__name", "task", "origin"),
    StateChange: ("instance__uid", "state", "digest"),
    Edge: (
        *OF_ASSET, *COMPONENT, "direction", "write_branch", "write_branch_name", "role", "count", "first_at", "last_at",
    ),
    Promotion: ("source__asset_id", "target__asset_id", "count", "first_at", "last_at", "last_instance__uid"),
    Alias: (*OF_ASSET, "name", "instance__uid", "entity_kind", "entity_id"),
    AliasMove: (*OF_ASSET, "uid", "name", "from_uid", "to_uid", "at", "entity_kind", "entity_id"),
    GateVerdict: (
        *WHERE, "alias", "instance_uid", "from_uid", "move__uid", "copy__uid", "comment", "entity_kind", "entity_id",
    ),
}  # fmt: skip


GATES = {"production": {"require": ["auc >= @production - 0.5"]}, "into branch": {"require": ["auc >= 0.5"]}}


def done(rows):
    """Of verdicts those of what was done: no task keeps what was refused."""
    return rows.exclude(outcome=Said.REFUSED) if rows.model is GateVerdict else rows


def catalogue():
    """All that tasks wrote, without the keys of rows: one line for each row."""
    return sorted(
        f"{model.__name__} {dict(zip(columns, row, strict=True))}"
        for model, columns in COMPARED.items()
        for row in done(model.objects.all()).values_list(*columns)
    )


def lose_everything():
    lose_the_catalogue()
    for model in (Membership, Perimeter):
        rows = model.objects.all()
        rows._raw_delete(rows.db)


@pytest.fixture
def metaflow(tmp_path, monkeypatch):
    monkeypatch.setenv("METAFLOW_HOME", str(tmp_path / "no-configuration"))
    return Metaflow(tmp_path / ".metaflow")


class World:
    """Tasks that keep what they write, and a catalogue that gets it, or misses it while it is away."""

    def __init__(self, api, metaflow):
        self.api, self.metaflow, self.away = api, metaflow, False
        self.artifacts = {}

    def path(self, entry):
        return f"{PERIMETER}/projects/{entry.project}/branches/{branch_key(entry.branch)}/{entry.kind}/{entry.asset}"

    def register(self, task, asset, artifact="", **more):
        if artifact:  # its digest is told by its task at the end, and noted by Metaflow
            body = more.setdefault("body", {})
            body["annotations"] = {"artifact": artifact, **body.get("annotations", {})}
            self.artifacts[task.path, task.attempt, artifact] = sha = secrets.token_hex(20)
            task.stores(artifact, sha)
        entry = task.registers(asset, at=timezone.now(), **more)
        return self.sent(task, entry, lambda: self.api.patch(self.path(entry), entry.body | {"id": entry.id}))

    def consume(self, task, instance, asset, **more):
        entry = task.consumes(instance, asset, at=timezone.now(), **more)
        address = f"{self.path(entry)}/instances/{instance}"
        self.sent(task, entry, lambda: self.api.put(address, entry.body | {"id": entry.id}))

    def move(self, task, alias, instance, asset):
        body = {"entity_ref": task.ref, "instance_id": instance}
        entry = task.entry(Operation.SET_ALIAS, asset, body=body, alias=alias, at=timezone.now())
        answer = self.api.put(f"{self.path(entry)}/aliases/{alias}", body | {"id": entry.id})
        assert answer.status_code == 200, answer.content
        task.keep(replace(entry, at=timezone.now()))
        at = datetime.fromisoformat(answer.data["alias"]["updated_at"])
        task.was_answered({entry.id: Outcome(at, receipt=answer.data["receipt"])})

    def delete(self, task, asset):
        entry = task.entry(Operation.DELETE, asset, at=timezone.now())
        assert self.api.delete(f"{self.path(entry)}?id={entry.id}").status_code == 204
        task.keep(replace(entry, at=timezone.now()))

    def sent(self, task, entry, send):
        if not self.away:
            answer = send()
            assert answer.status_code in (200, 201), answer.content
            at = answer.data.get("consumed_at") or answer.data["created_at"]
            receipt = answer.data.get("receipt", "")
            task.was_answered({entry.id: Outcome(datetime.fromisoformat(at), answer.data["number"], receipt=receipt)})
        return entry.id

    def deploy(self, **gates):
        """Gates of assets on main."""
        body = deploy_body(*(definition(asset, gates=declared) for asset, declared in gates.items()))
        assert self.api.post(f"{PERIMETER}/projects/churn/branches/main/deploys", body).status_code == 200

    def is_caught(self, task, reason):
        """Its step raises, and its run goes on."""
        task.raises(reason)
        if not self.away:
            body = {"entity_ref": task.ref, "attempt": task.attempt, "state": "failed", "reason": reason}
            answer = self.api.post(f"{PERIMETER}/confirmations", body | {"run_goes_on": True})
            assert answer.status_code == 200

    def ends(self, task, ok=True):
        task.ends(ok)
        state = "ready" if ok else "failed"
        if not self.away:
            body = {"entity_ref": task.ref, "attempt": task.attempt, "state": state}
            if ok:
                body["digests"] = self.digests_of(task)
            assert self.api.post(f"{PERIMETER}/confirmations", body).status_code == 200

    def digests_of(self, task):
        made = Instance.objects.filter(producer_id=task.path, attempt=task.attempt, annotations__has_key="artifact")
        return {
            uid: self.artifacts[task.path, task.attempt, name]
            for uid, name in made.values_list("uid", "annotations__artifact")
        }

    def resume(self, first):
        """A run with facts fails, is resumed, and that again; each attempt tells where it is."""
        failed, own = "ResumedFlow/1700000000000100", "ResumedFlow/1700000000000101"
        last = "ResumedFlow/1700000000000102"
        facts = {"user": "ada", "commit": "f51d", "dirty": True, "git_branch": "feature/x", "tags": ["nightly"]}
        facts |= {"parameters": {"alpha": 0.2}, "configs": {}, "left_out": ["api_key"], "metaflow_version": "2.19.39"}
        facts |= {"graph": {"start": ["loop"], "loop": ["join"], "join": ["end"], "end": []}}
        facts |= {"started_at": "2026-01-02T03:04:05+00:00", "repository": "https://example.org/x"}

        def told(step, path="", **more):
            return {"run": facts | more, "position": {"step": step, "foreach": path}}

        for run in (failed, own, last):
            self.metaflow.notes(run)
        start = self.metaflow.task(f"{failed}/start/1").resumes()
        self.consume(start, first, "model", body=told("start") | {"attempt": 0})
        self.ends(start)
        for attempt in (0, 1):
            split = self.metaflow.task(f"{failed}/loop/2", attempt=attempt).resumes()
            self.consume(
                split, first, "model", body=told("loop", "start:0") | {"attempt": attempt, "role": "evaluation"}
            )
            self.register(split, "shard", "part", body=told("loop", "start:0"))
            self.ends(split, ok=attempt == 1)
        reads = self.metaflow.task(f"{failed}/join/3").resumes()
        self.consume(reads, first, "model", body=told("join") | {"attempt": 0, "role": "baseline"})
        self.ends(reads, ok=False)  # it has only read
        self.metaflow.task(f"{own}/start/1").is_cloned_from("1700000000000100", "1")
        self.metaflow.task(f"{own}/loop/5").is_cloned_from("1700000000000100", "2")
        self.metaflow.task(f"{own}/join/6").resumes("1700000000000100").ends(ok=False)
        for step, name, origin in (("start", 1, 1), ("loop", 2, 5)):
            self.metaflow.task(f"{last}/{step}/{name}").is_cloned_from("1700000000000101", str(origin))
        join = self.metaflow.task(f"{last}/join/7").resumes("1700000000000101")
        self.register(join, "joined", "all", body=told("join", origin_run="1700000000000101"))
        self.ends(join)
        self.metaflow.task(f"{last}/end/8").resumes("1700000000000101").ends()

    def live(self):
        """Two weeks of a small project."""
        train, other = self.metaflow.task(), self.metaflow.task("OtherFlow/1700000000000001/start/1")
        first = self.register(train, "model", body={"annotations": {"auc": 0.9, "k": [1, None]}, "description": "ü"})
        self.register(train, "model")
        self.ends(train)
        self.consume(other, first, "model")
        self.move(other, "production", first, "model")
        failing = self.metaflow.task(minutes=5)
        self.register(failing, "model", branch="feature/x", body={"branch_name": "feature/x"})
        self.ends(failing, ok=False)
        again = self.metaflow.task(failing.path, attempt=1)
        self.register(again, "model", branch="feature/x", body={"branch_name": "feature/x"})
        self.ends(again)
        self.away = True
        missed = self.metaflow.task(minutes=6)
        tags = [{"key": "late", "value": "1"}]
        late = self.register(missed, "model", body={"tags": tags, "annotations": {"auc": 0.6}})
        self.consume(missed, first, "model")
        self.ends(missed)
        for self.away in (True, False):
            caught = self.metaflow.task(minutes=6)
            self.consume(caught, first, "model", body={"attempt": 0})
            self.register(caught, "half")
            self.is_caught(caught, "the step raised RuntimeError: disk full, caught by @catch")
        manage("reconcile", "--root", str(self.metaflow.root))
        more = self.metaflow.task(minutes=7)
        newest = self.register(more, "model")
        self.deploy(model=GATES, gold=GATES)
        copy = {"annotations": {"promoted_from_instance": newest, "auc": 0.7}, "state": "ready"}
        self.register(more, "gold", branch="main", body=copy)
        self.register(more, "scratch")
        self.ends(more)
        self.move(more, "production", late, "model")
        self.move(more, "best", newest, "model")
        self.deploy(model={"*": {"require": ["auc >= 2"]}}, gold={"into branch": {"require": ["auc >= 2"]}})
        self.delete(more, "scratch")
        self.register(other, "scratch")
        self.ends(other)
        self.resume(first)
        manage("reconcile")


def two_weeks(api, metaflow):
    World(api, metaflow).live()
    assert Recount().run().corrections == []
    assert Consumption.objects.filter(failed=True).count() == 2
    assert StateChange.objects.exclude(digest=None).count() == 2
    assert set(Instance.objects.filter(asset__asset_id="half").values_list("state", "state_reason")) == {
        ("failed", "the step raised RuntimeError: disk full, caught by @catch")
    }
    resumed = Run.objects.filter(name__startswith="Resumed").order_by("name")
    assert list(resumed.values_list("state", "origin")) == [
        ("failed", ""),
        ("failed", "ResumedFlow/1700000000000100"),
        ("succeeded", "ResumedFlow/1700000000000101"),
    ]


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """What is written once for all tests; none of them writes more."""
    return Metaflow(tmp_path_factory.mktemp("lived") / ".metaflow")


@pytest.mark.django_db
class TestRebuild:
    @pytest.fixture
    def lived(self, api, metaflow, kept):
        built_once(two_weeks, api, kept)
        return catalogue()

    def test_it_equals_the_original_row_by_row(self, lived, kept):
        lose_everything()
        said = manage("rebuild", "--root", str(kept.root))
        assert catalogue() == lived
        assert sum(line.startswith("Instance") for line in lived) == 14
        assert sum(line.startswith("ClonedTask") for line in lived) == 4
        assert sum(line.startswith("GateVerdict") for line in lived) == 2
        assert "database only" in said
        assert not MissedWrite.objects.exists()
        assert Recount().run().corrections == []

    def test_doing_it_again_changes_nothing(self, lived, kept):
        lose_everything()
        for _ in range(2):
            manage("rebuild", "--root", str(kept.root))
            assert catalogue() == lived

    def test_it_goes_on_where_it_was_stopped(self, lived, kept, monkeypatch):
        lose_everything()
        tick = progress.Progress.tick
        for stops_after in (1, 3, 5, 6, 7):
            left = iter(range(stops_after))

            def stop(self, left=left):
                if next(left, None) is None:
                    raise progress.Stopped
                tick(self)

            monkeypatch.setattr(progress.Progress, "tick", stop)
            assert "It was stopped" in manage("rebuild", "--root", str(kept.root))
        monkeypatch.undo()
        read = set(SourceFlow.objects.values_list("pk", flat=True))
        manage("rebuild", "--root", str(kept.root))
        assert catalogue() == lived
        assert set(SourceFlow.objects.values_list("pk", flat=True)) >= read  # what was read is not read again

    def test_a_catalogue_that_is_not_empty_is_refused(self, lived, kept):
        with pytest.raises(CommandError, match="can't be rebuilt"):
            manage("rebuild", "--root", str(kept.root))

    def test_an_older_backup_is_brought_up_to_date(self, lived, kept, api):
        """Lost instances come back with their numbers; later ones keep theirs."""
        lose_everything()
        Perimeter.objects.create(name="default")
        api.register("data/model")
        manage("reconcile", "--root", str(kept.root))
        model = Asset.objects.get(asset_id="model", branch__key="main")
        assert sorted(model.instances.values_list("number", flat=True)) == list(range(1, model.last_number + 1))
        assert model.instances.filter(actor="reconcile").count() == 4
        assert Recount().run().corrections == []

    def test_perimeters_are_made_that_the_sources_may_write_into(self, lived, kept, settings):
        lose_everything()
        settings.MODE, settings.LOCAL_MODE = "team", False
        settings.RECONCILE = [f"other={kept.root}"]
        assert "could not be backfilled" in manage("rebuild")
        assert not Perimeter.objects.exists()
        settings.RECONCILE = [f"*={kept.root}"]
        manage("rebuild")
        assert catalogue() == lived

    def test_what_a_task_consumed_of_a_definition_waits_for_the_next_deploy(self, api, metaflow):
        task = metaflow.task()
        task.consumes("d_" + "0" * 20, "llm")
        task.ends()
        said = manage("rebuild", "--root", str(metaflow.root))
        assert "which it consumed, is not known" in said
        api.patch("data/llm", declaration())
        manage("reconcile")
        assert Consumption.objects.get().instance is None


@pytest.fixture
def site(tmp_path):
    """The commands of a site with a database of its own, which is not served."""
    env = {"PATH": "/usr/bin:/bin", "METAFLOW_HOME": str(tmp_path), "ASSETSITE_HOME": str(tmp_path / "home")}
    (tmp_path / "home").mkdir()
    site = Site("", tmp_path / "home", env | {"DATABASE_URL": database_url(tmp_path / "home")})
    migrated.fill(site.env["DATABASE_URL"])
    return site


def written(site):
    """How many instances the database of a site has so far."""
    connect = partial(psycopg.connect, site.env["DATABASE_URL"])
    if not POSTGRES:
        connect = partial(sqlite3.connect, site.home / "catalogue.sqlite3", timeout=10)
    with closing(connect()) as catalogue:
        [[count]] = catalogue.execute("SELECT count(*) FROM catalog_instance")
    return count


@pytest.mark.both
@pytest.mark.long
def test_a_pass_that_is_killed_in_the_middle_is_taken_up_again(site, metaflow):
    tasks = 120  # more than go into one batch
    for _ in range(tasks):
        task = metaflow.task()
        for _ in range(3):
            task.registers(f"a{_}")
        task.ends()
    command = [*ASSETSITE, "rebuild", "--root", str(metaflow.root)]
    with subprocess.Popen(command, cwd=CHECKOUT, env=site.env, stdout=subprocess.PIPE, text=True) as running:
        while written(site) < 10 and running.poll() is None:
            time.sleep(0.01)
        running.kill()
    assert 10 <= written(site) < 3 * tasks
    assert "can't" not in site.manage("rebuild", "--root", str(metaflow.root))
    code = "from catalog.models import Instance; print(sorted(Instance.objects.values_list('number', 'state')))"
    said = site.manage("shell", "-v", "0", "-c", code)
    assert said.strip() == str(sorted([(number, "ready") for number in range(1, tasks + 1)] * 3))
    assert "0 corrections" in site.manage("recount")
