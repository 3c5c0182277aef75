"""The vertical axis of a plot: which values it covers, how high each stands, and what is written beside it."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from catalog.metrics import format_metric

LARGEST, SMALLEST = 1e300, 1e-300
"""Beyond them, sums and quotients of numbers are none any more."""
SAME = 1e-12
"""Numbers that differ by no larger share stand at one height."""
AROUND_ONE = 0.1
"""How far the axis goes to both sides of a value that has no other beside it, as a share of it."""
FEW = 8
"""Of fewer values none is unusual."""
FLATTENED = 3
"""A value is unusual if the axis would be so many times longer for it."""
SHARE = 10
"""At most one of so many values is unusual."""
LONGEST = 7
"""The most characters beside the axis; longer numbers are written as what they are more than the lowest."""
DECADES = 1.5
"""A log axis that covers fewer has the round numbers of a plain one."""
_UNITS = ((1e12, None, ""), (1e9, 1e9, "G"), (1e6, 1e6, "M"), (1e4, 1e3, "k"), (1e-3, 1.0, ""))
"""From which size on numbers are written in a unit; None: with an exponent, as are those below the last."""


@dataclass(frozen=True)
class Range:
    """What is asked of an axis: `low` and `high` are its ends, `whole`: also values far from all others."""

    log: bool = False
    zero: bool = False
    whole: bool = False
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Tick:
    """`text` beside the height `y`, in per cent from the top."""

    y: float
    text: str


@dataclass(frozen=True)
class Scale:
    """The values from `low` to `high`; `base` is what the texts of its ticks are counted from, if not from zero."""

    low: float
    high: float
    log: bool
    ticks: tuple[Tick, ...] = ()
    base: str = ""

    def holds(self, value: float) -> bool:
        """Whether a value is within, but for what arithmetic loses."""
        return -1e-9 <= self._share(value) <= 1 + 1e-9

    def y(self, value: float) -> float:
        """The height of a value in per cent from the top; beyond the axis: of its end."""
        return round(100 * (1 - min(max(self._share(value), 0.0), 1.0)), 2)

    def _share(self, value: float) -> float:
        if self.log:
            if value <= 0:
                return -1.0
            low = math.log10(self.low)
            return (math.log10(value) - low) / (math.log10(self.high) - low)
        return (value - self.low) / (self.high - self.low)


def too_large(value: float) -> bool:
    """Whether no axis can hold a number."""
    return not abs(value) < LARGEST


def drawable(value: float, *, log: bool) -> bool:
    """Whether a number has a place on a kind of axis."""
    return not too_large(value) and (not log or value >= SMALLEST)


def scale_of(values: Sequence[float], asked: Range, steps: int) -> Scale:
    """The axis for values that are drawable, with lines at about so many steps."""
    usual = values if asked.whole else usual_of(values, log=asked.log)
    low, high = min(usual, default=1.0), max(usual, default=1.0)
    if asked.zero and not asked.log:
        low, high = min(low, 0.0), max(high, 0.0)
    fixed = _fixed(asked)
    low, high = (end if end is not None else found for end, found in zip(fixed, (low, high), strict=True))
    if asked.log:
        low, high = (low, high) if high > low * (1 + SAME) else (low / 2, low * 2)
    else:
        low, high = _apart(low, high, fixed)
    return _log(low, high, fixed, steps) if asked.log else _linear(low, high, fixed, steps)


def usual_of(values: Sequence[float], *, log: bool = False) -> list[float]:
    """The values without those far from all others: one jump would flatten everything else.

    They are left out if the axis is less than a third as long without them; at most a tenth, and never so many that
    none of the others differ.
    """
    kept = sorted(math.log10(value) if log else value for value in values)
    least = len(kept) - max(1, len(kept) // SHARE) if len(kept) >= FEW else len(kept)
    while (cut := _far_end(kept, len(kept) - least)) is not None:
        kept = cut
    low, high = (kept[0], kept[-1]) if kept else (0.0, 0.0)
    return [value for value in values if low <= (math.log10(value) if log else value) <= high]


def _far_end(values: list[float], most: int) -> list[float] | None:
    """Sorted values without a few at one end, if that makes their range so much shorter; None if nothing does."""
    for count in range(1, most + 1):
        for rest in (values[count:], values[:-count]):
            if 0 < rest[-1] - rest[0] < (values[-1] - values[0]) / FLATTENED:
                return rest
    return None


Fixed = tuple[float | None, float | None]


def _fixed(asked: Range) -> Fixed:
    """The ends that are asked for, as far as the axis can have them."""
    low, high = (end if end is not None and drawable(end, log=asked.log) else None for end in (asked.low, asked.high))
    return (None, None) if low is not None and high is not None and low >= high else (low, high)


def _apart(low: float, high: float, fixed: Fixed) -> tuple[float, float]:
    """Two ends that differ, so that there is a height between them."""
    if high - low > max(abs(low), abs(high)) * SAME and high - low > SMALLEST:
        return low, high
    if fixed[0] is not None:
        return low, low + _margin(low)
    if fixed[1] is not None:
        return high - _margin(high), high
    margin = _margin(low)
    return low - margin, low + margin


def _margin(value: float) -> float:
    return abs(value) * AROUND_ONE if abs(value) > SMALLEST else 1.0


def _linear(low: float, high: float, fixed: Fixed, steps: int) -> Scale:
    step = _round_step(high / steps - low / steps)
    low = low if fixed[0] is not None else math.floor(low / step + SAME) * step
    high = high if fixed[1] is not None else math.ceil(high / step - SAME) * step
    return _with_ticks(Scale(low, high, log=False), _multiples(low, high, step), step)


def _multiples(low: float, high: float, step: float) -> list[float]:
    return [place * step for place in range(math.ceil(low / step - 1e-6), math.floor(high / step + 1e-6) + 1)]


def _round_step(rough: float) -> float:
    power = 10.0 ** math.floor(math.log10(rough))
    return next((factor * power for factor in (1, 2, 2.5, 5) if factor * power >= rough), 10 * power)


def _log(low: float, high: float, fixed: Fixed, steps: int) -> Scale:
    """An axis on which the same share has the same length; its values are positive."""
    low = max(low, high / 10, SMALLEST) if low <= 0 else low
    if math.log10(high) - math.log10(low) < DECADES:
        step = _round_step(high / steps - low / steps)
        low = low if fixed[0] is not None else math.floor(low / step + SAME) * step or low
        high = high if fixed[1] is not None else math.ceil(high / step - SAME) * step
        return _with_ticks(Scale(low, high, log=True), [one for one in _multiples(low, high, step) if one > 0], step)
    first, last = math.floor(math.log10(low) + SAME), math.ceil(math.log10(high) - SAME)
    scale = Scale(low if fixed[0] is not None else 10.0**first, high if fixed[1] is not None else 10.0**last, log=True)
    powers = [10.0**place for place in range(first, last + 1, max(1, math.ceil((last - first) / (steps + 1))))]
    return Scale(
        scale.low,
        scale.high,
        log=True,
        ticks=tuple(Tick(scale.y(power), written(power)) for power in powers if scale.holds(power)),
    )


def _with_ticks(scale: Scale, values: Sequence[float], step: float) -> Scale:
    """The scale with its lines; where they would be too long or alike, they say how much more than the lowest."""
    texts, base = _texts(values, step), ""
    if max(map(len, texts), default=0) > LONGEST:
        base = format_metric(values[0])
        texts = ["+0", *(f"+{text}" for text in _texts([value - values[0] for value in values[1:]], step))]
    ticks = tuple(Tick(scale.y(value), text) for value, text in zip(values, texts, strict=True))
    return Scale(scale.low, scale.high, scale.log, ticks, base)


def _texts(values: Sequence[float], step: float) -> list[str]:
    size, unit = _size(max(map(abs, values), default=0.0))
    decimals = _decimals(step / size)
    return ["0" if abs(value) < step / 2 else f"{value / size:.{decimals}f}{unit}" for value in values]


def _size(largest: float) -> tuple[float, str]:
    """What numbers up to a size are divided by, and what then stands behind them."""
    found = next(((size, unit) for start, size, unit in _UNITS if largest >= start), None)
    if found and found[0] is not None:
        return found[0], found[1]
    if largest < SMALLEST:
        return 1.0, ""
    power = math.floor(math.log10(largest))
    return 10.0**power, f"e{power}"


def _decimals(step: float) -> int:
    """How many digits behind the point a step has."""
    return next((count for count in range(15) if abs(step * 10**count - round(step * 10**count)) < 1e-6), 15)


def written(power: float) -> str:
    """A power of ten beside a log axis: 0.001, 100, 10k, 1e-06."""
    size, unit = _size(power)
    if unit.startswith("e"):
        return f"1{unit}"
    return f"{power / size:.{max(0, -round(math.log10(power / size)))}f}{unit}"
