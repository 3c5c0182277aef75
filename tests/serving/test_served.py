"""A really served site beside clients that send half, in chunks, too much, or are cut off."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from urllib.parse import urlsplit

import pytest
import requests

from tests.conftest import Site

HALF_SENT = 60
AT_ONCE = 5.0
"""Seconds; the machine may be busy with other tests. A body may take thirty."""

BODY = b'{"entity_ref": {"entity_kind": "task", "entity_id": "Chunks/1/start/1"}, "data_asset_kind": "artifact"}'
JSON = {"Content-Type": "application/json"}


def connect(site: Site, head: str, body: bytes = b"") -> socket.socket:
    connection = socket.create_connection((str(urlsplit(site.url).hostname), urlsplit(site.url).port or 0), timeout=30)
    connection.sendall(head.replace("\n", "\r\n").encode() + b"\r\n\r\n" + body)
    return connection


@pytest.fixture(scope="module")
def half_sent(served: Site) -> Iterator[None]:
    """Many bodies of which a part is there: registrations, and forms of strangers."""
    heads = [
        "PATCH /v1/perimeters/default/projects/churn/branches/main/data/half HTTP/1.1\nContent-Type: application/json",
        "POST /sign-in HTTP/1.1\nCookie: assetsite_csrf=aaaa\nContent-Type: application/x-www-form-urlencoded",
    ]
    with ExitStack() as connections:
        for number in range(HALF_SENT):
            head = f"{heads[number % 2]}\nHost: localhost\nContent-Length: 1000"
            connections.enter_context(connect(served, head, b'{"a'))
        time.sleep(0.5)  # the server has them all
        yield


@pytest.mark.parametrize("path", ["/livez", "/healthz", "/readyz", "/", "/v1/me"])
def test_half_sent_bodies_hold_up_nobody(served: Site, half_sent: None, path: str) -> None:
    begin = time.monotonic()
    assert requests.get(f"{served.url}{path}", timeout=30).status_code == 200
    assert time.monotonic() - begin < AT_ONCE


def test_a_registration_in_chunks_is_recorded(served: Site) -> None:
    answer = requests.patch(f"{served.branch}/data/chunks", iter([BODY[:20], BODY[20:]]), headers=JSON, timeout=30)
    assert answer.status_code == 201, answer.text


@pytest.mark.parametrize("chunked", [False, True])
def test_who_sends_too_much_is_told(served: Site, chunked: bool) -> None:
    body = b"x" * 9_000_000
    sent = (body[at : at + 100_000] for at in range(0, len(body), 100_000)) if chunked else body
    answer = requests.patch(f"{served.branch}/data/large", sent, headers=JSON, timeout=30)
    assert (answer.status_code, answer.json()["error"]) == (413, "too_large")


@pytest.mark.parametrize("announced", [f"Content-Length: {len(BODY) + 1}", "Transfer-Encoding: chunked"])
def test_a_registration_that_is_cut_off_is_not_recorded(served: Site, announced: str) -> None:
    """The whole JSON is there, but nobody has said that it is whole."""
    body = BODY if "Length" in announced else f"{len(BODY):x}\r\n".encode() + BODY + b"\r\n"
    head = f"PATCH {urlsplit(served.branch).path}/data/cut HTTP/1.1\nHost: localhost\nContent-Type: application/json"
    with connect(served, f"{head}\n{announced}", body) as connection:
        connection.shutdown(socket.SHUT_WR)
        assert b"400 Bad Request" in connection.recv(4096)
    assert requests.get(f"{served.branch}/data/cut", timeout=30).status_code == 404
