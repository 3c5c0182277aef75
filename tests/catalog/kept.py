"""Writes Metaflow's local metadata as tasks of our client do: what they kept of their writes, and how they ended."""

from __future__ import annotations

import json
import os
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

from obproject.journal import (
    OUTCOMES_FIELD,
    TYPE,
    VERDICT,
    Entry,
    Operation,
    Outcome,
    Process,
    Verdict,
    new_id,
    outcomes_as_json,
)

START = datetime.now(UTC) - timedelta(hours=2)
_milliseconds = count(1_700_000_000_000)


@dataclass
class Task:
    """One attempt of one task, with the folder of its metadata."""

    root: Path
    path: str
    attempt: int = 0
    at: datetime = START
    entries: list[Entry] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.meta = self.root / self.path / "_meta"
        self.meta.mkdir(parents=True, exist_ok=True)
        self._write("_self", {"user_name": "ada", "ts_epoch": int(self.at.timestamp() * 1000)})
        self.note("attempt", str(self.attempt))

    @property
    def ref(self) -> dict[str, str]:
        return {"entity_kind": "task", "entity_id": self.path}

    def note(self, name: str, value: str, kind: str = "") -> Path:
        """A datum, with the attempt in its tags."""
        ms = next(_milliseconds)
        at = int(self.at.timestamp() * 1000)
        tags = [f"attempt_id:{self.attempt}"]
        datum = {"field_name": name, "type": kind or name, "value": value, "tags": tags, "ts_epoch": at}
        return self._write(f"sysmeta_{name}_{ms}", datum)

    def keep(self, entry: Entry) -> Entry:
        self.note(entry.field, entry.as_json(), TYPE)
        self.entries.append(entry)
        return entry

    def registers(self, asset: str = "xkcd", *, entry_id: str = "", **more: Any) -> Entry:
        body = {"entity_ref": self.ref, "data_asset_kind": "artifact", "state": "pending", "attempt": self.attempt}
        body |= {"datastore": {"type": "local", "root": str(self.root), "cards": f"{self.root}.cards"}}
        body |= more.pop("body", {})
        return self.keep(self.entry(Operation.REGISTER, asset, body=body, entry_id=entry_id, **more))

    def consumes(self, instance: str, asset: str = "xkcd", **more: Any) -> Entry:
        body = {"entity_ref": self.ref, "reference": "latest", "consumer": {"project": "churn", "branch": "feature/x"}}
        body |= more.pop("body", {})
        return self.keep(self.entry(Operation.CONSUME, asset, body=body, instance=instance, **more))

    def moves(self, alias: str, instance: str, asset: str = "xkcd", **more: Any) -> Entry:
        body = {"entity_ref": self.ref, "instance_id": instance}
        return self.keep(self.entry(Operation.SET_ALIAS, asset, body=body, alias=alias, **more))

    def entry(self, operation: Operation, asset: str, *, entry_id: str = "", **more: Any) -> Entry:
        self.at += timedelta(seconds=1)
        place = {"perimeter": "default", "project": "churn", "branch": "main", "kind": "data", "at": self.at}
        return Entry(entry_id or new_id(operation), operation, asset=asset, **place | more)

    def was_answered(self, outcomes: dict[str, Outcome]) -> None:
        self.note(f"{OUTCOMES_FIELD}{next(iter(outcomes))}", outcomes_as_json(outcomes), TYPE)

    def ends(self, ok: bool = True) -> Task:
        self.at += timedelta(seconds=1)
        self.note("attempt_ok", str(ok))
        self.note("attempt-done", str(self.attempt))
        return self

    def raises(self, reason: str, *, caught: bool = True) -> Task:
        """The step raises: the task keeps that it is not successful, and Metaflow notes whether the run goes on."""
        self.note(VERDICT, Verdict(False, reason).as_json())
        return self.ends(caught)

    def resumes(self, run: str = "None") -> Task:
        """Metaflow notes in every task which run its own one resumes."""
        self.note("origin-run-id", run)
        return self

    def is_cloned_from(self, run: str, task: str) -> Task:
        """A resumed run took it over."""
        self.note("origin-task-id", task)
        return self.resumes(run).ends()

    def stores(self, artifact: str, sha: str) -> Task:
        """An artifact, as the attempt stores it."""
        told = {"name": artifact, "sha": sha, "attempt_id": self.attempt}
        self._write(f"{self.attempt}_artifact_{artifact}", told)
        return self

    def _write(self, name: str, content: dict[str, Any]) -> Path:
        path = self.meta / f"{name}.json"
        path.write_text(json.dumps(content))
        return path


@dataclass
class Metaflow:
    """A `.metaflow` folder."""

    root: Path
    _runs: Any = field(default_factory=lambda: count(1))

    def task(self, path: str = "", *, minutes: float = 0, attempt: int = 0) -> Task:
        """A task that began so many minutes after `START`; without a path, the first one of a new run."""
        at = START + timedelta(minutes=minutes)
        path = path or f"ComicFlow/{int(at.timestamp() * 1e6) + next(self._runs)}/start/1"
        return Task(self.root, path, attempt, at)

    def notes(self, run: str, **more: Any) -> None:
        """What Metaflow notes of a run itself."""
        folder = self.root / run / "_meta"
        folder.mkdir(parents=True, exist_ok=True)
        system = ["metaflow_version:2.19.39", "python_version:3.11.7", "user:ada"]
        told = {"user_name": "eve", "tags": ["nightly"], "system_tags": system}
        told |= {"ts_epoch": int(START.timestamp() * 1000)} | more
        (folder / "_self.json").write_text(json.dumps(told))

    def ends(self, run: str) -> None:
        """The run has ended well, a while ago."""
        end = Task(self.root, f"{run}/end/9").ends()
        self.was_changed(end.meta, seconds_ago=3600)

    def was_changed(self, folder: Path, seconds_ago: float) -> None:
        then = time.time() - seconds_ago
        os.utime(folder, (then, then))


def process(pid: int, host: str) -> Process:
    return Process(host, pid)
