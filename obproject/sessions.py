"""Sessions: what an app, a notebook or a script does in one process, where a flow has its run.

Client and server both import this module. Standard library only.
"""

from __future__ import annotations

import re
import secrets
from datetime import timedelta

LIFETIME = timedelta(hours=12)
"""How long a process goes on with one session; and how long a reading counts for what the same session registers."""

SESSION_ID = re.compile(r"s_[0-9a-f]{20}")


def new_session_id() -> str:
    """Return an id for a session: 80 random bits behind its letter."""
    return f"s_{secrets.token_hex(10)}"


def is_session_id(text: object) -> bool:
    """Say whether something is the id of a session."""
    return isinstance(text, str) and SESSION_ID.fullmatch(text) is not None
