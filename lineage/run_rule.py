"""The rule of runs: which readings count for what a run registers, and whether that is known or presumed.

docs/lineage.md states it. Pure: it knows readings and registrations by their positions and times only.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Any

from obproject.sessions import LIFETIME

Path = tuple[tuple[str, int], ...]
"""The foreaches that a task is in, from the outermost: the step and the index of each."""


class Verdict(Enum):
    NO = 0
    PRESUMED = 1
    YES = 2


@dataclass(frozen=True, slots=True)
class Position:
    """Where in its run a task attempt is; None: not told."""

    task: str
    """Flow/run/step/task."""
    attempt: int | None = None
    path: Path | None = None
    iteration: int | None = None

    @property
    def step(self) -> str:
        return self.task.split("/")[2]


@dataclass(frozen=True, slots=True)
class Reading:
    """A consumption, by a run or session, or by an entity without one."""

    pk: int
    content: Any
    """The key of what was read."""
    run: Any
    at: datetime
    entity: str
    component: int
    branch: str
    role: str | None
    failed: bool
    """Whether the attempt that read it failed."""
    position: Position


def path_of(text: str | None) -> Path | None:
    """A foreach path as Metaflow writes it."""
    if text is None:
        return None
    frames = (frame.rpartition(":") for frame in text.split(",") if frame)
    return tuple((step, int(index)) for step, _, index in frames)


class StepGraph:
    """Which steps can come after which; empty if the graph is not known."""

    def __init__(self, after: Mapping[str, Sequence[str]] | None) -> None:
        self._after = after or {}
        self._reached: dict[str, set[str]] = {}

    def has(self, step: str) -> bool:
        return step in self._after

    def leads(self, one: str, other: str) -> bool:
        """Whether a way of at least one arrow leads from a step to another; both must be there."""
        return other in self.reached(one)

    def reached(self, step: str) -> set[str]:
        """The steps that can come after a step."""
        if step not in self._reached:
            found: set[str] = set()
            ahead = list(self._after.get(step, ()))
            while ahead:
                if (next_step := ahead.pop()) not in found:
                    found.add(next_step)
                    ahead.extend(self._after.get(next_step, ()))
            self._reached[step] = found
        return self._reached[step]


def are_splits(one: Path, other: Path) -> bool:
    """Whether a foreach keeps two tasks apart: at the first difference of their paths only the index differs."""
    for (step, index), (other_step, other_index) in zip(one, other, strict=False):
        if step != other_step:
            return False
        if index != other_index:
            return True
    return False


def verdict(reading: Reading, made: Position, graph: StepGraph) -> Verdict:
    """Whether a reading counts for what a task registers later; of times it knows nothing."""
    read = reading.position
    same_attempt = read.attempt is not None and read.attempt == made.attempt
    if read.task == made.task:
        if reading.failed or (read.attempt is not None and made.attempt is not None):
            return Verdict.YES if same_attempt else Verdict.NO
        return Verdict.PRESUMED
    if reading.failed:
        return Verdict.NO
    if not graph.has(read.step) or not graph.has(made.step):
        return Verdict.PRESUMED
    if not graph.leads(read.step, made.step):
        return Verdict.NO
    if read.path is None or made.path is None:
        return Verdict.PRESUMED
    if are_splits(read.path, made.path):
        return Verdict.NO
    if read.step == made.step and read.path == made.path:
        if read.iteration is None or made.iteration is None:
            return Verdict.PRESUMED
        return Verdict.YES if read.iteration < made.iteration else Verdict.NO
    return Verdict.YES


@dataclass(frozen=True, slots=True)
class Part:
    """The readings with which a run registered something; `ident` is the same for the same ones."""

    ident: int | tuple[int, int]
    readings: Sequence[Reading]
    by: str
    """`task`, `run` or `session`: how it is known that these are all that count."""


class Series:
    """Readings in the order of their times, with an identity for each beginning of the series."""

    def __init__(self, readings: Iterable[Reading]) -> None:
        self.readings = sorted(readings, key=lambda row: (row.at, row.pk))
        self.times = [row.at for row in self.readings]
        self.idents = [0]
        for row in self.readings:
            self.idents.append(hash((self.idents[-1], row.pk)))

    def count(self, at: datetime) -> int:
        return bisect_right(self.times, at)


@dataclass(frozen=True, slots=True)
class Inputs:
    """All readings that count for what one task attempt registers, if they came before."""

    series: Series
    first_presumed: int
    """The place of the first that only is presumed to count."""

    def until(self, at: datetime) -> Part:
        count = self.series.count(at)
        by = "task" if count <= self.first_presumed else "run"
        return Part(self.series.idents[count], self.series.readings[:count], by)


def part_of_session(series: Series, at: datetime) -> Part:
    """The readings of a session that count for what it registers: those of its lifetime before."""
    first, count = bisect_left(series.times, at - LIFETIME), series.count(at)
    return Part((first, count) if first < count else 0, series.readings[first:count], "session")


@dataclass
class _Branching:
    """The readings of tasks with one foreach path, and what is further inside: by step, and by index."""

    readings: list[Reading] = field(default_factory=list)
    inside: dict[str, dict[int, _Branching]] = field(default_factory=lambda: defaultdict(dict))

    def at(self, path: Path) -> _Branching:
        here = self
        for step, index in path:
            here = here.inside[step].setdefault(index, _Branching())
        return here

    def all(self) -> Iterator[Reading]:
        yield from self.readings
        for splits in self.inside.values():
            for split in splits.values():
                yield from split.all()

    def beside(self, path: Path) -> Iterator[Reading]:
        """The readings that no foreach keeps apart from a task with this path."""
        if not path:
            yield from self.all()
            return
        yield from self.readings
        (step, index), *rest = path
        for other, splits in self.inside.items():
            if other != step:
                for split in splits.values():
                    yield from split.all()
            elif index in splits:
                yield from splits[index].beside(tuple(rest))


class RunInputs:
    """What counts for each task of one run, among its own readings and those that it took over.

    `presumed` are readings of which it is only presumed that the run took them over. Splits of a foreach are looked
    up in a tree of their paths, so that a foreach of thousands costs each split no more than what it reads.
    """

    def __init__(self, graph: StepGraph, readings: Iterable[Reading], presumed: Iterable[Reading] = ()) -> None:
        self._graph = graph
        self._placed = _Branching()
        self._others: list[Reading] = []
        """Those without a foreach path, or presumed."""
        self._of_task: dict[str, list[Reading]] = defaultdict(list)
        self._alive: list[Reading] = []
        self._taken_on_trust: set[int] = set()
        self._known: dict[Position, Inputs] = {}
        self._shared: Series | None = None
        for row in readings:
            self._add(row)
        for row in presumed:
            self._taken_on_trust.add(row.pk)
            self._add(row)

    def _add(self, row: Reading) -> None:
        self._of_task[row.position.task].append(row)
        if row.failed:
            return
        self._alive.append(row)
        if row.position.path is None or row.pk in self._taken_on_trust:
            self._others.append(row)
        else:
            self._placed.at(row.position.path).readings.append(row)

    def of(self, made: Position) -> Inputs:
        if made not in self._known:
            self._known[made] = self._found(made)
        return self._known[made]

    def _found(self, made: Position) -> Inputs:
        own = self._of_task.get(made.task, [])
        if not self._graph.has(made.step) and all(_is_of(row, made) for row in own):
            if self._shared is None:  # without a graph all tasks have the same
                self._shared = Series(self._alive)
            return self._inputs(self._shared, made)
        placed = self._placed.all() if made.path is None else self._placed.beside(made.path)
        candidates = {row.pk: row for row in (*placed, *self._others, *own)}.values()
        counting = (row for row in candidates if verdict(row, made, self._graph) is not Verdict.NO)
        return self._inputs(Series(counting), made)

    def _inputs(self, series: Series, made: Position) -> Inputs:
        presumed = (place for place, row in enumerate(series.readings) if self._is_presumed(row, made))
        return Inputs(series, next(presumed, len(series.readings)))

    def _is_presumed(self, row: Reading, made: Position) -> bool:
        return row.pk in self._taken_on_trust or verdict(row, made, self._graph) is Verdict.PRESUMED


def _is_of(reading: Reading, made: Position) -> bool:
    """Whether a reading is of this very attempt."""
    return not reading.failed and reading.position.attempt is not None and reading.position.attempt == made.attempt
