"""`assetsite restore FILE`: a backup becomes the database, and is migrated to this version."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import DEFAULT_DB_ALIAS, connection, connections

from catalog.backup import postgresql, sqlite
from catalog.backup.file import Manifest, NoBackup, opened
from catalog.backup.postgresql import ProgramFailed
from catalog.backup.sqlite import InUse
from catalog.marks import mark_everything
from catalog.starting.migrating import alone
from catalog.starting.serving import not_served
from catalog.starting.versions import refuse_newer

KINDS = {"sqlite": sqlite, "postgresql": postgresql}
NAMES = {"sqlite": "an SQLite", "postgresql": "a PostgreSQL"}


class Command(BaseCommand):
    help = "Make a backup the database, and migrate it to this version. No server may run meanwhile."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE")
        parser.add_argument("--replace", action="store_true", help="in the place of what the database has now")

    def handle(self, *args: Any, replace: bool, **options: Any) -> None:
        path: Path = options["file"].absolute()
        manifest = self._restored(path, replace)
        connections.close_all()
        try:
            call_command("migrate", verbosity=0)
        except Exception:
            self.stderr.write("The backup is restored, and not yet migrated to this version: assetsite manage migrate.")
            raise
        mark_everything()
        self.stdout.write(
            f"The database is that of {path}, taken at {manifest.taken_at} by assetsite {manifest.version}.\n"
            "What tasks have written since then comes back when it is served, or by assetsite reconcile."
        )

    def _restored(self, path: Path, replace: bool) -> Manifest:
        """Put the backup in its place, or leave the database as it is and say why."""
        try:
            with opened(path) as (manifest, dump):
                self._refuse_unfit(path, manifest)
                with not_served(DEFAULT_DB_ALIAS):
                    self._refuse_used(replace)
                    with alone(DEFAULT_DB_ALIAS, say=self.stderr.write):
                        KINDS[connection.vendor].put(DEFAULT_DB_ALIAS, dump)
                return manifest
        except OSError as error:
            raise CommandError(f"{path} can't be restored: {error.strerror}. The database is as it was.") from None
        except (NoBackup, ProgramFailed) as error:
            raise CommandError(f"{error} The database is as it was.") from None
        except InUse:
            raise CommandError("Another program has the database open. Stop it first.") from None

    def _refuse_unfit(self, path: Path, manifest: Manifest) -> None:
        if manifest.database != connection.vendor:
            raise CommandError(
                f"{path} is the backup of {NAMES[manifest.database]} database, and DATABASE_URL names "
                f"{NAMES[connection.vendor]} one. It can be restored into its own kind only."
            )
        refuse_newer(manifest.migrations, f"{path}, taken by assetsite {manifest.version},")

    def _refuse_used(self, replace: bool) -> None:
        if not replace and not KINDS[connection.vendor].is_empty(DEFAULT_DB_ALIAS):
            raise CommandError(
                "The database has tables, and restoring replaces them all. Give --replace if that is meant."
            )
        if connection.vendor == "postgresql" and (others := postgresql.users(DEFAULT_DB_ALIAS)):
            raise CommandError(
                f"Others are connected to the database, from {', '.join(sorted(set(others)))}. Stop the servers first."
            )
