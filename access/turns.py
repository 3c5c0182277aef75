"""Whose password is checked now. Checking one costs a processor most of a second, which strangers can ask for too.

One at a time for each address, on the whole machine; few in all in each process, so that sign-ins don't take all
threads of pages.
"""

import fcntl
import hashlib
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from threading import Lock, Semaphore

from django.conf import settings

from access.errors import TooManyRequests

PATIENCE = 3.0
"""Seconds for which a second attempt waits for the first one of the same address, as after a double click."""
BETWEEN_TRIES = 0.05


class Turns:
    """The turns of one process, which agrees with the others of the machine by locks on bytes of a file.

    `threads` serve pages in this process: half of them at most check passwords, and one more may wait, if that leaves
    another one to serve pages.
    """

    def __init__(self, file: Path, threads: int) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        self._file = file.open("wb")  # a process that closes the file gives up all its locks on it
        self._at_once = max(1, threads // 2)
        self._may_wait = Semaphore(1 if threads > self._at_once + 1 else 0)
        self._guard = Lock()
        self._taken: set[str] = set()

    @contextmanager
    def taken(self, place: str) -> Iterator[None]:
        """Holds the turn of an address; raises TooManyRequests if there is none to be had."""
        if not self._take(place) and not self._wait_for(place):
            raise TooManyRequests("The site is checking another sign-in at this moment. Send the form again.")
        try:
            yield
        finally:
            self._give_back(place)

    def _take(self, place: str) -> bool:
        with self._guard:
            if place in self._taken or len(self._taken) >= self._at_once:
                return False
            try:
                fcntl.lockf(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, _byte_of(place))
            except BlockingIOError:  # another process has it
                return False
            self._taken.add(place)
            return True

    def _wait_for(self, place: str) -> bool:
        if not self._may_wait.acquire(blocking=False):
            return False
        try:
            until = time.monotonic() + PATIENCE
            while time.monotonic() < until:
                time.sleep(BETWEEN_TRIES)
                if self._take(place):
                    return True
            return False
        finally:
            self._may_wait.release()

    def _give_back(self, place: str) -> None:
        with self._guard:
            self._taken.remove(place)
            fcntl.lockf(self._file, fcntl.LOCK_UN, 1, _byte_of(place))


def turns() -> Turns:
    """The turns of this process."""
    return _turns(settings.HOME, settings.THREADS)


@cache
def _turns(home: Path, threads: int) -> Turns:
    return Turns(home / "sign-ins.lock", threads)


def _byte_of(place: str) -> int:
    return int.from_bytes(hashlib.sha256(place.encode()).digest()[:7])
