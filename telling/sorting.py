"""Sorting: who wants the messages that writes have left in the outbox is found once, in the order of writing.

It is done by one process at a time, as the order of what is sent about an asset is the order of its deliveries. Each
transaction sorts some and is whole or was not; who is killed leaves nothing behind.
"""

from datetime import datetime

from django.db import connection, transaction
from django.utils import timezone

from catalog.models import Delivery, Lease, Message, Subscription
from telling.subscriptions import first_try
from telling.wanting import Wanting

LEASE = "sorting"
AT_ONCE = 200


def is_there_to_sort() -> bool:
    return Message.objects.filter(sorted_at=None).exists()


def sort_some(now: datetime | None = None, most: int = AT_ONCE) -> int:
    """Sort the oldest ones; how many there were. 0 too where another process does it."""
    now = now or timezone.now()
    with transaction.atomic():
        if not _is_our_turn():
            return 0
        waiting = Message.objects.filter(sorted_at=None).select_related("branch__project").order_by("pk")
        messages = list(waiting[:most])
        wanting, made = Wanting(messages), []
        for message in messages:
            about = {"message": message, "asset_id": message.asset_id, "next_at": now}
            made += [Delivery(webhook=webhook, **about) for webhook in wanting.webhooks(message)]
            made += [_mail(message, row, now) for row in wanting.subscriptions(message)]
        Delivery.objects.bulk_create(made)
        Message.objects.filter(pk__in=[message.pk for message in messages]).update(sorted_at=now)
    return len(messages)


def _mail(message: Message, row: Subscription, now: datetime) -> Delivery:
    assert message.branch is not None  # subscriptions are of branches and assets
    at = first_try(row, message.branch.project, now)
    return Delivery(message=message, subscription=row, asset_id=message.asset_id, next_at=at)


def _is_our_turn() -> bool:
    """On SQLite whoever writes is alone; on PostgreSQL a row is locked until the transaction ends."""
    if connection.vendor == "sqlite":
        return True
    Lease.objects.get_or_create(name=LEASE, defaults={"until": timezone.now()})
    return bool(Lease.objects.select_for_update(skip_locked=True).filter(name=LEASE))
