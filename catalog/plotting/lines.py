"""What a plot is drawn from: the versions of a metric, each with its value or with the reason why it has none."""

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from catalog.states import State


@dataclass(frozen=True)
class Point:
    """One version, `v{number}`, at `url`. `value` is None if it has none: `why` says why, unless it is its state."""

    number: int
    value: float | None
    url: str
    at: datetime | None = None
    state: str = State.READY.value
    why: str = "not measured"
    aliases: tuple[str, ...] = ()

    @property
    def ref(self) -> str:
        return f"v{self.number}"

    @property
    def is_ready(self) -> bool:
        return self.state == State.READY


@dataclass(frozen=True)
class Group:
    """Successive versions that are drawn as one: the lowest and the highest of their values, and which versions have
    them. `url` leads to a chart of them alone. Without values `measured` is 0."""

    first: int
    last: int
    at_first: datetime
    at_last: datetime
    low: float
    low_number: int
    high: float
    high_number: int
    measured: int
    url: str

    @property
    def ref(self) -> str:
        return f"v{self.first} to v{self.last}" if self.first < self.last else f"v{self.first}"

    @property
    def count(self) -> int:
        return self.last - self.first + 1


@dataclass(frozen=True)
class Line:
    """The versions of one asset, by number; or groups of them, if they are too many. `name` is empty for the asset
    itself, which the axis is of; else it is what the other asset is called here."""

    name: str = ""
    points: tuple[Point, ...] = ()
    groups: tuple[Group, ...] = ()

    @cached_property
    def values(self) -> list[float]:
        """All that is known of what it measured."""
        known = [point.value for point in self.points if point.value is not None]
        return known + [end for group in self.groups if group.measured for end in (group.low, group.high)]

    @cached_property
    def ends(self) -> list[tuple[int, datetime | None]]:
        """Number and moment of each version, or of the first and the last of each group; by number."""
        if self.points:
            return [(point.number, point.at) for point in self.points]
        return [end for one in self.groups for end in ((one.first, one.at_first), (one.last, one.at_last))]
