"""The overview of a branch: its assets with producers, consumers, freshness and metrics; and its deploy."""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from access.errors import NotFound
from access.identity import Viewer, viewer_of
from catalog.addresses import (
    asset_path,
    asset_url,
    branch_attention_url,
    branch_lineage_url,
    branch_url,
    branch_watch_url,
    feed_of,
    highlights_url,
)
from catalog.branch_keys import KnownByOtherKey, look_elsewhere, names_of
from catalog.metrics import Metric
from catalog.models import Asset, Branch, Edge
from catalog.pagekit.code_examples import EXAMPLES
from catalog.pagekit.frame import against_main_url, branch_frame
from catalog.pagekit.freshness import FreshnessShown, freshness_shown, unusual_of
from catalog.pagekit.known_pages import unless_shown
from catalog.pagekit.places import at_place, say_whose_key
from catalog.pagekit.statements import edges_of
from catalog.pagekit.uses import Uses
from catalog.pages.activity import ENTRIES, Happening, activity_of_branch
from catalog.pages.alarms import MOST, MOST_EDITS, alarms_of
from catalog.pages.attended import attention_of, attention_shape
from catalog.pages.deploys import deploy_of
from catalog.pages.first_steps import steps_url_of
from catalog.pages.highlights import newest_tiles
from catalog.pages.rows import rows_of
from catalog.pages.statements import Lately, assets_in_order, lately_on_branch
from catalog.pages.trends import Trend, trends_of
from catalog.reading import Place, find_branch
from catalog.unchanged import (
    ASSETS_OF_BRANCH,
    ATTENTION_OF_BRANCH,
    FRAME_OF_SPEC,
    HIGHLIGHTS_OF_BRANCH,
    KEYS_OF_BRANCH,
    USES_OF_BRANCH,
)
from catalog.wire.rendering import json_answer
from catalog.wire.shapes import item_shape, time_shape

ASSETS = 25
EDGES = 1_000
METRICS = 2
HIGHLIGHTS = 6


@dataclass(frozen=True)
class Glance:
    """One asset, with its metrics, producers and consumers."""

    asset: Asset
    url: str
    trend: Trend
    uses: Uses
    freshness: FreshnessShown

    @property
    def unusual(self) -> dict[str, str]:
        """What is unusual of its newest ready version."""
        return unusual_of(self.asset)

    @cached_property
    def metrics(self) -> list[Metric]:
        return self.trend.headline(METRICS)

    @property
    def shape(self) -> dict[str, Any]:
        return {
            **item_shape(self.asset, asset_path(self.asset)),
            "consumers": self.asset.consumer_count,
            "produced_by": [use.shape for use in self.uses.producers],
            "consumed_by": [use.shape for use in self.uses.consumers],
            "freshness": self.freshness.shape,
            "unusual": self.unusual,
        }


@at_place
@unless_shown(
    FRAME_OF_SPEC | ASSETS_OF_BRANCH | USES_OF_BRANCH | HIGHLIGHTS_OF_BRANCH | KEYS_OF_BRANCH | ATTENTION_OF_BRANCH
)
def overview_page(request: HttpRequest, place: Place, twin: bool, branch: Branch | None) -> HttpResponse:
    viewer = viewer_of(request)
    branch = branch or find_branch(viewer, place)
    rows = glances(branch, bulk=twin)
    if twin:
        return json_answer(_twin(viewer, branch, rows))
    frame, lately = branch_frame(request, branch, "overview"), _lately(branch)
    context = {
        **frame,
        "against_main_url": against_main_url(frame["switch_branches"], branch),
        "feed_url": feed_of(branch_url(branch)),
        "watch_url": branch_watch_url(branch) if viewer.person else "",
        "branch": branch,
        "attention": attention_of(viewer, branch=branch, url=branch_attention_url(branch)),
        "rows": rows,
        "more_assets": branch.data_count + branch.models_count - len(rows),
        "deploy": deploy_of(branch),
        "activity": activity_of_branch(branch, lately),
        "alarms": alarms_of(branch, lately),
        "tiles": newest_tiles(branch, HIGHLIGHTS),
        "pulse_url": f"{branch_url(branch)}/pulse?since={_mark(rows)}",
        "branch_url": branch_url(branch),
        "highlights_url": highlights_url(branch),
        "lineage_url": branch_lineage_url(branch),
        "example": EXAMPLES["data"],
        "first_steps_url": steps_url_of(viewer, branch),
    }
    return render(request, "catalog/overview.html", context)


def glances(branch: Branch, *, bulk: bool) -> list[Glance]:
    """The assets that were refreshed last. `bulk`: also what only the twin shows."""
    if bulk:
        assets = rows_of(
            branch, Asset.objects.on_branch(branch).freshest_first().values("pk")[:ASSETS], "-refreshed", bulk=True
        )
    else:
        assets = assets_in_order(branch, "", "-refreshed", ASSETS)
    trends, edges, now = trends_of(assets), _edges_of(assets), timezone.now()
    return [
        Glance(
            asset,
            asset_url(asset),
            trends[asset.pk],
            Uses.of(edges.get(asset.pk, []), branch),
            freshness_shown(asset, branch, now),
        )
        for asset in assets
    ]


def _edges_of(assets: list[Asset]) -> dict[int, list[Edge]]:
    found: dict[int, list[Edge]] = {}
    for edge in edges_of(assets, EDGES):
        found.setdefault(edge.asset_id, []).append(edge)
    return found


def _lately(branch: Branch) -> Lately:
    """What happened, and what of it somebody should look at: of a branch that the viewer was found to see."""
    return lately_on_branch(branch, ENTRIES, MOST, MOST_EDITS)


def _mark(rows: list[Glance]) -> str:
    """When an asset of the branch was last refreshed."""
    return time_shape(rows[0].asset.refreshed_at) or "" if rows else ""


def _twin(viewer: Viewer, branch: Branch, rows: list[Glance]) -> dict[str, Any]:
    deploy, lately = deploy_of(branch), _lately(branch)
    return {
        "branch": {
            "perimeter": branch.project.perimeter.name,
            "project": branch.project.name,
            "key": branch.key,
            "further_keys": names_of(branch),
            "name": branch.name,
            "data": branch.data_count,
            "models": branch.models_count,
        },
        "deploy": deploy.shape if deploy else None,
        "assets": [row.shape for row in rows],
        "highlights": [tile.shape for tile in newest_tiles(branch, HIGHLIGHTS)],
        "attention": attention_shape(viewer, branch=branch),
        "activity": [_happening_shape(entry) for entry in activity_of_branch(branch, lately)],
        "warnings": [{"asset": row.asset.asset_id, "sentence": row.sentence} for row in alarms_of(branch, lately)],
    }


def _happening_shape(entry: Happening) -> dict[str, Any]:
    return {
        "what": entry.what,
        "at": time_shape(entry.at),
        "who": {"kind": entry.who.kind, "name": entry.who.name},
        "kind": entry.kind or None,
        "asset": entry.asset_id or None,
        "ref": entry.ref or None,
        "detail": entry.detail,
    }


@require_safe
def elsewhere(request: HttpRequest, perimeter: str, project: str, rest: str) -> HttpResponse:
    """Any other address: the git name of a branch, with its slashes, or nothing at all."""
    viewer = viewer_of(request)
    name = rest.strip("/")
    branches = Branch.objects.visible_to(viewer).select_related("project__perimeter")
    place = Place.of(perimeter, project, name)
    branch = branches.at_place(place).first()
    if branch is None:
        scope = viewer.require(perimeter)
        try:
            look_elsewhere(scope.pk, project, place.key)
        except KnownByOtherKey as other:
            branch = branches.at_place(replace(place, key=other.key)).get()
        else:
            raise NotFound(f"There is no page and no branch '{name}' in the project '{project}'.", branch=name)
    say_whose_key(request, branch, name)
    return redirect(branch_url(branch))
