"""A metric of one version beside that of the base: its change, whether that counts, and what is to be said of it.

The base is what one compares with; all words are about the other version. Swapping the two turns every change around
and leaves its size; noise and per cent belong to the base. Pure: no Django, no database.
"""

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any, Literal

from catalog.declared_metrics import FIRST, DeclaredMetrics
from catalog.metrics import BETTER, format_metric, number_of, wanted_direction, why_no_number, with_unit
from comparing.noise import Noise
from comparing.sameness import Comparability, Data
from comparing.sentences import NOTHING, Name, Sentence
from obproject.metric_names import may_be_metric

Outcome = Literal["better", "worse", "equal", "none"]
Wanted = Literal["up", "down"]
MINUS = "\N{MINUS SIGN}"
ROUNDING = 1e-12
"""Numbers that differ by less, beside their size, are equal: 0.1 + 0.2 and 0.3."""


@dataclass(frozen=True)
class Side:
    """A metric on one side. `why` says in words what is to be known of a value, or why there is none:
    "not measured", "not finite: NaN", "text: 'n/a'", "pending", "failed"."""

    value: float | None
    why: Sentence = NOTHING

    @property
    def text(self) -> str:
        """The value as people read it; without one the reason. Never empty."""
        return str(self.why) if self.value is None else format_metric(self.value)

    @property
    def is_settled(self) -> bool:
        """Whether it has a value that counts: of a version that is neither pending nor failed."""
        return self.value is not None and not self.why


NOT_MEASURED = Side(None, Sentence("not measured"))


def side_of(annotations: Mapping[str, Any], name: str, unsettled: str = "") -> Side:
    """What a version says of a metric. `unsettled`: the state of one that is not ready, such as "pending"."""
    if name not in annotations or not may_be_metric(name):
        return Side(None, Sentence(unsettled)) if unsettled else NOT_MEASURED
    value = number_of(annotations[name])
    if value is None:
        return Side(None, _no_number(annotations[name]))
    return Side(value, Sentence(unsettled) if unsettled else NOTHING)


def _no_number(value: Any) -> Sentence:
    words, written = why_no_number(value)
    return Sentence(words, Name(written)) if written else Sentence(words)


@dataclass(frozen=True)
class Delta:
    """One metric on two sides. `note` says why they can't be set against each other although both have a number, or
    why neither way is better: their units or their directions differ."""

    name: str
    unit: str
    base: Side
    other: Side
    wanted: Wanted | None
    declared: bool
    comparability: Comparability
    noise: Noise | None
    note: Sentence = NOTHING
    same_unit: bool = True

    @cached_property
    def change(self) -> float | None:
        """None unless both sides have a number, in the same unit."""
        if self.base.value is None or self.other.value is None or not self.same_unit:
            return None
        change = self.other.value - self.base.value
        if abs(change) <= ROUNDING * max(abs(self.base.value), abs(self.other.value)):
            return 0.0
        return change if math.isfinite(change) else None

    @property
    def percent(self) -> float | None:
        """The change in per cent of the base; None without a change, and where the base is zero."""
        if self.change is None or not self.base.value:
            return None
        percent = self.change / abs(self.base.value) * 100
        return percent if math.isfinite(percent) else None

    @property
    def percent_text(self) -> str:
        """ "+1.2 %"; "from 0" where the base is zero; empty where there is no change to be told."""
        if self.change and self.base.value == 0:
            return "from 0"
        return f"{signed(float(f'{self.percent:.3g}'))} %" if self.percent is not None and self.change else ""

    @property
    def change_text(self) -> str:
        """ "+0.0083 s"; empty without a change to be told."""
        return "" if self.change is None else signed(self.change, self.unit)

    @property
    def within_noise(self) -> bool | None:
        """Whether the change is smaller than the noise; None where either is not known."""
        if self.noise is None or self.change is None:
            return None
        return self.change != 0 and self.noise.hides(self.change)

    @property
    def can_compare(self) -> bool:
        """Whether the two numbers can be set against each other at all."""
        settled = self.base.is_settled and self.other.is_settled
        return settled and self.change is not None and self.comparability.data != Data.OTHER

    @cached_property
    def outcome(self) -> Outcome:
        """Better or worse than the base. "none": no direction is known, they can't be compared, only one side has it,
        or the change is within noise."""
        if not self.can_compare or self.change is None:
            return "none"
        if self.change == 0:
            return "equal"
        if self.wanted is None or self.within_noise:
            return "none"
        return "better" if (self.change > 0) == (self.wanted == "up") else "worse"

    @property
    def counts(self) -> bool:
        """Whether a verdict may speak of it."""
        return self.outcome in ("better", "worse")

    @property
    def differs(self) -> bool:
        """Whether the two sides say something different."""
        return self.change != 0 or self.base.why != self.other.why

    @property
    def word(self) -> str:
        """What it comes to, in the words that docs/compare.md explains; never empty."""
        if self.outcome != "none":
            return self.outcome
        if self.other.why:
            return str(self.other.why)
        if self.base.why:
            return f"{self.base.why} in the base"
        if self.change is None:
            return "can't be compared"
        if self.comparability.data == Data.OTHER:
            return "can't be compared" if self.wanted else "no direction"
        return "within noise" if self.within_noise else "no direction"

    @property
    def beside_base(self) -> dict[str, Any]:
        """What became of it beside the base, as JSON in plain words."""
        return {
            "change": self.change,
            "percent": self.percent,
            "data": str(self.comparability.data),
            "data_said": str(self.comparability.which) or None,
            "within_noise": self.within_noise,
            "outcome": self.outcome,
            "word": self.word,
            "note": str(self.note) or None,
        }

    @property
    def shape(self) -> dict[str, Any]:
        """The whole, as JSON in plain words."""
        return {
            "name": self.name,
            "unit": self.unit or None,
            "base": self.base.value,
            "base_said": str(self.base.why) or None,
            "value": self.other.value,
            "said": str(self.other.why) or None,
            "better": BETTER.get(self.wanted or ""),
            "better_is_declared": self.declared,
            "noise": self.noise.size if self.noise else None,
            "noise_is_declared": self.noise.declared if self.noise else None,
            **self.beside_base,
        }


@dataclass(frozen=True)
class Rules:
    """What both sides declare of a metric, brought together."""

    wanted: Wanted | None
    declared: bool
    unit: str
    noise: float | None
    note: Sentence = NOTHING
    same_unit: bool = True


def rules_of(name: str, base: DeclaredMetrics, other: DeclaredMetrics) -> Rules:
    """The direction that one side declares counts; none where both declare others. Noise and unit are the base's, else
    those of the other side; in two units there is no change."""
    sides = (base, other)
    directions = {side.wanted(name) for side in sides if side.is_declared(name)}
    units = [unit for side in sides if (unit := side.unit(name))]
    notes = []
    if len(directions) > 1:
        notes.append(Sentence("declared to be better in another way than in the base"))
    same_unit = len(set(units)) < 2
    if not same_unit:
        notes.append(Sentence("in ", Name(units[1]), ", the base's is in ", Name(units[0])))
    wanted = wanted_direction(name) if not directions else directions.pop() if len(directions) == 1 else None
    return Rules(
        wanted=wanted,
        declared=any(side.is_declared(name) for side in sides),
        unit=units[0] if units else "",
        noise=next((size for side in sides if (size := side.noise(name)) is not None), None),
        note=Sentence(*notes[:1], *(part for note in notes[1:] for part in ("; ", note))),
        same_unit=same_unit,
    )


def headline_of(sides: Sequence[DeclaredMetrics], names: Collection[str]) -> list[str]:
    """Those of some names that a verdict speaks of, the same whichever side is the base: what any declares as its
    headline, or else the first few with a direction, what is declared before the rest."""
    heads = {entry.name for side in sides for entry in side.entries if entry.headline}.intersection(names)
    ranks: dict[str, int] = {}
    for side in sides:
        for rank, entry in enumerate(side.entries):
            ranks[entry.name] = min(rank, ranks.get(entry.name, rank))
    ordered = sorted(heads or names, key=lambda name: (ranks.get(name, len(ranks)), name))
    if heads:
        return ordered
    known = [name for name in ordered if any(rules_of(name, one, other).wanted for one, other in pairwise(sides))]
    return (known or ordered)[:FIRST]


def delta_of(
    name: str, base: Side, other: Side, rules: Rules, comparability: Comparability, noise: Noise | None
) -> Delta:
    return Delta(
        name=name,
        unit=rules.unit,
        base=base,
        other=other,
        wanted=rules.wanted,
        declared=rules.declared,
        comparability=comparability,
        noise=noise,
        note=rules.note,
        same_unit=rules.same_unit,
    )


def signed(value: float, unit: str = "") -> str:
    """ "+0.0083 s", "0"; below zero with the sign that is as wide as a plus. What only rounding added is left out."""
    sign = "+" if value > 0 else MINUS if value < 0 else ""
    return f"{sign}{with_unit(abs(float(f'{value:.12g}')), unit)}"
