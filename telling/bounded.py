"""Connections that end in time: whatever a receiver does, no more is waited for and read than was allowed."""

import io
import socket
import time
from dataclasses import dataclass
from typing import Any

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

READ_AT_ONCE = 8192
"""Bytes. What is read counts as read, whether it is looked at or not, and Python 3.14 by itself reads 128 kB."""


class TooLate(TimeoutError):
    """The time that was allowed is over."""


class TooMuch(OSError):
    """The receiver has sent more than it may."""


@dataclass
class Bounds:
    """Until when (of the monotonic clock), and how many bytes are read at most, headers and all."""

    until: float
    bytes_left: int

    def seconds_left(self) -> float:
        left = self.until - time.monotonic()
        if left <= 0:
            raise TooLate
        return left


class BoundedSocket:
    """A socket as `http.client` uses one; before each call it is told how much time is left."""

    def __init__(self, inner: Any, bounds: Bounds) -> None:
        self._inner, self._bounds = inner, bounds

    def sendall(self, data: Any) -> None:
        rest = memoryview(data)
        while rest:
            self._inner.settimeout(self._bounds.seconds_left())
            rest = rest[self._inner.send(rest) :]

    def makefile(self, *how: Any, **more: Any) -> io.BufferedReader:
        return io.BufferedReader(_Reading(self._inner, self._bounds), READ_AT_ONCE)

    def settimeout(self, seconds: float | None) -> None:
        """The bounds say how long is waited."""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


class _Reading(io.RawIOBase):
    def __init__(self, inner: Any, bounds: Bounds) -> None:
        self._inner, self._bounds = inner, bounds
        self._file = inner.makefile("rb", buffering=0)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if self._bounds.bytes_left <= 0:
            raise TooMuch
        self._inner.settimeout(self._bounds.seconds_left())
        try:
            read = int(self._file.readinto(memoryview(buffer)[: self._bounds.bytes_left]) or 0)
        except TimeoutError:
            raise TooLate from None
        self._bounds.bytes_left -= read
        return read

    def close(self) -> None:
        self._file.close()
        super().close()


def pools_within(bounds: Bounds) -> dict[str, type[HTTPConnectionPool]]:
    """The classes of pools by their schemes, for `PoolManager.pool_classes_by_scheme`, of connections with bounds."""

    class Connection(HTTPConnection):
        def connect(self) -> None:
            self.timeout = bounds.seconds_left()
            super().connect()
            self.sock = _bounded(self.sock, bounds)

    class SecureConnection(HTTPSConnection):
        def _new_conn(self) -> socket.socket:
            made = super()._new_conn()
            made.settimeout(bounds.seconds_left())  # what connecting took, the handshake has not
            return made

        def connect(self) -> None:
            self.timeout = bounds.seconds_left()
            super().connect()
            self.sock = _bounded(self.sock, bounds)

    class Pool(HTTPConnectionPool):
        ConnectionCls = Connection

    class SecurePool(HTTPSConnectionPool):
        ConnectionCls = SecureConnection

    return {"http": Pool, "https": SecurePool}


def _bounded(inner: Any, bounds: Bounds) -> Any:
    bounds.seconds_left()  # a handshake may have taken all of it
    return BoundedSocket(inner, bounds)
