"""Deleting an asset, unless a gated alias holds a version of it, and recovering one.

Each is an event. A deleted asset is gone for every read, and all its rows stay as they are, so that recovering it only
has to bring back what is derived.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone

from access.errors import Conflict, NotFound, SiteError
from catalog import limits, news, outbox
from catalog.attention import of_asset, settle_attention
from catalog.gates.declared import Gates
from catalog.gates_in_force import gates_at
from catalog.models import Asset, Branch, Deletion
from catalog.name_starts import keep_names
from catalog.recording.places import count_assets, in_one_transaction, locked_again, locked_all, moment
from catalog.series import forget_all
from catalog.states import AttentionKind

OF_ITS_VERSIONS = (AttentionKind.LATE, AttentionKind.UNUSUAL)
"""What needs attention of an asset while it is there; it is found again if the asset comes back."""


class HeldByGatedAlias(SiteError):
    """An alias that has gates holds the asset that was to be deleted."""

    status = 422
    code = "held_by_gated_alias"


class NotDeleted(Conflict):
    """There is nothing to recover."""

    code = "not_deleted"


class NameInUse(Conflict):
    """Another asset has the name of the one that was to be recovered."""

    code = "name_in_use"


class TooLate(Conflict):
    """It was deleted too long ago to be recovered."""

    code = "too_late"


@in_one_transaction
def delete_asset(
    *,
    actor: str,
    asset: Asset,
    uid: str = "",
    when: datetime | None = None,
    user: User | None = None,
    override: str = "",
) -> None:
    """Take an asset out of every read; its rows stay behind as a tombstone, and for some days it can be recovered.

    `uid` is the id that the client gave the deletion; `when` is the past moment of one that arrives only now.
    `override` is the reason of an administrator for deleting what a gated alias holds; the caller knows who it is.
    """
    locked = locked_again(asset)
    if locked.deleted_at is not None:
        raise NotFound(f"The asset '{asset.asset_id}' was deleted already.", asset=asset.asset_id)
    if not override and (names := gated_aliases(locked)):
        raise HeldByGatedAlias(_held(locked, names), asset=asset.asset_id, aliases=names)
    locked.deleted_at, locked.deleted_by = moment(when), actor
    locked.late_told_at = None
    locked.save(update_fields=["deleted_at", "deleted_by", "late_told_at"])
    for kind in OF_ITS_VERSIONS:
        settle_attention(kind, of_asset(locked.pk))
    _record(locked, actor, user, at=locked.deleted_at, uid=uid, reason=override)
    forget_all(locked)
    keep_names(locked)
    count_assets(locked.branch)
    outbox.keep(news.deleted(locked, by=actor, at=locked.deleted_at, reason=override))


@in_one_transaction
def recover_asset(*, actor: str, here: QuerySet[Asset], user: User | None = None, uid: str = "") -> Asset:
    """Bring back the asset that was deleted last of those that were ever `here`, at one address."""
    ever = locked_all(here.order_by("pk").values_list("pk", flat=True))
    found, live = newest_deleted(ever), next((asset for asset in ever if asset.deleted_at is None), None)
    if live and (found is None or Deletion.objects.of(live).exists()):
        raise NotDeleted(f"The asset '{live.asset_id}' is not deleted.", asset=live.asset_id)
    if found is None or found.deleted_at is None:
        raise NotDeleted("There is no deleted asset here.")
    named = f"'{found.asset_id}'"
    if live:
        said = f"There is a newer asset {named}, so the one that was deleted can't have its name back."
        raise NameInUse(said, asset=live.asset_id)
    if found.deleted_at < recoverable_since():
        raise TooLate(
            f"The asset {named} was deleted on {found.deleted_at:%-d %B %Y}; "
            f"after {limits.RECOVERABLE_DAYS} days it can't be recovered."
        )
    return _recovered(found, actor, user, uid)


def _recovered(asset: Asset, actor: str, user: User | None, uid: str) -> Asset:
    asset.deleted_at, asset.deleted_by, asset.to_look_at = None, "", True
    asset.gates = gates_at(asset.branch_id, asset.kind, asset.asset_id)
    try:
        with transaction.atomic():
            asset.save(update_fields=["deleted_at", "deleted_by", "gates", "to_look_at"])
    except IntegrityError:
        raise NameInUse(f"A new asset '{asset.asset_id}' was made just now.") from None
    asset.branch, now = Branch.objects.select_related("project").get(pk=asset.branch_id), timezone.now()
    _record(asset, actor, user, at=now, uid=uid, recovered=True)
    keep_names(asset)
    count_assets(asset.branch)
    outbox.keep(news.restored(asset, by=actor, at=now))
    return asset


def _record(
    asset: Asset, actor: str, user: User | None, *, at: datetime, uid: str, reason: str = "", recovered: bool = False
) -> None:
    Deletion.objects.create(
        asset=asset, recovered=recovered, reason=reason, uid=uid or None, at=at, actor=actor, user=user
    )


def newest_deleted(assets: Iterable[Asset]) -> Asset | None:
    """The one that was deleted last."""
    gone = [asset for asset in assets if asset.deleted_at is not None]
    return max(gone, key=lambda asset: (asset.deleted_at, asset.pk), default=None)


def recoverable_since() -> datetime:
    """What was deleted later can be recovered."""
    return timezone.now() - timedelta(days=limits.RECOVERABLE_DAYS)


def gated_aliases(asset: Asset) -> list[str]:
    """Its aliases that have gates which may refuse a move, of their own or for every alias."""
    gates = Gates.of(asset.gates.gates) if asset.gates else Gates()
    asked = ((name, gates.for_alias(name)) for name in sorted(asset.alias_index))
    return [name for name, gate in asked if gate and (gate.require or gate.approvals)]


def _held(asset: Asset, names: list[str]) -> str:
    named = ", ".join(f"@{name}" for name in names)
    which = f"the alias {named} has gates and holds" if len(names) == 1 else f"the aliases {named} have gates and hold"
    these = "this alias" if len(names) == 1 else "these aliases"
    return (
        f"The asset '{asset.asset_id}' is not deleted, because {which} a version of it. Delete {these} first, or let "
        "an administrator delete the asset on its page, with a reason."
    )
