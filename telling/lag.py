"""How late what was to be told is, for supervisors and admins."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Min

from catalog.models import Message
from telling.delivering import due, next_of
from telling.mailing import due as mail_due
from telling.subscriptions import is_mail_on

LATE_AFTER = 300.0  # seconds
WARNING = "What was to be told is late: is a process doing the jobs of the background?"


@dataclass(frozen=True)
class Lag:
    """Seconds that the oldest message waits to be sorted, and the oldest delivery that could be sent; 0: none does.

    To a webhook that fails one is sent at a time: what waits for it says nothing of those who send.
    """

    unsorted: int
    due: int

    @property
    def is_late(self) -> bool:
        return max(self.unsorted, self.due) > LATE_AFTER


def lag(now: datetime) -> Lag:
    oldest = Message.objects.filter(sorted_at=None).order_by("pk").values_list("created_at", flat=True).first()
    webhooks = due(now).filter(failing_since=None)
    firsts = [_first_of(next_of(webhook, now).aggregate(first=Min("next_at"))) for webhook in webhooks]
    firsts.append(_first_of(mail_due(now).aggregate(first=Min("next_at"))) if is_mail_on() else None)
    waits = [first for first in firsts if first is not None]
    return Lag(_seconds(oldest, now), _seconds(min(waits, default=None), now))


def lag_of_telling(now: datetime) -> dict[str, Any]:
    """What a probe says of it; a `warning` if it is too long."""
    found = lag(now)
    told: dict[str, Any] = {"telling_seconds_late": max(found.unsorted, found.due)}
    return told | {"warning": WARNING} if found.is_late else told


def _first_of(found: dict[str, Any]) -> datetime | None:
    first: datetime | None = found["first"]
    return first


def _seconds(since: datetime | None, now: datetime) -> int:
    return max(0, round((now - since).total_seconds())) if since else 0
