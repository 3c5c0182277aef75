"""Whether a server runs with an SQLite database: it holds a lock beside it. PostgreSQL tells who is connected."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager

from django.core.management.base import CommandError

from catalog.starting.locks import lock_beside


@contextmanager
def noted_as_served(using: str) -> Iterator[None]:
    """Hold the lock, as one of those that serve from the database."""
    with lock_beside(using, "served") as lock:
        if lock:
            fcntl.flock(lock, fcntl.LOCK_SH)
        yield


@contextmanager
def not_served(using: str) -> Iterator[None]:
    """Keep servers from starting; raises CommandError if one runs."""
    with lock_beside(using, "served") as lock:
        try:
            if lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CommandError("A server runs with this database. Stop it first.") from None
        yield
