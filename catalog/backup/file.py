"""A backup as a file: a zip of `manifest.json`, which says what it is, and a dump, which the database's own tools read.

It is written whole or not at all, for its owner only, as it has digests of passwords and tokens. A zip has a checksum
of each of its parts, and its list of them at the end, so one that is cut off or changed is noticed.
"""

import json
import os
import shutil
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, NamedTuple

from django.utils import timezone

from catalog.starting.versions import Migration, own_version

MANIFEST = "manifest.json"
FORMAT = 1
DUMPS = {"sqlite": "catalogue.sqlite3", "postgresql": "catalogue.pgdump"}
"""The name of the dump, by the kind of the database."""

Take = Callable[[IO[bytes], Path], set[Migration]]
"""Writes a dump, with a folder for what it needs meanwhile; answers which migrations it has."""


class NoBackup(ValueError):
    """The file is not a whole backup."""


class Manifest(NamedTuple):
    """What a backup says of itself."""

    database: str
    version: str
    """Of the assetsite that took it."""
    taken_at: str
    migrations: list[Migration]


def write(path: Path, database: str, take: Take) -> Manifest:
    """Write a backup to `path`, which is replaced if it is there. Raises OSError."""
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=f".{path.name[:100]}.") as folder:
        new = Path(folder) / "backup"
        new.touch(mode=0o600, exist_ok=False)
        with new.open("wb") as file:
            with zipfile.ZipFile(file, "w") as archive:
                manifest = _written(archive, database, lambda dump: take(dump, Path(folder)))
            file.flush()
            os.fsync(file.fileno())
        new.replace(path)
    sync_folder(path.parent)
    return manifest


def _written(archive: zipfile.ZipFile, database: str, take: Callable[[IO[bytes]], set[Migration]]) -> Manifest:
    taken_at = timezone.now()
    entry = zipfile.ZipInfo(DUMPS[database], taken_at.timetuple()[:6])
    entry.compress_type = zipfile.ZIP_DEFLATED if database == "sqlite" else zipfile.ZIP_STORED  # which is compressed
    with archive.open(entry, "w", force_zip64=True) as dump:
        migrations = sorted(take(dump))
    manifest = Manifest(database, own_version(), taken_at.isoformat(timespec="seconds"), migrations)
    archive.writestr(MANIFEST, json.dumps({"format": FORMAT, **manifest._asdict()}, indent=1))
    return manifest


@contextmanager
def opened(path: Path) -> Iterator[tuple[Manifest, IO[bytes]]]:
    """The manifest and the dump of the backup at `path`; raises NoBackup, also while the dump is read, and OSError."""
    try:
        with zipfile.ZipFile(path) as archive:
            manifest = _manifest_of(archive)
            with archive.open(DUMPS[manifest.database]) as dump:
                yield manifest, dump
    except (zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise NoBackup(f"{path} is no backup of assetsite, or not a whole one: {error}.") from error


def _manifest_of(archive: zipfile.ZipFile) -> Manifest:
    try:
        said = json.loads(archive.read(MANIFEST))
        manifest = Manifest(
            said["database"], said["version"], said["taken_at"], [(app, name) for app, name in said["migrations"]]
        )
        archive.getinfo(DUMPS[manifest.database])
    except (KeyError, TypeError, ValueError) as error:
        raise NoBackup(f"{archive.filename} is no backup of assetsite.") from error
    if said["format"] != FORMAT:
        raise NoBackup(f"{archive.filename} is in a form that this version does not know; {manifest.version} wrote it.")
    return manifest


def copy_to(source: IO[bytes], path: Path) -> None:
    """Write all of a stream to a new file, and see it on the disk."""
    with path.open("xb") as file:
        shutil.copyfileobj(source, file, 1 << 20)
        file.flush()
        os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """See the names in a folder on the disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
