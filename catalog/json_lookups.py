"""Questions about the members of a stored JSON object, answered alike by both databases whatever a member is called."""

import json
from typing import Any

from django.db import connection
from django.db.models import BooleanField, Func, JSONField, Lookup, Q

from catalog.limits import is_too_large

Scalar = str | int | float | bool | None


@JSONField.register_lookup
class HasMember(Lookup):
    """`field__has_member=(key, value)`: the object has this member with exactly this JSON value."""

    lookup_name = "has_member"
    prepare_rhs = False

    def as_postgresql(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:
        column, params = self.process_lhs(compiler, connection)
        key, value = self.rhs
        return f"{column} @> %s::jsonb", [*params, json.dumps({key: value})]

    def as_sqlite(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:
        column, params = self.process_lhs(compiler, connection)
        key, value = self.rhs
        types, comparable = _sqlite_scalar(value)
        found = f"SELECT 1 FROM json_each({column}) WHERE json_each.key = %s AND json_each.type IN ({types})"
        if comparable is None:
            return f"EXISTS ({found})", [*params, key]
        return f"EXISTS ({found} AND json_each.value = %s)", [*params, key, comparable]


@JSONField.register_lookup
class MemberCompares(Lookup):
    """`field__member_compares=(key, operator, number)`: the member is a number, or spells one, and compares so."""

    lookup_name = "member_compares"
    prepare_rhs = False
    OPERATORS = {">=", "<=", ">", "<"}
    NUMBER = r"\A-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]{1,3})?\Z"

    def as_postgresql(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:
        column, params = self.process_lhs(compiler, connection)
        key, operator, number = self._checked()
        text = f"({column} ->> %s)"
        is_number = f"(jsonb_typeof({column} -> %s) IN ('number', 'string') AND {text} ~ %s)"
        compares = f"CASE WHEN {is_number} THEN {text}::numeric {operator} %s::numeric ELSE false END"
        return compares, [*params, key, *params, key, self.NUMBER, *params, key, repr(number)]

    def as_sqlite(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:
        column, params = self.process_lhs(compiler, connection)
        key, operator, number = self._checked()
        is_number = "(json_each.type IN ('integer', 'real') OR (json_each.type = 'text' AND json_each.value REGEXP %s))"
        found = (
            f"SELECT 1 FROM json_each({column}) WHERE json_each.key = %s AND {is_number}"
            f" AND CAST(json_each.value AS REAL) {operator} %s"
        )
        return f"EXISTS ({found})", [*params, key, self.NUMBER, number]

    def _checked(self) -> tuple[str, str, float]:
        key, operator, number = self.rhs
        if operator not in self.OPERATORS:
            raise ValueError(f"unknown operator {operator!r}")
        return key, operator, float(number)


@JSONField.register_lookup
class HasName(Lookup):
    """`field__has_name=key`: the object has a member of this name."""

    lookup_name = "has_name"
    prepare_rhs = False

    def as_postgresql(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:
        column, params = self.process_lhs(compiler, connection)
        return f"jsonb_exists({column}, %s)", [*params, self.rhs]

    def as_sqlite(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:
        column, params = self.process_lhs(compiler, connection)
        return f"EXISTS (SELECT 1 FROM json_each({column}) WHERE json_each.key = %s)", [*params, self.rhs]


class InAsset(Func):
    """Whether an instance of one asset has a member, asked of PostgreSQL's index of all members by asset.

    The index has each object of tags or annotations as the only member of another one, under the key of the asset:
    so it finds what an asset has, however many others have the same.
    """

    output_field = BooleanField()
    WRAPPED = "jsonb_set(('{{\"' || {asset}::text || '\":{{}}}}')::jsonb, ARRAY[{asset}::text], {column})"
    """As in the migration that makes the index."""

    def __init__(self, column: str, asset: int, key: str, value: Scalar) -> None:
        super().__init__("asset_id", column)
        self.asked = json.dumps({str(asset): {key: value}})

    def as_sql(  # type: ignore[override]
        self, compiler: Any, connection: Any, **context: Any
    ) -> tuple[str, list[Any]]:
        asset, column = (compiler.compile(part)[0] for part in self.get_source_expressions())
        return f"{self.WRAPPED.format(asset=asset, column=column)} @> %s::jsonb", [self.asked]


def found_by_index(column: str, asset: int, key: str, value: Scalar) -> Q | None:
    """The instances of an asset with this member in one of their columns; None where no index finds them."""
    return Q(InAsset(column, asset, key, value)) if connection.vendor == "postgresql" else None


def scalar_spellings(text: str) -> list[Any]:
    """The values of a member that equal a text: the text itself, and the JSON scalar that it spells."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return [text]
    if isinstance(value, dict | list) or is_too_large(value):
        return [text]
    return [text, value]


def _sqlite_scalar(value: Scalar) -> tuple[str, Scalar]:
    """SQLite's types of a stored JSON scalar, and what to compare with (None: the type says it all)."""
    if value is None:
        return "'null'", None
    if isinstance(value, bool):
        return f"'{str(value).lower()}'", None
    if isinstance(value, str):
        return "'text'", value
    # SQLite reads whole numbers beyond 64 bits as real ones, and takes none as a parameter
    return "'integer', 'real'", value if abs(value) < 2**63 else float(value)
