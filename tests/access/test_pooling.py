"""A pooler that loses prepared statements is found out; `bench.trials.pgbouncer` tries it with a real one."""

from types import SimpleNamespace

import pytest
from django.db import connection

from access import checks
from access.pooling import loses_prepared_statements


class Lost(Exception):
    pass


class Session:
    """What a driver connects to: `pid` is what PostgreSQL says, `told` what was said when it was opened."""

    def __init__(self, pid, told, error=None):
        self.pid, self.info, self.error = pid, SimpleNamespace(backend_pid=told), error

    def execute(self, sql):
        if self.error and sql != "SELECT pg_backend_pid()":
            raise self.error
        return self

    def fetchone(self):
        return (self.pid,)

    def close(self):
        pass


def driver(*sessions):
    waiting = list(sessions)
    errors = SimpleNamespace(DuplicatePreparedStatement=Lost, InvalidSqlStatementName=Lost)
    return SimpleNamespace(connect=lambda **parameters: waiting.pop(0), errors=errors, Error=OSError)


@pytest.mark.parametrize(
    ("sessions", "loses"),
    [
        ([Session(7, 7)], False),
        ([Session(7, 99), Session(7, 98)], False),
        ([Session(7, 99), Session(7, 98, Lost())], True),
        ([Session(7, 99, Lost()), Session(8, 98)], True),
        ([Session(7, 99), Session(7, 98, OSError())], False),
    ],
    ids=["no pooler", "kept apart", "the name is taken", "the statement is gone", "away"],
)
def test_two_sessions_that_get_in_each_others_way_have_a_pooler_that_loses_statements(sessions, loses):
    assert loses_prepared_statements(driver(*sessions), {}) is loses


@pytest.mark.both
@pytest.mark.django_db
@pytest.mark.skipif(connection.vendor != "postgresql", reason="needs PostgreSQL")
def test_postgresql_itself_loses_nothing():
    assert not loses_prepared_statements(connection.Database, connection.get_connection_params())


@pytest.mark.both
@pytest.mark.skipif(connection.vendor != "postgresql", reason="needs PostgreSQL")
def test_the_check_says_what_to_set_and_is_content_when_it_is_set(monkeypatch, settings):
    monkeypatch.setattr(checks, "loses_prepared_statements", lambda *how: True)
    (problem,) = checks.check_pooler(None)
    assert "ASSETSITE_PREPARED_STATEMENTS=false" in str(problem.hint)
    settings.PREPARED_STATEMENTS = False
    assert checks.check_pooler(None) == []
