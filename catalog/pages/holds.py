"""What an alias led to, from one move to the next: a part of its history, and what held it at a time."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from django.utils import timezone

from catalog.addresses import asset_url, instance_url
from catalog.models import AliasMove, Asset, GateVerdict, Instance
from catalog.pagekit.days import day_in, end_of, start_of
from catalog.pages.chosen_metric import ChosenMetric
from catalog.plotting.held import Hold
from catalog.states import Outcome

MOST = 100
"""How many moves a page shows."""
MOST_IN_DAY = 20
"""How many moves of a day a sentence tells."""
DEFINITION = "definition"


@dataclass(frozen=True)
class Moved:
    """Moves of an alias, the oldest first. `next_at`: when it moved after them; `older`: there are others before."""

    moves: Sequence[AliasMove] = ()
    next_at: datetime | None = None
    older: bool = False

    @property
    def uids(self) -> set[str]:
        return {move.to_uid for move in self.moves}


def moves_before(asset: Asset, name: str, before: int | None, most: int = MOST) -> Moved:
    """The newest moves of an alias, below a key."""
    all_of_it = asset.alias_moves.filter(name=name)
    found = all_of_it if before is None else all_of_it.filter(pk__lt=before)
    rows = list(found.select_related("verdict").order_by("-pk")[: most + 1])
    after = None if before is None else all_of_it.filter(pk__gte=before).order_by("pk").first()
    return Moved(rows[:most][::-1], after.at if after else None, len(rows) > most)


def refusals_among(asset: Asset, name: str, moved: Moved, most: int = MOST) -> list[GateVerdict]:
    """The newest attempts to move an alias that were refused in the time of some moves of it, the newest first."""
    all_of_it = GateVerdict.objects.of(asset.branch).filter(kind=asset.kind, asset_id=asset.asset_id, alias=name)
    since = moved.moves[0].at if moved.moves and moved.older else asset.created_at
    found = all_of_it.filter(outcome=Outcome.REFUSED, at__gte=since)
    if moved.next_at is not None:
        found = found.filter(at__lt=moved.next_at)
    return list(found.order_by("-at", "-pk")[:most])


@dataclass(frozen=True)
class Told:
    """A hold, and the move that began it."""

    hold: Hold
    move: AliasMove


def holds_of(asset: Asset, moved: Moved, instances: Mapping[str, Instance], metric: ChosenMetric) -> list[Told]:
    """The holds between the moves; what moved to where it was already goes on."""
    found: list[Told] = []
    kept: list[AliasMove] = []
    for move in moved.moves:
        if not kept or kept[-1].to_uid != move.to_uid:
            kept.append(move)
    starts: list[datetime] = []
    for move in kept:  # a clock that was put back makes no time negative
        starts.append(max([move.at, *starts[-1:]]))
    ends = [*starts[1:], moved.next_at and max(moved.next_at, starts[-1])] if starts else []
    for move, start, end in zip(kept, starts, ends, strict=True):
        found.append(Told(_hold(asset, move.to_uid, start, end, instances, metric), move))
    return found


def _hold(
    asset: Asset,
    uid: str,
    start: datetime,
    end: datetime | None,
    instances: Mapping[str, Instance],
    metric: ChosenMetric,
) -> Hold:
    instance = instances.get(uid)
    if instance is not None:
        value, text, instead = metric.value_of(instance)
        return Hold(instance.ref, instance_url(asset, instance), start, end, value, text or instead)
    if uid == asset.definition_uid:
        return Hold(DEFINITION, asset_url(asset), start, end, text="the definition measures nothing")
    return Hold("", asset_url(asset), start, end)


@dataclass(frozen=True)
class Day:
    """What is asked about: a day, or a moment; in UTC. `unclear` says why it can't be understood."""

    text: str = ""
    start: datetime | None = None
    end: datetime | None = None
    unclear: str = ""

    @classmethod
    def of(cls, text: str) -> "Day":
        text = text.strip()
        if not text:
            return cls()
        try:
            if day := day_in(text):
                return cls(text, start_of(day), end_of(day))
            at = datetime.fromisoformat(text)
            at = (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)
        except (ValueError, OverflowError):
            return cls(text, unclear=f"'{text}' is no day or time, such as 2026-11-24 or 2026-11-24 18:30.")
        return cls(text, at, at)

    @property
    def is_moment(self) -> bool:
        return self.start == self.end


@dataclass(frozen=True)
class HeldOn:
    """What held an alias on a day or at a moment, oldest first. `first`: the first move ever, if it was later.

    `cut`: there were more moves that day than are told.
    """

    day: Day
    moves: Sequence[AliasMove] = ()
    first: AliasMove | None = None
    cut: bool = False
    now: datetime = field(default_factory=timezone.now)

    @property
    def uids(self) -> set[str]:
        return {move.to_uid for move in self.moves}

    @property
    def is_to_come(self) -> bool:
        return self.day.start is not None and self.day.start > self.now


def held_on(asset: Asset, name: str, day: Day) -> HeldOn | None:
    """None if nothing is asked, or nothing that can be understood."""
    if day.start is None or day.end is None:
        return None
    all_of_it = asset.alias_moves.filter(name=name)
    until = {"at__lte": day.end} if day.is_moment else {"at__lt": day.end}
    newest = list(all_of_it.filter(**until).order_by("-pk")[: MOST_IN_DAY + 1])
    moves = list(_back_to(newest, day.start))
    first = all_of_it.order_by("pk").first() if not moves else None
    cut = len(moves) > MOST_IN_DAY and moves[-1].at > day.start
    return HeldOn(day, moves[:MOST_IN_DAY][::-1] if cut else moves[::-1], first, cut)


def _back_to(newest: Iterable[AliasMove], start: datetime) -> Iterable[AliasMove]:
    """The moves, newest first, down to the one that was in force when it began."""
    for move in newest:
        yield move
        if move.at <= start:
            return
