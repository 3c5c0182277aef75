"""Pruning: messages and deliveries go after 90 days, in pieces. The events that they told of stay where they are."""

from collections.abc import Callable
from datetime import datetime, timedelta

from django.utils import timezone

from catalog.attention import forget_over
from catalog.models import Message
from catalog.reconciling.lease import HeldLease
from catalog.reconciling.progress import Stopped, counted

KEPT_FOR = timedelta(days=90)
PIECE = 500
LEASE = "prune"


def prune(*, should_stop: Callable[[], bool] = lambda: False, now: datetime | None = None) -> str:
    """Delete what is old, and say how much that was; empty if it was nothing."""
    before = (now or timezone.now()) - KEPT_FOR
    forget_over(before)
    old = Message.objects.filter(created_at__lt=before).order_by("created_at")
    if not old.exists():
        return ""
    lease, pruned = HeldLease(LEASE), 0
    try:
        while pks := list(old.values_list("pk", flat=True)[:PIECE]):
            Message.objects.filter(pk__in=pks).delete()
            pruned += len(pks)
            lease.renew()
            if should_stop():
                raise Stopped
    finally:
        lease.release()
    return f"{counted(pruned, 'message')} of long ago deleted"
