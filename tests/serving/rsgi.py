"""Granian's side of RSGI as objects of this process: a request's scope, headers and chunks, and what is answered."""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, TypeVar

Result = TypeVar("Result")


def run(coroutine: Coroutine[Any, Any, Result]) -> Result:
    """Run it in an event loop of its own, in a thread, as tests in a browser leave one running in theirs."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, coroutine).result()


class Headers:
    """Of one request; like the server's, `items` leaves out values that are no ASCII, and `keys` does not."""

    def __init__(self, pairs: Iterable[tuple[str, str]]) -> None:
        self._pairs = list(pairs)

    def get(self, key: str, default: str | None = None) -> str | None:
        return next((value for name, value in self.items() if name == key), default)

    def items(self) -> list[tuple[str, str]]:
        return [(name, value) for name, value in self._pairs if value.isascii()]

    def keys(self) -> list[str]:
        return list(dict(self._pairs))

    def __len__(self) -> int:
        return len(self.keys())


@dataclass
class Scope:
    path: str = "/"
    headers: Headers = field(default_factory=lambda: Headers([("host", "localhost")]))
    method: str = "GET"
    query_string: str = ""
    http_version: str = "1.1"
    scheme: str = "http"
    server: str = "127.0.0.1:8000"
    client: str = "127.0.0.1:50000"


class Wire:
    """The protocol object of one request. A chunk that is a number is a pause of so many seconds."""

    def __init__(self, *chunks: bytes | float, cut_off: bool = False) -> None:
        self._chunks = [*chunks, b"", *([b""] if cut_off else [])]
        self.gone = asyncio.Event()
        self.unread = len(chunks)
        self.status = 0
        self.headers: list[tuple[str, str]] = []
        self.body = b""

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        while self._chunks:
            chunk = self._chunks.pop(0)
            self.unread -= 1
            if isinstance(chunk, bytes):
                return chunk
            await asyncio.sleep(chunk)
        raise StopAsyncIteration

    async def client_disconnect(self) -> None:
        await self.gone.wait()

    def response_bytes(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        if not self.status:
            self.status, self.headers, self.body = status, headers, body
