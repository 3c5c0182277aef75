"""What the probes say, to whom, and why the site can't serve."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from django.db import OperationalError
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client
from django.utils import timezone

from assetsite import health
from catalog.models import Reconciliation
from catalog.reconciling.lag import lag_of_passes

PROBES = ("/livez", "/healthz", "/readyz")


@dataclass
class Database:
    """What the probes ask of Django's connection; `answers` to every question, or fails."""

    vendor: str
    answers: tuple | Exception = ()
    file: Path = Path("/nowhere")

    @property
    def settings_dict(self) -> dict[str, str]:
        return {"NAME": str(self.file)}

    def is_in_memory_db(self) -> bool:
        return False

    @contextmanager
    def cursor(self) -> Iterator[Database]:
        if isinstance(self.answers, Exception):
            raise self.answers
        yield self

    def execute(self, sql: str) -> None:
        pass

    def fetchone(self) -> tuple:
        return self.answers


def reason(path: str) -> str:
    answer = Client().get(path, SERVER_NAME="localhost")
    assert answer.status_code == 503
    return answer.json()["message"]


@pytest.mark.both
@pytest.mark.parametrize("path", PROBES)
@pytest.mark.parametrize("host", ["10.0.3.7:8000", "assets.example.org", "_"])
def test_they_answer_under_any_host_name_to_anybody_and_everywhere(path, host, db, settings):
    settings.SECURE_SSL_REDIRECT = True
    answer = Client().get(path, HTTP_HOST=host, HTTP_X_FORWARDED_FOR="192.0.2.1")
    assert (answer.status_code, answer.json()["status"]) == (200, "ok")
    assert answer.headers["Cache-Control"] == "no-store"
    assert not answer.cookies


def test_no_other_address_does():
    assert Client().get("/healthz/", HTTP_HOST="10.0.3.7:8000").status_code == 400


@pytest.mark.parametrize("path", PROBES)
def test_they_only_read(path, db):
    answer = Client().post(path)
    assert (answer.status_code, answer.headers["Allow"]) == (405, "GET, HEAD")


def test_without_a_database_the_process_lives_but_can_not_serve(monkeypatch):
    monkeypatch.setattr(health, "connection", Database("postgresql", OperationalError("connection refused")))
    assert Client().get("/livez").status_code == 200
    assert reason("/healthz") == reason("/readyz") == "The database does not answer."


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        ((True, "on"), "The database is in recovery, or a copy of another one, and takes no writes."),
        ((False, "on"), "The database takes reads only."),
    ],
)
def test_a_postgresql_that_takes_no_writes_is_told(monkeypatch, row, sentence):
    monkeypatch.setattr(health, "connection", Database("postgresql", row))
    assert reason("/healthz") == sentence


class TestOnSqlite:
    @pytest.fixture
    def file(self, tmp_path, monkeypatch):
        """The file of a database that the probes believe to use."""
        file = tmp_path / "catalogue.sqlite3"
        file.touch()
        monkeypatch.setattr(health, "connection", Database("sqlite", file=file))
        return file

    def test_a_disk_that_takes_writes_is_fine_and_keeps_nothing(self, file):
        assert Client().get("/healthz").status_code == 200
        assert list(file.parent.iterdir()) == [file]

    def test_a_full_disk_is_told(self, file, monkeypatch):
        def full(*args, **kwargs):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        monkeypatch.setattr(health, "tempfile", SimpleNamespace(TemporaryFile=full))
        assert reason("/healthz") == "The disk of the database takes no writes: No space left on device."

    def test_a_file_that_is_gone_is_told(self, file):
        file.unlink()
        assert reason("/healthz") == "The file of the database is gone."

    def test_the_disk_is_tried_once_in_a_while(self, tmp_path, monkeypatch):
        now = [100.0]
        monkeypatch.setattr(health, "time", SimpleNamespace(monotonic=lambda: now[0]))
        disk = health.Disk(tmp_path / "folder")
        (tmp_path / "folder").mkdir()
        disk.check()
        (tmp_path / "folder").rmdir()
        disk.check()
        now[0] += health.WRITTEN_AGAIN_AFTER
        with pytest.raises(health.Unfit):
            disk.check()


class TestReadiness:
    @pytest.fixture(autouse=True)
    def asks_anew(self):
        health._migrated.clear()
        yield
        health._migrated.clear()

    def test_migrations_that_are_missing_are_told(self, db):
        MigrationRecorder.Migration.objects.filter(app="catalog").order_by("name").last().delete()
        assert Client().get("/healthz").status_code == 200
        assert reason("/readyz") == "The database waits for being migrated."

    def test_once_migrated_it_is_not_asked_again(self, db, django_assert_num_queries):
        Client().get("/readyz")
        # the database answers; the last pass; the first one, as there is none; messages to sort; webhooks to send to
        with django_assert_num_queries(5):
            Client().get("/readyz")


class TestTheLag:
    def told(self, minutes: float, *, complete: bool = True) -> dict:
        now = timezone.now()
        ended = now - timedelta(minutes=minutes)
        Reconciliation.objects.create(started_at=ended, finished_at=ended, complete=complete)
        return lag_of_passes(now)

    def test_it_is_told_in_seconds(self, db):
        assert self.told(2) == {"reconciled_seconds_ago": 120}

    def test_before_the_first_pass_there_is_none(self, db):
        assert lag_of_passes(timezone.now()) == {"reconciled_seconds_ago": None}

    @pytest.mark.parametrize(("every", "late"), [(5, 16), (60, 181)])
    def test_it_is_warned_of_when_it_is_large(self, db, settings, every, late):
        settings.RECONCILE_MINUTES = every
        assert "warning" not in self.told(late - 2)
        Reconciliation.objects.all().delete()
        assert "warning" in self.told(late)

    def test_passes_that_never_end_whole_are_late_too(self, db):
        assert self.told(16, complete=False)["reconciled_seconds_ago"] is None
        assert "warning" in lag_of_passes(timezone.now())

    def test_a_site_that_makes_no_passes_tells_none(self, db, settings):
        settings.RECONCILE_MINUTES = 0
        assert Client().get("/readyz").json() == {"status": "ok", "telling_seconds_late": 0}
