"""Many rows at once, given by the names of the fields of their model: by COPY where there is one."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import chain
from typing import Any

from django.core.management.color import no_style
from django.db import connection, models

Row = dict[str, Any]


def write(model: type[models.Model], rows: Iterable[Row]) -> None:
    """Write rows of which each has the same fields; those that are left out have their defaults. JSON is given as text.

    What they refer to is not looked up: it may be written later.
    """
    rows = iter(rows)
    first = next(rows, None)
    if first is None:
        return
    fields = {field.name: field for field in model._meta.concrete_fields}
    others = [field for name, field in fields.items() if name not in first and not field.primary_key]
    constants = tuple(field.get_db_prep_save(field.get_default(), connection) for field in others)
    columns = [field.column for field in [*(fields[name] for name in first), *others]]
    values = ((*row.values(), *constants) for row in chain((first,), rows))
    (_copy if connection.vendor == "postgresql" else _insert)(model._meta.db_table, columns, values)
    with connection.cursor() as cursor:
        for reset in connection.ops.sequence_reset_sql(no_style(), [model]):
            cursor.execute(reset)


def _copy(table: str, columns: list[str], rows: Iterator[tuple[Any, ...]]) -> None:
    with connection.cursor() as cursor:
        # to look up each of millions of references would take minutes
        cursor.execute("SET LOCAL session_replication_role = replica")
        with cursor.copy(f"COPY {table} ({', '.join(map(_quoted, columns))}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
        cursor.execute("SET LOCAL session_replication_role = DEFAULT")


def _insert(table: str, columns: list[str], rows: Iterator[tuple[Any, ...]]) -> None:
    places = ", ".join(["%s"] * len(columns))
    with connection.cursor() as cursor:
        cursor.executemany(
            f"INSERT INTO {table} ({', '.join(map(_quoted, columns))}) VALUES ({places})",  # noqa: S608 (names alone)
            (tuple(map(_adapted, row)) for row in rows),
        )


def _adapted(value: Any) -> Any:
    return connection.ops.adapt_datetimefield_value(value) if isinstance(value, datetime) else value


def _quoted(column: str) -> str:
    return connection.ops.quote_name(column)
