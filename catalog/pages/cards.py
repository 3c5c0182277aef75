"""The document of a card's frame, and the data that a running task writes into it."""

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from access.identity import viewer_of
from catalog import runs
from catalog.pagekit.cards import task_of
from catalog.pagekit.places import at_place
from catalog.reading import Place, find_asset, find_instance
from catalog.runs.card_frame import frame_response, live_response

NO_CARD = runs.Unavailable(runs.Reason.NO_CARD, "A definition was made by no task, so it has no card.")


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
