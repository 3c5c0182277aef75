"""Collect new journal entries of tasks, and find those that the catalogue has missed.

For each flow the catalogue stores until when its runs have been read. A pass reads the runs that began later and the
few that were still open; of those only the tasks with new metadata. So the cost of a pass does not depend on the
length of the history, and only one task is in memory at a time.
"""

import hashlib
import time
from collections.abc import Iterable

from django.conf import settings
from django.db import transaction
from django.db.models import Model
from django.utils import timezone

from catalog import limits
from catalog.models import (
    AliasMove,
    Consumption,
    Deletion,
    Highlight,
    Instance,
    MissedWrite,
    OpenRun,
    SourceFlow,
)
from catalog.reconciling.checking import Unusable, address_of, parsed
from catalog.reconciling.progress import Progress
from catalog.reconciling.sources import Source
from catalog.recording.places import moment
from catalog.recording.receipts import read as read_receipt
from catalog.runs.datastore_layout import TaskPath
from catalog.runs.metadata import NEVER, Datum, Metadata, Run, ServiceMetadata
from catalog.runs.results import UnavailableError
from obproject.journal import OUTCOMES_FIELD, Entry, Operation, Outcome, parse_outcomes

LISTED_AGAIN = 3600.0
"""Seconds by which a run may be listed after one that began later: the clocks of machines differ."""
NOTED_LATER = 60.0
"""Seconds by which metadata of a task may appear after the time that it carries."""
MTIME_SECONDS = 2.0
"""Seconds within which a folder may change while its modification time stays the same."""
STAGED_ROWS, STAGED_BYTES = 200, 8 * 1024 * 1024
EXCERPT = 2_000
"""Characters that are stored of a datum that is no entry."""
STORED_IN: dict[Operation, tuple[type[Model], str]] = {
    Operation.REGISTER: (Instance, "uid"),
    Operation.CONSUME: (Consumption, "uid"),
    Operation.SET_ALIAS: (AliasMove, "uid"),
    Operation.DELETE_ALIAS: (AliasMove, "uid"),
    Operation.DELETE: (Deletion, "uid"),
    Operation.HIGHLIGHT: (Highlight, "uid"),
}
"""The table in which the catalogue stores a write, and the column of its id."""
JOURNALED_WHEN_DONE = (Operation.SET_ALIAS, Operation.DELETE_ALIAS, Operation.DELETE)
"""Clients write these to the journal only after the catalogue has done them."""
PROBLEM = "x"
"""The first letter of the ids of data that are no entries."""


def collect(source: Source, progress: Progress) -> None:
    """Store every write of this source that the catalogue has missed, as `MissedWrite` rows."""
    try:
        with source.opened() as metadata:
            for name in metadata.flows():
                _Flow(source, metadata, progress, name).read()
        source.row.trouble = ""
    except UnavailableError as error:
        source.row.trouble = error.answer.sentence
        progress.report(f"{source.row.place}: {error.answer.sentence}")
    source.row.read_at = timezone.now()
    source.row.save()


class _Flow:
    """The runs of one flow: first those still open, then those that began since the last pass."""

    def __init__(self, source: Source, metadata: Metadata, progress: Progress, name: str) -> None:
        self._source = source
        self._metadata = metadata
        self._progress = progress
        self._row, _ = SourceFlow.objects.get_or_create(source=source.row, name=name)

    def read(self) -> None:
        for run in self._row.open_runs.filter(closed=False).iterator():
            self._read(run)
        self._read_new()
        self._row.open_runs.filter(closed=True, began__lt=self._listed_from()).delete()

    def _read_new(self) -> None:
        listed, now = self._metadata.listed(self._row.name), time.time()
        if listed and listed == self._row.listed:
            return
        for run in self._metadata.runs(self._row.name, Run(self._listed_from(), "")):
            if not self._row.open_runs.filter(name=run.name).exists():
                self._read(OpenRun(flow=self._row, name=run.name, began=min(run.began, now)))
        self._row.listed = listed if listed < now - MTIME_SECONDS else 0
        self._row.save()

    def _listed_from(self) -> float:
        return min(self._row.read_until, time.time() - LISTED_AGAIN)

    def _read(self, run: OpenRun) -> None:
        """Read the new metadata of a run, then store that it is read; a pass killed in between reads it again."""
        self._progress.tick()
        try:
            self._read_tasks(run)
        except UnavailableError as error:
            if isinstance(self._metadata, ServiceMetadata):
                raise
            self._progress.report(f"{self._row.name}/{run.name}: {error.answer.sentence}")
        self._remember(run)
        self._progress.row.runs += 1

    def _read_tasks(self, run: OpenRun) -> None:
        began, last = time.time(), run.began
        staging = _Staging(self._source)
        for task in self._metadata.tasks(self._row.name, run.name):
            last = max(last, task.changed if task.changed < began else run.began)
            if task.changed >= run.read_until:
                staging.read(self._metadata, task.path)
        staging.finish()
        ended = self._metadata.succeeded(self._row.name, run.name)
        silent_since = began - settings.LOST_AFTER_HOURS * 3600
        run.read_until = began - NOTED_LATER
        run.closed = NEVER < ended < began - NOTED_LATER or last < silent_since

    @transaction.atomic
    def _remember(self, run: OpenRun) -> None:
        if run.pk or not run.closed or run.began >= self._listed_from():
            run.save()
        if run.began > self._row.read_until:
            self._row.read_until = run.began
            self._row.save()


class _Staging:
    """Rows of missed writes, written in batches."""

    def __init__(self, source: Source) -> None:
        self._mine = MissedWrite.objects.filter(source=source.row)
        self._source = source
        self._entries: list[tuple[Entry, Outcome, MissedWrite]] = []
        self._problems: list[MissedWrite] = []
        self._size = 0

    def read(self, metadata: Metadata, path: TaskPath) -> None:
        """Stage the journal of a task; the outcomes come before the entries."""
        self._mine.filter(task=path.folder, uid__startswith=PROBLEM).delete()
        outcomes: dict[str, Outcome] = {}
        for datum in metadata.journal(path):
            try:
                self._add(path, datum, outcomes)
            except Unusable as error:
                self._problems.append(self._problem(path, datum, str(error)))
            if len(self._entries) + len(self._problems) >= STAGED_ROWS or self._size > STAGED_BYTES:
                self.finish()

    def _add(self, path: TaskPath, datum: Datum, outcomes: dict[str, Outcome]) -> None:
        if datum.problem:
            raise Unusable(datum.problem)
        if datum.field.startswith(OUTCOMES_FIELD):
            outcomes |= _outcomes(datum.value)
            return
        entry = parsed(datum.value)
        outcome = outcomes.get(entry.id, Outcome())
        self._entries.append((entry, outcome, self._row(path, entry, datum, outcome)))
        self._size += len(datum.value)

    @transaction.atomic
    def finish(self) -> None:
        """Write the staged rows, but for those of writes that the catalogue has or has refused."""
        staged, problems, self._entries, self._problems, self._size = self._entries, self._problems, [], [], 0
        if not staged and not problems:
            return
        known = known_ids((entry.operation, entry.id) for entry, _, _ in staged)
        refused = {entry.id for entry, outcome, _ in staged if outcome.refused}
        self._mine.filter(uid__in=known | refused).delete()
        _upsert([*(row for entry, _, row in staged if entry.id not in known | refused), *problems])

    def _row(self, path: TaskPath, entry: Entry, datum: Datum, outcome: Outcome) -> MissedWrite:
        said = read_receipt(outcome.receipt)  # whose word it is comes out when it is backfilled
        return MissedWrite(
            source=self._source.row,
            uid=entry.id,
            task=path.folder,
            attempt=datum.attempt if (datum.attempt or 0) <= limits.ATTEMPTS else None,
            operation=entry.operation.value,
            address=address_of(entry)[: MissedWrite._meta.get_field("address").max_length],
            at=moment(said.at if said else outcome.at or entry.at),
            number=outcome.number,
            receipt=outcome.receipt if said else "",
            answered=entry.operation in JOURNALED_WHEN_DONE or outcome != Outcome(),
            entry=entry.as_json(),
            found_at=timezone.now(),
        )

    def _problem(self, path: TaskPath, datum: Datum, why: str) -> MissedWrite:
        name = hashlib.sha256(f"{path.folder}/{datum.field}".encode(errors="replace")).hexdigest()[:20]
        return MissedWrite(
            source=self._source.row,
            uid=f"{PROBLEM}_{name}",
            task=path.folder,
            at=timezone.now(),
            entry=_storable(datum.value or datum.field)[:EXCERPT],
            error=_storable(why),
            found_at=timezone.now(),
        )


def _outcomes(text: str) -> dict[str, Outcome]:
    try:
        return parse_outcomes(text)
    except (ValueError, OverflowError, RecursionError) as error:
        raise Unusable(f"It tells no outcomes: {error}.") from None


def _storable(text: str) -> str:
    return limits.UNSTORABLE.sub("\N{REPLACEMENT CHARACTER}", text)


def _upsert(rows: list[MissedWrite]) -> None:
    """Insert the rows, or update those of entries read before: above all, their outcomes may be new."""
    unique = {row.uid: row for row in rows}
    MissedWrite.objects.bulk_create(
        unique.values(),
        update_conflicts=True,
        unique_fields=["source", "uid"],
        update_fields=["task", "attempt", "operation", "address", "at", "number", "receipt", "answered", "entry"],
    )


def known_ids(writes: Iterable[tuple[Operation, str]]) -> set[str]:
    """The ids of those writes that the catalogue has."""
    ids: dict[tuple[type[Model], str], list[str]] = {}
    for operation, uid in writes:
        ids.setdefault(STORED_IN[operation], []).append(uid)
    return {
        uid
        for (model, column), uids in ids.items()
        for uid in model._default_manager.filter(**{f"{column}__in": uids}).values_list(column, flat=True)
    }
