"""Limits statements, puts the viewer on every request, sends strangers to the sign-in page, and guards local mode."""

import ipaddress
import re
from collections.abc import Callable
from functools import cache, lru_cache, partial
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import MiddlewareNotUsed
from django.http import HttpRequest, HttpResponse
from django.shortcuts import resolve_url
from django.utils.cache import patch_vary_headers
from django.utils.functional import SimpleLazyObject

from access.authentication import identify
from access.errors import (
    API_ROOT,
    CHALLENGE,
    MethodNotAllowed,
    SiteError,
    Unauthorized,
    answer_refusal,
    error_response,
    wants_json,
)
from access.identity import viewer_of
from access.local_mode import local_user
from access.statement_limits import limited

Answer = Callable[[HttpRequest], HttpResponse]

SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
PROXY_HEADER = re.compile(
    r"HTTP_(FORWARDED|VIA|CDN_LOOP|X_FORWARDED.*|X_ORIGINAL.*|X_REWRITE.*"
    r"|.*(CLIENT|CONNECTING|REAL|REMOTE|USER|PEER|SOURCE|SOCKET)_?(IP|ADDR|ADDRESS))"
)
"""What proxies and tunnels add: where a request came from, what it asked for before, and that it passed them."""


class StatementLimitMiddleware:
    """Limits what a request asks of the database, from the first statement to the last."""

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        is_call = request.path_info.startswith(API_ROOT)
        seconds = settings.CALL_LIMIT if is_call else settings.PAGE_LIMIT
        request.statement_limit = seconds  # type: ignore[attr-defined]
        with limited(seconds, reads=request.method in SAFE_METHODS):
            return self.get_response(request)


class LocalModeMiddleware:
    """In local mode everybody who reaches the site is its one user, so it makes sure that only they reach it.

    Refused: other machines, whatever came through a proxy (the proxy is on this machine, its clients are not), and web
    pages of other origins. So are host names that are not loopback (a foreign name may be pointed at this machine), by
    Django before this, as ALLOWED_HOSTS has no others in local mode.
    """

    def __init__(self, get_response: Answer) -> None:
        if not settings.LOCAL_MODE:
            raise MiddlewareNotUsed
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        reason = proxied(request) or cross_site(request)
        if reason:
            return refuse(request, reason)
        request.user = SimpleLazyObject(local_user)  # type: ignore[assignment]
        request.signed_in_locally = True  # type: ignore[attr-defined]
        return self.get_response(request)


class ViewerMiddleware:
    """`viewer_of(request)` for every view, `request.viewer` for templates; pages ask people to sign in, and answer the
    site's exceptions."""

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        asked: Any = request
        asked.who_asks = cache(partial(identify, request))
        asked.viewer = SimpleLazyObject(asked.who_asks)
        response = self.get_response(request)
        if response.status_code == 405 and not response.content:
            allowed = response.headers.get("Allow", "")
            response = answer_refusal(request, MethodNotAllowed())
            response.headers["Allow"] = allowed
        return response

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], args: Any, kwargs: Any
    ) -> HttpResponse | None:
        """Only views marked with Django's `login_not_required` are for everybody; the API asks by itself."""
        if not getattr(view, "login_required", True):
            return None
        try:
            return None if viewer_of(request).signed_in else ask_to_sign_in(request, Unauthorized())
        except Unauthorized as exc:
            return ask_to_sign_in(request, exc)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """The answer to the site's own exceptions that leave a page."""
        if not isinstance(exception, SiteError):
            return None
        if isinstance(exception, Unauthorized):
            return ask_to_sign_in(request, exception)
        return answer_refusal(request, exception)


def ask_to_sign_in(request: HttpRequest, exc: Unauthorized) -> HttpResponse:
    """Send a person to the sign-in page and back afterwards, and answer a program in JSON."""
    if wants_json(request) or request.headers.get("x-api-key") or request.headers.get("Authorization"):
        return error_response(exc.status, exc.message, exc.detail)
    sign_in = resolve_url(settings.LOGIN_URL)
    response: HttpResponse
    if "HX-Request" in request.headers:  # a redirect would put the sign-in page into a part of the open page
        response = HttpResponse(status=401, headers={"HX-Redirect": sign_in, **CHALLENGE})
    else:
        response = redirect_to_login(request.get_full_path(), sign_in)
    patch_vary_headers(response, ["HX-Request"])
    return response


def proxied(request: HttpRequest) -> str:
    """Why the request did not come straight from a program on this machine; empty if it did."""
    address = request.META.get("REMOTE_ADDR", "")
    if not _is_loopback(address):
        return f"Local mode answers to this machine only, not to {address or 'an unknown address'}."
    for name in request.META:
        if added_by_proxies(name):
            header = name.removeprefix("HTTP_").replace("_", "-").title()
            return f"Local mode answers no request that came through a proxy (header {header}); use team mode."
    return ""


@lru_cache(maxsize=1024)
def added_by_proxies(name: str) -> bool:
    """Whether a name in a request's META is that of a header which says that a proxy was passed."""
    return PROXY_HEADER.fullmatch(name) is not None


def cross_site(request: HttpRequest) -> str:
    """Why a browser would not have sent this on behalf of a page of this very site; empty if nothing says so.

    Programs that are no browsers send none of these headers and pass. Following a link from elsewhere passes too:
    it only reads, and the page that links can't see the answer.
    """
    site = request.META.get("HTTP_SEC_FETCH_SITE", "")
    origin = request.META.get("HTTP_ORIGIN", "")
    if origin and origin != _own_origin(request):
        return f"A page of {origin} may not use this site."
    if request.method in SAFE_METHODS:
        followed_link = request.headers.get("Sec-Fetch-Mode") == "navigate" and _is_whole_page(request)
        if site in ("cross-site", "same-site") and not followed_link:
            return "A page of another site may link to this one, but not load anything from it."
        return ""
    if site not in ("", "same-origin", "none"):
        return "A page of another site may not change anything here."
    referer = request.META.get("HTTP_REFERER", "")
    if not origin and referer and _origin_of(referer) != _own_origin(request):
        return "A page of another site may not change anything here."
    return ""


def refuse(request: HttpRequest, reason: str) -> HttpResponse:
    """A refusal as a sentence, without any of the site around it."""
    if wants_json(request):
        return error_response(403, reason)
    return HttpResponse(reason + "\n", status=403, content_type="text/plain; charset=utf-8")


@lru_cache(maxsize=64)
def _is_loopback(address: str) -> bool:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    mapped = getattr(parsed, "ipv4_mapped", None)
    return (mapped or parsed).is_loopback


def _own_origin(request: HttpRequest) -> str:
    return f"{request.scheme}://{request.get_host()}"


def _origin_of(address: str) -> str:
    try:
        parts = urlsplit(address)
    except ValueError:
        return ""
    return f"{parts.scheme}://{parts.netloc}"


def _is_whole_page(request: HttpRequest) -> bool:
    return request.headers.get("Sec-Fetch-Dest", "document") == "document"
