"""The page of a flow, a deployment or a person: inputs and outputs on each branch, and the runs or sessions."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import F
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from access.errors import NotFound
from access.identity import Viewer, viewer_of
from catalog.addresses import asset_url, branch_url_by_key
from catalog.models import Branch, Component, Edge
from catalog.pagekit.frame import branch_frame
from catalog.pagekit.known_pages import unless_shown
from catalog.pagekit.places import at_place
from catalog.pagekit.query import PageQuery
from catalog.pagekit.routes import TWIN
from catalog.pagekit.runs import RunsPage, runs_page
from catalog.reading import Place, find_branch
from catalog.unchanged import FRAME_OF_BRANCH, LINEAGE
from catalog.wire.rendering import json_answer
from catalog.wire.shapes import time_shape
from lineage.addresses import around_url
from lineage.component_rows import component_id, late_since

MOST_EDGES = 500


@dataclass(frozen=True)
class Used:
    """An asset that the component consumes or produces. `asset_branch` is empty if it is the component's own."""

    edge: Edge
    url: str
    asset_branch: str
    is_hidden: bool
    late_since: datetime | None = None
    """When the asset was expected, if it is late."""

    @property
    def ref(self) -> str:
        number = getattr(self.edge, "last_number", None)
        return f"v{number}" if number else ""

    @property
    def shape(self) -> dict[str, Any]:
        if self.is_hidden:
            return {"hidden": True}
        edge = self.edge
        return {
            "kind": edge.asset.kind,
            "asset": edge.asset.asset_id,
            "project": edge.asset.branch.project.name,
            "branch": edge.asset.branch.key,
            "role": edge.role,
            "first_at": time_shape(edge.first_at),
            "last_at": time_shape(edge.last_at),
            "count": edge.count,
            "last_ref": self.ref or None,
            "late_since": time_shape(self.late_since),
            "url": self.url,
        }


@dataclass
class OnBranch:
    """The component on one of its branches. `node`: its id in the graph."""

    key: str
    name: str
    url: str
    node: str
    consumes: list[Used] = field(default_factory=list)
    produces: list[Used] = field(default_factory=list)

    @property
    def shape(self) -> dict[str, Any]:
        return {
            "branch": self.key,
            "name": self.name,
            "node": self.node,
            "consumes": [used.shape for used in self.consumes],
            "produces": [used.shape for used in self.produces],
        }


@at_place
@unless_shown(FRAME_OF_BRANCH | LINEAGE)
def component_page(
    request: HttpRequest, place: Place, kind: str, name: str, twin: bool, branch: Branch | None
) -> HttpResponse:
    viewer = viewer_of(request)
    branch = branch or find_branch(viewer, place)
    component, twin = _component_or_twin(viewer, branch, kind, name, twin)
    branches, cut = _on_branches(viewer, branch, component)
    runs = runs_page(viewer, component, branch, PageQuery.of(request, "" if twin else "#runs"))
    if twin:
        return json_answer(_twin(component, branch, branches, cut, runs))
    here = next((found for found in branches if found.key == branch.key), None)
    context = {
        **branch_frame(request, branch),
        "component": component,
        "branch": branch,
        "branches": branches,
        "cut": cut,
        "runs": runs,
        "lineage_url": around_url(branch, here.node) if here else "",
    }
    return render(request, "lineage/component.html", context)


def _component_or_twin(viewer: Viewer, branch: Branch, kind: str, name: str, twin: bool) -> tuple[Component, bool]:
    """The component at an address, and whether its twin is requested: one named `x.json` precedes the twin of `x`."""
    project = branch.project
    names = [name, name + TWIN] if twin else [name]
    mine = Component.objects.visible_to(viewer).of_project(project).filter(kind=kind)
    found = {row.name: row for row in mine.filter(name__in=names)}
    if twin and name + TWIN in found:
        return found[name + TWIN], False
    if name not in found:
        message = f"There is no {kind} '{name[:200]}' in the project '{project.name}'."
        raise NotFound(message, **{kind: name[:200]})
    return found[name], twin


def _on_branches(viewer: Viewer, home: Branch, component: Component) -> tuple[list[OnBranch], bool]:
    """The component on each branch, this page's first; and whether there is more."""
    edges = Edge.objects.filter(component=component).exclude(direction=Edge.Direction.PROMOTED).newest_first()
    edges = edges.annotate(last_number=F("last_instance__number")).select_related("asset__branch__project__perimeter")
    rows = list(edges[: MOST_EDGES + 1])
    visible = viewer.perimeter_ids()
    found: dict[str, OnBranch] = {}
    for edge in rows[:MOST_EDGES]:
        row = found.setdefault(edge.write_branch, _on_branch(component, edge, home))
        if row.name == row.key:
            row.name = _branch_name(edge) or row.key
        used = _used(edge, visible)
        (row.produces if edge.direction == Edge.Direction.PRODUCES else row.consumes).append(used)
    branches = sorted(found.values(), key=lambda row: (row.key != home.key, row.name))
    return branches, len(rows) > MOST_EDGES


def _branch_name(edge: Edge) -> str:
    """The git name of the branch that an edge was written from; empty if the edge does not have it."""
    asset_branch: Branch = edge.asset.branch
    return edge.write_branch_name or (asset_branch.name if asset_branch.key == edge.write_branch else "")


def _on_branch(component: Component, edge: Edge, home: Branch) -> OnBranch:
    key = edge.write_branch
    url = branch_url_by_key(home.project, key) if key else ""
    name = home.name if key == home.key else key
    return OnBranch(key, name, url, component_id(component.pk, key))


def _used(edge: Edge, visible: Iterable[int]) -> Used:
    asset = edge.asset
    hidden = asset.branch.project.perimeter_id not in visible
    elsewhere = asset.branch.key != edge.write_branch
    return Used(
        edge,
        url="" if hidden or asset.deleted_at else asset_url(asset),
        asset_branch=asset.branch.name if elsewhere else "",
        is_hidden=hidden,
        late_since=None if hidden or asset.deleted_at else late_since(asset, timezone.now()),
    )


def _twin(component: Component, branch: Branch, branches: list[OnBranch], cut: bool, runs: RunsPage) -> dict[str, Any]:
    return {
        "kind": component.kind,
        "name": component.name,
        "project": component.project_name,
        "branch": branch.key,
        "branches": [row.shape for row in branches],
        "complete": not cut and not any(used.is_hidden for row in branches for used in row.consumes + row.produces),
        "runs": [run.shape for run in runs.rows],
        "older": runs.older_url,
    }
