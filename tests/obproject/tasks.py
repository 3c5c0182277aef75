"""A task as Metaflow's step decorators see it, without a run: what it keeps stays in memory."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from obproject.journal import (
    OUTCOMES_FIELD,
    TYPE,
    VERDICT,
    Entry,
    Outcome,
    Verdict,
    parse_entry,
    parse_outcomes,
    parse_verdict,
)
from obproject.task.running import RunningTask


class MemoryMetadata:
    """Stands for Metaflow's metadata provider: keeps data, or fails to."""

    TYPE = "memory"

    def __init__(self) -> None:
        self.data: list[Any] = []
        self.failure: Exception | None = None
        self.tags: set[str] = set()

    def register_metadata(self, run_id: str, step: str, task_id: str, data: list[Any]) -> None:
        if self.failure:
            raise self.failure
        self.data += data

    def get_object(self, *_address: Any) -> dict[str, Any]:
        return {"tags": sorted(self.tags)}

    def mutate_user_tags_for_run(self, flow: str, run_id: str, tags_to_add: list[str]) -> None:
        self.tags |= set(tags_to_add)

    @property
    def entries(self) -> list[Entry]:
        kept = (one for one in self.data if one.type == TYPE and not one.field.startswith(OUTCOMES_FIELD))
        return [parse_entry(one.value) for one in kept]

    @property
    def verdicts(self) -> list[Verdict]:
        return [parse_verdict(one.value) for one in self.data if one.type == VERDICT]

    @property
    def outcomes(self) -> dict[str, Outcome]:
        kept = (parse_outcomes(one.value) for one in self.data if one.field.startswith(OUTCOMES_FIELD))
        return {entry_id: outcome for outcomes in kept for entry_id, outcome in outcomes.items()}


def running_task(flow: Any = None, metadata: MemoryMetadata | None = None) -> RunningTask:
    return RunningTask(
        flow=flow or SimpleNamespace(name="TrainFlow"),
        run_id="12",
        step="start",
        task_id="3",
        attempt=1,
        metadata=metadata or MemoryMetadata(),
        datastore={"type": "local", "root": "/data/.metaflow"},
    )
