"""What an operator of a team's site would regret, for `assetsite check --deploy` and the start of the server.

They take the place of Django's own, which name its settings and not the site's.
"""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Warning, register

DEPLOYMENT = "deployment"
"""The tag of these checks, in all rooms."""

SHORTEST_KEY = 50
FEWEST_CHARACTERS = 10
"""How many different ones a key has at least that nobody made up by hand."""


@register(DEPLOYMENT, deploy=True)
def check_deployment(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Report what lets others in, in team mode."""
    return [] if settings.LOCAL_MODE else [*_in_the_open(), *_easily_guessed()]


def is_closed(folder: Path | str) -> bool:
    """Whether a folder that a setting names is missing, or not for the user that runs this to look into."""
    return not os.access(folder, os.R_OK | os.X_OK)


def _in_the_open() -> list[CheckMessage]:
    problems: list[CheckMessage] = []
    if not settings.SESSION_COOKIE_SECURE:
        problems.append(
            Warning(
                "The site is reached by http, so passwords and tokens can be read on their way.",
                hint="Put a proxy that speaks TLS in front, and set ASSETSITE_TLS=true and ASSETSITE_TRUST_PROXY=true.",
                id="access.W010",
            )
        )
    if settings.DEBUG:
        problems.append(
            Warning(
                "ASSETSITE_DEBUG is on: an error shows the code and what it works on to everybody.",
                hint="Leave it out.",
                id="access.W011",
            )
        )
    if "*" in settings.ALLOWED_HOSTS:
        problems.append(
            Warning(
                "ASSETSITE_ALLOWED_HOSTS is *: links in the site's answers lead wherever the request says.",
                hint="Set it to the names that people type, separated by commas.",
                id="access.W012",
            )
        )
    if settings.PUBLIC_ADDRESS is not None and not settings.TRUST_PROXY:
        problems.append(
            Warning(
                "A proxy is in front, and all people have its address: the failures of one keep others from signing "
                "in, and the audit log can't tell them apart.",
                hint="Let nobody reach the site but through the proxy, and set ASSETSITE_TRUST_PROXY=true.",
                id="access.W014",
            )
        )
    return problems


def _easily_guessed() -> list[CheckMessage]:
    found = {
        "ASSETSITE_SECRET_KEY": [settings.SECRET_KEY],
        "ASSETSITE_SECRET_KEY_FALLBACKS": settings.SECRET_KEY_FALLBACKS,
    }
    return [
        Warning(
            f"{name} can be guessed: it has less than {SHORTEST_KEY} characters, or repeats a few.",
            hint="Make one: python3 -c 'import secrets; print(secrets.token_urlsafe(50))'",
            id="access.W013",
        )
        for name, keys in found.items()
        if any(len(key) < SHORTEST_KEY or len(set(key)) < FEWEST_CHARACTERS for key in keys)
    ]
