"""The page of versions side by side, and its twin."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from access.identity import Viewer, viewer_of
from catalog.addresses import asset_url
from catalog.models import Asset
from catalog.pagekit.frame import branch_frame
from catalog.pagekit.known_pages import unless_shown, unless_unchanged
from catalog.pagekit.places import at_place
from catalog.pagekit.query import PageQuery
from catalog.reading import Place, find_asset
from catalog.unchanged import FRAME_OF_ASSET, LINEAGE
from catalog.wire.rendering import json_answer
from comparing.found import Found, find_versions
from comparing.pages.cards import cards_beside
from comparing.pages.choosing import choosing_context, choosing_shape
from comparing.pages.columns import Column, columns_of
from comparing.pages.moving import moves_offered
from comparing.pages.question import OWN, Question
from comparing.pages.shown import diffs_of, equal_in, groups_shown, metrics_shown, on_what_data
from comparing.versions import VersionComparison, compare

Json = dict[str, Any]


@at_place
@unless_shown(FRAME_OF_ASSET | LINEAGE, and_more=True)
def versions_page(
    request: HttpRequest, place: Place, kind: str, asset_id: str, twin: bool, asset: Asset | None
) -> HttpResponse:
    viewer = viewer_of(request)
    home = asset or find_asset(viewer, place, kind, asset_id)
    question = Question(PageQuery.of(request), home)
    if twin:
        question.query.refuse_unknown(*OWN, takes=())
    found = find_versions(viewer, home, question.asked)
    if len(found.versions) < 2:
        return _to_choose(request, viewer, question, found, twin)
    base = question.place_of_base(found)
    cards = [] if twin else cards_beside(question, found, base)
    unless_unchanged(request, [card.shown for card in cards])
    comparison = compare(viewer, [version.found for version in found.versions], base, home)
    columns = columns_of(question, found, base, comparison.runs)
    if twin:
        return json_answer(_twin(found, columns, comparison))
    context = {
        **branch_frame(request, home.branch, kind, home),
        **_context(question, found, comparison, columns),
        "actions": moves_offered(viewer, found.versions, base),
        "cards": list(zip(cards, columns, strict=True)),
    }
    return render(request, "comparing/versions.html", context)


def _to_choose(request: HttpRequest, viewer: Viewer, question: Question, found: Found, twin: bool) -> HttpResponse:
    unless_unchanged(request)
    if twin:
        return json_answer(choosing_shape(viewer, question, found))
    home = question.home
    context = {**branch_frame(request, home.branch, home.kind, home), **choosing_context(viewer, question, found)}
    return render(request, "comparing/choose.html", context)


def _context(question: Question, found: Found, comparison: VersionComparison, columns: list[Column]) -> Json:
    home, every = question.home, question.all_metrics or question.with_equal
    metrics = metrics_shown(comparison.metrics, every=every)
    more_metrics = len(comparison.metrics.rows) + comparison.metrics.left_out - len(metrics)
    diffs = diffs_of(columns, comparison.groups)
    return {
        "asset": home,
        "asset_url": asset_url(home),
        "verdict": comparison.verdict,
        "differing": comparison.differing,
        "equal_count": comparison.equal,
        "columns": columns,
        "metrics": metrics,
        "on_what": on_what_data(comparison.metrics),
        "more_metrics": more_metrics,
        "all_metrics_url": "" if every else question.url(metrics="all"),
        "groups": groups_shown(comparison.groups, with_equal=question.with_equal),
        "equal": None if question.with_equal else equal_in(comparison.groups, comparison.metrics, metrics),
        "equal_url": "" if question.with_equal else question.url(equal="yes"),
        "differing_url": question.url(equal=None) if question.with_equal else "",
        "folded": comparison.folded,
        "missing": found.missing,
        "more": found.more,
        "kept": question.kept,
        "diffs": diffs if question.with_diff else [],
        "diff_url": f"{question.url(diff='readme')}#readme" if diffs and not question.with_diff else "",
        "notices": question.query.notices(*OWN, takes=()),
    }


def _twin(found: Found, columns: list[Column], comparison: VersionComparison) -> Json:
    return {
        **comparison.shape,
        "versions": [column.shape for column in columns],
        "missing": [{"asked": one.text, "reason": one.sentence} for one in found.missing],
        "left_out": found.more,
    }
