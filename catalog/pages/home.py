"""The pages of home, a perimeter and a project: projects and branches, with their newest activity."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_safe

from access.errors import NotFound
from access.identity import Viewer, viewer_of
from access.models import Role
from catalog.addresses import (
    ATTENTION,
    AUDIT,
    WEBHOOKS,
    attention_url,
    audit_url,
    branch_url,
    compare_branches_url,
    feed_of,
    first_steps_url,
    perimeter_url,
    project_url,
    webhooks_url,
)
from catalog.filters import TEXT
from catalog.limits import UNSTORABLE
from catalog.models import Branch, Project
from catalog.pagekit.frame import perimeter_frame, project_frame
from catalog.pagekit.known_pages import unless_shown, without_tag
from catalog.pagekit.paging import Page, first_page, page_of
from catalog.pagekit.query import PageQuery
from catalog.pagekit.routes import TWIN
from catalog.pages.attended import attention_of, attention_shape
from catalog.pages.first_steps import steps_on_empty
from catalog.pages.highlights import Tile
from catalog.pages.project_statements import first_branches, freshest_branches, freshest_projects, highlights_of
from catalog.unchanged import HOME
from catalog.wire.rendering import json_answer
from catalog.wire.shapes import time_shape
from obproject.branches import MAIN_BRANCHES

ROWS = 50
TAKES = (TEXT,)
BRANCHES_OF_EACH = 4


@dataclass(frozen=True)
class BranchRow:
    """A branch with its `refreshed_at`; on a project's page also with its spec."""

    branch: Branch
    url: str

    @property
    def shape(self) -> dict[str, Any]:
        branch = self.branch
        return {
            "name": branch.name,
            "key": branch.key,
            "data": branch.data_count,
            "models": branch.models_count,
            "refreshed_at": time_shape(getattr(branch, "refreshed_at", None)),
            "url": self.url,
        }


@dataclass(frozen=True)
class ProjectRow:
    """A project with its first few branches, how many `more` there are, and its newest highlight, if any."""

    project: Project
    url: str
    branches: list[BranchRow]
    more: int
    newest: Tile | None

    @property
    def perimeter_url(self) -> str:
        return perimeter_url(self.project.perimeter.name)

    @property
    def shape(self) -> dict[str, Any]:
        project = self.project
        return {
            "perimeter": project.perimeter.name,
            "name": project.name,
            "title": project.title,
            "refreshed_at": time_shape(getattr(project, "refreshed_at", None)),
            "branches": [row.shape for row in self.branches],
            "more_branches": self.more,
            "newest_highlight": self.newest.shape if self.newest else None,
            "url": self.url,
        }


@require_safe
@unless_shown(HOME)
def home_page(request: HttpRequest, twin: bool = False) -> HttpResponse:
    """The projects of all perimeters that the viewer may see."""
    return _projects_page(request, "", twin)


@require_safe
@unless_shown(HOME)
def perimeter_page(request: HttpRequest, perimeter: str, twin: bool) -> HttpResponse:
    return _projects_page(request, viewer_of(request).require(perimeter).name, twin)


def _projects_page(request: HttpRequest, perimeter: str, twin: bool) -> HttpResponse:
    viewer, query = viewer_of(request), PageQuery.of(request)
    page = _projects_on_page(viewer, perimeter, query)
    rows = _project_rows(page.rows)
    if twin:
        query.refuse_unknown(takes=TAKES)
        needed = attention_shape(viewer, perimeter)
        return json_answer({"projects": [row.shape for row in rows], "attention": needed, **page.shape})
    name_perimeters = not perimeter and len(viewer.grants) > 1
    where = perimeter or next(iter(viewer.grants), "")
    all_url = "" if name_perimeters or not where else _beside(attention_url, ATTENTION, where, rows)
    is_empty = not rows and not query.search_text
    if is_empty:
        without_tag(request)  # the steps tell when a token was used
    context = {
        **perimeter_frame(request, perimeter),
        "feed_url": feed_of(perimeter_url(perimeter)) if perimeter else "",
        "perimeter": perimeter,
        "audit_url": _beside(audit_url, AUDIT, perimeter, rows) if perimeter else "",
        "webhooks_url": _webhooks_url(viewer, perimeter),
        "attention": attention_of(viewer, perimeter, url=all_url, name_perimeters=name_perimeters),
        "name_perimeters": name_perimeters,
        "notices": query.notices(takes=TAKES),
        "rows": rows,
        "page": page,
        "steps": steps_on_empty(request, viewer, perimeter) if is_empty else None,
        "new_project_url": _new_project_url(viewer, perimeter),
        **query.search(),
    }
    return render(request, "catalog/home.html", context)


def _beside(url: Callable[..., str], name: str, perimeter: str, rows: list[ProjectRow]) -> str:
    """The address of a page of a perimeter, which is beside a project of the same name."""
    return url(perimeter, beside=any(row.project.name == name for row in rows))


def _webhooks_url(viewer: Viewer, perimeter: str) -> str:
    """Empty for whoever is no admin."""
    return webhooks_url(perimeter) if perimeter and viewer.may(perimeter, Role.ADMIN) else ""


def _new_project_url(viewer: Viewer, perimeter: str) -> str:
    """Where the first steps of a project are told; empty for who may write nowhere here."""
    writable = [name for name in viewer.perimeter_names(Role.EDITOR) if perimeter in ("", name)]
    return first_steps_url(min(writable)) if writable else ""


def _projects_on_page(viewer: Viewer, perimeter: str, query: PageQuery) -> Page:
    """All projects from the first on; the searched ones, and later pages, by a queryset."""
    text = query.filters(TAKES).text
    if not text and query.number("page") in (None, 1):
        shown = [grant.perimeter for name, grant in viewer.grants.items() if perimeter in ("", name)]
        rows = freshest_projects(shown, ROWS)
        return first_page(rows, rows[0].total if rows else 0, query, ROWS)
    projects = Project.objects.visible_to(viewer).named_like(text).with_freshness()
    found = projects.in_perimeter(perimeter) if perimeter else projects
    return page_of(found.select_related("perimeter").freshest_first(), query, ROWS)


def _project_rows(projects: list[Project]) -> list[ProjectRow]:
    """The branches of all projects come by one query, their newest highlights by another."""
    shown: dict[int, list[Any]] = {}
    for branch in first_branches(projects, BRANCHES_OF_EACH):
        shown.setdefault(branch.project_id, []).append(branch)
    newest = {row.branch.project_id: Tile(row) for row in highlights_of(projects)}
    return [_project_row(project, shown.get(project.pk, []), newest.get(project.pk)) for project in projects]


def _project_row(project: Project, branches: list[Any], newest: Tile | None) -> ProjectRow:
    more = (branches[0].total if branches else 0) - len(branches)
    return ProjectRow(project, project_url(project), _branch_rows(branches), more, newest)


def _branch_rows(branches: list[Branch]) -> list[BranchRow]:
    return [BranchRow(branch, branch_url(branch)) for branch in branches]


@require_safe
@unless_shown(HOME)
def project_page(request: HttpRequest, perimeter: str, project: str, twin: bool) -> HttpResponse:
    """The branches of a project, main first, then the freshest."""
    viewer, query = viewer_of(request), PageQuery.of(request)
    found, twin = _project_or_twin(viewer, perimeter, project, twin)
    page = _branches_on_page(viewer, found, query)
    rows = _branch_rows(page.rows)
    if twin:
        query.refuse_unknown(takes=TAKES)
        shape = {"perimeter": perimeter, "name": found.name, "title": found.title}
        return json_answer({"project": shape, "branches": [row.shape for row in rows], **page.shape})
    context = {
        **project_frame(request, found),
        "project": found,
        "notices": query.notices(takes=TAKES),
        "rows": rows,
        "against_main": _against_main(found, page.rows),
        "page": page,
        **query.search(),
    }
    return render(request, "catalog/project.html", context)


@require_safe
def webhooks_or_project(request: HttpRequest, perimeter: str) -> HttpResponseBase:
    """To the webhooks of a perimeter, unless a project is called so."""
    viewer = viewer_of(request)
    scope = viewer.require(perimeter)
    if Project.objects.visible_to(viewer).filter(perimeter=scope, name=WEBHOOKS).exists():
        return project_page(request, perimeter=perimeter, project=WEBHOOKS, twin=False)
    return HttpResponseRedirect(webhooks_url(perimeter))


def _against_main(project: Project, branches: list[Branch]) -> dict[str, str]:
    """The comparisons of branches with the project's main, by their keys, where that is listed with them."""
    main = next((branch.key for branch in branches if branch.key in MAIN_BRANCHES), "")
    others = [branch.key for branch in branches if branch.key not in MAIN_BRANCHES]
    return {key: compare_branches_url(project, main, key) for key in others} if main else {}


def _branches_on_page(viewer: Viewer, project: Project, query: PageQuery) -> Page:
    """All branches from the first on; the searched ones, and later pages, by a queryset."""
    text = query.filters(TAKES).text
    if not text and query.number("page") in (None, 1):
        rows = freshest_branches(project, ROWS)
        return first_page(rows, rows[0].total if rows else 0, query, ROWS)
    branches = Branch.objects.visible_to(viewer).of_project(project).named_like(text)
    page = page_of(branches.with_freshness().with_deploy().freshest_first(), query, ROWS)
    for branch in page.rows:
        branch.project = project  # spares a query for each address
    return page


def _project_or_twin(viewer: Viewer, perimeter: str, name: str, twin: bool) -> tuple[Project, bool]:
    """The project, and whether its twin is requested: a project named `x.json` precedes the twin of `x`."""
    scope = viewer.require(perimeter)
    names = [name, *([name + TWIN] if twin else [])]
    known = Project.objects.visible_to(viewer).filter(perimeter=scope).select_related("perimeter")
    found = {} if UNSTORABLE.search(name) else {row.name: row for row in known.filter(name__in=names)}
    if twin and name + TWIN in found:
        return found[name + TWIN], False
    if name not in found:
        raise NotFound(f"There is no project '{name}' in the perimeter '{perimeter}'.", project=name)
    return found[name], twin
