"""The rows of blocks: making those that can be made, and forgetting those whose versions change.

A block is kept once all its numbers have been given out. What is kept of it is a pure function of its instances and of
the metrics that its asset declares: `kept_block`. Whoever changes either deletes the block in the same transaction, and
the background pass makes it anew. All of this is done while the asset's row is locked.

Two columns of the asset say where to look. `series_whole`: all blocks up to this number are kept, so that what can be
packed is found by an index. `series_packed`: no block beyond this number is kept, so that writes of newer versions need
no query to know that they change none.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping

from django.db import transaction

from catalog.declared_metrics import DeclaredMetrics
from catalog.models import Asset, Instance, MetricBlock, SeriesBlock
from catalog.querysets import BLOCK
from catalog.series.kept_names import kept_names
from catalog.series.packing import Block, as_bytes, microseconds_of
from catalog.series.scanning import scan
from catalog.series.shapes import block_of, span_of
from catalog.series.statements import to_pack
from catalog.states import DEPRECATED, State
from obproject.metric_names import may_be_metric

KeptRows = tuple[SeriesBlock, list[MetricBlock]]
WITHOUT_TEXTS = Asset.objects.defer("readme", "description")


def kept_block(asset: Asset, number: int) -> KeptRows:
    """The rows of a block as they follow from its instances, not saved.

    Its versions are those whose numbers are in it, in any state; values are those of ready ones that are not
    deprecated. Of its metrics 200 are kept: what the asset declares, in its order, then what was measured most often in
    this block, then by name.
    """
    rows = scan(asset.pk, span_of(number), asset.metrics)
    seen = Counter(name for row in rows for name in row.measures)
    names = kept_names(seen, asset.metrics)
    block = Block.of(number, rows, names)
    (whole,) = block.parts(span_of(number), BLOCK) or (None,)
    states = block.count(span_of(number))
    kept = SeriesBlock(
        asset=asset,
        number=number,
        first_number=whole.frame.first if whole else None,
        last_number=whole.frame.last if whole else None,
        first_at=microseconds_of(whole.frame.at_first) if whole else None,
        last_at=microseconds_of(whole.frame.at_last) if whole else None,
        versions=states.total(),
        failed=states[State.FAILED],
        pending=states[State.PENDING],
        deprecated=states[DEPRECATED],
        times=as_bytes(block.times),
        states=block.states.encode(),
        names={name: seen[name] for name in sorted(names)},
        left_out=len(seen) - len(names),
    )
    extremes = whole.extremes if whole else {}
    return kept, [
        MetricBlock(block=kept, name=name, packed=as_bytes(block.values[name]), **extremes[name]._asdict())
        for name in sorted(names)
    ]


def keep(asset: Asset, number: int) -> None:
    """Make the rows of a block that has none."""
    _save(kept_block(asset, number))


def _save(rows: KeptRows) -> None:
    kept, metrics = rows
    kept.save(force_insert=True)
    MetricBlock.objects.bulk_create(metrics)


def pack_one(pk: int) -> bool:
    """Keep the first block of an asset that can be kept and is not; whether there was one.

    The instances are read before the asset is locked, and again only if it was written to meanwhile, as its mark says.
    """
    seen = WITHOUT_TEXTS.get(pk=pk)
    number = first_missing(seen, seen.series_whole // BLOCK)
    rows = kept_block(seen, number) if _can_be_kept(seen, number) else None
    with transaction.atomic():
        asset = WITHOUT_TEXTS.select_for_update(no_key=True).get(pk=pk)
        first = first_missing(asset, asset.series_whole // BLOCK)
        packs = _can_be_kept(asset, first)
        if packs:
            as_seen = rows if (first, asset.changed) == (number, seen.changed) else None
            _save(as_seen or kept_block(asset, first))
            first = first_missing(asset, first + 1)
        whole = first * BLOCK
        if asset.deleted_at is None and whole != asset.series_whole:
            Asset.objects.filter(pk=pk).update(series_whole=whole, series_packed=max(whole, asset.series_packed))
        return packs


def _can_be_kept(asset: Asset, number: int) -> bool:
    return asset.deleted_at is None and number < asset.last_number // BLOCK


def first_missing(asset: Asset, number: int) -> int:
    """The first block from one on that is not kept."""
    kept = set(SeriesBlock.objects.filter(asset=asset, number__gte=number).values_list("number", flat=True))
    while number in kept:
        number += 1
    return number


def assets_to_pack(after: int = 0) -> list[int]:
    """The keys of some assets beyond one that have a block to be packed, in their order; empty once there is none."""
    return [pk for (pk,) in to_pack.all(after=after)]


def forget_changed(instances: Iterable[Instance], assets: Mapping[int, Asset]) -> None:
    """Forget the blocks of versions of these assets that change or come late; there are hardly ever any."""
    blocks: dict[int, set[int]] = {}
    for instance in instances:
        if instance.number <= assets[instance.asset_id].series_packed:
            blocks.setdefault(instance.asset_id, set()).add(block_of(instance.number))
    for pk, its in blocks.items():
        _forget(assets[pk], its)


def forget_all(asset: Asset) -> None:
    """Forget all blocks of an asset that is deleted."""
    if asset.series_packed:
        _forget(asset, range(asset.series_packed // BLOCK))
        asset.series_packed = 0
        Asset.objects.filter(pk=asset.pk).update(series_packed=0)


def forget_undeclared(asset: Asset, before: DeclaredMetrics, after: DeclaredMetrics) -> None:
    """Forget the blocks that would be others by what is declared now."""
    if not asset.series_packed or before.names == after.names:
        return
    blocks = SeriesBlock.objects.filter(asset=asset)
    if all(map(may_be_metric, {*before.names} ^ {*after.names})):
        blocks = blocks.filter(left_out__gt=0)
    _forget(asset, list(blocks.values_list("number", flat=True)))


def _forget(asset: Asset, blocks: Collection[int]) -> None:
    if not blocks:
        return
    SeriesBlock.objects.filter(asset=asset, number__in=blocks).delete()
    asset.series_whole = min(asset.series_whole, min(blocks) * BLOCK)
    Asset.objects.filter(pk=asset.pk).update(series_whole=asset.series_whole)
