"""What was deleted lately on a branch, and a button that brings each of it back."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.db.models import Exists, OuterRef
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render

from access.errors import BadRequest, Conflict
from access.identity import Viewer, viewer_of
from catalog import limits, recording
from catalog.addresses import asset_url, branch_url, deleted_url
from catalog.models import Asset, Branch, Deletion
from catalog.pagekit.editing import require_editor, what_is_lacking
from catalog.pagekit.frame import branch_frame
from catalog.pagekit.places import at_place_of_form
from catalog.querysets import NOT_IN_LISTS
from catalog.reading import Place, find_branch
from catalog.shown.names import isolated
from promoting.pages.decided import uid_in

MOST = 100


@dataclass(frozen=True)
class Gone:
    """An asset that was deleted. `until`: when it can be recovered no more. `reason`: of an administrator, who deleted
    it although a gated alias held it. `why_not`: why it can't be recovered, as a sentence; empty if it can."""

    asset: Asset
    reason: str
    why_not: str

    @property
    def until(self) -> datetime:
        deleted_at: Any = self.asset.deleted_at
        until: datetime = deleted_at + timedelta(days=limits.RECOVERABLE_DAYS)
        return until


@at_place_of_form
def deleted_page(request: HttpRequest, place: Place) -> HttpResponse:
    viewer = viewer_of(request)
    branch = find_branch(viewer, place)
    if request.method == "POST":
        require_editor(viewer, branch)
        return _sent(request, viewer, branch)
    return _page(request, viewer, branch)


def _sent(request: HttpRequest, viewer: Viewer, branch: Branch) -> HttpResponse:
    """Recover the asset that a button stands beside."""
    asset = Asset.objects.of(branch).filter(definition_uid=uid_in(request, "definition")).first()
    if asset is None:
        raise BadRequest("This form names nothing that was deleted here. Reload the page.")
    asset.branch = branch
    named, here = isolated(asset.title), Asset.objects.of(branch).filter(kind=asset.kind, asset_id=asset.asset_id)
    if asset.deleted_at is None:
        messages.info(request, f"{named} was recovered already.")
        return HttpResponseRedirect(asset_url(asset))
    try:
        last = recording.newest_deleted(here)
        if last is None or last.pk != asset.pk:
            raise Conflict("Another asset of this name was deleted later; only that one can be recovered.")
        with transaction.atomic():
            recording.recover_asset(actor=viewer.actor, user=viewer.person, here=here)
    except Conflict as error:
        return _page(request, viewer, branch, error.message, status=409)
    messages.success(request, f"{named} is recovered, with all its versions and aliases.")
    return HttpResponseRedirect(asset_url(asset))


def _page(request: HttpRequest, viewer: Viewer, branch: Branch, error: str = "", status: int = 200) -> HttpResponse:
    found = gone_lately(branch)
    context = {
        **branch_frame(request, branch),
        "json_url": "",
        "branch": branch,
        "branch_url": branch_url(branch),
        "here": deleted_url(branch),
        "rows": found[:MOST],
        "more": len(found) > MOST,
        "days": limits.RECOVERABLE_DAYS,
        "error": error,
        "lacks": what_is_lacking(viewer, branch),
    }
    return render(request, "promoting/deleted.html", context, status=status)


def gone_lately(branch: Branch) -> list[Gone]:
    """What can be recovered on a branch that was found visible, or could but for its name; the last one first."""
    same = Asset.objects.of(branch).live().filter(kind=OuterRef("kind"), asset_id=OuterRef("asset_id"))
    rows = Asset.objects.of(branch).filter(deleted_at__gt=recording.recoverable_since()).order_by("-deleted_at", "-pk")
    rows = rows.select_related("newest_ready").annotate(name_is_used=Exists(same))
    assets = list(rows.defer(*(name for name in NOT_IN_LISTS if not name.startswith("newest__")))[: MOST + 1])
    events = Deletion.objects.of(branch).filter(asset__in=[asset.pk for asset in assets], recovered=False)
    reasons = dict(events.order_by("pk").values_list("asset", "reason"))
    seen, found = set[tuple[str, str]](), []
    for asset in assets:
        named = (asset.kind, asset.asset_id)
        found.append(Gone(asset, reasons.get(asset.pk, ""), _why_not(asset, named in seen)))
        seen.add(named)
    return found


def _why_not(asset: Any, is_older: bool) -> str:
    if asset.name_is_used:
        return "There is a newer asset of this name."
    return "Another one of this name was deleted later." if is_older else ""
