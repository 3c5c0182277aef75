"""The record of a task, from Metaflow's local metadata, its metadata service, or the datastore itself."""

import json
import time
from collections.abc import Iterable
from datetime import UTC, datetime
from itertools import islice
from typing import Any, NamedTuple

from catalog import limits
from catalog.runs.datastore_layout import TaskPath, metaflow_setting
from catalog.runs.results import Reason, State, TaskFacts, UnavailableError
from catalog.runs.roots import Stores
from catalog.runs.service import MetadataService, ServiceUnavailable, task_address
from catalog.runs.stores import Silence, Store, StoredFile
from obproject.journal import ENTRY_FIELD, VERDICT, parse_verdict
from obproject.journal import TYPE as JOURNAL

MAX_NOTES = 2000
MAX_NOTE_BYTES = 1024 * 1024
FAILED = "the task failed"
"""The reason where none is known."""
SETTLING_SECONDS = 60.0  # a task renders its cards after it has recorded that it is done

Note = dict[str, Any]


class Notes(NamedTuple):
    """Metadata as Metaflow stores it: the task's own note, its run's (for the tags), a note per field and attempt."""

    task: Note
    run: Note
    fields: list[Note]


class Record(NamedTuple):
    """All that is known about a task. `settled`: it will write no more. `card_attempts`: the attempt that made a card,
    by the card's uuid. `seen`: the last sign of life; `heartbeat`: the last one that a metadata service recorded."""

    facts: TaskFacts
    settled: bool
    card_attempts: dict[str, int]
    seen: datetime | None = None
    heartbeat: datetime | None = None


def record_of(path: TaskPath, stores: Stores) -> Record:
    """The record of the task; raises `UnavailableError` if neither metadata nor datastore has any."""
    notes = next(filter(None, (_local_notes(path, folder) for folder in stores.metadata)), None)
    store, files = next(((s, files) for s in stores.files if (files := s.files(path.folder))), (stores.files[0], []))
    if notes is None and not files:
        raise UnavailableError(Reason.TASK_GONE, "The files of this task are gone, and its cards with them.")
    if notes is None:  # the service knows the tasks of all perimeters, so it is asked only about files found here
        notes = _configured_service_notes(path)
    return _record(path, notes or Notes({}, {}, []), _Traces(path, store, files))


def record_from(path: TaskPath, notes: Notes) -> Record:
    """The record of the task from metadata alone."""
    return _record(path, notes, _Traces(path, None, []))


def _local_notes(path: TaskPath, store: Store) -> Notes | None:
    folder = f"{path.folder}/_meta"
    own = note_in(store, f"{folder}/_self.json")
    if not own:
        return None
    names = [file.name for file in store.files(folder) if is_fact(file.name)][:MAX_NOTES]
    run = note_in(store, f"{path.run_folder}/_meta/_self.json")
    return Notes(own, run, [note_in(store, f"{folder}/{name}") for name in names])


def is_fact(file_name: str) -> bool:
    """Whether a file of local metadata is about the task itself, and not of its journal."""
    return file_name.startswith("sysmeta_") and not file_name.startswith(f"sysmeta_{ENTRY_FIELD}")


def note_in(store: Store, path: str) -> Note:
    """The JSON object at `path`; empty if there is none or if it is being written."""
    try:
        content = json.loads(store.read(path, MAX_NOTE_BYTES) or b"{}")
    except (ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}


_service_silence = Silence()


def _configured_service_notes(path: TaskPath) -> Notes | None:
    """The task's metadata from the metadata service, if one is configured and answers."""
    service = metaflow_setting("SERVICE_URL")
    if not service or _service_silence.lasts:
        return None
    try:
        with MetadataService(service) as opened:
            return notes_of(path, opened)
    except ServiceUnavailable:
        _service_silence.begin()
        return None


def notes_of(path: TaskPath, service: MetadataService) -> Notes | None:
    """The task's metadata in a metadata service; None if the service does not have it."""
    address = task_address(path)
    own, fields = service.get(address), service.get(f"{address}/metadata")
    if not isinstance(own, dict) or not isinstance(fields, list):
        return None
    facts = (field for field in fields if isinstance(field, dict) and field.get("type") != JOURNAL)
    return Notes(own, own, list(islice(facts, MAX_NOTES)))


class _Traces:
    """The files in the datastore that show how the attempts of a task went, without metadata."""

    def __init__(self, path: TaskPath, store: Store | None, files: Iterable[StoredFile]) -> None:
        self._path = path
        self._store = store
        self._files = {file.name: file for file in files}

    @property
    def attempts(self) -> list[int]:
        """The numbers of the attempts that began."""
        began = (name.removesuffix(".attempt.json") for name in self._files if name.endswith(".attempt.json"))
        return [int(number) for number in began if number.isdecimal()]

    def written(self, attempt: int, suffix: str) -> datetime | None:
        """When the attempt's file with this suffix was written; None if there is none."""
        file = self._files.get(f"{attempt}.{suffix}")
        return datetime.fromtimestamp(file.modified, UTC) if file else None

    def succeeded(self, attempt: int) -> bool | None:
        """Whether the process of the attempt ended well; None if the machine that started it did not record that."""
        if self._store is None or f"{attempt}.runtime" not in self._files:
            return None
        return bool(note_in(self._store, f"{self._path.folder}/{attempt}.runtime").get("success"))


def _record(path: TaskPath, notes: Notes, traces: _Traces) -> Record:
    attempt = max([0, *traces.attempts, *(n for note in notes.fields if (n := attempt_of(note)) is not None)])
    fields = _fields(notes, attempt)
    values = {name: str(note.get("value")) for name, note in fields.items() if note.get("type") != "card-info"}
    left = traces.written(attempt, "runtime")
    finished = _time(fields.get("attempt-done")) or traces.written(attempt, "DONE.lock") or left
    facts = TaskFacts(
        task=path.folder,
        state=_state(finished is not None, values.get("attempt_ok"), traces.succeeded(attempt)),
        attempt=attempt,
        started=_time(fields.get("attempt")) or traces.written(attempt, "attempt.json") or _time(notes.task),
        finished=finished,
        user=_text(notes.task.get("user_name")),
        where=_where(values),
        tags=_texts(notes.run.get("tags")),
        system_tags=_texts(notes.run.get("system_tags")),
        metadata=values,
        failure=_failure(values.get(VERDICT)),
    )
    settled = left is not None or (finished is not None and time.time() - finished.timestamp() > SETTLING_SECONDS)
    return Record(
        facts,
        settled,
        _card_attempts(notes),
        seen=max(filter(None, [*map(_time, notes.fields), facts.started, finished]), default=None),
        heartbeat=time_of(notes.task.get("last_heartbeat_ts")),
    )


def _fields(notes: Notes, attempt: int) -> dict[str, Note]:
    """The newest note of each field, of this attempt or of none in particular."""
    mine = [note for note in notes.fields if attempt_of(note) in (None, attempt) and note.get("field_name")]
    return {str(note["field_name"]): note for note in sorted(mine, key=milliseconds)}


def attempt_of(note: Note) -> int | None:
    """The attempt that a note is about."""
    for tag in _texts(note.get("tags")):
        name, _, number = tag.partition(":")
        if name == "attempt_id" and number.isdecimal():
            return int(number)
    return None


def _card_attempts(notes: Notes) -> dict[str, int]:
    cards = ((note, attempt_of(note)) for note in notes.fields if note.get("type") == "card-info")
    return {str(note.get("field_name")): attempt for note, attempt in cards if attempt is not None}


def _state(ended: bool, noted: str | None, left_well: bool | None) -> State:
    if not ended:
        return "running"
    well = {"True": True, "False": False}.get(noted or "", left_well)
    return "finished" if well is None else "succeeded" if well else "failed"


def _failure(verdict: str | None) -> str:
    """Why the task is not successful, by its own word; empty if it has not said that, in words that can be stored."""
    try:
        told = parse_verdict(verdict) if verdict else None
    except (ValueError, RecursionError):
        return ""
    if told is None or told.success:
        return ""
    return limits.UNSTORABLE.sub("", told.reason)[: limits.REASON_LENGTH] or FAILED


def _where(values: dict[str, str]) -> str | None:
    """Where the attempt ran, as a phrase."""
    if pod := values.get("kubernetes-pod-name"):
        return f"in Kubernetes, pod {pod}"
    if job := values.get("aws-batch-job-id"):
        return f"in AWS Batch, job {job}"
    started_by = values.get("runtime")
    return "locally, on the computer that the run was started on" if started_by == "dev" else started_by


def milliseconds(note: Note) -> float:
    value = note.get("ts_epoch")
    return value if isinstance(value, int | float) else 0


def _time(note: Note | None) -> datetime | None:
    return time_of(milliseconds(note) / 1000) if note and milliseconds(note) else None


def time_of(seconds: object) -> datetime | None:
    """The time so many seconds after 1970; None if it is no valid time."""
    try:
        return datetime.fromtimestamp(seconds, UTC) if isinstance(seconds, int | float) else None
    except (OverflowError, ValueError, OSError):
        return None


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _texts(values: object) -> tuple[str, ...]:
    return tuple(sorted(value for value in values if isinstance(value, str))) if isinstance(values, list) else ()
