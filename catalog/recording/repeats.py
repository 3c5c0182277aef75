"""Requests that are sent twice, and the answers kept for them."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from access.errors import Conflict, SiteError
from access.prepared import insert
from catalog.lookups import kept_answer
from catalog.models import IdempotencyKey

Json = dict[str, Any]


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
