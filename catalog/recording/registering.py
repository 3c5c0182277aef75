"""Registering instances, and settling what was registered as pending."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import F

from access.models import Perimeter
from access.statements import inserting, values_of
from catalog import limits, news, outbox
from catalog.counters import Recount
from catalog.entities import Entity
from catalog.expected import right_expectation
from catalog.models import Asset, Component, Instance, Message, StateChange, new_instance_id
from catalog.name_starts import add_names
from catalog.newest import is_later, newest_of, point_to_ready
from catalog.querysets import PROMOTED_FROM, InstanceQuerySet
from catalog.recording.appending import append
from catalog.recording.expecting import arrived, shifted
from catalog.recording.failing import (
    attempts_by,
    has_later_attempt,
    mark_failed,
    readings_of_attempt,
    readings_of_earlier_attempts,
)
from catalog.recording.gating import (
    PLAIN,
    Judged,
    Wish,
    judge_copy,
    keep_verdict,
    refuse_unless_passed,
    refused_since,
    settle_refusal,
    source_of,
)
from catalog.recording.places import AssetAddress, finish, in_one_transaction, locked, locked_all, make_asset, moment
from catalog.recording.receipts import is_promotion
from catalog.recording.runs import NOTHING_TOLD, Told, writer_of
from catalog.series import forget_changed
from catalog.statements import (
    assets_to_settle,
    attempts_of,
    instances_by_key,
    point_assets_to_ready,
    registered_by_attempt,
    settle,
    telling_instance,
    to_settle,
)
from catalog.states import LOST, State

Json = dict[str, Any]
NO_DIGESTS: Mapping[str, str] = {}


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
    and whether a higher attempt of the task has written. Registrations of one transaction may share it, and then leave
    to it what is told of them."""

    component: Component
    run: str
    asset: Asset
    late: bool
    made: bool = False
    messages: list[Message] | None = None


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
    wish: Wish = PLAIN,
) -> Instance:
    """Append an instance to an asset, which comes into being with its first one.

    `uid` is the id that the client gave it; of two with one id the second is stopped by the database. `when` is the
    past moment at which a registration was made that arrives only now, `number` its number if that was given already.
    A copy is a promotion into the branch, which its gates judge; `wish` says why it is wanted. Raises GateRefused.
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
        promoted_from=source_of(what.annotations),
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
    judged = judge_copy(instance, wish) if is_promotion(what.annotations) and not late else None
    if judged:
        refuse_unless_passed(judged, wish, actor=actor, entity=entity)
    after = append(instance)
    if judged:
        keep_verdict(judged, wish, actor=actor, entity=entity, when=when, copy=instance)
        settle_refusal(judged)
    if state == State.FAILED:
        Recount().edges_with(asset, component)
        if instance.is_copy:
            Recount().promotions_to(asset)
    if at_hand.made:
        add_names(asset)
    finish(asset.branch, at.branch, made=at_hand.made, actor=actor)
    if asset.branch.project.heard:
        messages = [*news.registered(instance), *_overridden(instance, judged, wish, actor), *after]
        if at_hand.messages is None:
            outbox.keep(messages)
        else:
            at_hand.messages.extend(messages)
    return instance


def _overridden(copy: Instance, judged: Judged | None, wish: Wish, actor: str) -> list[Message]:
    if judged is None:
        return []
    return news.promoted_by_override(
        copy, outcome=judged.outcome, rulings=judged.judgement.rulings, comment=wish.override, by=actor
    )


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
    if (late or what.state != State.READY) and not (what.description or asset.description or made):
        _read_newest_ready(asset)
    return AtHand(component, run, asset, late, made)


def _read_newest_ready(asset: Asset) -> None:
    """It says what the asset is about, as the answer tells, while the new instance does not stand for the asset."""
    if asset.newest_ready_id:
        asset.newest_ready = telling_instance.one(pk=asset.newest_ready_id)


def _created_at(asset: Asset, when: datetime | None) -> datetime:
    """What arrives in time is never older than what was there before, whatever the clocks of several servers say."""
    at = moment(when)
    return at if when or asset.newest_at is None else max(at, asset.newest_at)


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
        _settle(rows, assets, State.FAILED, f"superseded by attempt {attempt}", actor)
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
        _settle(rows, assets, State.FAILED, f"superseded by attempt {attempt}", actor)
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
    wanted = list(uids)
    mine = {
        "perimeter": perimeter.pk,
        "kind": entity.kind,
        "entity_id": entity.id,
        "attempt": attempt,
        "deleted": deleted,
        "every": not wanted,
        "uids": wanted,
    }
    known_to_fail = state == State.FAILED and not reason.startswith(LOST) and not run_goes_on
    readings = readings_of_attempt(perimeter.pk, entity, attempt) if known_to_fail else None
    assets = {pk for (pk,) in assets_to_settle.all(**mine, lost=f"{LOST}%")}
    if readings is not None:
        assets |= set(readings.values_list("asset", flat=True))
    ready: set[int] = set()
    after: list[Message] = []
    if assets:
        ready, after = _settle_all(mine, locked_all(assets), State(state), reason, actor, when, digests)
    if readings is not None:
        mark_failed(readings)
    found = registered_by_attempt.all(**mine)
    if ready:
        messages = [one for row in found if row.pk in ready for one in news.settled(row, row.asset, actor)]
        outbox.keep([*messages, *after])
    return found


def _settle_all(
    mine: dict[str, Any],
    assets: list[Asset],
    state: State,
    reason: str,
    actor: str,
    when: datetime | None,
    digests: Mapping[str, str],
) -> tuple[set[int], list[Message]]:
    """Settle what an attempt registered on these locked assets; the keys of what is ready by that, and what is to be
    told after it."""
    pending = to_settle.all(**mine, lost=f"{LOST}%", assets=[asset.pk for asset in assets])
    if not pending:
        return set(), []
    attempt = mine["attempt"]
    if attempt is not None:
        _, last = attempts_of.one(**{name: mine[name] for name in ("perimeter", "kind", "entity_id")}) or (None, None)
        if last is not None and last > attempt:
            state, reason = State.FAILED, "superseded by a later attempt"
    by_key = {asset.pk: asset for asset in assets}
    if state == State.READY:
        pending = _without_refused(pending, by_key, actor, when, digests)
    _settle(pending, by_key, state, reason, actor, when, digests)
    if state == State.READY:
        return {row.pk for row in pending}, _point_to_ready(assets, pending)
    Asset.objects.filter(pk__in={row.asset_id for row in pending}).mark()
    return set(), []


def _without_refused(
    pending: list[Instance],
    assets: Mapping[int, Asset],
    actor: str,
    when: datetime | None,
    digests: Mapping[str, str],
) -> list[Instance]:
    """Those that may become ready. Copies fail that gates refuse which were declared after their registration."""
    refused: list[Instance] = []
    for row in pending:
        asset = assets[row.asset_id]
        if asset.gates_id and is_promotion(row.annotations):
            row.asset = asset
            if why := refused_since(row, when):
                _settle([row], assets, State.FAILED, why[: limits.REASON_LENGTH], actor, when, digests)
                refused.append(row)
    if refused:
        Asset.objects.filter(pk__in={row.asset_id for row in refused}).mark()
    return [row for row in pending if row not in refused]


def _settle(
    instances: list[Instance],
    assets: Mapping[int, Asset],
    state: State,
    reason: str,
    actor: str,
    when: datetime | None = None,
    digests: Mapping[str, str] = NO_DIGESTS,
) -> None:
    """Settle instances of these locked assets. Those that failed before are counted in edges again."""
    now, recounted, promoted = moment(when), set[tuple[int, int]](), set[int]()
    changes = []
    for row in instances:
        if State.FAILED in (state, row.state):
            recounted.add((row.asset_id, row.component_id))
            if row.is_copy:
                promoted.add(row.asset_id)
        row.state, row.state_reason, row.settled_at = state, reason, now
        if row.is_failed:
            row.deprecation = None
        digest = digests.get(row.uid)
        row.digest = digest or row.digest
        changes.append(StateChange(instance=row, state=state, reason=reason, digest=digest, at=now, actor=actor))
    forget_changed(instances, assets)
    settled = {"state": state.value, "fails": state == State.FAILED, "reason": reason, "at": now}
    settle.each([{**settled, "pk": row.pk, "digest": digests.get(row.uid)} for row in instances])
    inserting(StateChange).each([values_of(change) for change in changes])
    if recounted:
        newest = Asset.objects.filter(
            pk__in={asset for asset, _ in recounted}, newest__in=[row.pk for row in instances]
        )
        newest.update(failed_at=F("newest_at") if state == State.FAILED else None)
    for key, component in sorted(recounted):
        asset = Asset.objects.select_related("branch__project").get(pk=key)
        Recount().edges_with(asset, Component.objects.get(pk=component))
        if state == State.FAILED:
            mine = [row for row in instances if (row.asset_id, row.component_id) == (key, component)]
            outbox.keep([one for row in mine for one in news.settled(row, asset, actor)])
    for target in Asset.objects.filter(pk__in=promoted).order_by("pk") if promoted else ():
        Recount().promotions_to(target)


def _point_to_ready(assets: list[Asset], settled: list[Instance]) -> list[Message]:
    """What has become ready counts, and may be the newest ready one of its locked asset. Answers what is to be told."""
    messages: list[Message] = []
    by_asset: dict[int, list[Instance]] = defaultdict(list)
    for row in sorted(settled, key=lambda row: row.place_in_time):
        by_asset[row.asset_id].append(row)
    last = {pk: rows[-1] for pk, rows in by_asset.items()}
    on = [asset for asset in assets if asset.pk in last]
    # what is the newest of all needs no comparison
    unsure = [asset.newest_ready_id for asset in on if asset.newest_ready_id and asset.newest_id != last[asset.pk].pk]
    newest = {row.pk: row for row in instances_by_key.all(pks=unsure)} if unsure else {}
    for asset in on:
        asset.ready_count += len(by_asset[asset.pk])
        messages += arrived(asset, by_asset[asset.pk], zone=last[asset.pk].zone)  # type: ignore[attr-defined]
        if is_later(last[asset.pk], newest.get(asset.newest_ready_id or 0)):
            point_to_ready(asset, last[asset.pk])
    point_assets_to_ready.each(
        [
            {
                "pk": asset.pk,
                "ready_count": asset.ready_count,
                "newest_ready": asset.newest_ready_id,
                "ready_number": asset.ready_number,
                "refreshed_at": asset.refreshed_at,
                **shifted(asset),
            }
            for asset in on
        ]
    )
    return messages


def _recount_newest(assets: Iterable[Asset]) -> None:
    """After some of them have failed that may have been ready."""
    for asset in assets:
        right = newest_of(asset)
        for name, value in right.items():
            setattr(asset, name, value)
        right |= right_expectation(asset)
        for name, value in right.items():
            setattr(asset, name, value)
        Asset.objects.filter(pk=asset.pk).update(to_look_at=True, **right)
