"""Deprecating a version, with a reason, and undoing it: what changes with it, and a form."""

from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render

from access.errors import BadRequest, NotFound
from access.identity import Viewer, viewer_of
from catalog import recording
from catalog.addresses import alias_url, asset_url, deprecate_url, instance_url
from catalog.limits import REASON_LENGTH
from catalog.models import Asset, Instance
from catalog.pagekit.editing import entity_of, require_editor, what_is_lacking
from catalog.pagekit.frame import branch_frame
from catalog.pagekit.places import at_place_of_form
from catalog.reading import Place, find_asset, find_instance
from catalog.shown.names import isolated
from catalog.wire.shapes import aliases_of
from promoting.pages.lives import NOT_TYPED, Reason


@at_place_of_form
def deprecate_page(request: HttpRequest, place: Place, kind: str, asset_id: str, reference: str) -> HttpResponse:
    viewer = viewer_of(request)
    asset = find_asset(viewer, place, kind, asset_id)
    instance = find_instance(asset, reference).instance
    if instance is None:
        return redirect(asset_url(asset))
    if reference != instance.ref:  # what is deprecated has to be the version that was looked at
        return redirect(deprecate_url(asset, instance))
    if request.method == "POST":
        require_editor(viewer, asset.branch)
        return _sent(request, viewer, asset, instance)
    return _page(request, asset, instance)


def _sent(request: HttpRequest, viewer: Viewer, asset: Asset, instance: Instance) -> HttpResponse:
    undoes, reason = "undo" in request.POST, Reason.of(request)
    if reason.problem and not undoes:
        return _page(request, asset, instance, reason, status=422)
    how: dict[str, Any] = {"actor": viewer.actor, "user": viewer.person, "entity": entity_of(viewer)}
    how |= {"asset": asset, "target_uid": instance.uid}
    try:
        with transaction.atomic():
            if undoes:
                recording.undo_deprecation(**how)
            else:
                recording.deprecate(**how, reason=reason.text)
    except (BadRequest, NotFound) as error:
        now = find_instance(asset, instance.ref).instance or instance
        return _page(request, asset, now, reason, error.message, status=409)
    named = f"{isolated(asset.title)} {instance.ref}"
    messages.success(request, f"{named} is no longer deprecated." if undoes else f"{named} is deprecated.")
    return HttpResponseRedirect(instance_url(asset, instance))


def _page(
    request: HttpRequest,
    asset: Asset,
    instance: Instance,
    reason: Reason = NOT_TYPED,
    error: str = "",
    status: int = 200,
) -> HttpResponse:
    context: dict[str, Any] = {
        **branch_frame(request, asset.branch, asset.kind, asset),
        "json_url": "",
        "asset": asset,
        "asset_url": asset_url(asset),
        "instance": instance,
        "instance_url": instance_url(asset, instance),
        "here": deprecate_url(asset, instance),
        "latest_then": _latest_then(asset, instance),
        "aliases": [(name, alias_url(asset, name)) for name in aliases_of(asset, instance.uid)],
        "reason": reason,
        "most": REASON_LENGTH,
        "error": error,
        "lacks": what_is_lacking(viewer_of(request), asset.branch),
    }
    return render(request, "promoting/deprecate.html", context, status=status)


def _latest_then(asset: Asset, instance: Instance) -> str:
    """What `latest` means once this version is deprecated, or no longer so; empty: nothing."""
    latest: Instance | None = asset.newest_ready
    if instance.is_deprecated:
        return instance.ref if latest is None or instance.place_in_time > latest.place_in_time else latest.ref
    if latest is None or latest.pk != instance.pk:
        return latest.ref if latest else ""
    after: Instance | None = Instance.objects.latest_but(1, asset)
    return after.ref if after else ""
