"""Addresses of pages, each written here and nowhere else: below the site's root, quoted, without a query.

`*_path` is the same address in plain text, as the API gives it behind the root of the site.
"""

from functools import lru_cache
from urllib.parse import quote

from catalog.models import Asset, Branch, Component, Highlight, Instance, Project

COMPONENT_SEGMENTS = {
    Component.Kind.FLOW.value: "flows",
    Component.Kind.DEPLOYMENT.value: "deployments",
    Component.Kind.PERSON.value: "people",
}
"""The kinds of components that have a page of their own, and how its address names them."""

_IN_NAMES = "@+:~"
"""What names of perimeters, projects and assets may hold and a browser leaves alone."""


def perimeter_url(name: str) -> str:
    return f"/{_segment(name)}"


def project_url(project: Project) -> str:
    return f"{perimeter_url(project.perimeter.name)}/{_segment(project.name)}"


def branch_url(branch: Branch) -> str:
    return branch_url_by_key(branch.project, branch.key)


def branch_url_by_key(project: Project, key: str) -> str:
    """A branch of which only the key is at hand."""
    return f"{project_url(project)}/{_segment(key)}"


def branch_path(perimeter: str, project: str, key: str) -> str:
    return f"/{perimeter}/{project}/{key}"


def kind_url(branch: Branch, kind: str) -> str:
    """The listing of one kind, or of both (`kind` empty)."""
    return f"{branch_url(branch)}/{kind or 'assets'}"


def asset_url(asset: Asset) -> str:
    return asset_url_by_id(asset.branch, asset.kind, asset.asset_id)


def asset_url_by_id(branch: Branch, kind: str, asset_id: str) -> str:
    """An asset of which only the names are at hand."""
    return f"{kind_url(branch, kind)}/{_segment(asset_id)}"


def asset_path(asset: Asset) -> str:
    return f"{_branch_path(asset.branch)}/{asset.kind}/{asset.asset_id}"


def instance_url(asset: Asset, instance: Instance) -> str:
    return f"{asset_url(asset)}/{instance.ref}"


def evaluations_url(branch: Branch) -> str:
    return f"{branch_url(branch)}/evaluations"


def highlights_url(branch: Branch) -> str:
    return f"{branch_url(branch)}/highlights"


def highlight_url(highlight: Highlight) -> str:
    return f"{highlights_url(highlight.branch)}/{highlight.uid}"


def highlight_path(highlight: Highlight) -> str:
    return f"{_branch_path(highlight.branch)}/highlights/{highlight.uid}"


def component_url(branch: Branch, kind: str, name: str) -> str:
    """The page of a flow, a deployment or a person as seen from a branch; others have none, which is empty."""
    segment = COMPONENT_SEGMENTS.get(kind)
    return f"{branch_url(branch)}/{segment}/{quote(name, safe='')}" if segment and name else ""


def branch_lineage_url(branch: Branch) -> str:
    return f"{branch_url(branch)}/lineage"


def asset_lineage_url(asset: Asset) -> str:
    return f"{asset_url(asset)}/lineage"


def instance_lineage_url(asset: Asset, instance: Instance) -> str:
    return f"{instance_url(asset, instance)}/lineage"


def _branch_path(branch: Branch) -> str:
    return branch_path(branch.project.perimeter.name, branch.project.name, branch.key)


@lru_cache(maxsize=4096)  # a page writes the same few names again and again
def _segment(name: str) -> str:
    return quote(name, safe=_IN_NAMES)
