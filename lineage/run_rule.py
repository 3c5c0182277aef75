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
from functools import lru_cache
from hashlib import sha256
from typing import Any

from obproject.sessions import LIFETIME

Path = tuple[tuple[str, int], ...]
"""The foreaches that a task is in, from the outermost: the step and the index of each."""


class Verdict(Enum):
    NO = 0
    PRESUMED = 1
    YES = 2


def step_of(task: str) -> str:
    """The step of a task, which is named Flow/run/step/task; empty for other entities."""
    parts = task.split("/")
    return parts[2] if len(parts) == 4 else ""


@dataclass(frozen=True, slots=True)
class Position:
    """Where in its run a task attempt is; None: not told."""

    task: str
    """Flow/run/step/task."""
    attempt: int | None = None
    path: Path | None = None
    iteration: int | None = None
    step: str = field(init=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "step", step_of(self.task))


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
    """A foreach path as Metaflow writes it; None if it is not told, or makes no sense."""
    if text is None:
        return None
    frames = [frame.rpartition(":") for frame in text.split(",") if frame]
    if not all(index.isdecimal() for *_, index in frames):
        return None
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


class Series:
    """Readings in the order of their times, with an identity for the set of things that is read in a span of them."""

    def __init__(self, readings: Iterable[Reading]) -> None:
        self.readings = sorted(readings, key=lambda row: (row.at, row.pk))
        self.times = [row.at for row in self.readings]
        self._from_the_first = list(_idents(self.readings))
        self._others: dict[tuple[int, int], int] = {}

    def count(self, at: datetime) -> int:
        return bisect_right(self.times, at)

    def ident(self, first: int, end: int) -> int:
        if first == 0 or first >= end:
            return self._from_the_first[end if first == 0 else 0]
        if (first, end) not in self._others:
            *_, self._others[first, end] = _idents(self.readings[first:end])
        return self._others[first, end]


def _idents(readings: Iterable[Reading]) -> Iterator[int]:
    """The identity of what is read by none, by the first, by the first two of these readings, and so on."""
    seen: set[Any] = set()
    ident = 0
    yield ident
    for row in readings:
        if row.content not in seen:
            seen.add(row.content)
            ident = (ident + _number(row.content)) % (1 << 128)
        yield ident


@lru_cache(maxsize=16_384)
def _number(content: Any) -> int:
    return int.from_bytes(sha256(repr(content).encode()).digest()[:16])


@dataclass(frozen=True, slots=True)
class Part:
    """The readings with which a run registered something: a span of a series."""

    series: Series
    first: int
    end: int
    by: str
    """`task`, `run` or `session`: how it is known that these are all that count."""

    @property
    def ident(self) -> int:
        """The same for the same set of things read."""
        return self.series.ident(self.first, self.end)

    @property
    def readings(self) -> Sequence[Reading]:
        return self.series.readings[self.first : self.end]


@dataclass(frozen=True, slots=True)
class Inputs:
    """All readings that count for what one task attempt registers, if they came before."""

    series: Series
    doubted_from: datetime | None
    """The time of the first of which it is only presumed that it counts, or that it doesn't."""

    def until(self, at: datetime) -> Part:
        is_sure = self.doubted_from is None or at < self.doubted_from
        return Part(self.series, 0, self.series.count(at), "task" if is_sure else "run")


def part_of_session(series: Series, at: datetime) -> Part:
    """The readings of a session that count for what it registers: those of its lifetime before."""
    first, end = bisect_left(series.times, at - LIFETIME), series.count(at)
    return Part(series, min(first, end), end, "session")


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


@dataclass
class TakenOver:
    """The readings of other runs' tasks that a resumed run took over."""

    known: list[Reading] = field(default_factory=list)
    presumed: list[Reading] = field(default_factory=list)
    """Those of which it is only presumed that the run took them over."""
    left: list[Reading] = field(default_factory=list)
    """Those of which it is presumed that it did not, as their steps were run anew."""

    def add(self, other: TakenOver) -> None:
        self.known += other.known
        self.presumed += other.presumed
        self.left += other.left


class RunInputs:
    """What counts for each task of one run, among its own readings and those that it took over.

    Splits of a foreach are looked up in a tree of their paths, so that a foreach of thousands costs each split no more
    than what it reads.
    """

    def __init__(self, graph: StepGraph, own: Iterable[Reading], taken: TakenOver) -> None:
        self._graph = graph
        self._placed = _Branching()
        self._others: list[Reading] = []
        """Those that no foreach path can keep apart from a task, or that are only presumed."""
        self._of_task: dict[str, list[Reading]] = defaultdict(list)
        self._alive: dict[int, Reading] = {}
        self._presumed: set[int] = set()
        self._known: dict[Position, Inputs] = {}
        self._shared: Series | None = None
        known = {row.pk: row for row in (*own, *taken.known)}
        for row in known.values():
            self._add(row)
        for row in taken.presumed:
            if row.pk not in known and row.pk not in self._presumed:
                self._presumed.add(row.pk)
                self._add(row)
        self._left = [row for row in taken.left if row.pk not in known and row.pk not in self._presumed]

    def _add(self, row: Reading) -> None:
        self._of_task[row.position.task].append(row)
        if row.failed:
            return
        self._alive[row.pk] = row
        if row.position.path is None or row.pk in self._presumed or not self._graph.has(row.position.step):
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
                self._shared = Series(self._alive.values())
            first = next((row.at for row in self._shared.readings if row.position.task != made.task), None)
            return Inputs(self._shared, self._first_doubt(made, first))
        counting, doubted = [], None
        for row in self._candidates(made, own):
            said = verdict(row, made, self._graph)
            if said is not Verdict.NO:
                counting.append(row)
                if said is Verdict.PRESUMED or row.pk in self._presumed:
                    doubted = min(row.at, doubted or row.at)
        return Inputs(Series(counting), self._first_doubt(made, doubted))

    def _candidates(self, made: Position, own: Iterable[Reading]) -> Iterable[Reading]:
        """All readings that may count for a task, each once."""
        if not self._graph.has(made.step):
            return {**self._alive, **{row.pk: row for row in own}}.values()
        placed = self._placed.all() if made.path is None else self._placed.beside(made.path)
        return {row.pk: row for row in (*placed, *self._others, *own)}.values()

    def _first_doubt(self, made: Position, first: datetime | None) -> datetime | None:
        """The earlier of a time and of the first reading that would count, had its step not been run anew."""
        for row in self._left:
            if (first is None or row.at < first) and verdict(row, made, self._graph) is not Verdict.NO:
                first = row.at
        return first


def _is_of(reading: Reading, made: Position) -> bool:
    """Whether a reading is of this very attempt."""
    return not reading.failed and reading.position.attempt is not None and reading.position.attempt == made.attempt
