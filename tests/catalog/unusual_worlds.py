"""Series of a metric in which nothing is unusual, of many kinds; and what is done to a value to make it so."""

import math
import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from catalog.unusual import FEWEST, LAST, unusual

YEAR = 365
TUNED_ON = range(100)
"""What was looked at while the rule was tuned; figures are told of other seeds."""
MEASURED_ON = range(1000, 1040)


def _accuracy(chance: random.Random, at: int) -> float:
    return min(chance.gauss(0.91, 0.01), 1.0)


def _noise(chance: random.Random, at: int) -> float:
    return chance.gauss(100, 5)


def _growth(chance: random.Random, at: int) -> float:
    return 1000 * 1.01**at * chance.gauss(1, 0.02)


def _drift(chance: random.Random, at: int) -> float:
    return 100 + 0.5 * at + chance.gauss(0, 3)


def _week(chance: random.Random, at: int) -> float:
    return (300 if at % 7 < 5 else 100) * chance.gauss(1, 0.05)


def _lognormal(chance: random.Random, at: int) -> float:
    return math.exp(chance.gauss(3, 0.6))


def _student(chance: random.Random, at: int) -> float:
    """Student's t with 3 degrees of freedom, around 100."""
    return 100 + 5 * chance.gauss(0, 1) / math.sqrt(chance.gammavariate(1.5, 2) / 3)


def _counts(chance: random.Random, at: int) -> float:
    """Of rare things."""
    left, count = math.exp(-4), 0
    product = chance.random()
    while product > left:
        product *= chance.random()
        count += 1
    return count


def _constant(chance: random.Random, at: int) -> float:
    return 42.0


def _steps(chance: random.Random, at: int) -> float:
    """A number of rows that is the same for weeks, and then a few more."""
    return 50_000 + 120 * (at // 20)


def _around_zero(chance: random.Random, at: int) -> float:
    return chance.gauss(0, 1)


@dataclass(frozen=True)
class Kind:
    words: str
    value: Callable[[random.Random, int], float]
    asked: bool = True
    """Whether a thousandfold value has to be found in it."""


KINDS = {
    "noise": Kind("noise (5 %)", _noise),
    "accuracy": Kind("an accuracy of 0.91 ± 0.01", _accuracy),
    "growth": Kind("growth, 1 % from each to the next", _growth),
    "drift": Kind("steady drift", _drift),
    "week": Kind("weekly pattern, three times as much on weekdays", _week),
    "lognormal": Kind("heavy tail: lognormal, sigma 0.6", _lognormal),
    "student": Kind("heavy tails: Student's t, 3 degrees", _student),
    "counts": Kind("counts of rare things, 4 on average", _counts),
    "constant": Kind("constant", _constant),
    "steps": Kind("the same for weeks, then a little more", _steps),
    "around zero": Kind("noise around zero", _around_zero, asked=False),
}
CHANGES: dict[str, Callable[[float], float]] = {
    "×1000": lambda value: value * 1000,  # noqa: RUF001
    "×100": lambda value: value * 100,  # noqa: RUF001
    "÷1000": lambda value: value / 1000,
}
"""What a wrong unit does; a hundredfold one is per cent where there was a fraction."""


@dataclass
class Measured:
    years: float = 0.0
    false_alarms: int = 0
    tried: int = 0
    found: dict[str, int] = field(default_factory=lambda: dict.fromkeys(CHANGES, 0))

    @property
    def false_a_year(self) -> float:
        return self.false_alarms / self.years

    def share(self, change: str) -> float:
        return self.found[change] / self.tried if self.tried else 1.0


def measure(kind: Kind, seeds: Iterable[int], every: int = 10) -> Measured:
    """A year of values of each seed, after those of a month; every so many of them are also changed."""
    measured = Measured()
    for seed in seeds:
        chance = random.Random(f"{kind.words} {seed}")
        values = [kind.value(chance, at) for at in range(YEAR + LAST)]
        measured.years += 1
        for at in range(LAST, len(values)):
            before = values[at - LAST : at]
            measured.false_alarms += bool(unusual(before, values[at]))
            if at % every == 0 and values[at] != 0:
                measured.tried += 1
                for name, change in CHANGES.items():
                    measured.found[name] += bool(unusual(before, change(values[at])))
    return measured


def drifts_found(seeds: Iterable[int]) -> int:
    """In how many series a fall from 100 to 50, little by little in 100 steps, is found at any of them."""
    found = 0
    for seed in seeds:
        chance = random.Random(f"slow drift {seed}")
        values = [chance.gauss(100 - max(at - LAST, 0) / 2, 2) for at in range(LAST + 100)]
        found += any(unusual(values[at - LAST : at], values[at]) for at in range(max(LAST, FEWEST), len(values)))
    return found
