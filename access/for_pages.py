"""Middleware that only pages and browsers need: calls of the API pass it by."""

from typing import Any

from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.auth.models import AnonymousUser
from django.contrib.messages.middleware import MessageMiddleware
from django.contrib.sessions.middleware import SessionMiddleware
from django.http import HttpRequest
from django.utils.http import url_has_allowed_host_and_scheme
from django_htmx.middleware import HtmxMiddleware

from access.errors import API_ROOT

PAGES_BELOW = (f"{API_ROOT}docs",)
"""The pages at addresses that begin as those of calls do."""


def is_call(path: str) -> bool:
    """Whether what is asked for at this path is no page."""
    return path.startswith(API_ROOT) and path not in PAGES_BELOW


def open_page(request: HttpRequest) -> str:
    """The path and query of the page whose script asks; empty if the browser does not say it, or not one of this site.

    `//example.org` is a path as well, and a link to it leads elsewhere.
    """
    path: str = request.htmx.current_url_abs_path or ""  # type: ignore[attr-defined]
    return path if url_has_allowed_host_and_scheme(path, allowed_hosts=None) else ""


class _ForPages:
    get_response: Any

    def __call__(self, request: HttpRequest) -> Any:
        behind: Any = super().__call__ if self.is_needed(request) else self.get_response  # type: ignore[misc]
        return behind(request)

    def is_needed(self, request: HttpRequest) -> bool:
        return not is_call(request.path_info)


class Messages(_ForPages, MessageMiddleware):
    """What a form did is said on the next page."""


class Htmx(_ForPages, HtmxMiddleware):
    """Which part of a page is asked for."""


class _ForBrowsers(_ForPages):
    def is_needed(self, request: HttpRequest) -> bool:
        return bool(request.META.get("HTTP_COOKIE")) or super().is_needed(request)


class Sessions(_ForBrowsers, SessionMiddleware):
    """Sessions are known by a cookie; flows have none."""


class Users(_ForBrowsers, AuthenticationMiddleware):
    """The user of a session; without one it is nobody."""

    def __call__(self, request: HttpRequest) -> Any:
        request.user = AnonymousUser()
        return super().__call__(request)
