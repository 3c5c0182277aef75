"""Patterns of the addresses of pages, also used by lineage."""

from django.urls import register_converter

TWIN = ".json"
"""The suffix of a page's JSON twin."""


class Name:
    """One segment of an address; a final `.json` is left to a `Twin` that follows."""

    regex = "[^/]+?"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


class Kinds(Name):
    regex = "data|models"


class Reference(Name):
    """The reference of an instance. None is called `aliases`, where an alias may be called `lineage`."""

    regex = "(?!aliases/)[^/]+?"


class Twin:
    """The suffix of a page's JSON twin, or nothing."""

    regex = r"(?:\.json)?"

    def to_python(self, value: str) -> bool:
        return bool(value)

    def to_url(self, value: bool) -> str:
        return TWIN if value else ""


class Drawn(Name):
    """The suffix of a file that a chart is given as, or nothing."""

    regex = r"(?:\.json|\.csv|\.svg)?"


class Filed(Name):
    """The suffix of a file that a table is given as, or nothing."""

    regex = r"(?:\.json|\.csv)?"


register_converter(Drawn, "drawn")
register_converter(Filed, "filed")
register_converter(Name, "name")
register_converter(Kinds, "assets")
register_converter(Reference, "reference")
register_converter(Twin, "twin")

PROJECT = "<name:perimeter>/<name:project>"
BRANCH = f"{PROJECT}/<name:branch>"
ASSET = f"{BRANCH}/<assets:kind>/<name:asset_id>"
INSTANCE = f"{ASSET}/<reference:reference>"
HIGHLIGHT = f"{BRANCH}/highlights/<name:uid>"
