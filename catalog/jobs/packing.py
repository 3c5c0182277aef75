"""The job `series`: packs what can be packed of all assets (`catalog/series/keeping.py`), a block a transaction."""

import logging
import time
from collections.abc import Callable, Iterator

from django.db import InterfaceError, OperationalError

from catalog.reconciling.lease import HeldLease
from catalog.reconciling.progress import Stopped, counted
from catalog.series import assets_to_pack, pack_one

LEASE = "series"
LONGEST_REST = 0.5  # seconds
DATABASE_IS_AWAY = (InterfaceError, OperationalError)

log = logging.getLogger("catalog.jobs")


def pack_series(*, should_stop: Callable[[], bool] = lambda: False, gently: bool = False) -> str:
    """Pack what is there to be packed, and say how much that was; empty if it was nothing."""
    if not assets_to_pack():
        return ""
    lease = HeldLease(LEASE)
    try:
        packed = sum(_all_of(pk, lease, should_stop, gently) for pk in _assets())
    finally:
        lease.release()
    return f"{counted(packed, 'block')} of series packed" if packed else ""


def _assets() -> Iterator[int]:
    after = 0
    while pks := assets_to_pack(after):
        for after in pks:
            yield after


def _all_of(pk: int, lease: HeldLease, should_stop: Callable[[], bool], gently: bool) -> int:
    """How many blocks of an asset were packed. What goes wrong with one asset does not keep the others from it."""
    packed = 0
    began = time.monotonic()
    try:
        while pack_one(pk):
            packed += 1
            lease.renew()
            if should_stop():
                raise Stopped
            if gently:
                time.sleep(min(time.monotonic() - began, LONGEST_REST))
            began = time.monotonic()
    except (Stopped, *DATABASE_IS_AWAY):
        raise
    except Exception:
        log.exception("The series of the asset with the key %s can't be packed.", pk)
    return packed
