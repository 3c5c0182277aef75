"""The page of one instance: its cards, annotations, producer and consumers, and the change of its metrics."""

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render

from access.identity import Viewer, viewer_of
from catalog import runs
from catalog.addresses import (
    alias_url,
    asset_url,
    choose_alias_url,
    compare_url,
    component_url,
    deprecate_url,
    film_url,
    instance_lineage_url,
    instance_url,
    normal_url,
    promote_url,
)
from catalog.entities import Entity
from catalog.filters import SAME_AS
from catalog.metrics import Metric, annotations_of, metrics_of
from catalog.models import Asset, Consumption, Instance
from catalog.pagekit.cards import CardView, card_view, task_of
from catalog.pagekit.code_examples import Code
from catalog.pagekit.comparisons import since
from catalog.pagekit.editing import may_edit
from catalog.pagekit.frame import branch_frame
from catalog.pagekit.freshness import unusual_of_instance
from catalog.pagekit.known_pages import unless_shown, unless_unchanged
from catalog.pagekit.places import at_place, redirect_with_query
from catalog.pagekit.query import Link, PageQuery
from catalog.pagekit.routes import TWIN
from catalog.pagekit.run_facts import RunFacts
from catalog.pagekit.uses import EntityLink
from catalog.pages.properties import shown
from catalog.pages.statements import consumptions_of, ready_before
from catalog.pages.trends import VERSIONS, Trend
from catalog.reading import Place, Resolved, find_asset, find_instance, first_with_content_of, run_of
from catalog.unchanged import ASSET, FRAME_OF_ASSET, RUN_OF_INSTANCE, USES_OF_ASSET
from catalog.wire.rendering import json_answer
from catalog.wire.shapes import aliases_of, consumer_entry, instance_shape, run_shape, with_equal

CONSUMERS = 50
EQUAL = 5


@dataclass(frozen=True)
class Consumer:
    """One consumption of the instance. `branch`: the consumer's own, if it is another one."""

    consumption: Consumption
    who: EntityLink
    branch: str


@dataclass(frozen=True)
class Seen:
    """What Metaflow's datastore tells of the task of an instance, now."""

    card: CardView
    task: runs.TaskFacts | runs.Unavailable

    @classmethod
    def of(cls, request: HttpRequest, asset: Asset, instance: Instance) -> "Seen":
        card = card_view(asset, instance, PageQuery.of(request))
        return cls(card, runs.task_facts(*task_of(asset, instance)))

    @property
    def shown(self) -> tuple[Any, ...]:
        return *self.card.shown, self.task


@at_place
@unless_shown(FRAME_OF_ASSET | ASSET | USES_OF_ASSET | RUN_OF_INSTANCE, and_more=True)
def instance_page(
    request: HttpRequest, place: Place, kind: str, asset_id: str, reference: str, twin: bool, asset: Asset | None
) -> HttpResponse:
    viewer = viewer_of(request)
    asset = asset or find_asset(viewer, place, kind, asset_id)
    if twin and f"{reference}{TWIN}".removeprefix("@") in asset.alias_index and reference.startswith("@"):
        reference, twin = reference + TWIN, False  # an alias may end like a twin
    instance = find_instance(asset, reference).instance
    if instance is None:
        return redirect(asset_url(asset) + (TWIN if twin else ""))
    if reference != instance.ref:
        return redirect_with_query(request, instance_url(asset, instance) + (TWIN if twin else ""))
    seen = None if twin else Seen.of(request, asset, instance)
    unless_unchanged(request, seen and seen.shown)
    if seen is None:
        return json_answer(_twin(viewer, asset, instance, Code.of(request, asset, instance)))
    context = {**branch_frame(request, asset.branch, kind, asset), **_about(viewer, asset, instance, request, seen)}
    return render(request, "catalog/instance.html", context)


def _about(viewer: Viewer, asset: Asset, instance: Instance, request: HttpRequest, seen: Seen) -> dict[str, Any]:
    trend = trend_up_to(asset, instance)
    consumptions = consumptions_of(instance, CONSUMERS + 1)
    task = seen.task
    same = Instance.objects.visible_to(viewer).with_content_of(instance).only("number")
    equal = [row.ref for row in same[: EQUAL + 1]]
    return {
        "asset": asset,
        "asset_url": asset_url(asset),
        "lineage_url": instance_lineage_url(asset, instance),
        "instance": instance,
        "is_latest": instance == asset.newest_ready,
        "aliases": [(name, alias_url(asset, name)) for name in aliases_of(asset, instance.uid)],
        "actions": _actions(viewer, asset, instance),
        "film_url": f"{film_url(asset)}?at={instance.ref}",
        "since": since(asset, instance),
        "compare_url": compare_url(asset, [instance.ref]),
        "older_ref": f"v{instance.number - 1}" if instance.number > 1 else "",
        "newer_ref": f"v{instance.number + 1}" if instance.number < asset.last_number else "",
        "card": seen.card,
        "metrics": metrics_in(trend),
        "ref_before": trend.ref_before,
        "annotations": _annotations(instance),
        "blobs": [shown(blob) for blob in instance.blobs],
        "producer": EntityLink.of(instance.producer_kind, instance.producer_id),
        "component_url": _component_url(asset, instance),
        "run": RunFacts.of(instance.run, run_of(asset, instance)) if instance.run else None,
        "position": _position(instance),
        "equal": equal[:EQUAL],
        "more_equal_url": _equal_url(asset, instance) if len(equal) > EQUAL else "",
        "is_task": Entity(instance.producer_kind, instance.producer_id).pathspec is not None,
        "task": task if isinstance(task, runs.TaskFacts) else None,
        "no_task": task.sentence if isinstance(task, runs.Unavailable) else "",
        "consumers": [_consumer(row, asset) for row in consumptions[:CONSUMERS]],
        "more_consumers": len(consumptions) > CONSUMERS,
        "code": Code.of(request, asset, instance),
        "unusual": unusual_of_instance(instance) if instance.is_ready else {},
        "normal_url": normal_url(asset) if may_edit(viewer, asset.branch) else "",
        "pulse_url": f"{instance_url(asset, instance)}/pulse" if instance.is_pending else "",
    }


def _actions(viewer: Viewer, asset: Asset, instance: Instance) -> list[Link]:
    """What may be done with a version, for who may."""
    if not instance.is_ready or not may_edit(viewer, asset.branch):
        return []
    return [
        {"label": "Move an alias here…", "url": choose_alias_url(asset, instance.ref)},
        {"label": "Promote…", "url": promote_url(asset, instance)},
        {
            "label": "Undo deprecation…" if instance.is_deprecated else "Deprecate…",
            "url": deprecate_url(asset, instance),
        },
    ]


def _component_url(asset: Asset, instance: Instance) -> str:
    """The page of the producing flow or deployment; empty if it has none, or is of another project."""
    component, branch = instance.component, asset.branch
    at_home = component.project_name == branch.project.name
    return component_url(branch, component.kind, component.name) if at_home else ""


def _position(instance: Instance) -> list[tuple[str, str]]:
    """Where in its run the task is, as far as its name does not say so."""
    told = [("foreach", (instance.foreach_path or "").replace(",", ", "))]
    told.append(("iteration", str(instance.iteration or "")))
    return [(name, text) for name, text in told if text]


def _equal_url(asset: Asset, instance: Instance) -> str:
    """The table of the versions with the same content."""
    return PageQuery(f"{asset_url(asset)}#instances", QueryDict()).with_filter(SAME_AS.name, instance.ref)


def trend_up_to(asset: Asset, instance: Instance) -> Trend:
    """The metrics of the instance and of the ready ones before it."""
    before = ready_before(asset, instance.number, VERSIONS - 1)[::-1]
    said = annotations_of(text for _, text in before)
    numbers = (*(number for number, _ in before), instance.number)
    return Trend(numbers, (*said, instance.annotations), asset.metrics)


def metrics_in(trend: Trend) -> list[Metric]:
    """What the instance measures, and what it does not though one before it did: what is declared, then by name."""
    return [trend.metric(name) for name in trend.declared.in_order(sorted(trend.names))]


def _annotations(instance: Instance) -> list[tuple[str, str | None]]:
    """The annotations that are no metrics, as text."""
    metrics = metrics_of(instance.annotations)
    return [(key, shown(value)) for key, value in instance.annotations.items() if key not in metrics]


def _consumer(row: Consumption, asset: Asset) -> Consumer:
    branch = (row.write_branch_name or row.write_branch) if row.write_branch != asset.branch.key else ""
    return Consumer(row, EntityLink.of(row.entity_kind, row.entity_id), branch)


def _twin(viewer: Viewer, asset: Asset, instance: Instance, code: Code) -> dict[str, Any]:
    trend = trend_up_to(asset, instance)
    consumptions = consumptions_of(instance, CONSUMERS + 1)
    found = Resolved(asset, instance)
    first = first_with_content_of(instance)
    return {
        **with_equal(instance_shape(found), instance, first),
        "run": run_shape(instance.run, run_of(asset, instance)),
        "compared_with": trend.ref_before or None,
        "metrics": {metric.name: metric.shape for metric in metrics_in(trend)},
        "consumed_by": [consumer_entry(row, instance.uid) for row in consumptions[:CONSUMERS]],
        "code": code.in_flow,
        "code_outside_flows": code.outside,
    }
