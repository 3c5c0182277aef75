"""Whether two rows are the same, with all that is at hand with them."""

from typing import Any

from django.db.models import Model


def whole(row: Model | None) -> Any:
    """The values of a row, those of the related rows at hand, and what is deferred."""
    if row is None:
        return None
    values = {name: value for name, value in vars(row).items() if name != "_state"}
    related = {name: whole(its) for name, its in row._state.fields_cache.items()}
    return type(row), values, related, row.get_deferred_fields(), row._state.adding, row._state.db
