"""The room that tells people and programs."""

from django.apps import AppConfig


class TellingConfig(AppConfig):
    name = "telling"

    def ready(self) -> None:
        import telling.checks  # noqa: F401  (registers itself when imported)
