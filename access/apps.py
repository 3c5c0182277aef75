"""The room that decides who may do what."""

from django.apps import AppConfig
from django.db.backends.signals import connection_created


class AccessConfig(AppConfig):
    name = "access"
    verbose_name = "Access"

    def ready(self) -> None:
        from access import checks, deployment_checks, schema  # noqa: F401  (all register themselves when imported)
        from access.local_mode import watch_changes
        from access.statement_limits import watch_statements

        connection_created.connect(watch_statements)
        watch_changes()
