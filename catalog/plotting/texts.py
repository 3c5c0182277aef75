"""Names that users wrote, in drawings and in sentences."""

from catalog.shown.names import isolated, printable

LONGEST = 36
"""So many letters of a name have room in a drawing, also on a phone."""


def named(text: str) -> str:
    """A name for where there are no elements: XML takes it, and it does not reorder the words around it."""
    return isolated(printable(text))


def short(text: str, most: int = LONGEST) -> str:
    """The same cut in its middle, for where there is no room: many names differ only at their ends."""
    if len(text) <= most:
        return named(text)
    start = (most - 1) * 2 // 3
    return named(f"{text[:start]}…{text[start + 1 - most :]}")
