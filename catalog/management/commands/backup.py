"""`assetsite backup FILE`: the whole database in one file, as of one moment, while the site goes on."""

import sqlite3
from argparse import ArgumentParser
from functools import partial
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DEFAULT_DB_ALIAS, connection

from catalog.backup import file, postgresql, sqlite
from catalog.starting.faults import NOT_MIGRATED
from catalog.starting.versions import applied

KINDS = {"sqlite": sqlite, "postgresql": postgresql}


class Command(BaseCommand):
    help = "Write the whole database to one file, as of one moment. The site may be served meanwhile."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE")
        parser.add_argument("--overwrite", action="store_true", help="replace the file if it is there")

    def handle(self, *args: Any, overwrite: bool, **options: Any) -> None:
        path: Path = options["file"].absolute()
        if path.exists() and not overwrite:
            raise CommandError(f"{path} is there already. Choose another name, or give --overwrite.")
        if not applied(DEFAULT_DB_ALIAS):
            raise CommandError(NOT_MIGRATED)
        try:
            manifest = file.write(path, connection.vendor, partial(KINDS[connection.vendor].take, DEFAULT_DB_ALIAS))
        except OSError as error:
            raise CommandError(f"{path} can't be written: {error.strerror}.") from None
        except (sqlite3.Error, postgresql.ProgramFailed) as error:
            raise CommandError(f"Nothing was backed up: {error}") from None
        self.stdout.write(f"{path} has the database as of {manifest.taken_at}, {path.stat().st_size:,} bytes.")
