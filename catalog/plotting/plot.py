"""One metric of one asset, or of two, as places and words.

Places are per cent of the drawing, so that words and dots keep their size at any width; only lines are paths, in a
square of 1000 that stretches. Nothing is left out silently: what has no value, or no place on the axis, has a mark and
a sentence.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby, pairwise
from typing import Literal

from catalog.metrics import with_unit
from catalog.plotting.along import Along, Label
from catalog.plotting.lines import Line, Point
from catalog.plotting.places import Band, Drawn, Place, on_axes
from catalog.plotting.scales import Range, Scale, Tick, drawable, scale_of
from catalog.plotting.texts import named, short
from catalog.plotting.words import words_of

SQUARE = 10
"""How many of a path's units are one per cent."""
MOST_DOTS = 160
"""Of more versions only those that stand out have dots."""
STEPS, FEW_STEPS = 4, 2
MOST_ALIASES = 2
"""How many names of aliases stand beside a version; further ones are counted."""
SHORT_ALIAS = 24
UNDER = 14
"""Below so many per cent from the top the name of an alias stands under its dot."""
BESIDE = 75
"""Up to so many per cent from the left there is room at the right of a value."""
LETTER, WIDE, NARROW = 7.2, 1100, 320
"""How wide a letter of an alias is, and drawings, at about: names that would lie upon each other are left out."""
THINNEST = 0.2
"""How wide a group is drawn at least, in per cent."""
SHORT_UNIT = 3
"""A unit of so many characters stands beside each line of the axis."""


@dataclass(frozen=True)
class Flag:
    """The names of the aliases of a version, beside its dot. `spare`: left out where it is narrow."""

    text: str
    anchor: Literal["start", "mid", "end"] = "mid"
    under: bool = False
    spare: bool = False


@dataclass(frozen=True)
class Mark:
    """A version, or a group of them, as a link: where it stands, how wide what reacts to the pointer is (`left`,
    `width`), and what is read of it."""

    x: float
    y: float
    look: str
    url: str
    label: str
    reading: str
    left: float = 0.0
    width: float = 0.0
    second: bool = False
    """Of the other asset."""
    has_dot: bool = True
    is_held: bool = False
    """An alias is on it."""
    flag: Flag | None = None
    note: str = ""
    """What stands beside it: the value that is beyond the axis."""
    low: float | None = None
    """Of a group: the place of its lowest value; `y` is that of its highest."""

    @property
    def note_anchor(self) -> str:
        return _anchor(self.x)


@dataclass(frozen=True)
class Extreme:
    """The lowest or the highest value of all, where versions are drawn in groups."""

    x: float
    y: float
    text: str
    anchor: str
    is_low: bool
    """Whether the text stands below it."""


@dataclass(frozen=True)
class Plot:
    """What there is to draw and to say of one metric."""

    name: str
    unit: str
    about: str
    """Its name in the drawing, with what its numbers are counted in and from."""
    summary: str
    """The same in words, for those who don't see it."""
    ticks: tuple[Tick, ...]
    labels: tuple[Label, ...]
    lines: tuple[str, ...]
    """The path of each line."""
    bridges: tuple[str, ...]
    """From where a line stops to where it goes on."""
    envelopes: tuple[str, ...]
    marks: tuple[Mark, ...]
    extremes: tuple[Extreme, ...]
    newest: str
    """What the reading line says while nothing is pointed at."""
    ground: float | None
    """The place of zero, if it lies within."""
    words: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    """What its lines are of, where there are several."""
    is_small: bool = False
    is_cut: bool = False
    """Whether a value lies beyond the axis."""

    @property
    def ends(self) -> tuple[Label, ...]:
        """The first and the last name along it."""
        return self.labels[:: max(1, len(self.labels) - 1)]

    @property
    def has_second(self) -> bool:
        return any(mark.second for mark in self.marks)

    def has(self, look: str) -> bool:
        return any(mark.look == look for mark in self.marks)

    @property
    def has_held(self) -> bool:
        return any(mark.is_held for mark in self.marks)

    @classmethod
    def of(
        cls, name: str, lines: Sequence[Line], along: Along, asked: Range, *, unit: str = "", of: str = "",
        small: bool = False,
    ) -> "Plot":  # fmt: skip
        """The plot of a metric of the asset that is called `of`, whose line is the first one."""
        drawing = _Drawing(lines, along, asked, unit, small)
        scale = drawing.scale
        ticks = _with_unit(scale.ticks, unit)
        return cls(
            name=name,
            unit=unit,
            about=_about(name, "" if ticks != scale.ticks else unit, scale.base),
            summary=_summary(name, of, drawing),
            ticks=ticks,
            labels=along.labels,
            lines=tuple(drawing.path(line) for line in drawing.drawn),
            bridges=tuple(filter(None, (drawing.bridges(line) for line in drawing.drawn))),
            envelopes=tuple(filter(None, (drawing.envelope(line) for line in drawing.drawn))),
            marks=tuple(drawing.marks()),
            extremes=tuple(drawing.extremes()),
            newest=drawing.newest(),
            ground=scale.y(0.0) if not scale.log and scale.low < 0 < scale.high else None,
            words=tuple(words_of(drawing.drawn, drawing.written, states=not small)),
            names=tuple(line.name for line in lines) if len(lines) > 1 else (),
            is_small=small,
            is_cut=any(place.look in ("above", "below") for line in drawing.drawn for place in line.places),
        )


@dataclass
class _Drawing:
    """The lines on their axes."""

    given: Sequence[Line]
    along: Along
    asked: Range
    unit: str
    small: bool
    scale: Scale = field(init=False)
    drawn: list[Drawn] = field(init=False)

    def __post_init__(self) -> None:
        log = self.asked.log
        values = [value for line in self.given for value in line.values if drawable(value, log=log)]
        # of groups no extreme may be lost
        asked = replace(self.asked, whole=True) if any(line.groups for line in self.given) else self.asked
        self.scale = scale_of(values, asked, FEW_STEPS if self.small else STEPS)
        self.drawn = [on_axes(line, self.along, self.scale, second=at > 0) for at, line in enumerate(self.given)]

    # the paths

    def path(self, drawn: Drawn) -> str:
        """The line through the versions, which stops where one has no place on it."""
        stretches = [list(run) for is_on, run in groupby(drawn.places, key=lambda one: one.look == "dot") if is_on]
        return "".join(_through([(one.x, one.y or 0.0) for one in run]) for run in stretches if len(run) > 1)

    def bridges(self, drawn: Drawn) -> str:
        on = [place for place, one in enumerate(drawn.places) if one.look == "dot"]
        pairs = [(here, there) for here, there in pairwise(on) if there > here + 1]
        found = [(drawn.places[here], drawn.places[there]) for here, there in pairs]
        return "".join(_through([(one.x, one.y or 0.0) for one in pair]) for pair in found)

    def envelope(self, drawn: Drawn) -> str:
        """What lies between the lowest and the highest of each group."""
        runs = [list(run) for is_on, run in groupby(drawn.bands, key=lambda one: one.high is not None) if is_on]
        return "".join(_around(run) for run in runs)

    # the marks

    def marks(self) -> Iterator[Mark]:
        """In reading order: those of the asset itself, then those of the other one."""
        for drawn in self.drawn:
            marks = [self._mark(drawn, place, alone) for place, alone in _alone(drawn.places)]
            marks += [self._mark_of_group(drawn, band) for band in drawn.bands]
            if not self.small:
                marks = _flagged(marks, {place.point.url: place.point for place in drawn.places})
            yield from marks if drawn.second else _with_room(marks)

    def _mark(self, drawn: Drawn, place: Place, alone: bool) -> Mark:
        point = place.point
        value = "" if point.value is None else self.written(point.value)
        said = ", ".join(filter(None, (value, named(place.why))))
        ref = f"{named(drawn.line.name)} {point.ref}" if drawn.line.name else point.ref
        names = " ".join(f"@{named(name)}" for name in point.aliases)
        held = _listed(point.aliases)
        when = self.along.when(point.at)
        return Mark(
            x=place.x,
            y=100.0 if place.y is None else place.y,
            look=place.look,
            url=point.url,
            label=f"{ref}{f', {when}' if when else ''}: {said}{f', {names}' if names else ''}",
            reading=" · ".join(filter(None, (_ref(drawn, point.ref), said, held, when))),
            second=drawn.second,
            has_dot=alone or len(drawn.places) <= MOST_DOTS or bool(point.aliases),
            is_held=bool(point.aliases),
            note=value if place.look in ("above", "below") else "",
        )

    def _mark_of_group(self, drawn: Drawn, band: Band) -> Mark:
        group = band.group
        ref = f"{named(drawn.line.name)} {group.ref}" if drawn.line.name else group.ref
        said = "no number"
        if group.measured:
            low, high = self.written(group.low), self.written(group.high)
            said = f"{low} in v{group.low_number} to {high} in v{group.high_number}" if group.low < group.high else low
        when = self.along.when(group.at_last)
        return Mark(
            x=band.x,
            y=100.0 if band.high is None else band.high,
            look="group" if band.high is not None else "missing",
            url=group.url,
            label=f"{ref}{f', {when}' if when else ''}: {said}; show them",
            reading=" · ".join(filter(None, (_ref(drawn, group.ref), said, when))),
            second=drawn.second,
            low=band.low,
            has_dot=False,
        )

    def extremes(self) -> Iterator[Extreme]:
        """The lowest and the highest value, named at their groups."""
        for drawn in self.drawn[:1]:
            bands = [band for band in drawn.bands if band.high is not None]
            if bands:
                highest = max(bands, key=lambda band: band.group.high)
                lowest = min(bands, key=lambda band: band.group.low)
                if lowest.group.low < highest.group.high:
                    high, low = highest.group, lowest.group
                    yield self._extreme(highest.x, highest.high, f"v{high.high_number:,}", high.high, is_low=False)
                    yield self._extreme(lowest.x, lowest.low, f"v{low.low_number:,}", low.low, is_low=True)

    def _extreme(self, x: float, y: float | None, ref: str, value: float, *, is_low: bool) -> Extreme:
        place = y or 0.0
        beside = is_low and place > 100 - UNDER  # below it the names of versions stand
        text = f"{ref} · {self.written(value)}"
        if beside and x < BESIDE:
            return Extreme(x + 0.8, place, text, "start", is_low=False)
        return Extreme(x - 0.8 if beside else x, place, text, "end" if beside else _anchor(x), is_low and not beside)

    def newest(self) -> str:
        """The newest version that has a value."""
        for drawn in self.drawn[:1]:
            known = [place for place in drawn.places if place.point.value is not None]
            if known:
                newest = max(known, key=lambda place: place.point.number).point
                return f"{newest.ref} · {self.written(newest.value or 0.0)}"
        return ""

    def written(self, value: float) -> str:
        return with_unit(value, self.unit)


def _through(points: Sequence[tuple[float, float]]) -> str:
    return "M" + "L".join(f"{_unit(x)} {_unit(y)}" for x, y in points)


def _alone(places: Sequence[Place]) -> Iterator[tuple[Place, bool]]:
    """Each with whether no line leads to it."""
    on = [False, *(place.look == "dot" for place in places), False]
    for number, place in enumerate(places, 1):
        yield place, not on[number] or not (on[number - 1] or on[number + 1])


def _around(bands: Sequence[Band]) -> str:
    """Along the highest values and back along the lowest, from the first version of all to the last."""
    first, last = bands[0], bands[-1]
    bands = [replace(first, x=first.left), *bands, replace(last, x=max(last.right, last.left + THINNEST))]
    there = [(band.x, band.high or 0.0) for band in bands]
    back = [(band.x, band.low or 0.0) for band in reversed(bands)]
    return _through(there + back) + "z"


def _unit(per_cent: float) -> str:
    return f"{per_cent * SQUARE:.1f}".removesuffix(".0")


def _with_room(marks: Sequence[Mark]) -> list[Mark]:
    """Each with the room that is nearer to it than to any other."""
    xs = [mark.x for mark in marks]
    between = [round((here + there) / 2, 3) for here, there in pairwise(xs)]
    borders = zip([0.0, *between], [*between, 100.0], strict=True)
    return [
        replace(mark, left=left, width=round(max(right - left, 0.0), 3))
        for mark, (left, right) in zip(marks, borders, strict=False)
    ]


def _flagged(marks: Sequence[Mark], points: dict[str, Point]) -> list[Mark]:
    """With the names of their aliases, as far as these don't lie upon each other."""
    taken: dict[bool, dict[bool, float]] = {True: {}, False: {}}
    found = []
    for mark in marks:
        point = points.get(mark.url)
        if point and point.aliases and mark.look == "dot":
            mark = replace(mark, flag=_flag(mark, point.aliases, taken))
        found.append(mark)
    return found


def _flag(mark: Mark, aliases: Sequence[str], taken: dict[bool, dict[bool, float]]) -> Flag | None:
    text = _listed(aliases)
    anchor: Literal["start", "mid", "end"] = _anchor(mark.x)
    sides = (True,) if mark.y < UNDER else (False, True) if mark.y < 100 - UNDER else (False,)
    for under in sides:
        wide, narrow = (_extent(mark.x, anchor, text, width) for width in (WIDE, NARROW))
        if wide[0] > taken[False].get(under, -1e9):
            taken[False][under] = wide[1]
            spare = narrow[0] <= taken[True].get(under, -1e9)
            if not spare:
                taken[True][under] = narrow[1]
            return Flag(text, anchor, under, spare)
    return None


def _ref(drawn: Drawn, ref: str) -> str:
    """A version as the reading line names it."""
    return f"{short(drawn.line.name)} {ref}" if drawn.line.name else ref


def _listed(aliases: Sequence[str]) -> str:
    """The names of a version's aliases, as far as there is room for them."""
    more = f" +{len(aliases) - MOST_ALIASES}" if len(aliases) > MOST_ALIASES else ""
    return " ".join(f"@{short(name, SHORT_ALIAS)}" for name in aliases[:MOST_ALIASES]) + more


def _extent(x: float, anchor: str, text: str, width: int) -> tuple[float, float]:
    """From where to where a text goes in a drawing so many pixels wide, in per cent."""
    length = 100 * LETTER * len(text) / width
    left = {"start": x, "mid": x - length / 2, "end": x - length}[anchor]
    return left, left + length


def _anchor(x: float) -> Literal["start", "mid", "end"]:
    return "start" if x < 8 else "end" if x > 92 else "mid"


def _with_unit(ticks: tuple[Tick, ...], unit: str) -> tuple[Tick, ...]:
    fits = unit and len(unit) <= SHORT_UNIT and all(len(tick.text) + len(unit) < 8 for tick in ticks)
    return tuple(replace(tick, text=f"{tick.text} {named(unit)}") for tick in ticks) if fits else ticks


def _about(name: str, unit: str, base: str) -> str:
    more = [f"in {short(unit, SHORT_ALIAS)}"] if unit else []
    more += [f"more than {base}"] if base else []
    return f"{short(name, SHORT_ALIAS)}, {' '.join(more)}" if more else short(name)


def _summary(name: str, of: str, drawing: _Drawing) -> str:
    line = drawing.given[0]
    count = sum(group.count for group in line.groups) or len(line.points)
    title = f"{named(name)} of {named(of)}" if of else named(name)
    said = f"{title} over {count:,} version{'' if count == 1 else 's'}"
    wording = drawing.along.wording
    if wording:
        days = dict.fromkeys([wording.day(wording.first), f"{wording.day(wording.last)} {wording.last.year}"])
        said += f", {' to '.join(days)}"
    others = [named(other.name) for other in drawing.given[1:]]
    said += f", with {' and '.join(others)}" if others else ""
    if not line.values:
        return f"{said}: no numbers"
    low, high = drawing.written(min(line.values)), drawing.written(max(line.values))
    newest = f"; newest {drawing.newest()}" if drawing.newest() else ""
    return f"{said}: {f'{low} to {high}' if low != high else low}{newest}"
