"""Asset instances and their values, between Python and the JSON on the wire.

Annotations are sent with their JSON type. Coming back they are given twice: as text under ``annotations``, the way the
reference protocol's clients give them, and with their type under ``values``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from obproject.entities import EntityRef
from obproject.errors import InvalidAssetInstanceError
from obproject.kinds import label_of
from obproject.notices import tell_once

DEFINITION = "definition"
"""The ``ref`` of a definition that stands for an instance while there is none."""


class AssetInstance(NamedTuple):
    """One version of an asset. The first eight fields are those of the reference protocol's clients."""

    id: str
    """Opaque, unique in the catalogue."""
    created_at: datetime
    created_by: EntityRef
    annotations: dict[str, str]
    tags: dict[str, str]
    blobs: list[Any]
    kind: str
    """``data`` or ``model``."""
    asset_kind: str
    """How to resolve it: ``artifact``, or any label."""
    asset: str
    """Id of the asset."""
    values: dict[str, Any]
    """The annotations with their JSON types."""
    number: int | None
    """1, 2, 3, ... within the asset; None for a definition without instances."""
    ref: str
    """``v12``, or ``definition``."""
    state: str
    """``pending``, ``ready`` or ``failed``."""
    description: str
    url: str
    """The instance's page."""
    digest: str | None
    """What the content is, by Metaflow's own content key or as the producer said; None if that is not known."""
    run: dict[str, Any] | None
    """The run or the session that made it, with ``id``, ``kind`` and what is known of it."""
    position: dict[str, Any] | None
    """Where in the run: ``step``, ``foreach`` and ``iteration``, as far as they are known."""
    deprecated: dict[str, Any] | None
    """Why nobody should use it any more, with ``reason``, ``at`` and ``by``; None if nobody says so."""


def parse_instance(answer: Mapping[str, Any]) -> AssetInstance:
    """Read an instance as the catalogue sends it; raise InvalidAssetInstanceError if it is none."""
    try:
        asset, creator, properties = answer["asset"], answer["created_by"], _properties(answer)
        kind = str(asset["kind"])
        return AssetInstance(
            id=str(answer["id"]),
            created_at=datetime.fromisoformat(answer["created_at"]),
            created_by=EntityRef(str(creator["entity_kind"]), str(creator["entity_id"])),
            annotations=_as_text(typed_annotations(answer)),
            tags={str(tag["key"]): str(tag["value"]) for tag in answer.get("tags") or []},
            blobs=list(properties.get("blobs") or []),
            kind=kind,
            asset_kind=str(properties.get(f"{kind}_kind") or ""),
            asset=str(asset["id"]),
            values=typed_annotations(answer),
            number=answer.get("number"),
            ref=str(answer.get("ref") or answer["id"]),
            state=str(answer.get("state") or "ready"),
            description=str(answer.get("description") or asset.get("description") or ""),
            url=str(answer.get("url") or ""),
            digest=answer.get("digest"),
            run=answer.get("run"),
            position=answer.get("position"),
            deprecated=answer.get("deprecated"),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InvalidAssetInstanceError(f"The catalogue sent something that is no asset instance: {error!r}") from error


def typed_annotations(answer: Mapping[str, Any]) -> dict[str, Any]:
    """Return the annotations of an instance with their JSON types, from the wire or after :func:`with_text`."""
    return dict(answer["values"] if "values" in answer else _properties(answer).get("annotations") or {})


def with_text(answer: dict[str, Any]) -> dict[str, Any]:
    """Return an instance from the wire with text in its annotations, and the typed ones under ``values``."""
    values = typed_annotations(answer)
    changed = {
        key: {**properties, "annotations": _as_text(values)}
        for key in ("data_properties", "model_properties")
        if isinstance(properties := answer.get(key), Mapping)
    }
    return {**answer, **changed, "values": values}


def tell_if_deprecated(answer: Mapping[str, Any]) -> None:
    """Print in one line that an instance from the wire is deprecated and why, once in a process."""
    if deprecated := answer.get("deprecated"):
        asset, reason = answer["asset"], " ".join(str(deprecated["reason"]).split())
        tell_once(f"the {label_of(asset['kind'])} {asset['id']!r} {answer['ref']} is deprecated: {reason}")


def _properties(answer: Mapping[str, Any]) -> Mapping[str, Any]:
    return answer.get("data_properties") or answer.get("model_properties") or {}


def _as_text(values: Mapping[str, Any]) -> dict[str, str]:
    return {str(key): str(value) for key, value in values.items()}


def json_value(value: Any) -> Any:
    """Return a value as JSON can hold it.

    Scalars of numpy and of its relatives become plain numbers, mappings and sequences are converted item by item, and
    what JSON can't hold (NaN, infinities, any other object) becomes its text.
    """
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else str(float(value))
    if isinstance(value, Mapping):
        return {str(key): json_value(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [json_value(item) for item in value]
    if getattr(value, "shape", None) == () and callable(getattr(value, "item", None)):
        plain = value.item()
        return json_value(plain) if type(plain) is not type(value) else str(value)
    return str(value)


def tag_pairs(tags: Mapping[str, Any]) -> list[dict[str, str]]:
    """Return tags as they stand on the wire; their values are text."""
    return [{"key": str(key), "value": str(value)} for key, value in tags.items()]
