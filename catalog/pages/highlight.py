"""The page of one highlight, with the task's other cards, the run's instances, and earlier highlights."""

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render

from access.identity import Viewer, viewer_of
from catalog import runs
from catalog.addresses import branch_url, highlights_url, instance_url
from catalog.entities import Entity
from catalog.models import Highlight, Instance
from catalog.own_cards import datastore_of
from catalog.pagekit.cards import CardView, view_of
from catalog.pagekit.frame import branch_frame
from catalog.pagekit.known_pages import unless_shown, unless_unchanged
from catalog.pagekit.places import at_place
from catalog.pagekit.query import PageQuery
from catalog.pagekit.uses import EntityLink
from catalog.pages.cards import answer_card
from catalog.pages.highlights import Tile, find_highlight
from catalog.reading import Place
from catalog.unchanged import ASSETS_OF_BRANCH, FRAME, HIGHLIGHTS_OF_BRANCH
from catalog.wire.rendering import json_answer

REGISTERED = 20
EARLIER = 10
OWN_CARD = "highlight"


@at_place
@unless_shown(FRAME | HIGHLIGHTS_OF_BRANCH | ASSETS_OF_BRANCH, and_more=True)
def highlight_page(request: HttpRequest, place: Place, uid: str, twin: bool) -> HttpResponse:
    viewer = viewer_of(request)
    highlight = find_highlight(viewer, place, uid)
    tile = Tile(highlight)
    card = None if twin else _card(tile, PageQuery.of(request))
    unless_unchanged(request, card and card.shown)
    registered = _registered(viewer, highlight)
    if twin:
        made = [{"kind": row.asset.kind, "asset": row.asset.asset_id, "ref": row.ref} for row in registered]
        return json_answer({**tile.shape, "registered": made})
    context = {
        **branch_frame(request, highlight.branch, "overview"),
        "branch": highlight.branch,
        "branch_url": branch_url(highlight.branch),
        "highlights_url": highlights_url(highlight.branch),
        "tile": tile,
        "task": EntityLink.of(highlight.entity_kind, highlight.entity_id),
        "card": card,
        "registered": [(row, instance_url(row.asset, row)) for row in registered],
        "earlier": _earlier(viewer, highlight),
    }
    return render(request, "catalog/highlight.html", context)


def _registered(viewer: Viewer, highlight: Highlight) -> list[Instance]:
    """The instances that the run registered on the branch."""
    if not highlight.run:
        return []
    made = Instance.objects.visible_to(viewer).filter(run=highlight.run, asset__branch=highlight.branch)
    rows = list(made.select_related("asset__branch__project__perimeter").defer("blobs", "annotations").order_by("pk"))
    return rows[:REGISTERED]


def _earlier(viewer: Viewer, highlight: Highlight) -> list[Tile]:
    """The newest other highlights of the same flow."""
    others = Highlight.objects.visible_to(viewer).filter(branch=highlight.branch, component=highlight.component)
    return [Tile(row) for row in others.exclude(pk=highlight.pk).at_hand().newest_first()[:EARLIER]]


def _task_of(highlight: Highlight) -> tuple[str, runs.Datastore]:
    """The task and datastore of the highlight, for `catalog.runs`; the task is empty if its entity is none."""
    is_task = Entity(highlight.entity_kind, highlight.entity_id).pathspec is not None
    place = datastore_of(highlight, highlight.branch.project.perimeter.name)
    return (highlight.entity_id if is_task else ""), place


def _card(tile: Tile, query: PageQuery) -> CardView | None:
    """The task's cards; the highlight's own only if the page can't show all that is in it."""
    cards = runs.cards_of(*_task_of(tile.highlight))
    if not tile.has_image or tile.image_url:
        cards = runs.CardList(tuple(card for card in cards if card.type != OWN_CARD))
    return view_of(cards, query, of=tile.title, address=tile.url) if cards else None


@at_place
def highlight_card(
    request: HttpRequest, place: Place, uid: str, card: str, twin: bool
) -> HttpResponse | HttpResponseBase:
    """The document of a card's frame, as for a card of an instance."""
    highlight = find_highlight(viewer_of(request), place, uid)
    return answer_card(request, runs.card_of(*_task_of(highlight), card), twin)
