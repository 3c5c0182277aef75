"""The runs or sessions of a flow, a deployment or a person on one branch, as a table in pages."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote

from access.identity import Viewer
from catalog.filters import PRODUCER
from catalog.models import Branch, Component
from catalog.pagekit.query import PageQuery
from catalog.pagekit.run_facts import RunFacts
from catalog.pagekit.uses import EntityLink
from catalog.run_outcomes import (
    Outcome,
    Outcomes,
    RunPlace,
    Untold,
    outcomes_of,
    runs_of_component,
    untold_of_component,
)
from catalog.wire.shapes import outcome_shape, run_shape, time_shape

RUNS = 20


@dataclass(frozen=True)
class OutcomeLink:
    """What a run made or read of one asset, in words, and where that is."""

    text: str
    url: str
    role: str

    @classmethod
    def made(cls, outcome: Outcome, run: str) -> "OutcomeLink":
        if outcome.is_one_version:
            return cls.read(outcome)
        url = f"{outcome.asset_url}?{PRODUCER.name}={quote(run, safe='/')}"
        return cls(f"{outcome.title} ({outcome.count:,} versions)", url, "")

    @classmethod
    def read(cls, outcome: Outcome) -> "OutcomeLink":
        role = outcome.role or ""
        if outcome.last is None:
            return cls(outcome.title, outcome.asset_url, role)
        if outcome.is_one_version:
            return cls(f"{outcome.title} v{outcome.last}", f"{outcome.asset_url}/v{outcome.last}", role)
        return cls(f"{outcome.title} v{outcome.first} to v{outcome.last}", outcome.asset_url, role)


@dataclass(frozen=True)
class RunRow:
    """One run or session; `name` is empty where somebody wrote without either."""

    name: str
    facts: RunFacts
    at: datetime
    outcomes: Outcomes

    @property
    def link(self) -> EntityLink:
        """Named by its id alone: the page says of which flow it is."""
        link = self.facts.link
        return EntityLink(link.kind, self.name.partition("/")[2] or self.name, link.url)

    @property
    def is_only_named(self) -> bool:
        """Whether nothing is known of it but that another one resumes it."""
        return not (self.facts.is_known or self.outcomes.made or self.outcomes.read)

    @property
    def origin(self) -> str:
        """The id of the run that it resumes, which is of the same flow."""
        return self.facts.run.origin.partition("/")[2]

    @property
    def made(self) -> list[OutcomeLink]:
        return [OutcomeLink.made(outcome, self.name) for outcome in self.outcomes.made]

    @property
    def read(self) -> list[OutcomeLink]:
        return [OutcomeLink.read(outcome) for outcome in self.outcomes.read]

    @property
    def shape(self) -> dict[str, Any]:
        return {
            "run": self.name or None,
            "at": time_shape(self.at),
            **(run_shape(self.name, self.facts.run) or {}),
            "made": [outcome_shape(outcome) for outcome in self.outcomes.made],
            "read": [outcome_shape(outcome) for outcome in self.outcomes.read],
        }


@dataclass(frozen=True)
class RunsPage:
    """A page of the table: the context of _runs.html."""

    rows: list[RunRow]
    newest_url: str | None
    older_url: str | None

    @property
    def knows_states(self) -> bool:
        return any(row.facts.run.state for row in self.rows)

    @property
    def knows_readings(self) -> bool:
        return any(row.outcomes.read for row in self.rows)

    @property
    def knows_commits(self) -> bool:
        return any(row.facts.run.commit for row in self.rows)


def runs_page(viewer: Viewer, component: Component, branch: Branch, query: PageQuery) -> RunsPage:
    """The newest runs that write to the branch, or to one that is not known; at most five queries.

    After the last of them comes what was done outside of them, as far as it is among what the component did last.
    """
    before = RunPlace.parse(query.params.get("before", ""), "before")
    found = runs_of_component(viewer, component, (branch.key, ""), before, RUNS + 1)
    runs, more = found[:RUNS], len(found) > RUNS
    outcomes = outcomes_of(viewer, component.perimeter_id, [run.name for run in runs])
    shown = (
        RunRow(run.name, RunFacts(run.name, run), run.started_at or run.first_at, outcomes[run.name]) for run in runs
    )
    rows = [row for row in shown if not row.is_only_named]
    if not more:
        rows += [_untold(one) for one in untold_of_component(viewer, component, branch)[:RUNS]]
    older = query.url(before=RunPlace.of(runs[-1])) if more else None
    return RunsPage(rows, query.url(before=None) if before else None, older)


def _untold(one: Untold) -> RunRow:
    return RunRow(one.run, RunFacts.of(one.run, None), one.at, one.outcomes)
