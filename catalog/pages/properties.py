"""The properties of an asset as pages show them: the effective value, and how a person and a deploy met."""

import json
from dataclasses import dataclass
from typing import Any

from catalog.models import Asset, PropertyOverride


@dataclass(frozen=True)
class Property:
    """One property. `override` is what a person made of it, None for one that stands as declared."""

    key: str
    value: str
    declared: str | None
    override: PropertyOverride | None

    @property
    def declared_has_changed(self) -> bool:
        return self.override is not None and self.override.declared_has_changed

    @property
    def was_declared(self) -> str | None:
        """What was declared when a person changed it."""
        return None if self.override is None else shown(self.override.declared_value)


def properties_of(asset: Asset, edited: list[PropertyOverride]) -> list[Property]:
    """`edited`: the edits that are in force."""
    overrides = {override.key: override for override in edited}
    declared = asset.declared_properties
    return [
        Property(key, shown(value) or "", shown(declared.get(key)), overrides.get(key))
        for key, value in sorted(asset.properties.items())
    ]


def shown(value: Any) -> str | None:
    """A JSON value as people read it: text as it is, None for none."""
    return value if value is None or isinstance(value, str) else json.dumps(value, ensure_ascii=False)
