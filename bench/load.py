"""Asking a server as fast as it answers: some clients, each with one open connection and one request at a time.

Requests are bytes made beforehand, and answers are read no further than needed, because whatever this process does is
taken from the server on a small machine.
"""

import json
import secrets
import socket
import statistics
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

TIMEOUT = 30
UNIQUE = "@" * 32
"""Stands in a request for something that is never sent twice."""
SAME = "=" * 32
"""Stands in a request for what the last `UNIQUE` of its connection was."""
FULL, BARE = (b"HTTP/1.1 200", b"HTTP/1.1 201"), (b"HTTP/1.1 204", b"HTTP/1.1 304")
"""How answers begin that succeed: with a body, and without."""


@dataclass
class Sample:
    """How long each answer took, in seconds, and how long all of it took."""

    seconds: list[float] = field(default_factory=list)
    elapsed: float = 0.0

    @property
    def rate(self) -> float:
        return len(self.seconds) / self.elapsed

    @property
    def p50(self) -> float:
        return statistics.median(self.seconds)

    @property
    def p95(self) -> float:
        return sorted(self.seconds)[int(len(self.seconds) * 0.95)]


class Connection:
    """One keep-alive connection to a server on this machine."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.unique = secrets.token_hex(16)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.socket.close()

    def ask(self, request: bytes) -> bytes:
        """The head of the answer; an answer that is no success is an error here."""
        if UNIQUE.encode() in request:
            self.unique = secrets.token_hex(16)
        for mark in (UNIQUE, SAME):
            request = request.replace(mark.encode(), self.unique.encode())
        self.socket.sendall(request)
        answer = self._more()
        while b"\r\n\r\n" not in answer:
            answer += self._more()
        head, _, body = answer.partition(b"\r\n\r\n")
        if not head.startswith(FULL + BARE):
            raise RuntimeError(f"{request.splitlines()[0].decode()} was answered {answer.decode(errors='replace')}")
        if head.startswith(BARE):
            return head
        length, read = int(header(head, "content-length")), len(body)
        while read < length:
            read += len(self._more())
        return head

    def _more(self) -> bytes:
        part = self.socket.recv(1 << 18)
        if not part:
            raise ConnectionError("The server closed the connection.")
        return part


def header(head: bytes, name: str) -> str:
    """The value of a header; KeyError if the answer has none."""
    for line in head.split(b"\r\n")[1:]:
        key, _, value = line.partition(b":")
        if key.decode().lower() == name:
            return value.strip().decode()
    raise KeyError(name)


def message(method: str, path: str, headers: Mapping[str, str], body: Any = None, *, once: bool = False) -> bytes:
    """A request as it goes over the wire; `once`: with an idempotency key."""
    content = json.dumps(body).encode() if body is not None else b""
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", "Accept: */*"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    lines += [f"Idempotency-Key: {UNIQUE}"] if once else []
    lines += ["Content-Type: application/json"] if content else []
    lines += [f"Content-Length: {len(content)}", "", ""]
    return "\r\n".join(lines).encode() + content


def measure(port: int, requests: Sequence[bytes], clients: int, seconds: float) -> Sample:
    """Ask all requests over and over for so many seconds; each client begins elsewhere in the list, and asks one at
    least.
    """
    times: list[list[float]] = [[] for _ in range(clients)]
    failures: list[Exception] = []
    end = time.perf_counter() + seconds

    def client(number: int) -> None:
        place = number * len(requests) // clients
        try:
            with Connection(port) as connection:
                while not times[number] or time.perf_counter() < end:
                    begin = time.perf_counter()
                    connection.ask(requests[place % len(requests)])
                    times[number].append(time.perf_counter() - begin)
                    place += 1
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=client, args=(number,)) for number in range(clients)]
    begin = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
    return Sample([second for each in times for second in each], time.perf_counter() - begin)
