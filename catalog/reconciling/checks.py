"""The system check of `ASSETSITE_RECONCILE`, for `assetsite check`."""

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register

from access.deployment_checks import DEPLOYMENT, is_closed
from catalog.reconciling.sources import Listed, is_address


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


@register(DEPLOYMENT, deploy=True)
def check_that_nothing_is_lost(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Report a team's site that reads no metadata, or is to read it in folders into which it can't look."""
    if settings.LOCAL_MODE:
        return []
    if settings.RECONCILE:
        places = {Listed.parse(entry).place for entry in settings.RECONCILE if not _problem(entry)}
        return [_closed(place) for place in sorted(places) if not is_address(place) and is_closed(place)]
    return [
        Warning(
            "What tasks register while the site is away does not come in later: no place of metadata is named.",
            hint="Set ASSETSITE_RECONCILE to Metaflow's metadata service, as *=https://… or perimeter=https://…",
            id="catalog.W002",
        )
    ]


def _closed(folder: str) -> CheckMessage:
    return Warning(
        f"Metadata is looked for in {folder!r}, which is not there, or not for the user that runs this to read.",
        hint="Correct ASSETSITE_RECONCILE, or open the folder to that user.",
        id="catalog.W004",
    )


def _problem(entry: str) -> str:
    try:
        Listed.parse(entry)
    except ValueError as error:
        return str(error)
    return ""
