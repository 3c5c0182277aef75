"""One address serves a page, or to htmx a part of it."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import patch_vary_headers

Context = dict[str, Any]


def render_page_or_part(
    request: HttpRequest, page: str, part: str, context: Context, around: Callable[[], Context], **alone: Any
) -> HttpResponse:
    """The template `page`, or `_part` alone if htmx is to replace the element of that id.

    The question is which element htmx names, not whether htmx asks: after Back it asks for the whole page.
    `around` makes the context that only the whole page needs; `alone` is what only the part needs.
    """
    if request.headers.get("HX-Target") == part:
        response = render(request, f"catalog/_{part}.html", {**context, **alone})
    else:
        response = render(request, f"catalog/{page}.html", {**context, **around()})
    patch_vary_headers(response, ["HX-Target"])
    return response
