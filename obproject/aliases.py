"""Aliases, the movable names of instances (``@production``), as the catalogue returns them.

They are set, moved, deleted and listed by the methods of :class:`obproject.Asset`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from obproject.entities import EntityRef
from obproject.errors import AliasConflict, Conflict

ANYWHERE: Any = object()
"""No expectation of where an alias points: it is moved from wherever it is, or made."""


class Alias(NamedTuple):
    """Where an alias points, and since when."""

    name: str
    instance_id: str
    updated_at: datetime
    updated_by: EntityRef


class AliasMove(NamedTuple):
    """One line of the history of an asset's aliases."""

    alias: str
    instance_id: str | None
    """Where it points since then; None if it was deleted."""
    previous_instance_id: str | None
    """Where it pointed until then; None if it did not exist."""
    updated_at: datetime
    updated_by: EntityRef


def parse_alias(answer: Mapping[str, Any]) -> Alias:
    """Read an alias as the catalogue sends it."""
    return Alias(answer["name"], answer["instance_id"], *_when_and_who(answer))


def parse_move(answer: Mapping[str, Any]) -> AliasMove:
    """Read an entry of the history as the catalogue sends it."""
    before, after = answer["previous_instance_id"], answer["instance_id"]
    return AliasMove(answer["alias_name"], after or None, before or None, *_when_and_who(answer))


def _when_and_who(answer: Mapping[str, Any]) -> tuple[datetime, EntityRef]:
    who = answer["updated_by"]
    return datetime.fromisoformat(answer["updated_at"]), EntityRef(who["entity_kind"], who["entity_id"])


def unmet_expectation(conflict: Conflict) -> Conflict:
    """Return the error to raise for a refusal: an AliasConflict where an alias pointed elsewhere than expected."""
    if "current" not in conflict.detail:
        return conflict
    return AliasConflict(str(conflict), response=conflict.response, code=conflict.code, detail=conflict.detail)
