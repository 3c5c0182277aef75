"""Threads that do jobs, each when it is due: one after the other, and those that can't wait each in their own."""

import logging
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

from django.db import connections

from catalog.jobs.table import Doing, Job, all_jobs
from catalog.reconciling.lease import LeaseLost, LeaseTaken
from catalog.reconciling.progress import Stopped

FIRST_AFTER = 2.0  # seconds; the server starts its workers first
STOPS_WITHIN = 10.0

log = logging.getLogger("catalog.jobs")


class Background:
    """Does some jobs, or all that are not off. Any error in one is logged, and the others go on."""

    def __init__(self, actor: str, jobs: Iterable[Job] | None = None) -> None:
        self._ending = threading.Event()
        self._doing = Doing(actor, say=log.info, should_stop=self._ending.is_set, gently=True)
        given = [job for job in (all_jobs() if jobs is None else jobs) if job.every()]
        apart = [[job] for job in given if job.apart]
        lines = [[job for job in given if not job.apart], *apart]
        self._threads = [threading.Thread(target=self._run, args=(line,), name="jobs", daemon=True) for line in lines]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def is_working(self) -> bool:
        """Whether there is, or will be, something to do."""
        return any(thread.is_alive() for thread in self._threads)

    def stop(self) -> None:
        """End between two writes; the next start continues with the first job."""
        self._ending.set()
        until = time.monotonic() + STOPS_WITHIN
        for thread in self._threads:
            if thread.is_alive():
                thread.join(max(0.0, until - time.monotonic()))

    def _run(self, jobs: Sequence[Job]) -> None:
        """Do these, one after the other."""
        due = {job.name: time.monotonic() + FIRST_AFTER for job in jobs}
        while due and not self._ending.wait(max(0.0, min(due.values()) - time.monotonic())):
            for job in jobs:
                if due[job.name] <= time.monotonic() and not self._ending.is_set():
                    self._do(job)
                    due[job.name] = time.monotonic() + job.every()

    def _do(self, job: Job) -> None:
        with _logged(job):
            if line := job.do(self._doing):
                log.info("%s", line)


@contextmanager
def _logged(job: Job) -> Iterator[None]:
    """Whatever goes wrong is a line in the log: the site must not go down with it."""
    try:
        yield
    except Stopped:
        log.info("It was stopped before it was done; the next start goes on.")
    except (LeaseTaken, LeaseLost) as error:
        log.info("%s", error)
    except Exception as error:
        log.error("The job '%s' can't be done: %s: %s", job.name, type(error).__name__, error)
    finally:
        connections.close_all()
