"""What `assetsite check` says about a database that can't take the writes of `appending.py`."""

import sqlite3
from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.core.checks import CheckMessage, Error, Tags, register
from django.db import connection

OLDEST_SQLITE = (3, 35)
"""The first that answers keys with `RETURNING`."""


@register(Tags.compatibility)
def check_sqlite(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """The SQLite that Python brings is new enough, where the site uses it."""
    if connection.vendor != "sqlite" or sqlite3.sqlite_version_info >= OLDEST_SQLITE:
        return []
    return [
        Error(
            f"This Python has SQLite {sqlite3.sqlite_version}; the catalogue needs 3.35 or newer.",
            hint="Run the site with a Python that has a newer SQLite (python3 -c 'import sqlite3; "
            "print(sqlite3.sqlite_version)' tells), or set DATABASE_URL to a PostgreSQL.",
            id="catalog.E003",
        )
    ]
