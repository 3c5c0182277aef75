"""A database that can't be used, in a sentence: why, and what to do. No driver's message has a password in it."""

import re

from django.db import DatabaseError, DataError, IntegrityError, connection

NOT_MIGRATED = "The database is not ready for this version. Set it up first: assetsite manage migrate"
SQLITE = {
    "unable to open": "The database file {file} can't be opened: its folder is missing, or the user that runs this may "
    "not write there.",
    "not a database": "The file {file} is no SQLite database. Correct ASSETSITE_HOME or DATABASE_URL.",
    "readonly": "The database file {file} can't be written to by the user that runs this.",
    "locked": "The database file {file} is in use: another program has been writing to it for too long. Try again.",
    "malformed": "The database file {file} is damaged. Restore a backup: assetsite restore.",
    "is full": "The disk with the database file {file} is full. Make room.",
    "disk i/o": "The disk with the database file {file} can't be read or written to.",
    "no such table": NOT_MIGRATED,
    "no such column": NOT_MIGRATED,
}
"""By words of SQLite's own messages."""

POSTGRESQL = {
    "password|no pg_hba.conf entry|role .* does not exist": "Correct user and password in DATABASE_URL.",
    "database .* does not exist": "Make it with createdb, or correct DATABASE_URL.",
    "permission denied|must be owner": "Give its user the right to, or correct the user in DATABASE_URL.",
    "read-only transaction": "This server takes no writes: name the one that does in DATABASE_URL.",
    "invalid connection option|invalid .* value": "Correct what comes after ? in DATABASE_URL.",
}
"""What to do, by words of PostgreSQL's own messages; none of these passes by itself."""

OF_DATA = (DataError, IntegrityError)
"""What a database says of values, and never of itself."""

AWAY = "Start it, or correct DATABASE_URL."
CAUSE = re.compile(r".*(?:failed|FATAL|ERROR|error): +(?P<cause>.+)", re.DOTALL)


def sentence_about(error: DatabaseError) -> str:
    """What to tell the person who runs a command; empty if the database is not at fault."""
    if isinstance(error, OF_DATA):
        return ""
    return _about_postgresql(error) if connection.vendor == "postgresql" else _about_sqlite(error)


def may_come_back(error: DatabaseError) -> bool:
    """Whether waiting can help: the database is not there (yet), rather than there and not for us."""
    return connection.vendor == "postgresql" and _advice(str(error)) == AWAY


def _about_sqlite(error: DatabaseError) -> str:
    said = str(error).lower()
    sentences = [sentence for words, sentence in SQLITE.items() if words in said]
    return sentences[0].format(file=connection.settings_dict["NAME"]) if sentences else ""


def _about_postgresql(error: DatabaseError) -> str:
    state = getattr(error.__cause__, "sqlstate", None) or ""
    if state in ("42P01", "42703"):  # no such table, no such column
        return NOT_MIGRATED
    if state and state[:2] not in ("08", "25", "42", "53", "57"):
        return ""
    where = connection.settings_dict
    host = ":".join(str(part) for part in (where["HOST"], where["PORT"]) if part) or "this machine"
    found = CAUSE.fullmatch(str(error))
    cause = " ".join((found["cause"] if found else str(error)).split("\n")[0].split())
    return f"The PostgreSQL database {where['NAME']!r} at {host} can't be used: {cause.rstrip('.')}. {_advice(cause)}"


def _advice(said: str) -> str:
    return next((advice for words, advice in POSTGRESQL.items() if re.search(words, said)), AWAY)
