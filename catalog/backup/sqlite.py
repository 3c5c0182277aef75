"""The dump of an SQLite database is the database as of one moment, in one file."""

import os
import shutil
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path
from typing import IO

from django.db import connections

from catalog.backup.file import NoBackup, copy_to, sync_folder
from catalog.starting.versions import Migration

PAGES = 4096
"""How many pages are copied at a time; in between the process can be interrupted."""


class InUse(Exception):
    """Another program has the database open."""


def take(using: str, dump: IO[bytes], folder: Path) -> set[Migration]:
    """Write the database to `dump` while others write to it; its migrations. `folder` holds a copy meanwhile."""
    copy = folder / "copy.sqlite3"
    with closing(_connected(_file(using))) as source, closing(_connected(copy)) as target:
        source.execute("BEGIN")
        source.execute("SELECT count(*) FROM sqlite_master")  # from here on it sees one moment, and blocks nobody
        source.backup(target, pages=PAGES)
        source.execute("ROLLBACK")
        target.execute("PRAGMA journal_mode=DELETE")  # all of it in one file
        migrations = set(target.execute("SELECT app, name FROM django_migrations"))
    with copy.open("rb") as file:
        shutil.copyfileobj(file, dump, 1 << 20)
    return migrations


def is_empty(using: str) -> bool:
    """Whether there is nothing that a restored catalogue would take the place of."""
    file = _file(using)
    if not file.exists():
        return True
    try:
        with closing(_connected(file)) as database:
            return database.execute("SELECT count(*) FROM sqlite_master").fetchone() == (0,)
    except sqlite3.DatabaseError:
        return False


def put(using: str, dump: IO[bytes]) -> None:
    """Put the dump in the place of the database, at one stroke; raises NoBackup if it is damaged, and InUse."""
    file = _file(using)
    connections[using].close()
    with tempfile.TemporaryDirectory(dir=file.parent, prefix=f".{file.name[:100]}.") as folder:
        new = Path(folder) / "new.sqlite3"
        copy_to(dump, new)
        _refuse_damaged(new)
        if file.exists():
            _settle(file)
            shutil.copymode(file, new)
        new.replace(file)
    sync_folder(file.parent)


def _refuse_damaged(file: Path) -> None:
    try:
        with closing(_connected(file)) as database:
            found = [row for (row,) in database.execute("PRAGMA integrity_check(1)") if row != "ok"]
            found += [f"a row of {row[0]} points to none" for row in database.execute("PRAGMA foreign_key_check")]
    except sqlite3.DatabaseError as error:
        raise NoBackup(f"The database in the backup is damaged: {error}.") from error
    if found:
        raise NoBackup(f"The database in the backup is damaged: {found[0]}.")


def _settle(file: Path) -> None:
    """Bring all that belongs to a database into its one file, for which nobody else may have it open."""
    try:
        with closing(_connected(file)) as database:
            database.execute("PRAGMA journal_mode=DELETE")
    except sqlite3.OperationalError as error:
        raise InUse(str(error)) from error
    except sqlite3.DatabaseError:  # it is damaged, and its log can't mend what takes its place
        for suffix in ("-wal", "-shm", "-journal"):
            Path(f"{file}{suffix}").unlink(missing_ok=True)


def _connected(file: Path) -> sqlite3.Connection:
    return sqlite3.connect(os.fspath(file), timeout=20, isolation_level=None)


def _file(using: str) -> Path:
    return Path(connections[using].settings_dict["NAME"])
