"""A cache of results that take long to compute, keyed by their input: equal content is computed once."""

import pickle
import zlib
from collections.abc import Callable
from hashlib import blake2b
from typing import TypeVar

from django.core.cache import cache

CACHE_SECONDS = 60 * 60
"""Entries never go stale: other content has another key."""

PACKING = 1
"""Level of zlib: drawings are repetitive, so the fastest level shrinks them to a tenth."""

Value = TypeVar("Value")


def key_of(what: str, content: object) -> str:
    """The cache key of content that is equal whenever its `repr` is."""
    return f"lineage:{what}:{blake2b(repr(content).encode('utf-8', 'surrogatepass'), digest_size=16).hexdigest()}"


def cached_by_content(what: str, content: object, make: Callable[[], Value]) -> tuple[str, Value]:
    """The cache key of the content, and the result of `make` for it, cached for an hour."""
    key = key_of(what, content)
    packed = cache.get(key)
    if packed is not None:
        value: Value = pickle.loads(zlib.decompress(packed))  # noqa: S301 (as the cache itself does)
        return key, value
    value = make()
    cache.set(key, zlib.compress(pickle.dumps(value), PACKING), CACHE_SECONDS)
    return key, value
