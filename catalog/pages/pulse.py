"""Whether something newer than an open page has arrived: asked every few seconds, so each answer is one small query."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from access.for_pages import open_page
from access.identity import viewer_of
from catalog.addresses import asset_url, branch_url_by_names, instance_url
from catalog.filter_values import time_of
from catalog.models import Asset, Branch
from catalog.pagekit.places import at_place
from catalog.reading import Place, find_asset, find_instance
from catalog.states import Kind, State

NAMED = 3


def asset_mark(asset: Asset) -> str:
    """What a page knows of an asset: the number of its newest ready instance, and of the newest of all."""
    return f"{asset.newest_ready.number if asset.newest_ready else 0}-{asset.last_number}"


@at_place
def asset_pulse(request: HttpRequest, place: Place, kind: str, asset_id: str) -> HttpResponse:
    """204, or _news.html if the asset has changed since the mark `since`."""
    asset = find_asset(viewer_of(request), place, kind, asset_id)
    if request.GET.get("since") == asset_mark(asset):
        return HttpResponse(status=204)
    return _news(request, _news_of(asset, request.GET.get("since", "")), asset_url(asset))


def _news_of(asset: Asset, since: str) -> str:
    ready_before, _, _ = since.partition("-")
    newest, ready = asset.newest, asset.newest_ready
    if ready and str(ready.number) != ready_before:
        return f"{ready.ref} has arrived."
    if newest and newest.state == State.PENDING:
        return f"{newest.ref} is on its way: its task is still running."
    return f"{newest.ref} has failed." if newest else "This asset has changed."


@at_place
def instance_pulse(request: HttpRequest, place: Place, kind: str, asset_id: str, reference: str) -> HttpResponse:
    """204 while the instance is pending (and for a definition, which never is), then _news.html."""
    asset = find_asset(viewer_of(request), place, kind, asset_id)
    instance = find_instance(asset, reference).instance
    if instance is None or instance.state == State.PENDING:
        return HttpResponse(status=204)
    settled = "is ready" if instance.state == State.READY else "has failed"
    return _news(request, f"{instance.ref} {settled}.", instance_url(asset, instance))


@at_place
def branch_pulse(request: HttpRequest, place: Place) -> HttpResponse:
    """204, or _news.html if assets of the branch (of the kind `kind`) were refreshed after the time `since`."""
    viewer = viewer_of(request)
    viewer.require(place.perimeter)
    kinds = [kind for kind in Kind.values if request.GET.get("kind") in (None, "", kind)]
    branch = Branch.objects.visible_to(viewer).at_place(place)
    assets = Asset.objects.on_branch(branch.values("pk")[:1]).filter(kind__in=kinds)
    since = time_of("since", request.GET.get("since", ""))
    fresh = list(assets.refreshed_after(since).values_list("asset_id", "ready_number")[: NAMED + 1])
    if not fresh:
        return HttpResponse(status=204)
    names = ", ".join(f"{asset_id} v{number}" for asset_id, number in fresh[:NAMED])
    more = " and more" if len(fresh) > NAMED else ""
    arrived = "has arrived" if len(fresh) == 1 else "have arrived"
    return _news(request, f"{names}{more} {arrived}.", branch_url_by_names(place.perimeter, place.project, place.key))


def _news(request: HttpRequest, news: str, page: str) -> HttpResponse:
    """`page` is where to go for a reader whose browser does not say which page is open."""
    return render(request, "catalog/_news.html", {"news": news, "reload_url": open_page(request) or page})
