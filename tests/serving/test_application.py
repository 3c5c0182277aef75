"""What a client gets, and which thread it takes, if it takes any."""

from __future__ import annotations

import asyncio
import gc
import json
import threading
from collections.abc import Callable, Iterable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from assetsite.serving.application import Application, get_ready
from assetsite.serving.bodies import Limits
from tests.serving.rsgi import Headers, Scope, Wire, run

LIMITS = Limits(size=1024**2, whole=0.3, pause=0.1, lingers=0.1)
Wsgi = Callable[[dict[str, Any], Callable[..., None]], Iterable[bytes]]


def says_its_thread(environ: dict[str, Any], start_response: Callable[..., None]) -> list[bytes]:
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [threading.current_thread().name.encode(), environ["wsgi.input"].read()]


class Stuck:
    """A WSGI application whose answers come when they are let go."""

    def __init__(self) -> None:
        self.let_go = threading.Event()
        self.asked: list[str] = []

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., None]) -> list[bytes]:
        self.asked.append(environ["PATH_INFO"])
        self.let_go.wait(10)
        start_response("200 OK", [])
        return [b"at last"]


@asynccontextmanager
async def served(wsgi: Wsgi, threads: int = 1) -> Any:
    application = Application(wsgi, threads, LIMITS, "/données")
    application.__rsgi_init__(asyncio.get_running_loop())
    yield application.__rsgi__
    application.__rsgi_del__(asyncio.get_running_loop())


def ask(wsgi: Wsgi, scope: Scope, wire: Wire) -> Wire:
    async def asked() -> None:
        async with served(wsgi) as application:
            await application(scope, wire)

    run(asked())
    return wire


@pytest.mark.parametrize(
    ("path", "thread"),
    [
        ("/", b"pages-1"),
        ("/v1/me", b"calls-1"),
        ("/v1", b"pages-1"),
        ("/healthz", b"probes-1"),
        ("/readyz", b"probes-1"),
        ("/données/v1/me", b"calls-1"),
        ("/données/healthz", b"probes-1"),
        ("/données/", b"pages-1"),
    ],
)
def test_pages_calls_and_probes_have_threads_of_their_own(path: str, thread: bytes) -> None:
    answered = ask(says_its_thread, Scope(path), Wire())
    assert (answered.status, answered.headers, answered.body) == (200, [("Content-Type", "text/plain")], thread)


def test_the_body_is_there_before_the_thread() -> None:
    scope = Scope("/", Headers([("transfer-encoding", "chunked")]), "POST")
    assert ask(says_its_thread, scope, Wire(b"ab", 0.05, b"c")).body == b"pages-1abc"


def test_the_answer_is_closed_after_it_was_handed_over() -> None:
    class Answer(list[bytes]):
        def close(self) -> None:
            order.append(wire.status)

    def wsgi(environ: dict[str, Any], start_response: Callable[..., None]) -> Answer:
        start_response("204 No Content", [])
        return Answer()

    order: list[int] = []
    wire = Wire()
    ask(wsgi, Scope(), wire)
    assert order == [204]


def test_what_is_refused_here_looks_like_the_sites_other_errors() -> None:
    headers = Headers([("content-length", str(LIMITS.size + 1))])
    call = ask(says_its_thread, Scope("/v1/x", headers, "PUT"), Wire())
    sentence = "The request is larger than the 1 MiB that this site takes."
    assert (call.status, dict(call.headers)["content-type"]) == (413, "application/json")
    assert json.loads(call.body) == {"error": "too_large", "message": sentence, "detail": {}}
    page = ask(says_its_thread, Scope("/sign-in", headers, "POST"), Wire())
    assert (page.status, page.body.decode()) == (413, sentence + "\n")


def test_an_error_of_the_application_is_logged_and_answered(caplog: pytest.LogCaptureFixture) -> None:
    def fails(environ: dict[str, Any], start_response: Callable[..., None]) -> list[bytes]:
        raise ValueError("no such luck")

    answered = ask(fails, Scope("/v1/x"), Wire())
    assert (answered.status, json.loads(answered.body)["message"]) == (500, "The server failed; its log says why.")
    assert "no such luck" in caplog.text


def test_half_sent_bodies_and_pages_hold_no_call_and_no_probe() -> None:
    async def asked() -> None:
        stuck = Stuck()
        half = Headers([("content-length", "9")])
        async with served(stuck) as application:
            slow = [asyncio.ensure_future(application(Scope("/v1/x", half, "PUT"), Wire(b"a", 9.0))) for _ in range(50)]
            page = asyncio.ensure_future(application(Scope("/"), Wire()))
            while "/" not in stuck.asked:
                await asyncio.sleep(0.01)
            call, probe = Wire(), Wire()
            both = asyncio.gather(application(Scope("/v1/me"), call), application(Scope("/healthz"), probe))
            while len(stuck.asked) < 3:
                await asyncio.sleep(0.01)
            stuck.let_go.set()
            await asyncio.gather(both, page, *slow)
            assert {call.body, probe.body} == {b"at last"}
            assert stuck.asked.count("/v1/x") == 0

    run(asked())


def test_who_is_gone_before_its_turn_is_not_served() -> None:
    async def asked() -> None:
        stuck = Stuck()
        async with served(stuck) as application:
            first = asyncio.ensure_future(application(Scope("/first"), Wire()))
            wire = Wire()
            second = asyncio.ensure_future(application(Scope("/second"), wire))
            third = asyncio.ensure_future(application(Scope("/third"), Wire()))
            await asyncio.sleep(0.05)
            wire.gone.set()
            await asyncio.wait_for(second, 1)
            stuck.let_go.set()
            await asyncio.gather(first, third)
            assert stuck.asked == ["/first", "/third"]

    run(asked())


def test_what_is_there_at_the_start_is_left_out_of_searches_for_garbage():
    gc.unfreeze()
    try:
        get_ready()
        assert gc.get_freeze_count() > 10_000
    finally:
        gc.unfreeze()
