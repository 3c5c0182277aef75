"""The JSON of things in the API: the reference protocol's members, and this catalogue's own."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

from catalog.addresses import asset_path
from catalog.entities import Entity
from catalog.freshness.state import freshness_of
from catalog.models import Alias, AliasMove, Asset, Component, Consumption, Deprecation, Instance, NewNormal, Run
from catalog.reading import Resolved
from catalog.recording import revision_shape
from catalog.run_outcomes import Outcome, Outcomes
from catalog.states import Kind, RunKind, State
from catalog.wire.rows import AssetRow, ComponentRow, ConsumptionRow, DeprecationRow, InstanceRow
from obproject.sessions import is_session_id

Json = dict[str, Any]
SINGULAR = {kind.value: kind.singular for kind in Kind}


def time_shape(at: datetime | str | None) -> str | None:
    """A time in UTC with microseconds; a text is one already, as rows of lists have it."""
    if isinstance(at, str):
        return at
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z") if at else None


def entity_shape(kind: str, entity_id: str) -> Json:
    return {"entity_kind": kind, "entity_id": entity_id}


def asset_shape(asset: Asset | AssetRow, instance: Instance | InstanceRow | None = None) -> Json:
    """The JSON of an asset. `name` equals the id: public clients build addresses from it."""
    return {
        "id": asset.asset_id,
        "kind": SINGULAR[asset.kind],
        "name": asset.asset_id,
        "display_name": asset.title,
        "description": (instance.description if instance else "") or asset.about,
        "icon": asset.icon,
        "properties": asset.properties,
        "metrics": asset.declared_metrics,
    }


def freshness_shape(asset: Asset | AssetRow, now: datetime | None = None) -> Json:
    """How it stands with the next version of an asset now, by its columns; `declared` is empty if nothing is."""
    now = now or timezone.now()
    # times of rows are texts of one form, which are in the order of the times
    moment: Any = now if isinstance(asset, Asset) else time_shape(now)
    return {
        "state": freshness_of(asset.watch, asset.due_at, asset.late_at, asset.dormant_at, moment).value,
        "due_at": time_shape(asset.due_at),
        "late_at": time_shape(asset.late_at),
        "usual_seconds": asset.usual,
        "declared": asset.declared_freshness,
    }


def gates_shape(asset: Asset) -> Json | None:
    """The gates that hold for an asset; None, and no query, if there are none."""
    if asset.gates is None:
        return None
    return {"declared": asset.gates.gates, "revision": revision_shape(asset.gates)}


def instance_shape(found: Resolved, base: str = "") -> Json:
    """The JSON of an instance, or of a definition in place of one. `base` is the scheme and host of the site."""
    return shape_at(found.asset, found.instance, f"{base}{asset_path(found.asset)}")


def shape_at(asset: Asset | AssetRow, instance: Instance | InstanceRow | None, url: str) -> Json:
    """The same of what comes as models or as rows of lists. `url` is that of the asset.

    It is what the row of the instance tells: of its run the name; which one has the same content only if none has.
    """
    if instance is None:
        return _definition_shape(asset, url)
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
        "deprecated": deprecation_shape(instance.deprecation),
        "description": instance.description,
        "attempt": instance.attempt,
        "run": run_name_shape(instance.run),
        "position": _position_shape(instance),
        "digest": instance.digest,
        **({} if instance.digest else {"same_as": None}),
        "datastore": _datastore_shape(instance),
        "aliases": aliases_of(asset, instance.uid),
        "url": f"{url}/{instance.ref}",
    }


def normal_shape(event: NewNormal, asset: Asset) -> Json:
    """That an asset has changed its ways, and how it stands with it after that."""
    return {
        "since": time_shape(event.since),
        "reason": event.reason,
        "at": time_shape(event.at),
        "by": event.actor,
        "freshness": freshness_shape(asset),
    }


def deprecation_shape(deprecation: Deprecation | DeprecationRow | None) -> Json | None:
    if deprecation is None:
        return None
    return {"reason": deprecation.reason, "at": time_shape(deprecation.at), "by": deprecation.actor}


def _datastore_shape(instance: Instance | InstanceRow) -> Json | None:
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


def _position_shape(instance: Instance | InstanceRow) -> Json | None:
    """Where in its run the task is that made the instance; None if it was no task."""
    task = Entity(instance.producer_kind, instance.producer_id).pathspec
    return task and {"step": task[2], "foreach": instance.foreach_path, "iteration": instance.iteration}


def with_notes(answer: Json, notes: Iterable[str]) -> Json:
    """An answer to a write, with what was left out of it, if anything was."""
    told = list(notes)
    return answer | {"notes": told} if told else answer


def with_equal(shape: Json, instance: Instance | InstanceRow | None, first_equal: Mapping[int, str]) -> Json:
    """The JSON of an instance with the first one of the same content, which `first_equal` has by keys."""
    return shape | {"same_as": first_equal.get(instance.pk)} if instance else shape


def _definition_shape(asset: Asset | AssetRow, url: str) -> Json:
    kind = asset.asset_kind or SINGULAR[asset.kind]
    return {
        "id": asset.definition_uid,
        "asset": asset_shape(asset),
        "created_at": time_shape(asset.declared_at or asset.created_at),
        "created_by": entity_shape(asset.declared_by_kind or "user", asset.declared_by_id or asset.created_by),
        **_properties(asset, kind, asset.definition_annotations(), asset.declared_blobs),
        "tags": tags_shape(asset.declared_tags),
        "number": None,
        "ref": "definition",
        "state": State.READY.value,
        "state_reason": "",
        "settled_at": time_shape(asset.declared_at),
        "deprecated": None,
        "description": asset.description,
        "attempt": None,
        "run": None,
        "position": None,
        "digest": None,
        "same_as": None,
        "datastore": None,
        "aliases": aliases_of(asset, asset.definition_uid),
        "url": url,
    }


def _properties(asset: Asset | AssetRow, asset_kind: str, annotations: Any, blobs: Any) -> Json:
    singular = SINGULAR[asset.kind]
    return {f"{singular}_properties": {f"{singular}_kind": asset_kind, "annotations": annotations, "blobs": blobs}}


def tags_shape(tags: dict[str, str]) -> list[Json]:
    return [{"key": key, "value": value} for key, value in tags.items()]


def aliases_of(asset: Asset | AssetRow, uid: str) -> list[str]:
    return sorted(name for name, target in asset.alias_index.items() if target == uid)


def item_shape(
    asset: Asset | AssetRow, url: str, states: tuple[str, ...] = (), first_equal: Mapping[int, str] | None = None
) -> Json:
    """The JSON of an asset in a list, with the instance shown for it; null if all are pending, failed or deprecated.

    `url` is that of the asset. `tags` are the effective ones; the instance has its own, by which public clients filter
    and promote.
    """
    shown = asset.shown(states)
    latest = shape_at(asset, shown, url) if shown or (asset.is_declared and not asset.all_deprecated) else None
    if latest and first_equal is not None:
        latest = with_equal(latest, shown, first_equal)
    ready = asset.newest_ready
    return {
        "asset": latest["asset"] if latest and shown is ready else asset_shape(asset, ready),
        "latest_instance": latest,
        "tags": tags_shape(asset.tags_with(shown)),
        "freshness": freshness_shape(asset),
        "url": url,
    }


def producer_entry(instance: Instance | InstanceRow, branch: str) -> Json:
    """Who made an instance of an asset on a branch, of which the key is given."""
    return {
        "entity_ref": entity_shape(instance.producer_kind, instance.producer_id),
        "at": time_shape(instance.created_at),
        "instance_id": instance.uid,
        **_component_shape(instance.component),
        "branch": branch,
    }


def consumer_entry(consumption: Consumption | ConsumptionRow, uid: str) -> Json:
    """Who read what has this id: an instance or a definition."""
    return {
        "entity_ref": entity_shape(consumption.entity_kind, consumption.entity_id),
        "at": time_shape(consumption.at),
        "instance_id": uid,
        **_component_shape(consumption.component),
        "branch": consumption.write_branch,
        "role": consumption.role,
    }


def _component_shape(component: Component | ComponentRow) -> Json:
    return {"component": {"kind": component.kind, "name": component.name}, "project": component.project_name}


def alias_shape(alias: Alias, asset: Asset, history: Iterable[AliasMove]) -> Json:
    """`alias` knows its instance, and that its deprecation, if this is to cost no query."""
    return {
        "name": alias.name,
        "instance_id": asset.alias_index.get(alias.name, ""),
        "deprecated": deprecation_shape(alias.instance.deprecation if alias.instance else None),
        "updated_at": time_shape(alias.updated_at),
        "updated_by": entity_shape(alias.entity_kind, alias.entity_id),
        "recent_history": [move_shape(move) for move in history],
    }


def with_outcome(moves: QuerySet[AliasMove]) -> QuerySet[AliasMove]:
    """Moves of aliases with what their shape needs of their verdicts."""
    return moves.select_related("verdict").defer("verdict__rules")


def move_shape(move: AliasMove) -> Json:
    """`move` is of `with_outcome`, if this is to cost no query."""
    verdict = move.verdict
    return {
        "alias_name": move.name,
        "instance_id": move.to_uid,
        "previous_instance_id": move.from_uid,
        "updated_at": time_shape(move.at),
        "updated_by": entity_shape(move.entity_kind, move.entity_id),
        "outcome": verdict.outcome if verdict else None,
        "comment": verdict.comment if verdict else "",
    }
