"""What a rule of a gate is. `catalog/gates/grammar.py` reads them from text, and is the only one that makes them."""

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from enum import StrEnum


class Operator(StrEnum):
    """How a metric is compared."""

    AT_LEAST = ">="
    ABOVE = ">"
    AT_MOST = "<="
    BELOW = "<"
    EQUAL = "="
    UNEQUAL = "!="


class Unit(StrEnum):
    """What the amount of an offset is: of the metric itself, a part of the reference, or times the metric's noise."""

    PLAIN = ""
    PER_CENT = "%"
    NOISE = "noise"


class Property(StrEnum):
    """What a version is or is not, in a word."""

    UNUSUAL = "unusual"
    DEPRECATED = "deprecated"
    LATE = "late"


@dataclass(frozen=True)
class Offset:
    """`- 0.002`, `+ 5%`, `- noise` (an amount of 1), `- 2 noise`. The amount has the sign."""

    amount: Decimal
    unit: Unit = Unit.PLAIN


@dataclass(frozen=True)
class Reference:
    """Another version of the same asset, as it is written: `@production`, `latest`, `v12`."""

    text: str

    @property
    def alias(self) -> str:
        """Its name without the sign; empty if it is none."""
        return self.text.removeprefix("@") if self.text.startswith("@") else ""


@dataclass(frozen=True)
class Rule:
    """The rule as it was written, for messages."""

    text: str


@dataclass(frozen=True)
class Threshold(Rule):
    """`auc >= 0.78`."""

    metric: str
    operator: Operator
    value: Decimal


@dataclass(frozen=True)
class Comparison(Rule):
    """`auc >= @production - 0.002`; without an offset, its amount is 0."""

    metric: str
    operator: Operator
    reference: Reference
    offset: Offset


@dataclass(frozen=True)
class Within(Rule):
    """`rows within 20% of @production`. The amount is never negative, its unit is PLAIN or PER_CENT."""

    metric: str
    amount: Decimal
    unit: Unit
    reference: Reference


@dataclass(frozen=True)
class Parents(Rule):
    """`parents all @validated`: of what went directly into the version."""

    all: bool
    alias: str


@dataclass(frozen=True)
class CardPresent(Rule):
    """`card present`."""


@dataclass(frozen=True)
class Age(Rule):
    """`age <= 7d`: since the version was made, or its origin if it is a copy."""

    most: timedelta


@dataclass(frozen=True)
class Is(Rule):
    """`not unusual`, `deprecated`."""

    property: Property
    wanted: bool


@dataclass(frozen=True)
class Tagged(Rule):
    """`tag reviewed`, `tag stage=final`. The value is None where any will do."""

    key: str
    value: str | None


@dataclass(frozen=True)
class From(Rule):
    """`from main`: where the version was made, or its origin if it is a copy."""

    branch: str


@dataclass(frozen=True)
class SameData(Rule):
    """`same data as @production`."""

    reference: Reference


@dataclass(frozen=True)
class Unreadable(Rule):
    """What is kept and can't be read, such as a rule of a newer version: it refuses. No text is read as one."""

    reason: str


COMPARING = (Comparison, Within, SameData)
"""Rules that look at another version."""
NOT_FOR_ROLLBACK = (*COMPARING, Age, Parents)
"""What a version that held the alias before need not meet again; the rest, and fixed thresholds, it does."""
