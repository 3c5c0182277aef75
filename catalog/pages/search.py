"""The page of the search box: projects, branches, assets, flows and others whose name begins so, wherever they are."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from django.db.models import OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from access.identity import Viewer, viewer_of
from catalog.filters import TEXT
from catalog.models import Asset, Branch, Component, NameStart, Project
from catalog.pagekit.fragments import render_page_or_part
from catalog.pagekit.frame import perimeter_frame
from catalog.pagekit.hits import Hit, hit_of_asset, hit_of_branch, hit_of_component, hit_of_project
from catalog.pagekit.known_pages import unless_shown
from catalog.pagekit.query import PageQuery
from catalog.search import MOST, Found, found_by
from catalog.unchanged import SEARCH
from catalog.wire.rendering import json_answer
from obproject.branches import MAIN_BRANCHES

TAKES = (TEXT,)
AT_A_GLANCE = 5
"""How many of a kind are shown below the box while somebody types."""
PART = "found"
Kind = NameStart.Kind
HEADINGS = {
    Kind.PROJECT.value: "Projects",
    Kind.BRANCH.value: "Branches",
    Kind.ASSET.value: "Assets",
    Kind.FLOW.value: "Flows",
    Kind.DEPLOYMENT.value: "Deployments",
    Kind.PERSON.value: "People",
}


@dataclass(frozen=True)
class Group:
    """What was found of one kind; `cut` if there is more."""

    kind: str
    hits: list[Hit]
    cut: bool

    @property
    def heading(self) -> str:
        return HEADINGS[self.kind]

    def first(self, most: int) -> "Group":
        return Group(self.kind, self.hits[:most], self.cut or len(self.hits) > most)


@require_safe
@unless_shown(SEARCH)
def search_page(request: HttpRequest, twin: bool) -> HttpResponse:
    query = PageQuery.of(request)
    text = query.filters(TAKES).text
    groups = list(_groups(viewer_of(request), text))
    if twin:
        query.refuse_unknown(takes=TAKES)
        found = {group.kind: [hit.shape for hit in group.hits] for group in groups}
        return json_answer({"found": found, "cut": [group.kind for group in groups if group.cut]})
    part = {
        "groups": [group.first(AT_A_GLANCE) for group in groups],
        "text": text,
    }
    return render_page_or_part(
        request, "search", PART, part, lambda: _around(request, query, groups), all_url=query.url()
    )


def _around(request: HttpRequest, query: PageQuery, groups: list[Group]) -> dict[str, Any]:
    return {
        **perimeter_frame(request),
        "groups": groups,
        "most": MOST,
        "notices": query.notices(takes=TAKES),
        "query": query.search_text,
    }


def _groups(viewer: Viewer, text: str) -> Iterator[Group]:
    found = found_by(viewer, text)
    for kind in HEADINGS:
        if kind in found:
            hits = READERS.get(kind, _components)(viewer, found[kind])
            if hits:
                yield Group(kind, hits, found[kind].cut)


def _projects(viewer: Viewer, found: Found) -> list[Hit]:
    rows = Project.objects.visible_to(viewer).select_related("perimeter")
    return [hit_of_project(row) for row in _in_order(rows, found)]


def _branches(viewer: Viewer, found: Found) -> list[Hit]:
    rows = Branch.objects.visible_to(viewer).select_related("project__perimeter")
    return [hit_of_branch(row) for row in _in_order(rows, found)]


def _assets(viewer: Viewer, found: Found) -> list[Hit]:
    rows = Asset.objects.visible_to(viewer).live().select_related("branch__project__perimeter")
    shown = ("asset_id", "name", "kind", "icon", *(f"branch__{name}" for name in ("key", "git_name")))
    place = ("branch__project__name", "branch__project__perimeter__name")
    return [hit_of_asset(row) for row in _in_order(rows.only(*shown, *place), found)]


def _components(viewer: Viewer, found: Found) -> list[Hit]:
    """Those of projects that are in the catalogue; their pages are looked at from main, or the newest branch."""
    rows = _in_order(Component.objects.visible_to(viewer), found)
    homes = _homes_of(viewer, rows)
    homed = ((row, homes.get((row.perimeter_id, row.project_name))) for row in rows)
    return [hit_of_component(row, home) for row, home in homed if home]


def _homes_of(viewer: Viewer, components: list[Component]) -> dict[tuple[int, str], Branch]:
    branches = Branch.objects.visible_to(viewer).filter(project=OuterRef("pk"))
    main, newest = branches.filter(key__in=MAIN_BRANCHES).order_by("key"), branches.order_by("-pk")
    home = Coalesce(Subquery(main.values("key")[:1]), Subquery(newest.values("key")[:1]))
    perimeters, names = {row.perimeter_id for row in components}, {row.project_name for row in components}
    projects = Project.objects.visible_to(viewer).filter(perimeter__in=perimeters, name__in=names)
    found: Any = projects.select_related("perimeter").annotate(home=home).exclude(home=None)
    return {(row.perimeter_id, row.name): Branch(project=row, key=row.home) for row in found}


READERS: dict[str, Callable[[Viewer, Found], list[Hit]]] = {
    Kind.PROJECT.value: _projects,
    Kind.BRANCH.value: _branches,
    Kind.ASSET.value: _assets,
}


def _in_order(rows: QuerySet[Any], found: Found) -> list[Any]:
    by_key = rows.in_bulk(found.targets)
    return [by_key[target] for target in found.targets if target in by_key]
