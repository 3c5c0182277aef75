"""Moments along an axis: at which of them a line stands, and how they are written, in UTC."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
MOST = 8
_MINUTE, _HOUR, _DAY = 60, 3600, 86_400
_SECONDS = (
    *(_MINUTE, 5 * _MINUTE, 15 * _MINUTE, 30 * _MINUTE, _HOUR, 3 * _HOUR, 6 * _HOUR, 12 * _HOUR),
    *(_DAY, 2 * _DAY, 7 * _DAY, 14 * _DAY),
)
_MONTHS = (1, 2, 3, 6, 12, 24, 60, 120, 240, 600, 1200, 2400, 6000, 12_000, 24_000)
_SHORT = timedelta(days=3)
"""Of so short a time the hours count."""


@dataclass(frozen=True)
class Wording:
    """How moments are written in a chart that goes from the one to the other."""

    first: datetime
    last: datetime

    def day(self, at: datetime) -> str:
        """16 Nov, with its year if that is not the one of the newest."""
        at = at.astimezone(UTC)
        text = f"{at.day} {MONTHS[at.month - 1]}"
        return text if at.year == self.last.astimezone(UTC).year else f"{text} {at.year}"

    def moment(self, at: datetime) -> str:
        """The day, and the hour where all is within a few days."""
        hours = f" {at.astimezone(UTC):%H:%M}" if self.last - self.first < _SHORT else ""
        return self.day(at) + hours


def lines_between(first: datetime, last: datetime) -> list[tuple[datetime, str]]:
    """At most eight round moments between two others, each as it is written."""
    first, last = first.astimezone(UTC), last.astimezone(UTC)
    seconds = (last - first).total_seconds()
    step = next((step for step in _SECONDS if seconds / step <= MOST - 1), None)
    if step is None:
        return _by_months(first, last)
    wording = Wording(first, last)
    return [(at, _at_step(at, step, wording)) for at in _every(first, last, step)]


def _every(first: datetime, last: datetime, step: int) -> Iterator[datetime]:
    """Counted from a Monday, so that weeks begin with one; no further than the calendar goes."""
    origin = datetime(1970, 1, 5, tzinfo=UTC)
    place = math.ceil((first - origin).total_seconds() / step)
    while place * step <= (last - origin).total_seconds():
        yield origin + timedelta(seconds=place * step)
        place += 1


def _at_step(at: datetime, step: int, wording: Wording) -> str:
    return f"{at:%H:%M}" if step < _DAY and (at.hour or at.minute) else wording.day(at)


def _by_months(first: datetime, last: datetime) -> list[tuple[datetime, str]]:
    months = (last.year - first.year) * 12 + last.month - first.month
    step = next((step for step in _MONTHS if months / step <= MOST - 1), _MONTHS[-1])
    start = math.ceil((first.year * 12 + first.month) / step) * step
    found = []
    for place in range(start, last.year * 12 + last.month, step):
        year, month = divmod(place, 12)
        if year < datetime.max.year:
            at = datetime(year, month + 1, 1, tzinfo=UTC)
            found.append((at, str(year) if step >= 12 else f"{MONTHS[month]} {year}"))
    return found
