"""URL converters: the names of two branches, and the suffix of an answer's format."""

from django.urls import register_converter

FORMS = {".json": "JSON", ".md": "Markdown", ".svg": "SVG, the drawing"}
"""The suffixes of a comparison of branches, and their names on the page."""
PAGES_OF_BRANCHES = "assets|data|deployments|evaluations|flows|highlights|lineage|models|people"
"""What begins the addresses of the pages of a branch, also of one that is called `compare`."""


class WrittenBranch:
    """A branch as somebody writes it, with slashes. What a page of a branch could be is none; its key can be asked."""

    regex = rf"(?!(?:{PAGES_OF_BRANCHES})/).+?"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


class Form:
    """The suffix of a format; empty for the page."""

    regex = "(?:" + "|".join(f"\\{suffix}" for suffix in FORMS) + ")?"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


register_converter(WrittenBranch, "written")
register_converter(Form, "form")
