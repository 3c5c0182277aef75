"""What a person watches: a page of their own."""

from dataclasses import dataclass

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from access.errors import NotFound
from access.identity import viewer_of
from catalog.addresses import asset_url, branch_url, branch_watch_url, watch_url
from catalog.models import Subscription
from catalog.shown.names import isolated
from telling.groups import in_words
from telling.subscriptions import NOBODY_HERE, person_of, stop, subscriptions_of, why_no_mail


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
    viewer = viewer_of(request)
    person = viewer.person
    context = {
        "watched": [Watched.of(row) for row in subscriptions_of(viewer)] if person else [],
        "lacks": why_no_mail(person) if person else NOBODY_HERE,
    }
    return render(request, "telling/watching.html", context)


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
