"""What a comparison of versions consists of: groups of rows, a cell for each version. Pure: plain values.

A row is about one thing, such as a tag, and `differs` where any version says something else of it than the base. Pages
show what differs and fold the rest; nothing is left out without being counted.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from catalog.metrics import BETTER
from comparing.deltas import Delta, Side, Wanted
from comparing.noise import Noise
from comparing.sentences import Name, Sentence

ROWS_MOST = 500
"""How many rows a group has, those that differ first; the others are counted."""
METRICS_MOST = 200
"""The same for metrics, the headline before those that differ."""


@dataclass(frozen=True)
class Lines:
    """How a text differs from the base's: how many lines were added and removed, and the lines themselves with a sign
    before each. `cut`: the texts are too long to be set side by side, or not all lines are here."""

    added: int = 0
    removed: int = 0
    lines: tuple[str, ...] = ()
    cut: bool = False


@dataclass(frozen=True)
class Cell:
    """What one version says. `said` are the page's own words with names in them, never empty; `value` is the same for
    JSON. `as_base`: it equals what the base says."""

    said: Sentence
    value: Any = None
    as_base: bool = False
    url: str = ""
    is_outside: bool = False
    notes: tuple[Sentence, ...] = ()
    lines: Lines | None = None
    compare_url: str = ""
    """Where the difference to the base is shown elsewhere: at the host of a repository."""

    def shape(self) -> dict[str, Any]:
        found: dict[str, Any] = {"value": self.value, "as_base": self.as_base}
        if self.notes:
            found["notes"] = [str(note) for note in self.notes]
        if self.lines:
            found |= {"lines_added": self.lines.added, "lines_removed": self.lines.removed}
        if self.compare_url:
            found["compare_url"] = self.compare_url
        return found


@dataclass(frozen=True)
class Row:
    """`key` names it in JSON, within its group; `what` is the page's word for it, such as "Parameter", and `name` what
    users call it."""

    key: str
    cells: Sequence[Cell]
    what: str = ""
    name: str = ""

    @cached_property
    def differs(self) -> bool:
        return not all(cell.as_base for cell in self.cells)

    @property
    def shape(self) -> dict[str, Any]:
        versions = [cell.shape() for cell in self.cells]
        return {"key": self.key, "name": self.name or None, "differs": self.differs, "versions": versions}


@dataclass(frozen=True)
class Group:
    """`key` is "facts", "code", "inputs", "contents" or "definition"; `left_out` counts rows beyond the most."""

    key: str
    title: str
    rows: Sequence[Row]
    left_out: int = 0

    @property
    def differing(self) -> list[Row]:
        return [row for row in self.rows if row.differs]

    @property
    def equal(self) -> list[Row]:
        return [row for row in self.rows if not row.differs]

    @property
    def shape(self) -> dict[str, Any]:
        return {"rows": [row.shape for row in self.rows], "left_out": self.left_out}


@dataclass(frozen=True)
class MetricRow:
    """One metric of all versions. `deltas` has None in the place of the base."""

    name: str
    unit: str
    wanted: Wanted | None
    declared: bool
    headline: bool
    noise: Noise | None
    sides: Sequence[Side]
    deltas: Sequence[Delta | None]

    @cached_property
    def differs(self) -> bool:
        return any(delta is not None and delta.differs for delta in self.deltas)

    @property
    def shape(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "unit": self.unit or None,
            "headline": self.headline,
            "better": BETTER.get(self.wanted or ""),
            "better_is_declared": self.declared,
            "noise": self.noise.size if self.noise else None,
            "noise_is_declared": self.noise.declared if self.noise else None,
            "noise_steps": self.noise.steps if self.noise else None,
            "differs": self.differs,
            "versions": [self._version(at) for at in range(len(self.sides))],
        }

    def _version(self, at: int) -> dict[str, Any]:
        side, delta = self.sides[at], self.deltas[at]
        said = {"value": side.value, "said": str(side.why) or None}
        return said | (delta.beside_base if delta else {"is_base": True})


@dataclass(frozen=True)
class Metrics:
    """The headline first, then what differs, then the rest. `left_out` counts those beyond the most, of which
    `left_out_differing` differ."""

    rows: Sequence[MetricRow]
    left_out: int = 0
    left_out_differing: int = 0

    @property
    def differing(self) -> list[MetricRow]:
        return [row for row in self.rows if row.differs]


@dataclass(frozen=True)
class Folded:
    """Names that no row is made of: those that change in every version, and those that the project doesn't compare."""

    changing: tuple[str, ...] = ()
    not_compared: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        return (*self.changing, *self.not_compared)


def group_of(key: str, title: str, rows: Sequence[Row]) -> Group:
    """At most so many rows; of more, those that differ come first."""
    if len(rows) > ROWS_MOST:
        kept = sorted(rows, key=lambda row: not row.differs)[:ROWS_MOST]
        return Group(key, title, kept, len(rows) - ROWS_MOST)
    return Group(key, title, list(rows))


def row_of(key: str, said: Sequence[tuple[Sentence, Any]], base: int, *, what: str = "", name: str = "") -> Row:
    """A row of plain values: each as it is said, and as it is compared and told as JSON."""
    cells = [Cell(sentence, value, as_base=same(value, said[base][1])) for sentence, value in said]
    return Row(key, cells, what, name)


def same(one: Any, other: Any) -> bool:
    """Whether two values are equal as JSON has them: truth is no number."""
    if isinstance(one, bool) != isinstance(other, bool):
        return False
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(value, other[key]) for key, value in one.items())
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(one == other)


def text(value: str) -> Sentence:
    """What users wrote, whole; a word where it is empty."""
    return Sentence(Name(value)) if value else Sentence("empty")
