"""The rows of a list of assets, found by their keys: so that only what is shown is joined."""

from typing import Any

from django.db.models import QuerySet

from catalog.models import Asset, Branch
from catalog.pagekit.freshness import ALSO_KNOWN


def rows_of(branch: Branch, keys: QuerySet[Any] | list[int], sort: str, *, bulk: bool = False) -> list[Asset]:
    """The assets with some keys, in an order, with their newest instances; `bulk`: also what only twins show.

    Of a branch that the viewer was found to see.
    """
    found = Asset.objects.rows_of(keys).with_newest_instances().sorted_by(sort).annotate(**ALSO_KNOWN)
    rows = list((found if bulk else found.without_bulk()).defer("readme"))
    for asset in rows:
        asset.branch = branch
    return rows
