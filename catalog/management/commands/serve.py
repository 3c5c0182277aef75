"""`manage.py serve`: the site, with everything it needs in place."""

from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandParser
from django.db import connections
from granian import Granian
from granian.constants import HTTPModes, Interfaces

from catalog.derivation import is_current
from catalog.reconciling.background import Background
from catalog.starting.readiness import make_home, wait_for_database

LOOPBACK = "127.0.0.1"


class Command(BaseCommand):
    help = "Bring the database up to date and serve: on loopback in local mode, on ASSETSITE_BIND in team mode."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--port", type=int, default=settings.PORT)

    def handle(self, *args: Any, port: int, **options: Any) -> None:
        make_home()
        call_command("check")
        wait_for_database(self.stderr.write)
        call_command("migrate", verbosity=0)
        call_command("prune", verbosity=0)
        address = LOOPBACK if settings.LOCAL_MODE else settings.BIND
        self.stdout.write(self.style.SUCCESS(f"assetsite is at http://{address}:{port}  (Ctrl-C stops it)"))
        background = Background(settings.RECONCILE_MINUTES, actor="manage.py serve")
        if settings.RECONCILE_MINUTES > 0 or not is_current():
            background.start()
        connections.close_all()  # the workers are forked off, and open their own
        try:
            self._serve(address, port)
        finally:
            background.stop()

    def _serve(self, address: str, port: int) -> None:
        Granian(
            "assetsite.serving.application:application",
            address=address,
            port=port,
            interface=Interfaces.RSGI,
            workers=settings.WORKERS,
            http=HTTPModes.http1,
            websockets=False,
            backlog=1024,
            log_enabled=True,
            log_level="warning",
        ).serve()
