"""`assetsite manage migrate`: Django's, for one process at a time, and not on a database of a newer version."""

from typing import Any

from django.core.management.commands import migrate

from catalog.starting.migrating import alone
from catalog.starting.versions import applied, refuse_newer


class Command(migrate.Command):
    def handle(self, *args: Any, **options: Any) -> None:
        with alone(options["database"], say=self.stderr.write):
            refuse_newer(applied(options["database"]), "The database")
            super().handle(*args, **options)
