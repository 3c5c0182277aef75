"""The instances of an asset as the series take them: number, time, state, and what each one measured.

Annotations may be long, so of long ones the database picks the numbers out.
"""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from access.statements import moment_of
from catalog.declared_metrics import DeclaredMetrics
from catalog.metrics import MEASURE_LENGTH, annotations_of, number_of
from catalog.series.shapes import NOWHERE, Span
from catalog.series.statements import measured_of, numbers_in
from catalog.states import State
from obproject.metric_names import may_be_metric

Measures = Mapping[str, float]
EVERY = 2**40
NOTHING: Mapping[str, Any] = {}
WHOLE = 4_096
"""Annotations of so many characters are read as they are; of longer ones only what may be a number."""


@dataclass(frozen=True)
class Scanned:
    """One version. It measured something only if it is ready. `is_whole`: all that it measured was read."""

    number: int
    at: datetime
    state: str
    measures: Measures
    is_whole: bool = True


def is_metric(name: str, declared: DeclaredMetrics) -> bool:
    """Whether annotations of this name count as metrics: what is declared as one does, whatever it is called."""
    return may_be_metric(name) or name in declared.names


def scan(
    asset: int,
    span: Span,
    declared: DeclaredMetrics,
    names: Collection[str] | None = None,
    other: Span = NOWHERE,
    most: int = EVERY,
) -> list[Scanned]:
    """The versions in a span, or in two, in their order, with what they measured: everything, or only some metrics.

    Of what is in long annotations `most` numbers are read, those of the newest versions.
    """
    if not (span.size or other.size):
        return []
    both = {"first": span.first, "last": span.last, "other_first": other.first, "other_last": other.last}
    rows = measured_of.all(asset=asset, whole=WHOLE, **both)
    texts = {number: text for number, _, state, text in rows if state == State.READY and text is not None}
    said: dict[int, Any] = dict(zip(texts, annotations_of(texts.values()), strict=True))
    long = [row[0] for row in rows if row[2] == State.READY and row[3] is None]
    numbers = _numbers_of_long(asset, long, names, most)
    for number, key, value in numbers:
        said.setdefault(number, {})[key] = value
    found = set[str]().union(*said.values()) if names is None else names
    wanted, is_whole = {name for name in found if is_metric(name, declared)}, len(numbers) < most
    return [
        Scanned(number, moment_of(at) or datetime.min, state, _measures(said.get(number, NOTHING), wanted), is_whole)
        for number, at, state, _ in rows
    ]


def _numbers_of_long(
    asset: int, numbers: list[int], names: Collection[str] | None, most: int
) -> list[tuple[int, str, Any]]:
    """What may be a number in the annotations of some versions: the version, the name and the value."""
    if not numbers:
        return []
    which = {"asset": asset, "numbers": numbers, "every": names is None, "names": list(names or ())}
    return [
        (number, key, json.loads(value) if is_number and isinstance(value, str) else value)
        for number, key, is_number, value in numbers_in.all(**which, longest=MEASURE_LENGTH, most=most)
    ]


def _measures(said: Mapping[str, Any], wanted: set[str]) -> Measures:
    known = ((name, number_of(value)) for name, value in said.items() if name in wanted)
    return {name: number for name, number in known if number is not None}
