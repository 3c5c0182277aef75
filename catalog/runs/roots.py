"""Which datastore roots the server may read.

In local mode: any folder that a client on this machine named and that the server's own user owns. In both modes: what
`ASSETSITE_CARD_ROOTS` lists and what Metaflow's own configuration names, and everything below.
"""

import os
import re
from pathlib import Path
from typing import NamedTuple

from django.conf import settings

from catalog.runs.answers import Datastore, Reason, UnavailableError
from catalog.runs.layout import metaflow_setting
from catalog.runs.stores import LocalStore, S3Store, Store, real

BUCKET_URL = re.compile(r"s3://(?P<bucket>[A-Za-z0-9._-]{1,255})(?P<prefix>(/[^/\0]+)*)/?")


class Bucket(NamedTuple):
    """A root in object storage."""

    name: str
    prefix: str

    @classmethod
    def parse(cls, url: str) -> "Bucket | None":
        """The bucket and prefix of an `s3://` address, or None if it is none or has names that lead elsewhere."""
        match = BUCKET_URL.fullmatch(url)
        if match is None or any(name in ("", ".", "..") for name in match["prefix"].split("/")[1:]):
            return None
        return cls(match["bucket"], match["prefix"].strip("/"))

    def holds(self, other: "Bucket") -> bool:
        """Whether `other` is this root or lies below it."""
        return self.name == other.name and f"{other.prefix}/".startswith(f"{self.prefix}/" if self.prefix else "")


def stores_for(datastore: Datastore) -> list[Store]:
    """The stores to look in: the one that the task names, if that is allowed, and after it the configured ones.

    The configured ones matter where a client does not say where its datastore is, and where Metaflow put a card
    elsewhere than its task: with METAFLOW_DATASTORE_SYSROOT_LOCAL set, 2.19 writes cards below the working directory.
    """
    named = [_named(datastore)] if datastore.root else []
    stores = {store.root: store for store in [*named, *configured_stores(datastore.type)]}
    if not stores:
        raise UnavailableError(Reason.UNREACHABLE, "Nothing tells this server where the task keeps its files.")
    return list(stores.values())


def configured_stores(kind: str | None) -> list[Store]:
    """The stores that this server is configured to read, of one kind (`local`, `s3`) or of both."""
    stores: list[Store] = []
    if kind != "s3":
        stores += [LocalStore(folder) for folder in _local_roots()]
    if kind != "local":
        stores += [_s3_store(bucket) for bucket in _buckets()]
    return stores


def _named(datastore: Datastore) -> Store:
    root = datastore.root or ""
    if datastore.type == "local":
        return _local_store(root)
    if datastore.type == "s3":
        bucket = Bucket.parse(root)
        if bucket is None or not any(allowed.holds(bucket) for allowed in _buckets()):
            raise _not_allowed()
        return _s3_store(bucket)
    raise UnavailableError(Reason.UNREACHABLE, "This server can't read the kind of storage that this task uses.")


def _local_store(root: str) -> Store:
    if "\0" in root or not root.startswith("/"):
        raise _not_allowed()
    folder = real(Path(root))
    configured = any(folder.is_relative_to(allowed) for allowed in _local_roots())
    if not configured and not settings.LOCAL_MODE:
        raise _not_allowed()
    if not folder.is_dir():
        raise UnavailableError(
            Reason.UNREACHABLE, "The folder in which this task kept its files is not on this machine."
        )
    if configured:
        return LocalStore(folder)
    if folder.stat().st_uid != os.geteuid():
        raise _not_allowed()
    return LocalStore(folder, owner=os.geteuid())


def _s3_store(bucket: Bucket) -> Store:
    return S3Store(bucket.name, bucket.prefix, metaflow_setting("S3_ENDPOINT_URL"))


def _local_roots() -> list[Path]:
    sysroot = metaflow_setting("DATASTORE_SYSROOT_LOCAL")
    named = [root for root in settings.CARD_ROOTS if "://" not in root]
    named += [f"{sysroot}/.metaflow"] if sysroot else []
    named += [root for root in [metaflow_setting("CARD_LOCALROOT")] if root]
    return [real(Path(root).expanduser()) for root in named]


def _buckets() -> list[Bucket]:
    named = [*settings.CARD_ROOTS, metaflow_setting("DATASTORE_SYSROOT_S3"), metaflow_setting("CARD_S3ROOT")]
    return [bucket for url in named if url and (bucket := Bucket.parse(url))]


def _not_allowed() -> UnavailableError:
    return UnavailableError(
        Reason.NOT_ALLOWED,
        "This server is not allowed to read where this task keeps its files. "
        "Whoever runs the server can allow it with ASSETSITE_CARD_ROOTS.",
    )
