"""The document of a card's frame, and the data that a running task writes into it."""

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from access.identity import viewer_of
from catalog import runs
from catalog.addresses import instance_url
from catalog.pagekit.cards import label_of, task_of, view_of
from catalog.pagekit.places import at_place
from catalog.pagekit.query import PageQuery
from catalog.reading import Place, find_asset, find_instance
from catalog.runs.card_frame import frame_response, live_response
from catalog.wire.rendering import json_answer

NO_CARD = runs.Unavailable(runs.Reason.NO_CARD, "A definition was made by no task, so it has no card.")


@at_place
def card_list(request: HttpRequest, place: Place, kind: str, asset_id: str, reference: str) -> HttpResponse:
    """The cards of a version, as static/film.js asks for them."""
    asset = find_asset(viewer_of(request), place, kind, asset_id)
    instance = find_instance(asset, reference).instance
    if instance is None:
        return json_answer({"cards": [], "missing": NO_CARD.sentence})
    cards, address = runs.cards_of(*task_of(asset, instance)), instance_url(asset, instance)
    shapes = [
        {"title": card.title, "label": label_of(card), "url": f"{address}/cards/{card.key}", "live": card.live}
        for card in cards
    ]
    missing = "" if cards else view_of(cards, PageQuery.of(request), of=instance.ref, address=address).sentence
    return json_answer({"cards": shapes, "missing": missing or None})


@at_place
def card_frame(
    request: HttpRequest, place: Place, kind: str, asset_id: str, reference: str, card: str, twin: bool
) -> HttpResponse | HttpResponseBase:
    """The document of a card's frame; its twin is the data that a running task writes into the card."""
    asset = find_asset(viewer_of(request), place, kind, asset_id)
    instance = find_instance(asset, reference).instance
    return answer_card(request, runs.card_of(*task_of(asset, instance), card) if instance else NO_CARD, twin)


def answer_card(
    request: HttpRequest, found: runs.Card | runs.Unavailable, twin: bool
) -> HttpResponse | HttpResponseBase:
    """A card for its frame, or the data that its task writes into it."""
    if twin:
        return live_response(runs.live_data(found) if isinstance(found, runs.Card) else found)
    return frame_response(request, runs.card_page(found) if isinstance(found, runs.Card) else found)
