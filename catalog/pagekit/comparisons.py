"""Ways from a page to where versions are compared (`comparing/`), which stands above the catalogue."""

from collections.abc import Iterable
from urllib.parse import quote

from catalog.addresses import versions_url
from catalog.models import Asset, Instance
from catalog.pagekit.query import IN_QUERIES, Link

IN_USE = ("production", "prod", "champion")
"""The aliases that people ask about first."""
MOST = 5


def comparison_url(asset: Asset, *of: str, base: str = "") -> str:
    """Some versions compared, as seen from the page of an asset; `base` is the one that the others are set against."""
    asked = [("of", ",".join(of)), ("base", base)]
    query = "&".join(f"{name}={quote(value, safe=IN_QUERIES)}" for name, value in asked if value)
    return f"{versions_url(asset)}?{query}" if query else versions_url(asset)


def in_order_of_use(names: Iterable[str]) -> list[str]:
    """Aliases, those first that name what is in use."""
    return sorted(names, key=lambda name: (IN_USE.index(name) if name in IN_USE else len(IN_USE), name))


def since(asset: Asset, instance: Instance) -> list[Link]:
    """What an instance can be compared with in one click: the one before it, and what other aliases point to."""
    others = [name for name, uid in asset.alias_index.items() if uid not in (instance.uid, asset.definition_uid)]
    before = [f"v{instance.number - 1}"] if instance.number > 1 else []
    bases = [*before, *(f"@{name}" for name in in_order_of_use(others)[:MOST])]
    return [{"label": base, "url": comparison_url(asset, base, instance.ref, base=base)} for base in bases]


def against(asset: Asset, alias: str, number: int | None) -> str:
    """The newest ready instance against what an alias points to, which is `number`; empty if that is the same."""
    newest = asset.newest_ready
    if newest is None or number in (None, newest.number):
        return ""
    return comparison_url(asset, f"@{alias}", newest.ref, base=f"@{alias}")
