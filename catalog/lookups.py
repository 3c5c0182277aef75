"""The rows that every call of a flow needs, each found by its key. Prepared, as they are asked all the time."""

from typing import Any

from django.db.models import QuerySet, Subquery, Value
from django.db.models.functions import Coalesce

from access.prepared import prepared
from catalog.models import Asset, BranchKey, Component, Edge, IdempotencyKey, Instance, Run


def _live_asset(perimeter: int, project: str, key: str, kind: str, asset_id: str) -> QuerySet[Asset]:
    found: Any = Asset.objects.live().select_related("branch__project")
    place = {"branch__project__perimeter": perimeter, "branch__project__name": project, "branch__key": key}
    return found.filter(**place, kind=kind, asset_id=asset_id)


@prepared
def asset_at(perimeter: int, project: str, key: str, kind: str, asset_id: str) -> QuerySet[Asset]:
    """The live asset with what `latest` answers."""
    return _live_asset(perimeter, project, key, kind, asset_id).select_related("newest_ready")


@prepared
def whole_asset_at(perimeter: int, project: str, key: str, kind: str, asset_id: str) -> QuerySet[Asset]:
    """Also with its newest instance of any state, and with who made them."""
    made_by = ("newest_ready__component", "newest__component")
    return _live_asset(perimeter, project, key, kind, asset_id).select_related(*made_by)


@prepared
def locked_asset_at(perimeter: int, project: str, key: str, kind: str, asset_id: str) -> QuerySet[Asset]:
    """The live asset, locked for this transaction."""
    found = _live_asset(perimeter, project, key, kind, asset_id)
    return found.select_for_update(of=("self",), no_key=True)


@prepared
def further_key(perimeter: int, project: str, key: str) -> QuerySet[BranchKey]:
    """The branch that has this key besides its own."""
    found: Any = BranchKey.objects.select_related("branch")
    return found.filter(project__perimeter=perimeter, project__name=project, key=key)


@prepared
def component_named(perimeter: int, project: str, kind: str, name: str, run: str) -> QuerySet[Component]:
    """A component, and what is known of one of its runs: see `known_run`."""
    found = Component.objects.filter(perimeter=perimeter, project_name=project, kind=kind, name=name)
    its = Run.objects.filter(perimeter=perimeter, name=run)
    columns = {f"run_{column}": Subquery(its.values(column)[:1]) for column in KNOWN_OF_RUN}
    return found.annotate(**columns)


KNOWN_OF_RUN = ("pk", "component", "branch", "reported_at")


def known_run(component: Any, perimeter: int) -> Run | None:
    """The row of the run that `component_named` was asked for, without what it was given; None if there is none."""
    if component.run_pk is None:
        return None
    return Run(
        pk=component.run_pk,
        perimeter_id=perimeter,
        component_id=component.run_component,
        branch=component.run_branch,
        reported_at=component.run_reported_at,
    )


@prepared
def run_named(perimeter: int, name: str) -> QuerySet[Run]:
    """What is known of a run or a session, without its graph."""
    return Run.objects.filter(perimeter=perimeter, name=name).defer("graph")


@prepared
def locked_consumption_edge(asset: int, component: int, write_branch: str, role: str) -> QuerySet[Edge]:
    """The edge that a consumption adds to, locked for this transaction; an empty role is none."""
    edges = Edge.objects.annotate(as_role=Coalesce("role", Value(""))).filter(
        asset=asset, component=component, direction=Edge.Direction.CONSUMES, write_branch=write_branch, as_role=role
    )
    return edges.only("pk").select_for_update(of=("self",), no_key=True)


@prepared
def kept_answer(digest: str) -> QuerySet[IdempotencyKey]:
    return IdempotencyKey.objects.filter(digest=digest)


@prepared
def last_attempt(perimeter: int, kind: str, entity_id: str) -> QuerySet[Instance]:
    """Of all that an entity registered with an attempt, one by the highest."""
    mine = Instance.objects.filter(producer_id=entity_id, producer_kind=kind, attempt__isnull=False)
    return mine.filter(component__perimeter=perimeter).only("attempt").order_by("-attempt")[:1]
