"""The jobs `look` and `late`: what is usual and unusual of what came, and what has become late (`watching/`)."""

import time
from collections.abc import Callable

from django.utils import timezone

from catalog.reconciling.lag import known_until
from catalog.reconciling.lease import HeldLease
from catalog.reconciling.progress import Stopped, counted
from catalog.watching.lates import is_anything_late, tell_lates
from catalog.watching.looking import is_anything_to_look_at, look

LOOK, LATE = "look", "late"
"""The names of their leases."""
LONGEST_REST = 0.5  # seconds


def look_at_all(*, should_stop: Callable[[], bool] = lambda: False, gently: bool = False) -> str:
    """Look at what came, and say how much that was; empty if it was nothing. In the background, where something comes
    all the time, only what is unusual is worth a line."""
    if not is_anything_to_look_at():
        return ""
    with _Held(LOOK, should_stop, gently) as held:
        done = look(after_each=held.go_on)
    if gently and not done.unusual:
        return ""
    more = f", {counted(done.unusual, 'unusual version')}" if done.unusual else ""
    return f"{counted(done.assets, 'asset')} looked at{more}"


def tell_all_lates(*, should_stop: Callable[[], bool] = lambda: False, gently: bool = False) -> str:
    """Tell what has become late, and say how much that was; empty if it was nothing."""
    now = timezone.now()
    if not is_anything_late(now):
        return ""
    with _Held(LATE, should_stop, gently) as held:
        done = tell_lates(now=now, known_until=known_until(now), after_each=held.go_on)
    said = [f"{counted(done.late, 'asset')} late" if done.late else "", f"{done.over} no longer" if done.over else ""]
    return ", ".join(filter(None, said))


class _Held:
    """A lease while something is done; it goes on between two transactions unless it should stop."""

    def __init__(self, name: str, should_stop: Callable[[], bool], gently: bool) -> None:
        self._name, self._should_stop, self._gently = name, should_stop, gently

    def __enter__(self) -> "_Held":
        self._lease = HeldLease(self._name)
        self._began = time.monotonic()
        return self

    def __exit__(self, *exc: object) -> None:
        self._lease.release()

    def go_on(self) -> None:
        """Raises `Stopped`, or `LeaseLost`."""
        self._lease.renew()
        if self._should_stop():
            raise Stopped
        if self._gently:
            time.sleep(min(time.monotonic() - self._began, LONGEST_REST))
        self._began = time.monotonic()
