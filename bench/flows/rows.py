"""A line of the table, and how numbers are written in it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """One measurement; `met` is None if there is no target."""

    name: str
    target: str
    measured: str
    met: bool | None = None


def ms(seconds: float) -> str:
    return f"{seconds * 1000:.1f} ms"


def beside(seconds: float, other: float) -> str:
    return f"{ms(seconds)}, {ms(other)}"
