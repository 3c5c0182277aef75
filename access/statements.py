"""Statements that are asked all the time, written as SQL.

Django takes many times as long to write a statement, and to read its answer, as a database takes to run it. What every
call of a flow needs is therefore written once, in modules called `statements.py`; all else is asked by querysets.

    asset_at = Rows(
        Asset,
        '''
        SELECT {columns} FROM catalog_asset AS asset
        JOIN catalog_branch AS branch ON branch.id = asset.branch_id
        WHERE branch.key = %(key)s AND asset.deleted_at IS NULL {lock}
        ''',
        related=["branch"],
    )
    asset_at.one(key="main")

`{columns}` are those of the models, so that none is forgotten when a migration adds one. `{lock}` locks the rows for
this transaction. The text is the same for both databases, or a mapping from the names that Django gives them to two
texts. `{any keys}` asks whether a value is in the list `keys`. `{moment edge.last_at}` is a moment that few of many
rows are asked for, as the database keeps it: SQLite's driver would read it in each row, `moment_of` reads it of one;
those of one answer can be compared as they are. Each statement has a test that it answers what its query in Django's
words answers.
"""

import functools
import json
import re
import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from operator import attrgetter, methodcaller
from typing import Any, Generic, TypeVar

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connection, connections
from django.db.models import Model

from access.statement_limits import by_key

Row = TypeVar("Row", bound=Model)
Sql = str | Mapping[str, str]
Answer = tuple[Any, ...]
NOTHING: dict[str, type[Model]] = {}

LOCKS = {"postgresql": 'FOR NO KEY UPDATE OF "{alias}"', "sqlite": ""}
"""On SQLite whoever writes has the database alone, from the beginning of the transaction."""
READER = json.JSONDecoder()
ANY = re.compile(r"\{any (\w+)\}")
MOMENT = re.compile(r"\{moment ([\w.]+)\}")
AMONG = {"postgresql": r"= ANY(%(\1)s)", "sqlite": r"IN (SELECT value FROM json_each(%(\1)s))"}
KEPT = {"postgresql": r"\1", "sqlite": r"+\1"}
"""An expression has no type for which SQLite's driver has a reader."""


class Statement:
    """A statement with its values by name (`%(name)s`): strings, numbers, booleans, moments, None, and lists.

    `by_key`: it finds its rows by a key, in an index. PostgreSQL then plans it once for each connection, and it needs
    no limit of time. For all else the best plan depends on the values.
    """

    def __init__(self, sql: Sql, *, by_key: bool = True) -> None:
        self._sql = sql
        self._by_key = by_key

    @functools.cached_property
    def text(self) -> str:
        """The SQL as the database of this site takes it."""
        text = self._sql if isinstance(self._sql, str) else self._sql[connection.vendor]
        return MOMENT.sub(KEPT[connection.vendor], ANY.sub(AMONG[connection.vendor], text))

    def one(self, **values: Any) -> Answer | None:
        """The only row of the answer, or the first one of a few; None if there is none."""
        found = self._ask(values, ALL)
        return found[0] if found else None

    def all(self, **values: Any) -> list[Answer]:
        found: list[Answer] = self._ask(values, ALL)
        return found

    def run(self, **values: Any) -> int:
        """How many rows it wrote; it begins with INSERT, UPDATE or DELETE."""
        return int(self._ask(values, WRITTEN))

    def each(self, rows: Sequence[dict[str, Any]]) -> None:
        """Write with each of these values; on PostgreSQL all at once."""
        if not rows:
            return
        database = connections[DEFAULT_DB_ALIAS]
        with database.cursor() as cursor, PlannedOnce(database, self._by_key):
            cursor.executemany(self.text, [as_taken(values, database) for values in rows])

    def _ask(self, values: dict[str, Any], answer: Callable[[Any], Any]) -> Any:
        database = connections[DEFAULT_DB_ALIAS]
        with cursors.of(database) as cursor, PlannedOnce(database, self._by_key):
            cursor.execute(self.text, as_taken(values, database))
            return answer(cursor)


class Rows(Statement, Generic[Row]):
    """A statement that answers rows of a model.

    `{columns}` are its columns under the name of the model in lower case, such as `asset.id`, then those of the
    `related` rows, under the way that leads to them, such as `branch__project.id`; `without` some, by their ways, which
    are read when they are asked for. `beside` are rows that no foreign key leads to, by the attributes that they
    become. What is selected after all these becomes the attributes `also`, as the database answers it.
    """

    def __init__(
        self,
        model: type[Row],
        sql: Sql,
        *,
        related: Sequence[str] = (),
        beside: Mapping[str, type[Model]] = NOTHING,
        without: Collection[str] = (),
        also: Sequence[str] = (),
        by_key: bool = True,
    ) -> None:
        super().__init__(sql, by_key=by_key)
        self._model = model
        self._related = related
        self._beside = beside
        self._without = without
        self._also = also

    @functools.cached_property
    def text(self) -> str:
        alias = str(self._model._meta.model_name)
        columns = ", ".join(f'"{part.way or alias}"."{column}"' for part in self._parts for column in part.columns)
        lock = LOCKS[connection.vendor].replace("{alias}", alias)
        return super().text.replace("{columns}", columns).replace("{lock}", lock)

    def one(self, **values: Any) -> Row | None:  # type: ignore[override]
        found = super().one(**values)
        return None if found is None else self._made(found)

    def all(self, **values: Any) -> list[Row]:  # type: ignore[override]
        return [self._made(found) for found in super().all(**values)]

    @functools.cached_property
    def _parts(self) -> "list[_Part]":
        parts = [_Part.of(self._model, "", 0, self._without)]
        for way in self._related:
            key = _key_at(way, self._model)
            parts.append(_Part.of(key.related_model, way, parts[-1].stop, self._without, key))
        for way, model in self._beside.items():
            parts.append(_Part.of(model, way, parts[-1].stop, self._without))
        return parts

    @functools.cached_property
    def _converters(self) -> list[tuple[int, Callable[[Any], Any]]]:
        fields = [field for part in self._parts for field in part.fields]
        return [(place, convert) for place, field in enumerate(fields) if (convert := converter_of(field))]

    def _made(self, found: Answer) -> Row:
        values = list(found)
        for place, convert in self._converters:
            if values[place] is not None:
                values[place] = convert(values[place])
        made: dict[str, Any] = {}
        for part in self._parts:
            made[part.way] = row = part.row(values)
            if part.way and made[part.parent] is not None:
                part.give(row, made[part.parent])
        for name, value in zip(self._also, values[self._parts[-1].stop :], strict=True):
            setattr(made[""], name, value)
        only: Row = made[""]
        return only


def insert(row: Model) -> None:
    """Insert a new row whose key nobody needs."""
    inserting(type(row)).run(**values_of(row))
    row._state.adding = False


def insert_with_key(row: Model) -> None:
    """Insert a new row, and give it its key."""
    (row.pk,) = inserting(type(row), "RETURNING id").one(**values_of(row)) or (None,)
    row._state.adding = False


@functools.cache
def columns_of(model: type[Model]) -> list[Any]:
    """The fields of a model that have a column, but for its key, which the database gives."""
    return [field for field in model._meta.concrete_fields if not field.primary_key]


def insertion(model: type[Model]) -> str:
    """The SQL that inserts a row; its values are `values_of` the row, but for a field that is `inserted_as` SQL."""
    fields = columns_of(model)
    named = ", ".join(f'"{field.column}"' for field in fields)
    places = ", ".join(
        field.inserted_as() if hasattr(field, "inserted_as") else f"%({field.column})s" for field in fields
    )
    return f"INSERT INTO {model._meta.db_table} ({named}) VALUES ({places})"  # noqa: S608 (names only)


@functools.cache
def inserting(model: type[Model], then: str = "") -> Statement:
    """The statement that inserts a row; `then` is what follows, such as `RETURNING id`."""
    return Statement(f"{insertion(model)} {then}")


def values_of(row: Model) -> dict[str, Any]:
    """The values of a new row by the columns of its model, as a statement takes them."""
    database = connections[DEFAULT_DB_ALIAS]
    values = {column: getattr(row, name) for column, name in _names_of(type(row))}
    for field in _prepared_by(type(row)):
        values[field.column] = field.get_db_prep_save(values[field.column], database)
    return values


@functools.cache
def _names_of(model: type[Model]) -> list[tuple[str, str]]:
    """The columns of a new row, with the names of its attributes."""
    return [(field.column, field.attname) for field in columns_of(model)]


@functools.cache
def _prepared_by(model: type[Model]) -> list[Any]:
    """The fields whose values are not taken as they are."""
    return [field for field in columns_of(model) if type_of(field) not in AS_THEY_ARE]


def type_of(field: Any) -> str:
    """The type of a field; that of a foreign key is that of the key which it names."""
    while field.is_relation:
        field = field.target_field
    return str(field.get_internal_type())


def as_taken(values: dict[str, Any], database: Any) -> dict[str, Any]:
    """The values with moments and lists as the database takes them."""
    if database.vendor == "postgresql":
        return values
    return {name: _as_text(value) if isinstance(value, AS_TEXT) else value for name, value in values.items()}


def _as_text(value: datetime | list[Any]) -> str:
    """A moment as SQLite keeps it: in UTC, which it does not say."""
    return json.dumps(value) if isinstance(value, list) else str(value.astimezone(UTC).replace(tzinfo=None))


def converter_of(field: Any) -> Callable[[Any], Any] | None:
    """What makes a value of a column that of its field; None if the database answers it as it is. Nulls stay."""
    if type_of(field) == "JSONField" and field.decoder is None:
        return _from_json
    if hasattr(field, "from_db_value"):
        return functools.partial(_from_column, field)
    return CONVERTERS[connection.vendor].get(type_of(field))


def _from_json(text: str) -> Any:
    """What a database has as JSON, which begins with no space; the way of `json.loads` is three times as long."""
    return READER.raw_decode(text)[0]


def _from_column(field: Any, value: Any) -> Any:
    return field.from_db_value(value, None, connections[DEFAULT_DB_ALIAS])


def moment_of(value: datetime | str | None) -> datetime | None:
    """The moment that a statement answers outside of rows, which SQLite does not know for one where it was found."""
    moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    return moment if moment is None or moment.tzinfo else _in_utc(moment)


def _in_utc(moment: datetime) -> datetime:
    """What SQLite keeps has no time zone."""
    return moment.replace(tzinfo=UTC)


AS_TEXT = (datetime, list)
"""What SQLite takes as text."""
CONVERTERS: dict[str, dict[str, Callable[[Any], Any]]] = {"postgresql": {}, "sqlite": {"DateTimeField": _in_utc}}
"""What a column answers otherwise than Django does, by the types of fields that the models of this site have."""
ALL, WRITTEN = methodcaller("fetchall"), attrgetter("rowcount")
"""What is wanted of a cursor."""
AS_THEY_ARE = {
    *("BigAutoField", "BooleanField", "CharField", "DateTimeField", "FloatField", "TextField"),
    *("AutoField", "BigIntegerField", "PositiveIntegerField", "PositiveSmallIntegerField"),
}
"""The types of fields whose values a statement takes."""


class PlannedOnce:
    """On PostgreSQL what is asked here, by a key, is planned once for each connection."""

    def __init__(self, database: Any, by_a_key: bool) -> None:
        self._driver = database.connection if by_a_key and database.vendor == "postgresql" else None

    def __enter__(self) -> None:
        if self._driver is not None:
            by_key.__enter__()
            self._driver.prepare_threshold = 0 if settings.PREPARED_STATEMENTS else None

    def __exit__(self, *exc: Any) -> None:
        if self._driver is not None:
            self._driver.prepare_threshold = None
            by_key.__exit__(*exc)


class _Cursors(threading.local):
    """The cursor with which the statements of a transaction are asked one after the other by a thread.

    Making one takes a tenth of the time of asking. What is asked outside of a transaction has one for each, as a cursor
    first looks there whether the connection is still good. All that is answered is read: SQLite's file is not tidied up
    while somebody may read on.
    """

    _driver: Any = None
    _is_logged = False
    _cursor: Any = None

    def of(self, database: Any) -> AbstractContextManager[Any]:
        if not database.in_atomic_block:
            cursor: AbstractContextManager[Any] = database.cursor()
            return cursor
        if database.connection is not self._driver or database.queries_logged != self._is_logged:
            self._cursor = database.cursor()
            self._driver, self._is_logged = database.connection, database.queries_logged
        return nullcontext(self._cursor)


cursors = _Cursors()


@dataclass(frozen=True)
class _Part:
    """The columns of one row among those of an answer, and what leads to it from the main one."""

    model: type[Model]
    way: str
    fields: list[Any]
    start: int
    foreign_key: Any
    """That of its parent which leads to it; None: none does."""

    @classmethod
    def of(cls, model: type[Model], way: str, start: int, without: Collection[str], foreign_key: Any = None) -> "_Part":
        prefix = f"{way}__" if way else ""
        fields = [field for field in model._meta.concrete_fields if f"{prefix}{field.name}" not in without]
        return cls(model, way, fields, start, foreign_key)

    @property
    def stop(self) -> int:
        return self.start + len(self.fields)

    @functools.cached_property
    def columns(self) -> list[str]:
        return [field.column for field in self.fields]

    @functools.cached_property
    def names(self) -> list[str]:
        return [field.attname for field in self.fields]

    @functools.cached_property
    def key(self) -> int:
        """The place of its key in the answer."""
        return self.start + [field.primary_key for field in self.fields].index(True)

    @functools.cached_property
    def parent(self) -> str:
        return self.way.rpartition("__")[0]

    def give(self, row: Model | None, parent: Any) -> None:
        if self.foreign_key is None:
            setattr(parent, self.way, row)
        else:
            self.foreign_key.set_cached_value(parent, row)

    def row(self, values: Sequence[Any]) -> Model | None:
        if values[self.key] is None:
            return None
        return self.model.from_db(DEFAULT_DB_ALIAS, self.names, values[self.start : self.start + len(self.names)])


def _key_at(way: str, model: type[Model]) -> Any:
    """The foreign key at the end of a way that begins at a model."""
    first, _, rest = way.partition("__")
    key: Any = model._meta.get_field(first)
    return _key_at(rest, key.related_model) if rest else key
