"""The JSON of things in the API: the reference protocol's members, and this catalogue's own."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from catalog.addresses import asset_path
from catalog.entities import Entity
from catalog.models import Alias, AliasMove, Asset, Consumption, Instance, Run
from catalog.reading import Resolved
from catalog.run_outcomes import Outcome, Outcomes
from catalog.states import Kind, RunKind, State
from obproject.sessions import is_session_id

Json = dict[str, Any]


def time_shape(at: datetime | None) -> str | None:
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z") if at else None


def entity_shape(kind: str, entity_id: str) -> Json:
    return {"entity_kind": kind, "entity_id": entity_id}


def asset_shape(asset: Asset, instance: Instance | None = None) -> Json:
    """The JSON of an asset. `name` equals the id: public clients build addresses from it."""
    return {
        "id": asset.asset_id,
        "kind": Kind(asset.kind).singular,
        "name": asset.asset_id,
        "display_name": asset.title,
        "description": (instance.description if instance else "") or asset.about,
        "icon": asset.icon,
        "properties": asset.properties,
    }


def instance_shape(found: Resolved, base: str = "") -> Json:
    """The JSON of an instance, or of a definition in place of one. `base` is the scheme and host of the site.

    It is what the row of the instance tells: of its run the name; which one has the same content only if none has.
    """
    if found.instance is None:
        return _definition_shape(found.asset, base)
    asset, instance = found.asset, found.instance
    return {
        "id": instance.uid,
        "asset": asset_shape(asset, instance),
        "created_at": time_shape(instance.created_at),
        "created_by": entity_shape(instance.producer_kind, instance.producer_id),
        **_properties(asset, instance.asset_kind, instance.annotations, instance.blobs),
        "tags": tags_shape(instance.tags),
        "number": instance.number,
        "ref": instance.ref,
        "state": instance.state,
        "state_reason": instance.state_reason,
        "settled_at": time_shape(instance.settled_at),
        "description": instance.description,
        "attempt": instance.attempt,
        "run": run_name_shape(instance.run),
        "position": _position_shape(instance),
        "digest": instance.digest,
        **({} if instance.digest else {"same_as": None}),
        "datastore": _datastore_shape(instance),
        "aliases": aliases_of(asset, instance.uid),
        "url": f"{base}{asset_path(asset)}/{instance.ref}",
    }


def _datastore_shape(instance: Instance) -> Json | None:
    if not instance.datastore_type:
        return None
    cards = {"cards": instance.datastore_cards} if instance.datastore_cards else {}
    return {"type": instance.datastore_type, "root": instance.datastore_root, **cards}


def run_name_shape(name: str) -> Json | None:
    """A run or a session by its name; None if the producer has neither."""
    if not name:
        return None
    return {"id": name, "kind": (RunKind.SESSION if is_session_id(name) else RunKind.RUN).value}


def run_shape(name: str, run: Run | None) -> Json | None:
    """The same with its facts. Null is what was not told, which is all of them if `run` is None."""
    named = run_name_shape(name)
    return named and named | run_facts_shape(run or Run())


def run_facts_shape(run: Run) -> Json:
    return {
        "user": run.user or None,
        "started_at": time_shape(run.started_at),
        "metaflow_version": run.metaflow_version or None,
        "python_version": run.python_version or None,
        "repository": run.repository or None,
        "commit": run.commit or None,
        "dirty": run.dirty,
        "git_branch": run.git_branch or None,
        "parameters": run.parameters,
        "configs": run.configs,
        "left_out": run.left_out,
        "origin": run.origin or None,
        "tags": run.tags,
        "state": run.state or None,
        "finished_at": time_shape(run.finished_at),
    }


def listed_run_shape(run: Run, outcomes: Outcomes, base: str = "") -> Json:
    """A run in a list of them. Its component is at hand."""
    return {
        **(run_shape(run.name, run) or {}),
        "first_at": time_shape(run.first_at),
        "branch": run.branch,
        "component": {"kind": run.component.kind, "name": run.component.name} if run.component else None,
        "made": [outcome_shape(outcome, base) for outcome in outcomes.made],
        "read": [outcome_shape(outcome, base) for outcome in outcomes.read],
    }


def outcome_shape(outcome: Outcome, base: str = "") -> Json:
    """What a run made or read of one asset."""
    return {
        "kind": outcome.kind,
        "asset": outcome.asset_id,
        "project": outcome.branch.project.name,
        "branch": outcome.branch.key,
        "role": outcome.role,
        "count": outcome.count,
        "first_ref": f"v{outcome.first}" if outcome.first else None,
        "last_ref": f"v{outcome.last}" if outcome.last else None,
        "url": f"{base}{outcome.asset_url}",
    }


def _position_shape(instance: Instance) -> Json | None:
    """Where in its run the task is that made the instance; None if it was no task."""
    task = Entity(instance.producer_kind, instance.producer_id).pathspec
    return task and {"step": task[2], "foreach": instance.foreach_path, "iteration": instance.iteration}


def with_notes(answer: Json, notes: Iterable[str]) -> Json:
    """An answer to a write, with what was left out of it, if anything was."""
    told = list(notes)
    return answer | {"notes": told} if told else answer


def with_equal(shape: Json, found: Resolved, first_equal: Mapping[int, str]) -> Json:
    """The JSON of an instance with the first one of the same content, which `first_equal` has by keys."""
    return shape | {"same_as": first_equal.get(found.instance.pk)} if found.instance else shape


def _definition_shape(asset: Asset, base: str) -> Json:
    annotations = asset.properties | ({"_config_hash": asset.config_hash} if asset.config_hash else {})
    declared_by = entity_shape(asset.declared_by_kind or "user", asset.declared_by_id or asset.created_by)
    return {
        "id": asset.definition_uid,
        "asset": asset_shape(asset),
        "created_at": time_shape(asset.declared_at or asset.created_at),
        "created_by": declared_by,
        **_properties(asset, asset.asset_kind or Kind(asset.kind).singular, annotations, asset.declared_blobs),
        "tags": tags_shape(asset.declared_tags),
        "number": None,
        "ref": "definition",
        "state": State.READY.value,
        "state_reason": "",
        "settled_at": time_shape(asset.declared_at),
        "description": asset.description,
        "attempt": None,
        "run": None,
        "position": None,
        "digest": None,
        "same_as": None,
        "datastore": None,
        "aliases": aliases_of(asset, asset.definition_uid),
        "url": f"{base}{asset_path(asset)}",
    }


def _properties(asset: Asset, asset_kind: str, annotations: Json, blobs: list[Any]) -> Json:
    singular = Kind(asset.kind).singular
    return {f"{singular}_properties": {f"{singular}_kind": asset_kind, "annotations": annotations, "blobs": blobs}}


def tags_shape(tags: dict[str, str]) -> list[Json]:
    return [{"key": key, "value": value} for key, value in tags.items()]


def aliases_of(asset: Asset, uid: str) -> list[str]:
    return sorted(name for name, target in asset.alias_index.items() if target == uid)


def item_shape(
    asset: Asset, base: str = "", states: tuple[str, ...] = (), first_equal: Mapping[int, str] | None = None
) -> Json:
    """The JSON of an asset in a list, with the instance shown for it; null if all are pending or failed.

    `tags` are the effective ones; the instance has its own, by which public clients filter and promote.
    """
    found = Resolved(asset, asset.shown(states))
    latest = instance_shape(found, base) if found.instance or asset.is_declared else None
    if latest and first_equal is not None:
        latest = with_equal(latest, found, first_equal)
    return {
        "asset": asset_shape(asset, asset.newest_ready),
        "latest_instance": latest,
        "tags": tags_shape(asset.tags_with(found.instance)),
        "url": f"{base}{asset_path(asset)}",
    }


def producer_entry(instance: Instance, asset: Asset) -> Json:
    return {
        "entity_ref": entity_shape(instance.producer_kind, instance.producer_id),
        "at": time_shape(instance.created_at),
        "instance_id": instance.uid,
        "component": {"kind": instance.component.kind, "name": instance.component.name},
        "project": instance.component.project_name,
        "branch": asset.branch.key,
    }


def consumer_entry(consumption: Consumption, asset: Asset) -> Json:
    return {
        "entity_ref": entity_shape(consumption.entity_kind, consumption.entity_id),
        "at": time_shape(consumption.at),
        "instance_id": consumption.instance.uid if consumption.instance else asset.definition_uid,
        "component": {"kind": consumption.component.kind, "name": consumption.component.name},
        "project": consumption.component.project_name,
        "branch": consumption.write_branch,
        "role": consumption.role,
    }


def alias_shape(alias: Alias, asset: Asset, history: Iterable[AliasMove]) -> Json:
    return {
        "name": alias.name,
        "instance_id": asset.alias_index.get(alias.name, ""),
        "updated_at": time_shape(alias.updated_at),
        "updated_by": entity_shape(alias.entity_kind, alias.entity_id),
        "recent_history": [move_shape(move) for move in history],
    }


def move_shape(move: AliasMove) -> Json:
    return {
        "alias_name": move.name,
        "instance_id": move.to_uid,
        "previous_instance_id": move.from_uid,
        "updated_at": time_shape(move.at),
        "updated_by": entity_shape(move.entity_kind, move.entity_id),
    }
