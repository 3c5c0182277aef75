"""Passes in a thread of the server: one shortly after its start, then one every few minutes."""

import logging
import threading

from django.db import connections

from catalog.reconciling.lease import LeaseLost, LeaseTaken
from catalog.reconciling.passes import reconcile
from catalog.reconciling.progress import line_about

FIRST_AFTER = 2.0  # seconds; the server starts its workers first
STOPS_WITHIN = 10.0

log = logging.getLogger("catalog.reconciling")


class Background:
    """A thread that reconciles. Any error in it is logged, and the thread goes on."""

    def __init__(self, minutes: float, actor: str) -> None:
        self._seconds = minutes * 60
        self._actor = actor
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="reconcile", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """End between two writes; the first pass after the next start continues."""
        self._ending.set()
        if self._thread.is_alive():
            self._thread.join(STOPS_WITHIN)

    def _run(self) -> None:
        pause = FIRST_AFTER
        while not self._ending.wait(pause):
            self._pass()
            pause = self._seconds

    def _pass(self) -> None:
        try:
            done = reconcile(actor=self._actor, say=log.debug, should_stop=self._ending.is_set)
            if done.made or done.settled:
                log.info("%s", line_about(done))
        except (LeaseTaken, LeaseLost) as error:
            log.info("%s", error)
        except Exception as error:  # the site must not go down with it
            log.error("The catalogue can't be brought up to date: %s: %s", type(error).__name__, error)
        finally:
            connections.close_all()
