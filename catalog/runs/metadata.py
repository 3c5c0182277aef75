"""Walk through Metaflow's metadata: its flows, runs and tasks, and the journals that tasks keep in it.

Metadata is a folder of local metadata or a metadata service; both have one interface. It yields runs in the order in
which they began, in batches, so that a caller need not hold all of them.
"""

import heapq
import json
import math
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from typing import Any, NamedTuple, Protocol
from urllib.parse import quote

from catalog import limits
from catalog.runs.datastore_layout import SEGMENT, TaskPath
from catalog.runs.facts import Note, Record, attempt_of, note_in, notes_of, record_from, record_of, time_of
from catalog.runs.results import Reason, UnavailableError
from catalog.runs.roots import Stores
from catalog.runs.run_notes import RunNote, run_note, shas_in
from catalog.runs.service import MetadataService, ServiceUnavailable, task_address
from catalog.runs.stores import LocalStore
from obproject.journal import ENTRY_FIELD, OUTCOMES_FIELD
from obproject.journal import TYPE as JOURNAL

MAX_DATUM_BYTES = 2 * limits.BODY_BYTES  # JSON within JSON: every quotation mark is escaped
MAX_DATA = 20_000
RUN_BATCH = 1_000
LAST_STEP = "end"
NEVER = -math.inf


class Run(NamedTuple):
    """A run, and when it began, in seconds since 1970; runs are ordered by both."""

    began: float
    name: str


class Task(NamedTuple):
    """A task, and when its metadata last changed, in seconds since 1970; infinite if that isn't known."""

    path: TaskPath
    changed: float


class Datum(NamedTuple):
    """A datum of a task's journal, an entry or outcomes. `problem` says why its value can't be read."""

    field: str
    value: str = ""
    attempt: int | None = None
    problem: str = ""


class Metadata(Protocol):
    """Where Metaflow keeps its metadata. Each method raises `UnavailableError` if it can't be read."""

    def flows(self) -> Iterable[str]:
        """The names of all flows."""

    def listed(self, flow: str) -> float:
        """A time that changes whenever a run of the flow begins; 0 if there is none, so that runs must be listed."""

    def runs(self, flow: str, after: Run) -> Iterable[Run]:
        """The runs of a flow that began after another one, in that order."""

    def run(self, flow: str, run: str) -> RunNote | None:
        """What is noted about a run as a whole; None if nothing is."""

    def tasks(self, flow: str, run: str) -> Iterable[Task]:
        """The tasks of a run."""

    def succeeded(self, flow: str, run: str) -> float:
        """When the run ended well; `NEVER` if it has not."""

    def journal(self, path: TaskPath) -> Iterable[Datum]:
        """The data of the task's journal; outcomes come first."""

    def entry(self, path: TaskPath, entry_id: str) -> str:
        """The text of one entry in the task's journal; empty if there is none."""

    def record(self, path: TaskPath) -> Record:
        """The record of the task."""

    def digests(self, path: TaskPath, attempt: int, artifacts: Iterable[str]) -> dict[str, str]:
        """Metaflow's content keys of artifacts that an attempt of the task has stored, by their names."""


class MetadataFolder:
    """A `.metaflow` folder of local metadata."""

    def __init__(self, store: LocalStore) -> None:
        self._store = store
        self._stores = Stores([store], [store])

    def flows(self) -> Iterator[str]:
        return (entry.name for entry in self._store.scan("") if entry.name.isidentifier() and entry.is_dir())

    def listed(self, flow: str) -> float:
        return self._store.changed(flow)

    def runs(self, flow: str, after: Run) -> Iterator[Run]:
        while batch := heapq.nsmallest(RUN_BATCH, self._runs(flow, after)):
            yield from batch
            after = batch[-1]

    def _runs(self, flow: str, after: Run) -> Iterator[Run]:
        found = (_run_in(entry) for entry in self._store.scan(flow) if _is_run(entry.name) and entry.is_dir())
        return (run for run in found if run > after)

    def run(self, flow: str, run: str) -> RunNote | None:
        note = note_in(self._store, f"{flow}/{run}/_meta/_self.json")
        if not note:
            return None
        began = _began_by_name(run)  # the note is written anew when tags are added
        return run_note(note)._replace(started=time_of(began)) if began else run_note(note)

    def tasks(self, flow: str, run: str) -> Iterator[Task]:
        for step in self._names(f"{flow}/{run}"):
            for task in self._names(f"{flow}/{run}/{step}"):
                path = TaskPath(flow, run, step, task)
                if changed := self._store.changed(f"{path.folder}/_meta"):
                    yield Task(path, changed)

    def succeeded(self, flow: str, run: str) -> float:
        step = f"{flow}/{run}/{LAST_STEP}"
        times = (self._attempt_ok(f"{step}/{task}/_meta") for task in self._names(step))
        return max(times, default=NEVER)

    def journal(self, path: TaskPath) -> Iterator[Datum]:
        names = sorted(islice(self._journal_names(path), MAX_DATA + 1), key=lambda name: OUTCOMES_FIELD not in name)
        for name in names[:MAX_DATA]:
            yield self._datum(f"{path.folder}/_meta", name)
        if len(names) > MAX_DATA:
            yield Datum("", problem=f"It keeps more than {MAX_DATA} data; the others are not read.")

    def entry(self, path: TaskPath, entry_id: str) -> str:
        name = next((name for name in self._journal_names(path) if name.startswith(_file_of(entry_id))), "")
        return self._datum(f"{path.folder}/_meta", name).value if name else ""

    def record(self, path: TaskPath) -> Record:
        return record_of(path, self._stores)

    def digests(self, path: TaskPath, attempt: int, artifacts: Iterable[str]) -> dict[str, str]:
        names = list(filter(str.isidentifier, artifacts))
        files = (f"{path.folder}/_meta/{attempt}_artifact_{name}.json" for name in names)
        return shas_in((note_in(self._store, file) for file in files), names)

    def _names(self, folder: str) -> Iterator[str]:
        return (entry.name for entry in self._store.scan(folder) if _is_run(entry.name))

    def _journal_names(self, path: TaskPath) -> Iterator[str]:
        found = (entry.name for entry in self._store.scan(f"{path.folder}/_meta"))
        return (name for name in found if name.startswith(f"sysmeta_{ENTRY_FIELD}") and name.endswith(".json"))

    def _datum(self, folder: str, name: str) -> Datum:
        field = name.removeprefix("sysmeta_").rpartition("_")[0]
        try:
            content = self._store.read(f"{folder}/{name}", MAX_DATUM_BYTES)
        except UnavailableError as error:
            return Datum(field, problem=error.answer.sentence)
        if content is None:
            return Datum(field, problem="It is no file that this server may read.")
        return _datum_of_file(field, content)

    def _attempt_ok(self, folder: str) -> float:
        notes = [e for e in self._store.scan(folder) if e.name.startswith("sysmeta_attempt_ok_")]
        for note in sorted(notes, key=lambda entry: entry.name, reverse=True)[:1]:
            content = self._store.read(f"{folder}/{note.name}", 64 * 1024) or b""
            if b'"True"' in content:
                return self._store.changed(folder)
        return NEVER


class ServiceMetadata:
    """A metadata service of Metaflow. It lists all runs of a flow at once; of these, names and times are held."""

    def __init__(self, service: MetadataService) -> None:
        self._service = service

    def flows(self) -> Iterator[str]:
        return filter(str.isidentifier, self._named("/flows", "flow_id"))

    def listed(self, flow: str) -> float:
        return 0.0

    def runs(self, flow: str, after: Run) -> list[Run]:
        found = (Run(_seconds(row), name) for row, name in self._rows(f"/flows/{quote(flow)}/runs", "run"))
        return sorted(run for run in found if run > after)

    def run(self, flow: str, run: str) -> RunNote | None:
        note = self._get(f"/flows/{quote(flow)}/runs/{quote(run, safe='')}")
        return run_note(note) if isinstance(note, dict) else None

    def tasks(self, flow: str, run: str) -> Iterator[Task]:
        address = f"/flows/{quote(flow)}/runs/{quote(run, safe='')}/steps"
        for step in self._named(address, "step_name"):
            for row, task in self._rows(f"{address}/{quote(step, safe='')}/tasks", "task"):
                heartbeat = time_of(row.get("last_heartbeat_ts"))
                yield Task(TaskPath(flow, run, step, task), heartbeat.timestamp() if heartbeat else math.inf)

    def succeeded(self, flow: str, run: str) -> float:
        address = f"/flows/{quote(flow)}/runs/{quote(run, safe='')}/steps/{LAST_STEP}/tasks"
        times = (self._end_of(TaskPath(flow, run, LAST_STEP, task)) for _, task in self._rows(address, "task"))
        return max(times, default=NEVER)

    def journal(self, path: TaskPath) -> list[Datum]:
        notes = (note for note in self._list(f"{task_address(path)}/metadata") if note.get("type") == JOURNAL)
        kept = [_datum_of_note(str(note.get("field_name")), note) for note in notes]
        return sorted(kept, key=lambda datum: OUTCOMES_FIELD not in datum.field)

    def entry(self, path: TaskPath, entry_id: str) -> str:
        return next((datum.value for datum in self.journal(path) if datum.field == ENTRY_FIELD + entry_id), "")

    def record(self, path: TaskPath) -> Record:
        with _translated_errors():
            notes = notes_of(path, self._service)
        if notes is None:
            raise UnavailableError(Reason.TASK_GONE, "The metadata service does not know this task.")
        return record_from(path, notes)

    def digests(self, path: TaskPath, attempt: int, artifacts: Iterable[str]) -> dict[str, str]:
        notes = self._list(f"{task_address(path)}/artifacts")
        return shas_in((note for note in notes if str(note.get("attempt_id")) == str(attempt)), artifacts)

    def _end_of(self, path: TaskPath) -> float:
        facts = self.record(path).facts
        return facts.finished.timestamp() if facts.state == "succeeded" and facts.finished else NEVER

    def _rows(self, address: str, what: str) -> Iterator[tuple[Note, str]]:
        """The runs or tasks in a list, by name: the one that a scheduler gave them, else their number."""
        keys = ("run_id", "run_number") if what == "run" else ("task_name", "task_id")
        for row in self._list(address):
            name = next((str(row[key]) for key in keys if row.get(key)), "")
            if _is_run(name):
                yield row, name

    def _named(self, address: str, key: str) -> Iterator[str]:
        return (name for row in self._list(address) if _is_run(name := str(row.get(key))))

    def _get(self, address: str) -> Any:
        with _translated_errors():
            return self._service.get(address)

    def _list(self, address: str) -> list[Note]:
        found = self._get(address)
        return [row for row in found if isinstance(row, dict)] if isinstance(found, list) else []


@contextmanager
def _translated_errors() -> Iterator[None]:
    """Raise an error of the service as `UnavailableError`."""
    try:
        yield
    except ServiceUnavailable as error:
        raise UnavailableError(Reason.UNREACHABLE, str(error)) from error


def _is_run(name: str) -> bool:
    """Whether a name may be that of a run, step or task; `data` is the folder of Metaflow's artifacts."""
    return name != "data" and not name.startswith("_") and SEGMENT.fullmatch(name) is not None


def _run_in(entry: os.DirEntry[str]) -> Run:
    """The run of a folder. Without a start in its name, it began when the folder last changed."""
    if began := _began_by_name(entry.name):
        return Run(began, entry.name)
    try:
        return Run(entry.stat().st_mtime, entry.name)
    except OSError:
        return Run(0.0, entry.name)


def _began_by_name(run: str) -> float:
    """When a run began, in seconds since 1970, where its name is that in microseconds; else 0."""
    return int(run) / 1e6 if len(run) == 16 and run.isascii() and run.isdigit() else 0.0


def _seconds(row: Note) -> float:
    at = row.get("ts_epoch")
    return at / 1000 if isinstance(at, int | float) and time_of(at / 1000) else 0.0


def _file_of(entry_id: str) -> str:
    return f"sysmeta_{ENTRY_FIELD}{entry_id}_"


def _datum_of_file(field: str, content: bytes) -> Datum:
    try:
        note: Any = json.loads(content)
    except (ValueError, RecursionError):
        return Datum(field, problem="It is no JSON.")
    return _datum_of_note(field, note if isinstance(note, dict) else {})


def _datum_of_note(field: str, note: Note) -> Datum:
    value = note.get("value")
    if not isinstance(value, str):
        return Datum(field, problem="It has no text for a value.")
    return Datum(field, value, attempt_of(note))
