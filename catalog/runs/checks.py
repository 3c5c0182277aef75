"""The system check of `ASSETSITE_CARD_ROOTS`, for `manage.py check`."""

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register

from access.deployment_checks import DEPLOYMENT
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
    """Report a team's site that may read no card."""
    try:
        if settings.LOCAL_MODE or configured_roots():
            return []
    except ValueError:  # which is an error of its own
        return []
    return [
        Warning(
            "No card and no fact of a task is shown: no place is named where they may be read.",
            hint="Set ASSETSITE_CARD_ROOTS to the datastore roots of your flows.",
            id="catalog.W001",
        )
    ]


def _problem(entry: str) -> str:
    try:
        Root.parse(entry)
    except ValueError as error:
        return str(error)
    return ""
