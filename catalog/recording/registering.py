"""Registering instances, and settling what was registered as pending."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django.utils import timezone

from access.models import Perimeter
from catalog.counters import component_of, newest_of
from catalog.entities import Entity
from catalog.lookups import last_attempt
from catalog.models import (
    Asset,
    Instance,
    State,
    StateChange,
)
from catalog.querysets import InstanceQuerySet
from catalog.recording.appending import append
from catalog.recording.places import AssetAddress, finish, in_one_transaction, locked, locked_all, make_asset

Json = dict[str, Any]
PROMOTED_FROM = "promoted_from_instance"
"""The annotation by which a promotion names the id of its source."""


@dataclass(frozen=True)
class Registration:
    """What a registration says of the new instance."""

    asset_kind: str
    state: str = State.READY
    description: str = ""
    annotations: Json = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    blobs: list[Any] = field(default_factory=list)
    attempt: int | None = None
    datastore_type: str = ""
    datastore_root: str = ""


@in_one_transaction
def register(*, actor: str, at: AssetAddress, entity: Entity, what: Registration) -> Instance:
    """Append an instance to an asset, which comes into being with its first one."""
    component = component_of(perimeter_id=at.branch.perimeter.pk, project=at.branch.project, entity=entity)
    earlier = _lock_assets_of_earlier_attempts(at, entity, what.attempt or 0)
    asset = locked(at)
    made = asset is None
    asset = asset or make_asset(at, actor)
    late = what.attempt is not None and _supersede(
        at.branch.perimeter, entity, what.attempt, {**earlier, asset.pk: asset}, actor
    )
    now = timezone.now()
    state = State.FAILED if late else State(what.state)
    instance = Instance(
        asset=asset,
        number=asset.last_number + 1,
        state=state,
        state_reason="superseded by a later attempt" if late else "",
        asset_kind=what.asset_kind,
        description=what.description,
        annotations=what.annotations,
        tags=what.tags,
        blobs=what.blobs,
        producer_kind=entity.kind,
        producer_id=entity.id,
        component=component,
        run=entity.run,
        promoted_from=_source_of(what.annotations),
        attempt=what.attempt,
        datastore_type=what.datastore_type,
        datastore_root=what.datastore_root,
        created_at=now,
        settled_at=None if state == State.PENDING else now,
        actor=actor,
    )
    append(instance)
    finish(asset.branch, at.branch, made=made, actor=actor)
    return instance


def _source_of(annotations: Json) -> Instance | None:
    """The instance that this one is a copy of, where the catalogue has it."""
    uid = annotations.get(PROMOTED_FROM)
    return Instance.objects.filter(uid=uid).only("pk", "asset_id").first() if isinstance(uid, str) and uid else None


def registered_by(perimeter: Perimeter, entity: Entity) -> InstanceQuerySet:
    """All that an entity registered in a perimeter, also on deleted assets."""
    return Instance.objects.filter(producer_id=entity.id, producer_kind=entity.kind, component__perimeter=perimeter)


def _lock_assets_of_earlier_attempts(at: AssetAddress, entity: Entity, attempt: int) -> dict[int, Asset]:
    """The assets, by key, on which earlier attempts of the task have something to fail, and the one written to."""
    if not attempt:
        return {}
    earlier = _alive(registered_by(at.branch.perimeter, entity).filter(attempt__lt=attempt))
    assets = set(earlier.values_list("asset", flat=True))
    if not assets:
        return {}
    own = Asset.objects.at(at.branch.perimeter.name, at.branch.project, at.branch.key, at.kind, at.asset_id)
    return {asset.pk: asset for asset in locked_all(assets.union(own.values_list("pk", flat=True)))}


def _supersede(perimeter: Perimeter, entity: Entity, attempt: int, assets: dict[int, Asset], actor: str) -> bool:
    """Fail what lower attempts of the task registered on these locked assets; say whether there is a higher one."""
    last = last_attempt(perimeter=perimeter.pk, kind=entity.kind, entity_id=entity.id)
    if last is None or last.attempt == attempt == 0:
        return False
    others = registered_by(perimeter, entity).exclude(attempt=None).exclude(attempt=attempt)
    known = set(others.values_list("attempt", flat=True))
    if any(other < attempt for other in known):
        rows = list(_alive(others.filter(attempt__lt=attempt, asset__in=assets)))
        _settle(rows, State.FAILED, f"superseded by attempt {attempt}", actor)
        _recount_newest(assets[key] for key in {row.asset_id for row in rows})
    return any(other > attempt for other in known)


def _alive(instances: InstanceQuerySet) -> InstanceQuerySet:
    return instances.exclude(state=State.FAILED)


@in_one_transaction
def confirm(
    *,
    actor: str,
    perimeter: Perimeter,
    entity: Entity,
    attempt: int | None,
    state: str,
    reason: str,
    uids: Iterable[str],
) -> list[Instance]:
    """Settle what a task attempt registered as pending; `uids` empty means all of it. Repeating it changes nothing."""
    mine = registered_by(perimeter, entity).filter(attempt=attempt, asset__deleted_at=None)
    if uids:
        mine = mine.filter(uid__in=uids)
    assets = locked_all(set(mine.filter(state=State.PENDING).values_list("asset", flat=True)))
    pending = list(mine.filter(state=State.PENDING, asset__in=assets))
    if pending and attempt is not None:
        later = registered_by(perimeter, entity).filter(attempt__gt=attempt)
        if later.exists():
            state, reason = State.FAILED, "superseded by a later attempt"
    if pending:
        _settle(pending, State(state), reason, actor)
        _recount_newest(assets)
    return list(mine.select_related("asset__branch__project").order_by("pk"))


def _settle(instances: list[Instance], state: State, reason: str, actor: str) -> None:
    now = timezone.now()
    Instance.objects.filter(pk__in=[row.pk for row in instances]).update(
        state=state, state_reason=reason, settled_at=now
    )
    StateChange.objects.bulk_create(
        StateChange(instance=row, state=state, reason=reason, at=now, actor=actor) for row in instances
    )


def _recount_newest(assets: Iterable[Asset]) -> None:
    for asset in assets:
        right = newest_of(asset)
        Asset.objects.filter(pk=asset.pk).update(**right)
        for name, value in right.items():
            setattr(asset, name, value)
