"""``self.prj``: the assets of the project that a flow belongs to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from copy import copy
from typing import Any, Self

from obproject.assets import Asset, AssetInstance
from obproject.branches import BranchChoice, resolve_branches
from obproject.catalogue.reader import AssetReader
from obproject.errors import InvalidInput, MissingArtifact
from obproject.evals import EvalsLogger
from obproject.events import ProjectEvent
from obproject.notices import tell
from obproject.references import AnyReference
from obproject.task import running, spinning


class ProjectAsset(Asset):
    """The assets of a flow's project, behind one door.

    Reads go to the read branch, and to the write branch for an asset that isn't there. Writes go to the write branch
    whatever is read.
    """

    def __init__(self, project: str, branches: BranchChoice) -> None:
        super().__init__(project, branches.write)
        self.reader = AssetReader(self.catalogue, branches.lookup_order)

    def on_write_branch(self) -> Self:
        """Return the assets of the write branch alone, over the same connection."""
        alone = copy(self)
        alone.reader = AssetReader(self.catalogue, (self.writer.branch,))
        return alone


class ProjectContext:
    """What a flow knows about its project, and what it does with the project's assets."""

    def __init__(self, flow: Any) -> None:
        from metaflow import current

        self.flow = flow
        self.project_config = flow.project_config
        self.project_spec = flow.project_spec
        self.project: str = str(self.project_config["project"])
        """Project name, from ``obproject.toml``."""
        self.branches = _branches(
            self.project_spec, self.project_config, current.get("branch_name"), current.get("is_user_branch", True)
        )
        """Read and write branch with their git names."""
        self.asset = ProjectAsset(self.project, self.branches)
        """Everything that can be done with assets: reads from the read branch, writes to the write branch."""
        self._read_asset = self.asset
        self._write_asset = self.asset.on_write_branch()
        self.evals = EvalsLogger(asset=self._write_asset)
        """The evaluation log of the write branch: ``self.prj.evals.log({"accuracy": 0.91})``."""
        self._tag_run()
        self._announce()

    @property
    def branch(self) -> str:
        """Key of the branch that is read; the same as ``read_branch``."""
        return self.branches.read_key

    @property
    def read_branch(self) -> str:
        """Key of the branch that assets are read from."""
        return self.branches.read_key

    @property
    def write_branch(self) -> str:
        """Key of the branch that assets are written to."""
        return self.branches.write_key

    def register_data(
        self,
        name: str,
        artifact: str,
        annotations: Mapping[str, Any] | None = None,
        tags: Mapping[str, Any] | None = None,
        description: str | None = None,
    ) -> dict[str, Any] | None:
        """Register ``self.<artifact>`` as a new instance of a data asset, and return the instance.

        It becomes the latest one when the task has succeeded. Without a catalogue the flow goes on, and None is
        returned.
        Raises MissingArtifact, before anything is sent, if the flow has no such artifact.
        """
        return self._register_artifact("data", name, artifact, annotations, tags, description)

    def register_model(
        self,
        name: str,
        artifact: str,
        annotations: Mapping[str, Any] | None = None,
        tags: Mapping[str, Any] | None = None,
        description: str | None = None,
    ) -> dict[str, Any] | None:
        """Register ``self.<artifact>`` as a new instance of a model asset; see :meth:`register_data`."""
        return self._register_artifact("model", name, artifact, annotations, tags, description)

    def register_external_data(
        self,
        name: str,
        blobs: list[Any],
        kind: str,
        annotations: Mapping[str, Any] | None = None,
        tags: Mapping[str, Any] | None = None,
        description: str | None = None,
        *,
        digest: str | None = None,
    ) -> dict[str, Any] | None:
        """Register data that lives elsewhere as a new instance of a data asset, and return the instance.

        ``blobs`` are the references to it, ``kind`` says what they are, such as ``s3_object`` or ``snowflake_table``.
        ``digest``, such as ``sha256:…``, says what the content is: equal ones are shown as the same content.
        """
        register = self.asset.register_data_asset
        return self._report(register(name, description, kind, blobs, annotations, tags, digest=digest), kind)

    def register_external_model(
        self,
        name: str,
        blobs: list[Any],
        kind: str,
        annotations: Mapping[str, Any] | None = None,
        tags: Mapping[str, Any] | None = None,
        description: str | None = None,
        *,
        digest: str | None = None,
    ) -> dict[str, Any] | None:
        """Register a model that lives elsewhere; see :meth:`register_external_data`."""
        register = self.asset.register_model_asset
        return self._report(register(name, description, kind, blobs, annotations, tags, digest=digest), kind)

    @contextmanager
    def register_together(self) -> Iterator[list[dict[str, Any] | None]]:
        """Send what is registered in the block together, at its end; see :meth:`Asset.register_together`."""
        made: list[dict[str, Any] | None] = []
        try:
            with self.asset.register_together() as made:
                yield made
        finally:
            if known := sum(instance is not None for instance in made):
                tell(f"registered {known} instances together on branch {self.branches.write!r}.")

    def get_data(self, name: str, instance: AnyReference = "latest", role: str | None = None) -> Any:
        """Return the artifact behind an instance of a data asset, and become its consumer.

        ``instance`` is ``latest``, ``latest-1``, ``v12``, ``@alias`` or an id. What this very task has registered is
        read from the flow, and makes it no consumer; what another running task has registered is waited for, as long
        as ``ASSETSITE_WAIT`` allows. ``role`` says what it is read for, as a lower-case word: with ``baseline``, which
        is read only to compare with, it is no ancestor of what the task makes; None is an input. Raises WrongKind for
        an asset that is no artifact, InstancePending and ArtifactUnreachable; none of these leaves a trace in the
        lineage.
        """
        return self.asset.get_data(name, instance, role)

    def get_model(self, name: str, instance: AnyReference = "latest", role: str | None = None) -> Any:
        """Return the artifact behind an instance of a model asset; see :meth:`get_data`."""
        return self.asset.get_model(name, instance, role)

    def list_data_instances(self, name: str) -> Iterator[AssetInstance]:
        """Yield the ready instances of a data asset, newest first."""
        return self.asset.list_data_asset_instances(name)

    def list_model_instances(self, name: str) -> Iterator[AssetInstance]:
        """Yield the ready instances of a model asset, newest first."""
        return self.asset.list_model_asset_instances(name)

    def publish_event(self, name: str, payload: Mapping[str, Any] | None = None) -> str | None:
        """Publish an event of this project and the write branch, and return its id; see :class:`ProjectEvent`.

        Flows with ``@project_trigger`` start on it. Raises EventNotPublished where there is no Argo Events.
        """
        return ProjectEvent(name, self.project, self.branches.write).publish(payload)

    def safe_publish_event(self, name: str, payload: Mapping[str, Any] | None = None) -> str | None:
        """Publish an event if Argo Workflows runs this flow; otherwise print a line. Never raises."""
        return ProjectEvent(name, self.project, self.branches.write).safe_publish(payload)

    def _register_artifact(
        self,
        kind: str,
        name: str,
        artifact: str,
        annotations: Mapping[str, Any] | None,
        tags: Mapping[str, Any] | None,
        description: str | None,
    ) -> dict[str, Any] | None:
        if not _has_artifact(self.flow, artifact):
            raise MissingArtifact(
                f"{self.flow.name} has no artifact {artifact!r} to register as {kind} asset {name!r}: "
                f"assign self.{artifact} first."
            )
        task = running.running_task()
        if task is None and not spinning.is_spinning():
            tell(f"{artifact!r} is not registered as {kind} asset {name!r}: no Metaflow task runs here that keeps it.")
            return None
        known = {"artifact": artifact, **({"run_pathspec": task.run_pathspec} if task else {}), **(annotations or {})}
        register = self.asset.register_data_asset if kind == "data" else self.asset.register_model_asset
        return self._report(register(name, description, "artifact", None, known, tags), f"artifact {artifact}")

    def _report(self, instance: dict[str, Any] | None, what: str) -> dict[str, Any] | None:
        """Print which reference a registration made."""
        if instance is not None:
            asset = instance["asset"]
            page = f" {instance['url']}" if instance.get("url") else ""
            tell(
                f"registered {asset['kind']} asset {asset['id']!r} {instance.get('ref') or instance['id']} "
                f"({what}) on branch {self.branches.write!r}.{page}",
            )
        return instance

    def _tag_run(self) -> None:
        if task := running.running_task():
            tags = [f"asset_write_branch:{self.write_branch}"]
            if self.branches.reads_elsewhere:
                tags.append(f"asset_read_branch:{self.read_branch}")
            task.tag_run(tags)

    def _announce(self) -> None:
        write, read = self.branches.write, self.branches.read
        where = (
            f"reads branch {read!r}, writes branch {write!r}" if self.branches.reads_elsewhere else f"branch {write!r}"
        )
        notice = f" {self.branches.notice}" if self.branches.notice else ""
        tell(f"project {self.project!r}, {where}.{notice}")
        spinning.holds_back()


def _branches(
    project_spec: Mapping[str, Any],
    project_config: Mapping[str, Any],
    metaflow_branch: str | None,
    is_user_branch: bool,
) -> BranchChoice:
    dev_assets = project_config.get("dev-assets") or {}
    try:
        return resolve_branches(
            project_spec=project_spec,
            dev_assets_branch=dev_assets.get("branch"),
            own_first=bool(dev_assets.get("own-first")),
            metaflow_branch=metaflow_branch,
            is_user_branch=is_user_branch,
        )
    except ValueError as error:
        raise InvalidInput(f"The branches of project {project_config['project']!r} can't be told: {error}.") from None


def _has_artifact(flow: Any, name: str) -> bool:
    """Say whether a flow holds an artifact, without loading one that an earlier step stored."""
    if name in vars(flow) or (flow._datastore is not None and name in flow._datastore):
        return True
    constant = getattr(type(flow), name, None)
    return constant is not None and not callable(constant) and not isinstance(constant, property)
