"""The metrics of versions, each beside the base's: what the rows of a comparison say, and its verdict. Pure.

Whether two versions were measured on the same data is asked once for each pair, whatever the number of metrics.
"""

from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from catalog.declared_metrics import DeclaredMetrics
from catalog.metrics import metrics_of
from comparing.deltas import Delta, Side, delta_of, headline_of, rules_of, side_of
from comparing.noise import Noise, noise_of, steps_between
from comparing.sameness import Data, End, comparability
from comparing.sentences import Sentence
from comparing.table import METRICS_MOST, MetricRow, Metrics
from comparing.verdict import Contender, Verdict, verdict_of
from lineage.graph import Inputs

NO_VERSION = "a definition has no metrics"


@dataclass(frozen=True)
class Measured:
    """One version as far as its numbers go. `annotations` is None where it is a definition, and `unsettled` the state
    of one that is not ready."""

    end: End
    declared: DeclaredMetrics
    annotations: Mapping[str, Any] | None
    inputs: Inputs
    unsettled: str = ""

    def side(self, name: str) -> Side:
        if self.annotations is None:
            return Side(None, Sentence(NO_VERSION))
        return side_of(self.annotations, name, self.unsettled)

    @cached_property
    def metrics(self) -> dict[str, float]:
        return metrics_of(self.annotations or {})


@dataclass(frozen=True)
class Past:
    """The last versions of the base's asset, in the order of time, by which noise is learned."""

    annotations: Sequence[Mapping[str, Any]] = ()
    inputs: Sequence[Inputs] = ()

    def steps(self, name: str, on_same_data: Callable[[int, int], bool]) -> list[float]:
        values = [metrics_of({name: said[name]}).get(name) if name in said else None for said in self.annotations]
        return steps_between(list(enumerate(values)), on_same_data)


class Comparison:
    """Versions with their metrics beside those of one of them."""

    def __init__(self, versions: Sequence[Measured], base: int, past: Past, left_out: Container[str] = ()) -> None:
        self.versions, self.base, self.past = versions, base, past
        measured = dict.fromkeys(name for one in (versions[base], *versions) for name in one.metrics)
        names = [name for name in measured if name not in left_out]
        declaring = next((one.declared for one in (versions[base], *versions) if one.declared), DeclaredMetrics())
        self._headline = headline_of([one.declared for one in versions], names)
        self._names = declaring.in_order(names)
        self._steps_on_same_data: dict[tuple[int, int], bool] = {}
        self._comparable = [
            None if at == base else comparability(versions[base].inputs, one.inputs, versions[base].end, one.end)
            for at, one in enumerate(versions)
        ]

    @cached_property
    def metrics(self) -> Metrics:
        """At most so many rows: of more, those that differ come first."""
        differing = [name for name in self._names if self._may_differ(name)]
        ordered = list(dict.fromkeys([*self._headline, *differing, *self._names]))
        kept = ordered[:METRICS_MOST]
        lost = set(ordered[METRICS_MOST:])
        return Metrics([self._row(name) for name in kept], len(lost), sum(name in lost for name in differing))

    @cached_property
    def verdict(self) -> Verdict:
        contenders = [self._contender(at) for at in range(len(self.versions)) if at != self.base]
        return verdict_of(Sentence(self.versions[self.base].end.subject), contenders)

    def _contender(self, at: int) -> Contender:
        deltas = [delta for row in self.metrics.rows if (delta := row.deltas[at])]
        return Contender(Sentence(self.versions[at].end.subject), deltas, self._headline)

    @property
    def best(self) -> int | None:
        """The place of the best version, if there is one."""
        place = self.verdict.best
        if place is None or place < 0:
            return None if place is None else self.base
        return place if place < self.base else place + 1

    def _may_differ(self, name: str) -> bool:
        base = self.versions[self.base].metrics.get(name)
        return any(one.metrics.get(name) != base for one in self.versions)

    def _row(self, name: str) -> MetricRow:
        sides = [one.side(name) for one in self.versions]
        deltas = [self._delta(name, at, sides) for at in range(len(sides))]
        own = self.versions[self.base].declared
        some = next((delta for delta in deltas if delta), None)
        rules = rules_of(name, own, own)
        return MetricRow(
            name=name,
            unit=some.unit if some else rules.unit,
            wanted=some.wanted if some else rules.wanted,
            declared=some.declared if some else rules.declared,
            headline=name in self._headline,
            noise=some.noise if some else None,
            sides=sides,
            deltas=deltas,
        )

    def _delta(self, name: str, at: int, sides: Sequence[Side]) -> Delta | None:
        comparable = self._comparable[at]
        if comparable is None:
            return None
        rules = rules_of(name, self.versions[self.base].declared, self.versions[at].declared)
        return delta_of(name, sides[self.base], sides[at], rules, comparable, self._noise(name, rules.noise))

    def _noise(self, name: str, declared: float | None) -> Noise | None:
        return noise_of([declared], [] if declared is not None else self._steps(name))

    def _steps(self, name: str) -> list[float]:
        if name not in self._known_steps:
            self._known_steps[name] = self.past.steps(name, self._on_same_data)
        return self._known_steps[name]

    @cached_property
    def _known_steps(self) -> dict[str, list[float]]:
        return {}

    def _on_same_data(self, one: int, other: int) -> bool:
        if (one, other) not in self._steps_on_same_data:
            found = comparability(self.past.inputs[one], self.past.inputs[other])
            self._steps_on_same_data[one, other] = found.data == Data.SAME
        return self._steps_on_same_data[one, other]
