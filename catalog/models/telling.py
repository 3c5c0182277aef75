"""Who wants to be told what, and what became of it."""

import secrets

from django.conf import settings
from django.db import models
from django.db.models import Q

from access.models import Perimeter
from access.visibility import VisibleQuerySet
from catalog.models.assets import Asset
from catalog.models.places import Branch
from catalog.states import DeliveryState, EventKind


def new_message_id() -> str:
    return f"msg_{secrets.token_hex(12)}"


class Webhook(models.Model):
    """An address that gets messages, set up by an admin of a perimeter."""

    PERIMETER = "perimeter"

    perimeter = models.ForeignKey(Perimeter, on_delete=models.CASCADE, related_name="webhooks")
    url = models.CharField(max_length=2048)
    name = models.CharField(max_length=255, blank=True)
    kinds = models.JSONField(default=list, help_text="The kinds of events; empty: all.")
    project = models.CharField(max_length=128, blank=True, help_text="Empty: all.")
    branch = models.CharField(
        max_length=255, blank=True, help_text="A name, or a pattern such as feature/*; empty: all."
    )
    filters = models.TextField(blank=True, help_text="A query of the filters of lists, such as tag=env=prod.")
    secret = models.TextField(help_text="Encrypted by a key made from the site's own.")
    created_at = models.DateTimeField()
    created_by = models.CharField(max_length=255)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    failing_since = models.DateTimeField(null=True, help_text="Since when nothing was delivered; null: the last was.")
    off_at = models.DateTimeField(null=True)
    off_why = models.CharField(max_length=512, blank=True)
    deleted_at = models.DateTimeField(null=True)

    objects = VisibleQuerySet.as_manager()

    @property
    def is_on(self) -> bool:
        return self.off_at is None and self.deleted_at is None


class Subscription(models.Model):
    """Mail that a person wants about a branch or an asset."""

    PERIMETER = "perimeter"

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="subscriptions")
    perimeter = models.ForeignKey(Perimeter, on_delete=models.CASCADE, related_name="+")
    branch = models.ForeignKey(Branch, on_delete=models.CASCADE, related_name="+")
    asset = models.ForeignKey(
        Asset, null=True, on_delete=models.CASCADE, related_name="+", help_text="Null: all of it."
    )
    kinds = models.JSONField(default=list, help_text="The kinds of events; empty: all.")
    daily = models.BooleanField(default=False, help_text="Once a day, and not at once.")
    created_at = models.DateTimeField()

    objects = VisibleQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["user", "branch"], condition=Q(asset=None), name="one_subscription_per_branch"
            ),
            models.UniqueConstraint(fields=["user", "asset"], name="one_subscription_per_asset"),
        ]


class Message(models.Model):
    """The outbox: an event that somebody may want to be told of, written with the change that it tells of."""

    PERIMETER = "perimeter"

    uid = models.CharField(max_length=32, unique=True, default=new_message_id, editable=False)
    kind = models.CharField(max_length=24, choices=EventKind.choices)
    perimeter = models.ForeignKey(Perimeter, on_delete=models.CASCADE, related_name="+", db_index=False)
    branch = models.ForeignKey(Branch, null=True, on_delete=models.CASCADE, related_name="+", db_index=False)
    asset = models.ForeignKey(Asset, null=True, on_delete=models.CASCADE, related_name="+", db_index=False)
    instance_uid = models.CharField(max_length=32, blank=True)
    body = models.JSONField(help_text="What it says, but for kind and time.")
    at = models.DateTimeField(help_text="When it happened.")
    created_at = models.DateTimeField(db_index=True)
    sorted_at = models.DateTimeField(null=True, help_text="When it was found who wants it; null: not yet.")
    withheld = models.CharField(max_length=255, blank=True, help_text="Why nobody is told.")

    objects = VisibleQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["id"], condition=Q(sorted_at=None), name="messages_to_sort"),
            models.Index(fields=["perimeter", "-id"], name="messages_of_perimeter"),
        ]


class Delivery(models.Model):
    """A message on its way to somebody: to a webhook, or by mail to a subscription."""

    PERIMETER = "message__perimeter"

    message = models.ForeignKey(Message, on_delete=models.CASCADE, related_name="deliveries")
    webhook = models.ForeignKey(Webhook, null=True, on_delete=models.CASCADE, related_name="deliveries", db_index=False)
    subscription = models.ForeignKey(
        Subscription, null=True, on_delete=models.CASCADE, related_name="deliveries", db_index=False
    )
    asset = models.ForeignKey(Asset, null=True, on_delete=models.CASCADE, related_name="+", db_index=False)
    state = models.CharField(max_length=9, choices=DeliveryState.choices, default=DeliveryState.WAITING)
    tries = models.PositiveIntegerField(default=0)
    next_at = models.DateTimeField(help_text="Not to be tried before.")
    failing_since = models.DateTimeField(null=True)
    done_at = models.DateTimeField(null=True)

    objects = VisibleQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["webhook", "message"], name="one_delivery_per_webhook"),
            models.UniqueConstraint(fields=["subscription", "message"], name="one_delivery_per_subscription"),
            models.CheckConstraint(condition=Q(state__in=DeliveryState.values), name="delivery_state_is_known"),
        ]
        indexes = [
            # what can be tried now
            models.Index(
                fields=["next_at"],
                condition=Q(state__in=[DeliveryState.WAITING, DeliveryState.SET_ASIDE]),
                name="deliveries_to_try",
            ),
            # what has to wait for an earlier one of the same asset
            models.Index(
                fields=["webhook", "asset", "id"], condition=Q(state=DeliveryState.WAITING), name="deliveries_in_order"
            ),
            # what was set aside, and waits for nothing but its time
            models.Index(
                fields=["webhook", "next_at"],
                condition=Q(state=DeliveryState.SET_ASIDE),
                name="deliveries_set_aside",
            ),
            # the log of a webhook
            models.Index(fields=["webhook", "-id"], name="deliveries_of_webhook"),
        ]


class DeliveryTry(models.Model):
    """One try to deliver: what was sent where, and what came back."""

    PERIMETER = "delivery__message__perimeter"

    delivery = models.ForeignKey(Delivery, on_delete=models.CASCADE, related_name="log")
    at = models.DateTimeField()
    seconds = models.FloatField(null=True)
    status = models.PositiveSmallIntegerField(null=True, help_text="Of the answer; null: there was none.")
    answer = models.TextField(blank=True, help_text="The beginning of it, as text.")
    error = models.CharField(max_length=512, blank=True)
    by = models.CharField(max_length=255, blank=True, help_text="Who asked for it; empty: the background.")

    objects = VisibleQuerySet.as_manager()
