"""`assetsite manage recount`: recompute every counter, edge and pointer from the events that they are derived from."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from catalog.reconciling.lease import LeaseLost, LeaseTaken
from catalog.reconciling.recounting import recount


class Command(BaseCommand):
    help = "Recompute what is derived from the events, and say what was wrong."

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            done = recount(say=self.stderr.write, correction=self.stdout.write)
        except (LeaseTaken, LeaseLost) as error:
            raise CommandError(str(error)) from None
        self.stdout.write(done)
