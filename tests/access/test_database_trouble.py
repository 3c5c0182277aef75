"""Trouble of the database is known by real errors, and is a 503 wherever it is met."""

import logging
import sqlite3

import pytest
from django.db import (
    DatabaseError,
    IntegrityError,
    OperationalError,
    close_old_connections,
    connection,
    connections,
    transaction,
)
from django.db.backends.sqlite3.base import DatabaseWrapper

from access.database_trouble import (
    AWAY,
    BROKEN_DISK,
    BUSY,
    FULL,
    STOPPED,
    UNWRITABLE,
    trouble_of,
)
from access.models import Perimeter
from access.statement_limits import limited

POSTGRESQL = connection.vendor == "postgresql"
if POSTGRESQL:
    from django.db.backends.postgresql import base

    from access.postgresql import base as looks
on_postgresql = pytest.mark.skipif(not POSTGRESQL, reason="an error of PostgreSQL")
on_sqlite = pytest.mark.skipif(POSTGRESQL, reason="an error of SQLite")
real = [pytest.mark.both, pytest.mark.django_db(transaction=True)]


def error_of(act, *arguments):
    with pytest.raises(DatabaseError) as raised:
        act(*arguments)
    return raised.value


def run(sql, on=connection):
    with on.cursor() as cursor:
        cursor.execute(sql)


@pytest.fixture
def beside(tmp_path, db):
    """A SQLite database in a file, on which one waits for nothing."""
    settings = {**connections["default"].settings_dict, "NAME": tmp_path / "beside", "OPTIONS": {"timeout": 0}}
    made = DatabaseWrapper({**settings, "CONN_HEALTH_CHECKS": False}, "beside")
    run("CREATE TABLE t (x)", made)
    yield made
    made.close()


def test_a_full_disk_is_known(beside):
    run("PRAGMA max_page_count = 3", beside)
    assert trouble_of(error_of(run, "INSERT INTO t VALUES (zeroblob(100000))", beside)) is FULL


def test_a_locked_database_is_known(beside):
    other = sqlite3.connect(beside.settings_dict["NAME"])
    other.execute("BEGIN IMMEDIATE")
    assert trouble_of(error_of(run, "INSERT INTO t VALUES (1)", beside)) is BUSY
    other.close()


def test_a_database_that_takes_no_writes_is_known(beside):
    run("PRAGMA query_only = 1", beside)
    assert trouble_of(error_of(run, "INSERT INTO t VALUES (1)", beside)) is UNWRITABLE


def test_a_database_that_is_not_there_is_known(beside, tmp_path):
    beside.close()
    beside.settings_dict["NAME"] = tmp_path / "gone" / "file"
    assert trouble_of(error_of(run, "SELECT 1", beside)) is BROKEN_DISK


class TestOnBoth:
    pytestmark = real

    def test_a_stopped_statement_is_known(self):
        endless = "WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"
        with limited(0.05, reads=True):
            assert trouble_of(error_of(run, endless)) is STOPPED

    @on_postgresql
    def test_a_session_that_was_ended_is_known_and_so_is_what_comes_after_it_in_the_transaction(self):
        @transaction.atomic
        def lose():
            assert trouble_of(error_of(run, "SELECT pg_terminate_backend(pg_backend_pid())")) is AWAY
            assert trouble_of(error_of(run, "SELECT 1")) is AWAY

        assert trouble_of(error_of(lose)) is AWAY
        run("SELECT 1")

    @on_postgresql
    def test_postgresql_is_not_asked_whether_a_connection_is_good_that_was_used_just_before(self, monkeypatch):
        asked = []
        monkeypatch.setattr(base.DatabaseWrapper, "is_usable", lambda database: asked.append(database))
        run("SELECT 1")
        connection.is_usable()
        asked.clear()
        assert connection.is_usable()
        assert not asked
        monkeypatch.setattr(looks, "QUIET", 0)
        assert not connection.is_usable()
        assert asked

    @on_postgresql
    def test_a_connection_that_the_server_has_closed_is_replaced_at_the_next_request(self):
        run("SELECT 1")
        connection.is_usable()
        lost = connection.connection
        other = connection.copy()
        run(f"SELECT pg_terminate_backend({lost.info.backend_pid}, 5000)", other)
        other.close()
        close_old_connections()
        run("SELECT 1")
        assert connection.connection is not lost

    @on_postgresql
    def test_a_server_that_is_away_is_known(self, monkeypatch):
        connection.close()
        monkeypatch.setitem(connection.settings_dict, "PORT", 1)
        assert trouble_of(error_of(run, "SELECT 1")) is AWAY

    @on_postgresql
    @pytest.mark.parametrize(
        ("state", "trouble"),
        [
            ("53100", FULL),
            ("53300", BUSY),
            ("55P03", BUSY),
            ("40P01", BUSY),
            ("57P03", AWAY),
            ("08P01", AWAY),
            ("25006", UNWRITABLE),
            ("58030", BROKEN_DISK),
            ("42703", None),
            ("23505", None),
            ("XX001", None),
        ],
    )
    def test_states_of_postgresql_are_known(self, state, trouble):
        assert trouble_of(error_of(run, f"DO $$ BEGIN RAISE SQLSTATE '{state}'; END $$")) is trouble

    def test_errors_of_the_program_are_none(self):
        assert trouble_of(error_of(run, "SELECT nothing FROM nowhere")) is None
        assert trouble_of(IntegrityError("duplicate")) is None
        assert trouble_of(ValueError()) is None
        assert trouble_of(None) is None

    def test_what_is_asked_after_it_in_a_broken_transaction_is_the_same_trouble(self):
        with transaction.atomic():
            connection.set_rollback(True)
            connection.rollback_exc = locked()
            assert trouble_of(error_of(Perimeter.objects.count)) is BUSY


def locked():
    return raised("database is locked", sqlite3.SQLITE_BUSY)


def interrupted():
    return raised("interrupted", sqlite3.SQLITE_INTERRUPT)


def raised(text, code):
    cause = sqlite3.OperationalError(text)
    cause.sqlite_errorcode = code
    error = OperationalError(text)
    error.__cause__ = cause
    return error


@pytest.fixture
def failing():
    """Every statement fails with the error that is put in here."""
    errors = []

    def fail(execute, *statement):
        if errors:
            raise errors[0]
        return execute(*statement)

    with connection.execute_wrapper(fail):
        yield errors


@pytest.fixture
def ada(client, cast, team):
    client.force_login(cast.ada)
    client.raise_request_exception = False
    return client


@pytest.mark.parametrize("address", ["/alpha/", "/", "/admin/", "/admin/access/token/"])
def test_trouble_at_the_look_up_of_the_session_is_a_page_that_says_so(ada, failing, address):
    failing.append(locked())
    answer = ada.get(address)
    assert (answer.status_code, answer["Retry-After"]) == (503, "1")
    assert "The database is busy with other requests. Try again." in answer.content.decode()
    failing.clear()
    assert ada.get(address).status_code in (200, 302)


def test_trouble_while_signing_in_is_a_page_and_nobody_is_signed_in(ada, failing):
    ada.logout()
    ada.get("/sign-in")
    failing.append(locked())
    answer = ada.post("/sign-in", {"username": "ada", "password": "a good password"})
    assert answer.status_code == 503
    assert "sessionid" not in answer.cookies


@pytest.mark.parametrize("headers", [{}, {"x-api-key": "as_1"}])
def test_trouble_of_a_call_has_the_shape_of_all_errors(ada, failing, headers):
    failing.append(locked())
    answer = ada.get("/v1/perimeters", headers=headers)
    assert (answer.status_code, answer["Retry-After"]) == (503, "1")
    assert answer.json() == {
        "error": "unavailable",
        "message": "The database is busy with other requests. Try again.",
        "detail": {},
    }


def test_what_was_stopped_says_after_how_long_and_what_to_do_and_asks_for_no_repeat(ada, failing, settings):
    settings.CALL_LIMIT, settings.PAGE_LIMIT = 5, 2.5
    failing.append(interrupted())
    call, page = ada.get("/v1/perimeters"), ada.get("/alpha/")
    assert (call.status_code, page.status_code) == (503, 503)
    assert call.json()["detail"] == {"stopped_after": 5}
    assert "stopped after 5 s" in call.json()["message"]
    assert "stopped after 2.5 s" in page.content.decode()
    assert "Retry-After" not in call
    assert "Retry-After" not in page


def test_trouble_is_one_line_of_the_log_and_an_error_of_the_program_has_its_traceback(ada, failing, caplog):
    failing.append(interrupted())
    ada.get("/alpha/?tag=a=b")
    failing.clear()
    ada.get("/v1/fail")
    stopped, failed = (record for record in caplog.records if record.name == "django.request")
    assert stopped.getMessage() == "GET /alpha/?tag=a=b: interrupted after 10 s"
    assert (stopped.levelno, stopped.exc_info) == (logging.ERROR, None)
    assert failed.exc_info
