"""The listing of a branch's assets: one row each, filtered, sorted and paged by the query string."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.db.models import Count, QuerySet, Window
from django.http import HttpRequest, HttpResponse, QueryDict
from django.utils import timezone

from access.errors import BadRequest
from access.identity import viewer_of
from catalog.addresses import asset_path, asset_url, branch_attention_url, branch_url, kind_url
from catalog.filters import PRODUCER, TAG, Filter
from catalog.metrics import Metric
from catalog.models import Asset, Branch
from catalog.pagekit.code_examples import EXAMPLES
from catalog.pagekit.fragments import render_page_or_part
from catalog.pagekit.frame import branch_frame
from catalog.pagekit.freshness import FreshnessShown, freshness_shown, unusual_of
from catalog.pagekit.known_pages import unless_shown
from catalog.pagekit.paging import Page, first_page, page_of
from catalog.pagekit.places import at_place
from catalog.pagekit.query import Link, PageQuery, tag_links, tags_of
from catalog.pages.rows import rows_of
from catalog.pages.statements import aliases_of_each, assets_in_order, counted
from catalog.pages.trends import Trend, trends_of
from catalog.querysets import ASSET_ORDERS, LATEST_FIRST
from catalog.reading import Place, find_branch
from catalog.states import DEFINITION, Kind
from catalog.unchanged import ASSETS_OF_BRANCH, ATTENTION_OF_BRANCH, FRAME_OF_BRANCH
from catalog.wire.rendering import json_answer
from catalog.wire.shapes import item_shape, time_shape
from obproject.filter_keys import written_tag

ROWS = 50
METRICS = 2
MOST_ALIASES = 500
DEFAULT_SORT = "-refreshed"
SORTS = {
    "-refreshed": "newest first",
    "refreshed": "oldest first",
    "name": "by name",
    "-consumers": "most used first",
    "-version": "most versions first",
    LATEST_FIRST: "how late",
}
NOUNS = {"": "asset", Kind.DATA.value: "data asset", Kind.MODELS.value: "model"}


@dataclass(frozen=True)
class AssetRow:
    """`aliases` are pairs of a name and the version that it points to; `listing` is where filters of it begin."""

    asset: Asset
    url: str
    listing: PageQuery
    trend: Trend
    aliases: list[tuple[str, str]]
    freshness: FreshnessShown

    @property
    def unusual(self) -> dict[str, str]:
        """What is unusual of its newest ready version."""
        return unusual_of(self.asset)

    @cached_property
    def metrics(self) -> list[Metric]:
        return self.trend.headline(METRICS)

    @property
    def series(self) -> list[float | None]:
        return self.trend.series(self.metrics[0].name) if self.metrics else []

    @property
    def tags(self) -> list[Link]:
        return tag_links(self.asset, self.listing)

    @property
    def producer_url(self) -> str:
        newest = self.asset.newest_ready
        return self.listing.with_filter(PRODUCER.name, newest.component.name) if newest else ""

    @property
    def shape(self) -> dict[str, Any]:
        return {
            **item_shape(self.asset, asset_path(self.asset)),
            "state": self.asset.newest.state if self.asset.newest else DEFINITION,
            "consumers": self.asset.consumer_count,
            "aliases": dict(self.aliases),
            "metrics": {metric.name: metric.shape for metric in self.metrics},
            "freshness": self.freshness.shape,
            "unusual": self.unusual,
        }


@at_place
@unless_shown(FRAME_OF_BRANCH | ASSETS_OF_BRANCH | ATTENTION_OF_BRANCH)
def listing_page(request: HttpRequest, place: Place, kind: str, twin: bool, branch: Branch | None) -> HttpResponse:
    viewer, query = viewer_of(request), PageQuery.of(request)
    branch = branch or find_branch(viewer, place)
    page = assets_page(branch, kind, query, bulk=twin)
    rows = asset_rows(page.rows, query)
    if twin:
        query.refuse_unknown("sort")
        return json_answer({"items": [row.shape for row in rows], **page.shape})
    part = {**_listing(branch, kind, query, page), "rows": rows}
    return render_page_or_part(request, "listing", "listing", part, lambda: _around(request, branch, kind))


def assets_page(branch: Branch, kind: str, query: PageQuery, *, bulk: bool) -> Page:
    """`bulk`: also what only the twin shows."""
    asked = query.filters()
    known = branch.data_count + branch.models_count if not kind else _count_of(branch, kind)
    sort = sort_of(query)
    found = Asset.objects.on_branch(branch, kind or None).matching(asked).sorted_by(sort).values("pk")
    if asked and query.number("page") in (None, 1):
        keys, total = _first_of(found)
        return first_page(rows_of(branch, keys, sort, bulk=bulk), total, query, ROWS)

    def read(start: int, stop: int) -> list[Asset]:
        if asked or bulk:
            return rows_of(branch, found[start:stop], sort, bulk=bulk)
        return assets_in_order(branch, kind, sort, stop - start, start)

    return page_of(found, query, ROWS, None if asked else known, read)


def _first_of(found: QuerySet[Any, Any]) -> tuple[list[int], int]:
    """The keys of the first page, and how many match: told at once, as both go through the whole branch."""
    rows = list(found.annotate(total=Window(Count("pk"))).values_list("pk", "total")[:ROWS])
    return [pk for pk, _ in rows], rows[0][1] if rows else 0


def asset_rows(assets: list[Asset], query: PageQuery) -> list[AssetRow]:
    trends, aliases, now = trends_of(assets), _aliases_of(assets), timezone.now()
    return [
        AssetRow(
            asset,
            asset_url(asset),
            query,
            trends[asset.pk],
            aliases.get(asset.pk, []),
            freshness_shown(asset, asset.branch, now),
        )
        for asset in assets
    ]


def sort_of(query: PageQuery) -> str:
    sort = query.params.get("sort", DEFAULT_SORT)
    if sort.removeprefix("-") not in ASSET_ORDERS and sort != LATEST_FIRST:
        raise BadRequest(f"A list can be sorted by {', '.join([*ASSET_ORDERS, LATEST_FIRST])}.", field="sort")
    return sort


def _count_of(branch: Branch, kind: str) -> int:
    return branch.data_count if kind == Kind.DATA else branch.models_count


def _aliases_of(assets: list[Asset]) -> dict[int, list[tuple[str, str]]]:
    found: dict[int, list[tuple[str, str]]] = {}
    for asset, name, number in aliases_of_each(assets, MOST_ALIASES):
        found.setdefault(asset, []).append((name, f"v{number}" if number else DEFINITION))
    return found


def _listing(branch: Branch, kind: str, query: PageQuery, page: Page) -> dict[str, Any]:
    """The context of _listing.html without the rows."""
    return {
        "heading": f"{NOUNS[kind]}s".capitalize(),
        "noun": NOUNS[kind] if page.total == 1 else f"{NOUNS[kind]}s",
        "page": page,
        "notices": query.notices("sort"),
        **query.search(),
        "list_url": query.path,
        "counts": _counts(branch, query),
        "chips": query.chips(),
        "clear_url": query.without_filters(),
        "add_options": query.filters_to_add(_suggested(page.rows)),
        "sort_options": _sort_options(query),
        "heads": {name: _head(query, name) for name in ASSET_ORDERS},
        "nothing_matches": f"No {NOUNS[kind]} matches these filters.",
        "nothing_yet": f"No {NOUNS[kind]}s on this branch yet.",
        "show_all": f"Show all {NOUNS[kind]}s",
        "example": EXAMPLES.get(kind, EXAMPLES[Kind.DATA]),
    }


def _counts(branch: Branch, query: PageQuery) -> list[Link]:
    """How many assets of the branch need a look, with where they are; of which there are none are left out."""
    late, due, unusual = counted(branch)
    listed = PageQuery(kind_url(branch, ""), QueryDict())
    return [
        {"label": label, "count": count, "url": url}
        for label, count, url in (
            ("late", late, listed.url(late="yes", sort=LATEST_FIRST)),
            ("due", due, listed.url(sort=LATEST_FIRST)),
            ("unusual", unusual, branch_attention_url(branch)),
        )
        if count
    ]


def _around(request: HttpRequest, branch: Branch, kind: str) -> dict[str, Any]:
    return {
        **branch_frame(request, branch, kind),
        "branch": branch,
        "pulse_url": f"{branch_url(branch)}/pulse?kind={kind}&since={branch_mark(branch, kind)}",
    }


def branch_mark(branch: Branch, kind: str) -> str:
    """When an asset of the branch was last refreshed, for the check for newer ones."""
    newest = Asset.objects.on_branch(branch, kind or None).freshest_first()
    time = newest.values_list("refreshed_at", flat=True).first()
    return time_shape(time) or ""


def _suggested(assets: list[Asset]) -> Iterator[tuple[Filter, str]]:
    """Filters to add, from the tags and producing flows of the rows."""
    for asset in assets:
        yield from ((TAG, written_tag(key, value)) for key, value in tags_of(asset).items())
        if asset.newest_ready:
            yield PRODUCER, asset.newest_ready.component.name


def _sort_options(query: PageQuery) -> list[Link]:
    current = sort_of(query)
    known = SORTS if current in SORTS else SORTS | {current: f"by {current.removeprefix('-')}"}
    return [
        {"label": label, "url": _sorted_by(query, sort), "current": sort == current} for sort, label in known.items()
    ]


def _head(query: PageQuery, name: str) -> Link:
    """The head of a sortable column, which reverses the present order. Names begin low, numbers high."""
    current = sort_of(query)
    first, second = (name, f"-{name}") if name == "name" else (f"-{name}", name)
    direction = {name: "ascending", f"-{name}": "descending"}.get(current, "")
    return {"url": _sorted_by(query, second if current == first else first), "direction": direction}


def _sorted_by(query: PageQuery, sort: str) -> str:
    return query.url(sort=None if sort == DEFAULT_SORT else sort, page=None)
