"""Addresses of lineage, and the suffixes that say in which form it is wanted."""

from urllib.parse import quote

from catalog.addresses import COMPONENT_SEGMENTS, branch_lineage_url
from catalog.models import Branch

SUFFIXES = (".json", ".svg", ".csv", ".dot", ".mmd", ".ndjson")
LABELS = {
    ".json": "JSON",
    ".svg": "SVG, the drawing",
    ".csv": "CSV, the arrows",
    ".dot": "DOT, for Graphviz",
    ".mmd": "Mermaid",
    ".ndjson": "OpenLineage events",
}


class Suffix:
    """The form in which an answer is wanted; empty for the page."""

    regex = "(?:" + "|".join(f"\\{suffix}" for suffix in SUFFIXES) + ")?"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


class ComponentKinds:
    regex = "|".join(COMPONENT_SEGMENTS.values())

    def to_python(self, value: str) -> str:
        return next(kind for kind, segment in COMPONENT_SEGMENTS.items() if segment == value)

    def to_url(self, value: str) -> str:
        return COMPONENT_SEGMENTS[value]


class ComponentName:
    """Of a component: anything, slashes too; what ends in `.json` is left to a `Twin` that follows."""

    regex = ".+?"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


def around_url(branch: Branch, node: str) -> str:
    """The lineage around a node, seen from a branch."""
    return f"{branch_lineage_url(branch)}?focus={quote(node)}"
