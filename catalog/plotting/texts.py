"""Names that users wrote, in drawings and in sentences."""

from catalog.shown.names import isolated, printable


def named(text: str) -> str:
    """A name for where there are no elements: XML takes it, and it does not reorder the words around it."""
    return isolated(printable(text))
