"""Sending mail: what waits of one subscription is claimed together, sent as one mail, and what became of it is kept.

A claim is a moment in `next_at` until which nobody else takes the deliveries, as with webhooks; the row of the
subscription is locked while they are claimed, so all that waits is in one mail. While the server is spoken to no
transaction is open. A mail is sent again only if a process is killed after the server took it and before that is noted.
"""

import logging
import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.core.mail import get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.db import connection, transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from access.identity import Viewer
from catalog.models import Delivery, DeliveryTry, Subscription
from catalog.reconciling.lease import HeldLease
from catalog.reconciling.progress import Stopped, counted
from catalog.states import DeliveryState
from telling.backoff import after_failure
from telling.letters import SHOWN, Letter
from telling.subscriptions import OPEN, is_mail_on

LEASE = "mail"
CLAIMED_FOR = timedelta(minutes=10)
"""Longer than any server takes, of which each answer is waited for 10 seconds (`EMAIL_TIMEOUT`)."""

log = logging.getLogger("catalog.jobs")


@dataclass(frozen=True)
class Claimed:
    """What waits of a subscription, which this process may send until `until`."""

    subscription: Subscription
    until: datetime

    @property
    def rows(self) -> QuerySet[Delivery]:
        """Those that nobody else has taken since."""
        mine = Delivery.objects.filter(subscription=self.subscription, next_at=self.until)
        return mine.filter(state__in=OPEN).order_by("pk")

    def letter(self) -> Letter:
        shown = self.rows.select_related("message")[:SHOWN]
        return Letter(self.subscription, [row.message for row in shown], self.rows.count())


def due(now: datetime) -> QuerySet[Delivery]:
    return Delivery.objects.filter(subscription__isnull=False, state__in=OPEN, next_at__lte=now)


def claim(now: datetime) -> Claimed | None:
    """What waits of the subscription that waits longest, and that no other process is at."""
    busy: set[int] = set()
    while True:
        waiting = due(now).exclude(subscription__in=busy).order_by("next_at", "pk")
        pk = waiting.values_list("subscription", flat=True).first()
        if pk is None:
            return None
        if claimed := _claimed(pk, now):
            return claimed
        busy.add(pk)


def _claimed(pk: int, now: datetime) -> Claimed | None:
    about = ("user", "branch__project__perimeter", "asset")
    until = now + CLAIMED_FOR + timedelta(microseconds=random.randrange(1_000_000))  # noqa: S311 (no secret)
    with transaction.atomic():
        rows = Subscription.objects.select_for_update(skip_locked=True, of=("self",), no_key=True)
        row = rows.select_related(*about).filter(pk=pk).first()
        if row is None or not due(now).filter(subscription=row).update(next_at=until, tries=F("tries") + 1):
            return None
        return Claimed(row, until)


def may_be_told(row: Subscription) -> bool:
    """Whether the person still is there, has an address, and sees what they watch."""
    return bool(row.user.email) and Viewer(row.user).can_see(row.branch.project.perimeter)


# what became of it


def delivered(claimed: Claimed, now: datetime) -> int:
    return claimed.rows.order_by().update(state=DeliveryState.DELIVERED, failing_since=None, done_at=now)


def forget(claimed: Claimed, now: datetime) -> None:
    """Nobody is there any more to be told."""
    claimed.rows.order_by().update(state=DeliveryState.GIVEN_UP, done_at=now)


def failed(claimed: Claimed, error: Exception, now: datetime) -> None:
    """Each is tried again when it is its time, or given up; what has failed as often as another goes with it."""
    said = f"{type(error).__name__}: {error}"[:512]
    with transaction.atomic():
        pks = list(claimed.rows.values_list("pk", flat=True))
        DeliveryTry.objects.bulk_create([DeliveryTry(delivery_id=pk, at=now, error=said) for pk in pks], 500)
        for tries, since in set(claimed.rows.order_by().values_list("tries", "failing_since")):
            then = after_failure(tries, since or now, now)
            done = now if then.state == DeliveryState.GIVEN_UP else None
            alike = claimed.rows.order_by().filter(tries=tries, failing_since=since)
            alike.update(state=then.state, next_at=then.at, failing_since=since or now, done_at=done)
    log.warning("Mail could not be sent: %s", said)


# a worker's turn


def send_mail(*, should_stop: Callable[[], bool] = lambda: False) -> str:
    """Send what waits until nothing does for now, and say how many mails that were; empty if none.

    Where the server can't be reached nothing else is tried until the next time.
    """
    if not is_mail_on() or not due(timezone.now()).exists():
        return ""
    lease = HeldLease(LEASE) if connection.vendor == "sqlite" else None
    server = get_connection()
    sent = 0
    try:
        while claimed := claim(timezone.now()):
            outcome = _send(claimed, server)
            sent += outcome is True
            if outcome is None:
                break
            if lease:
                lease.renew()
            if should_stop():
                raise Stopped
    finally:
        _close(server)
        if lease:
            lease.release()
    return f"{counted(sent, 'mail')} sent" if sent else ""


def _send(claimed: Claimed, server: BaseEmailBackend) -> bool | None:
    """Whether it was sent; None: the server can't be reached."""
    if not may_be_told(claimed.subscription):
        forget(claimed, timezone.now())
        return False
    reached = False
    try:
        mail = claimed.letter().mail(server)
        server.open()
        reached = True
        mail.send()
    except Exception as error:  # whatever a server says to one mail, the others are sent
        _close(server)
        failed(claimed, error, timezone.now())
        return False if reached else None
    delivered(claimed, timezone.now())
    return True


def _close(server: BaseEmailBackend) -> None:
    try:
        server.close()
    except Exception as error:
        log.warning("The server for mail: %s", error)
