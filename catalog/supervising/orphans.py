"""Processes end with the one that has started them, also if that is killed: else they would keep the port."""

import multiprocessing
import os
import signal
import threading
import time

STOPS_WITHIN = 8.0
"""Seconds that a process has to end what it is at; Docker, for one, gives the whole of it ten."""


def end_with_parent() -> None:
    """See to it in this process, if another one has started it by way of `multiprocessing`."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_without, args=(parent.pid,), name="orphan", daemon=True).start()


def _end_without(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(1)
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(STOPS_WITHIN)
    os.kill(os.getpid(), signal.SIGKILL)
