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
from access.prepared import insert
from catalog.entities import Entity
from catalog.lookups import kept_answer
from catalog.models import AliasMove, Asset, Consumption, IdempotencyKey, Instance

Json = dict[str, Any]
Row = TypeVar("Row")
KEPT_FOR = timedelta(days=7)


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
        kept = kept_answer(digest=request.digest)
        if kept is None:
            raise
    if kept.created_at < timezone.now() - KEPT_FOR:
        kept.delete()
        return once(request, act)
    if kept.body_digest != request.body_digest:
        raise Conflict("This Idempotency-Key was used for another body.", field="Idempotency-Key")
    return kept.status, json.loads(kept.answer)


def _keep(request: Once, status: int, answer: Json | None) -> None:
    insert(
        IdempotencyKey(
            digest=request.digest,
            body_digest=request.body_digest,
            status=status,
            answer=json.dumps(answer),
            created_at=timezone.now(),
        )
    )


def forget_old_answers() -> int:
    """Drop the answers to idempotent requests that are older than seven days."""
    return IdempotencyKey.objects.filter(created_at__lt=timezone.now() - KEPT_FOR).delete()[0]


def registration_before(uid: str, here: QuerySet[Asset], entity: Entity) -> Instance | None:
    """The instance that `entity` registered under this id; Conflict if the id is another one's, None if nobody's.

    `here` are the assets that were ever at the address of the request.
    """
    with_place = Instance.objects.select_related(*_OWN_PLACE, "component")
    instance: Instance | None = with_place.filter(uid=uid).first() if uid else None
    if instance is None:
        return None
    same = (instance.producer_kind, instance.producer_id) == (entity.kind, entity.id)
    return _only_here(instance, instance.asset, same, uid, here)


def consumption_before(uid: str, here: QuerySet[Asset], entity: Entity) -> Consumption | None:
    """The consumption that `entity` recorded under this id."""
    with_place = Consumption.objects.select_related(*_OWN_PLACE, "instance")
    found: Consumption | None = with_place.filter(uid=uid).first() if uid else None
    if found is None:
        return None
    return _only_here(found, found.asset, (found.entity_kind, found.entity_id) == (entity.kind, entity.id), uid, here)


def move_before(uid: str, here: QuerySet[Asset], name: str) -> AliasMove | None:
    """The move or deletion of the alias that was done under this id."""
    move = AliasMove.objects.filter(uid=uid).select_related("asset").first() if uid else None
    return _only_here(move, move.asset, move.name == name, uid, here) if move else None


def deletion_before(uid: str, here: QuerySet[Asset]) -> Asset | None:
    """The asset of this address that was deleted under this id."""
    return here.filter(deletion_uid=uid).first() if uid else None


_OWN_PLACE = ("asset__branch__project__perimeter", "asset__newest_ready")


def _only_here(found: Row, asset: Asset, same: bool, uid: str, here: QuerySet[Asset]) -> Row:
    if not same or not here.filter(pk=asset.pk).exists():
        raise Conflict(f"The id '{uid}' belongs to another write.", field="id")
    return found
