"""The rule of runs, as docs/lineage.md has it: which readings count for a registration, and how surely."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from catalog.entities import Entity
from tests.lineage.worlds import Consumed, Event, KnownRun, Registered, Runs, Settled


@dataclass(frozen=True)
class Verdict:
    counts: bool
    is_sure: bool
    """Whether it was decided without a presumption."""


YES, NO, PRESUMED = Verdict(True, True), Verdict(False, True), Verdict(True, False)
PRESUMED_ANEW = Verdict(False, False)
"""It does not count, as it is presumed that its step was run anew."""


@dataclass(frozen=True)
class Taken:
    """A reading that a resumed run took over."""

    reading: Consumed
    task: str
    """The task of the resumed run that stands for the one that read; empty if that is not known."""
    anew: bool = False
    """Its step was run anew."""


class Rules:
    def __init__(self, events: list[Event], runs: Runs, moment: datetime | None = None) -> None:
        self.runs, self.moment = runs, moment
        self.registered = [event for event in events if isinstance(event, Registered)]
        self.consumed = [event for event in events if isinstance(event, Consumed)]
        self.settled = [event for event in events if isinstance(event, Settled)]
        self.writes = [event for event in events if isinstance(event, Registered | Consumed)]
        self.owners: dict[tuple[str, str], Entity] = {}
        for event in self.writes:
            if event.place.session and not event.entity.run:
                self.owners.setdefault((event.asset.perimeter, event.place.session), event.entity)
        self.failed = {id(event) for event in self.writes if self._has_failed(event)}
        self.read: dict[tuple[str, str], list[Consumed]] = {}
        for reading in self.consumed:
            self.read.setdefault((reading.asset.perimeter, self.run_of(reading)), []).append(reading)

    # --- who wrote

    def run_of(self, event: Registered | Consumed) -> str:
        """The run or session of a write; a session is that of the entity that was the first to write with it."""
        if event.entity.run:
            return event.entity.run
        session = event.place.session
        return session if self.owners.get((event.asset.perimeter, session)) == event.entity else ""

    def source_of(self, event: Registered) -> Registered | None:
        """What an instance is a copy of, if the catalogue had it when the copy arrived."""
        before = self.registered[: self.registered.index(event)]
        return next((source for source in before if source.uid == event.promoted_from), None)

    def has_failed(self, event: Registered | Consumed) -> bool:
        """Whether it is of a failed attempt."""
        return id(event) in self.failed

    def _has_failed(self, event: Registered | Consumed) -> bool:
        """The attempt says so, or a later one of its task wrote anything."""
        attempt, mine = event.place.attempt, (event.asset.perimeter, event.entity)
        for said in self.settled:
            is_of_it = bool(event.entity.run) or (isinstance(event, Registered) and event.uid in said.uids)
            if is_of_it and said.state == "failed" and (said.perimeter, said.entity, said.attempt) == (*mine, attempt):
                return True
        later = [other.place.attempt for other in self.writes if (other.asset.perimeter, other.entity) == mine]
        return attempt is not None and any(other is not None and other > attempt for other in later)

    # --- what counts

    def evidence(self, made: Registered) -> list[tuple[Consumed, Verdict]]:
        """All readings that might count for a registration, baselines apart."""
        perimeter, name = made.asset.perimeter, self.run_of(made)
        own = [(reading, self.judge(reading, made)) for reading in self.readings(perimeter, name)]
        if made.entity.run:
            others = [taken for taken in self.taken(perimeter, name, ()) if taken.reading.entity.run != name]
            own += [(taken.reading, self.judge_taken(taken, made)) for taken in others]
        best: dict[Consumed, Verdict] = {}
        for reading, verdict in own:
            if reading.role != "baseline" and reading.at <= made.at:
                known = best.get(reading, verdict)
                best[reading] = max(known, verdict, key=lambda one: (one.counts, one.is_sure))
        return list(best.items())

    def counts_for_its_own(self, reading: Consumed, made: Registered) -> bool:
        """Whether a reading counts for what its own run registered."""
        place = (reading.asset.perimeter, self.run_of(reading))
        same = place == (made.asset.perimeter, self.run_of(made))
        in_time = reading.at <= made.at and reading.role != "baseline"
        return same and in_time and self.judge(reading, made).counts

    def readings(self, perimeter: str, run: str) -> list[Consumed]:
        return self.read.get((perimeter, run), [])

    def judge(self, reading: Consumed, made: Registered) -> Verdict:
        """Of a reading and a registration of one run."""
        if not made.entity.run:
            return YES if made.at - reading.at <= timedelta(hours=12) else NO
        same_task = reading.entity == made.entity
        attempts = reading.place.attempt, made.place.attempt
        if self.has_failed(reading):
            return YES if same_task and attempts[0] == attempts[1] else NO
        if same_task:
            if None in attempts:
                return PRESUMED
            return YES if attempts[0] == attempts[1] else NO
        return self.judge_another_task(reading, made)

    def judge_another_task(self, reading: Consumed, made: Registered) -> Verdict:
        graph = self.runs.get((made.asset.perimeter, made.entity.run), KnownRun()).graph
        before, after = step_of(reading.entity.id), step_of(made.entity.id)
        if graph is None or before not in graph or after not in graph:
            return PRESUMED
        if after not in steps_after(graph, {before}):
            return NO
        paths = reading.place.foreach, made.place.foreach
        if paths[0] is None or paths[1] is None:
            return PRESUMED
        if are_splits_of_one_foreach(*paths):
            return NO
        if before == after and paths[0] == paths[1]:
            iterations = reading.place.iteration, made.place.iteration
            if iterations[0] is None or iterations[1] is None:
                return PRESUMED
            return YES if iterations[0] < iterations[1] else NO
        return YES

    # --- resumed runs

    def taken(self, perimeter: str, run: str, seen: tuple[str, ...]) -> list[Taken]:
        """What a run took over, through any number of resumes."""
        known = self.runs.get((perimeter, run), KnownRun())
        if run in seen:
            return []
        if known.clones is not None:
            found = []
            for task, original in known.clones:
                source = "/".join(original.split("/")[:2])
                own = [one for one in self.readings(perimeter, source) if one.entity.id == original]
                found += [Taken(one, f"{run}/{task}") for one in own]
                for taken in self.taken(perimeter, source, (*seen, run)):
                    if taken.task == original:
                        found.append(Taken(taken.reading, f"{run}/{task}"))
                    elif not taken.task and step_of(taken.reading.entity.id) == step_of(original):
                        found.append(taken)
            return found
        if not known.origin:
            return []
        readings = self.readings(perimeter, known.origin)
        anew = self.run_anew(perimeter, run)
        return [
            Taken(taken.reading, "", taken.anew or step_of(taken.reading.entity.id) in anew)
            for taken in [
                *(Taken(one, "") for one in readings),
                *self.taken(perimeter, known.origin, (*seen, run)),
            ]
        ]

    def run_anew(self, perimeter: str, run: str) -> set[str]:
        """The steps that a resumed run ran itself, as its writes until the moment say, and all that come after them."""
        past = [event for event in self.writes if self.moment is None or event.at <= self.moment]
        own = [event for event in past if (event.asset.perimeter, event.entity.run) == (perimeter, run)]
        steps = {step_of(event.entity.id) for event in own if not getattr(event, "promoted_from", "")}
        graph = self.runs.get((perimeter, run), KnownRun()).graph
        return steps | steps_after(graph or {}, steps)

    def judge_taken(self, taken: Taken, made: Registered) -> Verdict:
        if self.has_failed(taken.reading):
            return NO
        verdict = self.judge_another_task(taken.reading, made)
        if taken.task or not verdict.counts:
            return verdict
        return PRESUMED_ANEW if taken.anew else PRESUMED

    def unread(self, perimeter: str, run: str, seen: tuple[str, ...] = ()) -> set[str]:
        """The resumed runs, of those that lead to a run, whose cloned tasks are not known."""
        known = self.runs.get((perimeter, run), KnownRun())
        if run in seen:
            return set()
        if known.clones is None and not known.origin:
            return set()
        if known.clones is None:
            return {run} | self.unread(perimeter, known.origin, (*seen, run))
        sources = {"/".join(original.split("/")[:2]) for _, original in known.clones}
        return set().union(*(self.unread(perimeter, source, (*seen, run)) for source in sources))

    def resumed_by(self, perimeter: str, run: str) -> set[str]:
        """The runs that a run resumed, directly or through others."""
        found: set[str] = set()
        origin = self.runs.get((perimeter, run), KnownRun()).origin
        while origin and origin not in found:
            found.add(origin)
            origin = self.runs.get((perimeter, origin), KnownRun()).origin
        return found


def step_of(task: str) -> str:
    return task.split("/")[2]


def steps_after(graph: dict[str, list[str]], steps: set[str]) -> set[str]:
    """All steps to which at least one arrow of the graph leads."""
    found: set[str] = set()
    ring = set(steps)
    while ring:
        ring = {near for step in ring for near in graph.get(step, ())} - found
        found |= ring
    return found


def are_splits_of_one_foreach(one: str, other: str) -> bool:
    """Whether the first difference of two foreach paths is in the index of the same step."""
    for frame, its in zip(one.split(","), other.split(","), strict=False):
        if frame != its:
            return bool(frame) and bool(its) and frame.split(":")[0] == its.split(":")[0]
    return False
