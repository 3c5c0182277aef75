"""From an instance to the artifact behind it.

The producing task is opened through Metaflow's client, with the configuration of whoever reads. A local datastore in
another folder is invisible to that client, so it is read directly, and only where it belongs to the user who reads:
loading an artifact unpickles it, and a catalogue entry must not be able to point that at somebody else's files.

Every way gives what Metaflow's client gives: of an ``IncludeFile`` its content, of an attempt what that attempt stored.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from obproject.errors import ArtifactUnreachable, InstancePending, WrongKind
from obproject.instances import typed_annotations
from obproject.task import running, spinning

# What Metaflow's client sees is set for the process, so only one thread at a time may change it.
_client_lock = threading.Lock()


def load_artifact(instance: Mapping[str, Any], about: str) -> Any:
    """Return the value of the artifact that an instance refers to.

    ``about`` names asset and branch for the text of errors. Raises WrongKind, InstancePending or ArtifactUnreachable.
    """
    task = instance["created_by"]["entity_id"]
    about = f"{about} ({instance.get('ref') or instance['id']})"
    artifact = _artifact_name(instance, about)
    if instance["created_by"]["entity_kind"] != "task" or task.count("/") != 3:
        raise ArtifactUnreachable(
            f"{about} was registered by {task!r}, which is no Metaflow task with artifacts: "
            f"{_advice(instance)} and load what its blobs refer to."
        )
    try:
        return _read(instance, task, artifact)
    except Exception as error:
        stored = (instance.get("datastore") or {}).get("root", "a datastore that the catalogue doesn't know")
        failed = " That task failed." if instance.get("state") == "failed" else ""
        raise ArtifactUnreachable(
            f"{about}: the artifact {artifact!r} of task {task} can't be read ({type(error).__name__}: {error})."
            f"{failed} It was stored in {stored}. Does this Metaflow configuration read the same datastore?"
        ) from error


def own_artifact(flow: Any, artifact: str) -> Any:
    """Return an artifact of the flow that runs; of a parameter, a config or an included file, what is stored of it.

    In the flow these may have been parsed.
    """
    if isinstance(getattr(type(flow), artifact, None), property) and artifact in flow._datastore:
        return _unpacked(flow._datastore[artifact], artifact)
    return getattr(flow, artifact)


def _artifact_name(instance: Mapping[str, Any], about: str) -> str:
    """Return the name of the artifact behind an instance, if there is one and its task has stored it."""
    properties = instance.get("data_properties") or instance.get("model_properties") or {}
    kind = properties.get("data_kind") or properties.get("model_kind")
    advice = _advice(instance)
    if instance.get("ref") == "definition":
        raise WrongKind(
            f"{about} has no instance yet. Run the flow that registers one, or {advice} to read the definition."
        )
    if kind != "artifact":
        raise WrongKind(f"{about} is of kind {kind!r}, not an artifact: {advice} and load what its blobs refer to.")
    if instance.get("state") == "pending":
        producer = instance["created_by"]["entity_id"]
        raise InstancePending(f"{about} can't be read yet: its task {producer} has not finished.")
    name = typed_annotations(instance).get("artifact")
    if not name:
        raise ArtifactUnreachable(
            f"{about} has no annotation 'artifact', so it doesn't say what to load: {advice} and see what it has."
        )
    return str(name)


def _advice(instance: Mapping[str, Any]) -> str:
    door = "self.prj.asset." if running.running_flow() else ""
    return f"use {door}consume_{instance['asset']['kind']}_asset(...)"


def _read(instance: Mapping[str, Any], task: str, artifact: str) -> Any:
    root, attempt = _own_local_root(instance.get("datastore") or {}), instance.get("attempt")
    if root is None:
        return _from_client(task, attempt, artifact)
    return _from_local_datastore(root, task, attempt, artifact)


def _own_local_root(datastore: Mapping[str, Any]) -> str | None:
    """Return the root of a local datastore that is on this machine and belongs to this user; else None."""
    root = datastore.get("root")
    if datastore.get("type") != "local" or not isinstance(root, str):
        return None
    try:
        return root if Path(root).stat().st_uid == os.getuid() else None
    except (OSError, ValueError):
        return None


def _from_local_datastore(root: str, task: str, attempt: int | None, artifact: str) -> Any:
    from metaflow.datastore import FlowDataStore
    from metaflow.plugins.datastores.local_storage import LocalStorage

    flow, run, step, task_id = task.split("/")
    store = FlowDataStore(flow, storage_impl=LocalStorage, ds_root=root)
    return _unpacked(store.get_task_datastore(run, step, task_id, attempt=attempt)[artifact], artifact)


def _unpacked(stored: Any, artifact: str) -> Any:
    """Return what Metaflow's client gives for a stored object: a file that was included is stored as its address."""
    from metaflow.includefile import IncludedFile

    return stored.decode(artifact) if isinstance(stored, IncludedFile) else stored


def _from_client(task: str, attempt: int | None, artifact: str) -> Any:
    from metaflow import Task

    with _client_lock, _everything_in_sight():
        # An object keeps the namespace that it was made in, so the loading itself needs no lock.
        found = Task(task, attempt=attempt)[artifact]
    return found.data


@contextmanager
def _everything_in_sight() -> Iterator[None]:
    """Let Metaflow's client see all namespaces, and from a step that is only tried out the metadata of real runs."""
    from metaflow import get_metadata, get_namespace, metadata, namespace
    from metaflow.metaflow_config import DEFAULT_METADATA

    before, own = get_namespace(), get_metadata() if spinning.is_spinning() else None
    namespace(None)
    try:
        if own is not None:
            metadata(DEFAULT_METADATA)
        yield
    finally:
        namespace(before)
        if own is not None:
            metadata(own)
