"""Which metrics are kept, where there are too many, and in which order they are shown. Pure functions."""

from collections.abc import Collection, Mapping

from catalog.declared_metrics import DeclaredMetrics
from catalog.metrics import wanted_direction
from catalog.series.shapes import KEPT_NAMES


def kept_names(seen: Mapping[str, int], declared: DeclaredMetrics) -> list[str]:
    """Of metrics, with how often each was measured, those that are kept: what is declared comes first, in its order,
    then what was measured most often, and of equals what comes first by name."""
    ranks = {name: rank for rank, name in enumerate(declared.names)}
    return sorted(seen, key=lambda name: (ranks.get(name, len(ranks)), -seen[name], name))[:KEPT_NAMES]


def shown_order(names: Collection[str], declared: DeclaredMetrics) -> list[str]:
    """As is declared; of the rest first what can be better or worse, and then by name."""
    return declared.in_order(sorted(names, key=lambda name: (wanted_direction(name) is None, name)))
