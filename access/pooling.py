"""Finding out whether a pooler between the site and PostgreSQL loses the statements that a session has prepared."""

from collections.abc import Mapping
from contextlib import closing
from typing import Any

TIMES = 5
"""How often two sessions ask in turn; a busy pooler may give them the same sessions of PostgreSQL by chance."""


def loses_prepared_statements(psycopg: Any, parameters: Mapping[str, Any]) -> bool:
    """Whether two sessions with PostgreSQL, side by side, get in each other's way when they prepare statements.

    `psycopg` is the driver and `parameters` what it connects with. PgBouncer in transaction mode gives both the same
    session of PostgreSQL in turn; unless it keeps their statements apart, the second finds its name taken, or the
    first its statement gone. A database that is away loses nothing.
    """
    own = {**parameters, "autocommit": True, "connect_timeout": 2, "prepare_threshold": 0}
    try:
        with closing(psycopg.connect(**own)) as one:
            if one.execute("SELECT pg_backend_pid()").fetchone()[0] == one.info.backend_pid:
                return False  # the session that one is told of is that of PostgreSQL: no pooler
            with closing(psycopg.connect(**own)) as other:
                for _ in range(TIMES):
                    one.execute("SELECT 1")
                    other.execute("SELECT 2")
    except (psycopg.errors.DuplicatePreparedStatement, psycopg.errors.InvalidSqlStatementName):
        return True
    except psycopg.Error:
        return False
    return False
