"""Short stories of runs, told to the API as clients tell them, and what the exact answers make of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from catalog.models import ClonedTask, Run
from tests.conftest import Api

Json = dict[str, Any]
LOADED = {"start": ["load"], "load": ["end"], "end": []}
SPLIT = {"start": ["work"], "work": ["join"], "join": ["end"], "end": []}
"""A foreach in `start`, whose splits are tasks of `work`."""


@dataclass
class Story:
    api: Api
    told: set[str] = field(default_factory=set)
    """The runs that have told of themselves."""

    def loads(self, *assets: str) -> None:
        """Something to read, that nothing is known of."""
        for asset in assets:
            self.api.register(asset, task=f"Load/{len(asset)}/start/1")

    def reads(self, asset: str, task: str, version: str = "latest", **said: Any) -> None:
        self.api.consume(f"{asset}/instances/{version}", task, **self._body(task, said))

    def makes(self, asset: str, task: str, **said: Any) -> str:
        uid: str = self.api.register(asset, task=task, **self._body(task, said))["id"]
        return uid

    def fails(self, task: str, attempt: int) -> None:
        body = {"entity_ref": {"entity_kind": "task", "entity_id": task}, "attempt": attempt, "state": "failed"}
        assert self.api.post("/v1/perimeters/default/confirmations", body).status_code == 200

    def took_over(self, run: str, tasks: dict[str, str]) -> None:
        """What reconciling reads of a resumed run: its cloned tasks with their originals."""
        row = Run.objects.get(name=run)
        Run.objects.filter(pk=row.pk).update(clones_read_at=row.first_at)
        ClonedTask.objects.bulk_create(ClonedTask(run=row, task=task, origin=tasks[task]) for task in tasks)

    def _body(self, task: str, said: Json) -> Json:
        """`graph` and `resumes` are facts of the run; `foreach` and `iteration` are of the task's position."""
        facts = {"graph": said.pop("graph", None), "origin_run": said.pop("resumes", None)}
        run = "/".join(task.split("/")[:2])
        if run in self.told or not any(facts.values()):
            facts = {}
        else:
            self.told.add(run)
        place = {"foreach": said.pop("foreach", None), "iteration": said.pop("iteration", None)}
        body = {**said, "run": facts or None, "position": place}
        return {key: value for key, value in body.items() if value is not None}

    def answer(self, asset: str, **query: Any) -> Json:
        path, _, version = asset.partition("@")
        query = {"direction": "up", "depth": 50, **query}
        asked = "&".join(f"{key}={value}" for key, value in query.items())
        answer = self.api.get(f"{path}/instances/{version or 'latest'}/lineage?state=any&{asked}")
        assert answer.status_code == 200, answer.content
        known: Json = answer.data
        return known

    def inputs(self, asset: str, **query: Any) -> tuple[list[str], str]:
        """What exactly an instance was made from, and how it is known."""
        answer = self.answer(asset, depth=2, **query)
        names = {node["id"]: f"{node['name']} {node['version']}" for node in answer["nodes"]}
        (made,) = [link for link in answer["links"] if link["target"] in answer["focus"]]
        return sorted(names[link["source"]] for link in answer["links"] if link["target"] == made["source"]), made["by"]


def left_out(answer: Json) -> dict[str, int]:
    return {cut["reason"]: cut["count"] for cut in answer["left_out"]}
