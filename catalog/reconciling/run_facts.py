"""What Metaflow says of the runs that the catalogue knows: facts, state, cloned tasks, digests, failed attempts.

A run is read until it has ended: well, a minute ago, or otherwise so long ago that it is silent for good. Of a run that
was read before, only the tasks whose metadata has changed are read again, and the others as far as its state needs it.
One that resumes another gives that one a row, which is read as well.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import NamedTuple

from django.conf import settings
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Coalesce
from django.utils import timezone

from catalog.models import Consumption, Instance, Run
from catalog.reconciling.clones import NOT_KNOWN, Clones
from catalog.reconciling.digests import fill_in_digests
from catalog.reconciling.progress import Progress
from catalog.reconciling.task_records import TaskRecord, TaskRecords
from catalog.reconciling.task_status import HEARTBEAT_LOST, Attempt, End, TaskStatus, status_of
from catalog.recording import ReadRun, fail_readings, keep_read_run
from catalog.runs.datastore_layout import TaskPath
from catalog.runs.metadata import LAST_STEP, Metadata, ServiceMetadata, Task
from catalog.runs.results import Datastore, UnavailableError
from catalog.runs.run_notes import RunNote, git_in
from catalog.states import RunState

NOTED_LATER = timedelta(minutes=1)
"""For so long metadata may appear after the time that it carries."""
BATCH = 200
RUNS_OF_A_PASS = 5_000
"""As many runs are read in a pass, the newest first, so that an older catalogue does not hold it up for long."""

Tasks = dict[TaskPath, TaskRecord]


class _Found(NamedTuple):
    """A run in a place with metadata."""

    place: Metadata
    tasks: list[Task]
    note: RunNote | None


def read_runs(records: TaskRecords, progress: Progress, *, again: bool) -> None:
    """Read every run that may have changed since it was read; `again`: also those of which nothing was found."""
    left, above = RUNS_OF_A_PASS, 0
    while left > 0 and (newest := Run.objects.order_by("-pk").values_list("pk", flat=True).first() or 0) > above:
        for run in _unread(above, newest, again):
            progress.tick()
            _Reading(run, records, progress).read()
            left -= not progress.row.rebuild
            if left <= 0:
                break
        above = newest  # runs that others resumed have got rows meanwhile


def _unread(above: int, newest: int, again: bool) -> Iterator[Run]:
    """The newest first; read in batches."""
    silent = timedelta(hours=settings.LOST_AFTER_HOURS)
    ended = Q(state=RunState.SUCCEEDED, read_at__gt=F("finished_at") + NOTED_LATER)
    ended |= Q(state__in=(RunState.FAILED, RunState.NOT_TOLD), read_at__gt=F("sign") + silent)
    if again:
        ended &= ~Q(state=RunState.NOT_TOLD)
    runs: QuerySet[Run] = Run.objects.filter(name__contains="/", pk__gt=above)
    runs = runs.annotate(sign=Coalesce("finished_at", "first_at")).filter(Q(read_at=None) | ~ended)
    runs = runs.select_related("perimeter", "component").defer("parameters", "configs", "graph", "left_out")
    batch = list(runs.filter(pk__lte=newest).order_by("-pk")[:BATCH])
    while batch:
        yield from batch
        batch = list(runs.filter(pk__lt=batch[-1].pk).order_by("-pk")[:BATCH])


class _Reading:
    """One run, as it is read."""

    def __init__(self, run: Run, records: TaskRecords, progress: Progress) -> None:
        self._run = run
        self._records = records
        self._progress = progress
        self._began = timezone.now()
        self._flow, _, self._name = run.name.partition("/")
        self._whole = True

    def read(self) -> None:
        found = self._found()
        if found is None:
            if self._records.all_open(self._run.perimeter.name):
                Run.objects.filter(pk=self._run.pk).update(read_at=self._began)
            return
        try:
            self._read(found)
        except UnavailableError as error:
            self._progress.report(f"{self._run.name}: {error.answer.sentence}")
            if isinstance(found.place, ServiceMetadata):
                self._records.leave_out(found.place)

    def _found(self) -> _Found | None:
        if TaskPath.parse(f"{self._run.name}/step/1") is None:
            return None
        for place in list(self._records.places(self._run.perimeter.name)):
            try:
                tasks = list(place.tasks(self._flow, self._name))
                note = place.run(self._flow, self._name) if tasks else None
            except UnavailableError as error:
                self._progress.report(f"{self._run.name}: {error.answer.sentence}")
                if isinstance(place, ServiceMetadata):
                    self._records.leave_out(place)
                continue
            if tasks:
                return _Found(place, tasks, note)
        return None

    def _read(self, found: _Found) -> None:
        run = self._run
        since = (run.read_at - NOTED_LATER).timestamp() if run.read_at else 0
        new = self._records_of([task.path for task in found.tasks if task.changed >= since], found.place)
        state, finished_at = self._state(found, new)
        clones = Clones.of(run.name, new)
        over = state in (RunState.SUCCEEDED, RunState.FAILED) or self._is_silent(found.tasks)
        always = {"state": state, "finished_at": finished_at}
        if clones.origin is not NOT_KNOWN:
            always["origin"] = clones.origin
        if run.clones_read_at is None and (clones.origin == "" or (over and self._whole)):
            always["clones_read_at"] = self._began
        if self._whole or self._is_silent(found.tasks):
            always["read_at"] = self._began
        fill_in_digests(run.name, run.perimeter_id, new, found.place)
        self._fail_readings(new)
        keep_read_run(run, ReadRun(always, self._told(found.note), self._git(new), clones.originals))

    def _records_of(self, paths: list[TaskPath], place: Metadata) -> Tasks:
        found = {}
        for path in paths:
            self._progress.tick()
            try:
                found[path] = self._records.take(path, place)
            except UnavailableError as error:
                if isinstance(place, ServiceMetadata):
                    raise
                self._whole = False
                self._progress.report(f"{path.folder}: {error.answer.sentence}")
        return found

    def _told(self, note: RunNote | None) -> dict[str, object]:
        if note is None:
            return {}
        return {
            "started_at": note.started,
            "user": note.user,
            "tags": list(note.tags),
            "metaflow_version": note.metaflow_version,
            "python_version": note.python_version,
        }

    def _git(self, new: Tasks) -> dict[str, object]:
        git = next(filter(None, (git_in(record.git) for record in new.values() if record.git)), None)
        if git is None or self._run.reported_at:
            return {}
        told = {"repository": git.repository, "git_branch": git.branch, "commit": git.commit, "dirty": git.dirty}
        return dict(told)

    def _is_silent(self, tasks: list[Task]) -> bool:
        """Whether nothing was noted of any task for so long that nothing more will be."""
        last = max(task.changed for task in tasks)
        return last < self._began.timestamp() - settings.LOST_AFTER_HOURS * 3600

    def _state(self, found: _Found, new: Tasks) -> tuple[str, datetime | None]:
        """How the run goes, and when it ended, if that is known."""
        run, ends = self._run, [record for path, record in new.items() if path.step == LAST_STEP]
        well = [one.finished for one in ends if one.state == "succeeded" and not one.failure and one.finished]
        if well:
            return RunState.SUCCEEDED, max(well)
        if run.state == RunState.SUCCEEDED or (run.state == RunState.FAILED and not new):
            return run.state, run.finished_at
        ended, is_stopped = [], False
        for path, record in self._all(found, new):
            status = self._status(path, record, found.place)
            if status.end is End.RUNNING:
                return RunState.RUNNING, None
            ended.append(status)
            is_stopped |= status.end in (End.FAILED, End.LOST) and (path.step == LAST_STEP or not status.run_goes_on)
        times = [status.at for status in ended if status.at]
        if is_stopped:
            return RunState.FAILED, max(times, default=None)
        if not self._whole or any(status.end is End.UNKNOWN for status in ended):
            return RunState.NOT_TOLD, None
        return self._between_tasks(found, max(times, default=self._began))

    def _between_tasks(self, found: _Found, last: datetime) -> tuple[str, datetime | None]:
        """The state of a run whose tasks have all ended well, and the last step has not been."""
        heartbeat = found.note.heartbeat if found.note else None
        if heartbeat and self._began - heartbeat > HEARTBEAT_LOST:
            return RunState.FAILED, max(heartbeat, last)
        silent = self._began - last > timedelta(hours=settings.LOST_AFTER_HOURS)
        return RunState.NOT_TOLD if silent else RunState.RUNNING, None

    def _all(self, found: _Found, new: Tasks) -> Iterator[tuple[TaskPath, TaskRecord]]:
        """The records of all tasks; those that have not changed are read only as far as somebody goes on."""
        yield from new.items()
        for task in sorted(found.tasks, key=lambda task: -task.changed):
            if task.path not in new:
                yield from self._records_of([task.path], found.place).items()

    def _status(self, path: TaskPath, record: TaskRecord, place: Metadata) -> TaskStatus:
        if record.state == "finished":
            return TaskStatus(End.UNKNOWN, at=record.finished)
        since = record.seen or record.started or self._run.first_at
        entry = _entry_of(path, record.attempt) if record.state == "running" else ""
        datastore = Datastore(perimeter=self._run.perimeter.name)
        return status_of(Attempt(path, record.attempt, datastore, since, entry), record, place)

    def _fail_readings(self, new: Tasks) -> None:
        """Mark what earlier attempts of tasks read, and all that a task read whose last attempt failed."""
        tasks = {path.folder: record for path, record in new.items()}
        mine = Consumption.objects.filter(
            run=self._run.name, component__perimeter=self._run.perimeter_id, entity_kind="task", failed=None
        )
        failed = []
        for pk, task, attempt in mine.values_list("pk", "entity_id", "attempt").iterator():
            if task in tasks and _has_failed(attempt, tasks[task]):
                failed.append(pk)
        fail_readings(failed)


def _has_failed(attempt: int | None, record: TaskRecord) -> bool:
    """Whether an attempt of a task has failed; of one without a number, whether all attempts have."""
    if record.state == "failed":
        return attempt is None or attempt <= record.attempt
    return attempt is not None and attempt < record.attempt


def _entry_of(path: TaskPath, attempt: int) -> str:
    """The id of an entry in the task's journal, which names its process; empty if the catalogue has none."""
    made = Instance.objects.filter(producer_kind="task", producer_id=path.folder, attempt=attempt)
    read = Consumption.objects.filter(
        run=f"{path.flow}/{path.run}", entity_kind="task", entity_id=path.folder, attempt=attempt
    ).exclude(uid=None)
    for rows in (made, read):
        if uid := rows.order_by("-pk").values_list("uid", flat=True).first():
            return str(uid)
    return ""
