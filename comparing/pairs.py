"""One asset on two branches: what became of it, and its metrics side by side. Pure: no database."""

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import lru_cache
from typing import Any

from django.utils.functional import cached_property

from catalog.declared_metrics import DeclaredMetrics
from catalog.metrics import annotations_of, metrics_of, number_of
from catalog.states import Kind, State
from comparing.branch_rows import LONGEST_BLOBS, AssetRow
from comparing.deltas import Delta, Rules, delta_of, rules_of, side_of
from comparing.deltas import headline_of as headline_among
from comparing.noise import Noise, noise_of
from comparing.sameness import Comparability, Data, End, comparability, named, without_equal
from comparing.sentences import NOTHING, Name, Sentence, joined, listed
from comparing.verdict import Standing, standing_of
from lineage.graph import Input, Inputs
from obproject.metric_names import may_be_metric
from obproject.roles import INPUT

Key = tuple[str, str]
MODELS, READY = Kind.MODELS.value, State.READY.value
MOST_INPUTS = 3
MOST_METRICS = 200
METRICS_OF_DATA = 2


class Fate(StrEnum):
    """What became of an asset on the head, as seen from the base."""

    WORSE = "worse"
    MIXED = "mixed"
    GONE = "gone"
    BETTER = "better"
    CHANGED = "changed"
    NEW = "new"
    NEWER = "newer"
    OLDER = "older"
    NOT_BUILT = "not built here"
    SAME = "same"

    @property
    def differs(self) -> bool:
        return self not in (Fate.NOT_BUILT, Fate.SAME)


IMPORTANCE = {fate: place for place, fate in enumerate(Fate)}
"""The order in which differences are told: the worst first."""
STANDINGS: dict[Standing, Fate] = {
    "better": Fate.BETTER,
    "worse": Fate.WORSE,
    "mixed": Fate.MIXED,
    "none": Fate.CHANGED,
}
"""What becomes of a model, by how it stands beside the base."""
JUDGED = frozenset({Fate.WORSE, Fate.MIXED, Fate.BETTER, Fate.CHANGED})
NOT_LOOKED_AT = Comparability(Data.UNKNOWN, Sentence("what went into it is looked up for the first models only"))


@dataclass(frozen=True)
class Pair:
    """An asset on both branches, with its headline metrics if it is a model whose versions differ.

    `base` and `head` are None where a branch has no such asset. `is_gone`: a deploy of the head dropped its definition.
    `because` says what went into the head's version instead of what went into the base's; `renamed` what it may have
    been, or have become.
    """

    key: Key
    base: AssetRow | None
    head: AssetRow | None
    is_gone: bool = False
    deltas: tuple[Delta, ...] = ()
    because: Sentence = NOTHING
    renamed: Sentence = NOTHING
    also_worse: tuple[Delta, ...] = ()
    """Metrics beside the headline that are worse beyond noise, of those that were looked up."""
    is_judged: bool = False
    """Whether it was looked up what its versions were made from."""

    @property
    def row(self) -> AssetRow:
        """The asset as the head has it, or else as the base has it."""
        row = self.head or self.base
        assert row is not None
        return row

    @property
    def title(self) -> str:
        return self.row.title

    @property
    def is_model(self) -> bool:
        return self.key[0] == MODELS

    @property
    def base_ref(self) -> str:
        return self.base.ref if self.base else ""

    @property
    def head_ref(self) -> str:
        return self.head.ref if self.head else ""

    @property
    def both_built(self) -> bool:
        return self.base is not None and self.base.is_built and self.head is not None and self.head.is_built

    @cached_property
    def better(self) -> list[Delta]:
        """The headline metrics that are better than in the base."""
        return [delta for delta in self.deltas if delta.outcome == "better"]

    @cached_property
    def worse(self) -> list[Delta]:
        return [delta for delta in self.deltas if delta.outcome == "worse"]

    @cached_property
    def fate(self) -> Fate:
        if self.is_gone:
            return Fate.GONE
        if self.head is None:
            return Fate.NOT_BUILT
        if not self.head.is_built:
            return Fate.NEW if self.base is None else Fate.NOT_BUILT if self.base.is_built else Fate.SAME
        if self.base is None or not self.base.is_built:
            return Fate.NEW
        if is_same_version(self.base, self.head):
            return Fate.SAME
        if not self.is_model:
            sides = [(row.ready_at, row.ready_pk) for row in (self.base, self.head)]
            return Fate.NEWER if sides[1] > sides[0] else Fate.OLDER
        return STANDINGS[standing_of(self.better, self.worse)]

    @cached_property
    def rank(self) -> tuple[int, float, str, str]:
        """The order of differences: the worst first, and of these the largest change."""
        told = (*self.worse, *self.better) if self.deltas else ()
        moved = max([abs(delta.percent or 0) for delta in told], default=0)
        kind, asset_id = self.key
        return (IMPORTANCE[self.fate], -moved, "" if self.is_model else kind, asset_id)

    @property
    def unsettled(self) -> Sentence:
        """What the head has that is newer and not ready: "v5 is pending"."""
        row = self.head
        if row is None or row.newest_state in (None, READY) or row.newest_number == row.ready_number:
            return NOTHING
        return Sentence(f"v{row.newest_number} is {row.newest_state}")

    @cached_property
    def values(self) -> list[Delta]:
        """Of data: what moved most among its metrics; of what is new its first ones."""
        return _moved_most(self.base, self.head) if not self.is_model or not self.both_built else []


def is_same_version(base: AssetRow, head: AssetRow) -> bool:
    """Whether one is a copy of the other, or both of one, or their content has the same digest."""
    origins = {base.ready_pk, base.origin} & {head.ready_pk, head.origin} - {None}
    return bool(origins) or (base.digest is not None and base.digest != "" and base.digest == head.digest)


@lru_cache(maxsize=1024)
def declared(metrics: str) -> DeclaredMetrics:
    return DeclaredMetrics.of(json.loads(metrics))


@lru_cache(maxsize=1024)
def headline_of(names: frozenset[str], *sides: str) -> tuple[str, ...]:
    """The metrics that a verdict on an asset speaks of, the same whichever side is the base; also what is declared so
    and neither measured.

    `names` are those that either version has measured, `sides` what the base and the head declare.
    """
    both = [declared(side) for side in sides]
    heads = {entry.name for side in both for entry in side.entries if entry.headline}
    return tuple(both[0].in_order(headline_among(both, names | heads)))


@lru_cache(maxsize=4096)
def rules_between(name: str, base: str, head: str) -> Rules:
    return rules_of(name, declared(base), declared(head))


def deltas_of(
    base: AssetRow, head: AssetRow, said: Comparability, learned: Mapping[str, Sequence[float]], names: Iterable[str]
) -> tuple[Delta, ...]:
    """The metrics of two versions. `learned`: the steps of each in the history of the base."""
    return _deltas(names, (base, head), (base.values(), head.values()), said, learned)


def _deltas(
    names: Iterable[str],
    rows: tuple[AssetRow, AssetRow],
    values: tuple[Mapping[str, Any], Mapping[str, Any]],
    said: Comparability,
    learned: Mapping[str, Sequence[float]],
) -> tuple[Delta, ...]:
    found = []
    for name in names:
        rules = rules_between(name, rows[0].declared_metrics, rows[1].declared_metrics)
        noise: Noise | None = noise_of([rules.noise], learned.get(name, ()))
        found.append(delta_of(name, side_of(values[0], name), side_of(values[1], name), rules, said, noise))
    return tuple(found)


def roughly(pairs: Sequence[Pair]) -> list[Pair]:
    """All pairs, models with their headline metrics, as long as it is not known what their versions were made from."""
    models = {pair.key: sides for pair in pairs if pair.is_model and (sides := _differing(pair))}
    values = iter(annotations_of(row.annotations_text for sides in models.values() for row in sides))
    read = dict(zip(models, zip(values, values, strict=True), strict=True))
    return [_roughly(pair, models[pair.key], read[pair.key]) if pair.key in models else pair for pair in pairs]


def _headline(values: tuple[Mapping[str, Any], Mapping[str, Any]], *sides: str) -> tuple[str, ...]:
    """The headline of two versions. All their annotations are read only where the names promise more than there is."""
    promised = headline_of(frozenset(filter(may_be_metric, [*values[0], *values[1]])), *sides)
    if all(any(number_of(side.get(name)) is not None for side in values) for name in promised):
        return promised
    return headline_of(frozenset([*metrics_of(values[0]), *metrics_of(values[1])]), *sides)


def _differing(pair: Pair) -> tuple[AssetRow, AssetRow] | None:
    """Both sides, if they have versions, and not the same one."""
    base, head = pair.base, pair.head
    if base is None or head is None or not pair.both_built or is_same_version(base, head):
        return None
    return base, head


def _roughly(pair: Pair, rows: tuple[AssetRow, AssetRow], values: tuple[Mapping[str, Any], Mapping[str, Any]]) -> Pair:
    base, head = rows
    names = _headline(values, base.declared_metrics, head.declared_metrics)
    return Pair(pair.key, base, head, pair.is_gone, _deltas(names, rows, values, NOT_LOOKED_AT, {}))


def judged(
    pair: Pair,
    inputs: Mapping[int, Inputs],
    learned: Mapping[str, Sequence[float]],
    base_end: End,
    head_end: End,
) -> Pair:
    """With what its versions were made from, and the noise of the base's metrics."""
    base, head = pair.base, pair.head
    assert base is not None
    assert head is not None
    theirs, ours = (inputs.get(row.ready_pk or 0, Inputs()) for row in (base, head))
    said = comparability(theirs, ours, base_end, head_end)
    heads = [delta.name for delta in pair.deltas]
    others = deltas_of(base, head, said, learned, [name for name in measured_by_both(pair) if name not in heads])
    return replace(
        pair,
        deltas=deltas_of(base, head, said, learned, heads),
        because=because_of(theirs, ours, base_end, head_end),
        also_worse=tuple(delta for delta in others if delta.outcome == "worse"),
        is_judged=True,
    )


def measured_by_both(pair: Pair) -> list[str]:
    """The first metrics that both versions have."""
    assert pair.base is not None
    assert pair.head is not None
    theirs = metrics_of(pair.base.values())
    return [name for name in metrics_of(pair.head.values()) if name in theirs][:MOST_METRICS]


def because_of(base: Inputs, head: Inputs, base_end: End, head_end: End) -> Sentence:
    """ "trained on Interaction features v2 instead of Churn features v48"; nothing where the inputs are equal."""
    theirs, ours = _made_from(base), _made_from(head)
    here, there = without_equal(ours, theirs), without_equal(theirs, ours)
    if not here and not there:
        return NOTHING
    if not here:
        return Sentence("trained without ", _listed(there, base_end))
    said = Sentence("trained on ", _listed(here, head_end))
    return Sentence(said, " instead of ", _listed(there, base_end)) if there else Sentence(said, " as well")


def _made_from(inputs: Inputs) -> list[Input]:
    return [one for one in inputs if one.role in ("", INPUT)]


def _listed(inputs: Sequence[Input], end: End) -> Sentence:
    return listed([named(one, end) for one in inputs], most=MOST_INPUTS)


def _moved_most(base: AssetRow | None, head: AssetRow | None) -> list[Delta]:
    shown = head if head is not None and head.ref else base
    if shown is None or not shown.ref:
        return []
    other = base if shown is head and base is not None and base.ref else None
    names = list(metrics_of(shown.values()))
    if other is None:
        first = declared(shown.declared_metrics).headline(names)[:METRICS_OF_DATA]
        return list(deltas_of(shown, shown, NOT_LOOKED_AT, {}, first))
    found = deltas_of(other, shown, NOT_LOOKED_AT, {}, names)
    moved = sorted(
        (delta for delta in found if delta.change is not None), key=lambda one: (-abs(one.percent or 0), one.name)
    )
    return moved[:METRICS_OF_DATA]


def values_said(pair: Pair) -> Sentence:
    """ "row_count 900, columns 6"; of two versions "row_count 225 → 900"."""
    return joined([_value_said(delta, pair.both_built) for delta in pair.values])


def _value_said(delta: Delta, both: bool) -> Sentence:
    unit = f" {delta.unit}" if delta.unit else ""
    if not both or not delta.change:
        return Sentence(Name(delta.name), f" {delta.other.text}{unit}", " on both" if both else "")
    return Sentence(Name(delta.name), f" {delta.base.text} → {delta.other.text}{unit}")


def renamed(pairs: Sequence[Pair]) -> list[Pair]:
    """The pairs, with what may be one asset under two names: one of them is gone or not built, the other is new, and
    they have the same content or files, or, where one is gone, the same maker. Several that are alike are none."""
    lost = [pair for pair in pairs if pair.fate in (Fate.GONE, Fate.NOT_BUILT) and pair.base_ref]
    if not lost:
        return list(pairs)
    by_mark = [_by_mark(lost, marks) for marks in ALIKE]
    found: dict[Key, Sentence] = {}
    for new in (pair for pair in pairs if pair.fate == Fate.NEW and pair.base is None and pair.head_ref):
        for old, reason in _likely(new, by_mark):
            if old.key not in found:
                found[new.key] = Sentence("perhaps renamed from ", Name(old.title), ": ", reason)
                found[old.key] = Sentence("perhaps renamed to ", Name(new.title), ": ", reason)
                break
    return [replace(pair, renamed=found[pair.key]) if pair.key in found else pair for pair in pairs]


Mark = tuple[Any, ...]
Marks = Callable[[AssetRow, bool], Iterable[Mark]]
"""By what an asset may be known under another name: of one that is or is not gone, or is new."""


def _content(row: AssetRow, is_gone: bool) -> Iterator[Mark]:
    yield from ((pk,) for pk in {row.ready_pk, row.origin} - {None})
    if row.digest:
        yield "digest", row.digest


def _files(row: AssetRow, is_gone: bool) -> Iterator[Mark]:
    if row.blobs and row.blobs != "[]" and len(row.blobs) < LONGEST_BLOBS:
        yield (row.blobs,)


def _maker(row: AssetRow, is_gone: bool) -> Iterator[Mark]:
    if is_gone and row.producer:
        yield row.producer_kind, row.producer


ALIKE: tuple[Marks, ...] = (_content, _files, _maker)
"""The best reason first."""


def _by_mark(lost: Iterable[Pair], marks: Marks) -> dict[Mark, list[Pair]]:
    """What is lost, by its kind and mark: two of each, as more say no more."""
    found: dict[Mark, list[Pair]] = {}
    for old in lost:
        assert old.base is not None
        for mark in marks(old.base, old.is_gone):
            alike = found.setdefault((old.row.kind, *mark), [])
            if len(alike) < 2:
                alike.append(old)
    return found


def _likely(new: Pair, by_mark: Sequence[Mapping[Mark, list[Pair]]]) -> Iterator[tuple[Pair, Sentence]]:
    """What a new asset may have been before, the best reason first; several that are alike in one way are none."""
    assert new.head is not None
    maker = Sentence("both made by ", Name(new.head.producer or ""))
    reasons = (Sentence("same content"), Sentence("same files"), maker)
    for marks, known, reason in zip(ALIKE, by_mark, reasons, strict=True):
        alike = {old.key: old for mark in marks(new.head, True) for old in known.get((new.row.kind, *mark), ())}
        if len(alike) == 1:
            yield next(iter(alike.values())), reason


def pairs_of(base: Mapping[Key, AssetRow], head: Mapping[Key, AssetRow], gone: Collection[Key]) -> list[Pair]:
    """All assets of two branches, joined by kind and id. `gone`: what a deploy of the head does not define any more."""
    keys = sorted({*base, *head, *(key for key in gone if key in base)})
    return [Pair(key, base.get(key), head.get(key), is_gone=key in gone and key in base) for key in keys]
