"""The forms in which an answer is wanted, by the suffix of its address; and the parts of an address of a component."""

from django.urls import register_converter

from catalog.addresses import COMPONENT_SEGMENTS
from lineage.exports import EXPORTS

FORMS = {".json": "JSON", ".svg": "SVG, the drawing"} | {f".{name}": export.label for name, export in EXPORTS.items()}
"""The suffixes, and what the page calls them."""


class Suffix:
    """The form in which an answer is wanted; empty for the page."""

    regex = "(?:" + "|".join(f"\\{suffix}" for suffix in FORMS) + ")?"

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


register_converter(Suffix, "suffix")
register_converter(ComponentKinds, "components")
register_converter(ComponentName, "component")
