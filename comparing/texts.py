"""How two texts differ, line by line. Pure: no Django, no database."""

import difflib
from collections import Counter

from comparing.table import Lines

LINES_MOST = 2_000
"""Longer texts are not set side by side; their lines are only counted."""
SHOWN_MOST = 400
CONTEXT = 2


def lines_between(before: str, after: str) -> Lines:
    """What became of the lines of a text."""
    old, new = before.splitlines(), after.splitlines()
    if len(old) > LINES_MOST or len(new) > LINES_MOST:
        gone, come = Counter(old), Counter(new)
        return Lines((come - gone).total(), (gone - come).total(), cut=True)
    lines = list(difflib.unified_diff(old, new, lineterm="", n=CONTEXT))[2:]
    added = sum(line.startswith("+") for line in lines)
    removed = sum(line.startswith("-") for line in lines)
    return Lines(added, removed, tuple(lines[:SHOWN_MOST]), cut=len(lines) > SHOWN_MOST)
