"""Pages that the reader's browser has already are answered with 304, before anything of them is read or drawn."""

import functools
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib.messages import get_messages
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.cache import patch_vary_headers

from access.identity import Viewer, viewer_of
from catalog import derivation
from catalog.models import Asset
from catalog.reading import Place
from catalog.unchanged import COARSE, Marks, clock, is_known, not_modified, place_of, tag_of, tagged

View = Callable[..., HttpResponseBase]


class Unchanged(Exception):
    """The reader has the page of this tag."""

    def __init__(self, tag: str) -> None:
        super().__init__(tag)
        self.tag = tag


class Shown:
    """A page that a reader may have: all that it depends on, once the view has told the rest."""

    tag = ""

    def __init__(self, request: HttpRequest, *parts: Any) -> None:
        self._request, self._parts = request, parts

    def unless_unchanged(self, *parts: Any) -> None:
        """Raise Unchanged if the reader has the page that also depends on `parts`, each told apart by its `repr`."""
        self.tag = tag_of(self._request, viewer_of(self._request), *self._parts, *parts)
        if is_known(self._request, self.tag):
            raise Unchanged(self.tag)


def unless_shown(depends: Marks, *, seconds: int = COARSE, and_more: bool = False) -> Callable[[View], View]:
    """Answer with 304 where the browser has the page; for views that only read.

    The view gets the row that was found with the marks, as its `branch` or `asset`; None if there is none. A page tells
    times ago, which may be `seconds` old where there are no scripts. `and_more`: the view says with `unless_unchanged`
    what else the page depends on, and has no tag where it says nothing.
    """

    def decorate(view: View) -> View:
        @functools.wraps(view)
        def answer(request: HttpRequest, *place: Place, **address: Any) -> HttpResponseBase:
            row, marks = _found(viewer_of(request), depends, place, address)
            shown = _shown(request, marks, seconds, is_page=not address.get("twin"))
            request.shown = shown  # type: ignore[attr-defined]
            try:
                if shown and not and_more:
                    shown.unless_unchanged()
                response = view(request, *place, **address, **row)
            except Unchanged as known:
                response = not_modified(known.tag)
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


def without_tag(request: HttpRequest) -> None:
    """The page shows what writes no mark, so it is given whole each time."""
    shown: Shown | None = request.shown  # type: ignore[attr-defined]
    if shown:
        shown.tag = ""


def _found(
    viewer: Viewer, depends: Marks, place: tuple[Place, ...], address: dict[str, Any]
) -> tuple[dict[str, Any], Any]:
    """The row that the page is of, as the view takes it, and the marks."""
    if not depends.found.sql:
        return {}, depends.now()[1]
    perimeter = viewer.require(place[0].perimeter)
    row, marks = depends.now(**place_of(perimeter, place[0], address))
    model = depends.found.model
    if model is None:
        return {}, marks
    if row is not None:
        (row.branch if model is Asset else row).project.perimeter = perimeter
    return {str(model._meta.model_name): row}, marks


def _shown(request: HttpRequest, marks: Any, seconds: int, *, is_page: bool) -> Shown | None:
    """None if the page has no tag: what is said once must not be kept, nor a form that comes with its first cookie."""
    if marks is None or settings.DEBUG or len(get_messages(request)):
        return None
    if not is_page:
        return Shown(request, marks)
    form = "" if viewer_of(request).local else request.COOKIES.get(settings.CSRF_COOKIE_NAME)
    return None if form is None else Shown(request, marks, form, clock(seconds), derivation.notice())
