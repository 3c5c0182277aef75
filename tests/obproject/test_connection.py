"""One network seam: what it sends, how long it tries, and what it makes of bad answers."""

from __future__ import annotations

import json
import multiprocessing
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests

from obproject import connection as connection_module
from obproject import errors
from obproject.connection import Connection, path_of
from obproject.settings import Settings
from tests.obproject.stub_server import Canned, StubCatalogue, StubServer

SPEC = path_of("perimeters", "p", "projects", "q", "branches", "main", "latestflowproject")
ASSET = path_of("perimeters", "p", "projects", "q", "branches", "main", "data", "numbers")
HTML = {"Content-Type": "text/html; charset=utf-8"}
UNAVAILABLE = b'{"error": "unavailable", "message": "The disk is full.", "detail": {}}'
REGISTRATION = {"entity_ref": {"entity_kind": "user", "entity_id": "alice"}, "data_asset_kind": "table"}


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection_module, "_FIRST_PAUSE", 0.02)


def connect(catalogue: StubCatalogue, **settings: Any) -> Connection:
    return Connection(Settings(url=catalogue.url, **settings))


def test_calls_of_all_threads_reuse_connections(catalogue: StubCatalogue) -> None:
    calls = [connect(catalogue, token="reuse") for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda number: calls[number % 4].request("PATCH", ASSET, body=REGISTRATION), range(40)))
    assert len(catalogue.assets["p", "q", "main", "data", "numbers"]) == 40
    assert len({request.client_port for request in catalogue.requests}) <= 4


def _ask(url: str) -> None:
    Connection(Settings(url=url, token="fork")).request("PATCH", ASSET, body=REGISTRATION)


def test_a_forked_process_opens_its_own_connection(catalogue: StubCatalogue) -> None:
    _ask(catalogue.url)
    child = multiprocessing.get_context("fork").Process(target=_ask, args=(catalogue.url,))
    child.start()
    child.join(20)
    assert child.exitcode == 0
    _ask(catalogue.url)
    ours, childs, ours_again = (request.client_port for request in catalogue.requests)
    assert ours == ours_again != childs


@pytest.mark.parametrize("method", ["GET", "PATCH", "PUT", "POST", "DELETE"])
def test_what_may_pass_is_tried_again_with_the_same_idempotency_key(catalogue: StubCatalogue, method: str) -> None:
    catalogue.answer_next(Canned(503), Canned(502, b"<html>", HTML), Canned(200, b'{"done": true}'))
    assert connect(catalogue).request(method, ASSET, body=None if method == "GET" else {}) == {"done": True}
    keys = {request.headers.get("idempotency-key") for request in catalogue.requests}
    assert len(catalogue.requests) == 3
    assert len(keys) == 1
    assert (keys == {None}) == (method == "GET")


def test_each_call_has_a_key_of_its_own(catalogue: StubCatalogue) -> None:
    for _ in range(2):
        connect(catalogue).request("PATCH", ASSET, body=REGISTRATION)
    assert len({request.headers["idempotency-key"] for request in catalogue.requests}) == 2


def test_it_gives_up_after_the_configured_tries(catalogue: StubCatalogue) -> None:
    catalogue.answer_next(*[Canned(503)] * 9)
    with pytest.raises(errors.ServerUnreachable, match=r"what it is about.*status 503; tries: 3") as raised:
        connect(catalogue).request("GET", SPEC, about="what it is about")
    assert catalogue.url in str(raised.value)
    assert isinstance(raised.value, requests.ConnectionError)
    assert len(catalogue.requests) == 3


def test_a_server_that_hangs_costs_no_more_than_the_time_allowed(catalogue: StubCatalogue) -> None:
    catalogue.answer_next(*[Canned(delay=5)] * 3)
    started = time.monotonic()
    with pytest.raises(errors.ServerUnreachable):
        connect(catalogue, timeout=0.5).request("GET", SPEC)
    assert time.monotonic() - started < 2


def test_a_long_retry_after_ends_the_tries(catalogue: StubCatalogue) -> None:
    catalogue.answer_next(Canned(503, headers={"Retry-After": "3600"}))
    started = time.monotonic()
    with pytest.raises(errors.ServerUnreachable):
        connect(catalogue, timeout=5).request("GET", SPEC)
    assert time.monotonic() - started < 2


def test_a_catalogue_that_asks_for_patience_is_waited_for_as_long_as_there_is_time(
    catalogue: StubCatalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []
    monkeypatch.setattr(time, "sleep", waits.append)
    busy = Canned(503, UNAVAILABLE, {"Retry-After": "2"})
    catalogue.answer_next(*[busy] * 6, Canned(200, b'{"done": true}'))
    assert connect(catalogue, retries=0).request("PATCH", ASSET, body={}) == {"done": True}
    assert waits == [2.0] * 6
    assert len({request.headers["idempotency-key"] for request in catalogue.requests}) == 1


def test_why_a_catalogue_is_not_available_is_said_when_the_time_is_over(catalogue: StubCatalogue) -> None:
    catalogue.answer_next(*[Canned(503, UNAVAILABLE, {"Retry-After": "2"})] * 2)
    with pytest.raises(errors.ServerUnreachable, match=r"status 503: The disk is full\.; tries: 1"):
        connect(catalogue, timeout=1).request("GET", SPEC)


def test_a_call_that_the_catalogue_stopped_is_not_repeated(catalogue: StubCatalogue) -> None:
    stopped = b'{"error": "unavailable", "message": "Ask for less.", "detail": {"stopped_after": 5}}'
    catalogue.answer_next(*[Canned(503, stopped)] * 3)
    with pytest.raises(errors.TookTooLong, match="Ask for less"):
        connect(catalogue).request("GET", SPEC)
    assert len(catalogue.requests) == 1


def test_a_server_that_is_down_is_unreachable() -> None:
    url = f"http://127.0.0.1:{_free_port()}"
    with pytest.raises(errors.ServerUnreachable, match="ASSETSITE_URL"):
        Connection(Settings(url=url)).request("GET", SPEC)


def test_a_server_that_restarts_is_waited_for() -> None:
    port = _free_port()
    server = StubServer(port)
    starting = threading.Timer(0.1, server.__enter__)
    starting.start()
    calls = Connection(Settings(url=f"http://127.0.0.1:{port}", retries=5))
    try:
        assert calls.request("PATCH", ASSET, body=REGISTRATION)["ref"] == "v1"
    finally:
        starting.join()
        server.__exit__()


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def test_without_a_server_the_message_says_how_to_configure_one() -> None:
    with pytest.raises(errors.NoServer, match=r"xkcd.*ASSETSITE_URL"):
        Connection(Settings(url=None)).request("GET", SPEC, about="data asset 'xkcd'")


@pytest.mark.parametrize(
    ("status", "detail", "expected"),
    [
        (400, {"field": "tags"}, errors.BadRequest),
        (401, {}, errors.WrongToken),
        (403, {}, errors.NotAllowed),
        (404, {"asset": "xkcd"}, errors.AssetNotFound),
        (404, {"asset": "xkcd", "instance": "v9"}, errors.InstanceNotFound),
        (404, {"asset": "xkcd", "alias": "gone"}, errors.InstanceNotFound),
        (405, {}, errors.BadRequest),
        (409, {"current": {"name": "production"}}, errors.Conflict),
        (413, {}, errors.BadRequest),
        (500, {}, errors.ServerFault),
    ],
)
def test_a_refusal_becomes_the_exception_that_fits(
    catalogue: StubCatalogue, status: int, detail: dict[str, Any], expected: type[errors.RequestRefused]
) -> None:
    body = json.dumps({"error": "a_code", "message": "The reason", "detail": detail}).encode()
    catalogue.answer_next(Canned(status, body))
    with pytest.raises(expected) as raised:
        connect(catalogue, retries=0).request("GET", SPEC, about="data asset 'xkcd' on branch 'main'")
    error = raised.value
    assert type(error) is expected
    assert isinstance(error, requests.HTTPError)
    assert error.response is not None
    assert error.response.status_code == status
    assert (error.code, error.detail) == ("a_code", detail)
    for part in ("data asset 'xkcd' on branch 'main'", "The reason", catalogue.url):
        assert part in str(error)


def test_a_conflict_says_what_holds_now(catalogue: StubCatalogue) -> None:
    catalogue.answer_next(
        Canned(409, b'{"error": "conflict", "message": "Moved", "detail": {"current": {"name": "n"}}}')
    )
    with pytest.raises(errors.Conflict) as raised:
        connect(catalogue).request("PUT", ASSET, body={})
    assert raised.value.current == {"name": "n"}


@pytest.mark.parametrize("status", [200, 404, 500])
def test_a_web_page_in_place_of_json_is_recognised(catalogue: StubCatalogue, status: int) -> None:
    catalogue.answer_next(Canned(status, b"<html><form>Sign in</form></html>", HTML))
    with pytest.raises(errors.UnexpectedAnswer, match=r"a web page.*ASSETSITE_URL"):
        connect(catalogue, retries=0).request("GET", SPEC)


def test_a_redirect_is_not_followed_and_takes_no_token_along(catalogue: StubCatalogue) -> None:
    with StubServer() as elsewhere:
        catalogue.answer_next(Canned(302, b"", {"Location": f"{elsewhere.url}/sign-in"}))
        with pytest.raises(errors.UnexpectedAnswer, match=r"redirects to .*/sign-in.*ASSETSITE_TOKEN"):
            connect(catalogue, token="secret").request("GET", SPEC)
        assert elsewhere.requests == []
    assert catalogue.requests[0].headers["x-api-key"] == "secret"


def test_an_empty_answer_is_an_empty_object(catalogue: StubCatalogue) -> None:
    catalogue.answer_next(Canned(204, b""))
    assert connect(catalogue).request("DELETE", ASSET) == {}


def test_loopback_is_reached_without_the_proxy(catalogue: StubCatalogue, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "")
    catalogue.answer_next(Canned())
    assert connect(catalogue, token="proxy").request("GET", SPEC) == {}


def test_a_netrc_entry_adds_no_second_identity(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "netrc").write_text("machine assets.example.com login bob password other\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    session = Connection(Settings(url="https://assets.example.com", token="own"))._session()
    headers = session.prepare_request(requests.Request("GET", "https://assets.example.com/v1/me")).headers
    assert headers["x-api-key"] == "own"
    assert "Authorization" not in headers


def test_segments_are_encoded_and_the_at_sign_stays() -> None:
    assert path_of("a b", "@production", "c?d#e", "é%") == "/v1/a%20b/@production/c%3Fd%23e/%C3%A9%25"


@pytest.mark.parametrize("segment", ["", ".", "..", "a/b", "\ud800"])
def test_a_segment_that_would_name_something_else_is_refused(segment: str) -> None:
    with pytest.raises(errors.InvalidInput):
        path_of("perimeters", segment)
