"""The datastore roots that the server may read.

In local mode: any folder that a client on this machine named and that the server's own user owns. In both modes: the
roots in `ASSETSITE_CARD_ROOTS` and in Metaflow's own configuration, and everything below them.

An entry of `ASSETSITE_CARD_ROOTS` may bind its root to a perimeter: `beta=s3://bucket/prefix`. Then that root and all
below it is read for the instances of this perimeter only, even if another root contains it. Of nested bound roots the
innermost one decides.
"""

import os
import re
from pathlib import Path
from typing import NamedTuple

from django.conf import settings

from access.models import PERIMETER_NAME
from catalog.runs.datastore_layout import metaflow_setting
from catalog.runs.results import Datastore, Reason, UnavailableError
from catalog.runs.stores import LocalStore, S3Store, Store, real

BUCKET_URL = re.compile(r"s3://(?P<bucket>[A-Za-z0-9._-]{1,255})(?P<prefix>(/[^/\0]+)*)/?")
ENTRY = re.compile(r"(?:(?P<perimeter>[^/~=]*)=)?(?P<place>.*)", re.DOTALL)  # a "=" behind a "/" belongs to the place


class Bucket(NamedTuple):
    """A place in object storage."""

    name: str
    prefix: str

    @classmethod
    def parse(cls, url: str) -> "Bucket | None":
        """The bucket and prefix of an `s3://` address; None if it is malformed or has the segments "." or ".."."""
        match = BUCKET_URL.fullmatch(url)
        if match is None or any(name in ("", ".", "..") for name in match["prefix"].split("/")[1:]):
            return None
        return cls(match["bucket"], match["prefix"].strip("/"))

    def holds(self, other: "Bucket") -> bool:
        """Whether `other` is this place or lies below it."""
        return self.name == other.name and f"{other.prefix}/".startswith(f"{self.prefix}/" if self.prefix else "")


class Root(NamedTuple):
    """A configured root; `perimeter` is None if it is for all of them."""

    place: Path | Bucket
    perimeter: str | None = None

    @classmethod
    def parse(cls, entry: str) -> "Root":
        """The root of an entry of `ASSETSITE_CARD_ROOTS`; raises ValueError with the reason if it is malformed."""
        match = ENTRY.fullmatch(entry)
        perimeter, place = (match["perimeter"], match["place"]) if match else (None, "")
        if perimeter is not None and not PERIMETER_NAME.fullmatch(perimeter):
            raise ValueError(f"{perimeter!r} is not the name of a perimeter.")
        if bucket := Bucket.parse(place):
            return cls(bucket, perimeter)
        if not place.startswith(("/", "~/")) or "\0" in place:
            raise ValueError(f"{place!r} is neither an absolute folder nor an address such as s3://bucket/prefix.")
        return cls(real(Path(place).expanduser()), perimeter)

    def holds(self, place: Path | Bucket) -> bool:
        """Whether `place` is this root or lies below it."""
        if isinstance(self.place, Bucket):
            return isinstance(place, Bucket) and self.place.holds(place)
        return isinstance(place, Path) and place.is_relative_to(self.place)


class Roots:
    """The configured roots, as seen by the instances of one perimeter."""

    def __init__(self, perimeter: str) -> None:
        self._perimeter = perimeter
        roots = configured_roots()
        self._mine = [root for root in roots if root.perimeter in (None, perimeter)]
        self._bound = [root for root in roots if root.perimeter is not None]

    @property
    def open(self) -> list[Path | Bucket]:
        """The roots that may be read."""
        return [root.place for root in self._mine if not self.is_closed(root.place)]

    def is_open(self, place: Path | Bucket) -> bool:
        """Whether `place` is one of the roots that may be read, or lies below it."""
        return any(root.holds(place) for root in self._mine) and not self.is_closed(place)

    def is_closed(self, place: Path | Bucket) -> bool:
        """Whether `place` belongs to other perimeters."""
        around = [root for root in self._bound if root.holds(place)]
        innermost = [root for root in around if all(other.holds(root.place) for other in around)]
        return bool(innermost) and self._perimeter not in {root.perimeter for root in innermost}

    def folder(self, folder: Path, owner: int | None = None) -> LocalStore:
        """The store at `folder`, without places below it that belong to other perimeters."""
        closed = [place for place in self._closed_below(folder) if isinstance(place, Path)]
        return LocalStore(folder, owner, closed)

    def bucket(self, bucket: Bucket) -> S3Store:
        """The store at `bucket`, without places below it that belong to other perimeters."""
        closed = [place.prefix for place in self._closed_below(bucket) if isinstance(place, Bucket)]
        return S3Store(bucket.name, bucket.prefix, metaflow_setting("S3_ENDPOINT_URL"), closed)

    def _closed_below(self, place: Path | Bucket) -> list[Path | Bucket]:
        return [root.place for root in self._bound if Root(place).holds(root.place) and self.is_closed(root.place)]


def configured_roots() -> list[Root]:
    """The roots in `ASSETSITE_CARD_ROOTS` and in Metaflow's configuration; raises ValueError for a malformed entry."""
    sysroot = metaflow_setting("DATASTORE_SYSROOT_LOCAL")
    folders = [f"{sysroot}/.metaflow" if sysroot else None, metaflow_setting("CARD_LOCALROOT")]
    buckets = [metaflow_setting("DATASTORE_SYSROOT_S3"), metaflow_setting("CARD_S3ROOT")]
    return [
        *(Root.parse(entry) for entry in settings.CARD_ROOTS),
        *(Root(real(Path(folder).expanduser())) for folder in folders if folder),
        *(Root(bucket) for url in buckets if url and (bucket := Bucket.parse(url))),
    ]


class Stores(NamedTuple):
    """The stores to look in for a task's files (at least one), and for its local metadata."""

    files: list[Store]
    metadata: list[LocalStore]


def stores_for(datastore: Datastore) -> Stores:
    """The stores to look in: the one that the task names, if that is allowed, then the configured ones.

    The configured ones matter if a client does not report its datastore, or not that Metaflow stores cards apart from
    their task: with METAFLOW_DATASTORE_SYSROOT_LOCAL set, 2.19 writes cards below the working directory.
    """
    roots = Roots(datastore.perimeter)
    folders = [roots.folder(place) for place in roots.open if isinstance(place, Path)]
    buckets = [roots.bucket(place) for place in roots.open if isinstance(place, Bucket)]
    named = [_named(datastore.type, datastore.root, roots)] if datastore.root else []
    of_a_kind: dict[str | None, list[Store]] = {"local": [*folders], "s3": [*buckets]}
    configured = of_a_kind.get(datastore.type, [*folders, *buckets])
    files = list({store.root: store for store in [*named, *configured]}.values())
    if not files:
        raise UnavailableError(
            Reason.UNREACHABLE,
            "Nothing tells this server where the task keeps its files. Whoever runs the server can name the place with "
            "ASSETSITE_CARD_ROOTS, or with Metaflow's own METAFLOW_DATASTORE_SYSROOT_LOCAL or "
            "METAFLOW_DATASTORE_SYSROOT_S3: see docs/configuration.md.",
        )
    return Stores(files, [store for store in files if isinstance(store, LocalStore)] or folders)


def stores_of_cards(datastore: Datastore, stores: Stores) -> list[Store]:
    """The stores to look in for a task's cards: the one that it names for them, then those of its files."""
    if not datastore.cards:
        return stores.files
    try:
        named = _named(datastore.type, datastore.cards, Roots(datastore.perimeter))
    except UnavailableError as error:
        if error.answer.reason is Reason.NOT_ALLOWED:
            raise
        return stores.files  # the first card would have made the folder
    return [named, *stores.files]


def _named(kind: str | None, root: str, roots: Roots) -> Store:
    if kind == "local":
        return _named_folder(root, roots)
    if kind == "s3":
        bucket = Bucket.parse(root)
        if bucket is None or not roots.is_open(bucket):
            raise _not_allowed()
        return roots.bucket(bucket)
    raise UnavailableError(
        Reason.UNREACHABLE,
        "This server reads folders and S3, not the kind of storage that this task uses. "
        "Metaflow's own command, card view, shows its cards.",
    )


def _named_folder(root: str, roots: Roots) -> Store:
    if "\0" in root or not root.startswith("/"):
        raise _not_allowed()
    folder = real(Path(root))
    configured = roots.is_open(folder)
    if not configured and (not settings.LOCAL_MODE or roots.is_closed(folder)):
        raise _not_allowed()
    if not folder.is_dir():
        raise UnavailableError(
            Reason.UNREACHABLE,
            "The folder in which this task kept its files is not on this machine. Cards of other machines are shown if "
            "Metaflow keeps them in S3, or in a folder that this machine has under the same name.",
        )
    if configured:
        return roots.folder(folder)
    if folder.stat().st_uid != os.geteuid():
        raise _not_allowed()
    return roots.folder(folder, owner=os.geteuid())


def _not_allowed() -> UnavailableError:
    return UnavailableError(
        Reason.NOT_ALLOWED,
        "This server is not allowed to read where this task keeps its files. "
        "Whoever runs the server can allow it with ASSETSITE_CARD_ROOTS.",
    )
