"""What costs time to make, kept by what it was made from: the same content never has to be made twice."""

import pickle
import zlib
from collections.abc import Callable
from hashlib import blake2b
from typing import TypeVar

from django.core.cache import cache

KEPT_FOR = 60 * 60
"""Seconds. Nothing goes stale: other content has another key."""

PACKING = 1
"""Drawings are long and alike: packed quickly they take a tenth of the room."""

Made = TypeVar("Made")


def key_of(what: str, content: object) -> str:
    """A name for content whose `repr` says all there is to it."""
    return f"lineage:{what}:{blake2b(repr(content).encode('utf-8', 'surrogatepass'), digest_size=16).hexdigest()}"


def kept_by_content(what: str, content: object, make: Callable[[], Made]) -> tuple[str, Made]:
    """What `make` makes of this content, now or within the last hour; and its key."""
    key = key_of(what, content)
    packed = cache.get(key)
    if packed is not None:
        kept: Made = pickle.loads(zlib.decompress(packed))  # noqa: S301 (as the cache itself does)
        return key, kept
    made = make()
    cache.set(key, zlib.compress(pickle.dumps(made), PACKING), KEPT_FOR)
    return key, made
