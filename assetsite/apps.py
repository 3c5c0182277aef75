"""Django's admin with this site's own rules of who may enter."""

from django.contrib.admin.apps import AdminConfig


class SiteAdminConfig(AdminConfig):
    default_site = "assetsite.admin.SiteAdmin"

    def ready(self) -> None:
        super().ready()
        from assetsite import checks  # noqa: F401  (registers itself when imported)
