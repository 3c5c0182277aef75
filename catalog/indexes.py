"""Indexes of a kind that Django has no word for that both databases take."""

from typing import Any

from django.db import models


class FallingIndex(models.Index):
    """An index whose falling columns have their nulls last, as `desc(nulls_last=True)` asks for them.

    SQLite, to which null is the smallest value, has them there by itself, and refuses the words for it in an index.
    """

    def create_sql(self, model: type[models.Model], schema_editor: Any, using: str = "", **options: Any) -> Any:
        statement = super().create_sql(model, schema_editor, using, **options)
        return str(statement).replace(" NULLS LAST", "") if schema_editor.connection.vendor == "sqlite" else statement
