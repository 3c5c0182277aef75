"""The probes of load balancers and supervisors: does the process live, can it serve, is it ready.

They are answered before anything asks for the host, a scheme, a cookie or a user: who probes knows the machine's
address, and nothing of the site.
"""

import tempfile
import threading
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from django.db import Error, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone

from access.errors import error_response
from catalog.reconciling.lag import lag_of_passes
from telling.lag import lag_of_telling

ALIVE = {"status": "ok"}
WRITTEN_AGAIN_AFTER = 2.0  # seconds
WRITTEN = b"x" * 4096  # a block: on a full disk an empty file can often still be made

_migrated = threading.Event()


class Unfit(Exception):
    """Why the site can't serve, in a sentence that everybody may read."""


class ProbesMiddleware:
    """Answers the probes, whatever host they ask for; nothing else stands before it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        probe = PROBES.get(request.path_info)
        return self.get_response(request) if probe is None else answer(request, probe)


def answer(request: HttpRequest, probe: Callable[[], dict[str, Any]]) -> HttpResponse:
    """200 with what the probe says, 503 with its reason, in the shape that all errors have."""
    if request.method not in ("GET", "HEAD"):
        response = error_response(405)
        response.headers["Allow"] = "GET, HEAD"
        return response
    try:
        response = JsonResponse(probe())
    except Unfit as reason:
        response = error_response(503, str(reason))
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response


def alive() -> dict[str, Any]:
    return ALIVE


def can_serve() -> dict[str, Any]:
    """The database answers and takes writes, as far as that is to be known without writing into it."""
    try:
        if connection.vendor == "sqlite":
            _check_sqlite()
        else:
            _check_postgresql()
    except Error:
        raise Unfit("The database does not answer.") from None
    return ALIVE


def is_ready() -> dict[str, Any]:
    """Also migrated. How late reconciling and telling are is told, and a warning, but no reason to be unfit.

    Who asks for nothing but pages and flows' calls is served as well without it.
    """
    can_serve()
    try:
        _check_migrations()
        lags = [lag_of_passes(timezone.now()), lag_of_telling(timezone.now())]
    except Error:
        raise Unfit("The database does not answer.") from None
    told = {name: value for lag in lags for name, value in lag.items()}
    if warnings := [lag["warning"] for lag in lags if "warning" in lag]:
        told["warning"] = " ".join(warnings)
    return ALIVE | told


PROBES = {"/livez": alive, "/healthz": can_serve, "/readyz": is_ready}


def _check_sqlite() -> None:
    """The file is there, its disk takes a block, and it can be read."""
    if not connection.is_in_memory_db():  # type: ignore[attr-defined]
        path = Path(connection.settings_dict["NAME"])
        if not path.exists():
            raise Unfit("The file of the database is gone.")
        _disk_of(path.parent).check()
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA schema_version")


class Disk:
    """Whether the disk of a folder takes writes, tried once in a while."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._next = 0.0

    def check(self) -> None:
        if time.monotonic() < self._next:
            return
        try:
            with tempfile.TemporaryFile(dir=self._folder, prefix="probe.") as file:
                file.write(WRITTEN)
                file.flush()
        except OSError as error:
            raise Unfit(f"The disk of the database takes no writes: {error.strerror}.") from None
        self._next = time.monotonic() + WRITTEN_AGAIN_AFTER


@cache
def _disk_of(folder: Path) -> Disk:
    return Disk(folder)


def _check_postgresql() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_is_in_recovery(), current_setting('transaction_read_only')")
        in_recovery, read_only = cursor.fetchone()
    if in_recovery:
        raise Unfit("The database is in recovery, or a copy of another one, and takes no writes.")
    if read_only == "on":
        raise Unfit("The database takes reads only.")


def _check_migrations() -> None:
    """Once they are all applied, they stay so for this process."""
    if _migrated.is_set():
        return
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        raise Unfit("The database waits for being migrated.")
    _migrated.set()
