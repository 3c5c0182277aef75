"""How two texts differ, line by line. Pure: no Django, no database."""

import difflib
from collections import Counter
from collections.abc import Iterable

from comparing.table import Lines

LINES_MOST = 2_000
"""Longer texts are not set side by side; their lines are only counted."""
ALL_LINES_MOST = 4 * LINES_MOST
"""So many lines of several texts are set beside one text; the lines of further texts are only counted."""
SHOWN_MOST = 400
CONTEXT = 2


def lines_of_each(before: str, texts: Iterable[str]) -> dict[str, Lines]:
    """What became of the lines of a text in each of several, the first ones in full."""
    found: dict[str, Lines] = {}
    left = ALL_LINES_MOST
    for text in dict.fromkeys(texts):
        left -= text.count("\n") if text != before else 0
        found[text] = lines_between(before, text) if left >= 0 else counted_between(before, text)
    return found


def counted_between(before: str, after: str) -> Lines:
    """How many lines only one of two texts has."""
    gone, come = Counter(before.splitlines()), Counter(after.splitlines())
    return Lines((come - gone).total(), (gone - come).total(), cut=True)


def lines_between(before: str, after: str) -> Lines:
    """What became of the lines of a text."""
    old, new = before.splitlines(), after.splitlines()
    if len(old) > LINES_MOST or len(new) > LINES_MOST:
        return counted_between(before, after)
    lines = list(difflib.unified_diff(old, new, lineterm="", n=CONTEXT))[2:]
    added = sum(line.startswith("+") for line in lines)
    removed = sum(line.startswith("-") for line in lines)
    return Lines(added, removed, tuple(lines[:SHOWN_MOST]), cut=len(lines) > SHOWN_MOST)
