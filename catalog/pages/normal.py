"""Saying that an asset has changed its ways: what is older teaches nothing any more of what is usual."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render

from access.identity import Viewer, viewer_of
from catalog import limits, recording
from catalog.addresses import asset_url, normal_url
from catalog.models import Asset, NewNormal
from catalog.pagekit.editing import checked_comment, require_editor, what_is_lacking
from catalog.pagekit.frame import branch_frame
from catalog.pagekit.freshness import bring_known, freshness_shown, unusual_of
from catalog.pagekit.places import at_place_of_form
from catalog.reading import Place, find_asset
from catalog.shown.names import isolated

MOST_BEFORE = 5


@at_place_of_form
def normal_page(request: HttpRequest, place: Place, kind: str, asset_id: str) -> HttpResponse:
    viewer = viewer_of(request)
    asset = find_asset(viewer, place, kind, asset_id)
    if request.method == "POST":
        require_editor(viewer, asset.branch)
        return _sent(request, viewer, asset)
    return _page(request, viewer, asset)


def _sent(request: HttpRequest, viewer: Viewer, asset: Asset) -> HttpResponse:
    reason, problem = checked_comment(request.POST.get("reason", ""))
    if problem:
        return _page(request, viewer, asset, reason, problem, status=422)
    recording.start_anew(actor=viewer.actor, user=viewer.person, asset=asset, reason=reason)
    messages.success(request, f"What is usual of {isolated(asset.title)} is learned anew from now on.")
    return HttpResponseRedirect(asset_url(asset))


def _page(
    request: HttpRequest, viewer: Viewer, asset: Asset, reason: str = "", problem: str = "", status: int = 200
) -> HttpResponse:
    before = NewNormal.objects.visible_to(viewer).filter(asset=asset).order_by("-pk")
    context = {
        **branch_frame(request, asset.branch, asset.kind, asset),
        "json_url": "",
        "asset": asset,
        "asset_url": asset_url(asset),
        "here": normal_url(asset),
        "freshness": freshness_shown(bring_known(asset), asset.branch),
        "unusual": unusual_of(asset),
        "before": list(before[:MOST_BEFORE]),
        "reason": reason,
        "problem": problem,
        "most": limits.COMMENT_LENGTH,
        "lacks": what_is_lacking(viewer, asset.branch),
    }
    return render(request, "catalog/normal.html", context, status=status)
