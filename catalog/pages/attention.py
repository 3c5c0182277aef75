"""The pages of all that needs attention, in a perimeter and on a branch, where it can also be dismissed."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_POST, require_safe

from access.errors import BadRequest, NotFound
from access.identity import Viewer, viewer_of
from access.models import Role
from catalog.addresses import ATTENTION, attention_url, branch_attention_url, feed_of
from catalog.attention import Attended, Needed, bring_back, dismiss, find_needed, needs_attention
from catalog.models import Branch, Project
from catalog.pagekit.frame import branch_frame, perimeter_frame
from catalog.pagekit.known_pages import unless_shown
from catalog.pagekit.paging import Page
from catalog.pagekit.places import at_place
from catalog.pagekit.query import PageQuery
from catalog.pages.attended import asked_lines, lines_of
from catalog.pages.home import project_page
from catalog.reading import Place, find_branch
from catalog.unchanged import ASSETS_OF_BRANCH, ATTENTION_OF_BRANCH, FRAME_OF_BRANCH, HOME
from catalog.wire.rendering import json_answer

Json = dict[str, Any]
ROWS = 100
OWN = ("dismissed",)
MOST_AT_ONCE = 1_000
DISMISSED = "It is dismissed. It comes back when something about it changes."
OVER = "It needs no attention any more, or somebody has dismissed it."


@require_safe
@unless_shown(HOME)
def attention_page(request: HttpRequest, perimeter: str, twin: bool, beside: bool) -> HttpResponseBase:
    """Of a perimeter. A project that is called `attention` keeps its address, as with the audit page."""
    viewer = viewer_of(request)
    scope = viewer.require(perimeter)
    if not beside and _is_project(viewer, scope.pk, twin):
        answer: HttpResponseBase = project_page(request, perimeter=perimeter, project=ATTENTION, twin=twin)
        return answer
    around = {} if twin else perimeter_frame(request, perimeter)
    return _page(request, viewer, twin, {**around, "place": perimeter, "is_branch": False}, perimeter=perimeter)


def _is_project(viewer: Viewer, perimeter: int, twin: bool) -> bool:
    names = [ATTENTION, *([f"{ATTENTION}.json"] if twin else [])]
    return Project.objects.visible_to(viewer).filter(perimeter=perimeter, name__in=names).exists()


@at_place
@unless_shown(FRAME_OF_BRANCH | ASSETS_OF_BRANCH | ATTENTION_OF_BRANCH)
def branch_attention_page(request: HttpRequest, place: Place, twin: bool, branch: Branch | None) -> HttpResponse:
    """Of a branch."""
    viewer = viewer_of(request)
    branch = branch or find_branch(viewer, place)
    around = {} if twin else branch_frame(request, branch)
    return _page(request, viewer, twin, {**around, "place": branch.name, "is_branch": True}, branch=branch)


def _page(request: HttpRequest, viewer: Viewer, twin: bool, around: Json, **where: Any) -> HttpResponse:
    query = PageQuery.of(request)
    dismissed = query.params.get("dismissed", "") == "yes"
    number, found = _asked_page(viewer, max(query.number("page") or 1, 1), dismissed=dismissed, **where)
    asked = asked_lines(viewer, **where) if number == 1 and not dismissed else []
    lines = [*asked, *lines_of(viewer, found)]
    page = Page(found.rows, found.total, number, max(1, -(-found.total // ROWS)), ROWS, query)
    if twin:
        query.refuse_unknown(*OWN, takes=())
        return json_answer({"attention": [line.shape for line in lines], **page.shape})
    context = {
        **around,
        "feed_url": feed_of(query.path),
        "lines": lines,
        "total": len(asked) + found.total,
        "dismissed": dismissed,
        "other_url": query.url(dismissed=None if dismissed else "yes", page=None),
        "dismiss_url": f"{query.path}/dismiss",
        "notices": query.notices(*OWN, takes=()),
        "page": page,
    }
    return render(request, "catalog/attention.html", context)


def _asked_page(viewer: Viewer, number: int, **asked: Any) -> tuple[int, Attended]:
    """A page of the list with its number; beyond the end, the last one."""
    found = needs_attention(viewer, **asked, most=ROWS, start=(number - 1) * ROWS)
    if found.rows or number == 1:
        return number, found
    total = needs_attention(viewer, **asked, most=1).total
    return _asked_page(viewer, min(number - 1, max(1, -(-total // ROWS))), **asked)


@require_POST
def dismiss_in_perimeter(request: HttpRequest, perimeter: str, beside: bool) -> HttpResponse:
    viewer = viewer_of(request)
    return _dismissed(request, viewer, attention_url(viewer.require(perimeter).name, beside=beside))


@require_POST
def dismiss_on_branch(request: HttpRequest, perimeter: str, project: str, branch: str) -> HttpResponse:
    viewer = viewer_of(request)
    return _dismissed(request, viewer, branch_attention_url(find_branch(viewer, Place.of(perimeter, project, branch))))


def _dismissed(request: HttpRequest, viewer: Viewer, back: str) -> HttpResponse:
    """Do what a form says with the things that it names, and say so on the page that it came from."""
    named = request.POST.getlist("about")
    found = [one for one in (_find(viewer, text) for text in named[:MOST_AT_ONCE]) if one]
    undo = "undo" in request.POST
    try:
        if not found:
            raise NotFound(OVER)
        for needed in found:
            viewer.require(needed.perimeter, Role.EDITOR, _names(needed))
        for needed in found:
            bring_back(needed, viewer) if undo else dismiss(needed, viewer=viewer, why=request.POST.get("why", ""))
    except (BadRequest, NotFound) as error:
        messages.error(request, error.message)
    else:
        messages.success(request, "It is in the list again." if undo else DISMISSED)
    return HttpResponseRedirect(f"{back}?dismissed=yes" if undo else back)


def _find(viewer: Viewer, text: str) -> Needed | None:
    kind, _, subject = text.partition(" ")
    return find_needed(viewer, kind, subject)


def _names(needed: Needed) -> list[str]:
    return [name for name in (needed.branch_name, needed.branch_key) if name]
