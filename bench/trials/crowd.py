"""Clients that hold on to a server: many connections that send or read next to nothing."""

import resource
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

EVERY = 4.0
"""Seconds between two signs of life of each client."""


class Client:
    """One connection. `lives` does what it does every few seconds; an error means that the server has ended it."""

    def __init__(self, port: int, request: bytes, *, reads: bool) -> None:
        self._socket = socket.socket()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)  # so the server can't hand over the answer
        self._socket.settimeout(300)
        self._socket.connect(("127.0.0.1", port))
        self._socket.sendall(request)
        self._reads = reads

    def is_answered(self) -> bool:
        """Wait for the first byte of the answer."""
        return bool(self._socket.recv(1))

    def lives(self) -> None:
        if self._reads:
            if not self._socket.recv(1):
                raise ConnectionError
        else:
            self._socket.sendall(b"x")

    def close(self) -> None:
        self._socket.close()


@contextmanager
def half_sent(port: int, request: bytes, count: int) -> Iterator[None]:
    """So many clients that have sent the request as far as it is given, and go on a byte at a time."""
    with _crowd(count, lambda: Client(port, request, reads=False)):
        yield


@contextmanager
def slow_readers(port: int, request: bytes, count: int) -> Iterator[None]:
    """So many clients that were answered, and read a byte at a time."""

    def answered() -> Client:
        client = Client(port, request, reads=True)
        client.is_answered()
        return client

    with _crowd(count, answered):
        yield


@contextmanager
def _crowd(count: int, new: Callable[[], Client]) -> Iterator[None]:
    """Whoever is sent away comes again."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    clients = [new() for _ in range(count)]
    over = threading.Event()

    def live() -> None:
        while not over.wait(EVERY):
            for place, client in enumerate(clients):
                try:
                    client.lives()
                except OSError:
                    client.close()
                    with suppress(OSError):
                        clients[place] = new()

    thread = threading.Thread(target=live, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
        for client in clients:
            client.close()
