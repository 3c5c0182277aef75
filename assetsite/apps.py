"""Packages under this site's own rules and words."""

from axes.apps import AppConfig as AxesConfig
from django.contrib.admin.apps import AdminConfig


class SiteAdminConfig(AdminConfig):
    default_site = "assetsite.admin.SiteAdmin"

    def ready(self) -> None:
        super().ready()
        from assetsite import checks  # noqa: F401  (registers itself when imported)


class FailedSignInsConfig(AxesConfig):
    verbose_name = "Failed sign-ins"  # in the administration
