"""The result of a command: a document for programs, a text for people, and whether all went well."""

from __future__ import annotations

from dataclasses import dataclass

from obproject.json_types import Json


class CommandError(Exception):
    """Why a command could do nothing, in a sentence for the user that ends with the next step."""


@dataclass(frozen=True)
class CommandResult:
    """The result of a command."""

    document: Json
    """What ``--json`` prints."""
    text: str
    """What is printed otherwise."""
    ok: bool = True
