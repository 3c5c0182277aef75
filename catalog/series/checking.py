"""Whether what is kept of blocks is what their instances say, and making it so; for `recount`.

A block that is not kept is no mistake, as long as the asset's columns say where to look: it waits to be packed.
"""

from collections.abc import Collection, Iterator
from typing import Any

from django.db import models
from django.db.models import Q

from catalog.models import Asset, MetricBlock, SeriesBlock
from catalog.querysets import BLOCK
from catalog.series.keeping import first_missing, keep, kept_block

OF_NO_CONTENT = {"id", "block", "asset"}


def assets_with_blocks(pks: Collection[int]) -> set[int]:
    """Those of some assets that have a block, or columns that say so."""
    said = Asset.objects.filter(Q(series_packed__gt=0) | Q(series_whole__gt=0), pk__in=pks)
    rows = SeriesBlock.objects.filter(asset__in=pks).values_list("asset_id", flat=True)
    return {*said.values_list("pk", flat=True), *rows.distinct()}


def kept_numbers(asset: Asset) -> list[int]:
    return list(SeriesBlock.objects.filter(asset=asset).order_by("number").values_list("number", flat=True))


def wrong_blocks(asset: Asset, numbers: Collection[int]) -> Iterator[tuple[int, str]]:
    """Those of some kept blocks of an asset that are not as they should be, with what is wrong."""
    complete = asset.last_number // BLOCK if asset.deleted_at is None else 0
    for number in numbers:
        if number >= complete:
            yield number, "should not be"
        elif wrong := _wrong_in(asset, number):
            yield number, ", ".join(wrong)


def _wrong_in(asset: Asset, number: int) -> list[str]:
    kept = SeriesBlock.objects.filter(asset=asset, number=number).first()
    if kept is None:  # forgotten a moment ago
        return []
    right, right_metrics = kept_block(asset, number)
    wrong = _differing(kept, right)
    metrics = {row.name: row for row in kept.metrics.all()}
    names = {row.name for row in right_metrics}
    if metrics.keys() != names or any(_differing(metrics[row.name], row) for row in right_metrics):
        wrong.append("values")
    return wrong


def _differing(kept: SeriesBlock | MetricBlock, right: SeriesBlock | MetricBlock) -> list[str]:
    names = [field.name for field in kept._meta.concrete_fields if field.name not in OF_NO_CONTENT]
    return [name for name in names if _plain(getattr(kept, name)) != _plain(getattr(right, name))]


def _plain(value: Any) -> Any:
    return bytes(value) if isinstance(value, memoryview) else value


def correct_block(asset: Asset, number: int) -> None:
    """Make a block of a locked asset what it should be."""
    SeriesBlock.objects.filter(asset=asset, number=number).delete()
    if asset.deleted_at is None and number < asset.last_number // BLOCK:
        keep(asset, number)


def right_columns(asset: Asset) -> dict[str, int]:
    """What the columns of an asset should say of its blocks. `series_packed` may be more than is needed."""
    last = SeriesBlock.objects.filter(asset=asset).aggregate(last=models.Max("number"))["last"]
    needed = 0 if last is None else (last + 1) * BLOCK
    fits = needed <= asset.series_packed <= asset.last_number
    packed = asset.series_packed if fits and asset.deleted_at is None else needed
    return {"series_whole": first_missing(asset, 0) * BLOCK, "series_packed": packed}
