"""The requests of an asset, and asking: what waits for approvals, what has become of the others."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render

from access.errors import BadRequest, Conflict, NotFound
from access.identity import Viewer, viewer_of
from catalog.addresses import asset_url, move_url, promote_url, request_url
from catalog.approvals import Standing, with_approvals
from catalog.models import Branch, Instance, PromotionRequest
from catalog.pagekit.editing import require_editor
from catalog.pagekit.frame import branch_frame
from catalog.pagekit.places import at_place_of_form
from catalog.pagekit.query import PageQuery
from catalog.reading import Place, checked_asset_id, find_asset, find_branch
from catalog.recording import AssetAddress, BranchAddress, GateRefused
from catalog.recording.approving import AlreadyAsked, ask, ask_for_promotion
from catalog.wire.rendering import json_answer
from catalog.wire.request_shapes import request_shape
from promoting.asked import asked_for
from promoting.pages.decided import checked_alias, uid_in

ROWS = 50
IT_IS_ASKED = "It is asked for. Whoever may approve it finds it on their home page."


def requests_at(viewer: Viewer, branch: Branch, kind: str, asset_id: str) -> Any:
    """Those of an address."""
    known = PromotionRequest.objects.visible_to(viewer)
    return with_approvals(known.filter(branch=branch, kind=kind, asset_id=asset_id))


@at_place_of_form
def requests_page(request: HttpRequest, place: Place, kind: str, asset_id: str, twin: bool) -> HttpResponse:
    viewer, query = viewer_of(request), PageQuery.of(request)
    if request.method == "POST":
        return _ask(request, viewer, place, kind, checked_asset_id(asset_id))
    asset = find_asset(viewer, place, kind, asset_id)
    found, before = requests_at(viewer, asset.branch, kind, asset.asset_id), query.number("before")
    rows = list((found if before is None else found.filter(pk__lt=before)).order_by("-pk")[: ROWS + 1])
    older = query.url(before=rows[ROWS - 1].pk) if len(rows) > ROWS else None
    standings = [Standing(row) for row in rows[:ROWS]]
    if twin:
        query.refuse_unknown(takes=())
        base = request.build_absolute_uri("/").rstrip("/")
        return json_answer({"requests": [request_shape(one, base) for one in standings], "older": older})
    shown = asked_for(standings, viewer)
    context = {
        **branch_frame(request, asset.branch, kind, asset),
        "asset": asset,
        "asset_url": asset_url(asset),
        "waiting": [row for row in shown if row.standing.is_open],
        "closed": [row for row in shown if not row.standing.is_open],
        "notices": query.notices(takes=()),
        "newest_url": query.url(before=None) if before is not None else None,
        "older_url": older,
    }
    return render(request, "promoting/requests.html", context)


def _ask(request: HttpRequest, viewer: Viewer, place: Place, kind: str, asset_id: str) -> HttpResponse:
    """Ask, and show the request; what is refused is said on the page that was asked from."""
    branch, alias = find_branch(viewer, place), request.POST.get("alias", "")
    require_editor(viewer, branch)
    version, comment = _version(viewer, uid_in(request, "instance")), request.POST.get("comment", "")
    try:
        if alias:
            asset, expected = find_asset(viewer, place, kind, asset_id), uid_in(request, "expected") or None
            name, to = checked_alias(alias), version.uid
            made = ask(viewer=viewer, asset=asset, name=name, target_uid=to, expected=expected, comment=comment)
        else:
            project = branch.project
            into = BranchAddress(project.perimeter, project.name, branch.key, branch.git_name, branch.name)
            at = AssetAddress(into, kind, asset_id)
            made = ask_for_promotion(viewer=viewer, at=at, source=version, comment=comment)
    except AlreadyAsked as same:
        made = requests_at(viewer, branch, kind, asset_id).get(pk=same.detail["request"])
        messages.warning(request, same.message)
    except (GateRefused, Conflict, BadRequest) as refused:
        messages.error(request, refused.message)
        home = version.asset
        back = move_url(home, alias, version.ref) if alias else promote_url(home, version, branch.key)
        return HttpResponseRedirect(back)
    else:
        messages.success(request, IT_IS_ASKED)
    return HttpResponseRedirect(request_url(made))


def _version(viewer: Viewer, uid: str) -> Instance:
    known = Instance.objects.visible_to(viewer).select_related("asset__branch__project__perimeter")
    found: Instance | None = known.filter(uid=uid).first()
    if found is None:
        raise NotFound(f"There is no instance '{uid}'.", instance=uid)
    return found
