"""Pruning: messages and deliveries go after 90 days, in pieces. The events that they told of stay where they are.

And no secret stays encrypted by a key that the site had before, so that who runs it can forget that.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

from django.utils import timezone

from catalog.attention import forget_over
from catalog.models import Message, Webhook
from catalog.reconciling.lease import HeldLease
from catalog.reconciling.progress import Stopped, counted
from telling.kept_secrets import encrypted_anew

KEPT_FOR = timedelta(days=90)
PIECE = 500
LEASE = "prune"


def prune(*, should_stop: Callable[[], bool] = lambda: False, now: datetime | None = None) -> str:
    """Delete what is old, and say how much that was; empty if it was nothing."""
    before = (now or timezone.now()) - KEPT_FOR
    forget_over(before)
    encrypt_secrets_anew()
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


def encrypt_secrets_anew() -> None:
    """By the site's present key; one that is given a new secret in the same moment keeps that."""
    for pk, kept in Webhook.objects.filter(deleted_at=None).values_list("pk", "secret"):
        if anew := encrypted_anew(kept):
            Webhook.objects.filter(pk=pk, secret=kept).update(secret=anew)
