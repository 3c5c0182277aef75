"""Deprecating versions: they stay where they are, but `latest` passes them over until that is undone."""

from datetime import datetime
from typing import Any

from django.contrib.auth.models import User

from access.errors import BadRequest, NotFound
from catalog import news, outbox
from catalog.attention import settle_readings
from catalog.entities import Entity
from catalog.models import Asset, Deprecation, Instance
from catalog.newest import is_later
from catalog.recording.places import in_one_transaction, locked_again, moment
from catalog.series import forget_changed


@in_one_transaction
def deprecate(
    *,
    actor: str,
    asset: Asset,
    target_uid: str,
    reason: str,
    entity: Entity,
    user: User | None = None,
    uid: str = "",
    when: datetime | None = None,
) -> Deprecation:
    """Mark a ready instance as one that nobody should begin to use. Of one that is deprecated already it changes the
    reason, and without a new one and an id it changes nothing.

    `uid` is the id that the client gave it; `when` is the past moment of one that arrives only now.
    """
    asset, instance = _locked(asset, target_uid)
    if not instance.is_ready:
        raise BadRequest(
            f"{instance.ref} is {instance.state}; only a ready version can be deprecated.", instance=target_uid
        )
    present = instance.deprecation
    if present and present.reason == reason and not uid:
        return present
    event = _event(instance, reason, entity, user, actor=actor, uid=uid or None, at=moment(when))
    _set(asset, instance, event)
    if present is None:
        asset.deprecated_count += 1
        if asset.newest_ready_id == instance.pk:
            asset.newest_ready = Instance.objects.latest_but(0, asset)
        _point(asset)
    outbox.keep(news.deprecated(instance, asset, event))
    return event


@in_one_transaction
def undo_deprecation(
    *,
    actor: str,
    asset: Asset,
    target_uid: str,
    entity: Entity,
    reason: str = "",
    user: User | None = None,
    uid: str = "",
    when: datetime | None = None,
) -> Deprecation:
    """Let an instance count again; `latest` may move back to it."""
    asset, instance = _locked(asset, target_uid)
    if not instance.is_deprecated:
        raise NotFound(f"{instance.ref} of '{asset.asset_id}' is not deprecated.", instance=target_uid)
    event = _event(instance, reason, entity, user, actor=actor, uid=uid or None, at=moment(when), undone=True)
    _set(asset, instance, None)
    asset.deprecated_count -= 1
    if is_later(instance, asset.newest_ready):
        asset.newest_ready = instance
    _point(asset)
    settle_readings(asset, target_uid)
    outbox.keep(news.deprecated(instance, asset, event))
    return event


def _locked(asset: Asset, target_uid: str) -> tuple[Asset, Instance]:
    locked = locked_again(asset)
    if locked.deleted_at is not None:
        raise NotFound(f"The asset '{locked.asset_id}' was deleted.", asset=locked.asset_id)
    mine = Instance.objects.of(locked).select_related("deprecation")
    instance: Instance | None = mine.filter(uid=target_uid).first()
    if instance is None:
        raise NotFound(f"The asset '{locked.asset_id}' has no instance '{target_uid}'.", instance=target_uid)
    return locked, instance


def _event(instance: Instance, reason: str, entity: Entity, user: User | None, **others: Any) -> Deprecation:
    who = {"entity_kind": entity.kind, "entity_id": entity.id, "user": user}
    return Deprecation.objects.create(instance=instance, reason=reason, **who, **others)


def _set(asset: Asset, instance: Instance, event: Deprecation | None) -> None:
    instance.deprecation = event
    Instance.objects.filter(pk=instance.pk).update(deprecation=event)
    forget_changed([instance], {asset.pk: asset})
    Asset.objects.filter(pk=asset.pk).mark()


def _point(asset: Asset) -> None:
    ready = asset.newest_ready
    Asset.objects.filter(pk=asset.pk).update(
        deprecated_count=asset.deprecated_count,
        newest_ready=ready,
        ready_number=ready.number if ready else None,
        refreshed_at=ready.settled_at if ready else None,
        to_look_at=True,
    )
