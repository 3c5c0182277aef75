"""When the next version of an asset is expected, as each write leaves it.

Each arrival moves the moments on, which are in columns of the asset, without a query; the background learns them anew
afterwards, as it does for all that is marked `to_look_at`. Where nothing is expected, an arrival only marks.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.utils import timezone

from access.errors import BadRequest
from catalog import news, outbox
from catalog.attention import of_asset, settle_attention
from catalog.expected import as_declared, columns_of, declared_of, last_time
from catalog.freshness.learning import Expectation, after_arrival
from catalog.freshness.state import KNOWN
from catalog.models import Asset, Instance, Message, NewNormal
from catalog.recording.places import in_one_transaction, locked_again
from catalog.states import AttentionKind, Watch

SHIFTED = ("due_at", "late_at", "dormant_at", "late_told_at", "to_look_at")
"""The columns that an arrival changes."""


def arrived(asset: Asset, instances: Sequence[Instance], zone: str | None = None) -> list[Message]:
    """Let a locked asset, which the caller saves, expect its next version after these, which have become ready.

    `zone` is that of its project, where the asset does not come with its branch. Answers what is to be told after them.
    """
    asset.to_look_at = True
    if asset.watch in KNOWN:
        declared = declared_of(asset, zone)
        at = last_time(instances, declared)
        found = at and after_arrival(asset.watch, asset.usual, asset.due_at, asset.late_at, at, declared)
        if found and found.due_at and (asset.due_at is None or found.due_at > asset.due_at):
            # what comes late, or has old data, moves nothing back
            due_at = asset.due_at
            if _expect(asset, found):
                return news.fresh_again(asset, instance=instances[-1], due_at=due_at)
    return []


def shifted(asset: Asset) -> dict[str, Any]:
    """What an arrival may have changed, for the statement that saves it."""
    return {
        "due_at": asset.due_at,
        "late_at": asset.late_at,
        "dormant_at": asset.dormant_at,
        "late_told_at": asset.late_told_at,
        "to_look_at": asset.to_look_at,
    }


def declared_anew(asset: Asset) -> None:
    """Let a locked asset, which the caller saves, expect its next version by what is declared of it now."""
    asset.to_look_at = True
    _expect_otherwise(asset, as_declared(asset), f"Something else is expected of {asset.title} now.")


def _expect_otherwise(asset: Asset, expected: Expectation, why: str) -> None:
    due_at = asset.due_at
    if _expect(asset, expected):
        outbox.keep(news.fresh_again(asset, sentence=why, due_at=due_at))


def _expect(asset: Asset, expected: Expectation) -> bool:
    """Whether it had been told late, and is late no more by what is expected now."""
    for name, value in columns_of(expected).items():
        setattr(asset, name, value)
    if asset.late_told_at is None or (asset.late_at and asset.late_at <= timezone.now()):
        return False
    asset.late_told_at = None
    settle_attention(AttentionKind.LATE, of_asset(asset.pk))
    return True


@in_one_transaction
def start_anew(
    *, actor: str, asset: Asset, since: datetime | None = None, reason: str = "", user: User | None = None
) -> NewNormal:
    """Let what is older than a moment, or than now, teach nothing of what is usual and unusual of an asset.

    What was learned is forgotten at once, so that nothing is late by it; the background learns anew. What is declared
    stays. Saying the same once more changes nothing.
    """
    now = timezone.now()
    since = since or now
    if since > now:
        raise BadRequest("'since' is in the future; what will be normal can't be said yet.", field="since")
    asset = locked_again(asset)
    event = NewNormal.objects.create(asset=asset, since=since, reason=reason, at=now, actor=actor, user=user)
    asset.normal_since, asset.to_look_at = since, True
    if asset.watch == Watch.LEARNED:
        _expect_otherwise(asset, Expectation(Watch.LEARNING), f"What is usual of {asset.title} is learned anew.")
    if asset.refreshed_at and asset.refreshed_at < since:
        settle_attention(AttentionKind.UNUSUAL, of_asset(asset.pk))
    asset.save(update_fields=["normal_since", *SHIFTED, "watch", "usual"])
    return event
