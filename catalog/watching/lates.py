"""Telling what has become late, once, and keeping why it is as long as it lasts.

An asset is late by its columns, at the moment that they name, whether or not anybody looks (`catalog/freshness/`). Here
it is told, on branches that alarm: the event and the row of what needs attention are written with the note that they
were (`late_told_at`), so that whoever does it again finds nothing to do. After a night without a server each asset is
told once, as late since then.

On a branch where nothing was refreshed for so long that an asset would be dormant, its being late is no news of its
own: the branch has one row for all of them, and no event.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone as clock

from access.statements import Answer, Statement, moment_of
from catalog.attention import SETTLED, attention, of_asset, of_branch, raise_all, settle_attention
from catalog.freshness.learning import DORMANT, DORMANT_GAPS
from catalog.models import Asset, Attention, Branch, Cadence, Message
from catalog.news import late
from catalog.outbox import keep
from catalog.states import AttentionKind
from catalog.watching import statements
from catalog.watching.causes import Cause, causes_of

Json = dict[str, Any]
AT_ONCE = 100


@dataclass
class Told:
    """How many assets were told to be late, and of how many that were it is over, or said by their branch."""

    late: int = 0
    over: int = 0


@dataclass(frozen=True)
class _Late:
    """A late asset, when anything on its branch was refreshed last, the cause that is kept, and whether its row is of
    other moments than its columns."""

    pk: int
    branch: int
    usual: int | None
    refreshed_at: datetime | None
    cause: Json
    is_changed: bool

    @classmethod
    def of(cls, row: Answer) -> "_Late":
        pk, branch, usual, refreshed, cause, is_changed = row
        return cls(pk, branch, usual, moment_of(refreshed), json.loads(cause) if cause else {}, bool(is_changed))

    def is_news(self, now: datetime) -> bool:
        """Whether its branch is not dormant: something was refreshed there since it would itself be dormant."""
        silence = timedelta(seconds=max(DORMANT, DORMANT_GAPS * (self.usual or 0)))
        return self.refreshed_at is None or now < self.refreshed_at + silence


def tell_lates(
    *,
    now: datetime | None = None,
    known_until: datetime | None = None,
    after_each: Callable[[], None] = lambda: None,
    at_once: int = AT_ONCE,
) -> Told:
    """Tell what has become late, and bring up to date what was told before.

    `known_until`: up to when it is known what has come; what became late since waits. `after_each` is called between
    two transactions; what it raises ends it.
    """
    at = now or clock.now()
    told = Told()
    told.over += _end(at)
    after_each()
    for some in _pages(statements.told_lates, at_once, now=at, settled=SETTLED):
        _renew(some, at)
        after_each()
    until = min(at, known_until) if known_until else at
    for some in _pages(statements.untold_lates, at_once, now=at, until=until):
        told.late += _tell(some, at)
        after_each()
    return told


def is_anything_late(now: datetime | None = None) -> bool:
    """Whether something is to be told, or was told and is not over: so that nobody takes a lease for nothing."""
    at = now or clock.now()
    if statements.rows_of_lates.one(now=at, settled=SETTLED):
        return True
    return bool(statements.untold_lates.all(now=at, until=at, after=0, most=1))


def _pages(asked: Statement, at_once: int, **values: Any) -> Iterator[list[_Late]]:
    after = 0
    while rows := asked.all(after=after, most=at_once, **values):
        after = rows[-1][0]
        yield [_Late.of(row) for row in rows]


@transaction.atomic
def _tell(lates: Sequence[_Late], now: datetime) -> int:
    """Tell that some are late, of which nobody was told; by the row of their branch if that is dormant."""
    causes = causes_of([one.pk for one in lates if one.is_news(now)], now)
    still = _locked(lates, now, told=False)
    Asset.objects.filter(pk__in=[one.pk for one in still]).update(late_told_at=now)
    assets = _raise(still, causes)
    keep([message for pk, asset in assets.items() for message in _messages(asset, causes[pk], now)])
    return len(assets)


@transaction.atomic
def _renew(lates: Sequence[_Late], now: datetime) -> None:
    """Keep the present causes with what needs attention; what is on a dormant branch has no row of its own."""
    causes = causes_of([one.pk for one in lates if one.is_news(now)], now)
    changed = [one for one in lates if one.is_changed or one.pk not in causes or causes[one.pk].kept() != one.cause]
    still = _locked(changed, now, told=True)
    if quiet := [one for one in still if one.pk not in causes]:
        settle_attention(AttentionKind.LATE, *(of_asset(one.pk) for one in quiet), now=now)
    _raise(still, causes)


def _locked(lates: Sequence[_Late], now: datetime, *, told: bool) -> list[_Late]:
    """Those that are still late, and of which that was told, or was not; locked, so that none comes meanwhile."""
    found = statements.lock_lates.all(assets=[one.pk for one in lates], now=now) if lates else []
    pks = {pk for pk, is_told in found if bool(is_told) is told}
    return [one for one in lates if one.pk in pks]


def _raise(lates: Sequence[_Late], causes: Mapping[int, Cause]) -> dict[int, Asset]:
    """Raise the rows of some and keep their causes: of those that are news. The others are named by their branches."""
    news = {one.pk: one for one in lates if one.pk in causes}
    found = Asset.objects.select_related("branch__project__perimeter").defer("readme", "description")
    assets = found.in_bulk(news) if news else {}
    raise_all([_of_asset(asset, causes[pk]) for pk, asset in assets.items()])
    cadences = [
        Cadence(asset_id=pk, cause=kept, learned_at=clock.now())
        for pk, one in news.items()
        if (kept := causes[pk].kept()) != one.cause
    ]
    if cadences:
        Cadence.objects.bulk_create(cadences, update_conflicts=True, unique_fields=["asset"], update_fields=["cause"])
    _raise_branches({one.branch: one.refreshed_at for one in lates if one.pk not in news})
    return assets


def _messages(asset: Asset, cause: Cause, now: datetime) -> list[Message]:
    return late(asset, now=now, why=cause.sentence, cause=cause.kept())


def _of_asset(asset: Asset, cause: Cause) -> Attention:
    assert asset.late_at is not None, "it is late"
    return attention(
        AttentionKind.LATE,
        of_asset(asset.pk),
        perimeter_id=asset.branch.project.perimeter_id,
        branch_id=asset.branch_id,
        asset_id=asset.pk,
        since=asset.late_at,
        until=asset.dormant_at,
        facts={
            "why": cause.sentence,
            "late_at": asset.late_at.isoformat(),
            "cause": cause.kept(),
            "upstream": of_asset(cause.input.asset) if cause.input else "",
        },
        matter=["why", "late_at"],
    )


def _raise_branches(refreshed: Mapping[int, datetime | None]) -> None:
    """The row of each dormant branch, by the key, with when anything was refreshed there last."""
    branches = Branch.objects.select_related("project").in_bulk(refreshed) if refreshed else {}
    raise_all(
        attention(
            AttentionKind.LATE,
            of_branch(pk),
            perimeter_id=branch.project.perimeter_id,
            branch_id=pk,
            since=at,
            facts={"refreshed_at": at.isoformat()},
        )
        for pk, branch in branches.items()
        if (at := refreshed[pk])
    )


@transaction.atomic
def _end(now: datetime) -> int:
    """Settle what is over: assets that are late no more or were deleted, and branches that do not alarm any more,
    where nothing is late any more or where something was refreshed. What is still late on one of these has a row of its
    own again."""
    over = [pk for (pk,) in statements.ended_lates.all(now=now, settled=SETTLED)]
    if over:
        statements.lock_all.all(assets=over)
        Asset.objects.filter(pk__in=over).update(late_told_at=None)
        settle_attention(AttentionKind.LATE, *map(of_asset, over), now=now)
    awake = []
    for branch, is_late, refreshed, since in statements.late_branches.all(now=now, settled=SETTLED):
        if not is_late or moment_of(refreshed) != moment_of(since):
            awake.append(branch)
    if awake:
        settle_attention(AttentionKind.LATE, *map(of_branch, awake), now=now)
        for some in _pages(statements.told_on_branches, AT_ONCE, now=now, branches=awake):
            _renew(some, now)
    return len(over)
