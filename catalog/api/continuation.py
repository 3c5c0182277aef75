"""Continuation of lists: page size and start of the next page. Tokens are URL-safe and opaque to clients."""

import base64
import binascii

from rest_framework.request import Request

from access.errors import BadRequest
from catalog import limits
from catalog.run_outcomes import RunPlace

PAGING = ("page_size", "continuation")
"""The parameters of every paged list."""


def page_size(request: Request, default: int, most: int) -> int:
    text = request.query_params.get("page_size", "")
    if not text:
        return default
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= most):
        raise BadRequest(f"'page_size' must be a whole number from 1 to {most}.", field="page_size")
    return int(text)


def token_for(position: str) -> str:
    return base64.urlsafe_b64encode(position.encode()).decode().rstrip("=")


def after_name(request: Request) -> str:
    """The name after which the page begins; empty for the first page."""
    return _position(request)


def before_number(request: Request) -> int | None:
    """The instance number below which the page begins."""
    return after_id(request)


def after_run(request: Request) -> RunPlace | None:
    return RunPlace.parse(_position(request), "continuation")


def after_id(request: Request) -> int | None:
    position = _position(request)
    if not position:
        return None
    if not (position.isascii() and position.isdigit() and len(position) <= 18):
        raise _bad_token()
    return int(position)


def _position(request: Request) -> str:
    token = request.query_params.get("continuation", "")
    try:
        position = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True).decode()
    except (ValueError, binascii.Error):
        raise _bad_token() from None
    if limits.UNSTORABLE.search(position):
        raise _bad_token()
    return position


def _bad_token() -> BadRequest:
    return BadRequest("'continuation' is not one that this list gave out. Begin without it.", field="continuation")
