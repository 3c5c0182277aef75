"""The rows of a list of assets, found by their keys: so that only what is shown is joined."""

from typing import Any

from django.db.models import QuerySet

from catalog.models import Asset, Branch


def rows_of(branch: Branch, part: QuerySet[Any], *, bulk: bool = False) -> list[Asset]:
    """The assets of a part of an order, in that order, with their newest instances; `bulk`: also what only twins show.

    Of a branch that the viewer was found to see.
    """
    found = Asset.objects.rows_of(part).with_newest_instances()
    rows = list((found if bulk else found.without_bulk()).defer("readme").order_by(*part.query.order_by))
    for asset in rows:
        asset.branch = branch
    return rows
