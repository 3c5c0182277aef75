"""`manage.py prune`: drop the answers kept for repeated requests once they are older than seven days."""

from typing import Any

from django.core.management.base import BaseCommand

from catalog.recording import forget_old_answers


class Command(BaseCommand):
    help = "Drop what is kept for a time only. Events are never pruned."

    def handle(self, *args: Any, **options: Any) -> None:
        dropped = forget_old_answers()
        if options["verbosity"]:
            self.stdout.write(f"{dropped} old answers dropped.")
