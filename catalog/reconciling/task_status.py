"""How the attempt of a task ended: by its own word, by Metaflow's metadata, by its process on this machine, or by its
long silence."""

import enum
import socket
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

import psutil
from django.conf import settings
from django.utils import timezone

from catalog.reconciling.task_records import REMEMBERED, TaskRecord, TaskRecords
from catalog.runs.datastore_layout import TaskPath
from catalog.runs.facts import FAILED, Record, record_of
from catalog.runs.metadata import Metadata, MetadataFolder
from catalog.runs.results import Datastore, Reason, Unavailable, UnavailableError
from catalog.runs.roots import stores_for
from catalog.states import LOST
from obproject.journal import Process, parse_entry

HEARTBEAT_LOST = timedelta(minutes=10)
CLOCKS_DIFFER = 5.0  # seconds by which a process may seem to have started after it wrote something
WORTH_WAITING = (Reason.UNREACHABLE, Reason.NOT_ALLOWED, Reason.TOO_LARGE)


class End(enum.StrEnum):
    """How the attempt of a task ended, if it did."""

    RUNNING = "running"
    READY = "ready"
    FAILED = "failed"
    LOST = "lost"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class TaskStatus:
    """How one attempt of a task ended: `reason` for people; `at`, the time, if it is known.

    `run_goes_on`: it failed, and its run goes on with what it left, as under `@catch`.
    """

    end: End
    reason: str = ""
    at: datetime | None = None
    run_goes_on: bool = False

    @property
    def over(self) -> bool:
        return self.end in (End.READY, End.FAILED, End.LOST)


@dataclass(frozen=True)
class Attempt:
    """An attempt of a task, with the evidence that the catalogue has of it."""

    path: TaskPath
    number: int | None
    datastore: Datastore
    since: datetime
    """The time of the newest sign of it in the catalogue."""
    entry_id: str = ""
    """An entry in its journal that names its process."""


class TaskStatuses:
    """Looks up how attempts ended: in the sources of metadata, then in the datastore of the task."""

    def __init__(self, records: TaskRecords) -> None:
        self._records = records
        self._known: dict[tuple[TaskPath, int | None, str], TaskStatus] = {}

    def of(self, attempt: Attempt) -> TaskStatus:
        """The status of the attempt; `End.UNKNOWN` with a sentence if no place that has it can be reached."""
        key = attempt.path, attempt.number, attempt.datastore.perimeter
        return self._known.get(key) or self._look_up(attempt)

    def digests(self, attempt: Attempt, artifacts: Iterable[str]) -> dict[str, str]:
        """Metaflow's content keys of artifacts of an attempt that ended well, by their names, as far as it has them."""
        names = set(artifacts)
        for metadata in self._places(attempt, []) if names else ():
            try:
                number = self._records.of(attempt.path, metadata).attempt if attempt.number is None else attempt.number
                found = metadata.digests(attempt.path, number, names)
            except UnavailableError:
                continue
            if found:
                return found
        return {}

    def _look_up(self, attempt: Attempt) -> TaskStatus:
        missing: list[Unavailable] = []
        for metadata in self._places(attempt, missing):
            try:
                record = self._records.of(attempt.path, metadata)
            except UnavailableError as error:
                missing.append(error.answer)
                continue
            if record.state != "finished" or record.failure:
                status = status_of(attempt, record, metadata)
                if isinstance(metadata, _Datastore):
                    self._remember(attempt, status)
                return status
        return _without_record(attempt, missing)

    def _remember(self, attempt: Attempt, status: TaskStatus) -> None:
        """The next writes are often of the same attempt; what sources say of it is kept with them."""
        if status.end in (End.READY, End.FAILED):
            if len(self._known) >= REMEMBERED:
                self._known.clear()
            self._known[attempt.path, attempt.number, attempt.datastore.perimeter] = status

    def _places(self, attempt: Attempt, missing: list[Unavailable]) -> Iterator[Metadata]:
        """The places to look up the task in: the sources, then the datastore that the task itself names."""
        yield from self._records.places(attempt.datastore.perimeter)
        try:
            yield _Datastore(attempt.datastore)
        except UnavailableError as error:
            missing.append(error.answer)


def status_of(attempt: Attempt, record: TaskRecord, metadata: Metadata) -> TaskStatus:
    """The status of an attempt by the record of its task."""
    number = attempt.number
    if number is not None and record.attempt > number:
        return TaskStatus(End.FAILED, f"superseded by attempt {record.attempt}", record.started)
    if number is None or record.attempt == number:
        if record.state != "running" and record.failure:
            return TaskStatus(End.FAILED, record.failure, record.finished, run_goes_on=record.state == "succeeded")
        if record.state == "succeeded":
            return TaskStatus(End.READY, at=record.finished)
        if record.state == "failed":
            return TaskStatus(End.FAILED, FAILED, record.finished)
    return _without_end(attempt, record, _process_of(attempt, metadata))


class _Datastore(MetadataFolder):
    """The metadata of one task, in the datastore that the task itself names."""

    def __init__(self, datastore: Datastore) -> None:
        self._own = stores_for(datastore)
        if self._own.metadata:
            super().__init__(self._own.metadata[0])

    def record(self, path: TaskPath) -> Record:
        return record_of(path, self._own)

    def entry(self, path: TaskPath, entry_id: str) -> str:
        return super().entry(path, entry_id) if self._own.metadata else ""


def _without_end(attempt: Attempt, record: TaskRecord, process: tuple[Process, datetime] | None) -> TaskStatus:
    """The status of an attempt whose end is not recorded."""
    if process and process[0].host == socket.gethostname():
        if _runs(*process):
            return TaskStatus(End.RUNNING)
        return TaskStatus(End.LOST, f"{LOST}: its process is gone", record.seen)
    heartbeat, now = record.heartbeat, timezone.now()
    if heartbeat and now - heartbeat > HEARTBEAT_LOST:
        return TaskStatus(End.LOST, f"{LOST}: its heart has not beaten since {_minute(heartbeat)}", heartbeat)
    signs = [sign for sign in (attempt.since, record.seen, heartbeat) if sign and sign <= now]
    return _after_silence(max(signs, default=attempt.since))


def _without_record(attempt: Attempt, missing: list[Unavailable]) -> TaskStatus:
    """The status of an attempt of an unknown task: its files are gone, or out of reach."""
    waiting = next((answer for answer in missing if answer.reason in WORTH_WAITING), None)
    if waiting:
        return TaskStatus(End.UNKNOWN, waiting.sentence)
    return _after_silence(attempt.since)


def _after_silence(sign: datetime) -> TaskStatus:
    hours = settings.LOST_AFTER_HOURS
    if timezone.now() - sign > timedelta(hours=hours):
        return TaskStatus(End.LOST, f"{LOST}: no sign of it since {_minute(sign)}", sign)
    return TaskStatus(End.RUNNING)


def _process_of(attempt: Attempt, metadata: Metadata) -> tuple[Process, datetime] | None:
    """The process that wrote the entry, and when."""
    try:
        text = metadata.entry(attempt.path, attempt.entry_id) if attempt.entry_id else ""
        entry = parse_entry(text) if text else None
    except (UnavailableError, ValueError, OverflowError):
        return None
    return (entry.process, entry.at) if entry and entry.process else None


def _runs(process: Process, wrote_at: datetime) -> bool:
    """Whether this very process still runs; a later one may have its number."""
    try:
        found = psutil.Process(process.pid)
        if found.status() == psutil.STATUS_ZOMBIE:
            return False
        return found.create_time() <= wrote_at.timestamp() + CLOCKS_DIFFER
    except psutil.NoSuchProcess:
        return False
    except (psutil.Error, OverflowError):
        return True


def _minute(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"
