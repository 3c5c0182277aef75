"""What the address of a chart asks for. What can't be understood is said, and left out."""

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from django.http import QueryDict

from catalog.pagekit.days import day_in, end_of, start_of
from catalog.plotting import Range, too_large

OWN = ("metric", "along", "with", "scale", "zero", "range", "low", "high", "from", "to")
"""The parameters of the page."""
MOST_METRICS = 12
"""So many charts stand below each other."""
MOST_OTHERS = 4
"""So many other assets are looked for."""
CHOICES = {
    "along": ("version", "time"),
    "scale": ("linear", "log"),
    "zero": ("no", "yes"),
    "range": ("usual", "all"),
}
"""The words of a parameter; the first one is what counts without it."""
_NUMBER = re.compile(r"v?([0-9]{1,9})")
SHOWN = 60
"""So many characters of what can't be understood are repeated."""


@dataclass(frozen=True)
class End:
    """An end of what is shown: a number, or a moment."""

    text: str
    number: int | None = None
    at: datetime | None = None


@dataclass(frozen=True)
class Asked:
    metrics: tuple[str, ...]
    """As they are written: each a name, or several with commas between them."""
    along: str
    others: tuple[str, ...]
    scale: Range
    first: End | None
    last: End | None
    problems: tuple[str, ...]

    @classmethod
    def of(cls, params: QueryDict) -> "Asked":
        problems: list[str] = []
        words = {name: _word(params, name, problems) for name in CHOICES}
        low, high = (_end_of_axis(params, name, problems) for name in ("low", "high"))
        if low is not None and high is not None and low >= high:
            problems.append("The axis can't go from 'low' to 'high': 'low' is not below 'high'. Both are left out.")
            low = high = None
        first, last = (_end(params, name, problems) for name in ("from", "to"))
        first, last = _in_order(first, last, problems)
        others = [text for text in params.getlist("with") if text]
        if len(others) > MOST_OTHERS:
            problems.append(f"At most {MOST_OTHERS} others are looked for; {len(others) - MOST_OTHERS} are left out.")
        if words["scale"] == "log" and words["zero"] == "yes":
            problems.append("A log scale has no zero; 'zero' is left out.")
        asked = Range(words["scale"] == "log", words["zero"] == "yes", words["range"] == "all", low, high)
        metrics = tuple(text for text in params.getlist("metric") if text)
        return cls(metrics, words["along"], tuple(others[:MOST_OTHERS]), asked, first, last, tuple(problems))

    @property
    def in_time(self) -> bool:
        return self.along == "time"


@dataclass(frozen=True)
class Chosen:
    """The metrics to draw, and what is said of those that are not."""

    names: tuple[str, ...]
    problems: tuple[str, ...] = ()


def chosen(asked: Sequence[str], known: Sequence[str], headline: Sequence[str]) -> Chosen:
    """The names among those that are known; without any those of the headline."""
    wanted = list(dict.fromkeys(name for text in asked for name in _names(text, set(known))))
    found = [name for name in wanted if name in known]
    lost = [name for name in wanted if name not in known]
    problems = [f"No metric is called {_listed(lost)}."] if lost else []
    if len(found) > MOST_METRICS:
        problems.append(f"The first {MOST_METRICS} of {len(found)} metrics are drawn.")
    if not found:
        return Chosen(tuple(headline[:MOST_METRICS]), tuple(problems))
    return Chosen(tuple(found[:MOST_METRICS]), tuple(problems))


def _names(text: str, known: set[str]) -> Iterator[str]:
    """A name that has commas is one if it is known; else several stand there."""
    if text in known or "," not in text:
        yield text
    else:
        yield from (name for part in text.split(",") if (name := part.strip()))


def _listed(names: list[str]) -> str:
    written = [f"'{name[:SHOWN]}'" for name in names[:3]]
    more = len(names) - len(written)
    return f"{', '.join(written)}, nor {more} more" if more else " or ".join(written)


def _word(params: QueryDict, name: str, problems: list[str]) -> str:
    words, text = CHOICES[name], params.get(name, "")
    if text and text not in words:
        problems.append(f"'{name}' is {' or '.join(words)}, not '{text[:SHOWN]}'.")
    return text if text in words else words[0]


def _end_of_axis(params: QueryDict, name: str, problems: list[str]) -> float | None:
    text = params.get(name, "").strip()
    try:
        number = float(text) if text else None
    except ValueError:
        number = math.nan
    if number is not None and (not math.isfinite(number) or too_large(number)):
        problems.append(f"'{name}' is a number of the axis, not '{text[:SHOWN]}'.")
        return None
    return number


def _end(params: QueryDict, name: Literal["from", "to"], problems: list[str]) -> End | None:
    text = params.get(name, "").strip()
    if not text:
        return None
    numbered = _NUMBER.fullmatch(text) if text.isascii() else None
    if numbered:
        return End(text, number=int(numbered[1]))
    if day := day_in(text):
        return End(text, at=end_of(day) if name == "to" else start_of(day))  # of the last day all
    problems.append(f"'{name}' is a version such as v12, or a day such as 2026-11-24, not '{text[:SHOWN]}'.")
    return None


def _in_order(first: End | None, last: End | None, problems: list[str]) -> tuple[End | None, End | None]:
    if first and last:
        numbers = first.number is not None and last.number is not None and first.number > last.number
        if numbers or (first.at and last.at and first.at >= last.at):
            problems.append(f"From '{first.text}' to '{last.text}' is the wrong way round; both are left out.")
            return None, None
    return first, last
