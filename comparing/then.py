"""The definitions of assets as they were when versions were made, from their revisions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import Q

from access.identity import Viewer
from catalog.models import Asset, DefinitionRevision
from catalog.reading import Resolved

REVISIONS_MOST = 20
"""How many revisions before a version are put together. One of our deploys says everything; other clients may say the
little that is new."""

Moment = tuple[int, datetime]
"""The key of an asset, and a time."""


@dataclass(frozen=True)
class Definition:
    """What was declared; `known` is false where nothing was, or before that was kept."""

    known: bool = False
    name: str = ""
    description: str = ""
    readme: str = ""
    properties: Mapping[str, Any] = field(default_factory=dict)
    tags: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of_fields(cls, declared: Mapping[str, Any]) -> "Definition":
        """From the columns of an asset, by their names."""
        properties, tags = (declared.get(name) for name in ("declared_properties", "declared_tags"))
        return cls(
            known=True,
            name=str(declared.get("name") or ""),
            description=str(declared.get("description") or ""),
            readme=str(declared.get("readme") or ""),
            properties=properties if isinstance(properties, dict) else {},
            tags=tags if isinstance(tags, dict) else {},
        )

    @classmethod
    def now(cls, asset: Asset) -> "Definition":
        if not asset.is_declared:
            return cls()
        names = ("name", "description", "readme", "declared_properties", "declared_tags")
        return cls.of_fields({name: getattr(asset, name) for name in names})


def definitions_then(viewer: Viewer, versions: Sequence[Resolved]) -> list[Definition]:
    """The definition of each version's asset when the version was made; of a definition itself, as it is now. One
    query, or none."""
    moments = [_moment(version) for version in versions]
    known = _declared(viewer, {moment for moment in moments if moment})
    return [
        Definition.now(version.asset) if moment is None else known.get(moment, Definition())
        for version, moment in zip(versions, moments, strict=True)
    ]


def _moment(version: Resolved) -> Moment | None:
    return (version.asset.pk, version.instance.created_at) if version.instance else None


def _declared(viewer: Viewer, moments: set[Moment]) -> dict[Moment, Definition]:
    if not moments:
        return {}
    revisions = DefinitionRevision.objects.visible_to(viewer)
    last = Q()
    for asset, at in sorted(moments):
        until = revisions.filter(asset=asset, at__lte=at).order_by("-id").values("pk")[:REVISIONS_MOST]
        last |= Q(pk__in=until)
    rows = list(revisions.filter(last).order_by("pk").values_list("asset", "at", "declared"))
    found = {}
    for asset, at in moments:
        said = [declared for of, since, declared in rows if of == asset and since <= at]
        if said:
            together: dict[str, Any] = {}
            for declared in said[-REVISIONS_MOST:]:
                together |= declared
            found[asset, at] = Definition.of_fields(together)
    return found
