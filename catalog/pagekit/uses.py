"""Producers and consumers: entities and edges as pages show them, linked to the Metaflow UI if there is one."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from django.conf import settings

from catalog.addresses import branch_url_by_key, component_url
from catalog.entities import Entity
from catalog.models import Asset, Branch, Edge
from catalog.pagekit.statements import edges_of
from catalog.wire.shapes import entity_shape, time_shape

MOST_EDGES = 100


@dataclass(frozen=True)
class EntityLink:
    """An entity with its link, for the component of that name. `url` leads to the Metaflow UI; else it is empty."""

    kind: str
    name: str
    url: str = ""

    @classmethod
    def of(cls, kind: str, entity_id: str) -> "EntityLink":
        is_task = Entity(kind, entity_id).pathspec is not None
        ui = settings.METAFLOW_UI_URL
        return cls(kind, entity_id, f"{ui}/{quote(entity_id)}" if is_task and ui else "")


@dataclass(frozen=True)
class Use:
    """One component that produces or consumes an asset from one branch, in one role: the row of an `Edge`."""

    edge: Edge
    home: Branch

    @property
    def last(self) -> EntityLink:
        return EntityLink.of(self.edge.last_entity_kind, self.edge.last_entity_id)

    @property
    def url(self) -> str:
        """The page of the flow or deployment, if it is of the same project."""
        component = self.edge.component
        at_home = component.project_name == self.home.project.name
        return component_url(self.home, component.kind, component.name) if at_home else ""

    @property
    def last_ref(self) -> str:
        number = getattr(self.edge, "last_number", None)
        return f"v{number}" if number else ""

    @property
    def promoted(self) -> bool:
        """Whether the component made the source of a promotion to here, and did not write here itself."""
        return self.edge.direction == Edge.Direction.PROMOTED

    @property
    def elsewhere(self) -> str:
        """The component's own branch, if it is not the asset's, behind its project if that is another one."""
        project = self.edge.component.project_name
        branch = self.edge.write_branch_name or self.edge.write_branch
        if project != self.home.project.name:
            return f"{project} / {branch}" if branch else project
        return branch if self.edge.write_branch not in ("", self.home.key) else ""

    @property
    def branch_url(self) -> str:
        """The page of the component's branch, if it is in the same project."""
        same = self.edge.component.project_name == self.home.project.name
        return branch_url_by_key(self.home.project, self.edge.write_branch) if same and self.elsewhere else ""

    @property
    def shape(self) -> dict[str, Any]:
        """The use in a JSON twin."""
        edge = self.edge
        return {
            "component": {"kind": edge.component.kind, "name": edge.component.name},
            "project": edge.component.project_name,
            "branch": edge.write_branch,
            "promoted": self.promoted,
            "role": self.edge.role,
            "first_at": time_shape(edge.first_at),
            "last_at": time_shape(edge.last_at),
            "count": edge.count,
            "last_entity_ref": entity_shape(edge.last_entity_kind, edge.last_entity_id),
            "last_ref": self.last_ref or None,
        }


@dataclass(frozen=True)
class Uses:
    """The producers and consumers of an asset, newest first. `cut`: there are more."""

    producers: list[Use]
    consumers: list[Use]
    cut: bool = False

    @classmethod
    def of(cls, edges: Iterable[Edge], home: Branch, cut: bool = False) -> "Uses":
        rows = [Use(edge, home) for edge in edges]
        return cls(
            [row for row in rows if row.edge.direction != Edge.Direction.CONSUMES],
            [row for row in rows if row.edge.direction == Edge.Direction.CONSUMES],
            cut,
        )

    @property
    def consumer_names(self) -> list[str]:
        """The consuming components, each once."""
        return list(dict.fromkeys(row.edge.component.name for row in self.consumers))


def uses_of(asset: Asset) -> Uses:
    """Of an asset that the viewer was found to see."""
    found = edges_of([asset], MOST_EDGES + 1)
    return Uses.of(found[:MOST_EDGES], asset.branch, len(found) > MOST_EDGES)
