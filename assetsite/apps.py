"""Packages under this site's own rules and words."""

from axes.apps import AppConfig as AxesConfig
from django.conf import settings
from django.contrib.admin.apps import AdminConfig
from django.core.signals import request_started
from django.db import reset_queries


class SiteAdminConfig(AdminConfig):
    default_site = "assetsite.admin.SiteAdmin"

    def ready(self) -> None:
        super().ready()
        from assetsite import checks  # noqa: F401  (registers itself when imported)

        if not settings.DEBUG:
            request_started.disconnect(reset_queries)  # nobody has Django keep them


class FailedSignInsConfig(AxesConfig):
    verbose_name = "Failed sign-ins"  # in the administration
