"""Queries that are asked all the time, and rows that are inserted all the time: their SQL is written once.

For one row with its relations Django takes many times as long to write the SQL as to fetch and build the row. What
every call of a flow needs (its token, its asset) is therefore prepared: the first asking of a thread writes the SQL
the usual way, with a stand-in for each value, and the later ones put their values in the places of the stand-ins.
"""

import functools
import inspect
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django.conf import settings
from django.db import connections, router
from django.db.models import Model, QuerySet
from django.db.models.query import get_related_populators

from access.statement_limits import by_key

Row = TypeVar("Row", bound=Model)


def prepared(write: Callable[..., QuerySet[Row]]) -> Callable[..., Row | None]:
    """Make a function that returns a query into one that returns its row, or None.

    The function takes strings and whole numbers by keyword, annotated `str` and `int`, and compares each with a column
    as it is: they are a key, so at most one row matches. `select_related`, annotations and locks are welcome.
    """
    kept = threading.local()
    stand_ins = {name: _stand_in(place, its.annotation) for place, (name, its) in enumerate(_parameters(write))}

    @functools.wraps(write)
    def ask(**values: Any) -> Row | None:
        plan: _Plan[Row] | None = getattr(kept, "plan", None)
        if plan is None:
            plan = kept.plan = _Plan.of(write(**stand_ins), {value: name for name, value in stand_ins.items()})
        return plan.row(values)

    return ask


def insert(row: Model) -> None:
    """Insert a new row whose key nobody needs."""
    connection = connections[router.db_for_write(type(row))]
    with connection.cursor() as cursor, planned_once(connection):
        cursor.execute(insertion(type(row)), values_of(row, connection))
    row._state.adding = False


def insert_with_key(row: Model) -> None:
    """Insert a new row, and give it its key."""
    connection = connections[router.db_for_write(type(row))]
    with connection.cursor() as cursor, planned_once(connection):
        cursor.execute(f"{insertion(type(row))} RETURNING id", values_of(row, connection))
        row.pk = cursor.fetchone()[0]
    row._state.adding = False


def columns_of(model: type[Model]) -> list[Any]:
    """The fields of a model that have a column, but for its key, which the database gives."""
    return [field for field in model._meta.concrete_fields if not field.primary_key]


@functools.cache
def insertion(model: type[Model]) -> str:
    """The statement that inserts a row; its parameters are `values_of` the row."""
    columns = [f'"{field.column}"' for field in columns_of(model)]
    places = ", ".join("%s" for _ in columns)
    return f"INSERT INTO {model._meta.db_table} ({', '.join(columns)}) VALUES ({places})"  # noqa: S608 (names only)


def values_of(row: Model, connection: Any) -> list[Any]:
    """The values of a new row in `columns_of` its model, as the database takes them."""
    return [field.get_db_prep_save(getattr(row, field.attname), connection) for field in columns_of(type(row))]


@contextmanager
def planned_once(connection: Any) -> Iterator[None]:
    """On PostgreSQL the statements made here are planned once for each connection, too.

    That is right for what finds its rows by a key only: for others the best plan depends on the values.
    """
    driver = connection.connection if connection.vendor == "postgresql" else None
    if driver is None:
        yield
        return
    with by_key():
        driver.prepare_threshold = 0 if settings.PREPARED_STATEMENTS else None
        try:
            yield
        finally:
            driver.prepare_threshold = None


def _parameters(write: Callable[..., Any]) -> list[tuple[str, inspect.Parameter]]:
    return list(inspect.signature(write).parameters.items())


def _stand_in(place: int, kind: type) -> str | int:
    """A value that no query has for a constant; whole numbers are compared with keys."""
    return -(2**62) - place if kind is int else f"\0{place}"


@dataclass(frozen=True)
class _Plan(Generic[Row]):
    """The SQL of a query, and how its row becomes an object; what `ModelIterable` finds out at each asking."""

    database: str
    sql: str
    parameters: list[tuple[str | None, Any]]
    """The name of the value that stands here, or a constant."""
    model: type[Row]
    fields: list[str]
    start: int
    converters: list[tuple[int, list[Callable[..., Any]], Any]]
    relations: list[Any]
    annotations: dict[str, int]

    @classmethod
    def of(cls, query: QuerySet[Row], names: dict[Any, str]) -> "_Plan[Row]":
        compiler = query.query.get_compiler(using=query.db)
        sql, parameters = compiler.as_sql()
        select, info = compiler.select, compiler.klass_info
        columns = info["select_fields"]
        return cls(
            database=query.db,
            sql=sql,
            parameters=[(names.get(value) if isinstance(value, str | int) else None, value) for value in parameters],
            model=info["model"],
            fields=[select[column][0].target.attname for column in columns],
            start=columns[0],
            converters=[
                (column, converters, expression)
                for column, (converters, expression) in compiler.get_converters(
                    [chosen[0] for chosen in select]
                ).items()
            ],
            relations=get_related_populators(info, select, query.db),  # type: ignore[call-arg]  # Django 6 has more
            annotations=compiler.annotation_col_map,
        )

    def row(self, values: dict[str, Any]) -> Row | None:
        connection = connections[self.database]
        with connection.cursor() as cursor, planned_once(connection):
            cursor.execute(self.sql, [values[name] if name else constant for name, constant in self.parameters])
            found = cursor.fetchone()
        if found is None:
            return None
        row = list(found)
        for column, converters, expression in self.converters:
            for convert in converters:
                row[column] = convert(row[column], expression, connection)
        made = self.model.from_db(self.database, self.fields, row[self.start : self.start + len(self.fields)])
        for relation in self.relations:
            relation.populate(row, made)
        for name, column in self.annotations.items():
            setattr(made, name, row[column])
        return made
