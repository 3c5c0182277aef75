"""Columns that several tables have, and the ids that the catalogue gives."""

import secrets

from django.db import models

from catalog.models.places import Branch

FOREACH_HELP = "The foreaches that the task is in, as Metaflow writes them; empty: in none; null: not told."


def new_instance_id() -> str:
    return f"i_{secrets.token_hex(10)}"


def new_definition_id() -> str:
    return f"d_{secrets.token_hex(10)}"


def new_highlight_id() -> str:
    return f"h_{secrets.token_hex(10)}"


def client_id() -> "models.CharField[str | None, str | None]":
    """The column of the id that a client gave to its write; null if it gave none, as no two ids are the same."""
    return models.CharField(max_length=32, null=True, editable=False)


def untold_text(length: int, about: str = "") -> "models.CharField[str | None, str | None]":
    """A column of text for what not every client tells; null if it was not told, as for all rows of older versions."""
    return models.CharField(max_length=length, null=True, help_text=about)


def branch_of_asset() -> "models.ForeignKey[Branch, Branch]":
    """The column of the branch that a row's asset is on, for what lists the newest rows of a branch."""
    return models.ForeignKey(
        Branch, on_delete=models.PROTECT, related_name="+", db_index=False, help_text="That of the asset."
    )
