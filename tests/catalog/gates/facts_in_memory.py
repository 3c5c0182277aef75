"""Facts of a version as rows in memory."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal

from catalog.gates.facts import Absent, Origin, Other, Told
from catalog.gates.rules import Reference


def numbers(**said: str) -> dict[str, Decimal]:
    return {name: Decimal(text) for name, text in said.items()}


THERE, NOT_SO = Told(True), Told(False)
ON_MAIN = Origin(timedelta(hours=3), ("main",))


@dataclass
class FactsInMemory:
    """A version with what is compared with; what is not said of it is as it mostly is."""

    ref: str = "v14"
    is_definition: bool = False
    numbers: Mapping[str, Decimal] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    deprecated: bool = False
    others: Mapping[str, Other | Absent] = field(default_factory=dict)
    noises: Mapping[str, Decimal] = field(default_factory=dict)
    has_card: Told = THERE
    made: Origin | None = ON_MAIN
    inputs: Mapping[str, list[Told]] = field(default_factory=dict)
    data: Mapping[str, Told] = field(default_factory=dict)
    is_unusual: Told = NOT_SO
    is_late: Told = NOT_SO

    def other(self, reference: Reference) -> Other | Absent:
        return self.others.get(reference.text, Absent.GONE)

    def noise(self, metric: str) -> Decimal | None:
        return self.noises.get(metric)

    def card(self) -> Told:
        return self.has_card

    def origin(self) -> Origin | None:
        return self.made

    def parents(self, alias: str) -> list[Told]:
        return self.inputs.get(alias, [])

    def same_data(self, reference: Reference) -> Told:
        return self.data.get(reference.text, Told(False, known=False))

    def unusual(self) -> Told:
        return self.is_unusual

    def late(self) -> Told:
        return self.is_late
