"""What an operator would regret of the database, for `assetsite check --deploy` and the start of the server."""

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import psutil
from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Warning, register
from django.db import DatabaseError, connection

from access.deployment_checks import DEPLOYMENT

OVER_NETWORK = ("nfs", "cifs", "smb", "9p", "afs", "ceph", "gluster", "lustre", "fuse.sshfs", "fuse.s3fs")
"""How the types of file systems begin whose locks SQLite can't rely on."""

SHORT_LIVED = ("tmp", "var/tmp", "dev/shm", "run")
MOST = "current_setting('max_connections')::int"
RESERVED = "current_setting('superuser_reserved_connections')::int"
FOR_PROBES = 1
BESIDE = 2
"""Connections of the background pass, and of a command."""


@register(DEPLOYMENT, deploy=True)
def check_place(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Report an SQLite file where it is not safe."""
    file = Path(connection.settings_dict["NAME"])
    if connection.vendor != "sqlite" or not file.is_absolute():
        return []
    problems: list[CheckMessage] = []
    if any(file.is_relative_to(folder) for folder in (tempfile.gettempdir(), *(f"/{name}" for name in SHORT_LIVED))):
        problems.append(
            Warning(
                f"The database {str(file)!r} is in a folder that is emptied when the machine starts.",
                hint="Set ASSETSITE_HOME to another.",
                id="catalog.W011",
            )
        )
    if file_system_of(file).startswith(OVER_NETWORK):
        problems.append(
            Warning(
                f"The database {str(file)!r} is on a file system of a network, where SQLite can lose what is written.",
                hint="Set ASSETSITE_HOME to a disk of this machine, or DATABASE_URL to a PostgreSQL.",
                id="catalog.W012",
            )
        )
    return problems


@register(DEPLOYMENT, deploy=True)
def check_connections(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Report more threads than PostgreSQL takes connections."""
    most = _most_connections()
    needed = settings.WORKERS * (2 * settings.THREADS + FOR_PROBES) + BESIDE
    if most is None or needed <= most:
        return []
    return [
        Warning(
            f"The site may need {needed} connections, and PostgreSQL takes {most}.",
            hint="Lower ASSETSITE_WORKERS or ASSETSITE_THREADS, raise max_connections, or put PgBouncer between.",
            id="catalog.W013",
        )
    ]


def _most_connections() -> int | None:
    """How many connections PostgreSQL leaves to the site; None if it does not say."""
    if connection.vendor != "postgresql":
        return None
    try:
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT {MOST} - {RESERVED}")
            return int(cursor.fetchone()[0])
    except DatabaseError:
        return None


def file_system_of(file: Path) -> str:
    """The type of the file system that a file is on, such as `ext4`; empty if the system does not tell."""
    around = [part for part in psutil.disk_partitions(all=True) if file.is_relative_to(part.mountpoint)]
    return max(around, key=lambda part: len(part.mountpoint)).fstype if around else ""
