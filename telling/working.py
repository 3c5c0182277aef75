"""One worker's turn: sort, claim, send at the same time, write down, until nothing is left that could be sent now.

Threads only send. All that asks the database is done by the thread that was called, so that no receiver keeps a
transaction open.
"""

import queue
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from django.db import connection
from django.utils import timezone

from catalog.reconciling.lease import HeldLease
from catalog.reconciling.progress import Stopped, counted
from telling.delivering import AT_ONCE, Busy, Claimed, claim, due, record, sent
from telling.sending import SECONDS, Answer
from telling.sorting import is_there_to_sort, sort_some

LEASE = "deliver"
LOOKS_EVERY = 0.5
"""Seconds after which a worker that waits for answers looks what else there is."""
LINGERS = 0.005
"""Seconds for which others are waited for once there is an answer, as all are written down together."""
GRACE = 1.0
"""Seconds after its time that a thread is waited for, which is late only where a name is asked for."""


@dataclass(frozen=True)
class UnderWay:
    claimed: Claimed
    at: datetime
    thread: threading.Thread
    until: float


class Worker:
    """What is under way in one process."""

    def __init__(self, seconds: float = SECONDS) -> None:
        self._seconds = seconds
        self._under_way: dict[int, UnderWay] = {}
        self._late: list[threading.Thread] = []
        self._done: queue.SimpleQueue[tuple[int, threading.Thread, Answer]] = queue.SimpleQueue()

    @property
    def is_idle(self) -> bool:
        return not self._under_way

    def begin(self) -> int:
        """Claim what there is room for, and begin to send it; how much that was."""
        self._late = [thread for thread in self._late if thread.is_alive()]
        if len(self._under_way) + len(self._late) >= AT_ONCE:
            return 0
        found = claim(timezone.now(), self._busy())
        for claimed in found:
            self._send(claimed)
        return len(found)

    def _busy(self) -> Busy:
        under_way = [one.claimed for one in self._under_way.values()]
        failing = sum(claimed.is_failing for claimed in under_way)
        return Busy(Counter(claimed.webhook.pk for claimed in under_way), failing + len(self._late))

    def _send(self, claimed: Claimed) -> None:
        key, at = claimed.delivery.pk, timezone.now()

        def run() -> None:
            try:
                answer = sent(claimed, at, self._seconds)
            except Exception as error:  # what is wrong with one message must not end the thread without a word
                answer = Answer(error=f"It could not be sent: {type(error).__name__}.")
            self._done.put((key, threading.current_thread(), answer))

        thread = threading.Thread(target=run, name=f"delivery-{key}", daemon=True)
        self._under_way[key] = UnderWay(claimed, at, thread, time.monotonic() + self._seconds + GRACE)
        thread.start()

    def end(self, wait: float = LOOKS_EVERY) -> int:
        """Write down what has an answer by now, after waiting for one; how many were delivered."""
        results = []
        try:
            while True:
                key, thread, answer = self._done.get(timeout=wait)
                wait = LINGERS
                if key in self._under_way and self._under_way[key].thread is thread:
                    results.append((key, answer))
        except queue.Empty:
            pass
        answered = {key for key, _ in results}
        for key, one in self._under_way.items():
            if key not in answered and one.until < time.monotonic():
                results.append((key, Answer(error=f"It did not answer within {self._seconds:g} seconds.")))
                self._late.append(one.thread)
        ended = [(self._under_way[key].claimed, self._under_way[key].at, answer) for key, answer in results]
        delivered = record(ended) if ended else 0
        for key, _ in results:
            del self._under_way[key]
        return delivered


def is_there_work() -> bool:
    return is_there_to_sort() or due(timezone.now()).exists()


def deliver(*, should_stop: Callable[[], bool] = lambda: False, seconds: float = SECONDS) -> str:
    """Sort and send until nothing is left for now, and say how much was delivered; empty if it was nothing.

    On PostgreSQL any number of processes do it together; on SQLite, where all would write in one queue, one does.
    """
    if not is_there_work():
        return ""
    lease = HeldLease(LEASE) if connection.vendor == "sqlite" else None
    try:
        delivered = _until_nothing_is_left(Worker(seconds), lease, should_stop)
    finally:
        if lease:
            lease.release()
    return f"{counted(delivered, 'message')} delivered" if delivered else ""


def _until_nothing_is_left(worker: Worker, lease: HeldLease | None, should_stop: Callable[[], bool]) -> int:
    """What goes wrong with sorting holds up nothing that is sorted already; it is raised in the end."""
    delivered, sorts_at = 0, 0.0
    wrong: Exception | None = None
    while True:
        stops, found = should_stop(), 0
        if lease:
            lease.renew()
        if not stops and wrong is None and (worker.is_idle or time.monotonic() >= sorts_at):
            try:
                found = sort_some()
            except Exception as error:
                wrong = error
            sorts_at = 0.0 if found else time.monotonic() + LOOKS_EVERY
        if not stops:
            found += worker.begin()
        if worker.is_idle and not found:
            if stops:
                raise Stopped
            if wrong is not None:
                raise wrong
            return delivered
        delivered += worker.end(0.0 if worker.is_idle else LOOKS_EVERY)
