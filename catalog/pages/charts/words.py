"""What is said around charts: of their metrics, and of what the series does not have."""

from collections.abc import Iterator, Sequence

from catalog.metrics import BETTER
from catalog.models import Asset
from catalog.pages.charts.lines import Charted
from catalog.series import Names, Span


def direction_of(asset: Asset, name: str) -> str:
    """What its numbers are counted in, and which way is better: "in s; lower is better, as its name tells"."""
    metrics = asset.metrics
    wanted = metrics.wanted(name)
    declared = metrics.is_declared(name)
    none = "declared to be neither better nor worse" if declared else "no direction is declared"
    told = f"{BETTER[wanted]} is better" if wanted else none
    guessed = ", as its name tells" if wanted and not declared else ""
    unit = metrics.unit(name)
    return f"{f'in {unit}; ' if unit else ''}{told}{guessed}"


def left_out(names: Names) -> str:
    """How many metrics there are that no chart has; empty if there are none."""
    if not names.left_out:
        return ""
    kept, more = len(names.names), names.left_out
    return (
        f"{kept:,} of {kept + more:,} metrics are kept; {more:,} more {'was' if more == 1 else 'were'} logged and "
        f"{'isn' if more == 1 else 'aren'}" + "'t charted."
    )


def not_yet(charted: Sequence[Charted]) -> Iterator[str]:
    """Which versions the series waits for."""
    for one in charted:
        if one.series.not_yet:
            spans = [_written(span) for span in one.series.not_yet]
            listed = f"{', '.join(spans[:3])}{f' and {len(spans) - 3} more parts' if len(spans) > 3 else ''}"
            whose = f" of {one.name}" if one.name else ""
            yield f"{listed}{whose} aren't in the series yet: the next pass of the background work adds them."


def _written(span: Span) -> str:
    return f"v{span.first:,} to v{span.last:,}" if span.first < span.last else f"v{span.first:,}"


def not_kept(charted: Sequence[Charted]) -> Iterator[str]:
    """Of which versions it isn't known whether they measured a metric."""
    for one in charted:
        for metric in one.series.metrics:
            if metric.left_out:
                spans = ", ".join(_written(span) for span in metric.left_out[:3])
                whose = f" of {one.name}" if one.name else ""
                yield f"{metric.name} is not kept for {spans}{whose}: too many metrics were logged there."


def other_units(charted: Sequence[Charted]) -> Iterator[str]:
    """Where the other asset counts a metric in another unit, so that its numbers don't stand on the same axis."""
    own, *others = charted
    for one in others:
        for metric in one.series.metrics:
            units = [asset.metrics.unit(metric.name) for asset in (own.asset, one.asset)]
            if units[0] != units[1]:
                here, there = (f"in {unit}" if unit else "without a unit" for unit in units)
                yield f"{metric.name} is {there} in {one.name}, and {here} here: its numbers can't be compared."
