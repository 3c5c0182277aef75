"""Backfill one write, by its kind, once the catalogue is known to have missed it."""

from collections.abc import Callable

from django.db.models import Max, QuerySet

from catalog.models import AliasMove, Asset, Instance, MissedWrite
from catalog.querysets import PROMOTED_FROM
from catalog.reconciling import ACTOR
from catalog.reconciling.checking import Unusable, checked_body
from catalog.recording import (
    AssetAddress,
    AtHand,
    Write,
    Writer,
    consume,
    delete_alias,
    delete_asset,
    register,
    set_alias,
    show_highlight,
)
from catalog.recording.gating import Wish
from catalog.wire.bodies import entity_of
from obproject.journal import Entry, Operation

DEFINITION = "d_"
"""The prefix of ids of definitions. A definition that a deploy has made anew has another id."""


class NotYet(Exception):
    """The write depends on another missed write."""


def backfill(row: MissedWrite, entry: Entry, at: AssetAddress, wish: Wish) -> bool:
    """Do the write with the time at which its task did it; return False if it has no effect any more.

    Of what gates judge, `wish` is how it is wanted.
    """
    if entry.operation is Operation.REGISTER:
        return _register(row, entry, at, wish)
    if entry.operation is Operation.SET_ALIAS:
        return _set_alias(row, entry, at, wish)
    return _BACKFILLS[entry.operation](row, entry, at)


def registration(row: MissedWrite, entry: Entry, at: AssetAddress, wish: Wish) -> Write[Instance] | None:
    """A registration as it is to be made, with the time at which its task made it; None if it has no effect any more.

    Raises Unusable or NotYet for one that can't be made.
    """
    body = checked_body(entry)
    if body.is_declaration:
        raise Unusable("It declares an asset; only a deploy does that.")
    what = body.registration()
    source = what.annotations.get(PROMOTED_FROM)
    if isinstance(source, str) and _is_missed(source):
        raise NotYet(f"The instance {source}, which it is a copy of, can't be backfilled yet.")
    if _deleted_since(row, list(_ever_at(at))):
        return None

    def do(at_hand: AtHand | None) -> Instance:
        live = at_hand.asset if at_hand else Asset.objects.at(at.branch, at.kind, at.asset_id).first()
        return register(
            actor=ACTOR,
            at=at,
            entity=body.entity,
            what=what,
            told=body.told,
            uid=entry.id,
            number=_number(row, live),
            when=row.at,
            at_hand=at_hand,
            wish=wish,
        )

    branch = "" if PROMOTED_FROM in what.annotations else at.branch.key
    return Write(at, Writer(body.entity, branch, body.told, what.attempt), do, row.at)


def _register(row: MissedWrite, entry: Entry, at: AssetAddress, wish: Wish) -> bool:
    write = registration(row, entry, at, wish)
    if write is None:
        return False
    write.do(None)
    return True


def _consume(row: MissedWrite, entry: Entry, at: AssetAddress) -> bool:
    checked = checked_body(entry)
    body = checked.validated_data
    here = list(_ever_at(at))
    instance = Instance.objects.filter(uid=entry.instance, asset__in=here).first()
    asset = _asset_of(instance, entry.instance, here)
    if asset is None:
        if _deleted_since(row, here):
            return False
        raise Unusable(f"The instance {entry.instance}, which it consumed, is not known.")
    consumer = body.get("consumer") or {}
    consume(
        actor=ACTOR,
        asset=asset,
        instance=instance,
        reference=body.get("reference") or entry.instance,
        entity=entity_of(body),
        role=body.get("role"),
        told=checked.told,
        settles=True,
        consumer_project=consumer.get("project", ""),
        write_branch=consumer.get("branch", ""),
        uid=entry.id,
        when=row.at,
    )
    return True


def _set_alias(row: MissedWrite, entry: Entry, at: AssetAddress, wish: Wish) -> bool:
    body = checked_body(entry).validated_data
    here = list(_ever_at(at))
    if _moved_since(row, entry, here) or _deleted_since(row, here):
        return False
    asset, target = _live(here, at), body["instance_id"]
    if target.startswith(DEFINITION):
        target = asset.definition_uid
    set_alias(
        actor=ACTOR,
        asset=asset,
        name=entry.alias,
        target_uid=target,
        entity=entity_of(body),
        uid=entry.id,
        when=row.at,
        wish=wish,
    )
    return True


def _delete_alias(row: MissedWrite, entry: Entry, at: AssetAddress) -> bool:
    body = checked_body(entry).validated_data
    here = list(_ever_at(at))
    if _moved_since(row, entry, here) or _deleted_since(row, here):
        return False
    asset = _live(here, at)
    if entry.alias not in asset.alias_index:
        return False
    delete_alias(actor=ACTOR, asset=asset, name=entry.alias, entity=entity_of(body), uid=entry.id, when=row.at)
    return True


def _delete(row: MissedWrite, entry: Entry, at: AssetAddress) -> bool:
    """Delete only an asset that existed then, not one that was registered since, nor one that was recovered since."""
    asset = _ever_at(at).filter(deleted_at=None, created_at__lte=row.at).first()
    if asset is None or asset.deletions.filter(recovered=True, at__gte=row.at).exists():
        return False
    delete_asset(actor=ACTOR, asset=asset, uid=entry.id, when=row.at)
    return True


def _show_highlight(row: MissedWrite, entry: Entry, at: AssetAddress) -> bool:
    body = checked_body(entry)
    what = body.highlighted()
    show_highlight(actor=ACTOR, at=at.branch, entity=body.entity, what=what, uid=entry.id, when=row.at)
    return True


_BACKFILLS: dict[Operation, Callable[[MissedWrite, Entry, AssetAddress], bool]] = {
    Operation.CONSUME: _consume,
    Operation.DELETE_ALIAS: _delete_alias,
    Operation.DELETE: _delete,
    Operation.HIGHLIGHT: _show_highlight,
}


def _ever_at(at: AssetAddress) -> QuerySet[Asset]:
    """The live asset at the address, and the deleted ones."""
    found: QuerySet[Asset] = Asset.objects.ever_at(at.branch, at.kind, at.asset_id)
    return found.select_related("branch__project").defer("readme")


def _live(here: list[Asset], at: AssetAddress) -> Asset:
    asset = next((asset for asset in here if asset.deleted_at is None), None)
    if asset is None:
        raise Unusable(f"There is no asset '{at.asset_id}' on {at.branch.project}/{at.branch.called}.")
    return asset


def _asset_of(instance: Instance | None, uid: str, here: list[Asset]) -> Asset | None:
    """The asset of an instance, or of the definition with this id, or else the live one if the definition is gone."""
    if instance:
        return next(asset for asset in here if asset.pk == instance.asset_id)
    if not uid.startswith(DEFINITION):
        return None
    live = (asset for asset in here if asset.deleted_at is None)
    return next((asset for asset in here if asset.definition_uid == uid), None) or next(live, None)


def _deleted_since(row: MissedWrite, here: list[Asset]) -> bool:
    """Whether the asset was deleted after the write."""
    return any(asset.deleted_at and asset.deleted_at >= row.at for asset in here)


def _moved_since(row: MissedWrite, entry: Entry, here: list[Asset]) -> bool:
    """Whether the alias was moved after the write."""
    return AliasMove.objects.filter(asset__in=here, name=entry.alias, at__gt=row.at).exists()


def _is_missed(uid: str) -> bool:
    return not Instance.objects.filter(uid=uid).exists() and MissedWrite.objects.filter(uid=uid).exists()


def _number(row: MissedWrite, asset: Asset | None) -> int | None:
    """The number that the catalogue gave the instance then; else the first free one after those of older instances.

    None: the next one. Numbers that other missed instances had are reserved for them.
    """
    mine = Instance.objects.filter(asset=asset)
    if row.number and (asset is None or not mine.filter(number=row.number).exists()):
        return row.number
    missed = MissedWrite.objects.filter(address=row.address, number__isnull=False).exclude(pk=row.pk)
    taken = set(missed.values_list("number", flat=True))
    older = 0
    if asset and asset.newest_at and asset.newest_at > row.at:
        older = mine.filter(created_at__lte=row.at).aggregate(last=Max("number"))["last"] or 0
        taken |= set(mine.filter(number__gt=older).values_list("number", flat=True))
    elif asset:
        older = asset.last_number
    return next(number for number in range(older + 1, older + len(taken) + 2) if number not in taken)
