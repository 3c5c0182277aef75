"""The two kinds of assets, and the words for each of them. Standard library only."""

from __future__ import annotations

from typing import Literal

Kind = Literal["data", "model"]
Collection = Literal["data", "models"]
"""A kind in the plural, as it stands in addresses, in project specs and as a folder of a project."""

KINDS: tuple[Kind, ...] = ("data", "model")
COLLECTIONS: tuple[Collection, ...] = ("data", "models")
COLLECTION_OF: dict[str, Collection] = {"data": "data", "model": "models"}
KIND_OF: dict[str, Kind] = {"data": "data", "models": "model"}


def find_kind(word: str) -> Kind | None:
    """Return the kind that a word means, in the singular or the plural; None if it means none."""
    return KIND_OF.get(COLLECTION_OF.get(word, word))


def label_of(kind: str) -> str:
    """Return an asset of a kind as it stands in messages."""
    return f"{kind} asset"
