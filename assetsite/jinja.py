"""The Jinja2 environment of the site's own templates; the administration has Django's."""

from collections.abc import Callable
from functools import lru_cache
from typing import Any, TypeVar

import jinja2
from django.conf import settings
from django.core.signals import setting_changed
from django.template import engines
from django.template.defaultfilters import pluralize, truncatechars
from django.templatetags.static import static
from django.urls import reverse
from django_htmx.jinja import htmx_script

from catalog.shown.icons import icon, pictogram
from catalog.shown.lines import emphasised
from catalog.shown.markdown import is_cut, readme
from catalog.shown.names import breakable, isolated, said
from catalog.shown.numbers import grouped, metric, sparkline_of
from catalog.shown.times import duration, exact, machine, minute, relative, span

FILTERS: dict[str, Callable[..., Any]] = {
    "breakable": breakable,
    "cut": truncatechars,
    "duration": duration,
    "emphasised": emphasised,
    "exact": exact,
    "grouped": grouped,
    "is_cut": is_cut,
    "isolated": isolated,
    "machine": machine,
    "metric": metric,
    "minute": minute,
    "pictogram": pictogram,
    "pluralize": pluralize,
    "readme": readme,
    "relative": relative,
    "said": said,
    "span": span,
}
Function = TypeVar("Function", bound=Callable[..., Any])


def environment(**options: Any) -> jinja2.Environment:
    """What the setting `TEMPLATES` names: `options` are those of its backend."""
    made = jinja2.Environment(**options)  # noqa: S701 - the backend asks for autoescape
    made.filters.update(FILTERS)
    made.globals.update(
        icon=_kept(icon), static=_kept(static), htmx_script=_kept(htmx_script), sparkline_of=sparkline_of, url=url
    )
    return made


def compile_all() -> None:
    """Compile every template, so that the first page of each kind is as quick as the others."""
    backend: Any = engines["jinja2"]
    made = backend.env
    for name in made.list_templates(filter_func=lambda name: not name.startswith("django/")):
        made.get_template(name)


def url(name: str, *args: Any, **parts: Any) -> str:
    """The address of a page by its name in the URL conf."""
    return reverse(name, args=args, kwargs=parts)


def _kept(function: Function) -> Function:
    """`function`, asked once for the same arguments, as its answers come from the settings and the static files."""
    if settings.DEBUG:
        return function
    kept = lru_cache(maxsize=512)(function)
    setting_changed.connect(lambda **_: kept.cache_clear(), weak=False)  # in tests
    return kept  # type: ignore[return-value]
