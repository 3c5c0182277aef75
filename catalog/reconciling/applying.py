"""Backfill what was missed, in the order in which it was done.

An entry is backfilled once its attempt is over, or if the catalogue had done it before: while a task runs, its client
may still get an answer. What can't be backfilled stays, with the reason, and is tried again by the next pass.
"""

from collections.abc import Collection, Iterator

from django.db import DataError, Error, IntegrityError, transaction

from access.errors import SiteError
from access.models import Perimeter
from catalog.models import MissedWrite
from catalog.reconciling.checking import Unusable, asset_address, checked_names, parsed
from catalog.reconciling.collecting import known_ids
from catalog.reconciling.progress import Progress
from catalog.reconciling.sources import Source
from catalog.reconciling.task_status import Attempt, TaskStatuses
from catalog.reconciling.writes import NotYet, make
from catalog.recording import AssetAddress
from catalog.runs.datastore_layout import TaskPath
from catalog.runs.results import Datastore
from obproject.journal import Operation

FIRST = (Operation.REGISTER, Operation.DELETE)
"""What there is, before what points to it."""
THEN = (Operation.CONSUME, Operation.SET_ALIAS, Operation.DELETE_ALIAS, Operation.HIGHLIGHT)
AT_ONCE = 200


class StillRuns(Exception):
    """The attempt that kept the entry is not over."""


class Applier:
    """Backfills missed writes, of all sources together."""

    def __init__(self, sources: list[Source], statuses: TaskStatuses, progress: Progress) -> None:
        self._sources = {source.row.pk: source for source in sources}
        self._statuses = statuses
        self._progress = progress
        self._perimeters = {perimeter.name: perimeter for perimeter in Perimeter.objects.all()}
        self._known: set[str] = set()

    def run(self, operations: Collection[Operation]) -> None:
        """Backfill writes of these kinds, again and again as long as that helps others."""
        while self._round(operations):
            pass

    def _round(self, operations: Collection[Operation]) -> bool:
        """Whether something was made that others may have waited for."""
        made = waiting = 0
        for row in self._rows(operations):
            self._progress.tick()
            try:
                made += self._make(row)
            except StillRuns:
                _note(row, "")
            except NotYet as why:
                waiting += 1
                _note(row, str(why))
            except (Unusable, SiteError) as why:
                _note(row, str(why))
            except (IntegrityError, DataError) as error:
                self._refused(row, error)
        return bool(made and waiting)

    def _rows(self, operations: Collection[Operation]) -> Iterator[MissedWrite]:
        """Oldest first, a few at a time."""
        mine = MissedWrite.objects.filter(operation__in=operations, source__in=self._sources).order_by("at", "pk")
        few = list(mine[:AT_ONCE])
        while few:
            at, pk = few[-1].at, few[-1].pk  # a row that is backfilled has no key any more
            self._known = known_ids((Operation(row.operation), row.uid) for row in few)
            yield from few
            few = list(mine.filter(at__gte=at).exclude(at=at, pk__lte=pk)[:AT_ONCE])

    def _make(self, row: MissedWrite) -> bool:
        """Backfill one write and forget its row, both or nothing; say whether anything was written."""
        entry = parsed(row.entry)
        at = asset_address(entry, self._sources[row.source_id], self._perimeters)
        checked_names(entry)
        if not row.answered and not self._is_over(row, at):
            raise StillRuns
        with transaction.atomic():
            made = entry.id not in self._known and make(row, entry, at)
            row.delete()
        self._known.add(entry.id)  # another source may have it, too
        self._progress.row.made += made
        return made

    def _refused(self, row: MissedWrite, error: Error) -> None:
        """The database refuses a write above all if its own client was faster after all."""
        if known_ids([(Operation(row.operation), row.uid)]):
            MissedWrite.objects.filter(pk=row.pk).delete()
        else:
            _note(row, f"The database refuses it: {str(error).splitlines()[0]}")

    def _is_over(self, row: MissedWrite, at: AssetAddress) -> bool:
        """Whether the attempt that kept the entry has ended."""
        path, datastore = TaskPath.parse(row.task), Datastore(perimeter=at.branch.perimeter.name)
        asked = path and Attempt(path, row.attempt, datastore, row.at, row.uid)
        return bool(asked and self._statuses.of(asked).over)


def _note(row: MissedWrite, error: str) -> None:
    if row.error != error:
        MissedWrite.objects.filter(pk=row.pk).update(error=error)
