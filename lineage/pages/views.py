"""The lineage pages of a branch, an asset and an instance."""

from functools import partial

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from access.errors import BadRequest
from access.identity import Viewer, viewer_of
from catalog.addresses import asset_lineage_url, asset_url, branch_url, instance_lineage_url, instance_url
from catalog.models import Asset, Branch
from catalog.pagekit.known_pages import unless_shown
from catalog.pagekit.places import at_place, redirect_with_query
from catalog.pagekit.query import Link, PageQuery
from catalog.reading import Place, Resolved, find_asset, find_branch, find_instance
from catalog.unchanged import FRAME_OF_ASSET, FRAME_OF_BRANCH, LINEAGE
from lineage import questions
from lineage.answers import Answer
from lineage.pages.answer import Subject, lineage_response
from lineage.pages.find import find_nodes
from lineage.scope import Scope

EXACT_DEPTH = 10
MINUTE = 60
"""How old a drawing may be: what it says of times stays as it was drawn."""
VIEWS = {"": "Around", "impact": "Impact", "paths": "Ways to"}


@at_place
@unless_shown(FRAME_OF_BRANCH | LINEAGE, seconds=MINUTE)
def branch_lineage(request: HttpRequest, place: Place, suffix: str, branch: Branch | None) -> HttpResponse:
    """The lineage of the whole branch, or with `focus` around one node."""
    viewer = viewer_of(request)
    branch = branch or find_branch(viewer, place)
    query = PageQuery.of(request)
    focus = query.params.get("focus", "")
    subject = Subject(
        branch=branch,
        title=branch.name,
        url=branch_url(branch),
        ask=partial(_ask_named, branch, query, focus) if focus else partial(_ask_branch, branch),
        views=_views(query) if focus else (),
        finding=find_nodes(viewer, branch, query),
    )
    return lineage_response(request, subject, suffix)


@at_place
@unless_shown(FRAME_OF_ASSET | LINEAGE, seconds=MINUTE)
def asset_lineage(
    request: HttpRequest, place: Place, kind: str, asset_id: str, suffix: str, asset: Asset | None
) -> HttpResponse:
    """The lineage around an asset."""
    asset = asset or find_asset(viewer_of(request), place, kind, asset_id, whole=False)
    query = PageQuery.of(request)
    subject = Subject(
        branch=asset.branch,
        title=asset.title,
        url=asset_url(asset),
        ask=partial(_ask_focus, asset.branch, query, asset.definition_uid),
        kind=kind,
        asset=asset,
        views=_views(query),
    )
    return lineage_response(request, subject, suffix)


@at_place
@unless_shown(FRAME_OF_ASSET | LINEAGE, seconds=MINUTE)
def instance_lineage(
    request: HttpRequest, place: Place, kind: str, asset_id: str, reference: str, suffix: str, asset: Asset | None
) -> HttpResponse:
    """The exact lineage of one instance."""
    asset = asset or find_asset(viewer_of(request), place, kind, asset_id, whole=False)
    found = find_instance(asset, reference)
    if found.instance is None:
        return redirect(asset_lineage_url(asset) + suffix)
    if reference != found.instance.ref:
        return redirect_with_query(request, instance_lineage_url(asset, found.instance) + suffix)
    subject = Subject(
        branch=asset.branch,
        title=f"{asset.title} {found.instance.ref}",
        url=instance_url(asset, found.instance),
        ask=partial(_ask_exact, found),
        depth=EXACT_DEPTH,
        direction="up",
        kind=kind,
        asset=asset,
    )
    return lineage_response(request, subject, suffix)


def _ask_branch(branch: Branch, viewer: Viewer, scope: Scope) -> Answer:
    return questions.across(viewer, branch, scope)


def _ask_exact(found: Resolved, viewer: Viewer, scope: Scope) -> Answer:
    return questions.exact(viewer, found, scope)


def _ask_named(branch: Branch, query: PageQuery, focus: str, viewer: Viewer, scope: Scope) -> Answer:
    """The same for a node by its id, or by a name such as `data/xkcd` or `flow/TrainFlow`."""
    node = focus if focus.startswith(("d_", "c_")) else questions.focus_named(viewer, branch, focus)
    return _ask_focus(branch, query, node, viewer, scope)


def _ask_focus(branch: Branch, query: PageQuery, node: str, viewer: Viewer, scope: Scope) -> Answer:
    """The answer for `view`: around a node, downstream of it, or all paths from it to another."""
    view = query.params.get("view", "")
    if view == "impact":
        return questions.impact(viewer, node, scope)
    if view == "paths":
        to = query.params.get("to", "")
        if not to:
            raise BadRequest("Ways lead somewhere: say with `to` where, as in `to=data/xkcd`.", field="to")
        return questions.paths(viewer, node, questions.focus_named(viewer, branch, to), scope)
    if view:
        raise BadRequest(f"There is no view '{view[:40]}': it is impact, paths, or none.", field="view")
    return questions.around(viewer, node, scope)


def _views(query: PageQuery) -> list[Link]:
    """Links to the questions about one node; paths to another node are chosen from its impact."""
    current = query.params.get("view", "")
    fresh = PageQuery(query.path, query.params.copy())
    shown = ("", "impact", "paths") if current == "paths" else ("", "impact")
    return [
        {
            "label": VIEWS[name],
            "url": fresh.url(view=name or None, open=None, sort=None, **({} if name == "paths" else {"to": None})),
            "current": name == current,
        }
        for name in shown
    ]
