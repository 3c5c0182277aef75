"""The room that decides who may do what."""

from django.apps import AppConfig


class AccessConfig(AppConfig):
    name = "access"
    verbose_name = "Access"

    def ready(self) -> None:
        from access import checks, schema  # noqa: F401  (both register themselves when imported)
