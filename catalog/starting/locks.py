"""Files beside an SQLite database that processes lock, so that they know of each other."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from django.core.management.base import CommandError
from django.db import connections


@contextmanager
def lock_beside(using: str, suffix: str) -> Iterator[IO[str] | None]:
    """The file to lock, which is made if need be; None where the database is no file."""
    connection: Any = connections[using]
    if connection.vendor != "sqlite" or connection.is_in_memory_db():
        yield None
        return
    database = Path(connection.settings_dict["NAME"])
    try:
        lock = database.with_name(f"{database.name}.{suffix}").open("w")
    except OSError as error:
        raise CommandError(
            f"The folder of the database, {str(database.parent)!r}, can't be written to: {error.strerror}."
        ) from None
    with lock:
        yield lock
