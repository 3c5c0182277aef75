"""Deleting an asset: who reads it and which aliases lead to it, and a form that asks for its name."""

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render

from access.errors import NotFound
from access.identity import Viewer, viewer_of
from catalog import limits, recording
from catalog.addresses import alias_url, asset_url, delete_url, deleted_url
from catalog.models import Alias, Asset
from catalog.pagekit.editing import may_override, require_editor, require_overrider, what_is_lacking
from catalog.pagekit.frame import branch_frame
from catalog.pagekit.places import at_place_of_form
from catalog.pagekit.uses import uses_of
from catalog.reading import Place, find_asset
from catalog.shown.names import isolated
from promoting.pages.lives import NOT_TYPED, Reason

NOT_ITS_NAME = "That is not its id. Type it as it stands above."
MADE_ANEW = "It was deleted and made anew since this page was shown. This page is about the new one."


@dataclass(frozen=True)
class Holding:
    """An alias that leads to a version of the asset, or (without a `ref`) to the definition."""

    name: str
    url: str
    ref: str
    is_gated: bool


@dataclass(frozen=True)
class Sent:
    """What the form said, and what is wrong with it."""

    typed: str = ""
    problem: str = ""
    reason: Reason = NOT_TYPED
    overrides: bool = False

    @classmethod
    def of(cls, request: HttpRequest, asset: Asset) -> "Sent":
        typed, overrides = request.POST.get("typed", "").strip(), "override" in request.POST
        reason = Reason.of(request) if overrides else NOT_TYPED
        return cls(typed, "" if typed == asset.asset_id else NOT_ITS_NAME, reason, overrides)

    @property
    def is_wrong(self) -> bool:
        return bool(self.problem or self.reason.problem)


NOTHING_SENT = Sent()


@at_place_of_form
def delete_asset_page(request: HttpRequest, place: Place, kind: str, asset_id: str) -> HttpResponse:
    viewer = viewer_of(request)
    asset = find_asset(viewer, place, kind, asset_id)
    if request.method == "POST":
        require_editor(viewer, asset.branch)
        return _sent(request, viewer, asset)
    return _page(request, asset)


def _sent(request: HttpRequest, viewer: Viewer, asset: Asset) -> HttpResponse:
    sent = Sent.of(request, asset)
    if sent.overrides:
        require_overrider(viewer, asset.branch)
    if request.POST.get("definition") != asset.definition_uid:
        return _page(request, asset, sent, MADE_ANEW, status=409)
    if sent.is_wrong:
        return _page(request, asset, sent, status=422)
    override = sent.reason.text if sent.overrides else ""
    try:
        with transaction.atomic():
            recording.delete_asset(actor=viewer.actor, user=viewer.person, asset=asset, override=override)
    except recording.HeldByGatedAlias as error:
        return _page(request, asset, sent, error.message, status=error.status)
    except NotFound:  # somebody was faster
        messages.info(request, f"{isolated(asset.title)} was deleted already.")
    else:
        days = limits.RECOVERABLE_DAYS
        messages.success(request, f"{isolated(asset.title)} is deleted. For {days} days it can be recovered here.")
    return HttpResponseRedirect(deleted_url(asset.branch))


def _page(
    request: HttpRequest, asset: Asset, sent: Sent = NOTHING_SENT, error: str = "", status: int = 200
) -> HttpResponse:
    viewer = viewer_of(request)
    holding = _holding(asset)
    gated = [row for row in holding if row.is_gated]
    context: dict[str, Any] = {
        **branch_frame(request, asset.branch, asset.kind, asset),
        "json_url": "",
        "asset": asset,
        "asset_url": asset_url(asset),
        "here": delete_url(asset),
        "deleted_url": deleted_url(asset.branch),
        "uses": uses_of(asset),
        "holding": holding,
        "gated": gated,
        "days": limits.RECOVERABLE_DAYS,
        "most": limits.REASON_LENGTH,
        "sent": sent,
        "error": error,
        "lacks": what_is_lacking(viewer, asset.branch),
        "may_override": bool(gated) and may_override(viewer, asset.branch),
    }
    return render(request, "promoting/delete_asset.html", context, status=status)


def _holding(asset: Asset) -> list[Holding]:
    """Its aliases, those that have gates first."""
    gated = set(recording.gated_aliases(asset))
    rows = Alias.objects.of(asset).order_by("name").values_list("name", "instance__number")
    found = [
        Holding(name, alias_url(asset, name), f"v{number}" if number else "", name in gated) for name, number in rows
    ]
    return sorted(found, key=lambda row: not row.is_gated)
