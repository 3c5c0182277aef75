"""Pages that the reader's browser has already are answered with 304, before anything of them is read or drawn."""

import functools
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib.messages import get_messages
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.cache import patch_vary_headers

from access.identity import viewer_of
from catalog import derivation
from catalog.unchanged import COARSE, Marks, clock, is_known, not_modified, place_of, tag_of, tagged

View = Callable[..., HttpResponseBase]


class Unchanged(Exception):
    """The reader has the page."""


class Shown:
    """A page that a reader may have: all that it depends on, once the view has told the rest."""

    tag = ""

    def __init__(self, request: HttpRequest, *parts: Any) -> None:
        self._request, self._parts = request, parts

    def unless_unchanged(self, *parts: Any) -> None:
        """Raise Unchanged if the reader has the page that also depends on `parts`, each told apart by its `repr`."""
        self.tag = tag_of(self._request, viewer_of(self._request), *self._parts, *parts)
        if is_known(self._request, self.tag):
            raise Unchanged


def unless_shown(depends: Marks, *, seconds: int = COARSE, and_more: bool = False) -> Callable[[View], View]:
    """Answer with 304 where the browser has the page; for views that only read.

    A page tells times ago, which may be `seconds` old where there are no scripts. `and_more`: the view says with
    `unless_unchanged` what else the page depends on, and has no tag where it says nothing.
    """

    def decorate(view: View) -> View:
        @functools.wraps(view)
        def answer(request: HttpRequest, *place: Any, **address: Any) -> HttpResponseBase:
            shown = _shown(request, depends, seconds, place, address)
            request.shown = shown  # type: ignore[attr-defined]
            try:
                if shown and not and_more:
                    shown.unless_unchanged()
                response = view(request, *place, **address)
            except Unchanged:
                response = not_modified(shown.tag)  # type: ignore[union-attr]
            else:
                response = tagged(shown.tag, response) if shown and shown.tag else response
            patch_vary_headers(response, ["HX-Target"])
            return response

        answer.depends_on = depends  # type: ignore[attr-defined]
        return answer

    return decorate


def unless_unchanged(request: HttpRequest, *parts: Any) -> None:
    """What else the page depends on: nothing more is done if the reader has it."""
    shown: Shown | None = request.shown  # type: ignore[attr-defined]
    if shown:
        shown.unless_unchanged(*parts)


def _shown(
    request: HttpRequest, depends: Marks, seconds: int, place: tuple[Any, ...], address: dict[str, Any]
) -> Shown | None:
    """None if the page has no tag: what is said once must not be kept, nor a form that comes with its first cookie."""
    viewer = viewer_of(request)
    if settings.DEBUG or len(get_messages(request)):  # type: ignore[arg-type]
        return None
    around: tuple[Any, ...] = ()
    if not address.get("twin"):
        form = "" if viewer.local else request.COOKIES.get(settings.CSRF_COOKIE_NAME)
        if form is None:
            return None
        around = (form, clock(seconds), derivation.notice())
    marks = depends.now(**(place_of(viewer, place[0], address) if depends.found else {}))
    return None if marks is None else Shown(request, marks, *around)
