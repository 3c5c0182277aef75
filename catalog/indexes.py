"""Indexes of a kind that Django has no word for that both databases take."""

from typing import Any

from django.db import models
from django.db.backends.ddl_references import Statement


class FallingIndex(models.Index):
    """An index whose falling columns have their nulls last, as `desc(nulls_last=True)` asks for them.

    SQLite, to which null is the smallest value, has them there by itself, and refuses the words for it in an index.
    """

    def create_sql(self, model: type[models.Model], schema_editor: Any, using: str = "", **options: Any) -> Any:
        statement = super().create_sql(model, schema_editor, using, **options)
        if schema_editor.connection.vendor != "sqlite":
            return statement
        return _WithoutNulls(statement.template, **statement.parts)


class _WithoutNulls(Statement):
    """It can still be told of another name of its table, under which SQLite makes a table anew to change it."""

    def __str__(self) -> str:
        return super().__str__().replace(" NULLS LAST", "")
