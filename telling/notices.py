"""What is said of a webhook that fails, or was switched off: to its admins, in the list of what needs attention."""

from datetime import datetime

from django.utils import timezone

from catalog.attention import of_webhook, raise_attention, settle_attention
from catalog.models import Webhook
from catalog.outbox import keep_heard
from catalog.states import AttentionKind

GONE = "The receiver answered 410: it wants no more messages."
NOTHING_TAKEN = "Nothing could be delivered for more than a day."
LOST = "Its secret can't be decrypted: the site's secret key was changed. Give it a new secret."
WAS_GIVEN_UP = "A message was given up, as every try of it has failed; others arrive."
NOT_FOR_AN_HOUR = "A message could not be delivered for an hour."


def say_failing(webhook: Webhook, why: str, since: datetime, until: datetime | None = None) -> None:
    raise_attention(
        AttentionKind.DELIVERY,
        of_webhook(webhook.pk),
        perimeter_id=webhook.perimeter_id,
        since=since,
        until=until,
        facts={"webhook": webhook.pk, "name": webhook.name or webhook.url.split("/")[2], "why": why},
    )


def settle(webhook: Webhook) -> None:
    settle_attention(AttentionKind.DELIVERY, of_webhook(webhook.pk))


def switch_off(webhook: Webhook, why: str, now: datetime | None = None) -> None:
    """The site does it by itself, and says why. What waits stays."""
    now = now or timezone.now()
    if not Webhook.objects.filter(pk=webhook.pk, off_at=None).update(off_at=now, off_why=why):
        return
    say_failing(webhook, why, now)
    keep_heard(webhook.perimeter_id)
