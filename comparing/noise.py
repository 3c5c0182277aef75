"""How large a change of a metric has to be to say something: its noise, declared or learned from its history.

What is not declared is twice the median step between a version and the one before it that measured the metric too,
among the last versions up to the one that is compared with; only steps between versions that were measured on the same
data count, and of fewer than five nothing is claimed. Pure: no Django, no database.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median
from typing import TypeVar

from catalog.metrics import is_noise

VERSIONS = 20
"""How many versions are looked at: the last ones that are ready, up to and including the base."""
FEWEST_STEPS = 5
TIMES = 2
Version = TypeVar("Version")


@dataclass(frozen=True)
class Noise:
    """A change smaller than `size` says nothing. `steps`: of how many it was learned, where it is not declared."""

    size: float
    declared: bool
    steps: int = 0

    def hides(self, change: float) -> bool:
        """Whether a change is smaller. One that is as large but for the rounding of floating point is not."""
        return is_noise(change, self.size)


def noise_of(declared: Sequence[float | None], steps: Sequence[float]) -> Noise | None:
    """The first that is declared (the base's, then that of the other side), else what the steps say."""
    size = next((size for size in declared if size is not None), None)
    if size is not None:
        return Noise(size, declared=True)
    if len(steps) < FEWEST_STEPS:
        return None
    learned = TIMES * median(steps)
    return Noise(learned, declared=False, steps=len(steps)) if math.isfinite(learned) else None


def steps_between(
    versions: Sequence[tuple[Version, float | None]], on_same_data: Callable[[Version, Version], bool]
) -> list[float]:
    """The sizes of the steps between versions in the order of time; those that lack the metric are passed over."""
    measured = [(version, value) for version, value in versions[-VERSIONS:] if value is not None]
    steps = (
        abs(value - before)
        for (earlier, before), (version, value) in pairwise(measured)
        if on_same_data(earlier, version)
    )
    return [step for step in steps if math.isfinite(step)]
