"""Middleware that only pages need: calls of the API pass it by."""

from typing import Any

from django.contrib.messages.middleware import MessageMiddleware
from django.http import HttpRequest
from django_htmx.middleware import HtmxMiddleware

from access.errors import API_ROOT

PAGES_BELOW = (f"{API_ROOT}docs",)
"""The pages at addresses that begin as those of calls do."""


def is_call(path: str) -> bool:
    """Whether what is asked for at this path is no page."""
    return path.startswith(API_ROOT) and path not in PAGES_BELOW


class _ForPages:
    get_response: Any

    def __call__(self, request: HttpRequest) -> Any:
        behind: Any = self.get_response if is_call(request.path_info) else super().__call__  # type: ignore[misc]
        return behind(request)


class Messages(_ForPages, MessageMiddleware):
    """What a form did is said on the next page."""


class Htmx(_ForPages, HtmxMiddleware):
    """Which part of a page is asked for."""
