"""Addresses of lineage, and the suffixes that say in which form it is wanted."""

from urllib.parse import quote

from catalog.models import Asset, Branch, Instance
from catalog.pagekit.places import asset_url, branch_url, instance_url

SUFFIXES = (".json", ".svg", ".csv", ".dot", ".mmd", ".ndjson")
LABELS = {
    ".json": "JSON",
    ".svg": "SVG, the drawing",
    ".csv": "CSV, the arrows",
    ".dot": "DOT, for Graphviz",
    ".mmd": "Mermaid",
    ".ndjson": "OpenLineage events",
}
COMPONENTS = {"flows": "flow", "deployments": "deployment"}
"""The segment of a component's address, and its kind."""


class Suffix:
    """The form in which an answer is wanted; empty for the page."""

    regex = "(?:" + "|".join(f"\\{suffix}" for suffix in SUFFIXES) + ")?"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


class ComponentKinds:
    regex = "|".join(COMPONENTS)

    def to_python(self, value: str) -> str:
        return COMPONENTS[value]

    def to_url(self, value: str) -> str:
        return next(segment for segment, kind in COMPONENTS.items() if kind == value)


class ComponentName:
    """Of a component: anything, slashes too; what ends in `.json` is left to a `Twin` that follows."""

    regex = ".+?"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


def branch_lineage_url(branch: Branch) -> str:
    return f"{branch_url(branch)}/lineage"


def asset_lineage_url(asset: Asset) -> str:
    return f"{asset_url(asset)}/lineage"


def instance_lineage_url(asset: Asset, instance: Instance) -> str:
    return f"{instance_url(asset, instance)}/lineage"


def around_url(branch: Branch, node: str) -> str:
    """The lineage around a node, seen from a branch."""
    return f"{branch_lineage_url(branch)}?focus={quote(node)}"
