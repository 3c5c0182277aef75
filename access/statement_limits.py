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
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from functools import lru_cache
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections, transaction

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


def limited(seconds: float, *, reads: bool) -> AbstractContextManager[Any]:
    """No statement made here by this thread takes longer; 0 for no limit. `reads`: nothing is meant to be written."""
    if not seconds:
        return nullcontext()
    database = connections[DEFAULT_DB_ALIAS]
    return LIMITS[database.vendor](database, seconds, reads)


class Limit:
    """The wrapper of what a request asks, from its first statement to the last."""

    def __init__(self, database: Any, seconds: float, reads: bool) -> None:
        self.database = database
        self.seconds = seconds
        self.reads = reads
        self._wrapped = database.execute_wrapper(self)

    def __enter__(self) -> None:
        self._wrapped.__enter__()

    def __exit__(self, *exc: Any) -> None:
        try:
            self.end(*exc)
        finally:
            self._wrapped.__exit__(*exc)

    def __call__(self, execute: Execute, sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
        raise NotImplementedError

    def end(self, *exc: Any) -> None:
        """The request is answered, or has failed with an exception."""
        raise NotImplementedError


class _ByKey:
    """What is asked here finds its rows by a unique key, in an index."""

    def __enter__(self) -> None:
        _thread.by_key = True

    def __exit__(self, *exc: Any) -> None:
        _thread.by_key = False


by_key = _ByKey()


class OnPostgreSQL(Limit):
    """Begins transactions with a limit."""

    _until_the_end: ExitStack | None = None

    def __call__(self, execute: Execute, sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
        if not self.database.in_atomic_block:
            if _thread.by_key:
                return execute(sql, params, many, context)
            if not self.reads or sql.startswith(WRITES):
                with transaction.atomic():
                    self._ensure_begun()
                    return execute(sql, params, many, context)
            self._until_the_end = self._until_the_end or ExitStack()
            self._until_the_end.enter_context(_reading(self.database))
        self._ensure_begun()
        return execute(sql, params, many, context)

    def end(self, *exc: Any) -> None:
        if self._until_the_end is not None:
            self._until_the_end.__exit__(*exc)

    def _ensure_begun(self) -> None:
        """Django has a transaction begin with its first statement: psycopg sends a `BEGIN` unless there was one."""
        psycopg, driver = self.database.Database, self.database.connection.pgconn
        if driver.transaction_status == psycopg.pq.TransactionStatus.IDLE:
            with self.database.wrap_database_errors:
                answer = driver.exec_(beginning(self.seconds))
                if answer.status != psycopg.pq.ExecStatus.COMMAND_OK:
                    raise psycopg.errors.error_from_result(answer)


@lru_cache(maxsize=16)
def beginning(seconds: float) -> bytes:
    """What begins a transaction whose statements take no longer."""
    ms = math.ceil(seconds * 1000)
    waiting = math.ceil(ms * SHARE_OF_WAITING)
    return f"BEGIN; SET LOCAL statement_timeout = {ms}; SET LOCAL lock_timeout = {waiting}".encode()


@contextmanager
def _reading(database: Any) -> Iterator[None]:
    with transaction.atomic():
        yield
        if database.connection is not None and database.connection.closed:
            database.close()  # it was lost, and there is nothing to commit


class OnSQLite(Limit):
    """Sets the time at which each statement is given up; it waits no longer for a lock either."""

    def __call__(self, execute: Execute, sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
        waits = math.ceil(self.seconds * 1000)
        if _thread.waits != waits:
            self.database.connection.execute(f"PRAGMA busy_timeout = {waits}")
            _thread.waits = waits
        _thread.deadline = time.monotonic() + self.seconds
        return execute(sql, params, many, context)

    def end(self, *exc: Any) -> None:
        _thread.deadline = math.inf


LIMITS: dict[str, type[Limit]] = {"postgresql": OnPostgreSQL, "sqlite": OnSQLite}
"""By the name that Django gives the database."""


def watch_statements(connection: Any, **kwargs: Any) -> None:
    """Have a new connection to SQLite ask whether to go on; a receiver of `connection_created`."""
    if connection.vendor == "sqlite":
        _thread.waits = None
        connection.connection.set_progress_handler(_is_over, STEPS)


def _is_over() -> bool:
    return time.monotonic() > _thread.deadline
