"""Before the site is served: its folder can be written to, and its database is there, if need be after a while."""

import tempfile
import time
from collections.abc import Callable

from django.conf import settings
from django.core.management.base import CommandError
from django.db import OperationalError, connection

from catalog.starting.faults import may_come_back, sentence_about

PATIENCE = 30.0
"""Seconds to wait for a database that starts at the same time, as machines and containers do."""


def make_home() -> None:
    """Make the site's folder; raises CommandError if that can't be done, or nobody may write there."""
    try:
        settings.HOME.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=settings.HOME):
            pass
    except OSError as error:
        raise CommandError(
            f"The site can't keep its files in {str(settings.HOME)!r}: {error.strerror}. "
            "Set ASSETSITE_HOME to a folder that the user who runs it may write to."
        ) from None


def wait_for_database(say: Callable[[str], object], patience: float = PATIENCE) -> None:
    """Return when the database can be connected to; raises OperationalError if that does not help, or not in time."""
    end, told = time.monotonic() + patience, False
    while connection.vendor == "postgresql":
        try:
            connection.ensure_connection()
            return
        except OperationalError as error:
            if not may_come_back(error) or time.monotonic() > end:
                raise
            if not told:
                say(f"{sentence_about(error)} Waiting for it, up to {patience:.0f} seconds.")
                told = True
        time.sleep(min(1.0, patience / 10))
