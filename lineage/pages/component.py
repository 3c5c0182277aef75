"""The page of a flow or a deployment: its inputs and outputs on each branch, and its last runs."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import quote

from django.db.models import F
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render

from access.errors import NotFound
from access.identity import Viewer, viewer_of
from catalog.addresses import asset_url, branch_url_by_key, instance_url
from catalog.models import Branch, Component, Consumption, Edge, Instance
from catalog.pagekit.frame import branch_frame
from catalog.pagekit.places import at_place
from catalog.pagekit.routes import TWIN
from catalog.pagekit.uses import EntityLink
from catalog.reading import Place, find_branch
from catalog.wire.shapes import time_shape
from lineage.addresses import around_url
from lineage.component_rows import component_id

MOST_EDGES = 500
EVENTS, RUNS = 100, 10
"""The number of newest registrations, and of consumptions, that are read, and of runs that are shown."""


@dataclass(frozen=True)
class Used:
    """An asset that the component consumes or produces. `asset_branch` is empty if it is the component's own."""

    edge: Edge
    url: str
    asset_branch: str
    is_hidden: bool

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
            "first_at": time_shape(edge.first_at),
            "last_at": time_shape(edge.last_at),
            "count": edge.count,
            "last_ref": self.ref or None,
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


@dataclass
class Run:
    """One run, or an entity without one: when it was last seen, and its instances."""

    who: EntityLink
    at: datetime
    consumed: int = 0
    made: list[tuple[str, str]] = field(default_factory=list)
    """Name and address of each instance."""

    @property
    def shape(self) -> dict[str, Any]:
        made = [{"instance": name, "url": url} for name, url in self.made]
        return {"run": self.who.name, "at": time_shape(self.at), "consumed": self.consumed, "made": made}


@at_place
def component_page(request: HttpRequest, place: Place, kind: str, name: str, twin: bool) -> HttpResponse:
    viewer = viewer_of(request)
    branch = find_branch(viewer, place)
    component, twin = _component_or_twin(viewer, branch, kind, name, twin)
    branches, cut = _on_branches(viewer, branch, component)
    runs = _runs(viewer, component)
    if twin:
        return JsonResponse(_twin(component, branch, branches, cut, runs))
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
    )


def _runs(viewer: Viewer, component: Component) -> list[Run]:
    """The runs behind its newest registrations and consumptions, newest first."""
    made = Instance.objects.visible_to(viewer).filter(component=component)
    read = Consumption.objects.visible_to(viewer).filter(component=component)
    runs: dict[str, Run] = {}
    for row in made.select_related("asset__branch__project__perimeter").only(*_MADE).order_by("-id")[:EVENTS]:
        run = _run(runs, row.run, row.producer_kind, row.producer_id, row.created_at)
        url = "" if row.asset.deleted_at else instance_url(row.asset, row)
        run.made.append((f"{row.asset.title} {row.ref}", url))
    for name, kind, who, at in read.order_by("-id").values_list("run", "entity_kind", "entity_id", "at")[:EVENTS]:
        _run(runs, name, kind, who, at).consumed += 1
    return sorted(runs.values(), key=lambda run: run.at, reverse=True)[:RUNS]


_MADE = (
    "number",
    "run",
    "producer_kind",
    "producer_id",
    "created_at",
    "asset__name",
    "asset__asset_id",
    "asset__kind",
    "asset__deleted_at",
    "asset__branch__key",
    "asset__branch__project__name",
    "asset__branch__project__perimeter__name",
)


def _run(runs: dict[str, Run], name: str, kind: str, who: str, at: datetime) -> Run:
    run = runs.setdefault(name or f"{kind} {who}", Run(_who(name, kind, who), at))
    run.at = max(run.at, at)
    return run


def _who(run: str, kind: str, who: str) -> EntityLink:
    if not run:
        return EntityLink.of(kind, who)
    task = EntityLink.of(kind, who)
    return EntityLink("flow", run, task.url.removesuffix(quote(who)) + quote(run) if task.url else "")


def _twin(component: Component, branch: Branch, branches: list[OnBranch], cut: bool, runs: list[Run]) -> dict[str, Any]:
    return {
        "kind": component.kind,
        "name": component.name,
        "project": component.project_name,
        "branch": branch.key,
        "branches": [row.shape for row in branches],
        "complete": not cut and not any(used.is_hidden for row in branches for used in row.consumes + row.produces),
        "runs": [run.shape for run in runs],
    }
