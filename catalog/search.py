"""Finding things by the beginning of their names, in all perimeters of a viewer, from one index.

The statement is written here: for each perimeter, kind and rank it reads the first few rows of one range of the index
`names_in_order`. So it costs the same whatever there is, and whatever others have.
"""

from collections import Counter
from dataclasses import dataclass
from typing import NamedTuple

from django.db import connection

from access.identity import Viewer
from catalog.folding import AFTER_ALL, key_of
from catalog.models import NameStart
from catalog.name_starts import RANKS, WHOLE_NAMES

MOST = 20
"""How many things of a kind are found."""
ROWS = 2 * MOST + 1
"""How many rows are read of a range; something is there twice if two of its words begin so."""
RANGES_AT_ONCE = 400
"""How many ranges one statement reads; SQLite takes 500."""


Row = tuple[int, str, int, bytes, int]
"""Perimeter, kind, rank, name and target."""


class Start(NamedTuple):
    """A row of the index; they are shown in the order of its members."""

    is_more: bool
    """Whether the name has more than what was searched."""
    rank: int
    key: bytes
    newest_first: int
    target: int


@dataclass(frozen=True)
class Found:
    """The keys of the things of one kind, the best first; `cut` if there are more."""

    targets: list[int]
    cut: bool


def found_by(viewer: Viewer, text: str) -> dict[str, Found]:
    """What the viewer may see and whose name, or a later word of it, begins so, by kind. Nothing for an empty text."""
    key = key_of(text)
    rows = _rows(sorted(viewer.perimeter_ids()), key) if key else []
    full = {kind for (_, kind, _), number in Counter(row[:3] for row in rows).items() if number == ROWS}
    starts: dict[str, list[Start]] = {}
    for _, kind, rank, name, target in rows:
        is_more = rank > WHOLE_NAMES or bytes(name) != key
        starts.setdefault(kind, []).append(Start(is_more, rank, bytes(name), -target, target))
    return {kind: _found(sorted(each), kind in full) for kind, each in starts.items()}


def _found(starts: list[Start], cut: bool) -> Found:
    targets = list(dict.fromkeys(start.target for start in starts))
    return Found(targets[:MOST], cut or len(targets) > MOST)


def _rows(perimeters: list[int], key: bytes) -> list[Row]:
    ranges = [(perimeter, kind, rank) for perimeter in perimeters for kind, ranks in RANKS.items() for rank in ranks]
    found: list[Row] = []
    for first in range(0, len(ranges), RANGES_AT_ONCE):
        some = ranges[first : first + RANGES_AT_ONCE]
        values = [value for each in some for value in (*each, key, key + AFTER_ALL)]
        with connection.cursor() as cursor:
            cursor.execute(statement(len(some)), values)
            found += cursor.fetchall()
    return found


def statement(ranges: int) -> str:
    """The statement that reads so many ranges."""
    return " UNION ALL ".join([_RANGE] * ranges)


_RANGE = f"""
    SELECT * FROM (
        SELECT perimeter_id, kind, rank, key, target FROM {NameStart._meta.db_table}
        WHERE perimeter_id = %s AND kind = %s AND rank = %s AND key >= %s AND key < %s
        ORDER BY key, target DESC LIMIT {ROWS}
    ) AS range
"""  # noqa: S608 (names of tables and columns, and no values)
