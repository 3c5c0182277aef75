"""The JSON of things in the API: the reference protocol's members, and this catalogue's own."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from catalog.addresses import asset_path
from catalog.models import Alias, AliasMove, Asset, Consumption, Instance
from catalog.reading import Resolved
from catalog.states import Kind, State

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
    """The JSON of an instance, or of a definition in place of one. `base` is the site's root, without a slash."""
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
        "datastore": (
            {"type": instance.datastore_type, "root": instance.datastore_root} if instance.datastore_type else None
        ),
        "aliases": aliases_of(asset, instance.uid),
        "url": f"{base}{asset_path(asset)}/{instance.ref}",
    }


def with_notes(answer: Json, notes: Iterable[str]) -> Json:
    """An answer to a write, with what was left out of it, if anything was."""
    told = list(notes)
    return answer | {"notes": told} if told else answer


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


def item_shape(asset: Asset, base: str = "", states: tuple[str, ...] = ()) -> Json:
    """The JSON of an asset in a list, with the instance shown for it; null if all are pending or failed."""
    shown = asset.shown(states)
    latest = instance_shape(Resolved(asset, shown), base) if shown or asset.is_declared else None
    return {
        "asset": asset_shape(asset, asset.newest_ready),
        "latest_instance": latest,
        "tags": latest["tags"] if latest else tags_shape(asset.declared_tags),
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
