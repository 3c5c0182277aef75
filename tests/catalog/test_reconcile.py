"""Missed writes are backfilled from Metaflow's metadata: exactly once, in their time, and nothing else."""

import json
import os
import socket
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from importlib import import_module
from io import StringIO

import psutil
import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db import transaction
from django.utils import timezone

from access.models import Perimeter
from catalog.counters import Recount
from catalog.models import (
    Alias,
    AliasMove,
    Asset,
    Branch,
    Consumption,
    Instance,
    Lease,
    MissedWrite,
    OpenRun,
    Reconciliation,
    Run,
    SourceFlow,
    StateChange,
)
from catalog.reconciling import lease
from catalog.reconciling.applying import Applier
from obproject.branches import branch_key
from obproject.journal import VERDICT, Operation, Outcome, Process, new_id
from tests.catalog.kept import START, Metaflow, Task
from tests.catalog.wire import PERIMETER

pytestmark = [pytest.mark.both, pytest.mark.django_db, pytest.mark.slow]


@pytest.fixture(autouse=True)
def _no_configuration(monkeypatch, tmp_path):
    monkeypatch.setenv("METAFLOW_HOME", str(tmp_path / "no-configuration"))


@pytest.fixture
def metaflow(tmp_path):
    return Metaflow(tmp_path / "project" / ".metaflow")


@pytest.fixture
def perimeter(db):
    return Perimeter.objects.get_or_create(name="default")[0]


def manage(command, *options):
    out = StringIO()
    call_command(command, *options, stdout=out)
    return out.getvalue()


def reconcile(metaflow, *options):
    metaflow.root.mkdir(parents=True, exist_ok=True)
    return manage("reconcile", "--root", str(metaflow.root), *options)


def instances():
    """Every instance as asset, number and state, in the order of numbers."""
    rows = Instance.objects.order_by("asset__asset_id", "number")
    return [
        f"{asset} v{number} {state}" for asset, number, state in rows.values_list("asset__asset_id", "number", "state")
    ]


def rows():
    """All that reconciling may write into the catalogue."""
    return [
        list(model.objects.order_by("pk").values())
        for model in (Asset, Instance, Consumption, Alias, AliasMove, StateChange, MissedWrite)
    ]


def errors():
    return sorted(MissedWrite.objects.values_list("error", flat=True))


def test_a_server_that_missed_everything_has_it_all(metaflow, perimeter):
    task = metaflow.task()
    registered = task.registers(body={"annotations": {"rows": 3}, "tags": [{"key": "a", "value": "b"}]})
    task.consumes(registered.id)
    task.ends()
    assert "1 run read, 2 writes backfilled, 1 instance settled" in reconcile(metaflow)
    instance = Instance.objects.get()
    assert (instance.uid, instance.number, instance.state) == (registered.id, 1, "ready")
    assert (instance.created_at, instance.actor, instance.annotations) == (registered.at, "reconcile", {"rows": 3})
    assert instance.asset.created_at == registered.at
    consumption = Consumption.objects.get()
    assert (consumption.instance, consumption.reference, consumption.actor) == (instance, "latest", "reconcile")
    assert (consumption.write_branch_name, consumption.run) == ("feature/x", instance.run)
    assert Recount().run().corrections == []


def told():
    """What came of all writes, without keys that the database gives."""
    of_run = ("name", "first_at", "reported_at", "user", "branch", "component__name")
    of_instance = ("uid", "number", "state", "created_at", "settled_at", "run", "asset__asset_id", "component__name")
    of_asset = ("asset_id", "created_at", "last_number", "ready_count", "newest__uid", "newest_ready__uid")
    return [
        list(Run.objects.order_by("name").values_list(*of_run)),
        list(Instance.objects.order_by("uid").values_list(*of_instance)),
        list(Asset.objects.order_by("asset_id").values_list(*of_asset)),
        list(Branch.objects.values_list("key", "data_count")),
        errors(),
    ]


def test_what_is_registered_together_is_what_it_is_one_by_one(metaflow, perimeter, monkeypatch):
    for number in range(3):
        task = metaflow.task(f"Flow{number % 2}/{number}/s/1")
        for asset in "bab":
            task.registers(asset, body={"run": {"user": "ada"}} if asset == "a" else {})
        task.registers("c", body={"entity_ref": {"entity_kind": "task"}})
        task.ends()
    still = metaflow.task("Flow0/9/s/1")
    still.registers("still")
    together = Applier._register_together
    done = []
    for way in (together, lambda self, rows: set()):
        with transaction.atomic():
            monkeypatch.setattr(Applier, "_register_together", way)
            reconcile(metaflow)
            assert Recount().run().corrections == []
            done.append(told())
            transaction.set_rollback(True)
    assert done[0] == done[1]
    assert [len(found) for found in done[0]] == [3, 9, 2, 1, 4]


def test_many_are_registered_with_few_queries_each(metaflow, perimeter, django_assert_max_num_queries):
    task = metaflow.task()
    for number in range(50):
        task.registers(f"a{number % 5}")
    task.ends()
    with django_assert_max_num_queries(580):
        reconcile(metaflow)
    assert Instance.objects.count() == 50


def test_only_what_is_missing_is_backfilled(metaflow, api):
    task = metaflow.task()
    known = task.registers()
    api.register(task=task.path, id=known.id, attempt=0)
    task.registers()
    task.ends()
    reconcile(metaflow)
    assert instances() == ["xkcd v1 ready", "xkcd v2 ready"]
    assert [row.actor == "reconcile" for row in Instance.objects.order_by("number")] == [False, True]
    assert Recount().run().corrections == []


def test_a_client_that_repeats_what_was_backfilled_gets_it_and_not_another(metaflow, perimeter, api):
    task = metaflow.task()
    entry = task.registers(body={"annotations": {"rows": 3.0}, "tags": [{"key": "a", "value": "b"}]})
    reading = task.consumes(entry.id)
    task.ends()
    reconcile(metaflow)
    sent = {**entry.body, "id": entry.id, "branch_name": "main"}
    assert api.patch("data/xkcd", sent).data["id"] == entry.id
    assert api.put("data/xkcd/instances/latest", {**reading.body, "id": reading.id}).status_code == 200
    assert api.patch("data/xkcd", sent | {"annotations": {"rows": 4}}).status_code == 409
    assert (Instance.objects.count(), Consumption.objects.count()) == (1, 1)


def test_doing_it_again_changes_nothing(metaflow, perimeter):
    task = metaflow.task()
    task.consumes(task.registers().id)
    task.ends()
    reconcile(metaflow)
    before = rows()
    assert "0 writes backfilled" in reconcile(metaflow)
    SourceFlow.objects.all().delete()  # all is read from the beginning
    assert "1 run read, 0 writes backfilled" in reconcile(metaflow)
    assert rows() == before


def test_what_was_refused_is_not_backfilled(metaflow, perimeter):
    task = metaflow.task()
    refused = task.registers()
    task.was_answered({refused.id: Outcome(refused="no such project")})
    task.ends()
    assert "0 writes backfilled" in reconcile(metaflow)
    assert not Instance.objects.exists()
    assert not MissedWrite.objects.exists()


def test_a_refusal_that_is_noted_later_counts_too(metaflow, perimeter):
    task = metaflow.task()
    refused = task.registers()
    assert "will be backfilled once their tasks" in reconcile(metaflow)
    task.was_answered({refused.id: Outcome(refused="no")})
    task.ends()
    reconcile(metaflow)
    assert not Instance.objects.exists()
    assert not MissedWrite.objects.exists()


def test_while_a_task_runs_its_client_is_left_to_it(metaflow, perimeter):
    task = metaflow.task()
    task.registers()
    assert "0 writes backfilled" in reconcile(metaflow)
    task.ends()
    assert "1 write backfilled" in reconcile(metaflow)
    assert instances() == ["xkcd v1 ready"]


def test_it_has_the_time_and_number_that_the_catalogue_gave_it(metaflow, perimeter):
    task = metaflow.task()
    first, second = task.registers(), task.registers()
    then = START + timedelta(minutes=5)
    task.was_answered({second.id: Outcome(then, 1), first.id: Outcome(then + timedelta(minutes=1), 4)})
    reconcile(metaflow)
    assert list(Instance.objects.order_by("number").values_list("uid", "number", "created_at")) == [
        (second.id, 1, then),
        (first.id, 4, then + timedelta(minutes=1)),
    ]
    assert Asset.objects.get().last_number == 4


def test_one_without_a_number_takes_the_free_one_behind_older_ones(metaflow, perimeter):
    """v3 was numbered when it arrived, behind v2 and before v4, though it was made before v2."""
    task = metaflow.task()
    numbered = {1: task.registers(), 2: None, 3: None, 4: None}
    late, numbered[2], numbered[4] = task.registers(), task.registers(), task.registers()
    task.was_answered({entry.id: Outcome(entry.at, number) for number, entry in numbered.items() if entry})
    task.ends()
    reconcile(metaflow)
    assert Instance.objects.get(uid=late.id).number == 3
    assert Asset.objects.get().newest_ready.number == 4


def test_a_number_that_somebody_else_has_now_is_not_taken_from_them(metaflow, api):
    api.register()
    task = metaflow.task()
    mine = task.registers()
    task.was_answered({mine.id: Outcome(mine.at, 1)})
    task.ends()
    reconcile(metaflow)
    assert Instance.objects.get(uid=mine.id).number == 2
    assert Asset.objects.get().newest_ready.number == 1


def test_what_arrives_late_does_not_become_latest(metaflow, api):
    newest = api.register()
    metaflow.task().registers()
    (path,) = metaflow.root.glob("*/*/*/*")
    Task(metaflow.root, str(path.relative_to(metaflow.root))).ends()
    reconcile(metaflow)
    assert instances() == ["xkcd v1 ready", "xkcd v2 ready"]
    assert api.get("data/xkcd/instances/latest").data["id"] == newest["id"]


def test_a_retried_attempt_supersedes_the_failed_one(metaflow, perimeter):
    first = metaflow.task()
    first.registers()
    first.ends(ok=False)
    again = Task(metaflow.root, first.path, attempt=1, at=first.at)
    again.registers()
    again.ends()
    reconcile(metaflow)
    assert instances() == ["xkcd v1 failed", "xkcd v2 ready"]


def test_a_copy_waits_for_its_source(metaflow, perimeter):
    """The clock of the machine that promoted is behind that of the one that trained."""
    trained, promoted = metaflow.task(minutes=10), metaflow.task(minutes=5)
    source = trained.registers("model")
    copy = promoted.registers("gold", body={"annotations": {"promoted_from_instance": source.id}, "state": "ready"})
    trained.ends()
    promoted.ends()
    reconcile(metaflow)
    assert Instance.objects.get(uid=copy.id).promoted_from.uid == source.id


class TestAliasesAndDeletions:
    """They are kept after the catalogue has done them, so they are missing only after a loss."""

    def test_after_a_loss_they_are_made_again(self, metaflow, perimeter):
        task = metaflow.task()
        first, second = task.registers(), task.registers()
        moves = [task.moves("production", each.id) for each in (first, second)]
        task.keep(task.entry(Operation.DELETE_ALIAS, "xkcd", alias="gone", body={"entity_ref": task.ref}))
        task.ends()
        reconcile(metaflow)
        assert Alias.objects.get().instance.uid == second.id
        assert list(AliasMove.objects.order_by("pk").values_list("uid", "to_uid", "at")) == [
            (moves[0].id, first.id, moves[0].at),
            (moves[1].id, second.id, moves[1].at),
        ]

    def test_a_move_of_somebody_else_since_stands(self, metaflow, api):
        task = metaflow.task()
        mine = task.registers()
        task.moves("production", mine.id)
        theirs = api.register()
        api.put("data/xkcd/aliases/production", {"entity_ref": task.ref, "instance_id": theirs["id"]})
        task.ends()
        reconcile(metaflow)
        assert Alias.objects.get().instance.uid == theirs["id"]
        assert not MissedWrite.objects.exists()

    def test_a_deletion_is_made_again_for_what_was_there_then(self, metaflow, perimeter):
        task = metaflow.task()
        task.registers()
        task.keep(task.entry(Operation.DELETE, "xkcd"))
        task.registers()
        task.ends()
        reconcile(metaflow)
        old, new = Asset.objects.order_by("pk")
        assert (old.deleted_at is None, new.deleted_at is None) == (False, True)
        assert new.last_number == 1
        assert "0 writes backfilled" in reconcile(metaflow)

    def test_a_deletion_does_not_concern_what_was_registered_since(self, metaflow, api):
        task = metaflow.task()
        task.keep(task.entry(Operation.DELETE, "xkcd"))
        task.ends()
        api.register()
        assert "0 writes backfilled" in reconcile(metaflow)
        assert Asset.objects.live().exists()
        assert not MissedWrite.objects.exists()

    def test_what_the_catalogue_did_under_an_id_is_not_done_again(self, metaflow, api):
        task = metaflow.task()
        api.register()
        kept = task.keep(task.entry(Operation.DELETE, "xkcd"))
        api.delete(f"data/xkcd?id={kept.id}")
        api.register()
        task.ends()
        assert "0 writes backfilled" in reconcile(metaflow)
        assert Asset.objects.live().exists()

    def test_what_was_registered_before_a_deletion_does_not_come_back(self, metaflow, api):
        task = metaflow.task()
        task.consumes(task.registers().id)
        task.ends()
        api.register()
        api.delete("data/xkcd")
        reconcile(metaflow)
        assert not Asset.objects.live().exists()
        assert not MissedWrite.objects.exists()


class TestWhatCanNotBeMadeUp:
    """It stays with its reason and is tried again: never passed over in silence."""

    @pytest.mark.parametrize(
        ("more", "reason"),
        [
            ({"perimeter": "elsewhere"}, "There is no perimeter 'elsewhere'."),
            ({"body": {"data_asset_kind": 7}}, "Its body is not valid: data_asset_kind: must be a string."),
            ({"body": {"attempt": -1}}, "Its body is not valid: attempt: "),
            ({"body": {"annotations": {"n": float("nan")}}}, "annotations.n is NaN, which JSON does not have."),
            ({"body": {"description": "a\0b"}}, "description has a NUL"),
            ({"body": {"branch_name": "other"}}, "The branch name in its body"),
            ({"body": {"annotations": {"a": "x" * 70_000}}}, "Its body is not valid: annotations"),
            ({"body": {"annotations": {"": 1}}}, "Its body is not valid: annotations: has an empty key."),
            (
                {"body": {"tags": [{"key": "", "value": "1"}]}},
                "Its body is not valid: tags: 0: key: This field may not be blank.",
            ),
            ({"kind": "files"}, "'files' is neither data nor models."),
            ({"project": "no/name"}, "The project name"),
            ({"branch": "***"}, "The branch name"),
            ({"asset": "../x"}, "The asset id"),
        ],
    )
    def test_a_registration(self, metaflow, perimeter, more, reason):
        task = metaflow.task()
        asset = more.pop("asset", "xkcd")
        body = {"data_asset_kind": "artifact"} | more.pop("body", {})
        task.registers(asset, body=body, **more)
        task.ends()
        assert "0 writes backfilled, 1 write could not be backfilled" in reconcile(metaflow)
        (error,) = errors()
        assert error.startswith(reason)
        assert reason in reconcile(metaflow)
        assert not Asset.objects.exists()

    def test_a_consumption_of_what_nobody_knows(self, metaflow, perimeter):
        task = metaflow.task()
        task.consumes(new_id(Operation.REGISTER))
        task.ends()
        reconcile(metaflow)
        assert "is not known" in errors()[0]

    def test_it_is_backfilled_once_the_reason_is_gone(self, metaflow, perimeter):
        task = metaflow.task()
        task.registers(perimeter="later")
        task.ends()
        reconcile(metaflow)
        Perimeter.objects.create(name="later")
        assert "1 write backfilled" in reconcile(metaflow)
        assert not MissedWrite.objects.exists()

    def test_it_does_not_keep_others_from_it(self, metaflow, perimeter):
        for name in ("bad", "good"):
            task = metaflow.task()
            task.registers(body={"data_asset_kind": 7} if name == "bad" else {})
            task.ends()
        assert "1 write backfilled" in reconcile(metaflow)


class TestHostileFiles:
    @pytest.mark.parametrize(
        ("content", "reason"),
        [
            (b"{", "It is no JSON."),
            (b"[" * 100_000, "It is no JSON."),
            (b"[]", "It has no text for a value."),
            (json.dumps({"value": "{}"}).encode(), "It is no entry: it is not written in version 1"),
            (json.dumps({"value": "\0"}).encode(), "It is no entry"),
            (json.dumps({"value": '"\ud800"'}).encode(), "It is no entry"),
        ],
    )
    def test_what_is_no_entry_is_told(self, metaflow, perimeter, content, reason):
        task = metaflow.task()
        task.registers()
        (task.meta / "sysmeta_assetsite-i_0000_1.json").write_bytes(content)
        task.ends()
        assert "1 write backfilled, 1 instance settled, 1 write could not be backfilled" in reconcile(metaflow)
        assert errors()[0].startswith(reason)

    def test_a_year_that_no_clock_shows(self, metaflow, perimeter):
        task = metaflow.task()
        entry = task.entry(Operation.REGISTER, "xkcd", body={})
        text = entry.as_json().replace(entry.at.isoformat(), "0001-01-01T00:00:00+23:59")
        task.note(entry.field, text, "assetsite")
        task.ends()
        reconcile(metaflow)
        assert errors()[0].startswith("It is no entry")

    def test_a_file_that_is_too_large(self, metaflow, perimeter):
        task = metaflow.task()
        with (task.meta / "sysmeta_assetsite-i_0000_1.json").open("wb") as file:
            file.truncate(100 * 1024 * 1024)
        task.ends()
        reconcile(metaflow)
        assert errors()[0].startswith("This is larger than 16 MB")

    def test_links_that_lead_out(self, metaflow, perimeter, tmp_path):
        outside = Metaflow(tmp_path / "outside")
        secret = outside.task()
        secret.registers()
        secret.ends()
        task = metaflow.task()
        (file,) = secret.meta.glob("sysmeta_assetsite-*")
        (task.meta / file.name).symlink_to(file)
        (metaflow.root / "LinkedFlow").symlink_to(outside.root / "ComicFlow")
        task.ends()
        assert "1 run read, 0 writes backfilled, 1 write could not be backfilled" in reconcile(metaflow)
        assert errors() == ["It is no file that this server may read."]

    def test_a_pipe_does_not_hold_it_up(self, metaflow, perimeter):
        task = metaflow.task()
        os.mkfifo(task.meta / "sysmeta_assetsite-i_0000_1.json")
        task.ends()
        reconcile(metaflow)
        assert errors() == ["It is no file that this server may read."]

    @pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
    def test_what_belongs_to_somebody_else(self, metaflow, perimeter):
        task = metaflow.task()
        task.registers()
        task.ends()
        (file,) = task.meta.glob("sysmeta_assetsite-*")
        os.chown(file, 12345, 12345)
        reconcile(metaflow)
        assert errors() == ["It is no file that this server may read."]
        os.chown(metaflow.root, 12345, 12345)
        assert "not the server's own user's" in reconcile(metaflow)

    def test_an_attempt_and_a_clock_beyond_all_bounds(self, metaflow, perimeter):
        task = metaflow.task()
        task.attempt = 10**30
        task.note("attempt_ok", "True")
        task.registers(body={"attempt": 1}, at=datetime(9999, 1, 1, tzinfo=UTC))
        (note,) = task.meta.glob("sysmeta_attempt_ok_*")
        note.write_text(note.read_text().replace('"ts_epoch": ', '"ts_epoch": 9999999999999'))
        reconcile(metaflow)
        assert MissedWrite.objects.exists() or Instance.objects.get().created_at <= timezone.now()

    def test_the_settings_of_a_flow_are_no_flow(self, metaflow, perimeter):
        (metaflow.root / "mf.cards" / "1" / "start").mkdir(parents=True)
        (metaflow.root / "ComicFlow" / "data" / "ab").mkdir(parents=True)
        (metaflow.root / "notes").write_text("")
        assert "0 runs read" in reconcile(metaflow)


class TestSettling:
    """Instances that were registered as pending and never confirmed."""

    @pytest.fixture
    def task(self, metaflow):
        return metaflow.task()

    def pending(self, api, task, *, minutes_ago=5, **more):
        kept = task.registers(**more)
        body = {"datastore": {"type": "local", "root": str(task.root)}, "state": "pending", "attempt": task.attempt}
        api.register(task=task.path, id=kept.id, **body)
        then = timezone.now() - timedelta(minutes=minutes_ago)
        Instance.objects.filter(uid=kept.id).update(created_at=then)
        Asset.objects.update(newest_at=then)
        return kept

    @pytest.mark.parametrize(("ok", "state"), [(True, "ready"), (False, "failed")])
    def test_by_how_metaflow_says_that_the_task_ended(self, metaflow, api, task, ok, state):
        self.pending(api, task)
        task.ends(ok)
        assert "0 writes backfilled, 1 instance settled" in reconcile(metaflow)
        assert instances() == [f"xkcd v1 {state}"]
        change = StateChange.objects.get()
        assert (change.actor, change.reason) == ("reconcile", "" if ok else "the task failed")
        assert api.get("data/xkcd/instances/latest").status_code == (200 if ok else 404)

    @pytest.mark.parametrize("caught", [True, False])
    def test_the_word_of_the_task_goes_before_that_of_metaflow(self, metaflow, api, task, caught):
        api.register("data/read", task="Other/1/start/1")
        api.consume("data/read/instances/v1", task=task.path, attempt=0)
        self.pending(api, task)
        task.raises("the step raised RuntimeError: disk full", caught=caught)
        reconcile(metaflow)
        assert instances() == ["read v1 ready", "xkcd v1 failed"]
        assert Instance.objects.get(state="failed").state_reason == "the step raised RuntimeError: disk full"
        assert api.get("data/xkcd/instances/latest").status_code == 404
        assert Consumption.objects.get().failed is (None if caught else True)

    @pytest.mark.parametrize(
        ("verdict", "reason"),
        [
            ('{"v": 1, "success": true}', None),
            ('{"v": 2, "success": false}', None),
            ('{"v": 1, "success": "no"}', None),
            ('{"v": 1, "success": false, "reason": 7}', None),
            ("[" * 100_000, None),
            ('{"v": 1, "success": false}', "the task failed"),
            ('{"v": 1, "success": false, "reason": "a\\u0000b\\ud800"}', "ab"),
            (json.dumps({"v": 1, "success": False, "reason": "x" * 10_000}), "x" * 512),
        ],
    )
    def test_a_word_that_makes_no_sense_is_passed_over(self, metaflow, api, task, verdict, reason):
        self.pending(api, task)
        task.note(VERDICT, verdict)
        task.ends()
        reconcile(metaflow)
        assert instances() == ["xkcd v1 ready" if reason is None else "xkcd v1 failed"]
        assert Instance.objects.get().state_reason == (reason or "")

    def test_the_word_of_an_earlier_attempt_is_not_that_of_a_later_one(self, metaflow, api, task):
        task.raises("the step raised RuntimeError: once", caught=False)
        again = Task(metaflow.root, task.path, attempt=1, at=task.at)
        self.pending(api, again)
        again.ends()
        reconcile(metaflow)
        assert instances() == ["xkcd v1 ready"]

    def test_one_that_is_just_registered_is_not_taken_for_lost(self, metaflow, api, task):
        self.pending(api, task, minutes_ago=0, process=self.dead())
        reconcile(metaflow)
        assert instances() == ["xkcd v1 pending"]

    def test_one_whose_task_runs_stays_pending(self, metaflow, api, task):
        self.pending(api, task, process=Process(socket.gethostname(), os.getpid()), at=timezone.now())
        reconcile(metaflow)
        assert instances() == ["xkcd v1 pending"]

    def test_a_higher_attempt_has_superseded_it(self, metaflow, api, task):
        self.pending(api, task)
        Task(metaflow.root, task.path, attempt=1, at=task.at)
        reconcile(metaflow)
        assert Instance.objects.get().state_reason == "superseded by attempt 1"

    def dead(self):
        gone = subprocess.Popen([sys.executable, "-c", ""])
        gone.wait()
        return Process(socket.gethostname(), gone.pid)

    def test_a_process_that_is_gone_is_lost(self, metaflow, api, task):
        self.pending(api, task, process=self.dead())
        reconcile(metaflow)
        assert Instance.objects.get().state_reason == "the task was lost: its process is gone"

    def test_a_process_that_got_its_number_since_is_another_one(self, metaflow, api, task):
        self.pending(api, task, process=Process(socket.gethostname(), os.getpid()))
        began = datetime.fromtimestamp(psutil.Process().create_time(), UTC)
        assert task.entries[0].at < began  # of hours ago, as its task
        reconcile(metaflow)
        assert instances() == ["xkcd v1 failed"]

    def test_a_process_of_another_machine_says_nothing(self, metaflow, api, task):
        self.pending(api, task, process=replace(self.dead(), host="elsewhere"))
        reconcile(metaflow)
        assert instances() == ["xkcd v1 pending"]

    def test_without_any_sign_it_is_lost_after_a_while(self, metaflow, api, settings, task):
        self.pending(api, task)
        settings.LOST_AFTER_HOURS = 1.9
        reconcile(metaflow)
        assert instances() == ["xkcd v1 pending"]
        Instance.objects.update(created_at=START)
        reconcile(metaflow)
        assert Instance.objects.get().state_reason.startswith("the task was lost: no sign of it since")

    def test_its_own_word_revives_it(self, metaflow, api, task):
        self.pending(api, task, process=self.dead())
        reconcile(metaflow)
        api.post(f"{PERIMETER}/confirmations", {"entity_ref": task.ref, "state": "ready", "attempt": 0})
        assert instances() == ["xkcd v1 ready"]
        assert api.get("data/xkcd/instances/latest").data["ref"] == "v1"

    def test_what_metaflow_notes_later_revives_it_too(self, metaflow, api, task):
        self.pending(api, task, process=self.dead())
        reconcile(metaflow)
        reconcile(metaflow)
        assert StateChange.objects.count() == 1
        task.ends()
        reconcile(metaflow)
        assert instances() == ["xkcd v1 ready"]

    def test_where_nobody_can_be_asked_it_stays_pending_and_is_told(self, metaflow, api):
        api.register(state="pending", attempt=0, datastore={"type": "s3", "root": "s3://bucket/prefix"})
        Instance.objects.update(created_at=START)
        Asset.objects.update(newest_at=START)
        assert "ComicData/1/start/1 stays pending: " in manage("reconcile")
        assert instances() == ["xkcd v1 pending"]

    def test_a_killed_task_whose_writes_never_arrived_is_backfilled_as_lost(self, metaflow, perimeter, task):
        task.registers(process=self.dead())
        assert "1 write backfilled, 1 instance settled" in reconcile(metaflow)
        assert instances() == ["xkcd v1 failed"]


class TestSinceTheLastTime:
    """A pass reads what is new, however much there was before."""

    def read(self, metaflow):
        reconcile(metaflow)
        return Reconciliation.objects.last().runs

    def test_ended_runs_are_read_once(self, metaflow, perimeter):
        for _ in range(3):
            task = metaflow.task()
            task.registers()
            task.ends()
            metaflow.ends("/".join(task.path.split("/")[:2]))
        assert self.read(metaflow) == 3
        metaflow.was_changed(metaflow.root / "ComicFlow", 10)
        assert self.read(metaflow) == 0
        assert not OpenRun.objects.filter(closed=False).exists()

    def test_a_run_is_read_until_it_ends(self, metaflow, perimeter):
        task = metaflow.task()
        run = "/".join(task.path.split("/")[:2])
        assert self.read(metaflow) == 1
        later = metaflow.task(f"{run}/join/2")
        later.registers()
        later.ends()
        assert self.read(metaflow) == 1
        assert instances() == ["xkcd v1 ready"]
        metaflow.ends(run)
        assert [self.read(metaflow) for _ in range(2)] == [1, 0]

    def test_a_run_that_ended_a_moment_ago_is_read_once_more(self, metaflow, perimeter):
        """The outcomes are recorded after the end of the last task."""
        task = metaflow.task()
        run = "/".join(task.path.split("/")[:2])
        metaflow.ends(run)
        metaflow.was_changed(metaflow.root / run / "end" / "9" / "_meta", 5)
        assert [self.read(metaflow) for _ in range(2)] == [1, 1]

    def test_a_run_that_failed_is_left_after_a_long_silence(self, metaflow, perimeter, settings):
        task = metaflow.task()
        task.ends(ok=False)
        metaflow.was_changed(task.meta, 3 * 86_400)
        settings.LOST_AFTER_HOURS = 1
        assert [self.read(metaflow) for _ in range(2)] == [1, 0]

    def test_a_run_that_is_listed_late_is_not_missed(self, metaflow, perimeter):
        """Its folder comes into being after that of a run that began later."""
        newer = metaflow.task(minutes=119)
        newer.ends()
        self.read(metaflow)
        older = metaflow.task(minutes=118)
        older.registers()
        older.ends()
        self.read(metaflow)
        assert instances() == ["xkcd v1 ready"]

    def test_runs_named_by_a_scheduler_are_found_by_their_folders(self, metaflow, perimeter):
        for name in ("argo-b", "argo-a"):
            task = metaflow.task(f"ComicFlow/{name}/start/t-1")
            task.registers()
            task.ends()
            self.read(metaflow)
        assert instances() == ["xkcd v1 ready", "xkcd v2 ready"]

    @pytest.mark.long
    def test_a_thousand_old_runs_cost_next_to_nothing(self, metaflow, perimeter, django_assert_max_num_queries):
        flow = metaflow.root / "OldFlow"
        for number in range(1_000):
            (flow / str(1_600_000_000_000_000 + number) / "start" / "1").mkdir(parents=True)
        assert self.read(metaflow) == 1_000
        metaflow.was_changed(flow, 10)
        with django_assert_max_num_queries(60):
            assert self.read(metaflow) == 0
        task = metaflow.task("OldFlow/1700000000000000/start/1")
        task.registers()
        task.ends()
        with django_assert_max_num_queries(140):
            assert self.read(metaflow) == 1
        assert not OpenRun.objects.filter(name__startswith="16").exists()

    def test_folders_that_flows_named_are_read_without_being_given(self, metaflow, api):
        metaflow.root.mkdir(parents=True)
        api.register(datastore={"type": "local", "root": str(metaflow.root)})
        task = metaflow.task()
        task.registers("other")
        task.ends()
        assert "1 write backfilled" in manage("reconcile")

    def test_metaflows_own_setting_is_read(self, metaflow, perimeter, monkeypatch):
        monkeypatch.setenv("METAFLOW_DATASTORE_SYSROOT_LOCAL", str(metaflow.root.parent))
        task = metaflow.task()
        task.registers()
        task.ends()
        assert "1 write backfilled" in manage("reconcile")

    def test_the_folder_of_a_project_stands_for_its_metadata(self, metaflow, perimeter):
        task = metaflow.task()
        task.registers()
        task.ends()
        assert "1 write backfilled" in manage("reconcile", "--root", str(metaflow.root.parent))


class TestTeamMode:
    @pytest.fixture(autouse=True)
    def _team(self, settings, perimeter):
        settings.MODE, settings.LOCAL_MODE = "team", False
        Perimeter.objects.create(name="beta")

    def kept_in(self, metaflow, perimeter):
        task = metaflow.task()
        task.registers(perimeter=perimeter)
        task.ends()

    def test_nothing_is_read_that_is_not_listed(self, metaflow, api):
        self.kept_in(metaflow, "default")
        with pytest.raises(CommandError, match="ASSETSITE_RECONCILE does not list"):
            reconcile(metaflow)
        assert "0 runs read" in manage("reconcile")

    def test_a_source_writes_into_its_own_perimeter_only(self, metaflow, settings):
        settings.RECONCILE = [f"beta={metaflow.root}"]
        self.kept_in(metaflow, "default")
        self.kept_in(metaflow, "beta")
        assert "1 write backfilled, 1 instance settled, 1 write could not be backfilled" in manage("reconcile")
        assert Instance.objects.get().asset.branch.project.perimeter.name == "beta"
        assert errors() == ["It names the perimeter 'default', but its source may write into beta only."]

    @pytest.mark.parametrize("entries", [["*"], ["beta", "default"]])
    def test_several_perimeters_may_share_a_source(self, metaflow, settings, entries):
        settings.RECONCILE = [f"{name}={metaflow.root}" for name in entries]
        self.kept_in(metaflow, "default")
        self.kept_in(metaflow, "beta")
        assert "2 writes backfilled" in manage("reconcile")


class TestOneAtATime:
    def test_another_pass_is_left_to_itself(self, perimeter, metaflow):
        held = lease.HeldLease()
        with pytest.raises(CommandError, match="being brought up to date already"):
            manage("reconcile")
        held.release()
        manage("reconcile")

    def test_a_process_that_is_gone_holds_nothing(self, perimeter):
        gone = subprocess.Popen([sys.executable, "-c", ""])
        gone.wait()
        holder = f"{socket.gethostname()}/{gone.pid}/1700000000/ab"
        Lease.objects.create(name=lease.NAME, holder=holder, until=timezone.now() + lease.DURATION)
        manage("reconcile")

    def test_what_another_machine_holds_runs_out(self, perimeter):
        row = Lease.objects.create(name=lease.NAME, holder="elsewhere/1/1/ab", until=timezone.now() + lease.DURATION)
        with pytest.raises(CommandError):
            manage("reconcile")
        Lease.objects.filter(pk=row.pk).update(until=timezone.now())
        manage("reconcile")

    def test_who_lost_it_ends(self, perimeter, monkeypatch):
        monkeypatch.setattr(lease, "RENEWED_AFTER", 0)
        held = lease.HeldLease()
        Lease.objects.update(holder="elsewhere/1/1/ab")
        with pytest.raises(lease.LeaseLost):
            held.renew()


def test_a_trial_changes_nothing(metaflow, perimeter):
    task = metaflow.task()
    task.registers()
    task.ends()
    said = reconcile(metaflow, "--dry-run")
    assert "1 write backfilled" in said
    assert "nothing was changed" in said
    assert not any(rows())
    assert not Reconciliation.objects.exists()


def test_a_task_that_can_not_be_opened_is_told_and_others_are_read(metaflow, perimeter, monkeypatch):
    from catalog.runs.results import Reason, UnavailableError
    from catalog.runs.stores import LocalStore

    for name in ("1700000000000001", "1700000000000002"):
        task = metaflow.task(f"ComicFlow/{name}/start/1")
        task.registers()
        task.ends()
    scan = LocalStore.scan

    def closed(store, folder):
        if "1700000000000001/start/1" in folder:
            raise UnavailableError(Reason.UNREACHABLE, "It is closed.")
        return scan(store, folder)

    monkeypatch.setattr(LocalStore, "scan", closed)
    said = reconcile(metaflow)
    assert "ComicFlow/1700000000000001: It is closed." in said
    assert "1 write backfilled" in said
    monkeypatch.undo()
    assert "1 write backfilled" in manage("reconcile")


def test_what_runs_long_says_how_far_it_is(metaflow, perimeter, monkeypatch):
    from catalog.reconciling import progress

    monkeypatch.setattr(progress, "REPORTED_EVERY", 0)
    for _ in range(2):
        task = metaflow.task()
        task.registers()
        task.ends()
    assert "1 run read, 0 writes backfilled\n" in reconcile(metaflow)


def test_root_that_is_not_there(perimeter, tmp_path):
    with pytest.raises(CommandError, match="There is no folder"):
        manage("reconcile", "--root", str(tmp_path / "nowhere"))


def test_with_nothing_to_read_it_says_what_to_do(perimeter):
    assert "--root" in manage("reconcile")


def test_entries_at_once(metaflow, perimeter, monkeypatch):
    """More entries than are staged or applied at once, of the same moment."""
    from catalog.reconciling import applying, collecting

    monkeypatch.setattr(collecting, "STAGED_ROWS", 3)
    monkeypatch.setattr(applying, "BATCH", 2)
    task = metaflow.task()
    for _ in range(7):
        task.registers(at=START)
    task.ends()
    assert "7 writes backfilled" in reconcile(metaflow)
    assert [row.number for row in Instance.objects.order_by("number")] == list(range(1, 8))


def registers_on(metaflow, branch, **more):
    task = metaflow.task()
    task.registers(branch=branch, body={"branch_name": branch}, **more)
    return task.ends()


def branches():
    return dict(Branch.objects.order_by("git_name").values_list("git_name", "key"))


def test_users_whose_names_had_one_key_have_a_branch_each(metaflow, perimeter):
    for name in ("user.李", "user.王", "user.李"):
        registers_on(metaflow, name)
    assert "3 writes backfilled" in reconcile(metaflow)
    assert branches() == {name: branch_key(name) for name in ("user.李", "user.王")}
    assert errors() == []


@pytest.mark.parametrize("name", ["user.李", ""])
def test_what_was_missed_goes_to_the_branch_that_was_there_before(metaflow, api, name):
    """A branch of an older version, which has a name, or that of a client that says none."""
    api.register("/v1/perimeters/default/projects/churn/branches/user/data/xkcd")
    Branch.objects.update(git_name=name)
    import_module("catalog.migrations.0012_branch_keys").fill(apps, None)
    task = registers_on(metaflow, "user.李")
    task.consumes(task.entries[0].id, branch="user.李", body={"consumer": {"project": "churn", "branch": "user.李"}})
    assert "2 writes backfilled" in reconcile(metaflow)
    assert branches() == {"user.李": "user"}
    assert Consumption.objects.get().write_branch == "user"
    assert (instances(), errors()) == (["xkcd v1 ready", "xkcd v2 ready"], [])
