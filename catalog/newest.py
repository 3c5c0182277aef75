"""Which instance of an asset is its newest, and its newest ready one: the last in time, and of equal times by number.

The newest ready one is what `latest` means, so none that is deprecated.

The time is that of the making (`created_at`), not of the arrival, so what arrives late is newest only if nothing was
made after it. `querysets.IN_TIME` is the order in which the database answers; the rest is here: where an instance
stands among the others while it is written, and the same found again from the events.
"""

from collections.abc import Collection
from operator import attrgetter
from typing import Any, NamedTuple

from django.db.models import Count, Max, OuterRef, Q, Subquery

from catalog.models import Asset, Instance
from catalog.states import State


class Standing(NamedTuple):
    """Whether an instance is the newest of its asset, and the newest ready one."""

    newest: bool
    newest_ready: bool


def is_later(instance: Instance, other: Instance | None) -> bool:
    return other is None or instance.place_in_time > other.place_in_time


def standing(instance: Instance) -> Standing:
    """Where a new instance stands, before its locked asset counts it. What arrives in time is told without a query."""
    asset = instance.asset
    is_last = asset.newest_at is None or (
        instance.created_at >= asset.newest_at and instance.number > asset.last_number
    )
    return Standing(
        newest=is_last or is_later(instance, asset.newest),
        newest_ready=instance.state == State.READY and (is_last or is_later(instance, asset.newest_ready)),
    )


def point_to(instance: Instance, place: Standing) -> None:
    """Let the asset of an instance point to it; the asset is not saved."""
    asset = instance.asset
    if place.newest:
        asset.newest, asset.newest_at = instance, instance.created_at
        asset.failed_at = instance.created_at if instance.is_failed else None
    if place.newest_ready:
        point_to_ready(asset, instance)


def point_to_ready(asset: Asset, instance: Instance) -> None:
    asset.newest_ready, asset.ready_number, asset.refreshed_at = instance, instance.number, instance.settled_at


def newest_of(asset: Asset) -> dict[str, Any]:
    """The pointers and counters of an asset as they follow from all its instances."""
    return newest_of_each([asset.pk])[asset.pk]


def newest_of_each(assets: Collection[int]) -> dict[int, dict[str, Any]]:
    """The same of some assets, by their keys."""
    instances = Instance.objects.filter(asset__in=assets).order_by()
    counted = instances.values_list("asset").annotate(
        last=Max("number"), ready=Count("pk", filter=Q(state=State.READY)), deprecated=Count("deprecation")
    )
    counts = {asset: (last, ready, deprecated) for asset, last, ready, deprecated in counted}
    its = Instance.objects.filter(asset=OuterRef("pk"))
    last_in = {f"last_{state}": its.filter(state=state) for state in State}
    last_in["last_not_deprecated"] = its.in_states(())
    last_ones = {name: Subquery(found.latest_first().values("pk")[:1]) for name, found in last_in.items()}
    keys = Asset.objects.filter(pk__in=assets).annotate(**last_ones).values_list("pk", *last_ones)
    by_asset = {asset: [key for key in last if key] for asset, *last in keys}
    rows = Instance.objects.only("asset_id", "number", "state", "deprecation_id", "created_at", "settled_at")
    last_rows = rows.in_bulk([key for keys in by_asset.values() for key in keys])
    return {
        asset: _as_derived([last_rows[key] for key in keys], *counts.get(asset, (0, 0, 0)))
        for asset, keys in by_asset.items()
    }


def _as_derived(
    last_of_states: list[Instance], last_number: int, ready_count: int, deprecated_count: int
) -> dict[str, Any]:
    last = sorted(last_of_states, key=attrgetter("place_in_time"), reverse=True)
    newest = last[0] if last else None
    newest_ready = next((row for row in last if row.is_ready and not row.is_deprecated), None)
    return {
        "last_number": last_number,
        "ready_count": ready_count,
        "deprecated_count": deprecated_count,
        "newest_id": newest.pk if newest else None,
        "newest_at": newest.created_at if newest else None,
        "failed_at": newest.created_at if newest and newest.is_failed else None,
        "newest_ready_id": newest_ready.pk if newest_ready else None,
        "ready_number": newest_ready.number if newest_ready else None,
        "refreshed_at": newest_ready.settled_at if newest_ready else None,
    }
