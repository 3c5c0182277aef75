"""System checks: mail that is set up in part."""

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Warning, register

from access.deployment_checks import DEPLOYMENT
from telling.subscriptions import is_mail_on


@register(DEPLOYMENT, deploy=True)
def check_mail(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Report a server for mail of which nothing comes, as mail could not say where to look."""
    if not settings.EMAIL_FROM or is_mail_on() or settings.LOCAL_MODE:
        return []
    return [
        Warning(
            "No mail is sent: the site does not know the address that links in mail would begin with.",
            hint="Set ASSETSITE_PUBLIC_URL to the address that people type.",
            id="telling.W001",
        )
    ]
