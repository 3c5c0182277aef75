"""The process beside the web processes, which does the jobs of the background; it is started again if it dies.

Models are imported where they are used: where processes are not forked but started anew, Django is not set up yet.
"""

import logging
import multiprocessing
import signal
import threading
import time

import django

from catalog.supervising.orphans import STOPS_WITHIN, end_with_parent

AGAIN_AFTER = 10.0  # seconds

log = logging.getLogger("catalog.supervising")


class Beside:
    """A process that does what `catalog.jobs` has for it, until it is done or stopped."""

    def __init__(self, actor: str) -> None:
        self._actor = actor
        self._ending = threading.Event()
        self._watch = threading.Thread(target=self._keep, name="beside", daemon=True)

    def start(self) -> None:
        self._start_process()
        self._watch.start()

    def stop(self) -> None:
        """End it between two writes; the next start continues."""
        self._ending.set()
        self._process.terminate()
        self._process.join(STOPS_WITHIN)
        self._process.kill()

    def _start_process(self) -> None:
        self._process = multiprocessing.Process(
            target=_work_until_told, args=(self._actor,), name="beside", daemon=True
        )
        self._process.start()

    def _keep(self) -> None:
        self._process.join()
        while self._process.exitcode and not self._ending.wait(AGAIN_AFTER):
            log.error("The process that does the jobs has died (%s); it is started again.", self._process.exitcode)
            self._start_process()
            self._process.join()


def _work_until_told(actor: str) -> None:
    django.setup()
    from catalog.jobs.background import Background

    told = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: told.set())
    signal.signal(
        signal.SIGINT, signal.SIG_IGN
    )  # Ctrl-C reaches all processes of a terminal; the parent tells this one
    end_with_parent()
    background = Background(actor)
    background.start()
    while background.is_working() and not told.is_set():
        time.sleep(0.2)
    background.stop()
