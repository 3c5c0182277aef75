"""The web processes, as Granian starts them; one that dies is started again while the others go on."""

import resource
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from typing import Any

from django.conf import settings
from granian import Granian
from granian.constants import HTTPModes, Interfaces, RuntimeModes
from granian.http import HTTP1Settings

from catalog.supervising.orphans import STOPS_WITHIN

APPLICATION = "assetsite.serving.application:application"
HEADERS_WITHIN = 30_000
"""Milliseconds for the headers of a request, and for the first one after another."""

MOST_FILES = 65_536
OWN_FILES = 512
"""Files that a process may need besides its clients' connections: the database, cards, static files."""

MOST_CONNECTIONS = 10_000


def serve(address: str, port: int) -> None:
    """Until this process is told to end (SIGTERM, Ctrl-C), or web processes die as soon as they are started."""
    Granian(
        APPLICATION,
        address=address,
        port=port,
        interface=Interfaces.RSGI,
        runtime_mode=RuntimeModes.mt,  # measured: a call costs a tenth less than with st, which is the default
        workers=settings.WORKERS,
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(header_read_timeout=HEADERS_WITHIN),
        websockets=False,
        backlog=1024,
        backpressure=_connections(),
        respawn_failed_workers=True,
        workers_kill_timeout=int(STOPS_WITHIN),
        log_enabled=True,
        log_level="warning",
    ).serve(target_loader=load)


def load(target: str) -> Callable[..., Any]:
    """The application. Granian by itself first makes the folder in which it runs importable, whatever is in there."""
    module, _, name = target.partition(":")
    found: Callable[..., Any] = getattr(import_module(module), name)
    return found


def _connections() -> int:
    """How many clients one web process may have at once: what the system gives, as slow ones cost nothing else."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = MOST_FILES if hard == resource.RLIM_INFINITY else min(hard, MOST_FILES)
    with suppress(OSError, ValueError):  # some systems give less than they say
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, most), hard))
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return max(128, min(files - OWN_FILES, MOST_CONNECTIONS))
