"""Why a form was refused as perhaps not meant: which origin it came from and which was expected, or what was lacking.

Django gives the reason as an English sentence for developers. Here its kind is told to whoever sent the form, and what
whoever runs the site may have to set.
"""

from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.middleware import csrf

from access.errors import Forbidden, answer_refusal

SHOWN_LENGTH = 200
OUT_OF_DATE = "This form is out of date. Go back, reload the page and send it again."
UNTOLD = (
    "The browser did not say which page sent this form, which is asked for over https. An add-on, a setting of the "
    "browser or a proxy takes Origin and Referer away; let them pass for this site."
)
NOT_SAID = (csrf.REASON_NO_REFERER, csrf.REASON_MALFORMED_REFERER)
FROM_ELSEWHERE = {
    csrf.REASON_BAD_ORIGIN.partition("%")[0]: "Origin",
    csrf.REASON_BAD_REFERER.partition("%")[0]: "Referer",
}
"""How Django's reason begins, and the header that it is about. All that is wrong with a Referer begins alike."""


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """The site's CSRF_FAILURE_VIEW."""
    return answer_refusal(request, refusal_of_form(request, reason))


def refusal_of_form(request: HttpRequest, reason: str) -> Forbidden:
    """The refusal for a reason that Django's CSRF protection gives, maybe with words around it."""
    if any(untold in reason for untold in NOT_SAID):
        return Forbidden(UNTOLD)
    for start, header in FROM_ELSEWHERE.items():
        if start in reason:
            return _from_elsewhere(request, _origin_of(request.headers.get(header, "")))
    if csrf.REASON_NO_CSRF_COOKIE in reason:
        return Forbidden(_without_cookie(request), cookie=settings.CSRF_COOKIE_NAME)
    return Forbidden(OUT_OF_DATE)


def _from_elsewhere(request: HttpRequest, origin: str) -> Forbidden:
    expected = [f"{request.scheme}://{request.get_host()}", *settings.CSRF_TRUSTED_ORIGINS]
    came = f"This form came from {origin}" if origin != "null" else "This form came from a page that hides its origin"
    return Forbidden(
        f"{came}, and the site takes forms from {' and '.join(expected)}. {_advice()}", origin=origin, expected=expected
    )


def _advice() -> str:
    others = "an origin of others that may send forms belongs into ASSETSITE_TRUSTED_ORIGINS"
    if settings.PUBLIC_ADDRESS is not None:
        return f"Open the site as {settings.PUBLIC_ADDRESS.url}, which is its ASSETSITE_PUBLIC_URL; {others}."
    return (
        "If that is what people type, set ASSETSITE_PUBLIC_URL to it, or have the proxy pass on the Host with its "
        f"port, and X-Forwarded-Proto with ASSETSITE_TRUST_PROXY; {others}."
    )


def _without_cookie(request: HttpRequest) -> str:
    sentence = f"The browser sent no cookie {settings.CSRF_COOKIE_NAME} with this form."
    if settings.CSRF_COOKIE_SECURE and not request.is_secure():
        return f"{sentence} It is kept for https, and the site was reached by http: open it by https."
    return f"{sentence} Allow cookies for this site, go back, reload the page and send it again."


def _origin_of(address: str) -> str:
    """Scheme, host and port of what a browser says; of what is no address, what it says."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return address[:SHOWN_LENGTH]
    return (f"{parts.scheme}://{parts.netloc}" if parts.netloc else address)[:SHOWN_LENGTH]
