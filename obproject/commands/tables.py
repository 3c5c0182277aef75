"""Plain tables: aligned columns of one line each."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime


def table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return rows below a header, each column as wide as its longest cell."""
    cells = [header, *([one_line(cell) for cell in row] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in cells)
    return "\n".join(line.rstrip() for line in lines)


def section(title: str, header: Sequence[str], rows: Sequence[Sequence[object]], nothing: str) -> str:
    """Return a table below its title; ``nothing`` says what an empty one means."""
    return f"{title}\n{table(header, rows) if rows else nothing}"


def one_line(value: object) -> str:
    """Return a text on one line; what could steer a terminal becomes ``\\ufffd``."""
    words = " ".join(str(value).split())
    return "".join(character if character.isprintable() else "\ufffd" for character in words)


def format_time(text: str) -> str:
    """Return a time of the wire as it stands in tables: UTC, to the second."""
    return datetime.fromisoformat(text).astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")
