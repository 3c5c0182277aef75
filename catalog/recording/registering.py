"""Registering instances, and settling what was registered as pending."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import F, Q

from access.models import Perimeter
from catalog.counters import Recount
from catalog.entities import Entity
from catalog.models import Asset, Component, Consumption, Instance, StateChange, new_instance_id
from catalog.name_starts import add_names
from catalog.newest import is_later, newest_of, point_to_ready
from catalog.querysets import PROMOTED_FROM, InstanceQuerySet
from catalog.recording.appending import append
from catalog.recording.failing import (
    attempts_by,
    has_later_attempt,
    mark_failed,
    readings_of_attempt,
    readings_of_earlier_attempts,
)
from catalog.recording.places import AssetAddress, finish, in_one_transaction, locked, locked_all, make_asset, moment
from catalog.recording.runs import NOTHING_TOLD, Told, writer_of
from catalog.states import State

Json = dict[str, Any]
LOST = "the task was lost"
"""How the reason begins where nobody said how the task ended."""
NO_DIGESTS: Mapping[str, str] = {}
UNSETTLED = Q(state=State.PENDING) | Q(state=State.FAILED, state_reason__startswith=LOST)


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
    digest: str | None = None
    datastore_type: str = ""
    datastore_root: str = ""
    datastore_cards: str | None = None


@dataclass(frozen=True)
class AtHand:
    """What a registration needs of the database: who writes, the locked asset as it is by now (`made` by this write),
    and whether a higher attempt of the task has written. Registrations of one transaction may share it."""

    component: Component
    run: str
    asset: Asset
    late: bool
    made: bool = False


@in_one_transaction
def register(
    *,
    actor: str,
    at: AssetAddress,
    entity: Entity,
    what: Registration,
    told: Told = NOTHING_TOLD,
    uid: str = "",
    number: int | None = None,
    when: datetime | None = None,
    at_hand: AtHand | None = None,
) -> Instance:
    """Append an instance to an asset, which comes into being with its first one.

    `uid` is the id that the client gave it; of two with one id the second is stopped by the database. `when` is the
    past moment at which a registration was made that arrives only now, `number` its number if that was given already.
    """
    at_hand = at_hand or _at_hand(actor, at, entity, what, told, when)
    asset, component, late = at_hand.asset, at_hand.component, at_hand.late
    created_at = _created_at(asset, when)
    state = State.FAILED if late else State(what.state)
    instance = Instance(
        asset=asset,
        uid=uid or new_instance_id(),
        number=number or asset.last_number + 1,
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
        run=at_hand.run,
        promoted_from=_source_of(what.annotations),
        attempt=what.attempt,
        foreach_path=told.foreach_path,
        iteration=told.iteration,
        digest=what.digest,
        datastore_type=what.datastore_type,
        datastore_root=what.datastore_root,
        datastore_cards=what.datastore_cards,
        created_at=created_at,
        settled_at=None if state == State.PENDING else created_at,
        actor=actor,
    )
    append(instance)
    if state == State.FAILED:
        Recount().edges_with(asset, component)
        if instance.is_copy:
            Recount().promotions_to(asset)
    if at_hand.made:
        add_names(asset)
    finish(asset.branch, at.branch, made=at_hand.made, actor=actor)
    return instance


def _at_hand(
    actor: str, at: AssetAddress, entity: Entity, what: Registration, told: Told, when: datetime | None
) -> AtHand:
    """For one registration: lock or make it in the order of all writes."""
    component, run = writer_of(
        perimeter_id=at.branch.perimeter.pk,
        project=at.branch.project,
        entity=entity,
        branch="" if PROMOTED_FROM in what.annotations else at.branch.key,
        is_written=True,
        told=told,
        when=when,
    )
    earlier = _lock_assets_of_earlier_attempts(at, entity, what.attempt or 0)
    asset = locked(at)
    made = asset is None
    asset = asset or make_asset(at, actor, when)
    late = what.attempt is not None and supersede(
        at.branch.perimeter, entity, what.attempt, {**earlier, asset.pk: asset}, actor
    )
    if when is not None and not late:
        late = has_later_attempt(at.branch.perimeter.pk, entity, what.attempt)
    return AtHand(component, run, asset, late, made)


def _created_at(asset: Asset, when: datetime | None) -> datetime:
    """What arrives in time is never older than what was there before, whatever the clocks of several servers say."""
    at = moment(when)
    return at if when or asset.newest_at is None else max(at, asset.newest_at)


def _source_of(annotations: Json) -> Instance | None:
    """The instance that this one is a copy of, where the catalogue has it."""
    uid = annotations.get(PROMOTED_FROM)
    return Instance.objects.filter(uid=uid).only("pk", "asset_id").first() if isinstance(uid, str) and uid else None


def registered_by(perimeter: Perimeter, entity: Entity) -> InstanceQuerySet:
    """All that an entity registered in a perimeter, also on deleted assets."""
    return Instance.objects.filter(producer_id=entity.id, producer_kind=entity.kind, component__perimeter=perimeter)


def _lock_assets_of_earlier_attempts(at: AssetAddress, entity: Entity, attempt: int) -> dict[int, Asset]:
    """The assets, by key, on which earlier attempts of the task have something to fail, and the one written to.

    What they read is marked as failed at once.
    """
    if not attempt:
        return {}
    assets = assets_of_earlier_attempts(at.branch.perimeter, entity, attempt)
    if not assets:
        return {}
    own = Asset.objects.at(at.branch, at.kind, at.asset_id)
    found = {asset.pk: asset for asset in locked_all(assets.union(own.values_list("pk", flat=True)))}
    mark_failed(readings_of_earlier_attempts(at.branch.perimeter.pk, entity, attempt))
    return found


def assets_of_earlier_attempts(perimeter: Perimeter, entity: Entity, attempt: int) -> set[int]:
    """The keys of the assets on which earlier attempts of a task have registered or read something that counts."""
    earlier = _alive(registered_by(perimeter, entity).filter(attempt__lt=attempt))
    readings = readings_of_earlier_attempts(perimeter.pk, entity, attempt)
    return {*earlier.values_list("asset", flat=True), *readings.values_list("asset", flat=True)}


def supersede(perimeter: Perimeter, entity: Entity, attempt: int, assets: dict[int, Asset], actor: str) -> bool:
    """Fail what lower attempts of the task registered on these locked assets; say whether there is a higher one."""
    first, last = attempts_by(perimeter.pk, entity)
    if first is None or last is None:
        return False
    if first < attempt:
        earlier = registered_by(perimeter, entity).filter(attempt__lt=attempt, asset__in=assets)
        rows = list(_alive(earlier))
        _settle(rows, State.FAILED, f"superseded by attempt {attempt}", actor)
        _recount_newest(assets[key] for key in {row.asset_id for row in rows})
    return last > attempt


def fail_earlier_attempts(
    perimeter: Perimeter, entity: Entity, attempt: int, actor: str, *, also: int, settles: bool
) -> None:
    """Fail what lower attempts of a task read, once this one reads, and with `settles` also what they registered.

    `also` is another asset to lock.
    """
    earlier = _alive(registered_by(perimeter, entity).filter(attempt__lt=attempt))
    earlier = earlier if settles else earlier.none()
    readings = readings_of_earlier_attempts(perimeter.pk, entity, attempt)
    known = {*earlier.values_list("asset", flat=True), *readings.values_list("asset", flat=True)}
    if known:
        assets = {asset.pk: asset for asset in locked_all({*known, also})}
        mark_failed(readings)
        rows = list(earlier.filter(asset__in=assets))
        _settle(rows, State.FAILED, f"superseded by attempt {attempt}", actor)
        _recount_newest(assets[key] for key in {row.asset_id for row in rows})


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
    digests: Mapping[str, str] = NO_DIGESTS,
    when: datetime | None = None,
    deleted: bool = False,
    run_goes_on: bool = False,
) -> list[Instance]:
    """Settle what a task attempt registered as pending; `uids` empty means all of it. Repeating it changes nothing.

    What failed only because its task seemed to be lost is settled by the task's own word, too. `digests` are those of
    the artifacts behind the instances, by uid. `deleted`: also on assets that were deleted meanwhile. `run_goes_on`: it
    failed, but its run goes on with what it left, so that what it read counts.
    """
    mine = registered_by(perimeter, entity).filter(attempt=attempt)
    if not deleted:
        mine = mine.filter(asset__deleted_at=None)
    if uids:
        mine = mine.filter(uid__in=uids)
    known_to_fail = state == State.FAILED and not reason.startswith(LOST) and not run_goes_on
    readings = readings_of_attempt(perimeter.pk, entity, attempt) if known_to_fail else Consumption.objects.none()
    unsettled = mine.filter(UNSETTLED).values_list("asset", flat=True)
    assets = locked_all({*unsettled, *readings.values_list("asset", flat=True)})
    pending = list(mine.filter(UNSETTLED, asset__in=assets))
    if pending and attempt is not None:
        later = registered_by(perimeter, entity).filter(attempt__gt=attempt)
        if later.exists():
            state, reason = State.FAILED, "superseded by a later attempt"
    if pending:
        _settle(pending, State(state), reason, actor, when, digests)
    settled_on = {row.asset_id for row in pending}
    if pending and state == State.READY:
        _point_to_ready({asset.pk: asset for asset in assets if asset.pk in settled_on}, pending)
    elif pending:
        Asset.objects.filter(pk__in=settled_on).mark()
    mark_failed(readings)
    return list(mine.select_related("asset__branch__project").order_by("pk"))


def _settle(
    instances: list[Instance],
    state: State,
    reason: str,
    actor: str,
    when: datetime | None = None,
    digests: Mapping[str, str] = NO_DIGESTS,
) -> None:
    """Settle instances, whose assets the caller has locked. Those that failed before are counted in edges again."""
    now, recounted, promoted = moment(when), set[tuple[int, int]](), set[int]()
    for row in instances:
        if State.FAILED in (state, row.state):
            recounted.add((row.asset_id, row.component_id))
            if row.is_copy:
                promoted.add(row.asset_id)
    Instance.objects.filter(pk__in=[row.pk for row in instances]).update(
        state=state, state_reason=reason, settled_at=now
    )
    for row in instances:
        row.state, row.state_reason, row.settled_at = state, reason, now
        if row.uid in digests:
            row.digest = digests[row.uid]
    known = [row for row in instances if row.uid in digests]
    Instance.objects.bulk_update(known, ["digest"])
    StateChange.objects.bulk_create(
        StateChange(instance=row, state=state, reason=reason, digest=digests.get(row.uid), at=now, actor=actor)
        for row in instances
    )
    if recounted:
        newest = Asset.objects.filter(
            pk__in={asset for asset, _ in recounted}, newest__in=[row.pk for row in instances]
        )
        newest.update(failed_at=F("newest_at") if state == State.FAILED else None)
    for asset, component in sorted(recounted):
        Recount().edges_with(Asset.objects.select_related("branch").get(pk=asset), Component.objects.get(pk=component))
    for target in Asset.objects.filter(pk__in=promoted).order_by("pk") if promoted else ():
        Recount().promotions_to(target)


def _point_to_ready(assets: dict[int, Asset], settled: list[Instance]) -> None:
    """What has become ready counts, and may be the newest ready one of its locked asset."""
    newest = Instance.objects.in_bulk([asset.newest_ready_id for asset in assets.values() if asset.newest_ready_id])
    for asset in assets.values():
        asset.newest_ready = newest.get(asset.newest_ready_id or 0)
    for row in settled:
        asset = assets[row.asset_id]
        asset.ready_count += 1
        if is_later(row, asset.newest_ready):
            point_to_ready(asset, row)
    for asset in assets.values():
        asset.save(update_fields=["ready_count", "newest_ready", "ready_number", "refreshed_at"])


def _recount_newest(assets: Iterable[Asset]) -> None:
    for asset in assets:
        right = newest_of(asset)
        Asset.objects.filter(pk=asset.pk).update(**right)
        for name, value in right.items():
            setattr(asset, name, value)
