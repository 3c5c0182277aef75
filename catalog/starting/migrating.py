"""One process at a time migrates a database: servers that start together wait for each other."""

import fcntl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO, Any

from django.db import connections

from catalog.starting.locks import lock_beside

Say = Callable[[str], object]

WAITS = "Another process is migrating this database; waiting until it is done."
ASKED_EVERY = 0.2  # seconds
LOCK = 4_705_911_386
"""The number of the lock in a PostgreSQL database; any that nobody else uses there."""


@contextmanager
def alone(using: str, say: Say) -> Iterator[None]:
    """Hold the lock on migrating a database, after waiting for whoever has it."""
    if connections[using].vendor == "postgresql":
        with _lock_in_database(using, say):
            yield
        return
    with lock_beside(using, "migrating") as lock:
        if lock:
            _wait_for(lock, say)
        yield


@contextmanager
def _lock_in_database(using: str, say: Say) -> Iterator[None]:
    """A lock of a transaction on a connection of its own: a pooler in transaction mode knows no longer ones.

    Neither who has it nor who waits for it may keep a snapshot of the database, for whose end an index would wait that
    is made while others write. A statement does while it runs or waits, and with parameters until the next one.
    """
    connection = connections[using].copy()
    try:
        connection.set_autocommit(False)
        with connection.cursor() as cursor:
            for limit in ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout"):
                cursor.execute(f"SET LOCAL {limit} = 0")
            if not _has_lock(cursor):
                say(WAITS)
                while not _has_lock(cursor):
                    time.sleep(ASKED_EVERY)
            yield
    finally:
        connection.close()


def _has_lock(cursor: Any) -> bool:
    cursor.execute(f"SELECT pg_try_advisory_xact_lock({LOCK})")
    return bool(cursor.fetchone()[0])


def _wait_for(lock: IO[str], say: Say) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        say(WAITS)
        fcntl.flock(lock, fcntl.LOCK_EX)
