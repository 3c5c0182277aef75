"""Roles of readings: what somebody reads an instance for, as a lower-case word.

Client and server both import this module. Standard library only.
"""

from __future__ import annotations

import re

INPUT = "input"
"""The role of every reading that names none; on the wire and in the catalogue it is no role at all."""
BASELINE = "baseline"
"""Read only to compare with: shown as a reading, never an ancestor of anything."""
EVALUATION = "evaluation"
"""Data that metrics were measured on."""

ROLE_LENGTH = 32

_ROLE = re.compile(rf"[a-z][a-z0-9_-]{{0,{ROLE_LENGTH - 1}}}")


def check_role(role: str | None) -> str | None:
    """Return a role as it is kept, which is None for an input; raise ValueError if it is no role."""
    if role is None or role == INPUT:
        return None
    if not isinstance(role, str) or not _ROLE.fullmatch(role):
        raise ValueError(
            f"The role {role!r} is no lower-case word of at most {ROLE_LENGTH} characters (a-z, 0-9, '_' and '-', a "
            f"letter first), such as {BASELINE!r} or {EVALUATION!r}"
        )
    return role
