"""What ``asset_config.toml`` declares of metrics, and of what comparisons leave out.

Unlike elsewhere in the file, a key that is not known is a problem: a misspelt ``beter`` would colour changes wrongly.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

from obproject import lengths
from obproject.json_types import Json
from obproject.metric_rules import METRIC_KEYS, check_better, check_left_out, check_metric_name, check_noise, check_unit
from obproject.project.checked_toml import Table, check_characters


@dataclass(frozen=True)
class MetricDefinition:
    """One ``[metrics.NAME]``."""

    name: str
    better: str | None = None
    """``higher``, ``lower`` or ``none``; None leaves it to the name."""
    headline: bool | None = None
    noise: float | None = None
    """The change that says nothing."""
    unit: str | None = None
    """What stands behind the values."""

    @property
    def document(self) -> Json:
        """What is declared, for requests and the spec."""
        return {name: value for name, value in asdict(self).items() if value is not None}


def read_metrics(asset: Table) -> tuple[MetricDefinition, ...]:
    """Return the metrics under ``[metrics]`` of an asset, in the order of the file."""
    table = asset.table("metrics")
    table.check_keys(lambda name: check_metric_name(check_characters(name)))
    if len(table) > lengths.METRICS:
        asset.report("metrics", f"{len(table):,} metrics", f"at most {lengths.METRICS:,}")
    return tuple(_read_metric(name, inner) for name, inner in table.tables())


def _read_metric(name: str, table: Table) -> MetricDefinition:
    table.refuse_others(METRIC_KEYS, '; a name with a dot in it stands in quotes, as in [metrics."duration.train"]')
    return MetricDefinition(
        name,
        better=table.text("better", check=check_better),
        headline=table.flag("headline", default=False) or None,
        noise=table.number("noise", check=check_noise),
        unit=table.text("unit", check=check_unit),
    )


def read_left_out(asset: Table) -> tuple[str, ...]:
    """Return the names under ``[compare] ignore`` of an asset."""
    table = asset.table("compare")
    table.refuse_others(("ignore",))
    names = table.texts("ignore", check=check_left_out)
    if len(names) > lengths.NOT_COMPARED:
        table.report("ignore", f"{len(names):,} names", f"at most {lengths.NOT_COMPARED:,}")
    return tuple(names)
