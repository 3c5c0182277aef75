"""URL converters: the suffix of an answer's format, and the kind and name of a component."""

from django.urls import register_converter

from catalog.addresses import COMPONENT_SEGMENTS
from lineage.exports import EXPORTS

FORMS = {".json": "JSON", ".svg": "SVG, the drawing"} | {f".{name}": export.label for name, export in EXPORTS.items()}
"""The suffixes, and their names on the page."""


class Suffix:
    """The suffix of a format; empty for the page."""

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
    """The name of a component: any text, slashes too; a final `.json` is left to the `Twin` after it."""

    regex = ".+?"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


register_converter(Suffix, "suffix")
register_converter(ComponentKinds, "components")
register_converter(ComponentName, "component")
