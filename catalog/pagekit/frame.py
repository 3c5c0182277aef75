"""The frame of every page: breadcrumbs with switchers, tabs and the JSON twin."""

from typing import Any, NamedTuple

from django.http import HttpRequest

from access.identity import Viewer, viewer_of
from catalog.addresses import (
    asset_url_below,
    branch_lineage_url,
    branch_url,
    branch_url_by_key,
    compare_branches_url,
    evaluations_url,
    home_url,
    kind_url,
    page_url,
    perimeter_url,
    project_url,
    project_url_by_names,
)
from catalog.models import Asset, Branch, Project
from catalog.pagekit.routes import TWIN
from catalog.pagekit.statements import LONGEST_MENU, menus, projects_menu
from catalog.states import Kind
from obproject.branches import MAIN_BRANCHES

Json = dict[str, Any]


class MenuRow(NamedTuple):
    """A row of `statements.menus`; of a branch `name` is the key, and `holds` whether it has the asset at hand."""

    menu: str
    place: int
    pk: int
    name: str
    git_name: str
    holds: bool


def perimeter_frame(request: HttpRequest, perimeter: str = "") -> Json:
    """The frame of the home page (no perimeter) and of a perimeter's page."""
    return {
        "switch_perimeters": perimeter_entries(viewer_of(request), perimeter),
        "json_url": twin_url(request),
    }


def project_frame(request: HttpRequest, project: Project) -> Json:
    rows = projects_menu.all(perimeter=project.perimeter_id)
    return _project_frame(request, project, _menus_of(rows))


def branch_frame(request: HttpRequest, branch: Branch, tab: str = "", asset: Asset | None = None) -> Json:
    """The frame of a page on a branch. With an asset, the branch menu leads to it on each branch that has it."""
    project = branch.project
    sought = {"kind": asset.kind if asset else "", "asset_id": asset.asset_id if asset else ""}
    found = _menus_of(
        menus.all(perimeter=project.perimeter_id, project=project.pk, branch=branch.pk, **sought)  # each found visible
    )
    log = found.get("evaluations")
    return {
        **_project_frame(request, project, found),
        "switch_branches": branch_entries(found["branches"], branch, asset),
        "tabs": tabs(branch, tab, log[0].pk if log else None),
    }


def _project_frame(request: HttpRequest, project: Project, found: dict[str, list[MenuRow]]) -> Json:
    return {
        **perimeter_frame(request, project.perimeter.name),
        "switch_projects": project_entries(found["projects"], project),
    }


def twin_url(request: HttpRequest) -> str:
    path = page_url(request)
    if path == home_url():
        path += "index"
    query = request.META.get("QUERY_STRING", "")
    return f"{path}{TWIN}?{query}" if query else f"{path}{TWIN}"


def tabs(branch: Branch, current: str, evaluations: int | None = None) -> list[Json]:
    """The tabs of a branch. `evaluations`: the number of entries in its log; None if there is no log."""
    shown = [
        ("Overview", branch_url(branch), "overview", None),
        ("Data", kind_url(branch, Kind.DATA), Kind.DATA.value, branch.data_count),
        ("Models", kind_url(branch, Kind.MODELS), Kind.MODELS.value, branch.models_count),
        ("Lineage", branch_lineage_url(branch), "lineage", None),
    ]
    if evaluations is not None or current == "evaluations":
        shown.append(("Evaluations", evaluations_url(branch), "evaluations", evaluations))
    return [
        {"label": label, "url": url, "current": name == current, "count": count} for label, url, name, count in shown
    ]


def perimeter_entries(viewer: Viewer, current: str) -> list[Json]:
    """The perimeters of the viewer, and the home page if there are several."""
    names = sorted(viewer.grants)
    several = len(names) > 1
    shown = names[:LONGEST_MENU] if several or current else []
    if current and current not in shown:
        shown = [current, *shown]
    home = [_entry("All perimeters", home_url(), not current)] if several else []
    return [*home, *(_entry(name, perimeter_url(name), name == current) for name in shown)]


def project_entries(rows: list[MenuRow], current: Project) -> list[Json]:
    perimeter = current.perimeter.name
    shown = _with_current(rows, MenuRow("", 0, current.pk, current.name, "", False))
    entries = [_entry(row.name, project_url_by_names(perimeter, row.name), row.pk == current.pk) for row in shown]
    if len(rows) > LONGEST_MENU:
        entries.append(_entry("All projects", perimeter_url(perimeter)))
    return entries


def branch_entries(rows: list[MenuRow], current: Branch, asset: Asset | None) -> list[Json]:
    """The newest branches of the project, main first."""
    shown = _with_current(rows, MenuRow("", 0, current.pk, current.key, current.git_name, True))
    entries = [_branch_entry(row, current, asset) for row in shown]
    if len(rows) > LONGEST_MENU:
        entries.append(_entry("All branches", project_url(current.project)))
    return entries


def against_main_url(entries: list[Json], branch: Branch) -> str:
    """The comparison of a branch with the project's main, if the entries of the branch menu have that; else empty."""
    project = branch.project
    known = {entry["url"] for entry in entries}
    mains = [key for key in MAIN_BRANCHES if branch_url_by_key(project, key) in known]
    return compare_branches_url(project, mains[0], branch.key) if mains and branch.key not in MAIN_BRANCHES else ""


def _branch_entry(row: MenuRow, current: Branch, asset: Asset | None) -> Json:
    url, name = branch_url_by_key(current.project, row.name), row.git_name or row.name
    if asset is None or row.pk == current.pk:
        return _entry(name, url, row.pk == current.pk)
    if row.holds:
        return _entry(name, asset_url_below(url, asset.kind, asset.asset_id))
    return _entry(name, url, note=f"no {asset.asset_id}")


def _menus_of(rows: list[tuple[Any, ...]]) -> dict[str, list[MenuRow]]:
    """The rows of each menu, in their order."""
    found: dict[str, list[MenuRow]] = {"projects": [], "branches": []}
    for row in sorted((MenuRow(*row) for row in rows), key=lambda row: row.place):
        found.setdefault(row.menu, []).append(row)
    return found


def _with_current(rows: list[MenuRow], current: MenuRow) -> list[MenuRow]:
    """As many as a menu shows, the current one among them."""
    shown = rows[:LONGEST_MENU]
    return shown if any(row.pk == current.pk for row in shown) else [current, *shown[: LONGEST_MENU - 1]]


def _entry(label: str, url: str, current: bool = False, note: str = "") -> Json:
    return {"label": label, "url": url, "current": current, "note": note}
