"""The frame of every page: breadcrumbs with switchers, tabs and the JSON twin."""

from typing import Any

from django.db.models import BooleanField, Exists, OuterRef, Subquery, Value
from django.http import HttpRequest

from access.identity import Viewer, viewer_of
from catalog.addresses import (
    asset_url_by_id,
    branch_lineage_url,
    branch_url,
    evaluations_url,
    home_url,
    kind_url,
    page_url,
    perimeter_url,
    project_url,
)
from catalog.models import Asset, Branch, Project
from catalog.pagekit.routes import TWIN
from catalog.states import Kind

Json = dict[str, Any]
LONGEST_MENU = 100


def perimeter_frame(request: HttpRequest, perimeter: str = "") -> Json:
    """The frame of the home page (no perimeter) and of a perimeter's page."""
    return {
        "switch_perimeters": perimeter_entries(viewer_of(request), perimeter),
        "json_url": twin_url(request),
    }


def project_frame(request: HttpRequest, project: Project) -> Json:
    return {
        **perimeter_frame(request, project.perimeter.name),
        "switch_projects": project_entries(viewer_of(request), project),
    }


def branch_frame(request: HttpRequest, branch: Branch, tab: str = "", asset: Asset | None = None) -> Json:
    """The frame of a page on a branch. With an asset, the branch menu leads to it on each branch that has it."""
    branches = _branches_to_switch_to(viewer_of(request), branch, asset)
    return {
        **project_frame(request, branch.project),
        "switch_branches": branch_entries(branches, branch, asset),
        "tabs": tabs(branch, tab, branches[0].evaluations if branches else None),
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


def project_entries(viewer: Viewer, current: Project) -> list[Json]:
    projects = Project.objects.visible_to(viewer).in_perimeter(current.perimeter.name).select_related("perimeter")
    found = list(projects.order_by("name")[: LONGEST_MENU + 1])
    shown = _with_current(found[:LONGEST_MENU], current)
    entries = [_entry(row.name, project_url(row), row == current) for row in shown]
    if len(found) > LONGEST_MENU:
        entries.append(_entry("All projects", perimeter_url(current.perimeter.name)))
    return entries


def branch_entries(branches: list[Any], current: Branch, asset: Asset | None) -> list[Json]:
    """The newest branches of the project, main first."""
    shown = _with_current(branches[:LONGEST_MENU], current)
    entries = [_branch_entry(row, current, asset) for row in shown]
    if len(branches) > LONGEST_MENU:
        entries.append(_entry("All branches", project_url(current.project)))
    return entries


def _branches_to_switch_to(viewer: Viewer, current: Branch, asset: Asset | None) -> list[Any]:
    """One more than the menu shows. Each says how many `evaluations` the current branch's log has: it is one query."""
    branches = Branch.objects.visible_to(viewer).of_project(current.project).main_first()
    log = Asset.objects.visible_to(viewer).on_branch(current).evaluation_logs().values("last_number")
    return list(branches.annotate(holds=_holds(viewer, asset), evaluations=Subquery(log))[: LONGEST_MENU + 1])


def _holds(viewer: Viewer, asset: Asset | None) -> Any:
    if asset is None:
        return Value(False, output_field=BooleanField())
    same = Asset.objects.visible_to(viewer).live().filter(kind=asset.kind, asset_id=asset.asset_id)
    return Exists(same.filter(branch=OuterRef("pk")))


def _branch_entry(branch: Any, current: Branch, asset: Asset | None) -> Json:
    """The menu entry of a branch, whose `holds` says whether it has the asset."""
    branch.project = current.project
    if asset is None or branch == current:
        return _entry(branch.name, branch_url(branch), branch == current)
    if branch.holds:
        return _entry(branch.name, asset_url_by_id(branch, asset.kind, asset.asset_id))
    return _entry(branch.name, branch_url(branch), note=f"no {asset.asset_id}")


def _with_current(rows: list[Any], current: Any) -> list[Any]:
    return rows if current in rows else [current, *rows[: LONGEST_MENU - 1]]


def _entry(label: str, url: str, current: bool = False, note: str = "") -> Json:
    return {"label": label, "url": url, "current": current, "note": note}
