"""Waiting for an instance whose task is still running.

What a running task registers is pending, since its artifacts can't be read before it ends. A reader of such an instance
waits until the task ends, for at most ``ASSETSITE_WAIT`` seconds.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from obproject.errors import InstancePending
from obproject.json_types import Json
from obproject.notices import tell
from obproject.task import running

_FIRST_PAUSE = 0.5
_PAUSE_GROWTH = 1.5
_LONGEST_PAUSE = 5.0


def wait_while_pending(instance: Json, read_again: Callable[[], Json], seconds: float, about: str) -> Json:
    """Wait until an instance is no longer pending, and return it; ``about`` names asset and branch in messages.

    Raises InstancePending, naming the running task, if it is still pending after ``seconds``.
    """
    deadline = time.monotonic() + (0 if is_from_this_task(instance) else seconds)
    about = f"{about} ({instance['ref']})"
    pause = _FIRST_PAUSE
    if instance.get("state") == "pending" and time.monotonic() < deadline:
        tell(f"{about} waits up to {seconds:g} s for its task {_producer(instance)} to end.")
    while instance.get("state") == "pending":
        left = deadline - time.monotonic()
        if left <= 0:
            raise InstancePending(
                f"{about} is pending: its task {_producer(instance)} has not finished, so its artifact can't be read "
                f"yet. Read it after that task, ask for an older one, or set ASSETSITE_WAIT to more than {seconds:g} s."
            )
        time.sleep(min(pause, left))
        pause = min(pause * _PAUSE_GROWTH, _LONGEST_PAUSE)
        instance = read_again()
    return instance


def _producer(instance: Json) -> str:
    return str(instance["created_by"]["entity_id"])


def is_from_this_task(instance: Json) -> bool:
    """Return whether the running task registered the instance: it can't end while it waits for itself."""
    task = running.running_task()
    return task is not None and _producer(instance) == task.ref["entity_id"]
