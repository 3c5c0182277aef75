"""A migrated database, made once in a run of tests: each worker and each served site begins with a copy of it.

The migrations themselves are the matter of tests/catalog/test_migrations.py and test_old_catalogues.py; a site that is
served from nothing is in tests/supervising/test_served.py.
"""

import fcntl
import os
import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import unquote

from tests.places import CHECKOUT, MANAGE

SHARED = "ASSETSITE_TESTS_MIGRATED"
"""The variable that tells all processes of a run of tests the folder that they share."""


@contextmanager
def copied_to(sqlite_name: str) -> Iterator[None]:
    """While it lasts, the SQLite in memory of this name is there, with a copy."""
    with closing(sqlite3.connect(sqlite_name, uri=True)) as memory:
        with closing(sqlite3.connect(_sqlite())) as made:
            made.backup(memory)
        yield


def fill(url: str) -> None:
    """Make a database a copy if there is nothing in it yet."""
    if url.startswith("sqlite:///"):
        path = Path(unquote(url.removeprefix("sqlite:///")))
        if not path.exists():
            shutil.copyfile(_sqlite(), path)
        return
    import psycopg

    with psycopg.connect(url) as connection:
        if connection.execute("SELECT 1 FROM pg_tables WHERE schemaname = 'public'").fetchone():
            return
    template, (base, _, name) = on_postgres(url), url.rpartition("/")
    with psycopg.connect(f"{base}/postgres", autocommit=True) as connection:
        connection.execute(f'DROP DATABASE "{name}"')
        connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')


def on_postgres(url: str) -> str:
    """The name of the migrated database on the server of this address."""
    import psycopg

    base, name = url.rpartition("/")[0], Path(os.environ[SHARED]).name

    def create() -> str:
        with psycopg.connect(f"{base}/postgres", autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}"')
        return f"{base}/{name}"

    _made("postgresql", create)
    return name


def _sqlite() -> Path:
    path = Path(os.environ[SHARED]) / "migrated.sqlite3"
    _made("sqlite", lambda: f"sqlite:///{path}")
    return path


def _made(kind: str, create: Callable[[], str]) -> None:
    """Create a database and migrate it, unless a process of this run has done so; one does, and the others wait."""
    folder = Path(os.environ[SHARED])
    done = folder / f"{kind}.done"
    with (folder / f"{kind}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if done.exists():
            return
        url = create()
        env = {"PATH": os.environ["PATH"], "ASSETSITE_HOME": str(folder), "DATABASE_URL": url}
        command = [*MANAGE, "migrate", "--verbosity", "0"]
        subprocess.run(command, cwd=CHECKOUT, env=env, check=True, timeout=120)
        if kind == "sqlite":
            with closing(sqlite3.connect(folder / "migrated.sqlite3")) as made:
                made.execute("PRAGMA journal_mode = DELETE")  # what is in memory can't have the journal of a file
        done.touch()
