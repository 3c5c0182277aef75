"""Django's database of PostgreSQL, but that whether a connection is still good is mostly seen without asking.

Django asks at the beginning of each request (`CONN_HEALTH_CHECKS`), which takes the way to PostgreSQL and back. A
connection that PostgreSQL, or a pooler before it, has closed can be told here: there is something to be read from it,
the end. What only an answer can tell, such as that the other machine is gone, is asked of what was quiet for a while.
"""

import math
import select
import time
from typing import Any

from django.db.backends.postgresql import base

QUIET = 5
"""Seconds since the last look at a connection, after which PostgreSQL is asked."""


class DatabaseWrapper(base.DatabaseWrapper):
    """As Django finds it in the room that `ENGINE` names."""

    _looked_at = -math.inf

    def is_usable(self) -> bool:
        is_busy, self._looked_at = time.monotonic() - self._looked_at < QUIET, time.monotonic()
        if is_busy and not self.errors_occurred and is_silent(self.connection):
            return True
        return bool(super().is_usable())


def is_silent(driver: Any) -> bool:
    """Whether a connection of psycopg is open, and nothing has come from it that nobody asked for."""
    if driver is None or driver.closed:
        return False
    poll = select.poll()
    poll.register(driver.fileno(), select.POLLIN)
    return not poll.poll(0)
