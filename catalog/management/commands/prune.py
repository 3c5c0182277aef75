"""`assetsite manage prune`: drop answers to repeated requests after seven days, failed sign-ins after one."""

from typing import Any

from django.core.management.base import BaseCommand

from access.attempts import forget_old_attempts
from catalog.recording import forget_old_answers


class Command(BaseCommand):
    help = "Drop what is kept for a time only. Events are never pruned."

    def handle(self, *args: Any, **options: Any) -> None:
        answers, attempts = forget_old_answers(), forget_old_attempts()
        if options["verbosity"]:
            self.stdout.write(f"{answers} old answers and {attempts} old failures of signing in dropped.")
