"""`manage.py recount`: recompute every counter, edge and pointer from the events that they are derived from."""

from typing import Any

from django.core.management.base import BaseCommand

from catalog.counters import Recount


class Command(BaseCommand):
    help = "Recompute what is derived from the events, and say what was wrong."

    def handle(self, *args: Any, **options: Any) -> None:
        done = Recount().run()
        for line in done.corrections:
            self.stdout.write(line)
        self.stdout.write(f"{done.assets} assets recounted, {len(done.corrections)} corrections.")
