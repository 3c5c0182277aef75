"""`assetsite serve`: the site, with everything it needs in place."""

from argparse import ArgumentTypeError
from typing import Any

from django.conf import settings
from django.core.checks import run_checks
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandParser
from django.db import DEFAULT_DB_ALIAS, connections

from access.deployment_checks import DEPLOYMENT
from catalog.models import Project
from catalog.starting.readiness import make_home, wait_for_database
from catalog.starting.serving import noted_as_served
from catalog.supervising.beside import Beside
from catalog.supervising.forks import fork_off
from catalog.supervising.ports import check_port, claimed
from catalog.supervising.web_processes import serve
from obproject.first_steps import DEMO

LOOPBACK = "127.0.0.1"
FIRST_STEPS = (
    f"It is empty: that page leads through the first steps. To look at a full one first, in another shell: {DEMO}"
)


def _port(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) < 65536:
        raise ArgumentTypeError(f"{text!r} is no whole number from 1 to 65535")
    return int(text)


class Command(BaseCommand):
    help = "Bring the database up to date and serve: on loopback in local mode, on ASSETSITE_BIND in team mode."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--port", type=_port, default=settings.PORT, help="by itself PORT, or 8000")

    def handle(self, *args: Any, port: int, **options: Any) -> None:
        address = LOOPBACK if settings.LOCAL_MODE else settings.BIND
        check_port(address, port)  # before anything of the catalogue is touched
        make_home()
        wait_for_database(self.stderr.write)
        self._say_regrets()
        listening, public = f"http://{address}:{port}", settings.PUBLIC_ADDRESS
        where = f"{public.url}, by a proxy to {listening}" if public else listening
        with noted_as_served(DEFAULT_DB_ALIAS):
            call_command("migrate", verbosity=0)
            call_command("prune", verbosity=0)
            with claimed(address, port):
                self.stdout.write(self.style.SUCCESS(f"assetsite is at {where}  (Ctrl-C stops it)"))
                if not Project.objects.exists():
                    self.stdout.write(FIRST_STEPS)
                self._serve(address, port)

    def _say_regrets(self) -> None:
        for problem in run_checks(tags=[DEPLOYMENT], include_deployment_checks=True):
            self.stderr.write(self.style.WARNING(f"{problem.msg} {problem.hint}"))

    def _serve(self, address: str, port: int) -> None:
        fork_off()
        beside = Beside(actor="assetsite serve")
        connections.close_all()  # the other processes are forked off, and open their own
        beside.start()
        try:
            serve(address, port)
        finally:
            beside.stop()
