"""Ways from a page to where versions are compared (`comparing/`), which stands above the catalogue."""

from collections.abc import Iterable

from catalog.addresses import compare_url
from catalog.models import Asset, Instance
from catalog.pagekit.query import Link

IN_USE = ("production", "prod", "champion")
"""The aliases that people ask about first."""
MOST = 5


def in_order_of_use(names: Iterable[str]) -> list[str]:
    """Aliases, those first that name what is in use."""
    return sorted(names, key=lambda name: (IN_USE.index(name) if name in IN_USE else len(IN_USE), name))


def since(asset: Asset, instance: Instance) -> list[Link]:
    """What an instance can be compared with in one click: the one before it, and what other aliases point to."""
    others = [name for name, uid in asset.alias_index.items() if uid not in (instance.uid, asset.definition_uid)]
    before = [f"v{instance.number - 1}"] if instance.number > 1 else []
    bases = [*before, *(f"@{name}" for name in in_order_of_use(others)[:MOST])]
    return [{"label": base, "url": compare_url(asset, [base, instance.ref], base)} for base in bases]


def against(asset: Asset, alias: str, number: int | None) -> str:
    """The newest ready instance against what an alias points to, which is `number`; empty if that is the same."""
    newest = asset.newest_ready
    if newest is None or number in (None, newest.number):
        return ""
    return compare_url(asset, [f"@{alias}", newest.ref], f"@{alias}")
