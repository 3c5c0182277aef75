"""Rows that many tests begin with: written once in a process, and copied from then on.

A fixture that takes a hundred queries to build its catalogue does so for the first test only. Each test still has rows
of its own, in a transaction that is taken back.
"""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeVar

from django.apps import apps
from django.db import connection

T = TypeVar("T")


@dataclass
class Built:
    """What a builder answered, and each table that it changed: the number of rows before, and all rows after."""

    answer: Any
    tables: dict[str, tuple[int, Any]]


KNOWN: dict[Callable[..., Any], Built] = {}


def built_once(build: Callable[..., T], *given: Any) -> T:
    """What `build(*given)` writes and answers; each time after the first, copies of both.

    Before it, the database has to be as it was the first time: empty, or as the same other builders left it. The
    answer may be rows, but nothing that belongs to one test.
    """
    if known := KNOWN.get(build):
        for table, (before, rows) in known.tables.items():
            _replace(table, before, rows)
        return deepcopy(known.answer)
    before = {table: _rows(table) for table in _tables()}
    counts = {table: _count(table) for table in _tables()}
    answer = build(*given)
    changed = {table: rows for table in _tables() if (rows := _rows(table)) != before[table]}
    KNOWN[build] = Built(deepcopy(answer), {table: (counts[table], rows) for table, rows in changed.items()})
    return answer


@cache
def _tables() -> list[str]:
    models = apps.get_models(include_auto_created=True)
    return sorted({model._meta.db_table for model in models if model._meta.managed and not model._meta.proxy})


def _count(table: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f'SELECT COUNT(*) FROM "{table}"')
        return int(cursor.fetchone()[0])


def _rows(table: str) -> Any:
    """All rows of a table, as bytes that PostgreSQL copies, or as tuples."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            with cursor.copy(f'COPY (SELECT * FROM "{table}" ORDER BY 1) TO STDOUT') as copy:
                return b"".join(copy)
        cursor.execute(f'SELECT * FROM "{table}"')
        return cursor.fetchall()


def _replace(table: str, before: int, rows: Any) -> None:
    assert _count(table) == before, f"{table} had {before} rows when this was built first"
    with connection.cursor() as cursor:
        if before:
            cursor.execute(f'DELETE FROM "{table}"')
        if connection.vendor == "postgresql":
            with cursor.copy(f'COPY "{table}" FROM STDIN') as copy:
                copy.write(rows)
        elif rows:
            cursor.executemany(f'INSERT INTO "{table}" VALUES ({", ".join(["%s"] * len(rows[0]))})', rows)
