"""Backfill missed writes, in the order in which the tasks did them.

A write is backfilled once its attempt is over: until then its client may still succeed. One that the catalogue has
acknowledged before need not wait. A write that can't be backfilled is stored with the reason, and the next pass tries
it again.
"""

from collections.abc import Collection, Iterator
from contextlib import suppress
from dataclasses import replace
from itertools import groupby

from django.db import DataError, Error, IntegrityError, transaction

from access.errors import SiteError
from access.models import Perimeter
from catalog.branch_keys import KnownByOtherKey
from catalog.models import Instance, MissedWrite
from catalog.reconciling import ACTOR
from catalog.reconciling.checking import Unusable, asset_address, checked_names, parsed
from catalog.reconciling.collecting import known_ids
from catalog.reconciling.progress import Progress
from catalog.reconciling.sources import Source
from catalog.reconciling.task_status import Attempt, TaskStatuses
from catalog.reconciling.wishes import wish_of
from catalog.reconciling.writes import NotYet, backfill, registration
from catalog.recording import AssetAddress, AtHand, Write, write_together
from catalog.recording.gating import GateRefused, Wish, note_refusal
from catalog.runs.datastore_layout import TaskPath
from catalog.runs.results import Datastore
from obproject.journal import Entry, Operation

FIRST = (Operation.REGISTER, Operation.DELETE)
"""Assets and instances, before the rows that refer to them."""
THEN = (Operation.CONSUME, Operation.SET_ALIAS, Operation.DELETE_ALIAS, Operation.HIGHLIGHT)
BATCH = 200


class StillRuns(Exception):
    """The attempt that wrote the entry is not over."""


class Applier:
    """Backfills the missed writes of all sources together."""

    def __init__(self, sources: list[Source], statuses: TaskStatuses, progress: Progress) -> None:
        self._sources = {source.row.pk: source for source in sources}
        self._statuses = statuses
        self._progress = progress
        self._perimeters = {perimeter.name: perimeter for perimeter in Perimeter.objects.all()}
        self._known: set[str] = set()

    def run(self, operations: Collection[Operation]) -> None:
        """Backfill writes of these kinds; repeat while writes that waited for others can be backfilled."""
        while self._round(operations):
            pass

    def _round(self, operations: Collection[Operation]) -> bool:
        """Try each write once; return whether another round may backfill more."""
        made = waiting = 0
        for rows in self._groups(operations):
            together = self._register_together(rows)
            for row in rows:
                self._progress.tick()
                if row.pk in together:
                    made += 1
                    continue
                try:
                    made += self._backfill(row)
                except StillRuns:
                    _note(row, "")
                except NotYet as why:
                    waiting += 1
                    _note(row, str(why))
                except GateRefused as refusal:
                    if row.error != str(refusal):  # it is refused in each pass, and once is enough to know
                        note_refusal(refusal)
                    _note(row, str(refusal))
                except (Unusable, SiteError) as why:
                    _note(row, str(why))
                except (IntegrityError, DataError) as error:
                    self._refused(row, error)
        return bool(made and waiting)

    def _groups(self, operations: Collection[Operation]) -> Iterator[list[MissedWrite]]:
        """The rows, oldest first, read in batches; those that can be done together are in one list."""
        mine = MissedWrite.objects.filter(operation__in=operations, source__in=self._sources).order_by("at", "pk")
        batch = list(mine[:BATCH])
        while batch:
            at, pk = batch[-1].at, batch[-1].pk  # Django clears the key of a row that is deleted
            self._known = known_ids((Operation(row.operation), row.uid) for row in batch)
            for _, rows in groupby(batch, key=lambda row: (row.operation, row.source_id)):
                yield [*rows]
            batch = list(mine.filter(at__gte=at).exclude(at=at, pk__lte=pk)[:BATCH])

    def _register_together(self, rows: list[MissedWrite]) -> set[int]:
        """Register what can be in one transaction; the keys of what was. All else is for `_backfill`, one by one."""
        if len(rows) == 1 or rows[0].operation != Operation.REGISTER:
            return set()
        plain: dict[str, tuple[int, Write[Instance]]] = {}
        for row in rows:
            with suppress(StillRuns, NotYet, Unusable, SiteError):
                entry, at = self._checked(row)
                if entry.id in self._known or entry.id in plain:
                    continue
                if write := registration(row, entry, at, wish_of(row, entry, at)):
                    plain[entry.id] = row.pk, write
        scopes = {write.at.branch.perimeter.pk for _, write in plain.values()}
        if len(scopes) != 1:
            return set()
        try:
            results = write_together([_with_row(key, write) for key, write in plain.values()], ACTOR)
        except (SiteError, IntegrityError, DataError):
            return set()
        made = {uid: key for (uid, (key, _)), result in zip(plain.items(), results, strict=True) if result is None}
        self._known |= made.keys()
        self._progress.row.made += len(made)
        return {*made.values()}

    def _checked(self, row: MissedWrite) -> tuple[Entry, AssetAddress]:
        """The entry of a row, and where it belongs, if it can be backfilled by now."""
        entry = parsed(row.entry)
        at = asset_address(entry, self._sources[row.source_id], self._perimeters)
        checked_names(entry)
        if not row.answered and not self._is_over(row, at):
            raise StillRuns
        return entry, at

    def _backfill(self, row: MissedWrite) -> bool:
        """Backfill one write and delete its row in one transaction; return whether anything was written."""
        entry, at = self._checked(row)
        try:
            made = self._write(row, entry, at, wish_of(row, entry, at))
        except KnownByOtherKey as other:
            at = replace(at, branch=replace(at.branch, key=other.key))
            made = self._write(row, entry, at, wish_of(row, entry, at))
        self._known.add(entry.id)  # another source may hold the same entry
        self._progress.row.made += made
        return made

    @transaction.atomic
    def _write(self, row: MissedWrite, entry: Entry, at: AssetAddress, wish: Wish) -> bool:
        made = entry.id not in self._known and backfill(row, entry, at, wish)
        row.delete()
        return made

    def _refused(self, row: MissedWrite, error: Error) -> None:
        """Handle a write that the database refused, most likely because its own client wrote it meanwhile."""
        if known_ids([(Operation(row.operation), row.uid)]):
            MissedWrite.objects.filter(pk=row.pk).delete()
        else:
            _note(row, f"The database refuses it: {str(error).splitlines()[0]}")

    def _is_over(self, row: MissedWrite, at: AssetAddress) -> bool:
        """Whether the attempt that wrote the entry has ended."""
        path, datastore = TaskPath.parse(row.task), Datastore(perimeter=at.branch.perimeter.name)
        attempt = path and Attempt(path, row.attempt, datastore, row.at, row.uid)
        return bool(attempt and self._statuses.of(attempt).over)


def _with_row(key: int, write: Write[Instance]) -> Write[None]:
    """A write that deletes its row, too."""

    def do(at_hand: AtHand | None) -> None:
        write.do(at_hand)
        MissedWrite.objects.filter(pk=key).delete()

    return Write(write.at, write.writer, do, write.when)


def _note(row: MissedWrite, error: str) -> None:
    if row.error != error:
        MissedWrite.objects.filter(pk=row.pk).update(error=error)
