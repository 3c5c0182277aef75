"""In a thread beside the server: a recount if an older version has written the catalogue; passes every few minutes."""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connections

from catalog.derivation import is_current
from catalog.reconciling.lease import LeaseLost, LeaseTaken
from catalog.reconciling.passes import reconcile
from catalog.reconciling.progress import Stopped, line_about
from catalog.reconciling.recounting import recount

FIRST_AFTER = 2.0  # seconds; the server starts its workers first
RECOUNT_AGAIN_AFTER = 60.0  # if another process has the lease, and there are no passes to wait for
STOPS_WITHIN = 10.0

log = logging.getLogger("catalog.reconciling")


class Background:
    """A thread that recounts and reconciles. Any error in it is logged, and the thread goes on."""

    def __init__(self, minutes: float, actor: str) -> None:
        """With 0 minutes it does not reconcile, and ends with the recount."""
        self._seconds = minutes * 60
        self._actor = actor
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="reconcile", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def is_working(self) -> bool:
        """Whether there is, or will be, something to do."""
        return self._thread.is_alive()

    def stop(self) -> None:
        """End between two writes; the next start continues with the first pass."""
        self._ending.set()
        if self._thread.is_alive():
            self._thread.join(STOPS_WITHIN)

    def _run(self) -> None:
        pause, recounted = FIRST_AFTER, False
        while not self._ending.wait(pause):
            recounted = recounted or self._recounted()
            if self._seconds:
                self._pass()
            elif recounted:
                return
            pause = self._seconds or RECOUNT_AGAIN_AFTER

    def _recounted(self) -> bool:
        """Whether what is derived is of this version, if need be after a recount."""
        with _logged():
            if not is_current():
                log.info("The catalogue is being brought up to date with this version.")
                log.info("%s", recount(say=log.info, should_stop=self._ending.is_set, gently=True))
            return True
        return False

    def _pass(self) -> None:
        with _logged():
            done = reconcile(actor=self._actor, say=log.debug, should_stop=self._ending.is_set)
            if done.made or done.settled:
                log.info("%s", line_about(done))


@contextmanager
def _logged() -> Iterator[None]:
    """Whatever goes wrong is a line in the log: the site must not go down with it."""
    try:
        yield
    except Stopped:
        log.info("It was stopped before it was done; the next start goes on.")
    except (LeaseTaken, LeaseLost) as error:
        log.info("%s", error)
    except Exception as error:
        log.error("The catalogue can't be brought up to date: %s: %s", type(error).__name__, error)
    finally:
        connections.close_all()
