"""Which mail people want: about a branch, or about one asset. A subscription is its person's own."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from access.errors import BadRequest, Conflict, Forbidden
from access.identity import Viewer
from catalog.freshness.declared import known_zone
from catalog.models import Asset, Branch, Delivery, Project, Subscription
from catalog.outbox import TELLABLE, keep_heard
from catalog.states import DeliveryState

DAILY_AT = 8
"""The hour at which what waited since the day before is sent, by the clocks of the project."""
NO_MAIL = "This site sends no mail: who runs it has not set that up."
NO_ADDRESS = "Your account has no address for mail. Who runs this site can give it one."
NOBODY_HERE = "Mail is for people who are signed in: there is nobody here to send it to."
CHOOSE = "Choose what you want to be told of."
OPEN = (DeliveryState.WAITING, DeliveryState.SET_ASIDE)


def is_mail_on() -> bool:
    """Whether mail can be sent, with links in it that lead here."""
    return bool(settings.EMAIL_FROM and settings.PUBLIC_ADDRESS and not settings.LOCAL_MODE)


def why_no_mail(person: User) -> str:
    """Why somebody gets no mail, as a sentence; empty if they do."""
    if not is_mail_on():
        return NO_MAIL
    return "" if person.email else NO_ADDRESS


def person_of(viewer: Viewer) -> User:
    """Who is there in person; nobody else watches anything."""
    if viewer.person is None:
        raise Forbidden(NOBODY_HERE)
    return viewer.person


def find_subscription(person: User, branch: Branch, asset: Asset | None) -> Subscription | None:
    mine = Subscription.objects.of(branch.project.perimeter).filter(user=person)
    return mine.filter(branch=branch, asset=asset).first()


def subscriptions_of(viewer: Viewer) -> list[Subscription]:
    """All of somebody's, with what they are about, by its names."""
    mine = Subscription.objects.visible_to(viewer).filter(user=person_of(viewer))
    return sorted(mine.select_related("branch__project__perimeter", "asset"), key=_place)


def _place(row: Subscription) -> tuple[str, ...]:
    project = row.branch.project
    asset = (row.asset.kind, row.asset.asset_id) if row.asset else ()
    return (project.perimeter.name, project.name, row.branch.key, *asset)


def watch(viewer: Viewer, branch: Branch, asset: Asset | None, kinds: list[str], *, daily: bool) -> Subscription:
    """Begin to watch, or change what is told and when. The caller has found both visible."""
    person = person_of(viewer)
    if reason := why_no_mail(person):
        raise Conflict(reason)
    if not kinds:
        raise BadRequest(CHOOSE, field="groups")
    kept = [] if set(TELLABLE) <= set(kinds) else kinds
    perimeter, now = branch.project.perimeter, timezone.now()
    with transaction.atomic():
        row, made = Subscription.objects.of(perimeter).update_or_create(
            user=person,
            branch=branch,
            asset=asset,
            defaults={"kinds": kept, "daily": daily},
            create_defaults={"perimeter": perimeter, "kinds": kept, "daily": daily, "created_at": now},
        )
        if not made:
            waiting = Delivery.objects.of(perimeter).filter(subscription=row, state__in=OPEN, tries=0)
            waiting.update(next_at=first_try(row, branch.project, now))
        keep_heard(perimeter.pk)
    return row


def stop(row: Subscription) -> None:
    """Nothing more is sent for it, and what waits is forgotten."""
    with transaction.atomic():
        Subscription.objects.of(row.perimeter).filter(pk=row.pk).delete()
        keep_heard(row.perimeter_id)


def first_try(row: Subscription, project: Project, now: datetime) -> datetime:
    """When a message for it is to be sent that is sorted now."""
    return next_morning(now, project.timezone) if row.daily else now


def next_morning(now: datetime, zone: str) -> datetime:
    """The next moment after `now` at which daily mail is sent in a time zone; empty: UTC."""
    here = now.astimezone(ZoneInfo(known_zone(zone)))
    morning = here.replace(hour=DAILY_AT, minute=0, second=0, microsecond=0, fold=0)
    if morning <= here:
        morning += timedelta(days=1)  # by the clocks on the wall
    return morning.astimezone(UTC)
