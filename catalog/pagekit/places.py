"""Resolve the address of a page, and pass the result to its view."""

import unicodedata
from collections.abc import Callable
from dataclasses import replace
from functools import wraps
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from access.identity import Viewer, viewer_of
from catalog.branch_keys import KnownByOtherKey
from catalog.models import Asset, Branch
from catalog.pagekit.routes import TWIN
from catalog.reading import Place, find_asset, find_branch
from obproject.branches import is_same_name, is_unnamed


def at_place(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Pass the `Place` of its address to a view that only reads; redirect from a git name, or a further key, of the
    branch to its own key."""
    return require_safe(_placed(view))


def at_place_of_form(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """The same for a page with a form, which is also sent there. What is sent to another key is not done: the page of
    the own key is shown instead."""
    return require_http_methods(["GET", "HEAD", "POST"])(_placed(view))


def _placed(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    @wraps(view)
    def placed(request: HttpRequest, perimeter: str, project: str, branch: str, **rest: Any) -> HttpResponseBase:
        place = Place.of(perimeter, project, branch)
        try:
            if branch != place.key:
                return _to_key(request, place, branch)
            return view(request, place, **rest)
        except KnownByOtherKey as other:
            if other.key == branch:  # which is no key any more of a name
                return view(request, replace(place, key=branch), **rest)
            return _to_address(request, other.key)

    return placed


def _to_key(request: HttpRequest, place: Place, written: str) -> HttpResponse:
    branch = find_branch(viewer_of(request), place)
    say_whose_key(request, branch, written)
    return _to_address(request, branch.key)


def _to_address(request: HttpRequest, key: str) -> HttpResponse:
    """The same page at the own key of its branch."""
    match = request.resolver_match
    assert match is not None  # the resolver has found this view
    return redirect_with_query(request, reverse(match.view_name, kwargs=match.kwargs | {"branch": key}))


def say_whose_key(request: HttpRequest, branch: Branch, written: str) -> None:
    """Warn a reader who is redirected from one branch to another because both names have the same key."""
    if branch.git_name and not is_same_name(branch.git_name, written) and not is_unnamed(written):
        messages.warning(request, f"The key {branch.key} belongs to the branch {branch.git_name}, not to {written}.")


def redirect_with_query(request: HttpRequest, address: str) -> HttpResponse:
    query = request.META.get("QUERY_STRING", "")
    return redirect(f"{address}?{query}" if query else address)


def asset_or_twin(
    viewer: Viewer, place: Place, kind: str, asset_id: str, twin: bool, found: Asset | None
) -> tuple[Asset, bool]:
    """The asset at an address, and whether its twin is requested: an asset named `x.json` precedes the twin of `x`.

    `found` is the asset `x`, if there is one.
    """
    if twin:
        named_so = Asset.objects.visible_to(viewer).at(place, kind, unicodedata.normalize("NFC", asset_id + TWIN))
        if named_so.exists():
            return find_asset(viewer, place, kind, asset_id + TWIN), False
    return found or find_asset(viewer, place, kind, asset_id), twin
