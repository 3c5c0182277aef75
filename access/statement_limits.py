"""How long a statement may take while a request is served, so that whoever asks much does not stop the others.

Each request has a wrapper around whatever it asks of the database. Commands and the background have none.

On PostgreSQL the limit is that of a transaction (`SET LOCAL`), for one of the session would stay in the connections
that a pooler hands on. It travels with the `BEGIN`, which a transaction sends anyway. What a request only reads shares
one transaction, begun by the first statement; what it writes outside a transaction has one of its own. Look-ups by a
unique key (`access.statements`) are left as they are: each reads a few rows, and costs as much as a `BEGIN`.

On SQLite the database asks now and then whether to go on.
"""

import math
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, Protocol

from django.db import connection, transaction

Execute = Callable[[str, Any, bool, dict[str, Any]], Any]

STEPS = 100_000
"""Of SQLite's virtual machine, between two questions whether to go on: about a millisecond, or some of them."""

SHARE_OF_WAITING = 0.8
"""How much of the limit a statement may wait for a lock, so that it is told from one that reads too much."""

WRITES = ("INSERT", "UPDATE", "DELETE")


class _Thread(threading.local):
    deadline = math.inf
    """The time at which SQLite gives up the statement of this thread."""
    waits: int | None = None
    """The milliseconds for which this thread's SQLite waits for a lock; None: as the settings say."""
    by_key = False


_thread = _Thread()


class Limit(Protocol):
    """The wrapper of a request; `until_the_end` is closed when it is answered."""

    until_the_end: ExitStack

    def __init__(self, seconds: float, reads: bool) -> None: ...

    def __call__(self, execute: Execute, sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any: ...


@contextmanager
def limited(seconds: float, *, reads: bool) -> Iterator[None]:
    """No statement made here by this thread takes longer; 0 for no limit. `reads`: nothing is meant to be written."""
    if not seconds:
        yield
        return
    limit = LIMITS[connection.vendor](seconds, reads)
    with connection.execute_wrapper(limit), limit.until_the_end:
        yield


@contextmanager
def by_key() -> Iterator[None]:
    """What is asked here finds its rows by a unique key, in an index."""
    _thread.by_key = True
    try:
        yield
    finally:
        _thread.by_key = False


class OnPostgreSQL:
    """Begins transactions with a limit."""

    def __init__(self, seconds: float, reads: bool) -> None:
        self.reads = reads
        self.until_the_end = ExitStack()
        ms = math.ceil(seconds * 1000)
        waiting = math.ceil(ms * SHARE_OF_WAITING)
        self._begin = f"BEGIN; SET LOCAL statement_timeout = {ms}; SET LOCAL lock_timeout = {waiting}".encode()

    def __call__(self, execute: Execute, sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
        database = context["connection"]
        if not database.in_atomic_block:
            if _thread.by_key:
                return execute(sql, params, many, context)
            if not self.reads or sql.startswith(WRITES):
                with transaction.atomic():
                    self._ensure_begun(database)
                    return execute(sql, params, many, context)
            self.until_the_end.enter_context(_reading(database))
        self._ensure_begun(database)
        return execute(sql, params, many, context)

    def _ensure_begun(self, database: Any) -> None:
        """Django has a transaction begin with its first statement: psycopg sends a `BEGIN` unless there was one."""
        psycopg, driver = database.Database, database.connection.pgconn
        if driver.transaction_status == psycopg.pq.TransactionStatus.IDLE:
            with database.wrap_database_errors:
                answer = driver.exec_(self._begin)
                if answer.status != psycopg.pq.ExecStatus.COMMAND_OK:
                    raise psycopg.errors.error_from_result(answer)


@contextmanager
def _reading(database: Any) -> Iterator[None]:
    with transaction.atomic():
        yield
        if database.connection is not None and database.connection.closed:
            database.close()  # it was lost, and there is nothing to commit


class OnSQLite:
    """Sets the time at which each statement is given up; it waits no longer for a lock either."""

    def __init__(self, seconds: float, reads: bool) -> None:
        self.until_the_end = ExitStack()
        self.until_the_end.callback(_no_deadline)
        self._seconds = seconds
        self._waits = math.ceil(seconds * 1000)

    def __call__(self, execute: Execute, sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
        if _thread.waits != self._waits:
            context["connection"].connection.execute(f"PRAGMA busy_timeout = {self._waits}")
            _thread.waits = self._waits
        _thread.deadline = time.monotonic() + self._seconds
        return execute(sql, params, many, context)


LIMITS: dict[str, type[Limit]] = {"postgresql": OnPostgreSQL, "sqlite": OnSQLite}
"""By the name that Django gives the database."""


def watch_statements(connection: Any, **kwargs: Any) -> None:
    """Have a new connection to SQLite ask whether to go on; a receiver of `connection_created`."""
    if connection.vendor == "sqlite":
        _thread.waits = None
        connection.connection.set_progress_handler(_is_over, STEPS)


def _is_over() -> bool:
    return time.monotonic() > _thread.deadline


def _no_deadline() -> None:
    _thread.deadline = math.inf
