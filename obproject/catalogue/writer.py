"""Writing to the assets of one branch, so that no write is lost or done twice.

Each write has an id of its own, under which the catalogue does it once. While a task runs, its writes are in the
task's journal too (:mod:`obproject.task.journal_writer`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from obproject import lengths
from obproject.branches import branch_key, check_alias
from obproject.catalogue.client import EXISTS_AS, CatalogueClient, asset_id_of
from obproject.catalogue.highlight_content import as_content, without_image
from obproject.catalogue.reader import AssetReader, parsed_reference
from obproject.catalogue.together import Collected, batches, send_batch
from obproject.entities import who_is_running
from obproject.errors import AssetNotFound, InstanceNotFound, InvalidInput, RequestRefused, checked
from obproject.instances import json_value, tag_pairs, tell_if_deprecated, with_text
from obproject.journal import Entry, Operation, Outcome, id_from, new_id, receipt_in
from obproject.json_types import Json
from obproject.kinds import COLLECTION_OF, label_of
from obproject.notices import tell, tell_notes
from obproject.references import AnyReference
from obproject.task import running, spinning
from obproject.task.journal_writer import KEEPING, Answer, now, outcome_of, parse_time
from obproject.task.process_session import Session, session_of
from obproject.task.running import OwnRegistration, RunningTask

if TYPE_CHECKING:
    from obproject.highlights import Highlight


class AssetWriter:
    """Writes as one entity to one branch, given by its git name.

    ``task`` is the running task if that is the entity: what it registers is pending until it ends. Of a step that is
    only tried out nothing is sent or kept; what is asked for is checked and read all the same.
    """

    def __init__(
        self, catalogue: CatalogueClient, branch: str, entity_ref: dict[str, str], task: RunningTask | None
    ) -> None:
        self.catalogue = catalogue
        self.branch = branch
        self.entity_ref = entity_ref
        self._task = task
        self._waiting: list[Collected] = []
        self._made: list[Json | None] | None = None
        """What came of the registrations of the block in which they are collected; None outside of one."""

    @contextmanager
    def together(self) -> Iterator[list[Json | None]]:
        """Send what is registered in the block at its end, in as few requests as can be; any other write sends it, too.

        Yields a list that has then, for each of them in order, the instance; None if only the journal has it so far.
        What the catalogue refuses costs no other; the first refusal is raised once all are sent.
        """
        if self._made is not None:
            raise InvalidInput("What is registered here is sent together already: leave out the inner block.")
        self._made = []
        try:
            yield self._made
        finally:
            try:
                self._send_waiting()
            finally:
                self._made = None

    def _send_waiting(self) -> None:
        waiting, self._waiting = self._waiting, []
        refusals: list[RequestRefused] = []
        for batch in batches(waiting):
            for one, answer in zip(batch, self._answers(batch), strict=True):
                if isinstance(answer, RequestRefused):
                    refusals.append(answer)
                    continue
                one.done(answer)
                if self._made is not None:
                    self._made.append(with_text(answer) if answer is not None else None)
        for refusal in refusals[1:]:
            tell(str(refusal))
        if refusals:
            raise refusals[0]

    def _answers(self, batch: list[Collected]) -> Sequence[Answer | None]:
        """Store a part in the journal, if a task runs, and send it."""

        def send_them() -> list[Answer]:
            with self._reporting(next((one.body for one in batch if "run" in one.body), {})):
                return send_batch(self.catalogue, self.branch, batch)

        task = running.running_task()
        if task is None:
            return send_them()
        entries = [one.entry for one in batch]
        return task.journal.write_together(entries, self.catalogue.settings, send_them) or [None] * len(batch)

    def register(
        self,
        kind: str,
        name: str,
        asset_kind: str | None,
        *,
        description: str | None,
        blobs: list[Any] | None,
        annotations: Mapping[str, Any] | None,
        tags: Mapping[str, Any] | None,
        digest: str | None = None,
    ) -> Json | None:
        """Register an instance and return it; None if only the journal has it so far, or nobody will."""
        if not asset_kind:
            raise InvalidInput(
                f"Registering {label_of(kind)} {name!r} needs a kind, such as 'artifact' or 's3_object'."
            )
        if digest is not None:
            _check_digest(digest, asset_kind)
        body: Json = {
            "entity_ref": self.entity_ref,
            "branch_name": self.branch,
            f"{kind}_asset_kind": asset_kind,
            **({"description": description} if description else {}),
            **({"blobs": json_value(blobs)} if blobs is not None else {}),
            **({"annotations": json_value(annotations)} if annotations is not None else {}),
            **({"tags": tag_pairs(tags)} if tags is not None else {}),
            **({"digest": digest} if digest is not None else {}),
            **(self._task.provenance() if self._task else {}),
            **self._run_or_session(),
        }
        entry = self._entry(Operation.REGISTER, self.branch, kind, name, body=body)
        if spinning.holds_back():
            if self.entity_ref == who_is_running():
                self._remember_own(entry, kind, asset_kind, None)
            return None
        if self._task:
            self._task.will_settle(self.catalogue.connection)
        whole = {**body, "id": entry.id}

        def send() -> Json:
            return self.catalogue.register(entry.branch, kind, name, whole, entry.id)

        def done(answer: Json | None) -> None:
            if answer is not None:
                tell_notes(answer)
            if self._task:
                self._remember_own(entry, kind, asset_kind, answer)

        if self._made is not None:
            self._waiting.append(Collected(entry, whole, send, done))
            return None

        def send_alone() -> Json:
            with self._reporting(body):
                return send()

        answer = self._write(entry, send_alone)
        done(answer)
        return with_text(answer) if answer is not None else None

    def register_once(self, kind: str, name: str, body: Json, key: str) -> None:
        """Register an instance under a key that others may use for the same one: the catalogue makes it once.

        Raises Conflict where the key was used for something else.
        """
        self._send_waiting()
        if spinning.holds_back():
            return
        event = id_from(Operation.REGISTER, key)
        entry = self._entry(Operation.REGISTER, self.branch, kind, name, body=body, event=event)
        answer = self.catalogue.register(self.branch, kind, name, {**body, "id": event}, key)
        self._record(entry, outcome_of(entry.operation, answer))

    def consume(
        self, reader: AssetReader, kind: str, name: str, reference: AnyReference, role: str | None = None
    ) -> Json:
        """Become a consumer of the instance that a reference means where the asset is read, and return it."""
        self._send_waiting()
        if spinning.holds_back():
            return reader.peek(kind, name, reference)[1]
        reference = str(parsed_reference(reference))
        # Looked for first: who passes by a definition is no consumer of it.
        branch = reader.branch_with(kind, name, reference)
        body, event = self._consumption(role), new_id(Operation.CONSUME)
        sent = {**body, "id": event}
        with self._reporting(body):
            answer = self.catalogue.consume(branch, kind, name, reference, sent)
        tell_notes(answer)
        tell_if_deprecated(answer)
        # Stored afterwards: only the answer says which instance the reference meant.
        body["reference"] = reference
        entry = self._entry(Operation.CONSUME, branch, kind, name, body=body, instance=answer["id"], event=event)
        self._record(entry, outcome_of(entry.operation, answer))
        return with_text(answer)

    def consume_exactly(
        self, branch: str, kind: str, name: str, instance_id: str, reference: str, role: str | None = None
    ) -> None:
        """Become a consumer of an instance that was read before, by a reference that may mean another one by now.

        A running task does not wait for the answer.
        """
        self._send_waiting()
        if spinning.holds_back():
            return
        body = self._consumption(role) | {"reference": reference}
        entry = self._entry(Operation.CONSUME, branch, kind, name, body=body, instance=instance_id)
        whole = {**body, "id": entry.id}

        def send() -> Json:
            with self._reporting(body):
                answer = self.catalogue.consume(branch, kind, name, instance_id, whole, entry.id)
            tell_notes(answer)
            return answer

        if task := running.running_task():
            task.journal.write_in_background(entry, self.catalogue.settings, send)
        else:
            send()

    def delete(self, kind: str, name: str) -> bool:
        """Delete an asset with all that it has; say whether it did."""
        self._send_waiting()
        if spinning.holds_back():
            return False
        entry = self._entry(Operation.DELETE, self.branch, kind, name)
        try:
            self.catalogue.delete_asset(self.branch, kind, name, entry.id)
        except AssetNotFound as error:
            if EXISTS_AS in error.detail:
                tell(f"nothing was deleted. {error}")
            return False
        self._record(entry, Outcome())
        return True

    def deprecate(self, kind: str, name: str, reference: str, reason: str) -> Json:
        """Deprecate an instance, and return it. No journal keeps that: a rebuilt catalogue does not know it."""
        self._send_waiting()
        if spinning.holds_back():
            return with_text(self.catalogue.instance(self.branch, kind, name, reference))
        body = {"entity_ref": self.entity_ref, "reason": reason}
        return with_text(self.catalogue.deprecate(self.branch, kind, name, reference, body))

    def undo_deprecation(self, kind: str, name: str, reference: str) -> None:
        """Let a deprecated instance count again."""
        self._send_waiting()
        if not spinning.holds_back():
            self.catalogue.undo_deprecation(self.branch, kind, name, reference)

    def set_alias(self, branch: str, kind: str, name: str, alias: str, body: Mapping[str, Any]) -> Json:
        """Set an alias on any branch; ``body`` names the instance, and maybe the one that it must point to before."""
        body = {"entity_ref": self.entity_ref, **body}
        self._send_waiting()
        if spinning.holds_back():
            return self._move(branch, kind, name, alias, body["instance_id"])
        entry = self._entry(Operation.SET_ALIAS, branch, kind, name, body=body, alias=alias)
        answer = self.catalogue.put_alias(branch, kind, name, alias, {**body, "id": entry.id})
        self._record(entry, Outcome(parse_time(answer["alias"].get("updated_at")), receipt=receipt_in(answer)))
        return answer

    def delete_alias(self, kind: str, name: str, alias: str, expected_id: str | None = None) -> bool:
        """Delete an alias, and say whether it did; ``expected_id`` is the instance that it must point to."""
        self._send_waiting()
        if spinning.holds_back():
            return False
        body = {"entity_ref": self.entity_ref}
        entry = self._entry(Operation.DELETE_ALIAS, self.branch, kind, name, body=body, alias=alias)
        query = {"id": entry.id, **({"expected_instance_id": expected_id} if expected_id is not None else {})}
        try:
            self.catalogue.delete_alias(self.branch, kind, name, alias, query)
        except InstanceNotFound:
            return False
        self._record(entry, Outcome())
        return True

    def show_highlight(self, highlight: Highlight) -> Json | None:
        """Show a highlight on the overview of the branch; None if it is empty, or only the journal has it so far."""
        data = highlight.as_data()
        self._send_waiting()
        if data is None or spinning.holds_back():
            return None
        content, task = as_content(data), self._task
        body: Json = {
            "entity_ref": self.entity_ref,
            "branch_name": self.branch,
            **({"attempt": task.attempt, "datastore": task.datastore} if task else {}),
        }
        entry = self._entry(Operation.HIGHLIGHT, self.branch, body=body | {"content": without_image(content)})
        whole = body | {"content": content, "id": entry.id}

        def send() -> Json:
            return self.catalogue.show_highlight(self.branch, whole, entry.id)

        return task.journal.write(entry, self.catalogue.settings, send) if task else send()

    def _consumption(self, role: str | None) -> Json:
        """Who consumes as what, and to which branch of which project that consumer writes."""
        prj = getattr(self._task.flow, "prj", None) if self._task else None
        project, branch = (prj.project, prj.branches.write) if prj else (self.catalogue.project, self.branch)
        if self._task:
            self._task.will_report_failure(self.catalogue.connection)
        return {
            "entity_ref": self.entity_ref,
            "consumer": {"project": project, "branch": branch},
            **({"role": role} if role else {}),
            **(self._task.whereabouts() if self._task else {}),
            **self._run_or_session(),
        }

    # What is told of the run or the session

    def _run_or_session(self) -> Json:
        """Return the part of a body that names the session, and tells a catalogue once what the run or session is."""
        reporter = self._reporter()
        if reporter is None:
            return {}
        session = {"session": reporter.id} if isinstance(reporter, Session) else {}
        return session | reporter.facts.to(self.catalogue.settings)

    def _reporter(self) -> RunningTask | Session | None:
        """Return whose facts are known: of a Metaflow task that does not run here, nothing is."""
        if self._task:
            return self._task
        return None if self.entity_ref.get("entity_kind") == "task" else session_of(self.entity_ref)

    @contextmanager
    def _reporting(self, body: Json) -> Iterator[None]:
        """Send a body: if neither the catalogue nor a journal has it in the end, its facts go with the next write."""
        try:
            yield
        except Exception as error:
            is_kept = running.running_task() is not None and isinstance(error, KEEPING)
            if "run" in body and not is_kept and (reporter := self._reporter()):
                reporter.facts.is_lost(self.catalogue.settings)
            raise

    # The journal of the running task

    def _entry(
        self,
        operation: Operation,
        branch: str,
        kind: str = "",
        name: str = "",
        *,
        body: Mapping[str, Any] | None = None,
        instance: str = "",
        alias: str = "",
        event: str = "",
    ) -> Entry:
        return Entry(
            id=event or new_id(operation),
            operation=operation,
            at=now(),
            perimeter=self.catalogue.settings.perimeter,
            project=self.catalogue.project,
            branch=branch,
            kind=COLLECTION_OF[kind] if kind else "",
            asset=asset_id_of(name) if kind else "",
            body=body or {},
            instance=instance,
            alias=alias.removeprefix("@"),
            process=task.process if (task := running.running_task()) else None,
        )

    def _write(self, entry: Entry, send: Callable[[], Json]) -> Json | None:
        """Send a write under the id of its entry; return None if it is only in the journal."""
        task = running.running_task()
        return task.journal.write(entry, self.catalogue.settings, send) if task else send()

    def _record(self, entry: Entry, outcome: Outcome) -> None:
        """Store a write that the catalogue has done in the journal, if a task runs."""
        if task := running.running_task():
            task.journal.store_done(entry, outcome)

    def _move(self, branch: str, kind: str, name: str, alias: str, instance_id: str) -> Json:
        """Return the move of an alias that would have been made, as a catalogue answers."""
        alias = checked(check_alias, alias.removeprefix("@"))
        listed = self.catalogue.aliases(branch, kind, name)["aliases"]
        before = next((one["instance_id"] for one in listed if one["name"] == alias), "")
        move = {"alias_name": alias, "instance_id": instance_id, "previous_instance_id": before}
        return {"alias": {"recent_history": [move | {"updated_at": now().isoformat(), "updated_by": self.entity_ref}]}}

    def _remember_own(self, entry: Entry, kind: str, asset_kind: str, answer: Mapping[str, Any] | None) -> None:
        """Remember an artifact that only the step that runs now can read."""
        if asset_kind != "artifact":
            return
        artifact = str((entry.body.get("annotations") or {}).get("artifact") or "")
        number = answer.get("number") if answer else None
        project, branch = self.catalogue.project, branch_key(entry.branch)
        settings = self.catalogue.settings
        running.remember(OwnRegistration(kind, project, branch, entry.asset, entry.id, number, artifact, settings))


def _check_digest(digest: str, asset_kind: str) -> None:
    if asset_kind == "artifact":
        raise InvalidInput("The digest of an artifact is Metaflow's own; digest= is for what lives elsewhere.")
    longest = lengths.DIGEST_LENGTH
    if not isinstance(digest, str) or not digest.isprintable() or not 0 < len(digest.strip()) <= len(digest) <= longest:
        raise InvalidInput(f"The digest {digest!r} is no visible text of at most {longest} characters.")
