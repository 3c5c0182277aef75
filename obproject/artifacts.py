"""From an instance to the artifact behind it.

The producing task is opened through Metaflow's client, with the configuration of whoever reads. A local datastore in
another folder is invisible to that client, so it is read directly, and only where it belongs to the user who reads:
loading an artifact unpickles it, and a catalogue entry must not be able to point that at somebody else's files.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from obproject.errors import ArtifactUnreachable, InstancePending, WrongKind
from obproject.instances import typed_annotations

# Metaflow's namespace is one per process, so only one thread at a time may change it.
_namespace_lock = threading.Lock()


def load_artifact(instance: Mapping[str, Any], about: str) -> Any:
    """Return the value of the artifact that an instance refers to.

    ``about`` names asset and branch for the text of errors. Raises WrongKind, InstancePending or ArtifactUnreachable.
    """
    about = f"{about} ({instance.get('ref') or instance['id']})"
    kind, task = _asset_kind(instance), instance["created_by"]["entity_id"]
    if kind != "artifact":
        raise WrongKind(
            f"{about} is of kind {kind!r}, not an artifact, so there is nothing to load. Use "
            f"self.prj.asset.consume_{instance['asset']['kind']}_asset(...) and load what its blobs refer to."
        )
    if instance.get("state") == "pending":
        raise InstancePending(f"{about} can't be read yet: its task {task} has not finished.")
    artifact = typed_annotations(instance).get("artifact")
    if not artifact:
        raise ArtifactUnreachable(f"{about} doesn't say which artifact of {task} it is (no annotation 'artifact').")
    if instance["created_by"]["entity_kind"] != "task" or task.count("/") != 3:
        raise ArtifactUnreachable(
            f"{about} was registered by {task!r}, which is no Metaflow task, so it can't be loaded."
        )
    datastore = instance.get("datastore") or {}
    try:
        if root := _own_local_root(datastore):
            return _from_local_datastore(root, task, instance.get("attempt"), str(artifact))
        return _from_client(task, str(artifact))
    except Exception as error:
        stored = f" Its task stored it in {datastore['root']}." if datastore.get("root") else ""
        raise ArtifactUnreachable(
            f"{about}: the artifact {artifact!r} of task {task} can't be read from here "
            f"({type(error).__name__}: {error}).{stored} Does this Metaflow configuration read the same datastore?"
        ) from error


def _asset_kind(instance: Mapping[str, Any]) -> str:
    properties = instance.get("data_properties") or instance.get("model_properties") or {}
    return str(properties.get("data_kind") or properties.get("model_kind") or "")


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
    return store.get_task_datastore(run, step, task_id, attempt=attempt)[artifact]


def _from_client(task: str, artifact: str) -> Any:
    from metaflow import Task, get_namespace, namespace

    with _namespace_lock:
        previous = get_namespace()
        namespace(None)
        try:
            # An object keeps the namespace that it was made in, so the loading itself needs no lock.
            opened = Task(task)
        finally:
            namespace(previous)
    return opened[artifact].data
