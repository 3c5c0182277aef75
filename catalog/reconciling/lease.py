"""The lease on reconciling, and on other jobs: one process at a time, as a row of the database says."""

import os
import secrets
import socket
import time
from datetime import timedelta

import psutil
from django.db.models import Q
from django.utils import timezone

from catalog.models import Lease

NAME = "reconcile"
"""That of what writes all over the catalogue: passes of reconciling, and recounts."""
DURATION = timedelta(minutes=5)
RENEWED_AFTER = 10.0  # seconds


class LeaseTaken(Exception):
    """Another process holds the lease."""


class LeaseLost(Exception):
    """The lease expired, and another process took it."""


class HeldLease:
    """The lease while this process holds it. That of a dead process of this machine is free at once."""

    def __init__(self, name: str = NAME) -> None:
        self._name = name
        self._me = f"{socket.gethostname()}/{os.getpid()}/{_started(os.getpid()):.0f}/{secrets.token_hex(4)}"
        self._renewed = time.monotonic()
        self._take()

    def _take(self) -> None:
        lease, _ = Lease.objects.get_or_create(name=self._name, defaults={"until": timezone.now()})
        free = Q(until__lte=timezone.now()) | Q(holder="")
        if is_gone(lease.holder):
            free |= Q(holder=lease.holder)
        if not Lease.objects.filter(free, name=self._name).update(holder=self._me, until=timezone.now() + DURATION):
            raise LeaseTaken(f"{_being_done(self._name)} already.")

    def renew(self) -> None:
        """Extend the lease if it is time to; call it often. Raises `LeaseLost`."""
        if time.monotonic() - self._renewed < RENEWED_AFTER:
            return
        if not Lease.objects.filter(name=self._name, holder=self._me).update(until=timezone.now() + DURATION):
            raise LeaseLost(f"{_being_done(self._name)} by another process by now.")
        self._renewed = time.monotonic()

    def release(self) -> None:
        Lease.objects.filter(name=self._name, holder=self._me).update(holder="", until=timezone.now())


def _being_done(name: str) -> str:
    return "The catalogue is being brought up to date" if name == NAME else f"The job '{name}' is being done"


def is_gone(holder: str) -> bool:
    """Whether the holder was a process of this machine that has ended."""
    host, _, rest = holder.partition("/")
    pid, _, rest = rest.partition("/")
    started, _, _ = rest.partition("/")
    if host != socket.gethostname() or not (pid.isdecimal() and started.isdecimal()):
        return False
    return abs(_started(int(pid)) - int(started)) > 2


def _started(pid: int) -> float:
    """The start of a process of this machine, in seconds since 1970; 0 if there is none."""
    try:
        return psutil.Process(pid).create_time()
    except psutil.Error:
        return 0.0
