"""Whether two versions were measured on the same data, by what they were made from.

*Same data*: each input in the role `evaluation` has an equal one on the other side; where neither side has that role,
all data that went in. *Other data*: both sides have the role, and differ. *Unknown* is every other case, with the
reason: where neither has the role, what they were made from tells nothing of what they were measured on if it differs.

Two inputs are equal if they are one version, a copy that was promoted counting as its origin, or if their content has
the same digest. Pure: no Django, no database.
"""

from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from comparing.sentences import NOTHING, Name, Sentence, joined, listed, upper_first
from lineage.graph import Input, Inputs, Kind
from obproject.roles import EVALUATION

PAIRS_MOST = 4


class Data(StrEnum):
    SAME = "same data"
    OTHER = "other data"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Comparability:
    """Whether two versions were measured on the same data; `which` names it, or says why that is not known.

    `thing` is the id of the asset, if it is the same data and of one asset only.
    """

    data: Data
    which: Sentence = NOTHING
    thing: str = ""

    @property
    def words(self) -> str:
        return "not known whether on the same data" if self.data == Data.UNKNOWN else str(self.data)


@dataclass(frozen=True)
class End:
    """How a sentence speaks of one of the two versions.

    `place` comes after what it has: "holdout v2 here", "holdout v4 on main". `subject` comes before. `branch` is the
    key of its branch: inputs from there are not said to be "of main".
    """

    place: str | Sentence
    subject: str | Sentence
    branch: str = ""


HERE = End("here", "this version")
BASE = End("in the base", "the base")


def comparability(base: Inputs, other: Inputs, base_end: End = BASE, other_end: End = HERE) -> Comparability:
    """Whether `other` and `base` were measured on the same data."""
    ends = (base_end, other_end)
    for inputs, end in ((base, base_end), (other, other_end)):
        if not inputs.complete:
            return _unknown("it is not known what all went into ", end.subject)
    measured = [_in_role(inputs) for inputs in (base, other)]
    is_told = any(measured)
    if not is_told:
        measured = [_data(inputs) for inputs in (base, other)]
        if not all(measured):
            return _no_inputs(measured, ends)
    elif not all(measured):
        silent, telling = ends if not measured[0] else reversed(ends)
        return _unknown("only of ", telling.subject, " is it known what it was measured on, not of ", silent.subject)
    alone = [without_equal(one, another) for one, another in (measured, measured[::-1])]
    if not any(alone):
        things = {one.node.key for inputs in measured for one in inputs}
        which = _same(measured[0], measured[1], base_end, other_end)
        return Comparability(Data.SAME, which, things.pop() if len(things) == 1 else "")
    differing = _differing(alone[0], alone[1], *ends)
    return differing if is_told else _unknown("neither says what it was measured on; ", differing.which)


class Among:
    """Some inputs, among which those that are equal to others are found at once: a run may have read thousands."""

    def __init__(self, inputs: Iterable[Input]) -> None:
        self._by_mark: dict[tuple[str, Any], Input] = {}
        for one in inputs:
            for mark in _marks(one):
                self._by_mark.setdefault(mark, one)

    def equal_to(self, one: Input) -> Input | None:
        """One that is the same version, or else one with the same content."""
        return next((self._by_mark[mark] for mark in _marks(one) if mark in self._by_mark), None)


def without_equal(inputs: Iterable[Input], others: Iterable[Input]) -> list[Input]:
    """Those that have no equal one among others."""
    among = Among(others)
    return [one for one in inputs if among.equal_to(one) is None]


def _marks(one: Input) -> dict[tuple[str, Any], None]:
    """Two inputs are equal if they have one of these in common: they are the same version, or copies of one, or have
    the same content. A definition has none."""
    if one.is_definition:
        return {}
    digest = one.node.digest
    return {("origin", one.origin): None} | ({("digest", digest): None} if digest else {})


def _in_role(inputs: Inputs) -> list[Input]:
    return [one for one in inputs if one.role == EVALUATION]


def _data(inputs: Inputs) -> list[Input]:
    """All that went in but models; what may not be seen may be data."""
    return [one for one in inputs if one.node.kind != Kind.MODEL]


def _unknown(*words: str | Sentence) -> Comparability:
    return Comparability(Data.UNKNOWN, Sentence(*words))


def _no_inputs(measured: Sequence[Sequence[Input]], ends: Sequence[End]) -> Comparability:
    without = [end.subject for found, end in zip(measured, ends, strict=True) if not found]
    if len(without) == 2:
        return _unknown("no data is known that went into either")
    return _unknown("no data is known that went into ", without[0])


def _differing(base: list[Input], other: list[Input], base_end: End, other_end: End) -> Comparability:
    """What one side has and the other has not. Where an equal one may be among it that can't be told, it is unknown."""
    if any(one.is_hidden for one in (*base, *other)):
        return _unknown("something is among it that you may not see")
    assets, definitions = set(map(_asset, base)), {_asset(one) for one in base if one.is_definition}
    for here in other:
        if _asset(here) in (assets if here.is_definition else definitions):
            return _unknown(Name(here.node.key), " was read without a version")
    said = [_pair(here, there, other_end, base_end) for here, there in _pairs(base, other)]
    return Comparability(Data.OTHER, joined(said, "; ", PAIRS_MOST))


def _pairs(base: list[Input], other: list[Input]) -> list[tuple[Input | None, Input | None]]:
    """What one side has with what the base has in its place: of the same asset, else of one of the same name, else any
    that is left."""
    left = dict(enumerate(base))
    by_asset, by_name = (_places(base, what) for what in (_asset, lambda one: one.node.key))
    found: list[tuple[Input | None, Input | None]] = []
    for here in other:
        place = _first(by_asset[_asset(here)], left)
        place = _first(by_name[here.node.key], left) if place is None else place
        found.append((here, None if place is None else left.pop(place)))
    rest = iter(left.values())
    filled = [(here, next(rest, None) if there is None else there) for here, there in found]
    return [*filled, *((None, there) for there in rest)]


def _places(inputs: Sequence[Input], what: Callable[[Input], Any]) -> dict[Any, deque[int]]:
    """The places of inputs by what they have in common, in their order."""
    found: dict[Any, deque[int]] = defaultdict(deque)
    for place, one in enumerate(inputs):
        found[what(one)].append(place)
    return found


def _first(places: deque[int], left: Mapping[int, Input]) -> int | None:
    """The first of these places that is left."""
    while places and places[0] not in left:
        places.popleft()
    return places[0] if places else None


def _asset(one: Input) -> tuple[str, str, str, str]:
    return (one.node.perimeter, one.node.project, one.node.branch, one.node.key)


def _pair(here: Input | None, there: Input | None, here_end: End, there_end: End) -> Sentence:
    """ "holdout v2 here, v4 on main"; or what only one side has: "holdout v2 here only"."""
    if here is None or there is None:
        one, end = (here, here_end) if here is not None else (there, there_end)
        assert one is not None
        return Sentence(named(one, end), " ", end.place, " only")
    said = Sentence(named(here, here_end), " ", here_end.place)
    of_which = version_of if here.node.key == there.node.key else named
    return Sentence(said, ", ", of_which(there, there_end), " ", there_end.place)


def named(one: Input, end: End) -> Sentence:
    """An input as a sentence says it: "holdout v4", "holdout v4 of main" where that is not the version's own branch."""
    if one.is_hidden:
        return Sentence("something that you may not see")
    return Sentence(Name(one.node.key or one.node.name), " ", version_of(one, end))


def version_of(one: Input, end: End) -> Sentence:
    """ "v4", "v4 of main"."""
    ref = one.node.version or ("without a version" if one.is_definition else "of an unknown version")
    elsewhere = end.branch and one.node.branch and one.node.branch != end.branch
    return Sentence(ref, " of ", Name(one.node.branch_name or one.node.branch)) if elsewhere else Sentence(ref)


def _same(base: list[Input], other: list[Input], base_end: End, other_end: End) -> Sentence:
    said, among = [], Among(base)
    for here in other:
        there = among.equal_to(here)
        assert there is not None  # as all of these have one
        if there.origin == here.origin or here.is_hidden or there.is_hidden:
            said.append(named(here, other_end))
        elif _asset(here) == _asset(there):
            said.append(Sentence(named(here, other_end), ", same content as ", version_of(there, base_end)))
        else:
            said.append(Sentence(named(here, other_end), ", same content as ", named(there, base_end)))
    return listed(said)


def as_sentence(said: Comparability) -> Sentence:
    """The whole: "Other data: holdout v2 here, v4 on main"."""
    words = Sentence(said.words)
    return upper_first(Sentence(words, ": ", said.which) if said.which else words)
