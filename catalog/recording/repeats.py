"""Requests that are sent twice: the answers kept for them, and the writes that clients gave ids of their own."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone

from access.errors import Conflict, SiteError
from access.statements import inserting
from catalog.entities import Entity
from catalog.models import AliasMove, Asset, Consumption, Deletion, Deprecation, IdempotencyKey, Instance
from catalog.reading import parsed_reference
from catalog.recording.registering import Registration
from catalog.statements import kept_answer
from obproject.references import ReferenceKind

Json = dict[str, Any]
Content = dict[str, tuple[Any, Any]]
"""The parts of a write, each as it was stored and as a repeat says it."""
Row = TypeVar("Row")
KEPT_FOR = timedelta(days=7)
CONTENT = {"kind": "asset_kind"} | {part: part for part in ("description", "annotations", "tags", "blobs")}
"""What a registration is, by columns: a repeat may say the rest otherwise, such as its state and facts of its run."""


@dataclass(frozen=True)
class Once:
    """An idempotent request: its digest of caller, method, path and key, and the digest of its body."""

    digest: str
    body_digest: str

    @classmethod
    def of(cls, *, caller: str, method: str, path: str, key: str, body: Any) -> "Once":
        """`body` is the parsed JSON: two spellings of one body are the same request."""
        whole = json.dumps([caller, method, path, key])
        content = json.dumps(body, sort_keys=True)
        return cls(hashlib.sha256(whole.encode()).hexdigest(), hashlib.sha256(content.encode()).hexdigest())


def once(request: Once | None, act: Callable[[], tuple[int, Json | None]]) -> tuple[int, Json | None]:
    """Do `act` in one transaction, unless the same request was answered before; then give that answer again.

    Repeats are rare, so nobody looks for an answer first: a repeat acts as well, is stopped by the unique digest, and
    what it did is rolled back.
    """
    if request is None:
        with transaction.atomic():
            return act()
    try:
        with transaction.atomic():
            status, answer = act()
            _keep(request, status, answer)
            return status, answer
    except (IntegrityError, SiteError):  # a repeat may also find nothing left to do
        kept = kept_answer.one(digest=request.digest)
        if kept is None:
            raise
    if kept.created_at < timezone.now() - KEPT_FOR:
        kept.delete()
        return once(request, act)
    if kept.body_digest != request.body_digest:
        raise Conflict("This Idempotency-Key was used for another body.", field="Idempotency-Key")
    return kept.status, json.loads(kept.answer)


def _keep(request: Once, status: int, answer: Json | None) -> None:
    inserting(IdempotencyKey).run(
        digest=request.digest,
        body_digest=request.body_digest,
        status=status,
        answer=json.dumps(answer),
        created_at=timezone.now(),
    )


def forget_old_answers() -> int:
    """Drop the answers to idempotent requests that are older than seven days."""
    return IdempotencyKey.objects.filter(created_at__lt=timezone.now() - KEPT_FOR).delete()[0]


def registration_before(uid: str, here: QuerySet[Asset], entity: Entity, what: Registration) -> Instance | None:
    """The instance that `entity` registered under this id; None if nobody did.

    `here` are the assets that were ever at the address of the request. Conflict if the id is that of another write:
    at another address, by another entity, or with other content than `what`.
    """
    with_place = Instance.objects.select_related(*_OWN_PLACE, "component")
    instance: Instance | None = with_place.filter(uid=uid).first() if uid else None
    if instance is None:
        return None
    same = (instance.producer_kind, instance.producer_id) == (entity.kind, entity.id)
    found = _only_here(instance, instance.asset, same, uid, here)
    refuse_other_content(
        uid, {part: (getattr(found, column), getattr(what, column)) for part, column in CONTENT.items()}
    )
    return found


def consumption_before(
    uid: str, here: QuerySet[Asset], entity: Entity, *, asked: str, reference: str, role: str | None
) -> Consumption | None:
    """The consumption that `entity` recorded under this id.

    `asked` is what the address names, and `reference` what the consumer asked for. What `latest` meant then it need not
    mean now, so instances are compared only where the address has an id.
    """
    with_place = Consumption.objects.select_related(*_OWN_PLACE, "instance")
    found: Consumption | None = with_place.filter(uid=uid).first() if uid else None
    if found is None:
        return None
    same = (found.entity_kind, found.entity_id) == (entity.kind, entity.id)
    _only_here(found, found.asset, same, uid, here)
    content: Content = {"reference": (found.reference, reference), "role": (found.role, role)}
    if parsed_reference(asked).kind is ReferenceKind.ID:
        content["instance"] = (found.instance.uid if found.instance else found.asset.definition_uid, asked)
    refuse_other_content(uid, content)
    return found


def move_before(uid: str, here: QuerySet[Asset], name: str, target_uid: str) -> AliasMove | None:
    """The move of the alias that was done under this id; with an empty target, its deletion."""
    move = AliasMove.objects.filter(uid=uid).select_related("asset").first() if uid else None
    if move is None:
        return None
    _only_here(move, move.asset, move.name == name, uid, here)
    refuse_other_content(uid, {"instance_id": (move.to_uid, target_uid)})
    return move


def deprecation_before(uid: str, here: QuerySet[Asset], reference: str, reason: str | None) -> Deprecation | None:
    """The event by which an instance was deprecated under this id; without a `reason`, by which that was undone.

    `reference` is what the address calls it.
    """
    with_place = Deprecation.objects.select_related("instance__asset__branch__project__perimeter")
    event = with_place.filter(uid=uid).first() if uid else None
    if event is None:
        return None
    meant, instance = parsed_reference(reference), event.instance
    same = meant.kind is ReferenceKind.ALIAS or instance.number == meant.number or instance.uid == meant.id
    _only_here(event, instance.asset, same and event.undone == (reason is None), uid, here)
    if reason is not None:
        refuse_other_content(uid, {"reason": (event.reason, reason)})
    return event


def deletion_before(uid: str, here: QuerySet[Asset], *, recovered: bool = False) -> Deletion | None:
    """The event by which the asset of this address was deleted under this id, or recovered. It may have been recovered
    or deleted again since."""
    event = Deletion.objects.filter(uid=uid).select_related("asset").first() if uid else None
    return _only_here(event, event.asset, event.recovered == recovered, uid, here) if event else None


def refuse_other_content(uid: str, content: Content) -> None:
    """Raise Conflict if a write that arrives under the id of an earlier one says anything else than that one."""
    differing = [part for part, (stored, said) in content.items() if not same_json(stored, said)]
    if differing:
        raise Conflict(
            f"The id '{uid}' belongs to an earlier write with other content ({', '.join(differing)}). "
            "Nothing was written. Send a repeat as it was sent first, and give a new write an id of its own.",
            field="id",
            differing=differing,
        )


def same_json(one: Any, other: Any) -> bool:
    """Whether two values are the same as JSON, also after a database has stored one of them.

    The order of members plays no part, and 1 is 1.0; true is no number.
    """
    match one, other:
        case dict(), dict():
            return one.keys() == other.keys() and all(same_json(one[key], other[key]) for key in one)
        case list(), list():
            return len(one) == len(other) and all(map(same_json, one, other))
        case bool(), _:
            return one is other
        case _, bool():
            return False
        case (int(), float()) | (float(), int()):  # PostgreSQL writes 1e23 as a whole number
            return float(one) == float(other)
    return bool(one == other)


_OWN_PLACE = ("asset__branch__project__perimeter", "asset__newest_ready")


def _only_here(found: Row, asset: Asset, same: bool, uid: str, here: QuerySet[Asset]) -> Row:
    if not same or not here.filter(pk=asset.pk).exists():
        raise Conflict(f"The id '{uid}' belongs to another write.", field="id")
    return found
