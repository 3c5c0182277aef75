"""What was written last: every row that pages show something of has a mark of the write that changed it last.

Whoever has shown rows needs to know later whether they are still the same. The highest mark of a set of rows says so
with one look into an index, if two things hold: each write marks what it changes, and no write gives a lower mark than
the highest that anybody has seen.

The first is kept by the models here, not by their writers: saving a row marks it, and so does an update of many. SQL
that is written by hand sets the column to `mark_of` its table.

The second is not kept by times or by numbers from a sequence, as they are taken before a transaction ends: one that
began earlier may end later, and its mark is then lower than one that was seen. So it depends on the database:

- SQLite has one writer at a time, from the beginning of a transaction to its end (`transaction_mode`). The mark is the
  time in microseconds, and at least one more than the highest of its table.
- PostgreSQL numbers its transactions. The mark is that number, and a highest mark is `settled` if it is below the
  number of the oldest transaction that has not ended: all with a lower number have ended, and are seen, and all that
  may still end have a higher one. Until then, mostly some milliseconds, nothing can be said.

So of two equal settled marks of one set of rows: had a row been changed between, the change was not seen at first, so
its transaction had not ended then, so its number is above the first mark, and it is the mark of a row that is seen now.
Rows that are taken out of a set have to be marked, or something beside them that is looked at too.

Numbers may come again after a database was brought back from a copy: `assetsite restore` marks everything anew, and
PostgreSQL's own ways restart the server, whose start is a part of what is compared (`catalog/unchanged.py`).
"""

from typing import Any

from django.apps import apps
from django.db import connection, models
from django.db.models import Expression

from access.visibility import VisibleQuerySet

COLUMN = "changed"
MARKS = {
    "postgresql": "pg_current_xact_id()::text::bigint",
    "sqlite": (
        "MAX(CAST((julianday('now') - 2440587.5) * 86400000000.0 AS INTEGER),"
        " (SELECT IFNULL(MAX(changed), 0) + 1 FROM {table}))"
    ),
}
"""By the name that Django gives the database. Times go to the microsecond, as far as SQLite tells them."""
SETTLED_BELOW = {
    "postgresql": "pg_snapshot_xmin(pg_current_snapshot())::text::bigint",
    "sqlite": "9223372036854775807",
}
"""All transactions with lower marks have ended."""


def mark_of(model: type[models.Model]) -> str:
    """The mark of a write, as SQL, for a row of this model."""
    return MARKS[connection.vendor].format(table=model._meta.db_table)


class Mark(Expression):
    """The same for Django's own statements."""

    def __init__(self, model: type[models.Model]) -> None:
        super().__init__(output_field=models.BigIntegerField())
        self._model = model

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, tuple[str | int, ...]]:
        return mark_of(self._model), ()


class MarkField(models.BigIntegerField):
    """The column of the mark. It is never read from a row at hand, which has that of an earlier write."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"null": True, "editable": False, "db_index": True} | options)

    def deconstruct(self) -> Any:
        name, _, args, options = super().deconstruct()
        return name, "django.db.models.BigIntegerField", args, options

    def inserted_as(self) -> str:
        """What stands for it where `access.statements` inserts a row."""
        return mark_of(self.model)

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:
        return Mark(type(model_instance))


class MarkedQuerySet(VisibleQuerySet[Any]):
    """Queries of rows that are marked."""

    def update(self, **values: Any) -> int:
        """Change the rows, and mark them."""
        if values.keys() - self.model.NOT_MARKED:
            values[COLUMN] = Mark(self.model)
        return super().update(**values)

    def mark(self) -> int:
        """Mark the rows, for what has changed beside them."""
        return super().update(**{COLUMN: Mark(self.model)})


class Marked(models.Model):
    """A row that is marked by whatever changes it.

    `NOT_MARKED`: columns whose changes show nowhere, or are those of other marked rows.
    """

    NOT_MARKED: frozenset[str] = frozenset()

    changed = MarkField()

    class Meta:
        abstract = True

    def save(self, *, update_fields: Any = None, **options: Any) -> None:
        if update_fields is not None:
            update_fields = {*update_fields, COLUMN}
        super().save(update_fields=update_fields, **options)


def mark_everything() -> None:
    """Mark all rows anew, where those of a copy have come in the place of others."""
    marked: list[Any] = [model for model in apps.get_models() if issubclass(model, Marked)]
    for model in marked:
        model.objects.mark()
