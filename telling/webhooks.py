"""What admins do with webhooks: making, changing, switching on and off, a new secret, deleting, a test, a replay.

Each is in the audit log. While a receiver is waited for, no transaction is open.
"""

from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from access.errors import BadRequest, Conflict
from access.identity import NotAllowed, Viewer
from access.models import AuditEntry, Perimeter, Role
from catalog.limits import UNSTORABLE
from catalog.models import Delivery, DeliveryTry, Message, Webhook
from catalog.outbox import TELLABLE, keep_heard
from catalog.states import DeliveryState, EventKind
from telling.delivering import CLAIMED_FOR, OPEN, delivered, hold_webhooks, sent_to, try_of
from telling.kept_secrets import SecretLost, decrypted, encrypted
from telling.networks import Refused, check_url
from telling.notices import LOST, settle
from telling.sending import Answer
from telling.signing import new_secret
from telling.wanting import filters_of

MOST = 100
"""Webhooks of a perimeter."""
LENGTHS = {"name": 255, "project": 128, "branch": 255, "filters": 2000}
BY_HAND = "It was switched off by hand."


@dataclass(frozen=True)
class Wish:
    """What an admin wants of a webhook."""

    url: str
    name: str = ""
    kinds: tuple[str, ...] = ()
    project: str = ""
    branch: str = ""
    filters: str = ""

    @classmethod
    def of(cls, webhook: Webhook) -> "Wish":
        kept = {name: getattr(webhook, name) for name in ("url", "name", "project", "branch", "filters")}
        return cls(**kept, kinds=tuple(webhook.kinds))

    @property
    def columns(self) -> dict[str, Any]:
        return {**asdict(self), "kinds": [kind for kind in TELLABLE if kind in self.kinds]}


@dataclass(frozen=True)
class Made:
    """A webhook with its secret, which is shown now and never again."""

    webhook: Webhook
    secret: str = field(repr=False)


def may_manage(viewer: Viewer, perimeter: str) -> Perimeter:
    """The perimeter, if the viewer administers it. A token for some branches does not: a webhook hears of all."""
    found = viewer.require(perimeter, Role.ADMIN)
    if viewer.branch_patterns:
        raise NotAllowed(
            f"This token is for branches matching {', '.join(viewer.branch_patterns)} only, and webhooks hear of all.",
            perimeter=found.name,
            branches=viewer.branch_patterns,
        )
    return found


def checked(wish: Wish, kept: Wish | None = None) -> Wish:
    """The wish without blanks around it; BadRequest names the field that is wrong, and says why.

    An address that is `kept` may have been allowed before; sending says what is wrong with it now.
    """
    wish = replace(wish, **{name: getattr(wish, name).strip() for name in ("url", *LENGTHS)})
    try:
        if kept is None or wish.url != kept.url:
            check_url(wish.url)
    except Refused as refused:
        raise BadRequest(str(refused), field="url") from None
    for name, most in LENGTHS.items():
        text = getattr(wish, name)
        if len(text) > most or UNSTORABLE.search(text):
            raise BadRequest(f"'{name}' is text of at most {most:,} characters.", field=name)
    if unknown := [kind for kind in wish.kinds if kind not in TELLABLE]:
        raise BadRequest(f"There are no events '{unknown[0]}'. There are: {', '.join(TELLABLE)}.", field="kinds")
    try:
        filters_of(wish.filters)
    except BadRequest as error:
        raise BadRequest(error.message, field="filters") from None
    return wish


def make(viewer: Viewer, perimeter: Perimeter, wish: Wish) -> Made:
    wish, secret = checked(wish), new_secret()
    with transaction.atomic():
        if Webhook.objects.of(perimeter).filter(deleted_at=None).count() >= MOST:
            raise Conflict(f"The perimeter {perimeter} has {MOST} webhooks; more are too many. Delete one.")
        webhook = Webhook(
            perimeter=perimeter,
            secret=encrypted(secret),
            created_at=timezone.now(),
            created_by=viewer.actor,
            user=viewer.account,
            **wish.columns,
        )
        webhook.save()
        _note(viewer, webhook, "webhook.make", url=wish.url)
        keep_heard(perimeter.pk)
    return Made(webhook, secret)


def change(viewer: Viewer, webhook: Webhook, wish: Wish) -> Webhook:
    kept = Wish.of(webhook)
    wish = checked(wish, kept)
    changed = {name: value for name, value in wish.columns.items() if value != kept.columns[name]}
    if changed:
        with transaction.atomic():
            _update(webhook, **changed)
            _note(viewer, webhook, "webhook.change", **changed)
            keep_heard(webhook.perimeter_id)
    return webhook


def switch_on(viewer: Viewer, webhook: Webhook) -> int:
    """It goes on with what waits, at once; how much that is."""
    if webhook.off_at is None:
        return 0
    _secret_of(webhook)
    now = timezone.now()
    with transaction.atomic():
        _update(webhook, off_at=None, off_why="", failing_since=None)
        waiting = Delivery.objects.of(webhook.perimeter).filter(webhook=webhook, state__in=OPEN)
        count = waiting.update(next_at=now, tries=0, failing_since=None)
        _note(viewer, webhook, "webhook.on", waiting=count)
        settle(webhook)
        keep_heard(webhook.perimeter_id)
    return count


def switch_off_by_hand(viewer: Viewer, webhook: Webhook) -> None:
    """Nothing more is sent, and nothing new is kept for it; what waits stays."""
    if webhook.off_at is None:
        with transaction.atomic():
            _update(webhook, off_at=timezone.now(), off_why=BY_HAND)
            _note(viewer, webhook, "webhook.off")
            settle(webhook)
            keep_heard(webhook.perimeter_id)


def renew_secret(viewer: Viewer, webhook: Webhook) -> Made:
    """From now on messages are signed by the new one."""
    secret = new_secret()
    with transaction.atomic():
        _update(webhook, secret=encrypted(secret))
        _note(viewer, webhook, "webhook.secret")
    return Made(webhook, secret)


def delete(viewer: Viewer, webhook: Webhook) -> None:
    """What waits is not sent any more. The row stays, as its deliveries lead to it."""
    with transaction.atomic():
        now = timezone.now()
        _update(webhook, deleted_at=now, off_at=webhook.off_at or now)
        waiting = Delivery.objects.of(webhook.perimeter).filter(webhook=webhook, state__in=OPEN)
        waiting.update(state=DeliveryState.GIVEN_UP, done_at=now)
        _note(viewer, webhook, "webhook.delete", url=webhook.url)
        settle(webhook)
        keep_heard(webhook.perimeter_id)


def send_test(viewer: Viewer, webhook: Webhook) -> DeliveryTry:
    """Send a message that says that it is a test, and wait for the answer; it is not tried again."""
    secret, now = _secret_of(webhook), timezone.now()
    body = {
        "perimeter": webhook.perimeter.name,
        "by": viewer.actor,
        "sentence": f"{viewer.actor} has sent a test of the webhook {webhook.name or webhook.pk}.",
    }
    message = Message(
        kind=EventKind.TEST, perimeter=webhook.perimeter, body=body, at=now, created_at=now, sorted_at=now
    )
    answer = sent_to(webhook.url, message, secret, now)
    state = DeliveryState.DELIVERED if answer.is_taken else DeliveryState.GIVEN_UP
    ended = now + timedelta(seconds=answer.seconds)
    with transaction.atomic():
        message.save()
        delivery = Delivery(message=message, webhook=webhook, state=state, tries=1, next_at=now, done_at=ended)
        delivery.save()
        _note(viewer, webhook, "webhook.test", message=message.uid)
        return _logged(delivery, now, answer, viewer)


def replay(viewer: Viewer, delivery: Delivery) -> DeliveryTry | None:
    """Send it once more and wait for the answer. What waits still is sent in its turn, now: then there is no answer."""
    webhook = delivery.webhook
    assert webhook is not None  # those of webhooks only are found
    if not webhook.is_on:
        raise Conflict("The webhook is off. Switch it on first.")
    secret, now = _secret_of(webhook), timezone.now()
    if delivery.state == DeliveryState.WAITING:
        waiting = Delivery.objects.of(webhook.perimeter).filter(pk=delivery.pk, state=DeliveryState.WAITING)
        waiting.filter(next_at__gt=now + CLAIMED_FOR + timedelta(seconds=1)).update(next_at=now)  # else it is soon
        return None
    answer = sent_to(webhook.url, delivery.message, secret, now)
    with transaction.atomic():
        hold_webhooks([webhook.pk])
        row = Delivery.objects.of(webhook.perimeter).select_for_update(of=("self",)).get(pk=delivery.pk)
        if answer.is_taken and row.state != DeliveryState.DELIVERED:
            delivered([row], now + timedelta(seconds=answer.seconds))
        _note(viewer, webhook, "webhook.replay", message=delivery.message.uid)
        return _logged(delivery, now, answer, viewer)


def _logged(delivery: Delivery, at: datetime, answer: Answer, viewer: Viewer) -> DeliveryTry:
    one = try_of(delivery, at, answer, viewer.actor)
    one.save()
    return one


def _secret_of(webhook: Webhook) -> str:
    try:
        return decrypted(webhook.secret)
    except SecretLost:
        raise Conflict(LOST) from None


def _update(webhook: Webhook, **columns: Any) -> None:
    for name, value in columns.items():
        setattr(webhook, name, value)
    webhook.save(update_fields=[*columns])


def _note(viewer: Viewer, webhook: Webhook, action: str, **detail: Any) -> None:
    AuditEntry.objects.record(
        viewer, action=action, perimeter=webhook.perimeter, target=f"webhook {webhook.pk}", detail=detail
    )
