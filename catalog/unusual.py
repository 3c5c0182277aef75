"""Whether what a version says of a metric is unusual, by the versions before it.

A number is unusual that is beyond ten times the spread of the last 30 values and 0.6 % of their median, both counted
from the median, and beyond the range of these values, widened by its width on each side. The spread is the larger of
the median distance from the median and the median step from a version to the next: so neither noise nor a steady trend
is unusual, nor what has a heavy tail. Pure: no Django, no database. docs/gates.md says it to users, docs/freshness.md
how well it does.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from statistics import median
from typing import Any

from catalog.metrics import format_metric, number_of, why_no_number
from obproject.metric_names import may_be_metric

RULE = 1
"""The revision of this rule; one more with each change by which it may say something else."""
LAST = 30
"""How many values are looked at: those of the last versions before."""
FEWEST = 8
"""Of fewer numbers among them nothing is said."""
TIMES = 10
LEAST = 0.006
"""Of the median: what is nearer is not unusual."""
WIDENED = 1
"""How far the range goes on at each end, in its own width."""
ROUNDING = 1e-9
PLAIN = 2.0**53
"""Below this, a number is one however it is written."""


def unusual(values: Sequence[Any], new: Any) -> str:
    """Why a value is unusual, as a phrase with numbers; empty if it is not, or if too little is known.

    `values` are those of the versions before, the oldest first, and as JSON has them; None: the version lacks it.
    What each of the last eight versions had is unusual if it is missing.
    """
    last = values[-LAST:]
    if _is_among(last, new):
        return ""
    known = [number for value in last if (number := number_of(value)) is not None]
    if len(known) < FEWEST:
        return ""
    if new is None:
        regular = len(last) >= FEWEST and all(value is not None for value in last[-FEWEST:])
        return f"missing, and the last {FEWEST} versions had it" if regular else ""
    number = number_of(new)
    if number is None:
        return f"{''.join(why_no_number(new))}, where {len(known)} of the last {len(last)} versions had a number"
    return _far(known, number)


def unusual_of(history: Sequence[Mapping[str, Any]], new: Mapping[str, Any]) -> dict[str, str]:
    """Which metrics of a version are unusual, with the reasons. `history` has the annotations of the versions before,
    the oldest first, `new` those of the version."""
    last = history[-LAST:]
    names = dict.fromkeys(name for annotations in last for name in annotations if may_be_metric(name))
    reasons = {name: unusual([one.get(name) for one in last], new.get(name)) for name in names}
    return {name: reason for name, reason in reasons.items() if reason}


def _is_among(values: Sequence[Any], new: Any) -> bool:
    """Whether a plain number lies between some of the values, as nearly all do: so it is not unusual."""
    plain = [value for value in values if type(value) is float or type(value) is int]
    if not plain or type(new) not in (int, float):
        return False
    return bool(-PLAIN < min(plain) <= new <= max(plain) < PLAIN)


def _far(known: list[float], number: float) -> str:
    # divided first, so that extremes can't overflow
    largest = max(map(abs, [*known, number])) or 1.0
    shares, share = [value / largest for value in known], number / largest
    low, high = min(shares), max(shares)
    margin = WIDENED * (high - low)
    if not (_beyond(share, high + margin) or _beyond(low - margin, share)):
        return ""
    middle = median(shares)
    distance = median(abs(value - middle) for value in shares)
    step = median(abs(value - before) for before, value in pairwise(shares))
    spread = max(TIMES * distance, TIMES * step, LEAST * abs(middle))
    if not _beyond(abs(share - middle), spread):
        return ""
    where = "above" if share > middle else "below"
    seen = f"{format_metric(min(known))} to {format_metric(max(known))}, median {format_metric(_middle(known))}"
    return f"{format_metric(number)}, far {where} the last {len(known)} values: {seen}"


def _middle(values: list[float]) -> float:
    """The median, also where the sum of two values is beyond all floats."""
    ordered = sorted(values)
    below, above = ordered[(len(values) - 1) // 2], ordered[len(values) // 2]
    return below if below == above else below / 2 + above / 2


def _beyond(one: float, other: float) -> bool:
    """Whether a share is larger than another by more than rounding makes of equal ones."""
    return one - other > ROUNDING * max(abs(one), abs(other))
