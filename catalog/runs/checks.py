"""The system check of `ASSETSITE_CARD_ROOTS`, for `assetsite check`."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register

from access.deployment_checks import DEPLOYMENT, is_closed
from catalog.runs.roots import Root, configured_roots


@register(Tags.security)
def check_card_roots(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Report malformed entries of `ASSETSITE_CARD_ROOTS`: one with a typo could leave its root open to all."""
    return [
        Error(
            f"ASSETSITE_CARD_ROOTS has the entry {entry!r}: {problem}",
            hint="An entry is a folder or s3://bucket/prefix; perimeter= in front binds it to a perimeter. "
            "One with a comma stands in double quotes.",
            id="catalog.E001",
        )
        for entry in settings.CARD_ROOTS
        if (problem := _problem(entry))
    ]


@register(DEPLOYMENT, deploy=True)
def check_that_cards_are_shown(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Report a team's site that may read no card, or has folders for them into which it can't look."""
    try:
        roots = configured_roots()
    except ValueError:  # which is an error of its own
        return []
    if settings.LOCAL_MODE:
        return []
    if roots:
        return [_closed(root.place) for root in roots if isinstance(root.place, Path) and is_closed(root.place)]
    return [
        Warning(
            "No card and no fact of a task is shown: no place is named where they may be read.",
            hint="Set ASSETSITE_CARD_ROOTS to the datastore roots of your flows.",
            id="catalog.W001",
        )
    ]


def _closed(folder: Path) -> CheckMessage:
    return Warning(
        f"Cards are looked for in {str(folder)!r}, which is not there, or not for the user that runs this to read.",
        hint="Correct ASSETSITE_CARD_ROOTS, or open the folder to that user.",
        id="catalog.W003",
    )


def _problem(entry: str) -> str:
    try:
        Root.parse(entry)
    except ValueError as error:
        return str(error)
    return ""
