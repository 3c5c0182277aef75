"""What versions say themselves: the newest ones for the table, and those that have no number, with the reason."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from django.db.models import Q

from access.identity import Viewer
from catalog.metrics import format_metric, number_of, why_no_number
from catalog.models import Asset, Instance
from catalog.series import Series
from catalog.states import DEPRECATED, State

ROWS = 20
"""So many versions of each asset are in the table."""
GAPS = 50
"""Of so many versions without a number it is looked up why."""


@dataclass(frozen=True)
class Said:
    """A version of one of the assets, with what it says."""

    asset: int
    uid: str
    number: int
    at: datetime
    state: str
    deprecation: int | None
    annotations: Mapping[str, Any]

    @property
    def look(self) -> str:
        """Its state, as the table says it."""
        return self.state if self.deprecation is None else DEPRECATED

    @property
    def ref(self) -> str:
        return f"v{self.number}"

    def value(self, name: str) -> float | None:
        return number_of(self.annotations.get(name)) if self.state == State.READY else None

    def why(self, name: str) -> str:
        """Why it has no number of a metric."""
        if self.state != State.READY:
            return self.state
        return "".join(why_no_number(self.annotations.get(name)))


@dataclass(frozen=True)
class Spoken:
    """The versions that were looked up, by the key of their asset."""

    versions: tuple[Said, ...]

    def newest(self, assets: Sequence[Asset], spans: Mapping[int, Series]) -> list[Said]:
        """Those of the table: the last numbers of each asset, the latest first."""
        keys = {asset.pk for asset in assets}
        found = [one for one in self.versions if one.asset in keys and one.number in _last(spans[one.asset])]
        return sorted(found, key=lambda one: (one.at, one.number), reverse=True)

    def why(self, asset: int, name: str) -> dict[int, str]:
        """Why versions of an asset have no number of a metric, as far as it was looked up."""
        return {one.number: one.why(name) for one in self.versions if one.asset == asset and one.value(name) is None}

    @cached_property
    def numbers(self) -> dict[str, int]:
        """The numbers by the ids."""
        return {one.uid: one.number for one in self.versions}


def spoken_of(viewer: Viewer, series: Mapping[int, Series], assets: Sequence[Asset]) -> Spoken:
    """What the versions say that the page shows one by one: those of the table, those of which a chart lacks a number,
    those to which aliases point. One query, or none."""
    asked = Q()
    for asset in assets:
        mine = series[asset.pk]
        last = _last(mine)
        asked |= Q(asset=asset.pk, number__gte=last.start, number__lt=last.stop)
        asked |= Q(asset=asset.pk, number__in=_gaps(mine))
        asked |= Q(asset=asset.pk, uid__in=list(asset.alias_index.values()))
    columns = ("asset_id", "uid", "number", "created_at", "state", "deprecation_id", "annotations")
    found = Instance.objects.visible_to(viewer).filter(asked).values_list(*columns)
    return Spoken(tuple(Said(*row) for row in found))


def _last(series: Series) -> range:
    return range(max(series.span.first, series.span.last - ROWS + 1), series.span.last + 1)


def _gaps(series: Series) -> Collection[int]:
    """The newest ready versions that lack a number, besides those of the table."""
    ready = {place for place, version in enumerate(series.versions) if version.state == State.READY}
    places = {place for metric in series.metrics for place, value in enumerate(metric.values) if value is None}
    return [series.versions[place].number for place in sorted(places & ready)[-GAPS:]]


@dataclass(frozen=True)
class Cell:
    """`text` is the value; empty if there is none, for the reason `why`."""

    name: str
    text: str
    why: str = ""


@dataclass(frozen=True)
class TableRow:
    ref: str
    url: str
    whose: str
    at: datetime
    state: str
    aliases: tuple[str, ...]
    cells: tuple[Cell, ...]

    @property
    def is_ready(self) -> bool:
        return self.state == State.READY


def cells_of(said: Said, names: Sequence[str], units: Mapping[str, str]) -> tuple[Cell, ...]:
    return tuple(_cell(said, name, units[name]) for name in names)


def _cell(said: Said, name: str, unit: str) -> Cell:
    value = said.value(name)
    if value is None:
        return Cell(name, "", said.why(name))
    return Cell(name, f"{format_metric(value)} {unit}" if unit else format_metric(value))
