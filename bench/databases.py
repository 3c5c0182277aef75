"""Empty databases for the benchmarks, one for each size."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import psycopg

from bench.report import sqlite_version
from bench.servers import SIZES, sqlite_url
from tests.on_postgres import cluster

DURABLE = ""
"""No settings of our own: PostgreSQL's defaults, which have every commit on disk."""
Databases = tuple[str, dict[str, str]]


@contextmanager
def sqlite(home: Path) -> Iterator[Databases]:
    """The version of SQLite, and the address of an empty database for each size."""
    yield sqlite_version(), {size: sqlite_url(home / size / "catalogue.sqlite3") for size in SIZES}


@contextmanager
def postgresql(home: Path) -> Iterator[Databases]:
    """A PostgreSQL server of our own: its version, and the address of an empty database for each size."""
    with cluster(settings=DURABLE) as url:
        with psycopg.connect(url, autocommit=True) as connection:
            for size in SIZES:
                connection.execute(f"CREATE DATABASE {size}")
            (version,) = connection.execute("SHOW server_version").fetchone() or ("",)
        base, _, _ = url.rpartition("/")
        yield version.split()[0], {size: f"{base}/{size}" for size in SIZES}


KINDS: dict[str, Callable[[Path], AbstractContextManager[Databases]]] = {"SQLite": sqlite, "PostgreSQL": postgresql}
"""Served in local mode and in team mode, as they come."""
