"""What the catalogue knows of runs: their graphs, and which of them resumed which. Rows are loaded as needed."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, fields
from typing import Any

from django.db.models import Q

from catalog.models import ClonedTask, Run
from lineage.graph import RunFacts
from lineage.run_rule import StepGraph

CHAIN_MOST = 50
"""The most resumes that are followed one after another."""
RunKey = tuple[int, str]
"""Perimeter and name."""


@dataclass(frozen=True, slots=True)
class RunRow:
    """A run as its row has it; `origin` is the run that it resumes."""

    graph: StepGraph
    origin: RunKey | None = None
    clones_are_known: bool = False
    facts: RunFacts | None = None


UNKNOWN = RunRow(StepGraph(None))
FACTS = tuple(field.name for field in fields(RunFacts))
"""The columns of a run that are its facts."""
READ = ("graph", "clones_read_at")


class RunRows:
    """Runs with all that they resumed, and all that resumed them. `whole`: with all that their rows say, in `said`."""

    def __init__(self, *, whole: bool = False) -> None:
        self.said: dict[RunKey, Run] = {}
        self._whole = whole
        self.cut = False
        """Whether a chain of resumes was too long to be followed to its end."""
        self._rows: dict[RunKey, RunRow] = {}
        self._asked: set[RunKey] = set()
        self._originals: dict[RunKey, dict[str, str]] = {}
        """The original of each cloned task, by the run that took it over."""
        self._resumes: dict[RunKey, set[RunKey]] = defaultdict(set)

    def load(self, runs: Collection[RunKey]) -> None:
        """Load what is not known of these: one query; if any was resumed two more, and one for each further link."""
        wanted, links = set(runs) - self._asked, 0
        cloning: dict[int, RunKey] = {}
        while wanted:
            if links > CHAIN_MOST:
                self.cut = True
                break
            links += 1
            self._asked |= wanted
            wanted = self._store(self._read(wanted), cloning) - self._asked
        self._load_originals(cloning)

    def asked(self, run: RunKey) -> bool:
        """Whether it was looked for."""
        return run in self._asked

    def row(self, run: RunKey) -> RunRow:
        return self._rows.get(run, UNKNOWN)

    def originals(self, run: RunKey) -> dict[str, str]:
        """The original of each task that a run took over, by its own name; both are Flow/run/step/task."""
        return self._originals.get(run, {})

    def resumed(self, runs: Iterable[RunKey]) -> set[RunKey]:
        """These runs and those that they resumed, at any number of steps."""
        return self._linked(runs, self._origins)

    def family(self, runs: Collection[RunKey]) -> set[RunKey]:
        """These runs, those that they resumed, and those that resumed them, at any number of steps."""
        return self._linked(runs, lambda run: self._resumes[run]) | self.resumed(runs)

    def is_unread(self, run: RunKey) -> bool:
        """Whether it resumed another and it is not known yet what it took over."""
        row = self.row(run)
        return row.origin is not None and not row.clones_are_known

    def unread(self, runs: Iterable[RunKey]) -> set[RunKey]:
        """Those of these runs, and of the runs from which they took something over, that are unread."""
        return {run for run in self._linked(runs, self._taken_from) if self.is_unread(run)}

    def _taken_from(self, run: RunKey) -> Collection[RunKey]:
        if not self.row(run).clones_are_known:
            return self._origins(run)
        return {run_of(run[0], original) for original in self.originals(run).values()}

    def resumes(self, run: RunKey) -> set[RunKey]:
        """The runs that resumed a run, directly or through others."""
        return self._linked([run], lambda one: self._resumes[one]) - {run}

    def _origins(self, run: RunKey) -> Collection[RunKey]:
        origin = self.row(run).origin
        return [origin] if origin else []

    def _linked(self, runs: Iterable[RunKey], follow: Any) -> set[RunKey]:
        found: set[RunKey] = set()
        ahead = list(runs)
        while ahead:
            if (run := ahead.pop()) not in found:
                found.add(run)
                ahead.extend(follow(run))
        return found

    def _read(self, wanted: Collection[RunKey]) -> list[Any]:
        found = Run.objects.filter(_named(wanted))
        if not self._whole:
            return list(found.values_list("pk", "perimeter", *READ, *FACTS))
        rows = list(found)
        self.said |= {(row.perimeter_id, row.name): row for row in rows}
        return [(row.pk, row.perimeter_id, *(getattr(row, name) for name in (*READ, *FACTS))) for row in rows]

    def _store(self, rows: Iterable[Any], cloning: dict[int, RunKey]) -> set[RunKey]:
        """Store rows; return these runs and those that they resumed. `cloning`: whose cloned tasks are to be loaded."""
        near: set[RunKey] = set()
        for pk, perimeter, graph, read_at, *told in rows:
            facts = RunFacts(*told)
            run, origin = (perimeter, facts.name), (perimeter, facts.origin) if facts.origin else None
            near.add(run)
            self._rows[run] = RunRow(StepGraph(graph), origin, read_at is not None, facts)
            if origin:
                near.add(origin)
                self._resumes[origin].add(run)
                if read_at is not None and run not in self._originals:
                    cloning[pk] = run
        return near

    def _load_originals(self, cloning: dict[int, RunKey]) -> None:
        if cloning:
            self._originals |= {run: {} for run in cloning.values()}
            for pk, task, original in ClonedTask.objects.filter(run__in=cloning).values_list("run", "task", "origin"):
                self._originals[cloning[pk]][f"{cloning[pk][1]}/{task}"] = original


def run_of(perimeter: int, task: str) -> RunKey:
    """The run of a task, which is named Flow/run/step/task."""
    return (perimeter, "/".join(task.split("/")[:2]))


def _named(runs: Collection[RunKey]) -> Q:
    """The condition for the rows of these runs, and of those that resumed them."""
    by_perimeter: dict[int, list[str]] = defaultdict(list)
    for perimeter, name in sorted(runs):
        by_perimeter[perimeter].append(name)
    theirs = Q(pk__in=[])
    for perimeter, names in by_perimeter.items():
        theirs |= Q(perimeter=perimeter) & (Q(name__in=names) | Q(origin__in=names) & ~Q(origin=""))
    return theirs
