"""Who held an alias when, as a drawing: a row of who it was, and above it a metric of each as steps."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from catalog.plotting.dates import Wording, lines_between
from catalog.plotting.scales import Range, Scale, Tick, drawable, scale_of
from catalog.plotting.texts import named
from catalog.shown.times import duration

SHORT = 1.6
"""Per cent of the time that is drawn: who held it for less is a mark, and no piece of the row."""
NAMED, ROOMY = 4.0, 9.0
"""From how many per cent on a piece has room for its name; on a narrow screen."""
WORDS = 22.0
"""Per cent that the words beside a mark take."""
STEPS = 4
LABELS_APART = 2


@dataclass(frozen=True)
class Hold:
    """An alias led to `ref` ("v7", "definition", or empty: to nothing) from a moment on, and until another one.

    `end` is None if it still does. `text` is the metric as it is written, or why there is none.
    """

    ref: str
    url: str
    start: datetime
    end: datetime | None = None
    value: float | None = None
    text: str = ""

    def seconds(self, now: datetime) -> float:
        return max(((self.end or now) - self.start).total_seconds(), 0.0)

    @property
    def who(self) -> str:
        return self.ref or "nobody"


@dataclass(frozen=True)
class Piece:
    """A part of the row: places in per cent. `mark`: it is too short for a piece; `words` stand beside the mark."""

    hold: Hold
    x: float
    width: float
    y: float | None
    label: str
    reading: str
    name: str
    mark: bool
    words: str
    at_end: bool
    is_now: bool
    spare: bool


@dataclass(frozen=True)
class Label:
    x: float
    text: str
    spare: bool


@dataclass(frozen=True)
class Drawing:
    """The holds of some time, oldest first, each ending where the next begins; `asked`: the moments asked about."""

    holds: Sequence[Hold]
    now: datetime
    metric: str
    unit: str
    alias: str
    asked: tuple[datetime, datetime] | None = None

    @cached_property
    def start(self) -> datetime:
        return self.holds[0].start

    @cached_property
    def end(self) -> datetime:
        return self.holds[-1].end or max(self.now, self.holds[-1].start)

    @cached_property
    def _scale(self) -> Scale | None:
        values = [hold.value for hold in self.holds if hold.value is not None and drawable(hold.value, log=False)]
        return scale_of(values, Range(whole=True), STEPS) if values else None

    @property
    def ticks(self) -> Sequence[Tick]:
        return self._scale.ticks if self._scale else ()

    @property
    def about(self) -> str:
        """What the steps are of."""
        if not self.metric:
            return ""
        base = self._scale.base if self._scale else ""
        more = [f"in {named(self.unit)}"] if self.unit else []
        more += [f"more than {base}"] if base else []
        return ", ".join([named(self.metric), *more])

    @cached_property
    def labels(self) -> list[Label]:
        """The moments below the row."""
        found = (
            lines_between(self.start, self.end)
            if self.start < self.end
            else [(self.start, self._wording.day(self.start))]
        )
        return [
            Label(self._x(at), text, spare=len(found) > 4 and place % LABELS_APART == 1)
            for place, (at, text) in enumerate(found)
        ]

    @cached_property
    def pieces(self) -> list[Piece]:
        return [self._piece(place, hold) for place, hold in enumerate(self.holds)]

    @cached_property
    def steps(self) -> str:
        """The path through the values, in a box of 1,000 by 1,000; it stops where there is none."""
        parts: list[str] = []
        last = None
        for piece in self.pieces:
            if piece.y is not None:
                y, x, end = piece.y * 10, piece.x * 10, (piece.x + piece.width) * 10
                parts.append(f"{'M' if last is None else 'L'}{x:.1f} {y:.1f}H{end:.1f}")
            last = piece.y
        return "".join(parts)

    @property
    def summary(self) -> str:
        """The drawing in words."""
        said = f"Who held @{named(self.alias)} from {self._moment(self.start)} to {self._moment(self.end)}, UTC"
        return f"{said}, with {named(self.metric)} as steps" if self.metric else said

    @property
    def sentences(self) -> list[str]:
        """What is said below it."""
        held = [hold for hold in self.holds if hold.ref]
        versions = len({hold.ref for hold in held})
        said = [f"{_count(versions, 'version')} in {duration((self.end - self.start).total_seconds())}."]
        short = [piece for piece in self.pieces if piece.mark and piece.hold.ref]
        if unsaid := [piece for piece in short if not piece.words]:
            said.append(f"{_count(len(unsaid), 'more mark')} without room for a word: the table has all.")
        if self.metric and self._scale is None and held:
            said.append(f"None of them has a number for {named(self.metric)}.")
        elif self.metric:
            lacking = list(dict.fromkeys(hold.ref for hold in held if hold.value is None))
            if lacking:
                more = f" and {len(lacking) - 3} more" if len(lacking) > 3 else ""
                said.append(f"No number for {named(self.metric)}: {', '.join(lacking[:3])}{more}.")
        if [hold for hold in held if hold.value is not None and not drawable(hold.value, log=False)]:
            said.append("What is too large for an axis is in the table alone.")
        return said

    @property
    def band(self) -> tuple[float, float] | None:
        """Where the time is that was asked about: place and width."""
        if self.asked is None or self.asked[1] < self.start or self.asked[0] > self.end:
            return None
        left = self._x(max(self.asked[0], self.start))
        return left, max(self._x(min(self.asked[1], self.end)) - left, 0.1)

    @cached_property
    def _wording(self) -> Wording:
        return Wording(self.start, self.end)

    def _moment(self, at: datetime) -> str:
        return self._wording.moment(at)

    def _x(self, at: datetime) -> float:
        whole = (self.end - self.start).total_seconds()
        return round(100 * (at - self.start).total_seconds() / whole, 3) if whole else 0.0

    @cached_property
    def _worded(self) -> set[int]:
        """Which marks have words beside them, by their places: those of the shortest come first, as far as there is
        room."""
        marks = [place for place, hold in enumerate(self.holds) if hold.ref and self._is_mark(hold)]
        taken: list[float] = []
        found: set[int] = set()
        for place in sorted(marks, key=lambda place: self.holds[place].seconds(self.now)):
            begin = _words_begin(self._x(self.holds[place].start))
            if all(abs(begin - other) >= WORDS for other in taken):
                taken.append(begin)
                found.add(place)
        return found

    def _width(self, hold: Hold) -> float:
        if self.start >= self.end:
            return 100.0 if hold.end is None else 0.0
        return round(self._x(hold.end or self.end) - self._x(hold.start), 3)

    def _is_mark(self, hold: Hold) -> bool:
        return hold.end is not None and self._width(hold) < SHORT

    def _y(self, hold: Hold) -> float | None:
        if self._scale is None or hold.value is None or not drawable(hold.value, log=False):
            return None
        return self._scale.y(hold.value)

    def _piece(self, place: int, hold: Hold) -> Piece:
        x, width, is_now = self._x(hold.start), self._width(hold), hold.end is None
        return Piece(
            hold=hold,
            x=x,
            width=width,
            y=self._y(hold),
            label=self._label(hold),
            reading=self._reading(hold),
            name=f"{hold.who} now" if is_now and width >= ROOMY else hold.who if width >= NAMED else "",
            mark=self._is_mark(hold),
            words=f"{hold.who} for {duration(hold.seconds(self.now))}" if place in self._worded else "",
            at_end=_words_begin(x) < x,
            is_now=is_now,
            spare=width < ROOMY,
        )

    def _when(self, hold: Hold) -> str:
        start = self._moment(hold.start)
        if hold.end is None:
            return f"since {start}"
        return f"{start} to {self._moment(hold.end)}, for {duration(hold.seconds(self.now))}"

    def _label(self, hold: Hold) -> str:
        measured = f", {named(self.metric)} {named(hold.text)}" if self.metric and hold.ref else ""
        return f"{hold.who}, {self._when(hold)}{measured}"

    def _reading(self, hold: Hold) -> str:
        measured = f" · {named(hold.text)}" if self.metric and hold.ref else ""
        return f"{hold.who}{measured} · {self._when(hold)}"


def _words_begin(x: float) -> float:
    """Where the words beside a mark begin: to its left, or at the left end to its right."""
    return x - WORDS if x > WORDS else x


def _count(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
