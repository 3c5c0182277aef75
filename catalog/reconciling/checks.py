"""The system check of `ASSETSITE_RECONCILE`, for `manage.py check`."""

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register

from catalog.reconciling.sources import Listed


@register(Tags.security)
def check_sources(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Report each entry of `ASSETSITE_RECONCILE` that can't be parsed."""
    return [
        Error(
            f"ASSETSITE_RECONCILE has the entry {entry!r}: {problem}",
            hint="An entry is perimeter=/folder or perimeter=https://service, with * for every perimeter.",
            id="catalog.E002",
        )
        for entry in settings.RECONCILE
        if (problem := _problem(entry))
    ]


def _problem(entry: str) -> str:
    try:
        Listed.parse(entry)
    except ValueError as error:
        return str(error)
    return ""
