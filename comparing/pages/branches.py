"""The comparison of two branches: the page, and the same as JSON, as Markdown for a pull request, as a drawing."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any
from urllib.parse import quote

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.views.decorators.http import require_safe

from access.errors import NotFound
from access.identity import Viewer, viewer_of
from access.models import Perimeter
from catalog.addresses import asset_url_below, branch_url, compare_branches_url, compare_url_below, project_url
from catalog.branch_keys import KnownByOtherKey
from catalog.models import Branch
from catalog.pagekit.frame import branch_frame
from catalog.pagekit.places import redirect_with_query, say_whose_key
from catalog.pagekit.query import PageQuery
from catalog.reading import Place, find_branch
from catalog.wire.rendering import json_answer
from comparing.arrows import Arrow, Side, sentence_of
from comparing.branch_rows import two_branches
from comparing.branch_shape import shape_of
from comparing.branch_words import (
    Look,
    completeness,
    facts_of,
    lede_of,
    limits_said,
    look_of,
    not_built_names,
    not_built_word,
    side_said,
    what_changed,
)
from comparing.branches import SHOWN, BranchComparison, compare_branches
from comparing.drawn import drawing_of
from comparing.markdown import markdown_of
from comparing.pages.routes import FORMS
from comparing.pairs import Pair
from comparing.sentences import Name, Sentence
from lineage.drawing import HEADS_OF_CHANGES, SIGNS
from lineage.drawing.standalone import standalone
from lineage.drawing.style import symbols_of
from obproject.branches import branch_key


@dataclass(frozen=True)
class Shown:
    """An asset of the comparison, with its page on the head, or on the base where only that has it.

    `versions_url` compares its two versions, where both branches have one.
    """

    pair: Pair
    look: Look
    url: str
    versions_url: str
    about: Sentence


@require_safe
def branches_page(
    request: HttpRequest, perimeter: str, project: str, base: str, branch: str, suffix: str
) -> HttpResponse:
    written = [base, branch]
    found, written, suffix = _two(viewer_of(request), perimeter, project, written, suffix)
    theirs, ours = found
    address = compare_branches_url(ours.project, theirs.key, ours.key)
    if [one.key for one in found] != written:
        for one, name in zip(found, written, strict=True):
            if one.key != name:
                say_whose_key(request, one, name)
        return redirect_with_query(request, address + suffix)
    query = PageQuery(address, request.GET)
    number = max(1, query.number("page") or 1)
    comparison = compare_branches(viewer_of(request), theirs, ours, (number - 1) * SHOWN)
    last = max(1, ceil(comparison.longest_list / SHOWN))
    if number > last:
        return redirect(query.on(address + suffix).url(page=last if last > 1 else None))
    if suffix:
        return _twin(request, comparison, suffix, query.url(page=number + 1) if number < last else None)
    return render(request, "comparing/branches.html", _context(request, comparison, query, number, last))


def _two(
    viewer: Viewer, perimeter: str, project: str, written: list[str], suffix: str
) -> tuple[list[Branch], list[str], str]:
    """The base and the head, as they were written, and the suffix.

    A branch whose very key ends like a suffix is meant by that; one whose name does so, where nothing else can be.
    """
    scope = viewer.require(perimeter)
    places = [Place.of(perimeter, project, name) for name in written]
    whole = written[1] + suffix
    keys = {*written, *(place.key for place in places), whole, branch_key(whole)}
    known = two_branches(scope, places[0].project, keys)
    head = next((key for key in (places[1].key, written[1]) if key in known), "")
    if suffix and (whole in known or (not head and branch_key(whole) in known)):
        written, suffix = [written[0], whole], ""
        places[1] = Place.of(perimeter, project, whole)
    return (
        [_one(viewer, scope, place, name, known) for place, name in zip(places, written, strict=True)],
        written,
        suffix,
    )


def _one(viewer: Viewer, scope: Perimeter, place: Place, written: str, known: dict[str, Branch]) -> Branch:
    """A branch by its key, or else by a further one; raises NotFound, which names it."""
    for key in (place.key, written):
        if key in known:
            return known[key]
    try:
        return find_branch(viewer, place)
    except KnownByOtherKey as other:
        found = two_branches(scope, place.project, [other.key])
        if other.key not in found:
            raise
        return found[other.key]


def _twin(request: HttpRequest, comparison: BranchComparison, suffix: str, next_url: str | None) -> HttpResponse:
    if suffix == ".json":
        return json_answer(shape_of(comparison, next_url))
    base_url = request.build_absolute_uri("/").rstrip("/")
    if suffix == ".md":
        return HttpResponse(markdown_of(comparison, base_url), "text/markdown; charset=utf-8")
    picture = drawing_of(comparison)
    if picture is None:
        raise NotFound("No arrow of lineage differs between these branches, so there is nothing to draw.")
    return standalone(picture, label_of(comparison), base_url, HEADS_OF_CHANGES)


def label_of(comparison: BranchComparison) -> str:
    arrows = comparison.arrows
    return (
        f"Arrows of lineage on {comparison.head.name} that are not on {comparison.base.name}, and the other way round: "
        f"{len(arrows.added):,} added, {len(arrows.removed):,} removed"
    )


def _context(
    request: HttpRequest, comparison: BranchComparison, query: PageQuery, number: int, last: int
) -> dict[str, Any]:
    base, head = comparison.base, comparison.head
    frame = branch_frame(request, head)
    return {
        **frame,
        "json_url": _with_suffix(query, ".json"),
        "comparison": comparison,
        "lede": lede_of(comparison),
        "facts": [] if comparison.is_with_itself else facts_of(comparison),
        "models": _shown(comparison, comparison.models),
        "data": _shown(comparison, comparison.data),
        "arrows": [_said_arrow(comparison, *one) for one in comparison.shown_arrows],
        "not_built": not_built_names(comparison),
        "not_built_word": not_built_word(base),
        "drawn": _drawn(comparison),
        "files": [{"label": label, "url": _with_suffix(query, suffix)} for suffix, label in FORMS.items()],
        "turned_url": compare_branches_url(head.project, head.key, base.key),
        "base_url": branch_url(base),
        "others": _others(frame["switch_branches"], head),
        "sides": [side_said(head, "here"), side_said(base, Sentence(Name(base.name)))],
        "limits": limits_said(comparison),
        "complete": completeness(comparison),
        "previous_url": query.url(page=number - 1 if number > 2 else None) if number > 1 else None,
        "next_url": query.url(page=number + 1) if number < last else None,
        "summary": f"Page {number:,} of {last:,}",
    }


def _with_suffix(query: PageQuery, suffix: str) -> str:
    return query.on(query.path + suffix).url()


def _shown(comparison: BranchComparison, pairs: Sequence[Pair]) -> list[Shown]:
    base, head = comparison.base, comparison.head
    here, there = branch_url(head), branch_url(base)
    shown = []
    for pair in pairs:
        url = asset_url_below(there if pair.head is None else here, *pair.key)
        versions = ""
        if pair.both_built:
            kind, asset_id = pair.key
            ref = f"{base.key}/{kind}/{asset_id}:{pair.base_ref}"
            versions = compare_url_below(url, [ref, pair.head_ref], ref)
        shown.append(Shown(pair, look_of(pair), url, versions, what_changed(pair, head, base)))
    return shown


def _said_arrow(comparison: BranchComparison, side: Side, arrow: Arrow) -> dict[str, Any]:
    base = Sentence(Name(comparison.base.name))
    return {"sign": SIGNS[side], "side": side, "said": sentence_of(side, arrow, base)}


def _drawn(comparison: BranchComparison) -> str:
    picture = drawing_of(comparison)
    if picture is None:
        return ""
    context = {
        "picture": picture,
        "symbols": symbols_of(picture.icons),
        "heads": HEADS_OF_CHANGES,
        "label": label_of(comparison),
        "style": "",
        "base_url": "",
    }
    return render_to_string("lineage/_drawing.html", context)


def _others(branches: list[dict[str, Any]], head: Branch) -> list[dict[str, str]]:
    """The comparisons of the head with each other branch of the menu."""
    project = project_url(head.project)
    keys = [(entry, entry["url"].removeprefix(f"{project}/")) for entry in branches if not entry["current"]]
    return [
        {"label": entry["label"], "url": f"{project}/compare/{key}...{quote(head.key)}"}
        for entry, key in keys
        if key != entry["url"]
    ]
