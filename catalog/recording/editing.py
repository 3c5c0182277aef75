"""What people do to assets by hand: overriding their properties."""

from django.contrib.auth.models import User
from django.utils import timezone

from catalog.counters import effective_properties
from catalog.models import (
    Asset,
    PropertyEdit,
    PropertyOverride,
)
from catalog.recording.places import in_one_transaction, locked_all


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
