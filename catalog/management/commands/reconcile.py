"""`assetsite reconcile`: bring the catalogue up to date with what tasks kept of their writes in Metaflow's metadata."""

import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from catalog.reconciling.lease import LeaseLost, LeaseTaken
from catalog.reconciling.passes import reconcile
from catalog.reconciling.report import lines_about
from catalog.reconciling.sources import RootNotAllowed


class Command(BaseCommand):
    help = "Backfill writes that the catalogue has missed, and settle what ended tasks left pending."

    def add_arguments(self, parser: ArgumentParser) -> None:
        root = "a folder with Metaflow's local metadata, read from now on; may be repeated"
        parser.add_argument("--root", action="append", default=[], metavar="DIR", help=root)
        parser.add_argument("--every", type=float, metavar="MINUTES", help="again and again, until it is stopped")
        parser.add_argument("--dry-run", action="store_true", help="only say what would be done")

    def handle(self, *args: Any, root: list[str], every: float | None, dry_run: bool, **options: Any) -> None:
        if not every:
            self._once(root, dry_run)
            return
        while True:
            try:
                self._once(root, dry_run)
            except CommandError as error:
                self.stderr.write(str(error))
            time.sleep(every * 60)

    def _once(self, roots: list[str], dry_run: bool) -> None:
        try:
            if dry_run:
                self._tried(roots)
            else:
                self._pass(roots)
        except (LeaseTaken, LeaseLost, RootNotAllowed) as error:
            raise CommandError(str(error)) from None

    @transaction.atomic
    def _tried(self, roots: list[str]) -> None:
        """All of it, and nothing of it stays: what would go wrong goes wrong here, too."""
        self._pass(roots)
        transaction.set_rollback(True)
        self.stdout.write("This was a trial: nothing was changed.")

    def _pass(self, roots: list[str]) -> None:
        done = reconcile(actor="assetsite reconcile", say=self.stdout.write, roots=roots)
        for line in lines_about(done):
            self.stdout.write(line)
