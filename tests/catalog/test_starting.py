"""What can't start says why in a sentence; what starts together waits for each other."""

import os
import subprocess
import threading
from types import SimpleNamespace

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, OperationalError, connections
from django.db.migrations.recorder import MigrationRecorder

from catalog.starting import faults, readiness
from catalog.starting.migrating import WAITS, alone
from tests.conftest import database_url
from tests.places import CHECKOUT, MANAGE

REFUSED = (
    'connection failed: connection to server at "::1", port 5432 failed: Connection refused\n\tIs the server running '
    "on that host and accepting TCP/IP connections?\nMultiple connection attempts failed. All failures were:\n- host: "
    "'localhost', port: '5432', hostaddr: '::1': connection failed: connection to server at \"::1\", port 5432 failed: "
    "Connection refused\n\tIs the server running on that host and accepting TCP/IP connections?"
)
FATAL = 'connection failed: connection to server at "127.0.0.1", port 5432 failed: FATAL:  '
FROM_DRIVERS = [
    ("sqlite", "unable to open database file", "'/x/c.db' can't be opened: its folder is missing", False),
    ("sqlite", "file is not a database", "'/x/c.db' is no SQLite database", False),
    ("sqlite", "attempt to write a readonly database", "'/x/c.db' can't be written to", False),
    ("sqlite", "database is locked", "'/x/c.db' is in use", False),
    ("sqlite", "database disk image is malformed", "Restore a backup", False),
    ("sqlite", "database or disk is full", "is full. Make room.", False),
    ("sqlite", "disk I/O error", "can't be read or written to", False),
    ("sqlite", "no such table: catalog_asset", "Set it up first: assetsite manage migrate", False),
    ("postgresql", REFUSED, "at db:5432 can't be used: Connection refused. Start it", True),
    ("postgresql", f"{FATAL}the database system is starting up", "used: the database system is starting up.", True),
    ("postgresql", "failed to resolve host 'db': [Errno -2] Name or service not known", "resolve host 'db'", True),
    ("postgresql", f'{FATAL}password authentication failed for user "ada"', "Correct user and password", False),
    ("postgresql", f'{FATAL}role "ada" does not exist', "Correct user and password", False),
    ("postgresql", f'{FATAL}database "c" does not exist', "Make it with createdb", False),
    ("postgresql", 'invalid connection option "sslmod"', "Correct what comes after ?", False),
]


@pytest.mark.parametrize(("vendor", "message", "words", "waits"), FROM_DRIVERS)
def test_a_database_that_can_not_be_used_is_told_in_a_sentence(monkeypatch, vendor, message, words, waits):
    where = {"NAME": "/x/c.db", "HOST": "db", "PORT": 5432}
    monkeypatch.setattr(faults, "connection", SimpleNamespace(vendor=vendor, settings_dict=where))
    error = OperationalError(message)
    sentence = faults.sentence_about(error)
    assert words in sentence.replace("file /x/c.db", "file '/x/c.db'")
    assert "\n" not in sentence
    assert faults.may_come_back(error) is waits


@pytest.mark.django_db
def test_an_error_of_our_own_is_no_fault_of_the_database():
    assert faults.sentence_about(IntegrityError("UNIQUE constraint failed: x")) == ""


@pytest.mark.slow
@pytest.mark.sample(2)
@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("sqlite:///{folder}/none.sqlite3", "none.sqlite3 is no SQLite database."),
        ("postgres://ada:s3cret@127.0.0.1:1/x", "'x' at 127.0.0.1:1 can't be used: Connection refused."),
        ("sqlite:///{folder}", "can't be opened"),
    ],
)
@pytest.mark.parametrize("command", ["migrate", pytest.param("recount", marks=pytest.mark.long)])
def test_a_command_ends_with_that_sentence(tmp_path, url, words, command):
    (tmp_path / "none.sqlite3").write_text("Not a database, but long enough to be looked at." * 20)
    env = {"PATH": os.environ["PATH"], "ASSETSITE_HOME": str(tmp_path), "DATABASE_URL": url.format(folder=tmp_path)}
    command = [*MANAGE, command]
    done = subprocess.run(command, cwd=CHECKOUT, env=env, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert words in done.stderr
    assert "s3cret" not in done.stderr
    assert "Traceback" not in done.stderr


class Starting:
    """A database that is not there for the first attempts."""

    vendor = "postgresql"
    settings_dict = {"NAME": "c", "HOST": "db", "PORT": 5432}

    def __init__(self, message, attempts):
        self.message, self.attempts = message, attempts

    def ensure_connection(self):
        self.attempts -= 1
        if self.attempts >= 0:
            raise OperationalError(self.message)


@pytest.mark.parametrize(
    ("message", "attempts", "lines", "comes"),
    [
        (REFUSED, 0, 0, True),
        (REFUSED, 3, 1, True),
        (REFUSED, 10_000, 1, False),
        (f'{FATAL}password authentication failed for user "ada"', 10_000, 0, False),
    ],
)
def test_the_server_waits_a_while_for_a_database_that_may_come(monkeypatch, message, attempts, lines, comes):
    database, said = Starting(message, attempts), []
    for module in (faults, readiness):
        monkeypatch.setattr(module, "connection", database)
    if comes:
        readiness.wait_for_database(said.append, patience=2)
    else:
        with pytest.raises(OperationalError):
            readiness.wait_for_database(said.append, patience=0.2)
    assert len(said) == lines
    assert all("Waiting for it, up to" in line for line in said)


def test_a_home_that_can_not_be_written_is_told(settings, tmp_path):
    (tmp_path / "file").touch()
    settings.HOME = tmp_path / "file" / "home"
    with pytest.raises(CommandError, match=r"can't keep its files in '.*home': Not a directory\. Set ASSETSITE_HOME"):
        call_command("serve")


@pytest.mark.django_db
def test_a_database_of_a_newer_version_is_not_migrated():
    recorder = MigrationRecorder(connections["default"])
    recorder.record_applied("of_a_plugin_that_was_there", "0001_initial")
    call_command("migrate", verbosity=0)
    recorder.record_applied("catalog", "0999_of_the_future")
    with pytest.raises(
        CommandError, match=r"newer version than this assetsite \d.*does not know catalog\.0999_of_the_"
    ):
        call_command("migrate", verbosity=0)


@pytest.fixture
def elsewhere(tmp_path, django_db_blocker):
    """The alias of an empty database beside that of the tests, of the same kind."""
    default = connections["default"].settings_dict
    connections.databases["elsewhere"] = default | {"NAME": _name_of(database_url(tmp_path))}
    with django_db_blocker.unblock():
        yield "elsewhere"
        connections["elsewhere"].close()
    del connections["elsewhere"], connections.databases["elsewhere"]


def _name_of(url):
    return url.removeprefix("sqlite://") if url.startswith("sqlite") else url.rpartition("/")[2]


@pytest.mark.both
def test_who_comes_second_waits_for_the_first(elsewhere):
    said, order, holds, may_end = [], [], threading.Event(), threading.Event()

    def first():
        with alone(elsewhere, said.append):
            holds.set()
            may_end.wait(60)
            order.append("first")
        connections.close_all()

    thread = threading.Thread(target=first)
    thread.start()
    assert holds.wait(60)

    def say(line):
        said.append(line)
        may_end.set()

    with alone(elsewhere, say):
        order.append("second")
    thread.join()
    assert (said, order) == ([WAITS], ["first", "second"])


@pytest.mark.both
@pytest.mark.long
def test_two_that_start_at_once_on_an_empty_database_both_succeed(tmp_path):
    env = {"PATH": os.environ["PATH"], "ASSETSITE_HOME": str(tmp_path), "DATABASE_URL": database_url(tmp_path)}
    command = [*MANAGE, "migrate", "-v", "0"]
    started = [subprocess.Popen(command, cwd=CHECKOUT, env=env, stderr=subprocess.PIPE, text=True) for _ in range(3)]
    ended = [(process.communicate(timeout=120)[1], process.returncode) for process in started]
    assert [code for _, code in ended] == [0, 0, 0], ended
