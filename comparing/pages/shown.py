"""What the page of a comparison shows of it: what differs, at most so much of each kind, and the rest counted."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from comparing.pages.columns import Column
from comparing.sameness import Comparability
from comparing.sentences import Sentence
from comparing.table import Group, Lines, MetricRow, Metrics, Row

MOST_METRICS = 20
"""How many rows of metrics there are unless all are asked for."""
EQUAL_ROWS = 200
PLURALS = {"property": "properties", "declared property": "declared properties"}
"""Of words that have no plain one."""
LOOKS = {"+": "added", "-": "gone", "@": "place"}


@dataclass(frozen=True)
class ShownGroup:
    """`more`: how many rows were too many."""

    heading: str
    rows: Sequence[Row]
    more: int = 0


@dataclass(frozen=True)
class EqualRow:
    """What all versions say of one thing."""

    what: str
    name: str
    said: Sentence


@dataclass(frozen=True)
class Equal:
    """What is equal in all versions: how much, in the words of `kinds`; the first rows, and how many more there are."""

    count: int
    kinds: str
    rows: Sequence[EqualRow]
    more: int


@dataclass(frozen=True)
class Diff:
    """The README of one version beside the base's."""

    column: Column
    lines: Lines

    @property
    def signed(self) -> list[tuple[str, str]]:
        """Each line with its look."""
        return [(LOOKS.get(line[:1], ""), line) for line in self.lines.lines]


def metrics_shown(metrics: Metrics, *, every: bool) -> list[MetricRow]:
    """The headline and what differs, at most so many; or every one."""
    if every:
        return list(metrics.rows)
    return [row for row in metrics.rows if row.headline or row.differs][:MOST_METRICS]


def on_what_data(metrics: Metrics) -> list[Comparability | None]:
    """Of each version whether it was measured on the same data as the base, in whose place there is None; none at all
    without metrics."""
    deltas = metrics.rows[0].deltas if metrics.rows else []
    return [delta.comparability if delta else None for delta in deltas]


def groups_shown(groups: Iterable[Group], *, with_equal: bool) -> list[ShownGroup]:
    shown = [ShownGroup(group.title, group.rows if with_equal else group.differing, group.left_out) for group in groups]
    return [group for group in shown if group.rows]


def equal_in(groups: Iterable[Group], metrics: Metrics, shown: Sequence[MetricRow]) -> Equal | None:
    """None if nothing is but the metrics that are shown."""
    seen = {row.name for row in shown}
    measures = [row for row in metrics.rows if not row.differs and row.name not in seen]
    rows = [EqualRow("Metric", row.name, Sentence(row.sides[0].text)) for row in measures]
    rows += [EqualRow(row.what, row.name, row.cells[0].said) for group in groups for row in group.equal]
    counts = Counter(row.what.lower() if row.name else "" for row in rows)
    kinds = ", ".join(f"{count} {_plural(what, count)}" for what, count in sorted(counts.items(), reverse=True))
    return Equal(len(rows), kinds, rows[:EQUAL_ROWS], len(rows[EQUAL_ROWS:])) if rows else None


def _plural(what: str, count: int) -> str:
    singular = what or "other fact"
    return singular if count == 1 else PLURALS.get(singular, f"{singular}s")


def diffs_of(columns: Sequence[Column], groups: Iterable[Group]) -> list[Diff]:
    """Of each version whose README is another than the base's."""
    rows = [row for group in groups for row in group.rows if row.key == "readme"]
    cells = [(column, cell.lines) for row in rows for column, cell in zip(columns, row.cells, strict=True)]
    return [Diff(column, lines) for column, lines in cells if lines is not None and not column.is_base]
