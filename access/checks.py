"""System checks of the configuration, for `manage.py check`: what must be set before the site may be served."""

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.core.exceptions import ImproperlyConfigured
from django.db import connection

from access.pooling import loses_prepared_statements


@register(Tags.security)
def check_mode(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Everything that the mode relies on is set."""
    return _local_mode_problems() if settings.LOCAL_MODE else _team_mode_problems()


@register(Tags.compatibility)
def check_pooler(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Statements that are prepared once are still there the next time."""
    database: Any = connection
    if database.vendor != "postgresql" or not settings.PREPARED_STATEMENTS:
        return []
    if not loses_prepared_statements(database.Database, database.get_connection_params()):
        return []
    return [
        Error(
            "The pooler of DATABASE_URL loses prepared statements, as PgBouncer in transaction mode does before 1.21.",
            hint="Set ASSETSITE_PREPARED_STATEMENTS=false; or, with PgBouncer 1.21 or newer, max_prepared_statements "
            "there.",
            id="access.E005",
        )
    ]


def _team_mode_problems() -> list[CheckMessage]:
    problems: list[CheckMessage] = []
    if not _has_secret_key():
        problems.append(
            Error(
                "ASSETSITE_SECRET_KEY is not set; team mode signs its sessions with it.",
                hint="Set it to a long random text that is kept secret and is the same for every worker.",
                id="access.E002",
            )
        )
    if not settings.ALLOWED_HOSTS:
        problems.append(
            Error(
                "ASSETSITE_ALLOWED_HOSTS is not set; team mode answers only to the host names listed there.",
                hint="Set it to the names that people type, separated by commas: assets.example.org",
                id="access.E003",
            )
        )
    if settings.SECURE_SSL_REDIRECT and not settings.SECURE_PROXY_SSL_HEADER:
        problems.append(
            Warning(
                "ASSETSITE_TLS is set without ASSETSITE_TRUST_PROXY: the site can't tell https from http, so it "
                "redirects every page to itself, for ever.",
                hint="Have the proxy in front set X-Forwarded-Proto itself, and set ASSETSITE_TRUST_PROXY=true.",
                id="access.W001",
            )
        )
    return problems


def _local_mode_problems() -> list[CheckMessage]:
    strangers = sorted(set(settings.ALLOWED_HOSTS) - set(settings.LOCAL_HOSTS))
    if not strangers:
        return []
    return [
        Error(
            f"Local mode needs no sign-in, so it must not answer to {', '.join(strangers)}.",
            hint="Leave the host names to the site, or set ASSETSITE_MODE=team.",
            id="access.E004",
        )
    ]


def _has_secret_key() -> bool:
    try:
        return bool(settings.SECRET_KEY)
    except ImproperlyConfigured:
        return False
