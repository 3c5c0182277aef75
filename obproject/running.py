"""The Metaflow task that runs in this process, and the end of it.

A task's artifacts can be read only once the task has finished. So what a task registers is pending at first, and when
the task ends, one request per catalogue says that all of it is ready, or failed. The step decorator that
:class:`obproject.ProjectFlow` puts on every step opens a :class:`RunningTask` and settles it.
"""

from __future__ import annotations

import atexit
import json
import os
import shlex
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from obproject.connection import Connection, path_of
from obproject.entities import task_ref

_current: RunningTask | None = None


@dataclass(eq=False)
class RunningTask:
    """One attempt of one task, as Metaflow's step decorators see it."""

    flow: Any
    """The FlowSpec instance that runs."""
    run_id: str
    step: str
    task_id: str
    attempt: int
    metadata: Any
    """Metaflow's metadata provider of the run."""
    datastore: dict[str, str]
    """``type`` and ``root`` of the datastore that holds the task's artifacts and cards."""
    _unsettled: list[Connection] = field(default_factory=list)
    _process: int = field(default_factory=os.getpid)

    @property
    def ref(self) -> dict[str, str]:
        """The task as an entity."""
        return task_ref(self.flow.name, self.run_id, self.step, self.task_id)

    @property
    def run_pathspec(self) -> str:
        """``Flow/run``."""
        return f"{self.flow.name}/{self.run_id}"

    def provenance(self) -> dict[str, Any]:
        """Return what a registration says about this task: nothing of it is ready before :meth:`settle`."""
        return {"state": "pending", "attempt": self.attempt, "datastore": self.datastore}

    def will_settle(self, connection: Connection) -> None:
        """Remember that something was registered through a connection."""
        if all(known.settings != connection.settings for known in self._unsettled):
            self._unsettled.append(connection)

    def settle(self, ok: bool) -> None:
        """Tell each catalogue that holds something of this task whether the task succeeded; a second call does nothing.

        Never raises: the task's own outcome stands. A catalogue that could not be told is reported in one line, with
        the call that tells it.
        """
        body = self._confirmation(ok)
        # A forked child inherits the task, but its end is not the task's end.
        while self._unsettled and os.getpid() == self._process:
            connection = self._unsettled.pop()
            try:
                about = f"confirming what {self.ref['entity_id']} registered"
                connection.request("POST", _confirmations_path(connection), body=body, about=about)
            except Exception as error:
                print(
                    f"assetsite: what this task registered stays pending. {error} "
                    f"Run the task again, or settle it by: {_as_curl(connection, body)}",
                    flush=True,
                )

    def _confirmation(self, ok: bool) -> dict[str, Any]:
        body = {"entity_ref": self.ref, "attempt": self.attempt, "state": "ready" if ok else "failed"}
        return body if ok else {**body, "reason": "the task failed"}

    def tag_run(self, tags: Collection[str]) -> bool:
        """Put tags on the run; say whether any of them is new there.

        Never raises: tags help to find runs, and no run should fail for want of them.
        """
        try:
            run = self.metadata.get_object("run", "self", {}, None, self.flow.name, self.run_id) or {}
            missing = set(tags) - set(run.get("tags") or ())
            if missing:
                self.metadata.mutate_user_tags_for_run(self.flow.name, self.run_id, tags_to_add=sorted(missing))
        except Exception as error:
            print(f"assetsite: the run can't be tagged with {', '.join(tags)}: {error}", flush=True)
            return True
        return bool(missing)


def _confirmations_path(connection: Connection) -> str:
    return path_of("perimeters", connection.settings.perimeter, "confirmations")


def _as_curl(connection: Connection, body: dict[str, Any]) -> str:
    """Return the command that sends a confirmation; the token is left to the shell that runs it."""
    token = ' -H "x-api-key: $ASSETSITE_TOKEN"' if connection.settings.headers else ""
    address = shlex.quote(f"{connection.settings.url}{_confirmations_path(connection)}")
    return f"curl -X POST {address}{token} -H 'Content-Type: application/json' -d {shlex.quote(json.dumps(body))}"


def running_task() -> RunningTask | None:
    """Return the task that runs in this process; None outside one, and in flows that are no ProjectFlow."""
    return _current


def begin(task: RunningTask) -> None:
    """Make a task the one that runs in this process."""
    global _current
    _current = task
    # A task whose artifacts can't be stored ends without Metaflow's last hook.
    atexit.register(task.settle, ok=False)


def end(ok: bool) -> None:
    """Settle the task that runs in this process, if there is one."""
    global _current
    task, _current = _current, None
    if task is not None:
        task.settle(ok)


def datastore_of(storage_type: str, root: str) -> dict[str, str]:
    """Return a datastore as it stands on the wire; a local root is made absolute."""
    return {"type": storage_type, "root": str(Path(root).absolute()) if storage_type == "local" else str(root)}
