"""Two branches of a project, compared: what became of each asset, which models are better, and why.

The base is what one compares with; all words are about the head. Whatever there is, it is read with a handful of
queries: the assets of both branches, the definitions that differ, the arrows, and for the first models that differ what
their versions were made from, with the history of the base's.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from django.utils import timezone
from django.utils.functional import cached_property

from access.identity import Viewer
from catalog.metrics import number_of
from catalog.models import Branch, Instance
from catalog.states import Kind
from comparing.arrows import Arrow, Arrows, Side, arrows_between
from comparing.branch_rows import (
    MOST_ARROWS,
    MOST_ASSETS,
    MOST_MOVES,
    AssetRow,
    arrows_of_two,
    assets_of_two,
    definitions_of_two,
    last_versions,
)
from comparing.definitions import Definition, definition_of
from comparing.deltas import Delta
from comparing.noise import VERSIONS, steps_between
from comparing.pairs import Fate, Key, Pair, judged, measured_by_both, pairs_of, renamed, roughly
from comparing.sameness import Data, End, comparability
from comparing.sentences import Name, Sentence, listed
from lineage.graph import Inputs
from lineage.inputs import inputs_of

SHOWN = 100
"""How many differences a page has."""
JUDGED = 10
"""Of how many models, the worst first, it is looked up what their versions were made from."""


@dataclass(frozen=True)
class Moved:
    """How far the base has moved since the head's first deploy, or since it began: versions, and of how many assets."""

    versions: int
    assets: Sequence[str]
    since: datetime
    is_since_deploy: bool
    at_least: bool = False


@dataclass(frozen=True)
class BranchComparison:
    """What differs on the head from the base. `start`: how many differences are on the pages before this one."""

    base: Branch
    head: Branch
    as_of: datetime
    pairs: Sequence[Pair]
    definitions: Sequence[Definition]
    definitions_total: int
    arrows: Arrows
    moved: Moved
    is_cut: bool = False
    """Whether a branch has more assets than are looked at."""
    start: int = 0

    @property
    def is_with_itself(self) -> bool:
        return self.base.pk == self.head.pk

    @cached_property
    def differences(self) -> list[Pair]:
        """The assets that differ, the worst first."""
        return sorted((pair for pair in self.pairs if pair.fate.differs), key=lambda pair: pair.rank)

    @property
    def shown(self) -> list[Pair]:
        return self.differences[self.start : self.start + SHOWN]

    @property
    def models(self) -> list[Pair]:
        return [pair for pair in self.shown if pair.is_model]

    @property
    def data(self) -> list[Pair]:
        return [pair for pair in self.shown if not pair.is_model]

    @cached_property
    def shown_arrows(self) -> list[tuple[Side, Arrow]]:
        return self.arrows.part(self.start, self.start + SHOWN)

    def of(self, *fates: Fate, model: bool | None = None) -> list[Pair]:
        """The pairs of some fates, of one kind or of both."""
        found = list(self._of_fate(fates))
        return found if model is None else [pair for pair in found if pair.is_model == model]

    def _of_fate(self, fates: Iterable[Fate]) -> Iterator[Pair]:
        for fate in fates:
            yield from self._by_fate.get(fate, ())

    @cached_property
    def _by_fate(self) -> Mapping[Fate, list[Pair]]:
        found: dict[Fate, list[Pair]] = {}
        for pair in self.pairs:
            found.setdefault(pair.fate, []).append(pair)
        return found

    @property
    def better(self) -> int:
        return len(self.of(Fate.BETTER))

    @property
    def worse(self) -> int:
        """How many models are worse in any headline metric, also where they are better in another."""
        return len(self.of(Fate.WORSE, Fate.MIXED))

    @property
    def new(self) -> int:
        return len(self.of(Fate.NEW))

    @property
    def gone(self) -> int:
        return len(self.of(Fate.GONE))

    @property
    def one_sided(self) -> list[Pair]:
        """Assets on both that only one branch declares."""
        return [
            pair for pair in self.pairs if pair.base and pair.head and pair.base.is_declared != pair.head.is_declared
        ]

    @property
    def differs(self) -> bool:
        return bool(self.differences or self.definitions_total or self.arrows.differing)

    @property
    def longest_list(self) -> int:
        return max(len(self.differences), self.definitions_total, self.arrows.differing)

    @cached_property
    def sentence(self) -> Sentence:
        """ "Churn model is better here: …" of one model; "2 models better, 1 worse, 1 new asset" of several."""
        if self.is_with_itself:
            return Sentence(Name(self.base.name), " is compared with itself")
        if not self.differs:
            return Sentence("Both branches give the same")
        told = self.of(Fate.WORSE, Fate.MIXED, Fate.BETTER)
        if len(told) == 1:
            return _of_one(told[0])
        return self.counted

    @property
    def counted(self) -> Sentence:
        """The same in numbers: "1 model better, 0 worse, 1 new asset"."""
        models = any(pair.is_model for pair in self.pairs)
        worse, mixed = (len(self.of(fate)) for fate in (Fate.WORSE, Fate.MIXED))
        parts = [f"{self.better:,} model{_s(self.better)} better", f"{worse:,} worse"] if models else []
        parts += [f"{mixed:,} without a clear answer"] if mixed else []
        parts += [f"{count:,} {word}" for word, count in self._others() if count]
        return Sentence(", ".join(parts) or "Nothing that is built differs")

    def _others(self) -> list[tuple[str, int]]:
        newer, older = len(self.of(Fate.NEWER)), len(self.of(Fate.OLDER))
        return [
            (f"new asset{_s(self.new)}", self.new),
            ("gone", self.gone),
            ("newer", newer),
            ("older", older),
            (f"definition{_s(self.definitions_total)} changed", self.definitions_total),
        ]


def _s(count: int) -> str:
    return "" if count == 1 else "s"


def _of_one(pair: Pair) -> Sentence:
    """ "Churn model is better here: auc 0.7991 → 0.8107, on the same holdout"."""
    better, worse = pair.better, pair.worse
    if pair.fate == Fate.MIXED:
        names = [listed([Name(one.name) for one in heads], most=3) for heads in (better, worse)]
        moves = Sentence(": ", names[0], " better, ", names[1], " worse, no clear answer")
    else:
        word = " is worse here: " if worse else " is better here: "
        moves = Sentence(word, listed([_move(one) for one in worse or better], most=3))
    return Sentence(Name(pair.title), moves, on_which_data(pair))


def _move(delta: Delta) -> Sentence:
    return Sentence(Name(delta.name), f" {delta.base.text} → {delta.other.text}", _unit(delta.unit))


def on_which_data(pair: Pair) -> Sentence:
    """ ", on the same holdout" of the metrics that a verdict on a model speaks of."""
    said = [one.comparability for one in (*pair.worse, *pair.better)]
    if any(one.data != Data.SAME for one in said):
        return Sentence(", on data that is not known to be the same")
    things = {one.thing for one in said}
    return Sentence(", on the same ", Name(things.pop()) if len(things) == 1 and "" not in things else "data")


def _unit(unit: str) -> str | Name:
    return Name(f" {unit}") if unit else ""


def compare_branches(viewer: Viewer, base: Branch, head: Branch, start: int = 0) -> BranchComparison:
    """Compare two branches of one project, which the viewer was found to see."""
    as_of = timezone.now()
    deployed = getattr(head, "first_deploy_at", None)
    since = deployed or head.created_at
    if base.pk == head.pk:
        moved = Moved(0, (), since, deployed is not None)
        return BranchComparison(base, head, as_of, (), (), 0, Arrows(), moved)
    rows = assets_of_two(base, head, since)
    pairs, is_cut = _pairs(rows, base, head)
    found, total = definitions_of_two(base, head, SHOWN, start)
    definitions = [one for one in map(definition_of, found) if one.changes or any(one.lines)]
    arrows = arrows_of_two(base, head)
    return BranchComparison(
        base,
        head,
        as_of,
        renamed(_with_reasons(viewer, pairs, base, head)),
        definitions,
        total - (len(found) - len(definitions)),
        arrows_between(arrows, base.key, head.key, viewer.perimeter_ids(), is_cut=len(arrows) > MOST_ARROWS),
        _moved(rows, since, is_since_deploy=deployed is not None),
        is_cut,
        start,
    )


def _pairs(rows: Sequence[AssetRow], base: Branch, head: Branch) -> tuple[list[Pair], bool]:
    """The assets of both, as far as both were looked at."""
    live = [row for row in rows if not row.is_gone]
    sides = [[row for row in live if row.branch == branch.pk] for branch in (base, head)]
    ends = [_in_order(side)[MOST_ASSETS - 1].key for side in sides if len(side) > MOST_ASSETS]
    last = min(ends, default=None)
    theirs, ours = ({row.key: row for row in side if last is None or row.key <= last} for side in sides)
    gone = {row.key for row in rows if row.is_gone and row.key not in ours}
    dropped = _dropped(head, [*ours.values(), *(row for row in rows if row.is_gone and row.key in gone)])
    return roughly(pairs_of(theirs, ours, dropped)), last is not None


def _in_order(rows: Sequence[AssetRow]) -> list[AssetRow]:
    return sorted(rows, key=lambda row: row.key)


def _dropped(head: Branch, rows: Iterable[AssetRow]) -> set[Key]:
    """What a deploy declared on the branch once, and the newest one does not; nothing if it lists no assets."""
    declared = {row.key for row in rows if row.is_declared and row.declared_by == "ci"}
    if not declared or head.spec is None:
        return set()
    spec = json.loads(head.spec.document)
    if not any(isinstance(spec.get(kind), list) for kind in Kind.values):
        return set()
    return declared - set(_listed(spec))


def _listed(spec: dict[str, Any]) -> Iterator[Key]:
    for kind in Kind.values:
        entries = spec.get(kind)
        for entry in entries if isinstance(entries, list) else ():
            if isinstance(entry, dict) and isinstance(entry.get("id"), str):
                yield kind, entry["id"]


def _with_reasons(viewer: Viewer, pairs: Sequence[Pair], base: Branch, head: Branch) -> list[Pair]:
    """The pairs; the first models that differ with what their versions were made from, and the noise of the base."""
    told = sorted((pair for pair in pairs if pair.deltas), key=lambda pair: pair.rank)[:JUDGED]
    if not told:
        return list(pairs)
    rows = [(pair.base, pair.head) for pair in told if pair.base and pair.head]
    versions = last_versions(base, head, rows, VERSIONS)
    inputs = inputs_of(viewer, versions)
    histories: dict[int, list[Instance]] = {}
    for version in versions:
        histories.setdefault(version.asset_id, []).append(version)
    ends = _end_of("on ", base), End("here", "this branch", head.key)
    by_key = {}
    for pair in told:
        assert pair.base is not None
        steps = _steps(
            histories.get(pair.base.pk, []), inputs, [*(delta.name for delta in pair.deltas), *measured_by_both(pair)]
        )
        by_key[pair.key] = judged(pair, inputs, steps, *ends)
    return [by_key.get(pair.key, pair) for pair in pairs]


def _steps(history: Sequence[Instance], inputs: Mapping[int, Inputs], names: Sequence[str]) -> dict[str, list[float]]:
    """How far each metric went from one version of the base to the next that was measured on the same data."""

    @cache
    def on_same_data(one: int, other: int) -> bool:
        before, after = inputs.get(one), inputs.get(other)
        if not before or not after:  # as nothing is known of one of them
            return False
        return comparability(before, after).data == Data.SAME

    return {
        name: steps_between([(one.pk, number_of(one.annotations.get(name))) for one in history], on_same_data)
        for name in names
    }


def _end_of(before: str, branch: Branch) -> End:
    return End(Sentence(before, Name(branch.name)), Sentence(Name(branch.name)), branch.key)


def _moved(rows: Sequence[AssetRow], since: datetime, *, is_since_deploy: bool) -> Moved:
    moved = [row for row in rows if row.moved]
    return Moved(
        sum(row.moved for row in moved),
        [row.title for row in sorted(moved, key=lambda row: -row.moved)],
        since,
        is_since_deploy,
        at_least=any(row.moved >= MOST_MOVES for row in moved),
    )
