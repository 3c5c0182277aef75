"""What people do to assets: deleting them, and overriding their properties."""

from datetime import datetime

from django.contrib.auth.models import User
from django.utils import timezone

from access.errors import NotFound
from catalog.counters import effective_properties
from catalog.models import (
    Asset,
    PropertyEdit,
    PropertyOverride,
)
from catalog.name_starts import keep_names
from catalog.recording.places import count_assets, in_one_transaction, locked_all, moment
from catalog.series import forget_all


@in_one_transaction
def delete_asset(*, actor: str, asset: Asset, uid: str = "", when: datetime | None = None) -> None:
    """Take an asset out of every read, for good; its rows stay behind as a tombstone.

    `uid` is the id that the client gave the deletion; `when` is the past moment of one that arrives only now.
    """
    (locked,) = locked_all([asset.pk])
    if locked.deleted_at is not None:
        raise NotFound(f"The asset '{asset.asset_id}' was deleted already.", asset=asset.asset_id)
    locked.deleted_at, locked.deleted_by, locked.deletion_uid = moment(when), actor, uid
    locked.save(update_fields=["deleted_at", "deleted_by", "deletion_uid"])
    forget_all(locked)
    keep_names(locked)
    count_assets(locked.branch)


@in_one_transaction
def override_property(*, user: User | None, actor: str, asset: Asset, key: str, value: str) -> None:
    """Give a property a value that wins over what deploys declare, or add one that none declares."""
    (asset,) = locked_all([asset.pk])
    if asset.overrides.filter(key=key, value=value).exists():
        return
    declared = asset.declared_properties.get(key)
    present = {"value": value, "declared_value": declared, "at": timezone.now(), "actor": actor}
    PropertyOverride.objects.update_or_create(
        asset=asset, key=key, defaults=present, create_defaults=present | {"branch_id": asset.branch_id}
    )
    _record_edit(asset, key, value, user, actor)


@in_one_transaction
def clear_override(*, user: User | None, actor: str, asset: Asset, key: str) -> None:
    """Give a property back to its declaration."""
    (asset,) = locked_all([asset.pk])
    if asset.overrides.filter(key=key).delete()[0]:
        _record_edit(asset, key, None, user, actor)


def _record_edit(asset: Asset, key: str, value: str | None, user: User | None, actor: str) -> None:
    PropertyEdit.objects.create(
        asset=asset,
        branch_id=asset.branch_id,
        key=key,
        old_value=asset.properties.get(key),
        new_value=value,
        declared_value=asset.declared_properties.get(key),
        at=timezone.now(),
        user=user,
        actor=actor,
    )
    Asset.objects.filter(pk=asset.pk).update(properties=effective_properties(asset))
