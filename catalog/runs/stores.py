"""Stores read the files below a root, and nothing else: a folder of this machine or a bucket.

A store knows nothing of cards. It returns bytes, or None for a file that is missing, or raises `UnavailableError`.
"""

import errno
import functools
import os
import stat
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from catalog.runs.results import Reason, UnavailableError

MAX_BYTES = 64 * 1024 * 1024
SILENCE_SECONDS = 10.0  # for so long no request is sent to a service that did not answer


class Silence:
    """Remembers that a service did not answer, so that the next pages need not wait for its timeout too."""

    def __init__(self) -> None:
        self._until = 0.0

    def begin(self) -> None:
        """Record that the service did not answer."""
        self._until = time.monotonic() + SILENCE_SECONDS

    @property
    def lasts(self) -> bool:
        """Whether the service should not be called yet."""
        return time.monotonic() < self._until


class StoredFile(NamedTuple):
    """One file of a folder. `version` changes whenever its content may have changed."""

    name: str
    size: int
    modified: float
    version: str


class Store(Protocol):
    """Files below one root."""

    root: str

    def files(self, folder: str) -> list[StoredFile]:
        """The files directly in `folder`; an empty list if there is no such folder."""

    def read(self, path: str, limit: int = MAX_BYTES) -> bytes | None:
        """The content of the file at `path`; None if there is none. Refused if longer than `limit` bytes."""


def too_large(limit: int) -> UnavailableError:
    """The refusal of a file longer than `limit` bytes."""
    return UnavailableError(
        Reason.TOO_LARGE,
        f"This is larger than {limit // 1024**2} MB and is not shown. Metaflow's own command, card view, shows it.",
    )


def real(path: Path) -> Path:
    """`path` with all links resolved; unlike with `Path.resolve`, a loop of links is no error."""
    return Path(os.path.realpath(path))


class LocalStore:
    """A folder of this machine. Links are followed as long as they stay below the root.

    Every open walks down from the root, one folder at a time, without following links; a link is resolved and the walk
    begins again. So a file that is swapped for a link meanwhile can't lead out of the root. With `owner`, only files of
    that user are read. Nothing is read in or below the folders of `closed`, whose paths have no links.
    """

    def __init__(self, root: Path, owner: int | None = None, closed: Sequence[Path] = ()) -> None:
        self._path = real(root)
        self._owner = owner
        self._closed = closed
        self.root = str(self._path)

    def files(self, folder: str) -> list[StoredFile]:
        with self._opened(folder, os.O_DIRECTORY) as descriptor:
            if descriptor is None:
                return []
            with os.scandir(descriptor) as entries:
                return sorted(found for entry in entries if (found := self._stored_file(folder, entry)))

    def read(self, path: str, limit: int = MAX_BYTES) -> bytes | None:
        with self._opened(path, os.O_NONBLOCK | os.O_NOCTTY) as descriptor:
            if descriptor is None:
                return None
            size = os.fstat(descriptor).st_size
            if size > limit:
                raise too_large(limit)
            with os.fdopen(descriptor, "rb", closefd=False) as file:
                return file.read(size)

    def scan(self, folder: str) -> Iterator[os.DirEntry[str]]:
        """The entries of `folder` in no order, one by one; links too, wherever they lead."""
        with self._opened(folder, os.O_DIRECTORY) as descriptor:
            if descriptor is not None:
                with os.scandir(descriptor) as entries:
                    yield from entries

    def changed(self, folder: str) -> float:
        """When an entry was last added to `folder` or removed, in seconds since 1970; 0 if there is no such folder."""
        with self._opened(folder, os.O_DIRECTORY) as descriptor:
            return 0.0 if descriptor is None else os.fstat(descriptor).st_mtime

    def _stored_file(self, folder: str, entry: os.DirEntry[str]) -> StoredFile | None:
        try:
            if entry.is_symlink() and self._resolved(f"{folder}/{entry.name}") is None:
                return None
            info = entry.stat()
        except OSError:
            return None
        if not stat.S_ISREG(info.st_mode) or self._owner not in (None, info.st_uid):
            return None
        return StoredFile(entry.name, info.st_size, info.st_mtime, f"{info.st_ino}-{info.st_size}-{info.st_mtime_ns}")

    def _resolved(self, path: str) -> Path | None:
        """`path` with links resolved, relative to the root; None if it leads out of it or into a closed folder."""
        target = real(self._path / path)
        inside = target.is_relative_to(self._path) and not self._is_closed(target)
        return target.relative_to(self._path) if inside else None

    def _is_closed(self, path: Path) -> bool:
        return any(path.is_relative_to(folder) for folder in self._closed)

    @contextmanager
    def _opened(self, path: str, flags: int) -> Iterator[int | None]:
        """A descriptor of the plain file at `path`, or of the folder with `O_DIRECTORY`; None if there is none."""
        try:
            descriptor = self._open(path, flags)
        except PermissionError as error:
            raise UnavailableError(
                Reason.UNREACHABLE,
                "The server's user may not open the files of this task. Whoever runs the server can give it the right.",
            ) from error
        except OSError:
            descriptor = None
        try:
            yield descriptor if descriptor is not None and self._is_readable(descriptor, flags) else None
        finally:
            if descriptor is not None:
                os.close(descriptor)

    def _open(self, path: str, flags: int) -> int | None:
        try:
            return self._walk(path.split("/") if path else [], flags)
        except OSError as error:
            if error.errno not in (errno.ELOOP, errno.ENOTDIR):
                raise
            without_links = self._resolved(path)
            return self._walk(list(without_links.parts), flags) if without_links else None

    def _walk(self, parts: list[str], flags: int) -> int | None:
        """Open the path `parts`, one part at a time from the root; a link on the way is an error."""
        if any(name in ("", ".", "..") for name in parts):
            return None
        if self._closed and self._is_closed(self._path.joinpath(*parts)):  # a path takes longer than all that follows
            return None
        descriptor = os.open(self.root, os.O_RDONLY | os.O_DIRECTORY)
        for depth, name in enumerate(parts, start=1):
            wanted = flags if depth == len(parts) else os.O_DIRECTORY
            try:
                below = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | wanted, dir_fd=descriptor)
            finally:
                os.close(descriptor)
            descriptor = below
        return descriptor

    def _is_readable(self, descriptor: int, flags: int) -> bool:
        info = os.fstat(descriptor)
        right_kind = stat.S_ISDIR(info.st_mode) if flags & os.O_DIRECTORY else stat.S_ISREG(info.st_mode)
        return right_kind and self._owner in (None, info.st_uid)


class S3Store:
    """A bucket, or a prefix in it; nothing is read below the prefixes of `closed`."""

    def __init__(self, bucket: str, prefix: str, endpoint: str | None, closed: Sequence[str] = ()) -> None:
        self._bucket = bucket
        self._prefix = f"{prefix}/" if prefix else ""
        self._closed = tuple(f"{prefix}/" for prefix in closed)
        self._storage = object_storage(endpoint)
        self.root = f"s3://{bucket}/{prefix}".rstrip("/")

    def files(self, folder: str) -> list[StoredFile]:
        start = f"{self._prefix}{folder}/"
        if start.startswith(self._closed):
            return []
        answer = self._storage.call("list_objects_v2", Bucket=self._bucket, Prefix=start, Delimiter="/")
        return [
            StoredFile(
                item["Key"].removeprefix(start), item["Size"], item["LastModified"].timestamp(), item["ETag"].strip('"')
            )
            for item in (answer or {}).get("Contents", [])
            if item["Key"] != start
        ]

    def read(self, path: str, limit: int = MAX_BYTES) -> bytes | None:
        key = self._prefix + path
        if key.startswith(self._closed):
            return None
        answer = self._storage.call("get_object", Bucket=self._bucket, Key=key)
        if answer is None:
            return None
        with answer["Body"] as body, self._storage.translated_errors():
            if answer["ContentLength"] > limit:
                raise too_large(limit)
            return body.read()


class ObjectStorage:
    """One S3 endpoint, with short timeouts; if it does not answer, it is not called for a while."""

    def __init__(self, endpoint: str | None) -> None:
        import boto3  # only where there is a bucket: it takes long to load
        from botocore.config import Config

        timing = Config(connect_timeout=2, read_timeout=6, retries={"total_max_attempts": 2, "mode": "standard"})
        self._client = boto3.session.Session().client("s3", endpoint_url=endpoint, config=timing)
        self._silence = Silence()

    def call(self, operation: str, **arguments: Any) -> dict[str, Any] | None:
        """The answer to one S3 operation; None if the object does not exist."""
        if self._silence.lasts:
            raise silent_storage()
        with self.translated_errors():
            try:
                return getattr(self._client, operation)(**arguments)
            except ClientError as error:
                if error.response["Error"]["Code"] in ("NoSuchKey", "404"):
                    return None
                raise

    @contextmanager
    def translated_errors(self) -> Iterator[None]:
        """Raise errors of boto3 as `UnavailableError`."""
        try:
            yield
        except ClientError as error:
            raise refused_by_storage(error.response["Error"]["Code"]) from error
        except (BotoCoreError, OSError) as error:
            self._silence.begin()
            raise silent_storage() from error


def silent_storage() -> UnavailableError:
    """The error if the object storage does not answer, or the server has no credentials for it."""
    return UnavailableError(
        Reason.UNREACHABLE,
        "The object storage in which this task keeps its files can't be reached right now. If it stays so, whoever "
        "runs the server should look at its network, its AWS credentials and METAFLOW_S3_ENDPOINT_URL.",
    )


def refused_by_storage(code: str) -> UnavailableError:
    """The error if the object storage refuses a call."""
    known = {
        "NoSuchBucket": "The bucket in which this task keeps its files does not exist in the object storage that this "
        "server asks. Whoever runs it can name another with METAFLOW_S3_ENDPOINT_URL.",
        "AccessDenied": "The object storage does not let this server read the files of this task. Whoever runs the "
        "server can let its AWS credentials list and read that place.",
    }
    sentence = known.get(
        code,
        f"The object storage in which this task keeps its files answered with an error ({code}). Whoever runs the "
        "server finds there what it means.",
    )
    return UnavailableError(Reason.UNREACHABLE, sentence)


_making = threading.Lock()


def object_storage(endpoint: str | None) -> ObjectStorage:
    """The connection to `endpoint` (None: AWS); one for all threads, because it takes long to make."""
    with _making:
        return _object_storage(endpoint)


@functools.cache
def _object_storage(endpoint: str | None) -> ObjectStorage:
    return ObjectStorage(endpoint)
