"""One task that times the client's calls, each next to what it is compared with; the answer is an artifact."""

import os
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from metaflow import Parameter, Task, current, step

from bench.load import UNIQUE, Connection, message
from obproject import ProjectFlow
from obproject.task import running

BRANCH = "/v1/perimeters/default/projects/bench/branches/user_bench"
SMALL = list(range(100))


class CallsFlow(ProjectFlow):
    calls = Parameter("calls", type=int)

    @step
    def start(self):
        self.small = SMALL
        self.prj.register_data("small", "small")
        self.producer = current.pathspec
        self.next(self.timed)

    @step
    def timed(self):
        with Connection(urlsplit(os.environ["ASSETSITE_URL"]).port) as connection:
            self.seconds = self.take_turns(
                {
                    "get_data": lambda: self.prj.get_data("small"),
                    "Task": lambda: Task(self.producer)["small"].data,
                    "PUT": lambda: connection.ask(consumption()),
                    "register_data": lambda: self.prj.register_data("made", "small", annotations={"rows": 100}),
                    "PATCH": lambda: connection.ask(registration()),
                }
            )
        self.next(self.end)

    def take_turns(self, calls: dict[str, Callable[[], Any]]) -> dict[str, list[float]]:
        """How long each call took, in each of its turns after a first one."""
        seconds: dict[str, list[float]] = {name: [] for name in calls}
        for _ in range(self.calls + 1):
            for name, call in calls.items():
                begin = time.perf_counter()
                call()
                seconds[name].append(time.perf_counter() - begin)
                running.running_task().journal.finish()  # or the next call shares the server with what is still sent
        return {name: times[1:] for name, times in seconds.items()}

    @step
    def end(self):
        pass


def registration() -> bytes:
    body = {
        "entity_ref": {"entity_kind": "task", "entity_id": f"BareFlow/{UNIQUE}/start/1"},
        "branch_name": "user.bench",
        "data_asset_kind": "artifact",
        "annotations": {"artifact": "small", "rows": 100},
        "state": "pending",
        "attempt": 0,
    }
    return message("PATCH", f"{BRANCH}/data/bare", {}, body, once=True)


def consumption() -> bytes:
    body = {
        "entity_ref": {"entity_kind": "task", "entity_id": f"BareFlow/{UNIQUE}/start/1"},
        "consumer": {"project": "bench", "branch": "user.bench"},
    }
    return message("PUT", f"{BRANCH}/data/small/instances/latest", {}, body, once=True)


if __name__ == "__main__":
    CallsFlow()
