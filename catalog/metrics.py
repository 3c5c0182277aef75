"""Metrics of instances: which annotations are measures, how they changed, and how they are drawn and written.

A metric is a series over versions: what one version lacks is a gap in it. Pure functions of plain values: no Django, no
database.
"""

import functools
import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import orjson

from obproject.metric_names import may_be_metric

# RFC 8259, section 6; Python's own float() is far more lenient (spaces, underscores, "nan", other scripts' digits)
JSON_NUMBER = re.compile(r"-?(?P<whole>0|[1-9][0-9]*)(?P<part>\.[0-9]+)?(?P<power>[eE][+-]?[0-9]+)?")
WHOLE_DIGITS, DIGITS = 15, 17
"""The most significant digits of a text that reads as a measure: whole numbers up to 15 digits are exact in any reader,
longer ones are names; other numbers have the 17 with which a program writes one that can't be written shorter."""
MEASURE_LENGTH = 400
"""The most characters of a text that reads as a measure: the longest whole number that a float can hold has 309."""
NOT_FINITE = frozenset({"nan", "inf", "infinity"})
TEXT_MOST = 40
"""How much is repeated of what is no number."""

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

Wanted = Literal["up", "down"] | None
BETTER: dict[str, str] = {"up": "higher", "down": "lower"}
"""What is said for where a metric should go."""
Direction = Literal["up", "down", "same"]
Verdict = Literal["better", "worse", "neutral"]


def metrics_of(annotations: Mapping[str, Any]) -> dict[str, float]:
    """The annotations that are metrics, in their order."""
    return {
        key: number
        for key, value in annotations.items()
        if may_be_metric(key) and (number := number_of(value)) is not None
    }


def annotations_of(texts: Iterable[str]) -> list[Mapping[str, Any]]:
    """What is written in many texts of JSON, read at once, which takes a part of the time."""
    text = f"[{','.join(texts)}]"
    try:
        said: list[Mapping[str, Any]] = orjson.loads(text)
    except orjson.JSONDecodeError:  # what only older versions took, such as a number beyond all floats
        said = json.loads(text)
    return said


def number_of(value: Any) -> float | None:
    """The number that a value is, or reads as; None for what measures nothing: text, truth, `NaN`, a list.

    >>> number_of("0.934"), number_of("00934"), number_of("4815162342481516")
    (0.934, None, None)
    """
    kind = type(value)  # exact, as JSON's values are: a bool is no int here
    if not (kind is float or kind is int or (kind is str and _reads_as_measure(value))):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def why_no_number(value: Any, most: int = TEXT_MOST) -> tuple[str, str]:
    """Why what a version says of a metric is no number: in words, and behind them what users wrote, as far as there is
    room for it."""
    if isinstance(value, str):
        if value.strip().lstrip("+-").lower() in NOT_FINITE:
            return "not finite: ", value.strip()
        return "text: ", f"'{_cut(value, most)}'"
    if isinstance(value, float) and not math.isfinite(value):
        return f"not finite: {value}", ""
    if value is None:
        return "not measured", ""
    if isinstance(value, int) and not isinstance(value, bool):
        return "too large for a number", ""
    return "no number: ", _cut(json.dumps(value), most)


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _reads_as_measure(text: str) -> bool:
    """Whether a text is a JSON number of no more digits than a measure has."""
    match = JSON_NUMBER.fullmatch(text) if len(text) <= MEASURE_LENGTH else None
    if not match:
        return False
    whole, part, power = match.group("whole", "part", "power")
    if part is None and power is None:
        return len(whole.rstrip("0")) <= WHOLE_DIGITS
    return len((whole + (part or ".")[1:]).strip("0")) <= DIGITS


@dataclass(frozen=True)
class Metric:
    """One metric of one version, `ref`. `value` is None if it was not measured there.

    `previous` is the value in the last version before that measured it, which `previous_ref` names (None, empty: it was
    never measured before). `skips`: that is not the version right before.

    `wanted` is where it should go, None if that is not known, `unit` what stands behind its values, `noise` how large
    a change must be to say something: see `catalog.declared_metrics`, which makes metrics.
    """

    name: str
    value: float | None
    previous: float | None = None
    previous_ref: str = ""
    skips: bool = False
    ref: str = ""
    wanted: Wanted = None
    unit: str = ""
    noise: float | None = None

    @functools.cached_property
    def delta(self) -> float | None:
        """The change against the version before that measured it; None when there is nothing to compare."""
        if self.value is None or self.previous is None:
            return None
        delta = self.value - self.previous
        return delta if math.isfinite(delta) else None

    @functools.cached_property
    def direction(self) -> Direction | None:
        """Where the value went; None when there is nothing to compare with."""
        if self.delta is None:
            return None
        if self.delta == 0:
            return "same"
        return "up" if self.delta > 0 else "down"

    @functools.cached_property
    def verdict(self) -> Verdict:
        """Whether the change is for the better, as far as it is known where the metric should go."""
        if self.wanted is None or self.direction in (None, "same") or self.within_noise:
            return "neutral"
        return "better" if self.direction == self.wanted else "worse"

    @property
    def within_noise(self) -> bool:
        """Whether the value changed by less than is declared to say something."""
        return bool(self.delta) and self.noise is not None and is_noise(self.delta or 0, self.noise)

    @property
    def is_gap(self) -> bool:
        """Whether the version did not measure it; then its last value is `previous`."""
        return self.value is None

    @property
    def shape(self) -> dict[str, float | str | None]:
        """The metric as JSON."""
        before = {"before": self.previous, "before_ref": self.previous_ref or None}
        meaning = {"better": self.wanted and BETTER[self.wanted], "unit": self.unit or None, "noise": self.noise}
        return {"value": self.value, **before, "change": self.delta, **meaning}

    @property
    def text(self) -> str:
        """The value, or the last one if this version has none; empty if none has."""
        known = self.previous if self.value is None else self.value
        return "" if known is None else format_metric(known)

    @property
    def delta_text(self) -> str:
        """The size of the change, without a sign: pages show the direction beside it."""
        return "" if self.delta is None else format_metric(abs(self.delta))


@functools.lru_cache(maxsize=4096)
def wanted_direction(name: str) -> Wanted:
    """Whether a metric of this name should rise or fall; None when the name does not tell."""
    words = set(WORD.findall(name.lower()))
    if words & REFERENCE_WORDS:
        return None
    return next((direction for direction, known in QUALITY_WORDS.items() if words & known), None)


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


def sparkline(values: Sequence[float | None], width: int = 92, height: int = 26) -> list[tuple[int, int] | None]:
    """The points of a small line chart in a box of `width` by `height` pixels, oldest value first; None for a gap.

    Values are spread evenly over the width. A constant series runs along the middle, a single value is one point at the
    right end.
    """
    known = [value for value in values if value is not None]
    if not known:
        return []
    margin = 3  # room for the dot that marks the newest value
    heights = iter(_unit_scale(known))
    step = (width - 2 * margin) / max(len(values) - 1, 1)
    right = width - margin if len(values) == 1 else margin
    return [
        None
        if value is None
        else (round(right + place * step), round(height - margin - next(heights) * (height - 2 * margin)))
        for place, value in enumerate(values)
    ]


def line_through(points: Sequence[tuple[int, int] | None]) -> str:
    """An SVG path through the points that stops at gaps; a point alone is a dot."""
    parts: list[str] = []
    before = None
    for point in points:
        if point is not None:
            parts.append(f"L{point[0]} {point[1]}" if before else f"M{point[0]} {point[1]}h0")
        before = point
    return "".join(parts)


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


def is_noise(change: float, size: float) -> bool:
    """Whether a change is smaller than what says something. One that is as large but for rounding is not.

    >>> is_noise(0.802 - 0.8, 0.002), is_noise(-0.0019, 0.002)
    (False, True)
    """
    return abs(change) < size and not math.isclose(abs(change), size, rel_tol=1e-9)


def with_unit(value: float, unit: str = "") -> str:
    """A number as people read it, with what stands behind it.

    >>> with_unit(4.1, "s"), with_unit(48210)
    ('4.1 s', '48,210')
    """
    return f"{format_metric(value)} {unit}" if unit else format_metric(value)


def describe_trend(name: str, values: Sequence[float | None], unit: str = "") -> str:
    """A sparkline in words, for those who do not see it: `accuracy over 14 versions: from 0.9 to 0.934, …`.

    Of a series with gaps it says how many versions measured it, and whether the newest did.
    """
    known = [value for value in values if value is not None]
    if not known:
        return f"{name}: no values"
    gaps = len(values) - len(known)
    first, last = with_unit(known[0], unit), with_unit(known[-1], unit)
    text = f"{name} in {len(known)} of {len(values)} versions" if gaps else f"{name} over {len(known)} versions"
    if len(known) == 1:
        text = f"{text}: {last}" if gaps else f"{name}: {last}"
    else:
        lowest, highest = with_unit(min(known), unit), with_unit(max(known), unit)
        text += f": from {first} to {last}, between {lowest} and {highest}"
    return text if values[-1] is not None else f"{text}; not measured in the newest"
