"""Where Metaflow's metadata is read, and for which perimeters.

In local mode: datastore folders of flows on this machine, if the server's own user owns them; the places in Metaflow's
own configuration; and folders given with `--root`; each for all perimeters. In team mode: only the places that
`ASSETSITE_RECONCILE` lists, because whoever can write metadata in such a place can write into its perimeter.
"""

import os
import re
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from django.conf import settings

from access.models import PERIMETER_NAME
from catalog.models import Instance, MetadataSource
from catalog.runs.datastore_layout import metaflow_setting
from catalog.runs.metadata import Metadata, MetadataFolder, ServiceMetadata
from catalog.runs.results import Reason, UnavailableError
from catalog.runs.service import MetadataService, ServiceUnavailable
from catalog.runs.stores import LocalStore, real

ANY = "*"
ENTRY = re.compile(r"(?P<perimeter>[^/~=]*)=(?P<place>.+)", re.DOTALL)
PLACE_LENGTH = 1024
METADATA_FOLDER = ".metaflow"


class Listed(NamedTuple):
    """An entry of `ASSETSITE_RECONCILE`: a place, and the perimeter (or any, `*`) that its tasks may write into."""

    perimeter: str
    place: str

    @classmethod
    def parse(cls, entry: str) -> "Listed":
        """The parsed entry; raises ValueError with the reason if it is malformed."""
        match = ENTRY.fullmatch(entry)
        if match is None:
            raise ValueError("it names no perimeter; write perimeter=place, or *=place.")
        perimeter, place = match["perimeter"], match["place"]
        if perimeter != ANY and not PERIMETER_NAME.fullmatch(perimeter):
            raise ValueError(f"{perimeter!r} is not the name of a perimeter.")
        if is_address(place):
            return cls(perimeter, place.rstrip("/"))
        if not place.startswith(("/", "~/")) or "\0" in place:
            raise ValueError(f"{place!r} is neither an absolute folder nor the address of a metadata service.")
        return cls(perimeter, folder_of(place))


@dataclass(frozen=True)
class Source:
    """A place to read metadata from, and the perimeters that its tasks may write into."""

    row: MetadataSource
    perimeters: frozenset[str]

    def allows(self, perimeter: str) -> bool:
        return ANY in self.perimeters or perimeter in self.perimeters

    @contextmanager
    def opened(self) -> Iterator[Metadata]:
        """The metadata in this place; raises `UnavailableError` if it isn't there or may not be read."""
        if is_address(self.row.place):
            with ExitStack() as stack:
                try:
                    service = stack.enter_context(MetadataService(self.row.place))
                except ServiceUnavailable as error:
                    raise UnavailableError(Reason.UNREACHABLE, str(error)) from error
                yield ServiceMetadata(service)
        else:
            yield MetadataFolder(self._store())

    def _store(self) -> LocalStore:
        folder = Path(self.row.place)
        if not folder.is_dir():
            raise UnavailableError(Reason.UNREACHABLE, "The folder is not on this machine.")
        if not settings.LOCAL_MODE:
            return LocalStore(folder)
        if folder.stat().st_uid != os.geteuid():
            raise UnavailableError(Reason.NOT_ALLOWED, "The folder is not the server's own user's.")
        return LocalStore(folder, owner=os.geteuid())


class RootNotAllowed(ValueError):
    """The server may not reconcile from this folder."""


def remember_root(root: str) -> None:
    """Store the folder as a source for this and later passes; a project's folder stands for its `.metaflow`."""
    folder = folder_of(root)
    if not settings.LOCAL_MODE and folder not in {entry.place for entry in listed()}:
        raise RootNotAllowed(f"ASSETSITE_RECONCILE does not list {folder}.")
    if not Path(folder).is_dir():
        raise RootNotAllowed(f"There is no folder {folder}.")
    _remember(folder)


def learn_roots(instances_from: int) -> None:
    """In local mode, add the datastore folders that instances from this key on name."""
    if not settings.LOCAL_MODE:
        return
    named = Instance.objects.filter(pk__gte=instances_from, datastore_type="local").exclude(datastore_root="")
    known = set(MetadataSource.objects.values_list("place", flat=True))
    for root in named.order_by().values_list("datastore_root", flat=True).distinct():
        folder = folder_of(root)
        if root.startswith("/") and folder not in known and _is_mine(folder):
            _remember(folder)


def sources() -> list[Source]:
    """All places to read, in the order in which they became known."""
    if not settings.LOCAL_MODE:
        return _listed_sources()
    for place in [*(entry.place for entry in listed()), *_configured()]:
        _remember(place)
    return [Source(row, frozenset([ANY])) for row in MetadataSource.objects.order_by("pk")]


def listed() -> list[Listed]:
    """The well-formed entries of `ASSETSITE_RECONCILE`; `assetsite check` reports the others."""
    found = []
    for entry in settings.RECONCILE:
        try:
            found.append(Listed.parse(entry))
        except ValueError:
            continue
    return found


def is_address(place: str) -> bool:
    return place.startswith(("http://", "https://"))


def folder_of(root: str) -> str:
    """The metadata folder that `root` is or contains, with links resolved."""
    folder = real(Path(root).expanduser())
    inside = folder / METADATA_FOLDER
    return str(inside if folder.name != METADATA_FOLDER and inside.is_dir() else folder)


def _listed_sources() -> list[Source]:
    perimeters: dict[str, set[str]] = {}
    for entry in listed():
        perimeters.setdefault(entry.place, set()).add(entry.perimeter)
    return [Source(_remember(place), frozenset(names)) for place, names in perimeters.items()]


def _configured() -> Iterable[str]:
    """The metadata folder and service in Metaflow's own configuration."""
    sysroot, service = metaflow_setting("DATASTORE_SYSROOT_LOCAL"), metaflow_setting("SERVICE_URL")
    if sysroot and _is_mine(folder := folder_of(f"{sysroot}/{METADATA_FOLDER}")):
        yield folder
    if service and is_address(service):
        yield service.rstrip("/")


def _is_mine(folder: str) -> bool:
    try:
        return Path(folder).is_dir() and Path(folder).stat().st_uid == os.geteuid()
    except (OSError, ValueError):
        return False


def _remember(place: str) -> MetadataSource:
    return MetadataSource.objects.get_or_create(place=place[:PLACE_LENGTH])[0]
