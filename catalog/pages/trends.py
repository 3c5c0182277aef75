"""The metrics of assets over their newest versions, in one query for any number of assets."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from catalog.declared_metrics import NONE_DECLARED, DeclaredMetrics
from catalog.metrics import Metric, annotations_of, number_of
from catalog.models import Asset
from catalog.pages.statements import recent_ready
from obproject.metric_names import may_be_metric

Annotations = Mapping[str, Any]
VERSIONS = 50
"""How far back a metric is looked for, in which every version may have gaps."""
RECENT = 10
"""What none of so many versions measured comes after what they did."""


@dataclass(frozen=True)
class Trend:
    """The metrics of successive ready versions of one asset, oldest first.

    `numbers` are those of the versions, `annotations` what each of them says, `declared` what the asset declares.
    """

    numbers: tuple[int, ...]
    annotations: tuple[Annotations, ...]
    declared: DeclaredMetrics = NONE_DECLARED

    @cached_property
    def names(self) -> list[str]:
        """What any of the versions measured, in the order in which it is shown.

        What is declared comes first, as `DeclaredMetrics.in_order` has it. Of the rest measures of quality come before
        plain quantities, what was measured lately before what was not, what can be compared before what can't, and then
        it goes by name. Neither the order of annotations, which databases do not keep, nor a gap in one version changes
        that.
        """
        ranks: dict[str, tuple[bool, bool, bool]] = {}
        for name in filter(may_be_metric, set[str]().union(*self.annotations)):
            measured = self._measured(name, len(self.numbers))
            last, other = next(measured, None), next(measured, None)
            if last:
                old = last[0] < len(self.numbers) - RECENT
                ranks[name] = self.declared.wanted(name) is None, old, other is None
        return self.declared.in_order(sorted(ranks, key=lambda name: (ranks[name], name)))

    @property
    def ref(self) -> str:
        """The newest version."""
        return f"v{self.numbers[-1]}" if self.numbers else ""

    @property
    def ref_before(self) -> str:
        return f"v{self.numbers[-2]}" if len(self.numbers) > 1 else ""

    def headline(self, limit: int) -> list[Metric]:
        """The metrics to show first."""
        return [self.metric(name) for name in self.names[:limit]]

    def metric(self, name: str) -> Metric:
        """A metric of the newest version."""
        newest = len(self.numbers) - 1
        value = self._value(newest, name)
        place, previous = next(self._measured(name, newest), (newest, None))
        if previous is None:
            return self.declared.metric(name, value, ref=self.ref)
        skips, previous_ref = place < newest - 1, f"v{self.numbers[place]}"
        return self.declared.metric(name, value, previous, previous_ref=previous_ref, skips=skips, ref=self.ref)

    def series(self, name: str) -> list[float | None]:
        """The values of a metric, one for each version; None where it was not measured."""
        return [number_of(said.get(name)) for said in self.annotations]

    def _measured(self, name: str, end: int) -> Iterator[tuple[int, float]]:
        """Place and value in the versions before a place that measured a metric, the newest first."""
        for place in range(end - 1, -1, -1):
            if (value := self._value(place, name)) is not None:
                yield place, value

    def _value(self, place: int, name: str) -> float | None:
        return number_of(self.annotations[place].get(name))


def trends_of(assets: Sequence[Asset]) -> dict[int, Trend]:
    """The trend of each asset that was found visible, by its key.

    Of the newest ready instance alone if the last registrations failed.
    """
    rows = recent_ready(assets, VERSIONS)
    said = annotations_of(text for _, _, text in rows)
    found: dict[int, tuple[list[int], list[Annotations]]] = {}
    for (asset, number, _), annotations in zip(rows, said, strict=True):
        numbers, its = found.setdefault(asset, ([], []))
        numbers.append(number)
        its.append(annotations)
    return {
        asset.pk: Trend(tuple(found[asset.pk][0]), tuple(found[asset.pk][1]), asset.metrics)
        if asset.pk in found
        else _newest_ready_of(asset)
        for asset in assets
    }


def _newest_ready_of(asset: Asset) -> Trend:
    newest = asset.newest_ready
    return Trend((newest.number,), (newest.annotations,), asset.metrics) if newest else Trend((), ())
