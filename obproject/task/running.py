"""The Metaflow task that runs in this process, and the end of it.

A task's artifacts can be read only once the task has finished. So what a task registers is pending at first, and when
the task ends, one request per catalogue says that all of it is ready, or failed. The step decorator that
:class:`obproject.ProjectFlow` puts on every step opens a :class:`RunningTask` and settles it.
"""

from __future__ import annotations

import atexit
import os
import shlex
import socket
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import Any, NamedTuple

from obproject.connection import Connection, path_of
from obproject.entities import task_ref
from obproject.journal import Process, Verdict
from obproject.notices import tell, tell_notes
from obproject.settings import Settings
from obproject.task import spinning
from obproject.task.first_report import FirstReport
from obproject.task.journal_writer import UNAVAILABLE, JournalWriter
from obproject.task.run_facts import facts_of_task, position_of

_UNPUBLISHED = "assets_unpublished"
_CARDS = "mf.cards"
"""The folder of cards below the root of a datastore, unless settings of Metaflow's say otherwise."""

_current: RunningTask | None = None
_tried: list[OwnRegistration] = []
"""What a step that is only tried out would have registered."""


class OwnRegistration(NamedTuple):
    """An artifact that the running task has registered as an instance."""

    kind: str
    project: str
    branch: str
    """The branch's key."""
    name: str
    id: str
    number: int | None
    """None while the catalogue has not numbered it."""
    artifact: str
    catalogue: Settings
    """How the catalogue is reached that has it."""


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
    """``type`` and ``root`` of the datastore that holds the task's artifacts and cards; ``cards``, if elsewhere."""
    graph: Any = None
    """Metaflow's graph of the flow."""
    parameters: Collection[tuple[str, Any]] = ()
    """Metaflow's objects of the flow's parameters and configs, with the names of their attributes."""
    content_keys: Callable[[], Mapping[str, str]] = dict
    """Returns Metaflow's own content key of each artifact, once they are stored."""
    run_record: Mapping[str, Any] = field(default_factory=dict)
    """The record of the run in Metaflow's metadata, once the task has read it."""
    registered: list[OwnRegistration] = field(default_factory=list)
    """The artifacts that this task has registered; only it can read them before it ends."""
    _unsettled: list[Connection] = field(default_factory=list)
    _read_through: list[Connection] = field(default_factory=list)
    _on_success: list[Callable[[], None]] = field(default_factory=list)
    _failure: str = ""
    _process: int = field(default_factory=os.getpid)

    def __post_init__(self) -> None:
        self.journal = JournalWriter(
            register=partial(self.metadata.register_metadata, self.run_id, self.step, self.task_id),
            attempt=self.attempt,
            root_option=lambda: _root_option(self.metadata),
            claim_notice=lambda: self.tag_run([_UNPUBLISHED]),
        )
        """The journal of this task's writes."""
        self.facts = FirstReport(lambda: facts_of_task(self))
        """The facts of the run."""

    @property
    def ref(self) -> dict[str, str]:
        """The task as an entity."""
        return task_ref(self.flow.name, self.run_id, self.step, self.task_id)

    @property
    def run_pathspec(self) -> str:
        """``Flow/run``."""
        return f"{self.flow.name}/{self.run_id}"

    @property
    def process(self) -> Process:
        """Where the task runs: while this process is there, the task is not lost, whatever its children did."""
        return Process(socket.gethostname(), self._process)

    def provenance(self) -> dict[str, Any]:
        """Return the part of a registration that is about this task; it stays pending until :meth:`settle`."""
        return {"state": "pending", "datastore": self.datastore, **self.whereabouts()}

    def whereabouts(self) -> dict[str, Any]:
        """Return the part of a write that says where in its run this task is."""
        return {"attempt": self.attempt, "position": self._position}

    @cached_property
    def _position(self) -> dict[str, Any]:
        try:
            return position_of(self)
        except Exception:
            return {"step": self.step}

    def will_settle(self, connection: Connection) -> None:
        """Remember that something is registered through a connection."""
        if all(known.settings != connection.settings for known in self._unsettled):
            self._unsettled.append(connection)

    def will_report_failure(self, connection: Connection) -> None:
        """Remember that something is read through a connection: what a failed attempt has read does not count."""
        if all(known.settings != connection.settings for known in self._read_through):
            self._read_through.append(connection)

    def on_success(self, act: Callable[[], None]) -> None:
        """Call a function that never raises when the task has succeeded, as its last write."""
        self._on_success.append(act)

    def fail(self, reason: str) -> None:
        """Take note that the task is not successful, and why; kept with the task before Metaflow notes how it ended."""
        if os.getpid() == self._process and reason != self._failure:
            self._failure = reason
            self.journal.keep_verdict(Verdict(success=False, reason=reason))

    def settle(self, ok: bool, *, run_goes_on: bool = False) -> None:
        """Report to each catalogue that has registrations of this task how the task ended; a second call does nothing.

        ``run_goes_on`` says of a failure that a decorator such as ``@catch`` has handled it: then what the task read
        counts. Of any other failure, catalogues that have only consumptions of it are told too.

        Never raises: the task's own outcome stands. A catalogue that gets no message learns it from Metaflow.
        """
        # A forked child inherits the task, but its end is not the task's end.
        if os.getpid() != self._process:
            return
        self.journal.finish()
        if not ok and not run_goes_on:
            for connection in self._read_through:
                self.will_settle(connection)
        self._read_through.clear()
        while self._unsettled:
            connection = self._unsettled.pop()
            if not self.journal.is_unavailable(connection.settings):
                self._confirm(connection, ok, run_goes_on)
        while ok and self._on_success:
            self._on_success.pop()()
        self.journal.close()

    def _confirm(self, connection: Connection, ok: bool, run_goes_on: bool) -> None:
        about = f"confirming what {self.ref['entity_id']} registered"
        path = path_of("perimeters", connection.settings.perimeter, "confirmations")
        try:
            body = self._confirmation(connection.settings) if ok else self._failed_confirmation(run_goes_on)
            answer = connection.request("POST", path, body=body, about=about)
            tell_notes(answer)
        except UNAVAILABLE as error:
            self.journal.note_unavailable(error, connection.settings)
        except Exception as error:
            tell(f"what this task registered stays pending. {error}")

    def _confirmation(self, catalogue: Settings) -> dict[str, Any]:
        digests = self._digests(catalogue)
        body = {"entity_ref": self.ref, "attempt": self.attempt, "state": "ready"}
        return {**body, "digests": digests} if digests else body

    def _failed_confirmation(self, run_goes_on: bool) -> dict[str, Any]:
        body = {"entity_ref": self.ref, "attempt": self.attempt, "state": "failed"}
        reason = self._failure or "the task failed"
        return {**body, "reason": reason, **({"run_goes_on": True} if run_goes_on else {})}

    def _digests(self, catalogue: Settings) -> dict[str, str]:
        """Return what Metaflow itself calls the content of each artifact registered, by instance; never raises."""
        try:
            keys = self.content_keys()
        except Exception:
            return {}
        here = (catalogue.url, catalogue.perimeter)
        registered = [one for one in self.registered if (one.catalogue.url, one.catalogue.perimeter) == here]
        return {one.id: str(keys[one.artifact]) for one in registered if one.artifact in keys}

    def tag_run(self, tags: Collection[str]) -> bool:
        """Put tags on the run; return whether any of them is new there.

        Never raises: tags help to find runs, and no run should fail for want of them.
        """
        try:
            run = self.metadata.get_object("run", "self", {}, None, self.flow.name, self.run_id) or {}
            self.run_record = run
            missing = set(tags) - set(run.get("tags") or ())
            if missing:
                self.metadata.mutate_user_tags_for_run(self.flow.name, self.run_id, tags_to_add=sorted(missing))
        except Exception as error:
            tell(f"the run can't be tagged with {', '.join(tags)}: {error}")
            return True
        return bool(missing)


def _root_option(metadata: Any) -> str:
    """Return the option of ``assetsite reconcile`` that names this metadata; empty if it is in a service."""
    if metadata.TYPE != "local":
        return ""
    from metaflow.plugins.datastores.local_storage import LocalStorage

    return f" --root {shlex.quote(str(Path(LocalStorage.datastore_root).absolute()))}"


def running_task() -> RunningTask | None:
    """Return the task that runs in this process; None outside one, and in flows that are no ProjectFlow."""
    return _current


def running_flow() -> Any:
    """Return the flow of the step that runs in this process, also of one that is only tried out; None outside one."""
    return spinning.flow_tried_out() if _current is None else _current.flow


def remember(registration: OwnRegistration) -> None:
    """Remember an artifact that the step which runs now has registered, or would have if it were not only tried out."""
    (_tried if _current is None else _current.registered).append(registration)


def registered(kind: str, project: str, branch: str, name: str) -> list[OwnRegistration]:
    """Return the artifacts that the step which runs now has registered under a name, newest first."""
    wanted = (kind, project, branch, name)
    mine = _tried if _current is None else _current.registered
    return [one for one in reversed(mine) if one[: len(wanted)] == wanted]


def begin(task: RunningTask) -> None:
    """Make a task the one that runs in this process."""
    global _current
    _current = task
    # A task whose artifacts can't be stored ends without Metaflow's last hook.
    atexit.register(task.settle, ok=False)


def end(ok: bool, *, run_goes_on: bool = False) -> None:
    """Settle the task that runs in this process, if there is one; see :meth:`RunningTask.settle`."""
    global _current
    if _current is not None:
        _current.settle(ok, run_goes_on=run_goes_on)
    _current = None


def datastore_of(storage_type: str, root: str) -> dict[str, str]:
    """Return a datastore as it stands on the wire; a local root is made absolute.

    ``cards`` is the root of the task's cards, where settings or the working directory have put them elsewhere.
    """
    place = _absolute(storage_type, root)
    cards = _absolute(storage_type, _root_of_cards(storage_type) or root)
    elsewhere = cards.rstrip("/") not in (place.rstrip("/"), f"{place.rstrip('/')}/{_CARDS}")
    return {"type": storage_type, "root": place, **({"cards": cards} if elsewhere else {})}


def _absolute(storage_type: str, root: str) -> str:
    return str(Path(root).absolute()) if storage_type == "local" else str(root)


def _root_of_cards(storage_type: str) -> str | None:
    """Return where Metaflow puts the cards of this process; None if it is the datastore's own root."""
    try:
        from metaflow.plugins.cards.card_datastore import CardDatastore

        root = CardDatastore.get_storage_root(storage_type)
    except Exception:  # no cards in this Metaflow, or none in such a datastore
        return None
    return str(root) if root else None
