"""`manage.py serve`: the site, with everything it needs in place."""

from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandParser
from django.db import DEFAULT_DB_ALIAS, connections

from catalog.derivation import is_current
from catalog.starting.readiness import make_home, wait_for_database
from catalog.starting.serving import noted_as_served
from catalog.supervising.beside import Beside
from catalog.supervising.ports import check_port, claimed
from catalog.supervising.web_processes import serve

LOOPBACK = "127.0.0.1"


class Command(BaseCommand):
    help = "Bring the database up to date and serve: on loopback in local mode, on ASSETSITE_BIND in team mode."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--port", type=int, default=settings.PORT)

    def handle(self, *args: Any, port: int, **options: Any) -> None:
        address = LOOPBACK if settings.LOCAL_MODE else settings.BIND
        check_port(address, port)  # before anything of the catalogue is touched
        make_home()
        wait_for_database(self.stderr.write)
        call_command("check", deploy=not settings.LOCAL_MODE)
        listening, public = f"http://{address}:{port}", settings.PUBLIC_ADDRESS
        where = f"{public.url}, by a proxy to {listening}" if public else listening
        with noted_as_served(DEFAULT_DB_ALIAS):
            call_command("migrate", verbosity=0)
            call_command("prune", verbosity=0)
            with claimed(address, port):
                self.stdout.write(self.style.SUCCESS(f"assetsite is at {where}  (Ctrl-C stops it)"))
                self._serve(address, port)

    def _serve(self, address: str, port: int) -> None:
        beside = Beside(settings.RECONCILE_MINUTES, actor="manage.py serve")
        needed = settings.RECONCILE_MINUTES > 0 or not is_current()
        connections.close_all()  # the other processes are forked off, and open their own
        if needed:
            beside.start()
        try:
            serve(address, port)
        finally:
            if needed:
                beside.stop()
