"""Loading the artifact behind an instance: found, waited for, loaded, and only then consumed."""

from __future__ import annotations

from functools import partial
from itertools import takewhile
from typing import Any

from obproject.branches import branch_key
from obproject.catalogue.client import asset_id_of
from obproject.catalogue.reader import AssetReader, parsed_reference
from obproject.catalogue.writer import AssetWriter
from obproject.errors import InstanceNotFound
from obproject.instances import DEFINITION
from obproject.json_types import Json
from obproject.kinds import label_of
from obproject.references import AnyReference, Reference, ReferenceKind
from obproject.task import running
from obproject.task.artifacts import load_artifact, own_artifact
from obproject.task.waiting import is_from_this_task, wait_while_pending


def load(
    reader: AssetReader,
    writer: AssetWriter,
    kind: str,
    name: str,
    wanted: AnyReference,
    role: str | None,
    *,
    leaves_trace: bool = True,
) -> Any:
    """Return the artifact behind an instance, and become its consumer unless it is to leave no trace.

    What the running task has registered itself is read from its flow, and makes it no consumer. Of what other tasks
    have registered, a pending instance is waited for.
    """
    name, reference = asset_id_of(name), parsed_reference(wanted)
    if flow := running.running_flow():
        artifact, reference = _registered_here(reader, writer, kind, name, reference)
        if artifact:
            return own_artifact(flow, artifact)
    branch, instance = _ready_or_pending(reader, kind, name, reference)
    about = f"The {label_of(kind)} {name!r} on branch {branch!r}"
    read_again = partial(reader.catalogue.instance, branch, kind, name, instance["id"])
    instance = wait_while_pending(instance, read_again, reader.catalogue.settings.wait, about)
    value = load_artifact(instance, about)
    if leaves_trace:
        # By id, so that what is recorded is what was loaded even if a newer instance came in between.
        writer.consume_exactly(branch, kind, name, instance["id"], str(reference), role)
    return value


def _ready_or_pending(reader: AssetReader, kind: str, name: str, reference: Reference) -> tuple[str, Json]:
    """Return the branch that has an asset, and the instance; the newest pending one while none is ready."""
    try:
        branch, instance = reader.peek(kind, name, str(reference))
    except InstanceNotFound:
        is_latest = reference == Reference(ReferenceKind.LATEST)
        pending = _pending_elsewhere(reader, kind, name) if is_latest else None
        if pending is None:
            raise
        return pending
    pending = _pending_elsewhere(reader, kind, name) if instance["ref"] == DEFINITION else None
    return pending or (branch, instance)


def _pending_elsewhere(reader: AssetReader, kind: str, name: str) -> tuple[str, Json] | None:
    """Return the newest pending instance, unless this very task has registered it."""
    found = reader.newest_pending(kind, name)
    return None if found is None or is_from_this_task(found[1]) else found


def _registered_here(
    reader: AssetReader, writer: AssetWriter, kind: str, name: str, reference: Reference
) -> tuple[str, Reference]:
    """Return the artifact that this very step has registered, empty if the reference means none, and the reference.

    The step's own are newer than all that the catalogue shows as ready, so a reference such as ``latest-2`` that
    means none of them comes back as the one that the catalogue knows it by.
    """
    own = running.registered(kind, reader.catalogue.project, branch_key(writer.branch), name)
    if not own or _is_read_elsewhere(reader, writer.branch, kind, name):
        return "", reference
    if reference.kind is ReferenceKind.LATEST:
        if reference.offset < len(own):
            return own[reference.offset].artifact, reference
        return "", Reference(ReferenceKind.LATEST, offset=reference.offset - len(own))
    same = (one.artifact for one in own if one.id == reference.id or one.number == reference.number is not None)
    return next(same, ""), reference


def _is_read_elsewhere(reader: AssetReader, write_branch: str, kind: str, name: str) -> bool:
    """Say whether a branch that is read before the write branch has an instance of an asset."""
    before = takewhile(lambda branch: branch != write_branch, reader.branches)
    return any(reader.has_instance(kind, name, branch) for branch in before)
