"""The page of one instance: its cards, annotations, producer and consumers, and the change of its metrics."""

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render

from access.identity import Viewer, viewer_of
from catalog import runs
from catalog.addresses import asset_url, instance_lineage_url, instance_url
from catalog.entities import Entity
from catalog.metrics import Metric, metrics_of
from catalog.models import Asset, Consumption, Instance
from catalog.pagekit.code_examples import code_to_use
from catalog.pagekit.frame import branch_frame
from catalog.pagekit.places import at_place, redirect_with_query
from catalog.pagekit.query import PageQuery
from catalog.pagekit.routes import TWIN
from catalog.pagekit.uses import EntityLink
from catalog.pages.cards import card_view, task_of
from catalog.pages.properties import shown
from catalog.reading import Place, Resolved, find_asset, find_instance
from catalog.states import DEFAULT_STATES
from catalog.wire.shapes import aliases_of, consumer_entry, instance_shape

CONSUMERS = 50


@dataclass(frozen=True)
class Consumer:
    """One consumption of the instance. `branch`: the consumer's own, if it is another one."""

    consumption: Consumption
    who: EntityLink
    branch: str


@at_place
def instance_page(
    request: HttpRequest, place: Place, kind: str, asset_id: str, reference: str, twin: bool
) -> HttpResponse:
    viewer = viewer_of(request)
    asset = find_asset(viewer, place, kind, asset_id)
    if twin and f"{reference}{TWIN}".removeprefix("@") in asset.alias_index and reference.startswith("@"):
        reference, twin = reference + TWIN, False  # an alias may end like a twin
    instance = find_instance(asset, reference).instance
    if instance is None:
        return redirect(asset_url(asset) + (TWIN if twin else ""))
    if reference != instance.ref:
        return redirect_with_query(request, instance_url(asset, instance) + (TWIN if twin else ""))
    if twin:
        return JsonResponse(_twin(viewer, asset, instance))
    context = {**branch_frame(request, asset.branch, kind, asset), **_about(viewer, asset, instance, request)}
    return render(request, "catalog/instance.html", context)


def _about(viewer: Viewer, asset: Asset, instance: Instance, request: HttpRequest) -> dict[str, Any]:
    before = ready_before(viewer, asset, instance)
    consumptions = consumptions_of(viewer, instance)
    task = runs.task_facts(*task_of(asset, instance))
    return {
        "asset": asset,
        "asset_url": asset_url(asset),
        "lineage_url": instance_lineage_url(asset, instance),
        "instance": instance,
        "is_latest": instance == asset.newest_ready,
        "aliases": aliases_of(asset, instance.uid),
        "older_ref": f"v{instance.number - 1}" if instance.number > 1 else "",
        "newer_ref": f"v{instance.number + 1}" if instance.number < asset.last_number else "",
        "card": card_view(asset, instance, PageQuery.of(request)),
        "metrics": metrics_against(instance, before),
        "before": before,
        "annotations": _annotations(instance),
        "blobs": [shown(blob) for blob in instance.blobs],
        "producer": EntityLink.of(instance.producer_kind, instance.producer_id),
        "is_task": Entity(instance.producer_kind, instance.producer_id).pathspec is not None,
        "task": task if isinstance(task, runs.TaskFacts) else None,
        "no_task": task.sentence if isinstance(task, runs.Unavailable) else "",
        "consumers": [_consumer(row, asset) for row in consumptions[:CONSUMERS]],
        "more_consumers": len(consumptions) > CONSUMERS,
        "code": code_to_use(asset, instance),
        "pulse_url": f"{instance_url(asset, instance)}/pulse" if instance.is_pending else "",
    }


def ready_before(viewer: Viewer, asset: Asset, instance: Instance) -> Instance | None:
    """The instance to compare with: the ready one before this."""
    older = Instance.objects.visible_to(viewer).of(asset).in_states(DEFAULT_STATES).before(instance.number)
    return older.defer("blobs").newest_first().first()


def metrics_against(instance: Instance, before: Instance | None) -> list[Metric]:
    previous = _metrics(before) if before else {}
    return [Metric(name, value, previous.get(name)) for name, value in sorted(_metrics(instance).items())]


def _metrics(instance: Instance) -> dict[str, float]:
    return metrics_of(instance.annotations)


def _annotations(instance: Instance) -> list[tuple[str, str | None]]:
    """The annotations that are no metrics, as text."""
    metrics = _metrics(instance)
    return [(key, shown(value)) for key, value in instance.annotations.items() if key not in metrics]


def consumptions_of(viewer: Viewer, instance: Instance) -> list[Consumption]:
    """The newest consumptions, one more than are shown."""
    found = Consumption.objects.visible_to(viewer).filter(instance=instance).select_related("component")
    rows = list(found.order_by("-id")[: CONSUMERS + 1])
    for row in rows:
        row.instance = instance
    return rows


def _consumer(row: Consumption, asset: Asset) -> Consumer:
    branch = (row.write_branch_name or row.write_branch) if row.write_branch != asset.branch.key else ""
    return Consumer(row, EntityLink.of(row.entity_kind, row.entity_id), branch)


def _twin(viewer: Viewer, asset: Asset, instance: Instance) -> dict[str, Any]:
    before = ready_before(viewer, asset, instance)
    metrics = metrics_against(instance, before)
    consumptions = consumptions_of(viewer, instance)
    return {
        **instance_shape(Resolved(asset, instance)),
        "compared_with": before.ref if before else None,
        "metrics": {row.name: {"value": row.value, "before": row.previous, "change": row.delta} for row in metrics},
        "consumed_by": [consumer_entry(row, asset) for row in consumptions[:CONSUMERS]],
        "code": code_to_use(asset, instance),
    }
