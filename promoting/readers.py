"""Who reads an asset by an alias, and so gets another version once it is moved."""

from collections.abc import Iterable
from dataclasses import dataclass

from catalog.models import Asset, Consumption

LOOKED_THROUGH = 1_000
"""So many of the newest readings of an asset are looked through."""


@dataclass(frozen=True)
class Reader:
    """A flow, a deployment or somebody who read the asset by the alias."""

    kind: str
    name: str


def readers_of(asset: Asset, alias: str) -> list[Reader]:
    """Each once, the last that read it first, of an asset that was found visible. One query."""
    rows = Consumption.objects.of(asset).order_by("-pk").values_list("reference", "component__kind", "component__name")
    named = (Reader(kind, name) for reference, kind, name in rows[:LOOKED_THROUGH] if reference == f"@{alias}")
    return _once(named)


def _once(readers: Iterable[Reader]) -> list[Reader]:
    return list(dict.fromkeys(readers))
