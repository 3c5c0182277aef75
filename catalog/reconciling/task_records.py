"""The places with metadata, opened for a pass, and what is kept of the records of tasks, so that none is read twice."""

import sys
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import datetime
from typing import NamedTuple

from catalog.reconciling.sources import Source
from catalog.runs.datastore_layout import TaskPath
from catalog.runs.facts import Record
from catalog.runs.metadata import Metadata
from catalog.runs.results import State, UnavailableError

REMEMBERED = 10_000
NONE = "None"
"""How Metaflow notes that a task is of a run that resumes none."""


class TaskRecord(NamedTuple):
    """What is kept of the record of a task, small, because there are many: how its newest attempt goes, and its origin.

    `failure`: why Metaflow does not count the task as successful, even if its run could go on; empty if nobody has said
    so. `origin_run` is empty if Metaflow does not say whether the run resumes another.
    """

    attempt: int
    state: State
    started: datetime | None
    finished: datetime | None
    seen: datetime | None
    heartbeat: datetime | None
    failure: str
    origin_run: str
    origin_task: str
    git: str

    @classmethod
    def of(cls, record: Record) -> "TaskRecord":
        facts, told = record.facts, record.facts.metadata
        return cls(
            facts.attempt,
            facts.state,
            facts.started,
            facts.finished,
            record.seen,
            record.heartbeat,
            facts.failure,
            sys.intern(told.get("origin-run-id", "")),
            told.get("origin-task-id", ""),
            sys.intern(told.get("git-info", "")),  # equal for all tasks of a run
        )

    @property
    def is_cloned(self) -> bool:
        """Whether a resumed run took the task over instead of running it."""
        return self.origin_task not in ("", NONE) and self.origin_run not in ("", NONE)


class TaskRecords:
    """Reads the records of tasks in the sources of metadata."""

    def __init__(self, sources: list[Source]) -> None:
        self._opened: list[tuple[Source, Metadata]] = []
        self._stack = ExitStack()
        self._sources = sources
        self._known: dict[tuple[TaskPath, Metadata], TaskRecord] = {}

    def __enter__(self) -> "TaskRecords":
        for source in self._sources:
            try:
                self._opened.append((source, self._stack.enter_context(source.opened())))
            except UnavailableError:
                continue  # reported when it was collected
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.close()

    def places(self, perimeter: str) -> Iterator[Metadata]:
        """The sources that are open and may write into a perimeter."""
        return (metadata for source, metadata in self._opened if source.allows(perimeter))

    def all_open(self, perimeter: str) -> bool:
        """Whether no source of a perimeter is out of reach."""
        return sum(source.allows(perimeter) for source in self._sources) == len(list(self.places(perimeter)))

    def leave_out(self, place: Metadata) -> None:
        """Do not ask this place again; it does not answer."""
        self._opened = [(source, metadata) for source, metadata in self._opened if metadata is not place]

    def take(self, path: TaskPath, place: Metadata) -> TaskRecord:
        """As `of`, for who asks last."""
        return self._known.pop((path, place), None) or TaskRecord.of(place.record(path))

    def of(self, path: TaskPath, place: Metadata) -> TaskRecord:
        """The record of a task in one place, read once in a pass; raises `UnavailableError`."""
        key = path, place
        if key in self._known:
            return self._known[key]
        record = TaskRecord.of(place.record(path))
        if any(metadata is place for _, metadata in self._opened):
            if len(self._known) >= REMEMBERED:
                self._known.clear()
            self._known[key] = record
        return record
