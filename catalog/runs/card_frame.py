"""The response for a card's frame: a page that others made, under a policy that lets it reach nothing."""

import gzip
from http import HTTPStatus

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.utils.cache import get_conditional_response, patch_vary_headers
from django.utils.html import format_html

from catalog.runs.card_document import document_of, new_nonce
from catalog.runs.results import CardPage, LiveData, Reason, Unavailable

# Metaflow's cards carry their own scripts and styles, all inline, and images as data; charts compile expressions
POLICY = "; ".join(
    [
        "sandbox allow-scripts",
        "default-src 'none'",
        "script-src 'unsafe-inline' 'unsafe-eval'",
        "worker-src 'none'",
        "style-src 'unsafe-inline'",
        "img-src data: blob:",
        "font-src data:",
        "connect-src 'none'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'self'",
    ]
)
STATUS = {
    Reason.NOT_ALLOWED: HTTPStatus.FORBIDDEN,
    Reason.UNREACHABLE: HTTPStatus.SERVICE_UNAVAILABLE,
}


def policy_of(nonce: str) -> str:
    """The policy of a document with this nonce. It is two, which both hold: of the scripts that are written in the
    page, for the first allows no others, only those with the nonce run."""
    return f"{POLICY}, script-src 'nonce-{nonce}' 'unsafe-eval'"


def frame_response(request: HttpRequest, page: CardPage | Unavailable) -> HttpResponseBase:
    """The card, or the sentence that says why not, for `<iframe sandbox="allow-scripts" data-card>`.

    403 if the browser does not load it into an inner frame: a card that is opened by itself could navigate its tab.
    """
    if request.headers.get("Sec-Fetch-Dest", "iframe") != "iframe":
        refusal = HttpResponse("A card is shown only inside its page.", "text/plain", HTTPStatus.FORBIDDEN)
        return _guarded(refusal, POLICY)
    if isinstance(page, Unavailable):
        nonce = new_nonce()
        return _guarded(_said(page, nonce), policy_of(nonce))
    return _guarded(_shown(request, page), policy_of(page.nonce))


def live_response(data: LiveData | Unavailable) -> HttpResponse:
    """The JSON that static/card.js asks for at an iframe's `data-live` address, every few seconds until it is final."""
    if isinstance(data, Unavailable):
        answer = JsonResponse({"error": data.reason, "message": data.sentence}, status=_status(data))
    else:
        answer = JsonResponse(data.as_json())
    answer["Cache-Control"] = "no-store"
    return answer


def _status(answer: Unavailable) -> HTTPStatus:
    return STATUS.get(answer.reason, HTTPStatus.NOT_FOUND)


def _shown(request: HttpRequest, page: CardPage) -> HttpResponseBase:
    zipped = "gzip" in request.headers.get("Accept-Encoding", "")
    response = HttpResponse(page.gzipped if zipped else gzip.decompress(page.gzipped))
    if zipped:
        response["Content-Encoding"] = "gzip"
    patch_vary_headers(response, ["Accept-Encoding", "Sec-Fetch-Dest"])
    if page.live:
        response["Cache-Control"] = "no-store"
        return response
    # Validated on each use, so that a revoked right, or a load outside a frame, takes effect at once
    response["Cache-Control"] = "private, no-cache"
    response["ETag"] = page.etag
    return get_conditional_response(request, etag=page.etag, response=response) or response


def _said(answer: Unavailable, nonce: str) -> HttpResponse:
    body = format_html(
        '<!doctype html><meta charset="utf-8"><meta name="color-scheme" content="light dark"><title>No card</title>'
        '<body style="font: 1rem system-ui, sans-serif; margin: 1rem"><p>{}</p>',
        answer.sentence,
    )
    response = HttpResponse(document_of(body.encode(), nonce), status=_status(answer))
    response["Cache-Control"] = "no-store"
    return response


def _guarded(response: HttpResponseBase, policy: str) -> HttpResponseBase:
    """The same response under a policy of cards. The site's middleware leaves headers that are set here; a 304 has
    them too, because browsers apply its headers to the cached page."""
    response["Content-Security-Policy"] = policy
    response["Connection-Allowlist"] = "()"  # where browsers know it, it closes what no policy names: not even a knock
    response["X-DNS-Prefetch-Control"] = "off"
    response["X-Frame-Options"] = "SAMEORIGIN"
    response["X-Content-Type-Options"] = "nosniff"
    response["Referrer-Policy"] = "no-referrer"
    return response
