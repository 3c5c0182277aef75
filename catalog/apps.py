"""The room that knows what exists."""

from django.apps import AppConfig


class CatalogConfig(AppConfig):
    name = "catalog"
    verbose_name = "Catalogue"

    def ready(self) -> None:
        import catalog.reconciling.checks
        import catalog.recording.checks
        import catalog.runs.checks  # noqa: F401  (all register themselves when imported)
