"""`assetsite rebuild`: make an empty catalogue whole again, as far as tasks wrote it, from Metaflow alone."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from catalog.reconciling.lease import LeaseLost, LeaseTaken
from catalog.reconciling.passes import NotEmpty, rebuild
from catalog.reconciling.report import lines_about
from catalog.reconciling.sources import RootNotAllowed

NOT_IN_METAFLOW = (
    "Definitions of assets, with properties and READMEs, come back with the next deploy of each project, or with "
    "`obproject-deploy --root FOLDER`.",
    "What people did is in a backup of the database only: edits and aliases made in the pages, perimeters' members, "
    "tokens; and what apps and notebooks registered.",
)


class Command(BaseCommand):
    help = "Make an empty catalogue whole again from what tasks kept in Metaflow's metadata."

    def add_arguments(self, parser: ArgumentParser) -> None:
        root = "a folder with Metaflow's local metadata; may be repeated"
        parser.add_argument("--root", action="append", default=[], metavar="DIR", help=root)

    def handle(self, *args: Any, root: list[str], **options: Any) -> None:
        try:
            done = rebuild(actor="assetsite rebuild", say=self.stdout.write, roots=root)
        except (NotEmpty, LeaseTaken, LeaseLost, RootNotAllowed) as error:
            raise CommandError(str(error)) from None
        for line in [*lines_about(done), *NOT_IN_METAFLOW]:
            self.stdout.write(line)
