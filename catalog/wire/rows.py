"""Rows of lists as values: what the shapes of assets and instances read, without an object of a model for each.

JSON that is only passed on comes as the database's text of it, times as the text that answers have.
"""

import json
from dataclasses import dataclass, field
from typing import Any

import orjson

from catalog.asset_facts import AssetFacts

Json = dict[str, Any]


@dataclass(slots=True)
class ComponentRow:
    kind: str
    name: str
    project_name: str


@dataclass(slots=True)
class DeprecationRow:
    """That of a row that is deprecated."""

    reason: str
    at: str
    actor: str


@dataclass(slots=True)
class InstanceRow:
    """The columns of an instance that its shape reads, and those by which equal content is found."""

    pk: int
    asset_id: int
    uid: str
    number: int
    state: str
    state_reason: str
    asset_kind: str
    description: str
    annotations: Any
    tags: Any
    blobs: Any
    producer_kind: str
    producer_id: str
    run: str
    attempt: int | None
    foreach_path: str | None
    iteration: int | None
    digest: str | None
    datastore_type: str
    datastore_root: str
    datastore_cards: str | None
    deprecation_id: int | None
    created_at: str
    settled_at: str | None
    component: Any = field(default=None, kw_only=True)
    deprecation: Any = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        self.annotations = orjson.Fragment(self.annotations)
        self.tags = _texts_in(self.tags)
        self.blobs = orjson.Fragment(self.blobs)

    @property
    def ref(self) -> str:
        return f"v{self.number}"


@dataclass(slots=True)
class AssetRow(AssetFacts):
    """The columns of an asset that its shape reads, with its newest instances as far as they were asked for."""

    pk: int
    asset_id: str
    kind: str
    definition_uid: str
    name: str
    description: str
    icon: str
    asset_kind: str
    properties: Any
    alias_index: Any
    declared_tags: Any
    declared_blobs: Any
    declared_metrics: Any
    config_hash: str
    declared_at: str | None
    deprecated_count: int
    declared_by_kind: str
    declared_by_id: str
    created_at: str
    created_by: str
    declared_freshness: Any
    watch: str
    usual: int | None
    due_at: Any
    late_at: Any
    dormant_at: Any
    newest_ready: InstanceRow | None = field(default=None, kw_only=True)
    newest: InstanceRow | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        self.properties = orjson.Fragment(self.properties)
        self.alias_index = _texts_in(self.alias_index)
        self.declared_tags = _texts_in(self.declared_tags)
        self.declared_blobs = orjson.Fragment(self.declared_blobs)
        self.declared_metrics = orjson.Fragment(self.declared_metrics)
        self.declared_freshness = orjson.Fragment(self.declared_freshness)

    def known_properties(self) -> Json:
        known: Json = json.loads(orjson.dumps(self.properties))
        return known


@dataclass(slots=True)
class ConsumptionRow:
    """The columns of a consumption that are told of it; `instance_uid` is None if it was of the definition."""

    entity_kind: str
    entity_id: str
    at: str
    write_branch: str
    role: str | None
    instance_uid: str | None = field(default=None, kw_only=True)
    component: Any = field(default=None, kw_only=True)


def _texts_in(stored: str) -> dict[str, str]:
    """The members of an object that has nothing but texts."""
    members: dict[str, str] = orjson.loads(stored) if stored != "{}" else {}
    return members
