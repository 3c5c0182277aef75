"""What the columns of an asset say, whether they come as a model or as a row of a list."""

from collections.abc import Collection
from typing import Any

from catalog.states import Kind, State
from obproject.evaluation_log import is_evaluation_log

Json = dict[str, Any]


class AssetFacts:
    """The columns that it reads, and what follows from them. `newest` and `newest_ready` are instances, or None."""

    asset_id: Any
    kind: Any
    name: Any
    description: Any
    properties: Any
    declared_tags: Any
    declared_at: Any
    deprecated_count: Any
    config_hash: Any
    newest: Any
    newest_ready: Any

    @property
    def title(self) -> str:
        return str(self.name or self.asset_id)

    @property
    def about(self) -> str:
        """The declared description, else what the newest registration said."""
        if self.description or self.newest_ready is None:
            return str(self.description)
        return str(self.newest_ready.description)

    def tags_with(self, instance: Any) -> dict[str, str]:
        """The effective tags while an instance stands for the asset: the declared ones, with those of the instance over
        them. None: the definition, or nothing."""
        tags: dict[str, str] = self.declared_tags
        return tags | instance.tags if instance else tags

    def shown(self, states: Collection[str] = ()) -> Any:
        """What stands for the asset in a list: the newest registration if it is in these states, else the newest ready.

        None: the definition, or nothing. What is deprecated stands for no asset.
        """
        newest = self.newest if states else None
        if newest is not None and newest.state in states and newest.deprecation_id is None:
            return newest
        return self.newest_ready if not states or State.READY in states else None

    @property
    def is_evaluation_log(self) -> bool:
        """Whether it is the evaluation log of its branch, which has a page of its own."""
        asset_kind = self.newest_ready.asset_kind if self.newest_ready else None
        return is_evaluation_log(self.asset_id, Kind(self.kind).singular, asset_kind)

    @property
    def is_declared(self) -> bool:
        return self.declared_at is not None

    @property
    def all_deprecated(self) -> bool:
        """Whether there are ready versions, and each of them is deprecated. Then the definition stands for none."""
        return self.newest_ready is None and self.deprecated_count > 0

    def definition_annotations(self) -> Json:
        """What stands as annotations where the definition stands for an instance."""
        properties = self.known_properties()
        return properties | {"_config_hash": self.config_hash} if self.config_hash else properties

    def known_properties(self) -> Json:
        """The effective properties as an object, also where the row has them as text."""
        known: Json = self.properties
        return known
