"""What a pass has done so far, said now and then; and when it is to stop."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from catalog.models import Reconciliation
from catalog.reconciling.lease import Held

SAID_EVERY = 2.0  # seconds
TOLD_LINES = 50


class Stopped(Exception):
    """The pass is to end here; the next one goes on."""


@dataclass
class Progress:
    """Counts, and keeps the pass's row and lease up to date. `enough` says when to stop."""

    row: Reconciliation
    lease: Held
    say: Callable[[str], None]
    enough: Callable[[], bool]
    told: list[str] = field(default_factory=list)
    _said: float = field(default_factory=time.monotonic)

    def tick(self) -> None:
        """Call it often, between two things that are each done as a whole."""
        self.lease.keep()
        if self.enough():
            raise Stopped
        if time.monotonic() - self._said > SAID_EVERY:
            self._said = time.monotonic()
            self.say(line_about(self.row))
            self.save()

    def tell(self, line: str) -> None:
        """Something that people should know; the same line once."""
        if line not in self.told and len(self.told) < TOLD_LINES:
            self.told.append(line)
            self.say(line)

    def save(self) -> None:
        self.row.told = "\n".join(self.told)
        self.row.save()


def line_about(row: Reconciliation) -> str:
    """What a pass has done so far."""
    line = f"{counted(row.runs, 'run')} read, {counted(row.made, 'write')} backfilled"
    if row.settled:
        line += f", {counted(row.settled, 'instance')} settled"
    if row.stuck:
        line += f", {counted(row.stuck, 'write')} could not be backfilled"
    return line


def counted(number: int, noun: str) -> str:
    """A number and what it counts."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
