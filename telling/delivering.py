"""Delivering to webhooks: what may be sent now is claimed, and what became of it is written down.

The first that waits of each asset may be sent, and what was set aside; so everything arrives in its order until it has
failed for an hour. A claim is a moment in `next_at` until which nobody else takes a delivery: who is killed leaves
claims that run out. Whoever writes down a result has to hold the claim still. No transaction is open while a receiver
is waited for.
"""

import random
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Exists, F, Min, OuterRef, Q, QuerySet

from catalog.models import Delivery, DeliveryTry, Message, Webhook
from catalog.states import DeliveryState
from telling.backoff import after_failure
from telling.kept_secrets import SecretLost, decrypted
from telling.notices import GONE, LOST, NOT_FOR_AN_HOUR, NOTHING_TAKEN, WAS_GIVEN_UP, say_failing, settle, switch_off
from telling.payload import body_of, signed_headers
from telling.sending import SECONDS, Answer, post

CLAIMED_FOR = timedelta(seconds=3 * SECONDS)
AT_ONCE = 16
"""How many messages one worker has under way."""
AT_ONCE_OF_ONE = 8
"""… of one webhook, or fewer where many have something to be sent; of one that fails it is one."""
AT_ONCE_FAILING = AT_ONCE // 2
"""… of all webhooks that fail together, so that those that hang leave room for the others."""
OFF_AFTER = timedelta(days=1)
SAID_FOR = timedelta(days=7)
"""So long it is said that one message was given up, of a webhook that takes others."""
KEPT_OF_ANSWER = 4000
OPEN = (DeliveryState.WAITING, DeliveryState.SET_ASIDE)


@dataclass(frozen=True)
class Claimed:
    """A delivery that this process may send, until `until`."""

    delivery: Delivery
    until: datetime
    secret: str

    @property
    def webhook(self) -> Webhook:
        webhook = self.delivery.webhook
        assert webhook is not None  # only those of webhooks are claimed
        return webhook

    @property
    def is_failing(self) -> bool:
        return self.webhook.failing_since is not None or self.delivery.failing_since is not None


def sent(claimed: Claimed, at: datetime, seconds: float = SECONDS) -> Answer:
    """Send it, in any thread: nothing is asked of the database. Not if another process might have it before it ends."""
    if at + timedelta(seconds=seconds) > claimed.until:
        return Answer(error="It was not sent in the time that was left.")
    return sent_to(claimed.webhook.url, claimed.delivery.message, claimed.secret, at, seconds)


def sent_to(url: str, message: Message, secret: str, at: datetime, seconds: float = SECONDS) -> Answer:
    body = body_of(message)
    return post(url, signed_headers(message, at, secret, body), body, seconds)


# what may be sent


def due(now: datetime) -> QuerySet[Webhook]:
    """The webhooks of which something may be sent now."""
    of_it = Delivery.objects.filter(webhook=OuterRef("pk"), next_at__lte=now)
    waiting = Exists(of_it.filter(state=DeliveryState.WAITING)) | Exists(of_it.filter(state=DeliveryState.SET_ASIDE))
    return Webhook.objects.filter(waiting, off_at=None, deleted_at=None).order_by("pk")


def next_of(webhook: Webhook, now: datetime) -> QuerySet[Delivery]:
    """The deliveries of a webhook that may be sent now: the first of each asset, and what was set aside."""
    of_it = Delivery.objects.filter(webhook=webhook)
    first = of_it.filter(state=DeliveryState.WAITING).order_by().values("asset").annotate(first=Min("pk"))
    is_next = Q(state=DeliveryState.WAITING, pk__in=first.values("first")) | Q(state=DeliveryState.SET_ASIDE)
    return of_it.filter(is_next, next_at__lte=now).order_by("pk")


@dataclass(frozen=True)
class Busy:
    """What a worker has under way: how many of each webhook, and how many of those that fail."""

    of_webhook: Mapping[int, int]
    failing: int

    @property
    def all(self) -> int:
        return sum(self.of_webhook.values())


IDLE = Busy({}, 0)


def claim(now: datetime, busy: Busy = IDLE) -> list[Claimed]:
    """Claim as much as there is room for, of each webhook a fair part; those first of which the least is under way."""
    found: list[Claimed] = []
    lost: list[Webhook] = []
    free, free_failing = AT_ONCE - busy.all, AT_ONCE_FAILING - busy.failing
    with transaction.atomic():
        webhooks = list(due(now)) if free > 0 else []
        share = max(1, min(AT_ONCE_OF_ONE, AT_ONCE // max(1, len(webhooks))))
        for webhook in sorted(webhooks, key=lambda one: (busy.of_webhook.get(one.pk, 0), random.random())):  # noqa: S311
            most = 1 if webhook.failing_since else share
            most = min(most - busy.of_webhook.get(webhook.pk, 0), free - len(found))
            if webhook.failing_since:
                most = min(most, free_failing)
            if most <= 0:
                continue
            secret = _secret_of(webhook)
            if secret is None:
                lost.append(webhook)
            else:
                claimed = _claimed_of(webhook, secret, now, most)
                found += claimed
                free_failing -= len(claimed) if webhook.failing_since else 0
    for webhook in lost:  # each by itself: nobody who changes one meanwhile waits for another
        with transaction.atomic():
            switch_off(webhook, LOST, now)
    return found


def _secret_of(webhook: Webhook) -> str | None:
    """None if it can't be decrypted."""
    try:
        return decrypted(webhook.secret)
    except SecretLost:
        return None


def _claimed_of(webhook: Webhook, secret: str, now: datetime, most: int) -> list[Claimed]:
    locked = next_of(webhook, now).select_for_update(skip_locked=True, of=("self",)).select_related("message")
    rows = list(locked[:most])
    until = now + CLAIMED_FOR + timedelta(microseconds=random.randrange(1_000_000))  # noqa: S311 (no secret)
    Delivery.objects.filter(pk__in=[row.pk for row in rows]).update(next_at=until)
    for row in rows:
        row.webhook = webhook
    return [Claimed(row, until, secret) for row in rows]


# what became of it


def record(results: Collection[tuple[Claimed, datetime, Answer]]) -> int:
    """Write down what became of some, in one transaction; how many were delivered.

    Of what another process has claimed meanwhile, as the claim ran out, nothing is written down.
    """
    with transaction.atomic():
        hold_webhooks({claimed.webhook.pk for claimed, _, _ in results})
        keys = [claimed.delivery.pk for claimed, _, _ in results]
        locked = Delivery.objects.select_for_update().filter(pk__in=keys, state__in=OPEN).order_by("pk")
        held = {(row.pk, row.next_at): row for row in locked}
        of_rows = [(held.get((one.delivery.pk, one.until)), one, at, answer) for one, at, answer in results]
        mine = [(row, one, at, answer) for row, one, at, answer in of_rows if row is not None]
        DeliveryTry.objects.bulk_create(try_of(row, at, answer) for row, _, at, answer in mine)
        for row, one, at, answer in mine:
            if not answer.is_taken:
                _failed(row, one.webhook, answer, _ended(at, answer))
        taken = [(row, _ended(at, answer)) for row, _, at, answer in mine if answer.is_taken]
        if taken:
            delivered([row for row, _ in taken], max(ended for _, ended in taken))
        return len(taken)


def hold_webhooks(keys: Collection[int]) -> None:
    """Lock these for the transaction. Who writes to webhooks and their deliveries does it in this order: webhooks by
    their keys, deliveries, what needs attention, the perimeter. So each may wait for another, and none for ever."""
    list(Webhook.objects.select_for_update(no_key=True).filter(pk__in=keys).order_by("pk").values_list("pk"))


def _ended(at: datetime, answer: Answer) -> datetime:
    return at + timedelta(seconds=answer.seconds)


def try_of(delivery: Delivery, at: datetime, answer: Answer, by: str = "") -> DeliveryTry:
    return DeliveryTry(
        delivery=delivery,
        at=at,
        seconds=round(answer.seconds, 3),
        status=answer.status,
        answer=answer.text[:KEPT_OF_ANSWER],
        error=answer.error[:512],
        by=by,
    )


def delivered(rows: Collection[Delivery], now: datetime) -> None:
    """These were taken by their receivers. What was said of a webhook is settled with the last that was set aside."""
    done = {"state": DeliveryState.DELIVERED, "tries": F("tries") + 1, "failing_since": None, "done_at": now}
    Delivery.objects.filter(pk__in=[row.pk for row in rows]).update(**done)
    webhooks = {row.webhook_id for row in rows if row.webhook_id}
    Webhook.objects.filter(pk__in=webhooks, failing_since__isnull=False).update(failing_since=None)
    were_aside = {row.webhook_id for row in rows if row.webhook_id and row.state == DeliveryState.SET_ASIDE}
    for webhook in Webhook.objects.filter(pk__in=were_aside, off_at=None):
        if not Delivery.objects.filter(webhook=webhook, state=DeliveryState.SET_ASIDE).exists():
            settle(webhook)


def _failed(row: Delivery, webhook: Webhook, answer: Answer, now: datetime) -> None:
    row.tries += 1
    row.failing_since = row.failing_since or now
    then = after_failure(row.tries, row.failing_since, now)
    was, row.state, row.next_at = row.state, then.state, then.at
    if answer.is_gone:
        row.state = DeliveryState.GIVEN_UP
    if row.state == DeliveryState.GIVEN_UP:
        row.done_at = now
    row.save(update_fields=["state", "tries", "failing_since", "next_at", "done_at"])
    Webhook.objects.filter(pk=webhook.pk, failing_since=None).update(failing_since=now)
    webhook.refresh_from_db()
    if answer.is_gone:
        switch_off(webhook, GONE, now)
    elif row.state == DeliveryState.GIVEN_UP and webhook.failing_since and webhook.failing_since <= now - OFF_AFTER:
        switch_off(webhook, NOTHING_TAKEN, now)
    elif row.state == DeliveryState.GIVEN_UP:
        say_failing(webhook, WAS_GIVEN_UP, now, until=now + SAID_FOR)
    elif row.state == DeliveryState.SET_ASIDE and was == DeliveryState.WAITING:
        say_failing(webhook, NOT_FOR_AN_HOUR, row.failing_since)
