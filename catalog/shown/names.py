"""Names on pages: where a long one may break, and how one in another script stays apart from the words around it.

In HTML, <bdi> keeps a name apart; `isolated` does it where there are no elements: in titles, attributes and drawings.
"""

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Protocol

import markupsafe
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

LONGEST_PIECE = 24
"""After this many characters a piece of a name without a border, such as a hash, may break everywhere."""
_RIGHT_TO_LEFT = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\U00010800-\U00010fff\U0001e800-\U0001efff]")
_FIRST_STRONG_ISOLATE, _POP_ISOLATE = "\u2068", "\u2069"
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\ufffe\uffff\ud800-\udfff]")
_BORDER = re.compile(
    r"(?<=[/_.:=@,(-])(?=[^/_.:=@,()\s-])(?!(?<=[0-9]\.)[0-9])"  # after what stands between words, not in 0.78
    r"|(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])"  # TrainFlow, HTTPServer
)
_WITHIN = re.compile(rf"(?<=[A-Za-z0-9]{{{LONGEST_PIECE}}})(?=[A-Za-z0-9])")


def breakable(text: object) -> SafeString:
    """`text` as HTML that may break at the borders of its words: `Train<wbr>Flow/<wbr>1795/<wbr>start`."""
    return _breakable(str(text))


@lru_cache(maxsize=4096)
def _breakable(text: str) -> SafeString:
    pieces = (piece for word in _BORDER.split(text) for piece in _WITHIN.split(word))
    return mark_safe("<wbr>".join(map(escape, pieces)))  # noqa: S308 (each piece is escaped)


def isolated(text: object) -> str:
    """`text` for places without elements; what is written from right to left does not reorder the words around it.

    Text without such letters is returned as it is: the characters around the others can't be seen, but are copied.
    """
    written = str(text)
    if written.isascii() or not _RIGHT_TO_LEFT.search(written):
        return written
    return f"{_FIRST_STRONG_ISOLATE}{written}{_POP_ISOLATE}"


class Said(Protocol):
    """A sentence: its parts in their order, each with whether a user wrote it."""

    @property
    def parts(self) -> Iterable[tuple[str, bool]]: ...


def said(sentence: Said) -> SafeString:
    """A sentence as HTML, in which what users wrote stands apart."""
    parts = (
        f"<bdi>{breakable(part)}</bdi>" if is_name else markupsafe.escape(part) for part, is_name in sentence.parts
    )
    return mark_safe("".join(parts))  # noqa: S308 (each part is escaped)


def printable(text: str) -> str:
    """The text with a replacement character for each that XML forbids or that is invisible."""
    return _UNPRINTABLE.sub("\ufffd", text)
