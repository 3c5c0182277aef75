"""Private addresses of feeds, for readers that can't sign in: `/feeds/` before the address of a feed.

The key is the password of HTTP Basic, or the first part of the path. It is taken out of the request before anything
looks at that: whatever is logged, told or counted after this knows the plain address of the feed only. What answers is
the feed itself, as the person with the role of a viewer; nothing but feeds is given out here.
"""

import base64
import binascii
from collections.abc import Callable
from urllib.parse import urlsplit

from django.http import HttpRequest, HttpResponse

from access.masking import FEED_KEY_START

ROOT = "/feeds/"
ATOM = "application/atom+xml"
CHALLENGE = 'Basic realm="feeds", charset="UTF-8"'
RAW = ("PATH_INFO", "RAW_URI", "REQUEST_URI", "UNENCODED_URL")
"""What servers tell of the path."""
SENTENCES = {
    401: "This needs a key of feeds that was not revoked, of somebody who sees this: see “What you watch”.",
    404: "There is no such feed.",
    405: "Feeds are only read.",
}


class FeedAddressMiddleware:
    """Stands before all others."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.path_info.startswith(ROOT):
            return self.get_response(request)
        before = _take_key(request)
        response = self.get_response(request) if request.method in ("GET", "HEAD") else HttpResponse(status=405)
        response = _only_feeds(request, response, before)
        response.headers["Referrer-Policy"] = "no-referrer"
        return response


def _take_key(request: HttpRequest) -> str:
    """Move the key from the path or the header to `feed_secret`, and answer what stood before the plain path."""
    first, slash, rest = request.path_info.removeprefix(ROOT).partition("/")
    in_path = first.startswith(FEED_KEY_START)
    path = f"/{rest}" if in_path else f"/{first}{slash}{rest}"
    root = request.path.removesuffix(request.path_info)
    request.feed_secret = first if in_path else _password(request)  # type: ignore[attr-defined]
    request.path_info, request.path = path, f"{root}{path}"
    for name in (*RAW, "HTTP_AUTHORIZATION", "HTTP_X_API_KEY"):
        if name in request.META:
            del request.META[name]
    request.META["PATH_INFO"] = path
    return f"{root}{ROOT}{first}" if in_path else f"{root}{ROOT.rstrip('/')}"


def _password(request: HttpRequest) -> str:
    scheme, _, given = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
    if scheme.lower() != "basic":
        return ""
    try:
        return base64.b64decode(given.strip(), validate=True).decode().partition(":")[2]
    except (binascii.Error, UnicodeDecodeError):
        return ""


def _only_feeds(request: HttpRequest, response: HttpResponse, before: str) -> HttpResponse:
    """The answer if it is a feed, or says that it is still the same or where it is; else a sentence."""
    status = response.status_code
    is_feed = response.headers.get("Content-Type", "").startswith(ATOM)
    if request.path_info.endswith(".atom") and ((status == 200 and is_feed) or status == 304):
        return response
    if status in (301, 302):
        place = urlsplit(response.headers["Location"])
        if not place.netloc and place.path.endswith(".atom"):
            root = request.path.removesuffix(request.path_info)
            response.headers["Location"] = f"{before}{place.path.removeprefix(root)}"
            return response
        status = 401
    status = 404 if status < 400 else status
    told = SENTENCES.get(status, "This can't be answered now.")
    refused = HttpResponse(f"{told}\n", status=status, content_type="text/plain; charset=utf-8")
    for name in ("Cache-Control", "Vary", "Retry-After", "Content-Security-Policy", "X-Content-Type-Options"):
        if name in response.headers:
            refused.headers[name] = response.headers[name]
    refused.headers.setdefault("Cache-Control", "private, no-cache")
    if status == 401:
        refused.headers["WWW-Authenticate"] = CHALLENGE
    if status == 405:
        refused.headers["Allow"] = "GET, HEAD"
    return refused
