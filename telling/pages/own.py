"""What a person watches, and their private addresses of feeds: a page of their own."""

from dataclasses import dataclass

from django.contrib import messages
from django.db import transaction
from django.db.models import F, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from access.errors import Forbidden, NotFound
from access.identity import Viewer, viewer_of
from access.models import AuditEntry, FeedKey
from catalog.addresses import asset_url, branch_url, branch_watch_url, perimeter_url, root_url, watch_url
from catalog.limits import UNSTORABLE
from catalog.models import Subscription
from catalog.shown.names import isolated
from telling.groups import in_words
from telling.subscriptions import NOBODY_HERE, person_of, stop, subscriptions_of, why_no_mail

LONGEST_NAME = 200
MOST_KEYS = 50


@dataclass(frozen=True)
class Watched:
    """A subscription as it is shown."""

    pk: int
    title: str
    place: str
    url: str
    change_url: str
    told: str
    daily: bool

    @classmethod
    def of(cls, row: Subscription) -> "Watched":
        asset, branch = row.asset, row.branch
        if asset is not None:
            asset.branch = branch
        project = branch.project
        return cls(
            pk=row.pk,
            title=asset.title if asset else branch.name,
            place=f"{project.perimeter.name}/{project.name}" + (f" on {branch.name}" if asset else ""),
            url=asset_url(asset) if asset else branch_url(branch),
            change_url=watch_url(asset) if asset else branch_watch_url(branch),
            told=in_words(row.kinds),
            daily=row.daily,
        )


@require_safe
def watching_page(request: HttpRequest) -> HttpResponse:
    return _page(request)


def _page(request: HttpRequest, *, secret: str = "", made: FeedKey | None = None, problem: str = "") -> HttpResponse:
    """`secret`: of the key that was `made`, shown now and never again."""
    viewer = viewer_of(request)
    person = viewer.person
    if viewer.token:
        raise Forbidden(NOBODY_HERE)
    feed = f"{perimeter_url(made.perimeter.name).removeprefix(root_url())}.atom" if made else ""
    below = request.build_absolute_uri(f"{root_url()}/feeds")
    context = {
        "watched": [Watched.of(row) for row in subscriptions_of(viewer)] if person else [],
        "lacks": why_no_mail(person) if person else NOBODY_HERE,
        "perimeters": sorted(viewer.grants) if person else [],
        "keys": list(keys_of(viewer)) if person else [],
        "secret": secret,
        "plain_url": f"{below}{feed}" if made else "",
        "private_url": f"{below}/{secret}{feed}" if made else "",
        "problem": problem,
    }
    response = render(request, "telling/watching.html", context, status=422 if problem else 201 if secret else 200)
    if secret:
        response.headers["Cache-Control"] = "no-store"
    return response


@require_POST
def make_key(request: HttpRequest) -> HttpResponse:
    """A private address of the feeds of a perimeter."""
    viewer = viewer_of(request)
    person = person_of(viewer)
    perimeter = viewer.require(request.POST.get("perimeter", ""))
    name = request.POST.get("name", "").strip()
    if UNSTORABLE.search(name) or len(name) > LONGEST_NAME:
        return _page(request, problem=f"A name is text of at most {LONGEST_NAME} characters.")
    if keys_of(viewer).filter(revoked_at=None).count() >= MOST_KEYS:
        return _page(request, problem=f"You have {MOST_KEYS} keys of feeds. Revoke those that nothing reads with.")
    with transaction.atomic():
        key, secret = FeedKey.objects.of(perimeter).issue(user=person, perimeter=perimeter, name=name)
        _note(viewer, key, "feed_key.make")
    return _page(request, secret=secret, made=key)


@require_POST
def revoke_key(request: HttpRequest, pk: int) -> HttpResponse:
    viewer = viewer_of(request)
    person_of(viewer)
    key = keys_of(viewer).filter(pk=pk, revoked_at=None).first() if pk < 2**63 else None
    if key is None:
        raise NotFound("You have no such key of feeds.")
    with transaction.atomic():
        key.revoked_at = timezone.now()
        key.save(update_fields=["revoked_at"])
        _note(viewer, key, "feed_key.revoke")
    messages.success(request, f"The key {isolated(key)} is revoked: what reads with it stops.")
    return HttpResponseRedirect(reverse("watching"))


def keys_of(viewer: Viewer) -> QuerySet[FeedKey]:
    """One's own of perimeters that one sees, those that still read first."""
    mine = FeedKey.objects.visible_to(viewer).filter(user=viewer.person).select_related("perimeter")
    return mine.order_by(F("revoked_at").desc(nulls_first=True), "-pk")


def _note(viewer: Viewer, key: FeedKey, action: str) -> None:
    AuditEntry.objects.record(viewer, action=action, perimeter=key.perimeter, target=str(key))


@require_POST
def stop_watching(request: HttpRequest, pk: int) -> HttpResponse:
    viewer = viewer_of(request)
    mine = Subscription.objects.visible_to(viewer).filter(user=person_of(viewer))
    row = mine.select_related("perimeter", "branch", "asset").filter(pk=pk).first() if pk < 2**63 else None
    if row is None:
        raise NotFound("You watch nothing of the kind.")
    stop(row)
    name = isolated(row.asset.title if row.asset else row.branch.name)
    messages.success(request, f"You get no more mail about {name}.")
    return HttpResponseRedirect(reverse("watching"))
