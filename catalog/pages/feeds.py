"""Atom feeds of a perimeter, a branch, an asset, and of what needs attention, beside the `.json` of their pages."""

import unicodedata
from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_safe

from access.identity import Viewer, viewer_of
from access.models import Perimeter
from catalog.addresses import ATOM, ATTENTION, asset_url, attention_url, branch_attention_url, branch_url, perimeter_url
from catalog.attention import needs_attention
from catalog.models import Asset, Branch, Project
from catalog.pagekit.known_pages import unless_shown
from catalog.pagekit.places import at_place
from catalog.pages.activity import activity_of_asset, activity_of_branch
from catalog.pages.alarms import MOST, MOST_EDITS
from catalog.pages.asset import asset_page
from catalog.pages.attended import asked_lines, lines_of
from catalog.pages.fed import ENTRIES, Entry, feed, of_activity, of_attention, of_perimeter
from catalog.pages.home import project_page
from catalog.pages.statements import lately_on_branch
from catalog.reading import Place, find_asset, find_branch
from catalog.unchanged import (
    ASSET,
    ASSETS_OF_BRANCH,
    ATTENTION_OF_BRANCH,
    FRAME_OF_ASSET,
    FRAME_OF_SPEC,
    HOME,
    USES_OF_ASSET,
    USES_OF_BRANCH,
    is_known,
    not_modified,
    tag_of,
    tagged,
)


@require_safe
def perimeter_feed(request: HttpRequest, perimeter: str) -> HttpResponseBase:
    """Its tag is made of the entries, as some events of a perimeter leave no mark."""
    viewer = viewer_of(request)
    scope = viewer.require(perimeter)
    entries = of_perimeter(viewer, scope)
    tag = tag_of(request, viewer, entries)
    if is_known(request, tag):
        return not_modified(tag)
    return tagged(tag, feed(request, f"{scope.name}: what happened", perimeter_url(scope.name), entries))


@require_safe
def attention_feed(request: HttpRequest, perimeter: str, beside: bool) -> HttpResponseBase:
    """Of a perimeter. A project that is called `attention.atom` keeps its address."""
    viewer = viewer_of(request)
    scope = viewer.require(perimeter)
    name = f"{ATTENTION}{ATOM}"
    if not beside and Project.objects.visible_to(viewer).filter(perimeter=scope, name=name).exists():
        answer: HttpResponseBase = project_page(request, perimeter=perimeter, project=name, twin=False)
        return answer
    return _attention(request, scope=scope, twin=True)


@unless_shown(HOME)
def _attention(request: HttpRequest, scope: Perimeter, twin: bool) -> HttpResponseBase:
    entries = _needed(viewer_of(request), perimeter=scope.name)
    return feed(request, f"{scope.name}: needs attention", attention_url(scope.name), entries)


@at_place
@unless_shown(FRAME_OF_SPEC | ASSETS_OF_BRANCH | USES_OF_BRANCH)
def branch_feed(request: HttpRequest, place: Place, twin: bool, branch: Branch | None) -> HttpResponseBase:
    branch = branch or find_branch(viewer_of(request), place)
    lately = lately_on_branch(branch, ENTRIES, MOST, MOST_EDITS)
    entries = of_activity(activity_of_branch(branch, lately, ENTRIES))
    return feed(request, f"{branch.project.name} on {branch.name}", branch_url(branch), entries)


@at_place
@unless_shown(FRAME_OF_SPEC | ASSETS_OF_BRANCH | ATTENTION_OF_BRANCH)
def branch_attention_feed(request: HttpRequest, place: Place, twin: bool, branch: Branch | None) -> HttpResponseBase:
    viewer = viewer_of(request)
    branch = branch or find_branch(viewer, place)
    title = f"{branch.project.name} on {branch.name}: needs attention"
    return feed(request, title, branch_attention_url(branch), _needed(viewer, branch=branch))


@require_safe
def asset_feed(request: HttpRequest, **address: Any) -> HttpResponseBase:
    """An asset that is called `x.atom` precedes the feed of `x`."""
    viewer = viewer_of(request)
    place = Place.of(address["perimeter"], address["project"], address["branch"])
    name = unicodedata.normalize("NFC", address["asset_id"] + ATOM)
    viewer.require(place.perimeter)
    answer: HttpResponseBase
    if Asset.objects.visible_to(viewer).at(place, address["kind"], name).exists():
        answer = asset_page(request, **address | {"asset_id": name, "twin": False})
    else:
        answer = _asset(request, **address, twin=True)
    return answer


@at_place
@unless_shown(FRAME_OF_ASSET | ASSET | USES_OF_ASSET)
def _asset(
    request: HttpRequest, place: Place, kind: str, asset_id: str, twin: bool, asset: Asset | None
) -> HttpResponseBase:
    asset = asset or find_asset(viewer_of(request), place, kind, asset_id)
    title = f"{asset.title} of {asset.branch.project.name} on {asset.branch.name}"
    return feed(request, title, asset_url(asset), of_activity(activity_of_asset(asset, ENTRIES)))


def _needed(viewer: Viewer, **where: Any) -> list[Entry]:
    found = needs_attention(viewer, **where, most=ENTRIES)
    return of_attention([*asked_lines(viewer, **where), *lines_of(viewer, found)])
