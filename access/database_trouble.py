"""What passes by itself, or with somebody's help, when the database can't do what a request needs of it.

It is known by the codes of the databases: https://www.postgresql.org/docs/current/errcodes-appendix.html and
https://www.sqlite.org/rescode.html. Whatever else goes wrong with a statement is an error of the program.
"""

import logging
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import DisallowedHost
from django.db import Error, OperationalError


@dataclass(frozen=True)
class Trouble:
    """What to say, and after how many seconds it is worth trying again; None where that is useless."""

    sentence: str
    retry_after: int | None


AWAY = Trouble("The database does not answer; it may be restarting. Try again.", 2)
BUSY = Trouble("The database is busy with other requests. Try again.", 1)
FULL = Trouble("The disk of the database is full. Nothing was written; try again when there is room.", 5)
UNWRITABLE = Trouble("The database takes no writes: it, or its disk, can only be read. Nothing was written.", 5)
BROKEN_DISK = Trouble("The database can't use its disk. Nothing was written.", 5)
STOPPED = Trouble("This took too long and was stopped.", None)

# By the code, or its class of two characters
OF_POSTGRESQL = {
    "08": AWAY,  # connection exceptions, also a pooler that found no connection in time
    "25006": UNWRITABLE,
    "25P03": AWAY,
    "25P04": AWAY,
    "40001": BUSY,
    "40P01": BUSY,  # a deadlock
    "53100": FULL,
    "53": BUSY,  # too many connections, no memory
    "55P03": BUSY,  # a lock that did not come in time
    "57014": STOPPED,
    "57P": AWAY,  # shut down, crashed, starting
    "58030": BROKEN_DISK,
}
OF_SQLITE = {
    sqlite3.SQLITE_BUSY: BUSY,
    sqlite3.SQLITE_LOCKED: BUSY,
    sqlite3.SQLITE_FULL: FULL,
    sqlite3.SQLITE_READONLY: UNWRITABLE,
    sqlite3.SQLITE_IOERR: BROKEN_DISK,
    sqlite3.SQLITE_CANTOPEN: BROKEN_DISK,
    sqlite3.SQLITE_INTERRUPT: STOPPED,
}


def trouble_of(exc: BaseException | None) -> Trouble | None:
    """What an exception means that left a view; None for every other one."""
    found = (_trouble(error, error.__cause__) for error in _with_causes(exc) if isinstance(error, Error))
    return next(filter(None, found), None)


def _with_causes(exc: BaseException | None) -> Iterator[BaseException]:
    while exc is not None:
        yield exc
        exc = exc.__cause__


def _trouble(error: Error, cause: Any) -> Trouble | None:
    """Of Django's error and that of the driver below it."""
    if code := getattr(cause, "sqlite_errorcode", None):
        return OF_SQLITE.get(code & 0xFF)  # the other bits are details
    if state := getattr(cause, "sqlstate", None):
        return OF_POSTGRESQL.get(state) or OF_POSTGRESQL.get(state[:3]) or OF_POSTGRESQL.get(state[:2])
    # a driver has no code for a connection that was lost, or never came about
    return AWAY if isinstance(error, OperationalError) and hasattr(cause, "sqlstate") else None


class InOneLine(logging.Filter):
    """What is no fault of the code is one line of the log for each request, without a traceback, which tells nothing.

    That is trouble of the database, and a host name that the site does not answer to.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        exc = record.exc_info[1] if record.exc_info else None
        if (trouble := trouble_of(exc)) is not None:
            request: Any = getattr(record, "request", None)
            where = f"{request.method} {request.get_full_path()}" if request else record.getMessage()
            reason = str(exc).partition("\n")[0]
            seconds = f" after {getattr(request, 'statement_limit', 0):g} s" if trouble is STOPPED else ""
            record.msg, record.args = "%s: %s%s", (where, reason, seconds)
            record.exc_info = None
        elif isinstance(exc, DisallowedHost):
            record.msg = record.getMessage().replace("ALLOWED_HOSTS", "ASSETSITE_ALLOWED_HOSTS")
            record.exc_info = None
        return True
