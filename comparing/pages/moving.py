"""The way from a comparison to the move of an alias: from the base that it leads to, to what it is compared with."""

from collections.abc import Sequence

from access.identity import Viewer
from catalog.addresses import move_url
from catalog.pagekit.comparisons import in_order_of_use
from catalog.pagekit.editing import may_edit
from catalog.pagekit.query import Link
from catalog.wire.shapes import aliases_of
from comparing.found import Version

MOST = 3


def moves_offered(viewer: Viewer, versions: Sequence[Version], base: int) -> list[Link]:
    """To the first ready versions of the same asset, for who may move its aliases."""
    asset, uid = versions[base].asset, versions[base].uid
    names = in_order_of_use(aliases_of(asset, uid))
    asked = versions[base].text.removeprefix("@")
    name = asked if asked in names else next(iter(names), "")
    others = [one.instance for one in versions if one.uid != uid and one.asset.pk == asset.pk and one.instance]
    if not name or not may_edit(viewer, asset.branch):
        return []
    ready = [instance.ref for instance in others if instance.is_ready]
    return [{"label": f"Move @{name} to {ref}…", "url": move_url(asset, name, ref)} for ref in ready[:MOST]]
