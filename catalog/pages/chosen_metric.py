"""The one metric that a page shows beside each version, as `?metric=` asks, else the headline."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from catalog.metrics import BETTER, format_metric, metrics_of, number_of, why_no_number
from catalog.models import Asset, Instance
from catalog.pagekit.query import PageQuery
from catalog.pages.trends import trends_of

MOST_NAMES = 200
"""How many metrics are offered."""
LONGEST = 24
"""Of what is no number, so many characters are shown."""


@dataclass(frozen=True)
class ChosenMetric:
    """The metric that a page shows of versions, and the names of those that it could show."""

    name: str
    names: Sequence[str]
    unit: str = ""
    wanted: str = ""

    @classmethod
    def of(cls, asset: Asset, query: PageQuery, rows: Iterable[Instance]) -> "ChosenMetric":
        seen = dict.fromkeys(trends_of([asset])[asset.pk].names)
        for row in rows:
            seen |= dict.fromkeys(metrics_of(row.annotations))
        declared = asset.metrics
        names = declared.in_order(list(seen))
        name = query.params.get("metric", "") or next(iter(declared.headline(names)), "")
        return cls(
            name,
            names[:MOST_NAMES],
            declared.unit(name),
            f"{BETTER[way]} is better" if (way := declared.wanted(name)) else "",
        )

    def value_of(self, instance: Instance) -> tuple[float | None, str, str]:
        """Its value in a version; the same as text with its unit; what there is instead."""
        if not self.name:
            return None, "", ""
        said = instance.annotations.get(self.name)
        value = number_of(said)
        if value is not None:
            return value, f"{format_metric(value)} {self.unit}".strip(), ""
        return None, "", "".join(why_no_number(said, LONGEST))
