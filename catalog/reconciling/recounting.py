"""The recount that brings what an older version has derived up to this one: by one process, while the site answers.

It may be killed at any moment: each asset is a transaction of its own, and the next recount goes on after the last one
that was saved as done.
"""

import time
from collections.abc import Callable

from django.utils import timezone

from catalog.counters import Recount
from catalog.derivation import VERSION, outstanding
from catalog.models import Asset, Derivation
from catalog.old_runs import add_missing_runs
from catalog.reconciling.lease import HeldLease
from catalog.reconciling.progress import Stopped, counted

SAVED_EVERY = 1.0  # seconds
SAID_EVERY = 10.0
LONGEST_REST = 0.5

Say = Callable[[str], None]


def recount(
    *,
    say: Say,
    correction: Say = lambda line: None,
    should_stop: Callable[[], bool] = lambda: False,
    gently: bool = False,
) -> str:
    """Recompute what is derived, and answer what was done in a sentence; `correction` is called with each correction.

    What an earlier recount to this version has begun is gone on with. `gently`: rest as long as it works, for those
    who write meanwhile. Raises `LeaseTaken` if another process recounts or reconciles, `Stopped` after `should_stop`.
    """
    lease = HeldLease()
    try:
        return _Recounting(lease, say, correction, should_stop, gently).run()
    finally:
        lease.release()


class _Recounting:
    def __init__(
        self, lease: HeldLease, say: Say, correction: Say, should_stop: Callable[[], bool], gently: bool
    ) -> None:
        self.lease, self.say, self.correction = lease, say, correction
        self.should_stop, self.gently = should_stop, gently
        self.row = _begun()
        self.before = self.row.assets
        self.recount = Recount()
        self.corrections = 0
        self.saved = self.said = self.began = time.monotonic()

    def run(self) -> str:
        self.recount.run(after=self.row.last_asset, done=self._done)
        self._report()
        self._save()
        Derivation.objects.filter(pk=1).update(version=VERSION, finished_at=timezone.now())
        outstanding()
        line = f"{counted(self.recount.assets, 'asset')} recounted, {counted(self.corrections, 'correction')}."
        return f"{line} {counted(self.before, 'asset')} had been before." if self.before else line

    def _done(self, asset: int) -> None:
        """After each asset: add the runs that it names, and say and save how far it is."""
        self._report()
        if self.row.version < 1:
            add_missing_runs(asset, self._tick)
        self.row.last_asset, self.row.assets = asset, self.row.assets + 1
        now = time.monotonic()
        if now - self.saved > SAVED_EVERY:
            self._save()
        if now - self.said > SAID_EVERY:
            self.said = now
            self.say(f"{self.row.assets:,} of {counted(self.row.total, 'asset')} recounted")
        self._tick()

    def _tick(self) -> None:
        """Between two transactions: keep the lease, stop if that is wished, and rest as long as the last one took."""
        self.lease.renew()
        if self.should_stop():
            self._save()
            raise Stopped
        if self.gently:
            time.sleep(min(time.monotonic() - self.began, LONGEST_REST))
        self.began = time.monotonic()

    def _report(self) -> None:
        """Corrections are passed on, and not kept: an old catalogue may have as many as it has assets."""
        for line in self.recount.corrections:
            self.correction(line)
        self.corrections += len(self.recount.corrections)
        self.recount.corrections.clear()

    def _save(self) -> None:
        self.saved = time.monotonic()
        self.row.save(update_fields=["last_asset", "assets"])


def _begun() -> Derivation:
    """The row of the recount: of one that was begun, or of a new one."""
    row, _ = Derivation.objects.get_or_create(pk=1)
    if row.target == VERSION and row.finished_at is None and row.version < VERSION:
        return row
    row.target, row.last_asset, row.assets = VERSION, 0, 0
    row.total, row.started_at, row.finished_at = Asset.objects.count(), timezone.now(), None
    row.save()
    return row
