"""What a project declares of an asset's metrics: their order, which way is better, their noise and their unit.

What is not declared follows from the name of a metric (`catalog.metrics.wanted_direction`). Pure functions of plain
values: no Django, no database.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

from catalog.metrics import Metric, Wanted, wanted_direction

Better = Literal["higher", "lower", "none"]
WANTED: Mapping[str, Wanted] = {"higher": "up", "lower": "down", "none": None}
FIRST = 3
"""How many metrics head an asset that declares none as its headline."""


@dataclass(frozen=True)
class DeclaredMetric:
    """`better` is empty where nothing is declared of it; `noise` is how large a change must be to say something, in the
    metric's own size; `unit` stands behind its values."""

    name: str
    better: Better | Literal[""] = ""
    headline: bool = False
    noise: float | None = None
    unit: str = ""

    @classmethod
    def of(cls, entry: Mapping[str, Any]) -> "DeclaredMetric":
        return cls(**{name: entry[name] for name in ("name", "better", "headline", "noise", "unit") if name in entry})


@dataclass(frozen=True)
class DeclaredMetrics:
    """The metrics that an asset declares, in their order."""

    entries: tuple[DeclaredMetric, ...] = ()

    @classmethod
    def of(cls, entries: Iterable[Mapping[str, Any]]) -> "DeclaredMetrics":
        """`entries` as the asset keeps them: each a name with what is declared of it."""
        return cls(tuple(map(DeclaredMetric.of, entries)))

    def __bool__(self) -> bool:
        return bool(self.entries)

    def wanted(self, name: str) -> Wanted:
        """Whether a metric should rise or fall: as declared, else as its name tells; None if neither does."""
        declared = self._named.get(name)
        return WANTED[declared.better] if declared and declared.better else wanted_direction(name)

    def is_declared(self, name: str) -> bool:
        """Whether the direction of a metric is declared, and no guess by its name."""
        declared = self._named.get(name)
        return bool(declared and declared.better)

    def unit(self, name: str) -> str:
        declared = self._named.get(name)
        return declared.unit if declared else ""

    def noise(self, name: str) -> float | None:
        declared = self._named.get(name)
        return declared.noise if declared else None

    @cached_property
    def names(self) -> tuple[str, ...]:
        """What is declared, in its order."""
        return tuple(self._named)

    def metric(self, name: str, value: float | None, previous: float | None = None, **versions: Any) -> Metric:
        """A metric of one version, with what is known of its meaning; `versions` as `Metric` has them."""
        meaning: dict[str, Any] = {"wanted": self.wanted(name), "unit": self.unit(name), "noise": self.noise(name)}
        return Metric(name, value, previous, **meaning, **versions)

    def in_order(self, names: Sequence[str]) -> list[str]:
        """Some names, in the order in which they are shown: the headline, then what else is declared, then the rest in
        the order in which they come."""
        return sorted(names, key=lambda name: self._ranks.get(name, len(self._ranks)))

    def headline(self, names: Sequence[str]) -> list[str]:
        """Those of some names that head the asset: what is declared so, or else the first few with a direction."""
        ordered = self.in_order(names)
        declared = [name for name in ordered if (entry := self._named.get(name)) and entry.headline]
        return declared or [name for name in ordered if self.wanted(name)][:FIRST] or ordered[:FIRST]

    @cached_property
    def _named(self) -> dict[str, DeclaredMetric]:
        return {entry.name: entry for entry in self.entries}

    @cached_property
    def _ranks(self) -> dict[str, int]:
        heads = sorted(self.entries, key=lambda entry: not entry.headline)
        return {entry.name: rank for rank, entry in enumerate(heads)}


NONE_DECLARED = DeclaredMetrics()
