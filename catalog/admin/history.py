"""What happened to the definition of an asset: edits by people, and declarations by deploys."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from catalog.admin.text import shown, stored
from catalog.models import DefinitionRevision, PropertyEdit

HISTORY = 50


@dataclass(frozen=True)
class Edit:
    """A row of the history of edits."""

    at: datetime
    actor: str
    key: str
    old: str
    new: str
    declared: str
    given_back: bool

    @classmethod
    def of(cls, row: PropertyEdit) -> "Edit":
        old, new, declared = map(stored, (row.old_value, row.new_value, row.declared_value))
        return cls(row.at, row.actor, row.key, old, new, declared, row.new_value is None)


@dataclass(frozen=True)
class Deploy:
    """A row of the history of declarations."""

    at: datetime
    who: str
    config_hash: str
    names: str
    declared: str

    @classmethod
    def of(cls, row: DefinitionRevision) -> "Deploy":
        who = f"{row.actor}, {row.entity_kind} {row.entity_id}"
        return cls(row.at, who, row.config_hash, ", ".join(row.declared), shown(row.declared))


@dataclass(frozen=True)
class History:
    """The newest rows of a history, and how many older ones there are."""

    rows: list[Any]
    older: int

    @classmethod
    def of(cls, events: Any, present: Callable[[Any], Any]) -> "History":
        """From a related manager, by no more than two queries."""
        rows = [present(event) for event in events.order_by("-pk")[:HISTORY]]
        return cls(rows, events.count() - HISTORY if len(rows) == HISTORY else 0)
