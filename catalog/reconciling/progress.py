"""The progress of a pass: it is reported every few seconds, and the pass is stopped when it should."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from catalog.models import Reconciliation
from catalog.reconciling.lease import HeldLease

REPORTED_EVERY = 2.0  # seconds
MAX_LINES = 50


class Stopped(Exception):
    """The pass ends here; the next one continues."""


@dataclass
class Progress:
    """Keeps the row and the lease of a pass up to date, and stops the pass once `should_stop` returns true."""

    row: Reconciliation
    lease: HeldLease
    say: Callable[[str], None]
    should_stop: Callable[[], bool]
    lines: list[str] = field(default_factory=list)
    _reported: float = field(default_factory=time.monotonic)

    def tick(self) -> None:
        """Call it often, wherever the pass may be stopped: between two transactions."""
        self.lease.renew()
        if self.should_stop():
            raise Stopped
        if time.monotonic() - self._reported > REPORTED_EVERY:
            self._reported = time.monotonic()
            self.say(line_about(self.row))
            self.save()

    def report(self, line: str) -> None:
        """Report a problem to people; the same line only once."""
        if line not in self.lines and len(self.lines) < MAX_LINES:
            self.lines.append(line)
            self.say(line)

    def save(self) -> None:
        self.row.told = "\n".join(self.lines)
        self.row.save()


def line_about(row: Reconciliation) -> str:
    """The counts of a pass so far, in one line."""
    line = f"{counted(row.runs, 'run')} read, {counted(row.made, 'write')} backfilled"
    if row.settled:
        line += f", {counted(row.settled, 'instance')} settled"
    if row.stuck:
        line += f", {counted(row.stuck, 'write')} could not be backfilled"
    return line


def counted(number: int, noun: str) -> str:
    """A number with its noun, in the singular or plural."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
