"""The page of an asset: its newest card, its instances and metrics, who makes and uses it, what is declared."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse, QueryDict

from access.identity import Viewer, viewer_of
from access.models import Role
from catalog.addresses import (
    alias_url,
    asset_lineage_url,
    asset_metrics_url,
    asset_url,
    delete_url,
    evaluations_url,
    feed_of,
    film_url,
    instance_url,
    kind_url,
    normal_url,
    versions_url,
    watch_url,
)
from catalog.metrics import Metric
from catalog.models import Asset, Instance
from catalog.pagekit.cards import CardView, card_view
from catalog.pagekit.code_examples import Code
from catalog.pagekit.comparisons import against
from catalog.pagekit.editing import may_edit
from catalog.pagekit.fragments import render_page_or_part
from catalog.pagekit.frame import branch_frame
from catalog.pagekit.freshness import freshness_shown, unusual_of
from catalog.pagekit.known_pages import unless_shown, unless_unchanged
from catalog.pagekit.places import asset_or_twin, at_place
from catalog.pagekit.query import Link, PageQuery, tag_links
from catalog.pagekit.uses import uses_of
from catalog.pages.activity import activity_of_asset
from catalog.pages.charts.glance import glance_of
from catalog.pages.deploys import readme_folder_of
from catalog.pages.instances import instance_rows, instances_on_page, suggested_by
from catalog.pages.properties import properties_of, shown
from catalog.pages.pulse import asset_mark
from catalog.pages.statements import aliases_and_overrides
from catalog.pages.trends import Trend, trends_of
from catalog.reading import Place, Resolved
from catalog.states import Kind, State
from catalog.unchanged import ASSET, ATTENTION_OF_ASSET, FRAME_OF_ASSET, USES_OF_ASSET
from catalog.wire.rendering import json_answer
from catalog.wire.shapes import asset_shape, instance_shape, with_equal

PART = "instances"
"""The id of the element that htmx replaces."""
COLUMNS = 3
MOST_METRICS = 24


@dataclass(frozen=True)
class MetricRow:
    metric: Metric
    series: list[float | None]


@at_place
@unless_shown(FRAME_OF_ASSET | ASSET | USES_OF_ASSET | ATTENTION_OF_ASSET, and_more=True)
def asset_page(
    request: HttpRequest, place: Place, kind: str, asset_id: str, twin: bool, asset: Asset | None
) -> HttpResponse:
    viewer = viewer_of(request)
    asset, twin = asset_or_twin(viewer, place, kind, asset_id, twin, asset)
    query, is_part = PageQuery.of(request), request.headers.get("HX-Target") == PART
    card = None if twin or is_part else _card(asset, query)
    unless_unchanged(request, card and card.shown)
    if twin:
        return json_answer(_twin(viewer, asset, query, Code.of(request, asset)))
    trend = trends_of([asset])[asset.pk]
    table = table_of(viewer, asset, PageQuery.of(request, "#instances"), trend)
    return render_page_or_part(request, "asset", PART, table, lambda: _around(request, viewer, asset, trend, card))


def table_of(viewer: Viewer, asset: Asset, query: PageQuery, trend: Trend) -> dict[str, Any]:
    """The context of _instances.html."""
    page = instances_on_page(viewer, asset, query)
    columns = trend.names[:COLUMNS]
    first_equal = Instance.objects.visible_to(viewer).first_with_content_of(page.rows)
    filtered = bool(query.filters())
    return {
        "asset": asset,
        "asset_url": asset_url(asset),
        "compare_url": versions_url(asset) if asset.last_number > 1 else "",
        "columns": columns,
        "rows": instance_rows(asset, page.rows, columns, first_equal),
        **page.context,
        "notices": query.notices("card"),
        "chips": query.chips(),
        "add_options": query.filters_to_add(suggested_by(page.rows, first_equal)),
        "clear_url": query.without_filters(),
        **query.search(),
        "total": None if filtered else asset.last_number,
        "noun": "instance" if not filtered and asset.last_number == 1 else "instances",
    }


def _around(request: HttpRequest, viewer: Viewer, asset: Asset, trend: Trend, card: CardView | None) -> dict[str, Any]:
    """The context of the page without the table."""
    newest, ready = asset.newest, asset.newest_ready
    metrics = trend.headline(MOST_METRICS)
    aliases, overrides = aliases_and_overrides(asset)
    return {
        **branch_frame(request, asset.branch, asset.kind, asset),
        "feed_url": feed_of(asset_url(asset)),
        "lineage_url": asset_lineage_url(asset),
        "card": card,
        "newest_ready": ready,
        "ready_url": instance_url(asset, ready) if ready else "",
        "newer": newest if newest and newest != ready else None,
        "newer_page": instance_url(asset, newest) if newest else "",
        "metrics_url": asset_metrics_url(asset),
        "plot": glance_of(asset, trend, metrics[0].name, aliases) if metrics else None,
        "metrics": [MetricRow(metric, trend.series(metric.name)) for metric in metrics],
        "more_metrics": len(trend.names) - len(metrics),
        "headline": metrics[0] if metrics else None,
        "ref_before": trend.ref_before,
        "uses": uses_of(asset),
        "tags": tag_links(asset, PageQuery(kind_url(asset.branch, asset.kind), QueryDict())),
        "aliases": aliases,
        "over_time": {alias.name: alias_url(asset, alias.name) for alias in aliases},
        "film_url": film_url(asset),
        "against": _against(asset, aliases),
        "properties": properties_of(asset, overrides),
        "declared_kind": "" if asset.asset_kind == Kind(asset.kind).singular else asset.asset_kind,
        "declared_blobs": [shown(blob) for blob in asset.declared_blobs],
        "readme_folder": readme_folder_of(asset),
        "code": Code.of(request, asset),
        "activity": activity_of_asset(asset),
        "pulse_url": f"{asset_url(asset)}/pulse?since={asset_mark(asset)}",
        "freshness": freshness_shown(asset, asset.branch),
        "unusual": unusual_of(asset),
        "normal_url": normal_url(asset) if may_edit(viewer, asset.branch) else "",
        "log_url": evaluations_url(asset.branch) if asset.is_evaluation_log else "",
        "actions": _actions(viewer, asset),
        "may_edit": viewer.may_administer and viewer.may(asset.branch.project.perimeter, Role.EDITOR),
    }


def _actions(viewer: Viewer, asset: Asset) -> list[Link]:
    """What may be done with the asset, for who may."""
    watch: list[Link] = [{"label": "Watch…", "url": watch_url(asset)}] if viewer.person else []
    return [*watch, {"label": "Delete…", "url": delete_url(asset)}] if may_edit(viewer, asset.branch) else watch


def _against(asset: Asset, aliases: Iterable[Any]) -> dict[str, str]:
    return {alias.name: against(asset, alias.name, alias.number) for alias in aliases}


def _card(asset: Asset, query: PageQuery) -> CardView | None:
    """The card of the newest ready instance, or of the newest of all while none is ready."""
    newest: Instance | None = asset.newest_ready or asset.newest
    return card_view(asset, newest, query) if newest and newest.state != State.FAILED else None


def _twin(viewer: Viewer, asset: Asset, query: PageQuery, code: Code) -> dict[str, Any]:
    query.refuse_unknown("card")
    page = instances_on_page(viewer, asset, query, bulk=True)
    uses = uses_of(asset)
    ready = asset.newest_ready
    latest, listed = Resolved(asset, ready), [Resolved(asset, row) for row in page.rows]
    same = Instance.objects.visible_to(viewer).first_with_content_of([*page.rows, *filter(None, [ready])])
    has_latest = ready is not None or asset.is_declared
    aliases, _ = aliases_and_overrides(asset)
    return {
        "asset": asset_shape(asset, ready),
        "url": asset_url(asset),
        "readme": asset.readme,
        "declared_properties": asset.declared_properties,
        "compare_ignore": asset.not_compared,
        "freshness": freshness_shown(asset, asset.branch).shape,
        "unusual": unusual_of(asset),
        "latest_instance": with_equal(instance_shape(latest), ready, same) if has_latest else None,
        "instances": [with_equal(instance_shape(found), found.instance, same) for found in listed],
        "newer": page.newer,
        "older": page.older,
        "aliases": {alias.name: _ref(alias) for alias in aliases},
        "produced_by": [use.shape for use in uses.producers],
        "consumed_by": [use.shape for use in uses.consumers],
        "consumers": asset.consumer_count,
        "code": code.in_flow,
        "code_outside_flows": code.outside,
    }


def _ref(alias: Any) -> str:
    return f"v{alias.number}" if alias.number else "definition"
