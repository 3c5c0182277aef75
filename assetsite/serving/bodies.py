"""Reading the body of a request to its end: under a size, under deadlines, and with a bound on all that is held."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

from assetsite.serving.refusals import Refused

SMALL = 64 * 1024
"""Bytes of a body that are always taken, however much is held."""


class Headers(Protocol):
    """What is asked of the server's headers; names are in lower case."""

    def get(self, key: str, default: str | None = None) -> str | None: ...


@dataclass(frozen=True)
class Limits:
    """Of one body, in bytes, and of all large ones that a process holds at once; times are in seconds."""

    size: int
    parts: int = 20_000
    """Each part that arrives by itself costs the event loop time, were it a single byte."""
    together: int = 256 * 1024**2
    whole: float = 30.0
    pause: float = 10.0
    lingers: float = 5.0
    """How long what was refused is still read and thrown away: most clients look for an answer only then."""


class Held:
    """The bytes of large bodies that this process may still take."""

    def __init__(self, most: int) -> None:
        self._free = most

    def take(self, count: int) -> None:
        """Raises `Refused` if there is no room."""
        if count > self._free:
            raise Refused(503, "The site has too many large requests at once. Try again.", retry_after=2)
        self._free -= count

    def give_back(self, count: int) -> None:
        self._free += count


class Body:
    """One body, while it is read and until it is answered; then `release` it."""

    def __init__(self, headers: Headers, chunks: AsyncIterator[bytes], limits: Limits, held: Held) -> None:
        announced = headers.get("content-length")
        self._length = int(announced) if announced else None
        self._empty = self._length == 0 or (self._length is None and headers.get("transfer-encoding") is None)
        self._chunks = chunks
        self._limits = limits
        self._held = held
        self._parts: list[bytes] = []
        self._size = self._taken = 0

    async def read(self) -> bytes:
        """All of it. Raises `Refused`: 413 too large, 408 too slow, 400 cut off, 503 too much at once."""
        if self._empty:
            return b""
        chunks = aiter(self._chunks)
        if self._length is not None and self._length > self._limits.size:
            raise self._too_large()
        end = asyncio.get_running_loop().time() + self._limits.whole
        try:
            async with asyncio.timeout_at(end) as deadline:
                await self._collect(chunks, end, deadline)
        except TimeoutError:
            raise self._too_slow() from None
        return b"".join(self._parts)

    async def _collect(self, chunks: AsyncIterator[bytes], end: float, deadline: asyncio.Timeout) -> None:
        now = asyncio.get_running_loop().time
        empty = 0  # the server gives one empty chunk at the end of a body, and another one if it was cut off
        while self._size != self._length:
            deadline.reschedule(min(end, now() + self._limits.pause))
            try:
                chunk = await anext(chunks)
            except StopAsyncIteration:
                break
            empty += not chunk
            self._keep(chunk)
        if self._size != self._length and (self._length is not None or empty > 1):
            raise Refused(400, "The request ended before its body did.")

    def _keep(self, chunk: bytes) -> None:
        self._size += len(chunk)
        if self._size > self._limits.size:
            raise self._too_large()
        if len(self._parts) == self._limits.parts:
            raise Refused(413, f"The request comes in more than {self._limits.parts:,} parts. Send larger ones.")
        if self._size > SMALL:
            self._held.take(self._size - self._taken)
            self._taken = self._size
        self._parts.append(chunk)

    async def throw_away(self) -> None:
        """Read what still comes of a body that was refused, for a while: a reset connection loses the answer."""
        self._parts.clear()
        with suppress(TimeoutError, StopAsyncIteration):
            async with asyncio.timeout(self._limits.lingers):
                while True:
                    await anext(self._chunks)

    def release(self) -> None:
        """Nothing of it is held any more."""
        self._parts.clear()
        self._held.give_back(self._taken)
        self._taken = 0

    def _too_large(self) -> Refused:
        return Refused(413, f"The request is larger than the {self._limits.size // 1024**2} MiB that this site takes.")

    def _too_slow(self) -> Refused:
        return Refused(
            408,
            f"The request did not arrive in time: its body may take {self._limits.whole:g} seconds in all, "
            f"and {self._limits.pause:g} seconds between two parts.",
        )
