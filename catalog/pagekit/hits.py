"""Links to things in a list of several kinds: what a search found, or what is near an address that leads nowhere."""

from dataclasses import dataclass
from typing import Any

from catalog.addresses import asset_url, branch_url, component_url, instance_url, project_url
from catalog.models import Asset, Branch, Component, Instance, NameStart, Project


@dataclass(frozen=True)
class Hit:
    """`place`: the names of the perimeter, the project and the branch that it is in, as far as it is in them.

    `kind` is that of a component, `project`, `branch`, of an asset `data` or `models`, or `version` of one.
    """

    url: str
    title: str
    name: str
    kind: str
    place: tuple[str, ...] = ()
    icon: str = ""

    @property
    def shape(self) -> dict[str, Any]:
        perimeter, project, branch = (*self.place, None, None, None)[:3]
        shape = {"kind": self.kind, "name": self.name, "title": self.title, "url": self.url}
        return {**shape, "perimeter": perimeter, "project": project, "branch": branch}


def hit_of_project(project: Project) -> Hit:
    place = (project.perimeter.name,)
    return Hit(project_url(project), project.title or project.name, project.name, NameStart.Kind.PROJECT, place)


def hit_of_branch(branch: Branch) -> Hit:
    return Hit(branch_url(branch), branch.name, branch.key, NameStart.Kind.BRANCH, _place_of(branch)[:2])


def hit_of_asset(asset: Asset) -> Hit:
    return Hit(asset_url(asset), asset.title, asset.asset_id, asset.kind, _place_of(asset.branch), asset.icon)


def hit_of_component(component: Component, seen_from: Branch) -> Hit:
    """A flow, a deployment or a person, whose page is looked at from a branch."""
    url = component_url(seen_from, component.kind, component.name)
    return Hit(url, component.name, component.name, component.kind, _place_of(seen_from)[:2])


def hit_of_instance(asset: Asset, instance: Instance) -> Hit:
    return Hit(instance_url(asset, instance), instance.ref, instance.ref, "version")


def _place_of(branch: Branch) -> tuple[str, ...]:
    return branch.project.perimeter.name, branch.project.name, branch.name
