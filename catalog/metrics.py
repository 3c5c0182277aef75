"""Metrics of instances: which annotations are numbers, how they changed, and how they are drawn and written.

Pure functions of plain values: no Django, no database.
"""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

# Annotations that say where an instance comes from; they may look like numbers but measure nothing
RESERVED_KEYS = frozenset(
    {"artifact", "run_pathspec"}
    | {"promoted_from_branch", "promoted_from_instance", "promoted_from_chain", "promoted_by"}
)

# RFC 8259, section 6; Python's own float() is far more lenient (spaces, underscores, "nan", other scripts' digits)
JSON_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")

# Words that tell whether a metric should rise or fall, found anywhere in its name
QUALITY_WORDS: dict[Literal["up", "down"], frozenset[str]] = {
    # first, because of names like "score_error" and "missing_coverage"
    "down": frozenset(
        {"loss", "logloss", "error", "err", "rmse", "mae", "mse", "mape", "smape", "brier", "perplexity", "ppl"}
        | {"latency", "duration", "drift", "ece", "wer", "cer", "fpr", "fnr", "miss", "missing", "null", "nulls"}
    ),
    "up": frozenset(
        {"accuracy", "acc", "auc", "auroc", "precision", "recall", "f1", "r2", "bleu", "rouge", "map", "mrr", "ndcg"}
        | {"iou", "dice", "mcc", "kappa", "gini", "lift", "score", "gain", "pass", "coverage", "completeness"}
    ),
}
# Words for something to compare with: `auc_in_production` is no quality of the version that it stands at
REFERENCE_WORDS = frozenset({"production", "prod", "baseline", "previous", "champion", "target", "threshold"})
WORD = re.compile(r"[a-z]+[0-9]*|[0-9]+")

Direction = Literal["up", "down", "same"]
Verdict = Literal["better", "worse", "neutral"]


def metrics_of(annotations: Mapping[str, Any]) -> dict[str, float]:
    """The annotations that are metrics, in their order: finite numbers, and strings that are finite JSON numbers."""
    candidates = ((key, _number(value)) for key, value in annotations.items() if not _is_reserved(key))
    return {key: number for key, number in candidates if number is not None}


def _is_reserved(key: str) -> bool:
    return key.startswith("_") or key in RESERVED_KEYS


def _number(value: Any) -> float | None:
    """`value` as a finite float, or None; a bool is an answer, not a measurement."""
    if isinstance(value, str):
        if not JSON_NUMBER.fullmatch(value):
            return None
    elif isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


@dataclass(frozen=True)
class Metric:
    """One metric of one version, and its value in the version before (None: not measured there)."""

    name: str
    value: float
    previous: float | None = None

    @property
    def delta(self) -> float | None:
        """The change against the version before; None when there is nothing to compare with."""
        if self.previous is None:
            return None
        delta = self.value - self.previous
        return delta if math.isfinite(delta) else None

    @property
    def direction(self) -> Direction | None:
        """Where the value went; None when there is nothing to compare with."""
        if self.delta is None:
            return None
        if self.delta == 0:
            return "same"
        return "up" if self.delta > 0 else "down"

    @property
    def verdict(self) -> Verdict:
        """Whether the change is for the better, as far as the metric's name tells."""
        wanted = wanted_direction(self.name)
        if wanted is None or self.direction in (None, "same"):
            return "neutral"
        return "better" if self.direction == wanted else "worse"

    @property
    def text(self) -> str:
        return format_metric(self.value)

    @property
    def delta_text(self) -> str:
        """The size of the change, without a sign: pages show the direction beside it."""
        return "" if self.delta is None else format_metric(abs(self.delta))


def wanted_direction(name: str) -> Literal["up", "down"] | None:
    """Whether a metric of this name should rise or fall; None when the name does not tell."""
    words = set(WORD.findall(name.lower()))
    if words & REFERENCE_WORDS:
        return None
    return next((direction for direction, known in QUALITY_WORDS.items() if words & known), None)


def headline(metrics: Mapping[str, float], previous: Mapping[str, float] | None, limit: int = 3) -> list[Metric]:
    """The metrics to show first, at most `limit` of them, each with its value in the version before.

    Measures of quality come before plain quantities, then those that can be compared, then by name: the choice
    does not depend on the order of annotations, which databases do not keep.
    """
    before = previous or {}

    def rank(name: str) -> tuple[bool, bool, str]:
        return wanted_direction(name) is None, name not in before, name

    chosen = sorted(metrics, key=rank)[: max(limit, 0)]
    return [Metric(name, metrics[name], before.get(name)) for name in chosen]


def format_metric(value: float) -> str:
    """A number as people read it: `48,210`, `0.934`, `1.2e-07`; never rounded into another whole number.

    >>> format_metric(0.934), format_metric(48210.0), format_metric(0.99999)
    ('0.934', '48,210', '0.99999')
    """
    size = abs(value)
    if size and (size < 1e-4 or size >= 1e15):
        return f"{value:.3g}"
    if value == int(value):
        return f"{int(value):,}"
    if size >= 1000:
        return f"{value:,.1f}"
    return next(text for digits in (4, 6, 9, 17) if float(text := f"{value:.{digits}g}") != round(value))


def sparkline(values: Sequence[float | None], width: int = 92, height: int = 26) -> list[tuple[int, int]]:
    """The points of a small line chart in a box of `width` by `height` pixels, oldest value first.

    Values are spread evenly over the width; a None keeps its place and gets no point. A constant series runs along
    the middle, a single value is one point at the right end.
    """
    known = [value for value in values if value is not None and math.isfinite(value)]
    if not known:
        return []
    margin = 3  # room for the dot that marks the newest value
    heights = _unit_scale(known)
    step = (width - 2 * margin) / max(len(values) - 1, 1)
    places = [place for place, value in enumerate(values) if value is not None and math.isfinite(value)]
    if len(values) == 1:
        places = [1]
    return [
        (round(margin + place * step), round(height - margin - share * (height - 2 * margin)))
        for place, share in zip(places, heights, strict=True)
    ]


def _unit_scale(values: Sequence[float]) -> list[float]:
    """`values` brought to 0..1; all 0.5 when they do not differ. Divided first, so that extremes can't overflow."""
    largest = max(map(abs, values))
    if largest == 0:
        return [0.5] * len(values)
    shares = [value / largest for value in values]
    low, high = min(shares), max(shares)
    if high == low:
        return [0.5] * len(values)
    return [(share - low) / (high - low) for share in shares]


def describe_trend(name: str, values: Sequence[float | None]) -> str:
    """A sparkline in words, for those who do not see it: `accuracy over 14 versions: from 0.9 to 0.934, …`."""
    known = [value for value in values if value is not None and math.isfinite(value)]
    if not known:
        return f"{name}: no values"
    first, last = format_metric(known[0]), format_metric(known[-1])
    if len(known) == 1:
        return f"{name}: {last}"
    lowest, highest = format_metric(min(known)), format_metric(max(known))
    return f"{name} over {len(known)} versions: from {first} to {last}, between {lowest} and {highest}"
