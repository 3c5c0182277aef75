"""The assets of one branch: register, read, consume, list, delete, and their aliases.

:class:`Asset` works anywhere: in a flow, a notebook, an app or a script. Inside a
:class:`~obproject.ProjectFlow`, ``self.prj`` is the shorter way.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from obproject.aliases import ANYWHERE, Alias, AliasMove, parse_move
from obproject.branches import branch_key, check_branch, check_project
from obproject.catalogue.client import CatalogueClient
from obproject.catalogue.loading import load
from obproject.catalogue.protocol import (
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
from obproject.catalogue.reader import AssetReader, checked_kind, parsed_reference
from obproject.catalogue.writer import AssetWriter
from obproject.entities import EntityRef, deployment_ref, entity_ref, task_ref, user_ref, who_is_running
from obproject.errors import AssetNotFound, InvalidAssetInstanceError, ReadOnly, checked
from obproject.instances import AssetInstance
from obproject.kinds import label_of
from obproject.references import AnyReference
from obproject.roles import check_role
from obproject.settings import find_settings
from obproject.task import running
from obproject.task.defaults import place_of

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


_NOT_IN_THEIR_ADDRESSES = re.compile(r"[^a-z0-9_-]")


class DeleteResult(NamedTuple):
    """What a deletion did; both False if there was nothing to delete."""

    catalog_deleted: bool
    metadata_updated: bool
    """Whether the branch's project spec lost the asset; the catalogue does both at once."""


class Asset:
    """The assets of one project and branch.

    ``project`` and ``branch`` default to those of the running flow, else to ``OB_PROJECT`` and ``OB_BRANCH``, else to
    those of the project's folder, where it reads and writes as a local run does
    (:func:`obproject.task.defaults.place_of`). The branch may be a git name or its key. Who registers and consumes is
    ``entity_ref`` if given, else the ``deployment`` of that name, else the running task, the deployment in
    ``ASSETSITE_DEPLOYMENT``, or the user. With ``read_only=True`` registering does nothing, consuming leaves no trace
    and deleting raises ReadOnly. For ``url``, ``token`` and ``perimeter`` see :mod:`obproject.settings`.

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
        place = place_of(project, branch)
        project = checked(check_project, place.project)
        write, *read = (checked(check_branch, name) for name in (place.write, *place.read))
        task = None if entity_ref or deployment else running.running_task()
        who = dict(entity_ref) if entity_ref else deployment_ref(deployment) if deployment else who_is_running()
        settings = partial(find_settings, url, token, perimeter, place.perimeter)
        self.read_only = read_only
        # What this class is made of, for the rest of the package; not for users.
        self.catalogue = CatalogueClient(project, settings)
        self.reader = AssetReader(self.catalogue, tuple(read))
        self.writer = AssetWriter(self.catalogue, write, who, task)
        self._written = AssetReader(self.catalogue, (write,))

    @property
    def project(self) -> str:
        """Name of the project."""
        return self.catalogue.project

    @property
    def branch(self) -> str:
        """Key of the branch that is read."""
        return branch_key(self.reader.branches[0])

    @property
    def entity_ref(self) -> dict[str, str]:
        """Who registers and consumes."""
        return self.writer.entity_ref

    @entity_ref.setter
    def entity_ref(self, entity_ref: dict[str, str]) -> None:
        self.writer.entity_ref = entity_ref

    @property
    def perimeter(self) -> str:
        """The perimeter, from the settings."""
        return self.catalogue.settings.perimeter

    @property
    def base_url(self) -> str | None:
        """Address of the catalogue; None if none is configured."""
        return self.catalogue.settings.url

    @property
    def service_headers(self) -> dict[str, str]:
        """Headers that say who is asking."""
        return self.catalogue.settings.headers

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
        *,
        digest: str | None = None,
    ) -> dict[str, Any] | None:
        """Register a new instance of a data asset and return it; None if read-only.

        ``kind`` says how to resolve it: ``artifact``, or any label such as ``s3_object``. ``blobs`` are references to
        the data, never the data. Annotations keep their JSON type; tags are text. ``digest``, such as
        ``sha256:…``, says what the content is, for all but artifacts: equal ones are shown as the same content.
        """
        return self._register("data", name, description, kind, blobs, annotations, tags, digest)

    def register_model_asset(
        self,
        name: str,
        description: str | None = None,
        kind: str | None = None,
        blobs: list[Any] | None = None,
        annotations: Mapping[str, Any] | None = None,
        tags: Mapping[str, Any] | None = None,
        *,
        digest: str | None = None,
    ) -> dict[str, Any] | None:
        """Register a new instance of a model asset and return it; see :meth:`register_data_asset`."""
        return self._register("model", name, description, kind, blobs, annotations, tags, digest)

    @contextmanager
    def register_together(self) -> Iterator[list[dict[str, Any] | None]]:
        """Send what is registered in the block together, at its end: for tasks that register many instances.

        Registering returns None in the block. It yields a list that has the instances once the block has ended, in the
        order in which they were registered; None for one that only the run has so far, as the catalogue is away. Any
        other write sends what waits. A refusal costs no other registration, and is raised once all are sent.
        """
        if self.read_only:
            yield []
            return
        with self.writer.together() as made:
            yield made

    def peek_data_asset(self, name: str, instance: AnyReference = "latest") -> dict[str, Any]:
        """Return an instance of a data asset without becoming its consumer.

        ``instance`` is ``latest``, ``latest-1``, ``v12``, ``@alias`` or an id.
        """
        return self.reader.peek("data", name, instance)[1]

    def peek_model_asset(self, name: str, instance: AnyReference = "latest") -> dict[str, Any]:
        """Return an instance of a model asset without becoming its consumer; see :meth:`peek_data_asset`."""
        return self.reader.peek("model", name, instance)[1]

    def consume_data_asset(
        self, name: str, instance: AnyReference = "latest", *, role: str | None = None
    ) -> dict[str, Any]:
        """Return an instance of a data asset and become its consumer; see :meth:`peek_data_asset`.

        ``role`` says what it is read for, as a lower-case word such as ``baseline``; None is an input.
        """
        return self._consume("data", name, instance, role)

    def consume_model_asset(
        self, name: str, instance: AnyReference = "latest", *, role: str | None = None
    ) -> dict[str, Any]:
        """Return an instance of a model asset and become its consumer; see :meth:`consume_data_asset`."""
        return self._consume("model", name, instance, role)

    def get_data(self, name: str, instance: AnyReference = "latest", role: str | None = None) -> Any:
        """Return the artifact behind an instance of a data asset, and become its consumer.

        ``instance`` and ``role`` are as for :meth:`consume_data_asset`. A pending instance is waited for, as long as
        ``ASSETSITE_WAIT`` allows. What this very task has registered is read from the flow, and makes it no consumer.
        Raises WrongKind for an asset that is no artifact, InstancePending and ArtifactUnreachable; none of these leaves
        a trace in the lineage.
        """
        return self._load("data", name, instance, role)

    def get_model(self, name: str, instance: AnyReference = "latest", role: str | None = None) -> Any:
        """Return the artifact behind an instance of a model asset; see :meth:`get_data`."""
        return self._load("model", name, instance, role)

    def list_data_assets(self, tags: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Return ``{"items": [{"asset", "latest_instance", "tags"}], "continuation": None}``: all data assets.

        With ``tags``, those that have all of them in effect: the declared ones, with those of the newest instance over
        them. So are the ``tags`` of an item; its ``latest_instance`` has its own.
        """
        return {"items": self.reader.assets("data", tags), "continuation": None}

    def list_model_assets(self, tags: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Return all model assets; see :meth:`list_data_assets`."""
        return {"items": self.reader.assets("model", tags), "continuation": None}

    def list_data_asset_instances(self, name: str) -> Iterator[AssetInstance]:
        """Yield the ready instances of a data asset, newest first, page by page as they are asked for."""
        return self.reader.instances("data", name)

    def list_model_asset_instances(self, name: str) -> Iterator[AssetInstance]:
        """Yield the ready instances of a model asset; see :meth:`list_data_asset_instances`."""
        return self.reader.instances("model", name)

    def delete_data_asset(self, name: str) -> DeleteResult:
        """Delete a data asset with all its instances and aliases; the data itself stays where it is."""
        return self._delete("data", name)

    def delete_model_asset(self, name: str) -> DeleteResult:
        """Delete a model asset; see :meth:`delete_data_asset`."""
        return self._delete("model", name)

    def set_alias(
        self,
        name: str,
        alias: str,
        instance: AnyReference = "latest",
        kind: str | None = None,
        *,
        expected: Any = ANYWHERE,
    ) -> AliasMove:
        """Make an alias of an asset point to an instance, and return the move: from where to where.

        ``instance`` is ``latest``, ``latest-1``, ``v12``, another ``@alias`` or an id, and must be ready. With
        ``expected``, a reference too, the alias moves only if it still points there; with ``expected=None`` only if it
        doesn't exist yet. Otherwise AliasConflict says where it points. ``kind`` is ``data`` or ``model``; it is needed
        only where one name stands for both.
        """
        kind = self._kind_for_write(name, kind, f"set its alias {alias!r}")
        body: dict[str, Any] = {"instance_id": self._written.instance_id(kind, name, instance)}
        if expected is not ANYWHERE:
            body["expected_instance_id"] = None if expected is None else self._written.instance_id(kind, name, expected)
        answer = self.writer.set_alias(self.writer.branch, kind, name, alias, body)
        return parse_move(answer["alias"]["recent_history"][0])

    def delete_alias(self, name: str, alias: str, kind: str | None = None, *, expected: Any = ANYWHERE) -> bool:
        """Delete an alias, and say whether there was one; its history stays.

        ``expected`` and ``kind`` are as for :meth:`set_alias`.
        """
        kind = self._kind_for_write(name, kind, f"delete its alias {alias!r}")
        if expected is ANYWHERE:
            return self.writer.delete_alias(kind, name, alias)
        return self.writer.delete_alias(kind, name, alias, self._written.instance_id(kind, name, expected))

    def deprecate(self, name: str, instance: AnyReference, reason: str, kind: str | None = None) -> dict[str, Any]:
        """Say of an instance that nobody should use it any more, and why; return the instance.

        ``latest`` passes it over, no alias moves to it, and whoever reads it all the same is told the reason.
        ``instance`` is ``v12``, an ``@alias`` or an id; for ``kind`` see :meth:`set_alias`.
        """
        kind = self._kind_for_write(name, kind, "deprecate a version of it")
        return self.writer.deprecate(kind, name, str(parsed_reference(instance)), reason)

    def undo_deprecation(self, name: str, instance: AnyReference, kind: str | None = None) -> None:
        """Let a deprecated instance count again; see :meth:`deprecate`."""
        kind = self._kind_for_write(name, kind, "let a version of it count again")
        self.writer.undo_deprecation(kind, name, str(parsed_reference(instance)))

    def list_aliases(self, name: str, kind: str | None = None) -> list[Alias]:
        """Return the aliases of an asset, by name; for ``kind`` see :meth:`set_alias`."""
        return self.reader.aliases(name, kind)

    def alias_history(self, name: str, alias: str | None = None, kind: str | None = None) -> Iterator[AliasMove]:
        """Yield the moves of all aliases of an asset, or of one, newest first; deletions are moves to None.

        For ``kind`` see :meth:`set_alias`.
        """
        moves = self.reader.alias_moves(name, kind)
        yield from (move for move in moves if alias is None or move.alias == alias.removeprefix("@"))

    def get_properties(self, name: str, kind: str | None = None) -> dict[str, Any]:
        """Return the properties that hold for an asset: those declared in its ``asset_config.toml``, edits applied.

        ``kind`` is ``data`` or ``model``; it is needed only where one name stands for both.
        """
        return self.reader.properties(name, kind)

    def get_flowproject_spec(self) -> dict[str, Any] | None:
        """Return the branch's project spec as the last deploy posted it; None if there was none."""
        branch = self.reader.branches[0]
        about = f"project spec of {self.catalogue.branch_label(branch)}"
        try:
            return self.catalogue.request("GET", branch, "latestflowproject", about=about)
        except AssetNotFound:
            return None

    def show_highlight(self, highlight: Highlight) -> dict[str, Any] | None:
        """Show a highlight on the overview of the branch; None if it has nothing to see, or the Asset is read-only.

        A step with ``@highlight`` does it by itself when it has succeeded.
        """
        return None if self.read_only else self.writer.show_highlight(highlight)

    def _register(
        self,
        kind: str,
        name: str,
        description: str | None,
        asset_kind: str | None,
        blobs: list[Any] | None,
        annotations: Mapping[str, Any] | None,
        tags: Mapping[str, Any] | None,
        digest: str | None,
    ) -> dict[str, Any] | None:
        if self.read_only:
            return None
        return self.writer.register(
            kind,
            name,
            asset_kind,
            description=description,
            blobs=blobs,
            annotations=annotations,
            tags=tags,
            digest=digest,
        )

    def _consume(self, kind: str, name: str, reference: AnyReference, role: str | None) -> dict[str, Any]:
        role = checked(check_role, role)
        if self.read_only:
            return self.reader.peek(kind, name, reference)[1]
        return self.writer.consume(self.reader, kind, name, reference, role)

    def _load(self, kind: str, name: str, reference: AnyReference, role: str | None) -> Any:
        role = checked(check_role, role)
        return load(self.reader, self.writer, kind, name, reference, role, leaves_trace=not self.read_only)

    def _delete(self, kind: str, name: str) -> DeleteResult:
        if self.read_only:
            raise ReadOnly(f"This Asset is read-only, so it can't delete the {label_of(kind)} {name!r}.")
        is_deleted = self.writer.delete(kind, name)
        return DeleteResult(catalog_deleted=is_deleted, metadata_updated=is_deleted)

    def _kind_for_write(self, name: str, kind: str | None, deed: str) -> str:
        if self.read_only:
            raise ReadOnly(f"This Asset is read-only: it reads the asset {name!r} but can't {deed}.")
        return self._written.kind_of(name, kind)

    # Names that public examples use, of the reference protocol's own client

    def _asset_exists(self, kind: str, name: str, branch: str | None = None) -> bool:
        """Say whether a branch, by default the one that is read, has an asset."""
        return self.catalogue.has_asset(branch or self.reader.branches[0], checked_kind(kind), name)

    def _set_alias(self, branch: str, name: str, kind: str, instance_id: str, alias: str) -> dict[str, Any]:
        """Set an alias on any branch; :meth:`set_alias` is the one to use."""
        return self.writer.set_alias(branch, checked_kind(kind), name, alias, {"instance_id": instance_id})


def _sanitize_branch_name(name: str) -> str:
    """Return a branch name as the public client writes it in addresses; the server finds the branch by it."""
    return _NOT_IN_THEIR_ADDRESSES.sub("_", name.replace("@", "_at_").lower())


def __getattr__(name: str) -> Any:
    # Code for other clients of the protocol imports it from here, and the module that has it needs this one.
    if name == "promote_assets":
        from obproject.promotion import promote_assets

        return promote_assets
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
