"""The demo that fills this site: how far it is, on every page while it is at work. In local mode only."""

from collections.abc import Callable
from pathlib import Path

from django.conf import settings
from django.core.exceptions import MiddlewareNotUsed
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from access.for_pages import is_call, open_page
from catalog.addresses import home_url
from examples import progress

WENT_ON = "demo-went-on"
"""The event by which a page that waits for its first rows hears that there may be some."""
SAID_EVERY = 10
"""Runs after which it is also said to those who hear pages."""


def folder() -> Path:
    """Where the demo of this site keeps what it does."""
    return settings.HOME / "demo"


class DemoMiddleware:
    """Puts how far the demo is on the requests of pages while it is at work, as `request.demo`.

    Such a page has no tag: the browser asks for it anew, so that it has the bar as long as the demo is at work, and
    no longer.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        if not settings.LOCAL_MODE:
            raise MiddlewareNotUsed
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        told = None
        if not is_call(request.path_info) and progress.is_at_work(folder()):
            told = progress.read(folder())
        if told is None or told.over:
            return self.get_response(request)
        request.demo = told  # type: ignore[attr-defined]
        request.META.pop("HTTP_IF_NONE_MATCH", None)
        response = self.get_response(request)
        response.headers.pop("ETag", None)
        return response


@require_safe
def demo_line(request: HttpRequest) -> HttpResponse:
    """What an open page that shows how far the demo is shows now: 204 if that is the same.

    The last line asks no more. Nothing of the database is looked at.
    """
    if not settings.LOCAL_MODE:
        raise Http404
    at_work = getattr(request, "demo", None)
    told, is_at_work = at_work or progress.read(folder()), at_work is not None
    if told is None:
        return HttpResponse()  # in the place of the line
    seen = request.GET.get("seen", "")
    if is_at_work and seen == told.mark:
        return HttpResponse(status=204)
    context = {
        "demo": told,
        "is_at_work": is_at_work,
        "is_said": not is_at_work or _tens(seen) != _tens(told.mark),
        "reload_url": open_page(request) or home_url(),
    }
    response = render(request, "_demo.html", context)
    response.headers["HX-Trigger"] = WENT_ON
    return response


def _tens(mark: str) -> int:
    done = mark.partition("-")[0]
    return int(done) // SAID_EVERY if done.isdecimal() and len(done) < 10 else 0
