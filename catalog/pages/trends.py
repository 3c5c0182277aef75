"""The metrics of assets over their newest versions, in one query for any number of assets."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

from access.identity import Viewer
from catalog.metrics import Metric, headline, metrics_of
from catalog.models import Asset, Instance

VERSIONS = 20


@dataclass(frozen=True)
class Trend:
    """The metrics of the newest ready versions of one asset, oldest first."""

    numbers: tuple[int, ...]
    metrics: tuple[dict[str, float], ...]

    @classmethod
    def of(cls, versions: Sequence[tuple[int, dict[str, Any]]]) -> Self:
        """`versions` are pairs of a number and the annotations of that instance."""
        return cls(tuple(number for number, _ in versions), tuple(metrics_of(kept) for _, kept in versions))

    @property
    def newest(self) -> dict[str, float]:
        return self.metrics[-1] if self.metrics else {}

    @property
    def before(self) -> dict[str, float]:
        """The metrics of the version before the newest one."""
        return self.metrics[-2] if len(self.metrics) > 1 else {}

    @property
    def ref_before(self) -> str:
        return f"v{self.numbers[-2]}" if len(self.numbers) > 1 else ""

    def headline(self, limit: int) -> list[Metric]:
        return headline(self.newest, self.before, limit)

    def series(self, name: str) -> list[float | None]:
        return [metrics.get(name) for metrics in self.metrics]


def trends_of(viewer: Viewer, assets: Sequence[Asset]) -> dict[int, Trend]:
    """The trend of each asset, by its key; of the newest ready instance alone if the last registrations failed."""
    rows = Instance.objects.visible_to(viewer).recent_ready(assets, VERSIONS)
    versions: dict[int, list[tuple[int, dict[str, Any]]]] = {}
    for asset, number, annotations in rows.values_list("asset_id", "number", "annotations"):
        versions.setdefault(asset, []).append((number, annotations))
    return {asset.pk: Trend.of(versions.get(asset.pk) or _newest_ready_of(asset)) for asset in assets}


def _newest_ready_of(asset: Asset) -> list[tuple[int, dict[str, Any]]]:
    newest = asset.newest_ready
    return [(newest.number, newest.annotations)] if newest else []
