"""The room that knows what exists."""

from django.apps import AppConfig


class CatalogConfig(AppConfig):
    name = "catalog"
    verbose_name = "Catalogue"

    def ready(self) -> None:
        from catalog.runs import checks  # noqa: F401  (registers itself when imported)
