"""The version of this code, and the migrations that a database has and this code lacks."""

from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version

from django.apps import apps
from django.core.management.base import CommandError
from django.db import connections
from django.db.migrations.loader import MigrationLoader

Migration = tuple[str, str]
"""Application and name, such as `("catalog", "0001_initial")`."""


def own_version() -> str:
    """The version of assetsite that runs."""
    try:
        return version("assetsite")
    except PackageNotFoundError:
        return "of this checkout"


def applied(using: str) -> set[Migration]:
    """The migrations that a database has."""
    return set(MigrationLoader(connections[using]).applied_migrations)


def newer_than_this(migrations: Iterable[Migration]) -> list[str]:
    """Those that this code lacks, as `catalog.0001_initial`; of applications that it has, as others do no harm."""
    known = set(MigrationLoader(None).disk_migrations)
    ours = {config.label for config in apps.get_app_configs()}
    return sorted(".".join(migration) for migration in set(migrations) - known if migration[0] in ours)


def refuse_newer(migrations: Iterable[Migration], what: str) -> None:
    """Raise CommandError if the migrations are those of a newer version, which this one could only spoil."""
    if newer := newer_than_this(migrations):
        raise CommandError(
            f"{what} is of a newer version than this assetsite {own_version()}, which does not know "
            f"{', '.join(newer)}. Run that version, or restore a backup that was made before."
        )
