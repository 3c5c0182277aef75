"""What the rules of a gate said of a version, as JSON and as sentences."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any


class Says(StrEnum):
    """What a rule says. `WARNS`: of those that only tell; `EXEMPT`: it need not be met by a roll-back."""

    PASSES = "passes"
    REFUSES = "refuses"
    WARNS = "warns"
    EXEMPT = "exempt"


@dataclass(frozen=True)
class Ruling:
    """What one rule said. All but `rule` and `says` are phrases that may be empty, such as "0.8004"."""

    rule: str
    says: Says
    has: str = ""
    needs: str = ""
    reference: str = ""
    """What it was compared with: "v7 has 0.8024"."""
    short_by: str = ""
    reason: str = ""
    """Where numbers don't tell it: "not measured"."""

    @property
    def shortfall(self) -> str:
        """How much is lacking, or too much, in words: "0.0013 short"; empty where nothing is."""
        if not self.short_by:
            return ""
        if self.needs.startswith(("at most ", "less than ")):
            return f"{self.short_by} too much"
        return f"{self.short_by} {'too far' if ' to ' in self.needs else 'short'}"

    def as_json(self) -> dict[str, Any]:
        """As the API and the table of verdicts have it."""
        return {**asdict(self), "says": self.says.value, "passes": self.says != Says.REFUSES}


@dataclass(frozen=True)
class Judgement:
    """What all rules of a gate said."""

    rulings: tuple[Ruling, ...] = ()

    @property
    def refusals(self) -> tuple[Ruling, ...]:
        return tuple(one for one in self.rulings if one.says == Says.REFUSES)

    @property
    def passes(self) -> bool:
        return not self.refusals

    def as_json(self) -> list[dict[str, Any]]:
        return [one.as_json() for one in self.rulings]


def rulings_from(rows: Iterable[dict[str, Any]]) -> Judgement:
    """The judgement that was kept as JSON."""
    names = Ruling.__dataclass_fields__
    kept = [{name: value for name, value in row.items() if name in names} for row in rows]
    return Judgement(tuple(Ruling(**{**row, "says": Says(row["says"])}) for row in kept))
