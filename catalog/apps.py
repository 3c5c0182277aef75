"""The room that knows what exists."""

from typing import Any

from django.apps import AppConfig
from django.apps import apps as present_apps
from django.db import DEFAULT_DB_ALIAS
from django.db.models.signals import post_migrate


class CatalogConfig(AppConfig):
    name = "catalog"
    verbose_name = "Catalogue"

    def ready(self) -> None:
        import catalog.reconciling.checks
        import catalog.recording.checks
        import catalog.runs.checks
        import catalog.starting.checks  # noqa: F401  (all register themselves when imported)

        post_migrate.connect(note_what_is_derived, sender=self)


def note_what_is_derived(
    *, using: str, verbosity: int, apps: Any = present_apps, stdout: Any = None, **kwargs: Any
) -> None:
    """Say after `migrate` if an older version has written the catalogue, so that it is to be recounted once."""
    from catalog.derivation import begin

    if using == DEFAULT_DB_ALIAS and not begin(apps) and verbosity and stdout:
        stdout.write(
            "This catalogue is to be recounted once: `assetsite serve` does so, else `assetsite manage recount`."
        )
