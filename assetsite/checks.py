"""System checks of what no room has: the names of the settings."""

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Tags, Warning, register


@register(Tags.compatibility)
def check_names(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Report variables that nobody reads and that look like a misspelt setting, which then is at its default."""
    return [
        Warning(
            f"{name} is set, which is no setting.",
            hint=f"Is {setting} meant? docs/configuration.md has all of them.",
            id="assetsite.W001",
        )
        for name, setting in sorted(settings.MISSPELT_SETTINGS.items())
    ]
