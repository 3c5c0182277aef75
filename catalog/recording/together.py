"""Registering much at once: in one transaction, each registration done or refused by itself.

All is done first as if nothing were refused. Where something is, all of it is undone, each registration is tried by
itself to find those that are, and the others are done. So nothing of a refused one is left, not even its run.

What several registrations need is locked or made before the first of them, in the order in which all writes do it
(`catalog.recording`), so that two of these transactions can wait for each other but never deadlock.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, TypeVar

from django.db import IntegrityError, transaction

from access.errors import Conflict, SiteError
from catalog import outbox
from catalog.entities import Entity
from catalog.models import Asset, Branch, Component, Message
from catalog.name_starts import add_names
from catalog.recording.failing import has_later_attempt, mark_failed, readings_of_earlier_attempts
from catalog.recording.places import AssetAddress, BranchAddress, count_assets, locked_all, make_asset
from catalog.recording.registering import AtHand, assets_of_earlier_attempts, supersede
from catalog.recording.runs import NOTHING_TOLD, Told, writer_of

Result = TypeVar("Result")
Number = int
"""The place of a write among those that were asked for, from 0."""
TRIES = 5
REFUSALS = (SiteError, IntegrityError)


@dataclass(frozen=True)
class Writer:
    """Who registers, as what and where: `branch` is the key of the branch that its run writes to, or empty."""

    entity: Entity
    branch: str
    told: Told = NOTHING_TOLD
    attempt: int | None = None

    @property
    def place(self) -> tuple[str, ...]:
        """What puts the writers of one transaction in order: the component first, then the run."""
        return *self.entity.component, self.entity.run or self.told.session, self.branch, self.entity.id


@dataclass(frozen=True)
class Write(Generic[Result]):
    """One registration or declaration. `writer` is None for who declares.

    `do` does it, with what is at hand for it; without, it finds that by itself. `when` is the past moment of a write
    that arrives only now.
    """

    at: AssetAddress
    writer: Writer | None
    do: Callable[[AtHand | None], Result]
    when: datetime | None = None


def write_together(writes: Sequence[Write[Result]], actor: str) -> list[Result | Exception]:
    """Do all of them in one transaction; the result of each, or why it is refused, in the order in which they came.

    All of them are in one perimeter. Whatever else goes wrong, such as a database that is away, is raised, and nothing
    is done.
    """
    refused: dict[Number, Exception] = {}
    for _ in range(TRIES):
        left = {number: write for number, write in enumerate(writes) if number not in refused}
        try:
            with transaction.atomic():
                done = _done(left, actor)
        except REFUSALS:
            refused |= _refused(left, actor)
        else:
            return [refused[number] if number in refused else done[number] for number in range(len(writes))]
    raise Conflict("Others write the same at this moment, again and again; try later.")


def _done(writes: Mapping[Number, Write[Result]], actor: str) -> dict[Number, Result]:
    shared, done = _Shared.of(writes.values(), actor), {}
    for number, write in writes.items():
        at_hand = shared.at_hand(write)
        if at_hand is None:  # it tells by itself, after those before it
            shared.tell()
        done[number] = write.do(at_hand)
    shared.finish()
    return done


class _Undone(Exception):
    """The end of a trial."""


def _refused(writes: Mapping[Number, Write[Result]], actor: str) -> dict[Number, Exception]:
    """Try each of them by itself, after those before it; why those that can't be done are refused. All is undone."""
    refused: dict[Number, Exception] = {}
    try:
        with transaction.atomic():
            _Shared.of(writes.values(), actor)
            for number, write in writes.items():
                try:
                    with transaction.atomic():
                        write.do(None)
                except REFUSALS as error:
                    refused[number] = error
            raise _Undone
    except _Undone:
        return refused


@dataclass
class _Shared:
    """What writes of one transaction share, locked or made in the order of all writes."""

    writers: dict[tuple[str, ...], tuple[Component, str]]
    late: dict[tuple[Entity, int | None], bool]
    """Whether a higher attempt has written."""
    assets: dict[AssetAddress, Asset]
    made: list[Asset]
    messages: list[Message] = field(default_factory=list)

    @classmethod
    def of(cls, writes: Collection[Write[Any]], actor: str) -> "_Shared":
        known = {write.writer.place: _known(write) for write in _one_of_each(writes) if write.writer}
        attempts = {(write.writer.entity, write.writer.attempt): write for write in writes if write.writer}
        earlier = [
            assets_of_earlier_attempts(write.at.branch.perimeter, entity, attempt)
            for (entity, attempt), write in attempts.items()
            if attempt
        ]
        there = _there(write.at for write in writes)
        locked = {asset.pk: asset for asset in locked_all(set().union(there.values(), *earlier))}
        assets = {at: locked[key] for at, key in there.items() if locked[key].deleted_at is None}
        new = {write.at: write.when for write in reversed([*writes]) if write.at not in assets}
        made = {at: make_asset(at, actor, new[at]) for at in sorted(new, key=_place_of)}
        _give_branches(assets)
        return cls(known, _late(attempts, locked, actor), assets | made, [*made.values()])

    def at_hand(self, write: Write[Any]) -> AtHand | None:
        """What a registration needs; None if it has to look by itself, as after a declaration of its asset."""
        if write.writer is None:
            self.assets.pop(write.at, None)
            return None
        asset, by = self.assets.get(write.at), (write.writer.entity, write.writer.attempt)
        if asset is None or by not in self.late:
            return None
        component, run = self.writers[write.writer.place]
        return AtHand(component, run, asset, self.late[by], messages=self.messages)

    def tell(self) -> None:
        """Tell of all that was done."""
        outbox.keep(self.messages)
        self.messages.clear()

    def finish(self) -> None:
        """Tell of it; and what new assets change besides: how they are found, and what their branches count."""
        self.tell()
        for asset in self.made:
            add_names(asset)
        for branch in {asset.branch.pk: asset.branch for asset in self.made}.values():
            count_assets(branch)


def _place_of(at: AssetAddress) -> tuple[str, str, str]:
    return at.branch.key, at.kind, at.asset_id


def _one_of_each(writes: Iterable[Write[Any]]) -> list[Write[Any]]:
    """Writes of all writers in their order: of each place one, with the facts of the run if any has them.

    Of those that arrive late one for each moment, as each may be the first of its run.
    """
    found: dict[tuple[Any, ...], Write[Any]] = {}
    for write in writes:
        if write.writer:
            place = (*write.writer.place, str(write.when or ""))
            if place not in found or write.writer.told.facts:
                found[place] = write
    return [found[place] for place in sorted(found)]


def _known(write: Write[Any]) -> tuple[Component, str]:
    branch, writer = write.at.branch, write.writer
    assert writer is not None
    return writer_of(
        perimeter_id=branch.perimeter.pk,
        project=branch.project,
        entity=writer.entity,
        branch=writer.branch,
        is_written=True,
        told=writer.told,
        when=write.when,
    )


def _there(addresses: Iterable[AssetAddress]) -> dict[AssetAddress, int]:
    """The keys of the assets that are at these addresses already."""
    names: dict[BranchAddress, dict[tuple[str, str], AssetAddress]] = {}
    for at in addresses:
        names.setdefault(at.branch, {})[at.kind, at.asset_id] = at
    found = {}
    for branch, wanted in names.items():
        live = Asset.objects.at_place(branch).live().filter(asset_id__in={asset_id for _, asset_id in wanted})
        for kind, asset_id, key in live.values_list("kind", "asset_id", "pk"):
            if (kind, asset_id) in wanted:
                found[wanted[kind, asset_id]] = key
    return found


def _give_branches(assets: Mapping[AssetAddress, Asset]) -> None:
    """Give locked assets their branches, each of which is read once."""
    branches: dict[BranchAddress, Branch] = {}
    for at, asset in assets.items():
        if at.branch not in branches:
            branches[at.branch] = Branch.objects.select_related("project").get(pk=asset.branch_id)
            branches[at.branch].project.perimeter = at.branch.perimeter
        asset.branch = branches[at.branch]


def _late(
    attempts: Mapping[tuple[Entity, int | None], Write[Any]], locked: dict[int, Asset], actor: str
) -> dict[tuple[Entity, int | None], bool]:
    """Fail what lower attempts left, and find out whether there are higher ones, once for each task.

    Empty if several attempts of one task are among them: each of these has to look by itself then, and so have all.
    """
    numbers = Counter(entity for entity, attempt in attempts if attempt is not None)
    if any(many > 1 for many in numbers.values()):
        return {}
    late = {}
    for (entity, attempt), write in attempts.items():
        scope = write.at.branch.perimeter
        if attempt:
            mark_failed(readings_of_earlier_attempts(scope.pk, entity, attempt))
        higher = attempt is not None and supersede(scope, entity, attempt, locked, actor)
        late[entity, attempt] = higher or (write.when is not None and has_later_attempt(scope.pk, entity, attempt))
    return late
