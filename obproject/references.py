"""The grammar of references to an instance: ``latest``, ``latest-N``, ``v12``, ``@alias`` or an id.

In Python a version may be a whole number too: 12 is ``v12``.

Client and server both import this module. It says what a text means; whether such an instance exists is for the
catalogue to answer. Standard library only.
"""

from __future__ import annotations

import operator
import re
from dataclasses import dataclass
from enum import StrEnum
from typing import SupportsIndex

from obproject.branches import check_alias

MAX_REFERENCE_LENGTH = 256
MAX_NUMBER = 2**31 - 1
"""Largest instance number, and largest N of ``latest-N``."""

AnyReference = str | SupportsIndex
"""A reference as Python code gives it."""

_NUMBER = re.compile(r"v([0-9]+)")
_RELATIVE = re.compile(r"latest-(.*)", re.DOTALL)
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")


class ReferenceKind(StrEnum):
    """What a reference goes by."""

    LATEST = "latest"
    NUMBER = "number"
    ALIAS = "alias"
    ID = "id"


@dataclass(frozen=True)
class Reference:
    """One parsed reference. The field that belongs to ``kind`` is set, the others keep their defaults.

    ``str()`` gives the canonical text: ``latest-0`` reads back as ``latest``.
    """

    kind: ReferenceKind
    offset: int = 0
    """For LATEST: how many instances before the newest."""
    number: int | None = None
    """For NUMBER: 12 for ``v12``."""
    alias: str = ""
    """For ALIAS: the name without its ``@``."""
    id: str = ""
    """For ID: the id as the server returned it."""

    def __str__(self) -> str:
        match self.kind:
            case ReferenceKind.LATEST:
                return f"latest-{self.offset}" if self.offset else "latest"
            case ReferenceKind.NUMBER:
                return f"v{self.number}"
            case ReferenceKind.ALIAS:
                return f"@{self.alias}"
            case ReferenceKind.ID:
                return self.id


def parse_reference(reference: AnyReference) -> Reference:
    """Read a reference; raise ValueError with a sentence for the user if it can't be one.

    A whole number is a version. Every text that is not one of the four written forms is an id, so ``v1x``,
    ``latest_model`` and ``V12`` are ids.
    """
    text = reference if isinstance(reference, str) else _version(reference)
    if not text:
        raise ValueError("the instance reference is empty; write 'latest', 'latest-1', 'v12', '@alias' or an id")
    if len(text) > MAX_REFERENCE_LENGTH:
        raise ValueError(
            f"the instance reference {text[:20]!r}... has {len(text)} characters; "
            f"at most {MAX_REFERENCE_LENGTH} are allowed"
        )
    if _UNPRINTABLE.search(text):
        raise ValueError(f"the instance reference {text!r} has a character that can't be shown")
    if text == "latest":
        return Reference(ReferenceKind.LATEST)
    if relative := _RELATIVE.fullmatch(text):
        return Reference(ReferenceKind.LATEST, offset=_parse_offset(relative[1], text))
    if number := _NUMBER.fullmatch(text):
        return Reference(ReferenceKind.NUMBER, number=_parse_number(number[1], text))
    if text.startswith("@"):
        return Reference(ReferenceKind.ALIAS, alias=check_alias(text[1:]))
    return Reference(ReferenceKind.ID, id=text)


def _version(number: SupportsIndex) -> str:
    """Return the version that a whole number means, of numpy and its relatives too; a truth value is no number."""
    try:
        found = None if isinstance(number, bool) else operator.index(number)
    except TypeError:
        found = None
    if found is None:
        raise ValueError(
            f"{number!r} is no instance reference; write 'latest', 'latest-1', 'v12' or 12, '@alias' or an id"
        )
    if found < 1:
        raise ValueError(
            f"{found} is no instance reference; instances are numbered 1, 2, 3 and so on, "
            "and 'latest-1' is the one before the newest"
        )
    return f"v{found}"


def _parse_offset(digits: str, text: str) -> int:
    if not re.fullmatch(r"[0-9]+", digits):
        raise ValueError(f"{text!r} is no instance reference; write 'latest-1' for the one before the newest")
    return _bounded(digits, text)


def _parse_number(digits: str, text: str) -> int:
    if digits.startswith("0"):
        raise ValueError(f"{text!r} is no instance reference; instances are numbered v1, v2, v3 and so on")
    return _bounded(digits, text)


def _bounded(digits: str, text: str) -> int:
    value = int(digits)
    if value > MAX_NUMBER:
        raise ValueError(f"the number in {text!r} is too large; at most {MAX_NUMBER} is possible")
    return value
