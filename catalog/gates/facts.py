"""What rules ask of a version that is to be moved to, and of what it is compared with.

`catalog/gates/judging.py` asks; who answers from the database, or from rows in memory, implements `Facts`. Each is
asked only if a rule needs it, so that a gate costs what its rules look at.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from enum import Enum
from typing import Protocol

from catalog.gates.rules import Reference


class Absent(Enum):
    """Why there is no other version to compare with."""

    NEVER = "never"
    """The alias never existed at this address: comparisons pass, and say so."""
    GONE = "gone"
    """There is none, such as `v12` of three versions: comparisons refuse."""


@dataclass(frozen=True)
class Other:
    """A version that a reference leads to. `ref` is how messages call it: "v7", "v7, the last that held it"."""

    ref: str
    numbers: Mapping[str, Decimal]
    """Its metrics: what is measured and finite, as decimals of what its JSON shows."""


@dataclass(frozen=True)
class Told:
    """A fact with its reason: "v48 of churn_features is not @validated". `known` is False where it can't be told,
    which refuses, whatever the rule."""

    holds: bool
    reason: str = ""
    known: bool = True


@dataclass(frozen=True)
class Origin:
    """Where a version was made, or that of which it is a copy. `branches` are all names of its branch, the first one
    that by which people know it."""

    age: timedelta
    branches: tuple[str, ...]


class Facts(Protocol):
    """Of one version, at one moment."""

    @property
    def ref(self) -> str:
        """How messages call the version: "v14", "the definition"."""

    @property
    def is_definition(self) -> bool:
        """Whether it is no version, but the definition, of which nothing can be measured."""

    @property
    def numbers(self) -> Mapping[str, Decimal]:
        """Its metrics that are numbers and finite."""

    @property
    def tags(self) -> Mapping[str, str]: ...

    @property
    def deprecated(self) -> bool: ...

    def other(self, reference: Reference) -> Other | Absent: ...

    def noise(self, metric: str) -> Decimal | None:
        """The size of a change that says nothing, as declared or learned; None: not known."""

    def card(self) -> Told:
        """Whether it has a card. It was looked up before the locks were taken."""

    def origin(self) -> Origin | None:
        """None: a copy of what is not in this catalogue."""

    def parents(self, alias: str) -> list[Told]:
        """Of each direct input whether the alias is on it."""

    def same_data(self, reference: Reference) -> Told: ...

    def unusual(self) -> Told: ...

    def late(self) -> Told:
        """Whether the next version of its asset is late now; of a copy, of the asset where it was made."""
