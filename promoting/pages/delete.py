"""Deleting an alias: what it leads to and who reads it, and a form that asks once more."""

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render

from access.errors import NotFound
from access.identity import Viewer, viewer_of
from catalog import recording
from catalog.addresses import alias_url, aliases_url, asset_url, delete_alias_url, instance_url
from catalog.models import Asset
from catalog.pagekit.editing import entity_of, require_editor, what_is_lacking
from catalog.pagekit.frame import branch_frame
from catalog.pagekit.places import at_place_of_form
from catalog.reading import Place, find_asset, find_instance
from catalog.shown.names import isolated
from promoting.pages.decided import SHOWN, Again, Sent, checked_alias, faster_than, named, uid_in
from promoting.readers import readers_of

MOST_READERS = 20


@at_place_of_form
def delete_alias_page(request: HttpRequest, place: Place, kind: str, asset_id: str, alias: str) -> HttpResponse:
    viewer = viewer_of(request)
    asset, alias = find_asset(viewer, place, kind, asset_id), checked_alias(alias)
    if request.method == "POST":
        require_editor(viewer, asset.branch)
        return _sent(request, viewer, place, asset, alias)
    return _page(request, asset, alias)


def _sent(request: HttpRequest, viewer: Viewer, place: Place, asset: Asset, alias: str) -> HttpResponse:
    sent, expected = Sent.of(request), uid_in(request, "expected")
    if sent.is_wrong:
        return _page(request, asset, alias, Again(422, sent))
    try:
        with transaction.atomic():
            recording.delete_alias(
                actor=viewer.actor,
                asset=asset,
                name=alias,
                entity=entity_of(viewer),
                expected=expected,
                wish=recording.Wish(sent.comment, viewer.person),
            )
    except recording.AliasMoved:
        now = find_asset(viewer, place, asset.kind, asset.asset_id)
        return _page(request, now, alias, Again(409, sent, faster=faster_than(now, alias, expected)))
    messages.success(request, f"@{isolated(alias)} is deleted. Its history stays.")
    return HttpResponseRedirect(alias_url(asset, alias))


def _page(request: HttpRequest, asset: Asset, alias: str, again: Again = SHOWN) -> HttpResponse:
    if alias not in asset.alias_index and not again.faster:
        raise NotFound(f"The asset '{asset.asset_id}' has no alias '{alias}'.", alias=alias)
    holder = find_instance(asset, f"@{alias}") if alias in asset.alias_index else None
    readers = readers_of(asset, alias)
    context = {
        **branch_frame(request, asset.branch, asset.kind, asset),
        **again.context,
        "json_url": "",
        "asset": asset,
        "asset_url": asset_url(asset),
        "alias": alias,
        "alias_url": alias_url(asset, alias),
        "aliases_url": aliases_url(asset),
        "holder": named(holder) if holder else "",
        "holder_url": instance_url(asset, holder.instance) if holder and holder.instance else asset_url(asset),
        "holder_uid": holder.uid if holder else "",
        "here": delete_alias_url(asset, alias),
        "readers": readers[:MOST_READERS],
        "more_readers": max(0, len(readers) - MOST_READERS),
        "lacks": what_is_lacking(viewer_of(request), asset.branch),
    }
    return render(request, "promoting/delete_alias.html", context, status=again.status)
