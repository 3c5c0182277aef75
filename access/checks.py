"""System checks of the configuration, for `assetsite check`: what must be set before the site may be served."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.core.exceptions import ImproperlyConfigured
from django.db import connection

from access.models import RESERVED_NAMES
from access.pooling import loses_prepared_statements

if TYPE_CHECKING:
    from assetsite.public_address import PublicAddress


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
                hint="Set ASSETSITE_PUBLIC_URL to the address that people type, or this to names of hosts alone.",
                id="access.E003",
            )
        )
    if settings.PUBLIC_ADDRESS is not None:
        problems += _public_address_problems(settings.PUBLIC_ADDRESS)
    elif settings.SECURE_SSL_REDIRECT and not settings.SECURE_PROXY_SSL_HEADER:
        problems.append(
            Warning(
                "ASSETSITE_TLS is set without ASSETSITE_TRUST_PROXY: the site can't tell https from http, so it "
                "redirects every page to itself, for ever.",
                hint="Have the proxy in front set X-Forwarded-Proto itself, and set ASSETSITE_TRUST_PROXY=true.",
                id="access.W001",
            )
        )
    return problems


def _public_address_problems(address: "PublicAddress") -> list[CheckMessage]:
    problems: list[CheckMessage] = []
    if settings.SECURE_SSL_REDIRECT and not address.is_secure:
        problems.append(
            Error(
                f"ASSETSITE_TLS says that people reach the site by https only, ASSETSITE_PUBLIC_URL is {address.url}",
                hint="Write the public address with https, or leave ASSETSITE_TLS out.",
                id="access.E006",
            )
        )
    first = address.script_name.split("/")[1] if address.path else ""
    if first in RESERVED_NAMES:
        problems.append(
            Error(
                f"ASSETSITE_PUBLIC_URL is {address.url}, and the site itself has addresses below /{first}.",
                hint="Serve it below another path.",
                id="access.E007",
            )
        )
    return problems


def _local_mode_problems() -> list[CheckMessage]:
    problems: list[CheckMessage] = []
    if strangers := sorted(set(settings.ALLOWED_HOSTS) - set(settings.LOCAL_HOSTS)):
        problems.append(
            Error(
                f"Local mode needs no sign-in, so it must not answer to {', '.join(strangers)}.",
                hint="Leave the host names to the site, or set ASSETSITE_MODE=team.",
                id="access.E004",
            )
        )
    if settings.PUBLIC_ADDRESS is not None:
        problems.append(
            Error(
                "ASSETSITE_PUBLIC_URL is set, and local mode answers to this machine only, never through a proxy.",
                hint="Leave the public address out, or set ASSETSITE_MODE=team.",
                id="access.E005",
            )
        )
    return problems


def _has_secret_key() -> bool:
    try:
        return bool(settings.SECRET_KEY)
    except ImproperlyConfigured:
        return False
