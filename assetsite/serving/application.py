"""The application that `assetsite serve` gives to Granian: Django's, behind bodies that are read to their end.

    headers ──▶ event loop: the body, under deadlines and a size ──▶ a pool's thread: Django ──▶ the whole answer

A request holds a thread from when all of it is there until its answer is handed over; how fast its client sends and
reads is the event loop's and the server's matter. Flows' calls have threads of their own, so that they wait for no
page, and so have the probes of a supervisor.
"""

import asyncio
import gc
import logging
import os
import sys
from collections.abc import Callable, Iterable
from functools import partial
from threading import Thread
from typing import Any

import django
from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler

from access.errors import API_ROOT, SENTENCES
from assetsite.jinja import compile_all
from assetsite.public_address import behind, without
from assetsite.serving.bodies import Body, Held, Limits
from assetsite.serving.environ import environ_of
from assetsite.serving.pools import Pool
from assetsite.serving.refusals import PROBES, Refused, refusal
from catalog.supervising.orphans import end_with_parent

STOPS_WITHIN = 5.0
LIVENESS = "/livez"
PROBED_WITHIN = 5.0
"""Seconds; a database that does not answer would hold the probes' thread for longer than who probes waits."""

TURN = 0.002
"""Seconds that a thread may go on while another wants to; Python's own 5 ms add up, as a call waits several times."""

log = logging.getLogger("assetsite.serving")


def get_ready() -> None:
    """Compile the templates. What is there then stays: no search for garbage goes through it again, of which a large
    page has one now and then."""
    compile_all()
    gc.freeze()


class Application:
    """One process's side of Granian's RSGI interface.

    Which thread a request takes is decided by its path below `sub_path`; what `wsgi` gets is the path as it was sent.
    """

    def __init__(self, wsgi: Callable[..., Iterable[bytes]], threads: int, limits: Limits, sub_path: str = "") -> None:
        self._wsgi = wsgi
        self._limits = limits
        self._sub_path = sub_path
        self._held = Held(limits.together)
        self._pages, self._calls, self._probes = Pool("pages", threads), Pool("calls", threads), Pool("probes", 1)

    def __rsgi_init__(self, loop: asyncio.AbstractEventLoop) -> None:
        end_with_parent()
        sys.setswitchinterval(TURN)
        for pool in (self._pages, self._calls, self._probes):
            pool.start()
        Thread(target=get_ready, name="templates", daemon=True).start()

    def __rsgi_del__(self, loop: asyncio.AbstractEventLoop) -> None:
        for pool in (self._pages, self._calls, self._probes):
            pool.stop(STOPS_WITHIN)

    async def __rsgi__(self, scope: Any, protocol: Any) -> None:
        asked, headers = scope.path, scope.headers
        path = without(self._sub_path, asked)
        body = Body(headers, protocol, self._limits, self._held)
        try:
            content = await body.read()
            answer = partial(self._answer, environ_of(scope, asked, headers, content), protocol)
            await self._have_done(path, answer, protocol)
        except Refused as refused:
            protocol.response_bytes(*refusal(path, refused))
            await body.throw_away()
        except Exception:
            log.exception("The server failed at %s %s", scope.method, path)
            protocol.response_bytes(*refusal(path, Refused(500, SENTENCES[500])))
        finally:
            body.release()

    async def _have_done(self, path: str, answer: Callable[[], None], protocol: Any) -> None:
        if path.startswith(API_ROOT):
            await self._calls.do(answer, protocol.client_disconnect)
        elif path in PROBES:
            await self._probe(answer, protocol)
        elif path == LIVENESS:
            answer()  # here, as it takes nothing that could be held; that the event loop turns is what it tells
        else:
            await self._pages.do(answer, protocol.client_disconnect)

    async def _probe(self, answer: Callable[[], None], protocol: Any) -> None:
        try:
            async with asyncio.timeout(PROBED_WITHIN):
                await self._probes.do(answer, protocol.client_disconnect)
        except TimeoutError:
            raise Refused(503, "The database does not answer in time.") from None

    def _answer(self, environ: dict[str, Any], protocol: Any) -> None:
        """In a thread of a pool. The answer is whole before any of it is sent, so no reader holds the thread."""
        started: list[Any] = []

        def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> None:
            started[:] = int(status[:3]), headers

        result = self._wsgi(environ, start_response)
        try:
            protocol.response_bytes(*started, b"".join(result))
        finally:
            if hasattr(result, "close"):
                result.close()


os.environ.setdefault("DJANGO_SETTINGS_MODULE", "assetsite.settings")
django.setup(set_prefix=False)
application = Application(
    behind(settings.PUBLIC_ADDRESS, WSGIHandler()),
    settings.THREADS,
    Limits(size=settings.DATA_UPLOAD_MAX_MEMORY_SIZE),
    settings.FORCE_SCRIPT_NAME,
)
