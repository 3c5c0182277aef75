"""Tables as CSV by RFC 4180, which no spreadsheet runs.

What users write is free text, and spreadsheets take a cell that begins with `=`, `+`, `-`, `@`, a tab or a line break
for a formula. Such a cell gets an apostrophe in front, which spreadsheets read as "this is text"; programs that read
the file remove it. Numbers are numbers, also those below zero.
"""

import csv
from collections.abc import Iterable, Sequence
from io import StringIO

CSV = "text/csv; charset=utf-8; header=present"
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""The first characters of formulas, with the full-width forms that East Asian spreadsheets accept."""


def csv_of(rows: Iterable[Sequence[str | float | None]]) -> str:
    """The rows, of which the first are the heads; None is an empty cell."""
    table = StringIO()
    csv.writer(table).writerows([guarded(cell) if isinstance(cell, str) else cell for cell in row] for row in rows)
    return table.getvalue()


def guarded(cell: str) -> str:
    return f"'{cell}" if cell.startswith(_FORMULA) else cell
