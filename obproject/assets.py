"""The assets of one branch: register, read, consume, list, delete, and their aliases.

:class:`Asset` works anywhere: in a flow, a notebook, an app or a script. Inside a
:class:`~obproject.ProjectFlow`, ``self.prj`` is the shorter way.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple

from obproject.aliases import ANYWHERE, Alias, AliasMove, parse_alias, parse_move, unmet_expectation
from obproject.branches import branch_key, check_alias, check_asset_id, check_branch, check_project
from obproject.connection import Connection, Query, path_of
from obproject.entities import EntityRef, deployment_ref, entity_ref, task_ref, user_ref, who_is_running
from obproject.errors import (
    AssetNotFound,
    Conflict,
    InstanceNotFound,
    InvalidAssetInstanceError,
    InvalidInput,
    ReadOnly,
    WrongToken,
)
from obproject.highlight_content import as_content, without_image
from obproject.instances import AssetInstance, json_value, parse_instance, tag_pairs, with_text
from obproject.journal import Entry, Operation, Outcome, new_id
from obproject.notices import tell
from obproject.protocol import (
    consume_data_asset,
    consume_model_asset,
    delete_data_asset,
    delete_model_asset,
    get_data_asset,
    get_data_asset_summary,
    get_model_asset,
    get_model_asset_summary,
    list_data_assets,
    list_model_assets,
    register_asset,
)
from obproject.references import Reference, ReferenceKind, parse_reference
from obproject.settings import find_settings
from obproject.task import running
from obproject.task.journal_writer import moment, now, outcome_of
from obproject.task.running import OwnRegistration

if TYPE_CHECKING:
    from obproject.highlights import Highlight

__all__ = [
    "ANYWHERE",
    "Alias",
    "AliasMove",
    "Asset",
    "AssetInstance",
    "DeleteResult",
    "EntityRef",
    "InvalidAssetInstanceError",
    "consume_data_asset",
    "consume_model_asset",
    "delete_data_asset",
    "delete_model_asset",
    "deployment_ref",
    "entity_ref",
    "get_data_asset",
    "get_data_asset_summary",
    "get_model_asset",
    "get_model_asset_summary",
    "list_data_assets",
    "list_model_assets",
    "register_asset",
    "task_ref",
    "user_ref",
]

_COLLECTIONS = {"data": "data", "model": "models"}
_LABELS = {"data": "data asset", "model": "model asset"}


class DeleteResult(NamedTuple):
    """What a deletion did; both False if there was nothing to delete."""

    catalog_deleted: bool
    metadata_updated: bool
    """Whether the branch's project spec lost the asset; the catalogue does both at once."""


class Asset:
    """The assets of one project and branch.

    ``project`` and ``branch`` default to those of the running flow, else to ``OB_PROJECT`` and ``OB_BRANCH``. The
    branch may be a git name or its key. Who registers and consumes is ``entity_ref`` if given, else the ``deployment``
    of that name, else the running task, the deployment in ``ASSETSITE_DEPLOYMENT``, or the user. With
    ``read_only=True`` registering does nothing, consuming leaves no trace and deleting raises ReadOnly. For ``url``,
    ``token`` and ``perimeter`` see :mod:`obproject.settings`.

    Methods raise the exceptions of :mod:`obproject.errors`. Instances are returned as the reference protocol shapes
    them, with text under ``annotations``, and with ``values`` (typed annotations), ``number``, ``ref``, ``state``,
    ``url`` and more besides.
    """

    def __init__(
        self,
        project: str | None = None,
        branch: str | None = None,
        entity_ref: Mapping[str, str] | None = None,
        read_only: bool = False,
        deployment: str | None = None,
        *,
        url: str | None = None,
        token: str | None = None,
        perimeter: str | None = None,
    ) -> None:
        self.project = _valid(check_project, project or _default_project())
        self._write_branch = _valid(check_branch, branch or _default_branch())
        self._lookup_order: tuple[str, ...] = (self._write_branch,)
        self.read_only = read_only
        self._task = None if entity_ref or deployment else running.running_task()
        self.entity_ref: dict[str, str] = (
            dict(entity_ref) if entity_ref else deployment_ref(deployment) if deployment else who_is_running()
        )
        self._given = (url, token, perimeter, _project_perimeter())
        self._connection = Connection(find_settings(*self._given))

    @property
    def branch(self) -> str:
        """Key of the branch that is read."""
        return branch_key(self._lookup_order[0])

    @property
    def perimeter(self) -> str:
        """The perimeter, from the settings."""
        return self._connection.settings.perimeter

    @property
    def base_url(self) -> str | None:
        """Address of the catalogue; None if none is configured."""
        return self._connection.settings.url

    @property
    def service_headers(self) -> dict[str, str]:
        """Headers that say who is asking."""
        return self._connection.settings.headers

    @property
    def meta(self) -> dict[str, Any]:
        """Project, branch and entity, under the names that the reference protocol's clients use."""
        return {"project": self.project, "branch": self.branch, "entity_reg": self.entity_ref}

    def register_data_asset(
        self,
        name: str,
        description: str | None = None,
        kind: str | None = None,
        blobs: list[Any] | None = None,
        annotations: Mapping[str, Any] | None = None,
        tags: Mapping[str, Any] | None = None,
    ) -> dict[str, Any] | None:
        """Register a new instance of a data asset and return it; None if read-only.

        ``kind`` says how to resolve it: ``artifact``, or any label such as ``s3_object``. ``blobs`` are references to
        the data, never the data. Annotations keep their JSON type; tags are text.
        """
        return self._register("data", name, description, kind, blobs, annotations, tags)

    def register_model_asset(
        self,
        name: str,
        description: str | None = None,
        kind: str | None = None,
        blobs: list[Any] | None = None,
        annotations: Mapping[str, Any] | None = None,
        tags: Mapping[str, Any] | None = None,
    ) -> dict[str, Any] | None:
        """Register a new instance of a model asset and return it; see :meth:`register_data_asset`."""
        return self._register("model", name, description, kind, blobs, annotations, tags)

    def peek_data_asset(self, name: str, instance: str = "latest") -> dict[str, Any]:
        """Return an instance of a data asset without becoming its consumer.

        ``instance`` is ``latest``, ``latest-1``, ``v12``, ``@alias`` or an id.
        """
        return self._peek("data", name, instance)[1]

    def peek_model_asset(self, name: str, instance: str = "latest") -> dict[str, Any]:
        """Return an instance of a model asset without becoming its consumer; see :meth:`peek_data_asset`."""
        return self._peek("model", name, instance)[1]

    def consume_data_asset(self, name: str, instance: str = "latest") -> dict[str, Any]:
        """Return an instance of a data asset and become its consumer; see :meth:`peek_data_asset`."""
        return self._consume("data", name, instance)

    def consume_model_asset(self, name: str, instance: str = "latest") -> dict[str, Any]:
        """Return an instance of a model asset and become its consumer; see :meth:`peek_data_asset`."""
        return self._consume("model", name, instance)

    def list_data_assets(self, tags: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Return ``{"items": [{"asset", "latest_instance", "tags"}], "continuation": None}``: all data assets.

        With ``tags``, those whose newest instance has all of them.
        """
        return self._list("data", tags)

    def list_model_assets(self, tags: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Return all model assets; see :meth:`list_data_assets`."""
        return self._list("model", tags)

    def list_data_asset_instances(self, name: str) -> Iterator[AssetInstance]:
        """Yield the ready instances of a data asset, newest first, page by page as they are asked for."""
        return self._instances("data", name)

    def list_model_asset_instances(self, name: str) -> Iterator[AssetInstance]:
        """Yield the ready instances of a model asset; see :meth:`list_data_asset_instances`."""
        return self._instances("model", name)

    def delete_data_asset(self, name: str) -> DeleteResult:
        """Delete a data asset with all its instances and aliases; the data itself stays where it is."""
        return self._delete("data", name)

    def delete_model_asset(self, name: str) -> DeleteResult:
        """Delete a model asset; see :meth:`delete_data_asset`."""
        return self._delete("model", name)

    def set_alias(
        self, name: str, alias: str, instance: str = "latest", kind: str | None = None, *, expected: Any = ANYWHERE
    ) -> AliasMove:
        """Make an alias of an asset point to an instance, and return the move: from where to where.

        ``instance`` is ``latest``, ``latest-1``, ``v12``, another ``@alias`` or an id, and must be ready. With
        ``expected``, a reference too, the alias moves only if it still points there; with ``expected=None`` only if it
        doesn't exist yet. Otherwise AliasConflict says where it points. ``kind`` is ``data`` or ``model``; it is needed
        only where one name stands for both.
        """
        kind = self._kind_for_write(name, kind, f"set its alias {alias!r}")
        body: dict[str, Any] = {
            "entity_ref": self.entity_ref,
            "instance_id": self._instance_id(kind, name, instance),
        }
        if expected is not ANYWHERE:
            body["expected_instance_id"] = None if expected is None else self._instance_id(kind, name, expected)
        answer = self._put_alias(self._write_branch, kind, name, alias, body)
        return parse_move(answer["alias"]["recent_history"][0])

    def delete_alias(self, name: str, alias: str, kind: str | None = None, *, expected: Any = ANYWHERE) -> bool:
        """Delete an alias, and say whether there was one; its history stays.

        ``expected`` and ``kind`` are as for :meth:`set_alias`.
        """
        kind = self._kind_for_write(name, kind, f"delete its alias {alias!r}")
        body = {"entity_ref": self.entity_ref}
        entry = self._entry(Operation.DELETE_ALIAS, self._write_branch, kind, name, body=body, alias=alias)
        query = {"id": entry.id}
        if expected is not ANYWHERE:
            query["expected_instance_id"] = self._instance_id(kind, name, expected)
        try:
            self._alias_call("DELETE", self._write_branch, kind, name, alias, query=query)
        except InstanceNotFound:
            return False
        self._keep(entry, Outcome())
        return True

    def list_aliases(self, name: str, kind: str | None = None) -> list[Alias]:
        """Return the aliases of an asset, by name; for ``kind`` see :meth:`set_alias`."""
        kind = self._kind_of(name, kind, self._lookup_order)
        return [parse_alias(alias) for alias in self._look_up("GET", kind, name, "aliases")[1]["aliases"]]

    def alias_history(self, name: str, alias: str | None = None, kind: str | None = None) -> Iterator[AliasMove]:
        """Yield the moves of all aliases of an asset, or of one, newest first; deletions are moves to None.

        For ``kind`` see :meth:`set_alias`.
        """
        kind = self._kind_of(name, kind, self._lookup_order)
        branch, first = self._look_up("GET", kind, name, "alias-history")
        pages = iter([first])
        if start := first.get("continuation"):
            path = (branch, kind, name, "alias-history")
            pages = chain(pages, _pages(lambda more: self._asset_call("GET", *path, query=more), start=start))
        moves = (parse_move(entry) for page in pages for entry in page["entries"])
        yield from (move for move in moves if alias is None or move.alias == alias.removeprefix("@"))

    def get_properties(self, name: str, kind: str | None = None) -> dict[str, Any]:
        """Return the properties that hold for an asset: those declared in its ``asset_config.toml``, edits applied.

        ``kind`` is ``data`` or ``model``; it is needed only where one name stands for both.
        """
        if kind is not None:
            return self._properties(_valid_kind(kind), name)
        found = {
            kind: properties
            for kind in _COLLECTIONS
            if (properties := self._properties_or_none(kind, name)) is not None
        }
        if len(found) > 1:
            raise _ambiguous(name)
        return next(iter(found.values())) if found else self._properties("data", name)

    def get_flowproject_spec(self) -> dict[str, Any] | None:
        """Return the branch's project spec as the last deploy posted it; None if there was none."""
        branch = self._lookup_order[0]
        try:
            return self._call("GET", branch, "latestflowproject", about=f"project spec of {self._place(branch)}")
        except AssetNotFound:
            return None

    def show_highlight(self, highlight: Highlight) -> dict[str, Any] | None:
        """Show a highlight on the overview of the branch; None if it has nothing to see, or the Asset is read-only.

        A step with ``@highlight`` does it by itself when it has succeeded.
        """
        data = highlight.as_data()
        if self.read_only or data is None:
            return None
        content, task = as_content(data), self._task
        body: dict[str, Any] = {
            "entity_ref": self.entity_ref,
            "branch_name": self._write_branch,
            **({"attempt": task.attempt, "datastore": task.datastore} if task else {}),
        }
        kept = body | {"content": without_image(content)}
        entry = self._entry(Operation.HIGHLIGHT, self._write_branch, body=kept)

        def send() -> dict[str, Any]:
            whole = body | {"content": content, "id": entry.id}
            headers = {"Idempotency-Key": entry.id}
            about = f"highlight on {self._place(self._write_branch)}"
            return self._call("POST", self._write_branch, "highlights", body=whole, headers=headers, about=about)

        return task.journal.write(entry, self._connection.settings, send) if task else send()

    # One request of each kind

    def _register(
        self,
        kind: str,
        name: str,
        description: str | None,
        asset_kind: str | None,
        blobs: list[Any] | None,
        annotations: Mapping[str, Any] | None,
        tags: Mapping[str, Any] | None,
    ) -> dict[str, Any] | None:
        if self.read_only:
            return None
        if not asset_kind:
            raise InvalidInput(f"Registering {_LABELS[kind]} {name!r} needs a kind, such as 'artifact' or 's3_object'.")
        body: dict[str, Any] = {
            "entity_ref": self.entity_ref,
            "branch_name": self._write_branch,
            f"{kind}_asset_kind": asset_kind,
            **({"description": description} if description else {}),
            **({"blobs": json_value(blobs)} if blobs is not None else {}),
            **({"annotations": json_value(annotations)} if annotations is not None else {}),
            **({"tags": tag_pairs(tags)} if tags is not None else {}),
            **(self._task.provenance() if self._task else {}),
        }
        entry = self._entry(Operation.REGISTER, self._write_branch, kind, name, body=body)
        if self._task:
            self._task.will_settle(self._connection)
        answer = self._write(entry, "PATCH", kind, name, body=body)
        if self._task and asset_kind == "artifact":
            self._task.remember(self._own_registration(entry, kind, answer))
        return with_text(answer) if answer is not None else None

    def _peek(
        self, kind: str, name: str, reference: str, *, past_definitions: bool = False
    ) -> tuple[str, dict[str, Any]]:
        """Return the branch that has the asset, and the instance there."""
        reference = str(parsed_reference(reference))
        branch, answer = self._look_up("GET", kind, name, "instances", reference, past_definitions=past_definitions)
        return branch, with_text(answer)

    def _consume(self, kind: str, name: str, reference: str) -> dict[str, Any]:
        if self.read_only:
            return self._peek(kind, name, reference)[1]
        reference = str(parsed_reference(reference))
        body, event = self._consumption(), new_id(Operation.CONSUME)
        branch, answer = self._look_up("PUT", kind, name, "instances", reference, body={**body, "id": event})
        # Kept afterwards: only the answer says which instance the reference meant.
        body["reference"] = reference
        entry = self._entry(Operation.CONSUME, branch, kind, name, body=body, instance=answer["id"], event=event)
        self._keep(entry, outcome_of(entry.operation, answer))
        return with_text(answer)

    def _consume_exactly(self, branch: str, kind: str, name: str, instance_id: str, reference: str) -> None:
        """Become a consumer of an instance that was read before, by a reference that may mean another one by now.

        A running task goes on meanwhile.
        """
        if self.read_only:
            return
        body = self._consumption() | {"reference": reference}
        entry = self._entry(Operation.CONSUME, branch, kind, name, body=body, instance=instance_id)
        send = self._sender(entry, "PUT", kind, name, "instances", instance_id, body=body)
        if task := running.running_task():
            task.journal.write_meanwhile(entry, self._connection.settings, send)
        else:
            send()

    def _consumption(self) -> dict[str, Any]:
        """Who consumes, and to which branch of which project that consumer writes."""
        prj = getattr(self._task.flow, "prj", None) if self._task else None
        project, branch = (prj.project, prj.branches.write) if prj else (self.project, self._write_branch)
        return {"entity_ref": self.entity_ref, "consumer": {"project": project, "branch": branch}}

    def _list(self, kind: str, tags: Mapping[str, Any] | None) -> dict[str, Any]:
        query = {"tag": [f"{pair['key']}={pair['value']}" for pair in tag_pairs(tags or {})]}
        first, *others = self._lookup_order
        items = self._list_branch(first, kind, query)
        # An asset of the first branch hides its namesakes, also where it lacks the tags itself.
        first_items = self._list_branch(first, kind, {}) if others and tags else items
        hidden = {item["asset"]["id"] for item in first_items}
        for branch in others:
            added = [item for item in self._list_branch(branch, kind, query) if item["asset"]["id"] not in hidden]
            if added:
                tell(
                    f"{len(added)} of the {_LABELS[kind]}s listed are not on branch {first!r}, "
                    f"so they are read from branch {branch!r}.",
                )
            items += added
        return {"items": items, "continuation": None}

    def _list_branch(self, branch: str, kind: str, query: Query) -> list[dict[str, Any]]:
        about = f"{_LABELS[kind]}s of {self._place(branch)}"
        pages = _pages(lambda more: self._call("GET", branch, _COLLECTIONS[kind], query={**query, **more}, about=about))
        return [
            {**item, "latest_instance": with_text(latest) if (latest := item.get("latest_instance")) else None}
            for page in pages
            for item in page["items"]
        ]

    def _instances(self, kind: str, name: str) -> Iterator[AssetInstance]:
        branch, first = self._look_up("GET", kind, name)
        yield from map(parse_instance, first["recent_instances"])
        if more := first.get("continuation"):
            rest = _pages(lambda query: self._asset_call("GET", branch, kind, name, query=query), start=more)
            yield from (parse_instance(found) for page in rest for found in page["recent_instances"])

    def _delete(self, kind: str, name: str) -> DeleteResult:
        if self.read_only:
            raise ReadOnly(f"This Asset is read-only, so it can't delete the {_LABELS[kind]} {name!r}.")
        entry = self._entry(Operation.DELETE, self._write_branch, kind, name)
        try:
            self._asset_call("DELETE", self._write_branch, kind, name, query={"id": entry.id})
        except AssetNotFound:
            return DeleteResult(catalog_deleted=False, metadata_updated=False)
        self._keep(entry, Outcome())
        return DeleteResult(catalog_deleted=True, metadata_updated=True)

    def _properties(self, kind: str, name: str) -> dict[str, Any]:
        """Those of the first branch that declares any: where nothing was deployed, there may be only instances."""
        branch, summary = self._look_up("GET", kind, name, query={"page_size": 1})
        properties = summary["asset"].get("properties") or {}
        later = self._lookup_order[self._lookup_order.index(branch) + 1 :]
        for other in later if not properties else ():
            with suppress(AssetNotFound):
                summary = self._asset_call("GET", other, kind, name, query={"page_size": 1})
                properties = summary["asset"].get("properties") or {}
        return dict(properties)

    def _properties_or_none(self, kind: str, name: str) -> dict[str, Any] | None:
        try:
            return self._properties(kind, name)
        except AssetNotFound:
            return None

    def _put_alias(self, branch: str, kind: str, name: str, alias: str, body: Mapping[str, Any]) -> dict[str, Any]:
        entry = self._entry(Operation.SET_ALIAS, branch, kind, name, body=body, alias=alias)
        answer = self._alias_call("PUT", branch, kind, name, alias, body={**body, "id": entry.id})
        self._keep(entry, Outcome(at=moment(answer["alias"].get("updated_at"))))
        return answer

    def _alias_call(
        self, method: str, branch: str, kind: str, name: str, alias: str, **arguments: Any
    ) -> dict[str, Any]:
        alias = _valid(check_alias, alias.removeprefix("@"))
        try:
            return self._asset_call(method, branch, kind, name, "aliases", alias, **arguments)
        except Conflict as conflict:
            raise unmet_expectation(conflict) from None

    def _instance_id(self, kind: str, name: str, reference: str) -> str:
        """Return the id that a reference means on the write branch."""
        parsed = parsed_reference(reference)
        if parsed.kind is ReferenceKind.ID:
            return parsed.id
        return self._asset_call("GET", self._write_branch, kind, name, "instances", str(parsed))["id"]

    def _kind_for_write(self, name: str, kind: str | None, deed: str) -> str:
        if self.read_only:
            raise ReadOnly(f"This Asset is read-only: it reads the asset {name!r} but can't {deed}.")
        return self._kind_of(name, kind, (self._write_branch,))

    def _kind_of(self, name: str, kind: str | None, branches: Iterable[str]) -> str:
        """Return the kind that is given, else the one under which any of the branches has the asset."""
        if kind is not None:
            return _valid_kind(kind)
        found = [kind for kind in _COLLECTIONS if any(self._asset_exists(kind, name, branch) for branch in branches)]
        if len(found) > 1:
            raise _ambiguous(name)
        return found[0] if found else "data"

    # Names that public examples use, of the reference protocol's own client

    def _asset_exists(self, kind: str, name: str, branch: str | None = None) -> bool:
        """Say whether a branch, by default the one that is read, has an asset."""
        branch = branch or self._lookup_order[0]
        try:
            self._asset_call("GET", branch, _valid_kind(kind), name, query={"page_size": 1})
        except AssetNotFound:
            return False
        return True

    def _set_alias(self, branch: str, name: str, kind: str, instance_id: str, alias: str) -> dict[str, Any]:
        """Set an alias on any branch; :meth:`set_alias` is the one to use."""
        body = {"entity_ref": self.entity_ref, "instance_id": instance_id}
        return self._put_alias(branch, _valid_kind(kind), name, alias, body)

    # What a running task keeps of its writes

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
            perimeter=self.perimeter,
            project=self.project,
            branch=branch,
            kind=_COLLECTIONS[kind] if kind else "",
            asset=_valid(check_asset_id, name) if kind else "",
            body=body or {},
            instance=instance,
            alias=alias.removeprefix("@"),
            process=task.process if (task := running.running_task()) else None,
        )

    def _write(
        self, entry: Entry, method: str, kind: str, name: str, *rest: str, body: Mapping[str, Any]
    ) -> dict[str, Any] | None:
        """Send a write under the id of its entry; return None if it could only be kept with the running task."""
        send = self._sender(entry, method, kind, name, *rest, body=body)
        task = running.running_task()
        return task.journal.write(entry, self._connection.settings, send) if task else send()

    def _sender(
        self, entry: Entry, method: str, kind: str, name: str, *rest: str, body: Mapping[str, Any]
    ) -> Callable[[], dict[str, Any]]:
        """Return the call that sends a write under the id of its entry."""
        whole, headers = {**body, "id": entry.id}, {"Idempotency-Key": entry.id}
        return lambda: self._asset_call(method, entry.branch, kind, name, *rest, body=whole, headers=headers)

    def _keep(self, entry: Entry, outcome: Outcome) -> None:
        """Keep a write that the catalogue has done, if a task runs."""
        if task := running.running_task():
            task.journal.keep(entry)
            task.journal.note(entry.id, outcome)

    def _own_registration(self, entry: Entry, kind: str, answer: Mapping[str, Any] | None) -> OwnRegistration:
        artifact = str((entry.body.get("annotations") or {}).get("artifact") or "")
        number = answer.get("number") if answer else None
        return OwnRegistration(kind, self.project, branch_key(entry.branch), entry.asset, entry.id, number, artifact)

    # How requests are addressed

    def _look_up(
        self, method: str, kind: str, name: str, *rest: str, past_definitions: bool = False, **arguments: Any
    ) -> tuple[str, dict[str, Any]]:
        """Call on the first branch that has the asset; return that branch and the answer.

        With ``past_definitions``, a branch that has only the definition comes after one that has an instance.
        """
        definition: tuple[str, dict[str, Any]] | None = None
        missing: AssetNotFound | None = None
        for branch in self._lookup_order:
            try:
                answer = self._asset_call(method, branch, kind, name, *rest, **arguments)
            except InstanceNotFound:
                raise
            except AssetNotFound as error:
                missing = missing or error
                continue
            if past_definitions and answer.get("ref") == "definition":
                definition = definition or (branch, answer)
                continue
            if branch != self._lookup_order[0]:
                self._say_where(kind, name, branch)
            return branch, answer
        if definition is not None:
            return definition
        assert missing is not None
        raise missing

    def _say_where(self, kind: str, name: str, branch: str) -> None:
        nowhere = f"branch {self._lookup_order[0]!r} has no {_LABELS[kind]} {name!r}"
        tell(f"{nowhere}, so it is read from branch {branch!r}.")

    def _asset_call(
        self,
        method: str,
        branch: str,
        kind: str,
        name: str,
        *rest: str,
        body: Mapping[str, Any] | None = None,
        query: Query | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        reference = f" ({rest[-1]})" if rest else ""
        about = f"{_LABELS[kind]} {_valid(check_asset_id, name)!r}{reference} on {self._place(branch)}"
        path = (_COLLECTIONS[kind], name, *rest)
        return self._call(method, branch, *path, body=body, query=query, headers=headers, about=about)

    def _call(
        self,
        method: str,
        branch: str,
        *rest: str,
        about: str,
        body: Mapping[str, Any] | None = None,
        query: Query | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        scope = ("perimeters", self.perimeter, "projects", self.project, "branches", branch_key(branch))
        path = path_of(*scope, *rest)
        arguments: dict[str, Any] = {"body": body, "query": query, "headers": headers, "about": about}
        if method != "GET" and (task := running.running_task()):
            task.journal.finish()
        try:
            return self._connection.request(method, path, **arguments)
        except WrongToken:
            # In an app that runs for long, the token may have been replaced in the environment.
            fresh = find_settings(*self._given)
            if fresh == self._connection.settings:
                raise
            self._connection = Connection(fresh)
            return self._connection.request(method, path, **arguments)

    def _place(self, branch: str) -> str:
        return f"branch {branch!r} of project {self.project!r}"


def _pages(get: Any, start: str | None = None) -> Iterator[dict[str, Any]]:
    """Yield the pages of a listing, beginning with the first or with a continuation."""
    continuation, seen = start, set[str]()
    while True:
        page = get({"continuation": continuation} if continuation else {})
        yield page
        continuation = page.get("continuation")
        if not continuation or continuation in seen:
            return
        seen.add(continuation)


def _ambiguous(name: str) -> InvalidInput:
    return InvalidInput(f"There is a data asset and a model asset {name!r}: give kind='data' or kind='model'.")


def _default_project() -> str:
    from metaflow import current

    project = current.get("project_name") or os.environ.get("OB_PROJECT")
    if not project:
        raise InvalidInput("Which project? Outside a flow, give Asset(project=..., branch=...) or set OB_PROJECT.")
    return project


def _default_branch() -> str:
    from metaflow import current

    if (task := running.running_task()) and (prj := getattr(task.flow, "prj", None)):
        return prj.branches.write
    branch = current.get("branch_name") or os.environ.get("OB_BRANCH")
    if not branch:
        raise InvalidInput("Which branch? Outside a flow, give Asset(project=..., branch=...) or set OB_BRANCH.")
    return branch


def _project_perimeter() -> str | None:
    """Return the perimeter that the running flow was deployed to, else the one that its ``obproject.toml`` names."""
    flow = task.flow if (task := running.running_task()) else None
    documents = (getattr(flow, name, None) or {} for name in ("project_spec", "project_config"))
    return next((document["perimeter"] for document in documents if document.get("perimeter")), None)


def _valid_kind(kind: str) -> str:
    singular = {"models": "model"}.get(kind, kind)
    if singular not in _COLLECTIONS:
        raise InvalidInput(f"The kind {kind!r} is neither 'data' nor 'model'.")
    return singular


def parsed_reference(text: str) -> Reference:
    """Return what a reference says; raise InvalidInput if it is none."""
    return _valid(parse_reference, text)


def _valid(check: Any, value: str) -> Any:
    """Apply a check of the floor, with its ValueError as an InvalidInput."""
    try:
        return check(value)
    except (ValueError, TypeError) as error:
        raise InvalidInput(f"{error}") from None


def __getattr__(name: str) -> Any:
    # Code for other clients of the protocol imports it from here, and the module that has it needs this one.
    if name == "promote_assets":
        from obproject.promotion import promote_assets

        return promote_assets
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
