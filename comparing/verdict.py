"""The verdict over several versions: which is the best, in one sentence, by the headline metrics alone.

A version is better than the base if one of its headline metrics is and none is worse; changes within noise, on other
data, or without a known direction say nothing. Beside the sentence there is a line for each other metric that is worse
beyond noise, and for what can't be compared. Pure: no Django, no database.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

from comparing.deltas import Delta
from comparing.sameness import Data
from comparing.sentences import Name, Sentence, joined, listed

LINES_MOST = 20
"""How many lines stand below a verdict; the others are counted."""
NAMES_MOST = 4
Standing = Literal["better", "worse", "mixed", "none"]


@dataclass(frozen=True)
class Contender:
    """One version with its metrics beside those of the base. `name` as a sentence says it: "v2 of feature/x"."""

    name: Sentence
    deltas: Sequence[Delta]
    headline: Collection[str]
    """The names of the metrics that the verdict speaks of."""

    @cached_property
    def heads(self) -> list[Delta]:
        return [delta for delta in self.deltas if delta.name in self.headline]

    @cached_property
    def better(self) -> list[Delta]:
        return [delta for delta in self.heads if delta.outcome == "better"]

    @cached_property
    def worse(self) -> list[Delta]:
        return [delta for delta in self.heads if delta.outcome == "worse"]

    @property
    def standing(self) -> Standing:
        """How it stands beside the base."""
        return standing_of(self.better, self.worse)

    @property
    def is_compared(self) -> bool:
        """Whether any headline metric can be set against the base's."""
        return any(delta.can_compare for delta in self.heads)


def standing_of(better: Collection[Delta], worse: Collection[Delta]) -> Standing:
    """How a version stands beside the base that is better in some headline metrics and worse in others."""
    if better and worse:
        return "mixed"
    return "better" if better else "worse" if worse else "none"


@dataclass(frozen=True)
class Verdict:
    """`best` is the place of the best one among the contenders, -1 if it is the base, None if there is no best one."""

    sentence: Sentence
    lines: tuple[Sentence, ...] = ()
    best: int | None = None
    standing: Standing = "none"
    """Of the only contender, or of the best one."""


def verdict_of(base: Sentence, contenders: Sequence[Contender]) -> Verdict:
    """The verdict on some versions, each beside the same base."""
    lines = list(_lines(base, contenders))
    if len(lines) > LINES_MOST:
        lines = [*lines[: LINES_MOST - 1], Sentence(f"and {len(lines) - LINES_MOST + 1:,} more like these")]
    return replace(_verdict(base, contenders), lines=tuple(lines))


def _verdict(base: Sentence, contenders: Sequence[Contender]) -> Verdict:
    if not contenders:
        return Verdict(Sentence("There is nothing to compare ", base, " with"))
    compared = [each for each in contenders if each.is_compared]
    if not compared:
        return Verdict(_why_not(base, contenders))
    if len(contenders) == 1:
        only = contenders[0]
        return Verdict(_on_one(base, only), best=_best_of_two(only.standing), standing=only.standing)
    return _on_several(base, contenders, compared)


def _best_of_two(standing: Standing) -> int | None:
    return {"better": 0, "worse": -1}.get(standing)


def _on_one(base: Sentence, only: Contender) -> Sentence:
    if only.standing == "none":
        return Sentence(_nothing_differs([only]))
    if only.standing == "mixed":
        return Sentence(_no_clear_answer(only), _on_which_data(only.better + only.worse))
    if only.standing == "better":
        return Sentence(only.name, " is better: ", _changes(only.better), " over ", base, _on_which_data(only.better))
    return Sentence(only.name, " is worse: ", _changes(only.worse), " against ", base, _on_which_data(only.worse))


def _on_several(base: Sentence, contenders: Sequence[Contender], compared: Sequence[Contender]) -> Verdict:
    """The best is better than the base and than every other one that is."""
    better = [each for each in compared if each.standing == "better"]
    mixed = [each for each in compared if each.standing == "mixed"]
    leading = [one for one in better if not any(beats(other, one) for other in better if other is not one)]
    winner = leading[0] if len(leading) == 1 and _beats_all(leading[0], better) else None
    if winner is not None and not mixed:
        said = Sentence(winner.name, " is the best: ", _changes(winner.better), " over ", base)
        place = next(at for at, each in enumerate(contenders) if each is winner)
        return Verdict(Sentence(said, _on_which_data(winner.better)), best=place, standing="better")
    if better:
        are = "are both better" if len(better) == 2 else "are all better" if len(better) > 2 else "is better"
        said = Sentence(listed([each.name for each in better]), f" {are} than ", base)
        deltas = [delta for each in better for delta in each.better]
        between = "; between them there is no clear answer" if len(better) > 1 else ""
        tail = _mixed_too(mixed) if mixed else Sentence(between)
        return Verdict(Sentence(said, _on_which_data(deltas), tail), standing="better")
    if mixed:
        return Verdict(Sentence(_no_clear_answer(mixed[0], named=True), _on_which_data(mixed[0].heads)))
    worse = [each for each in compared if each.standing == "worse"]
    if worse and len(worse) == len(compared):
        deltas = [delta for each in worse for delta in each.worse]
        said = Sentence(base, " is the best: ", listed([_worse_in(each) for each in worse]))
        return Verdict(Sentence(said, _on_which_data(deltas)), best=-1, standing="worse")
    if worse:
        said = Sentence("None is better than ", base, ": ", listed([_worse_in(each) for each in worse]))
        return Verdict(Sentence(said, _on_which_data([delta for each in worse for delta in each.worse])))
    return Verdict(Sentence(_nothing_differs(compared)))


def beats(one: Contender, other: Contender) -> bool:
    """Whether a version is better than another by what both are beside the base: in one headline metric by more than
    the noise, in none worse by more."""
    ahead = _ahead(one, other)
    return 1 in ahead and -1 not in ahead


def _ahead(one: Contender, other: Contender) -> set[int]:
    """For each headline metric that both can be compared in: 1 if one is ahead, -1 if the other is, 0 if neither."""
    others = {delta.name: delta for delta in other.heads if delta.can_compare}
    return {_compared(delta, others[delta.name]) for delta in one.heads if delta.can_compare and delta.name in others}


def _compared(one: Delta, other: Delta) -> int:
    if one.change is None or other.change is None or one.wanted is None or one.wanted != other.wanted:
        return 0
    step = one.change - other.change
    if not step or (one.noise is not None and one.noise.hides(step)):
        return 0
    return 1 if (step > 0) == (one.wanted == "up") else -1


def _beats_all(one: Contender, others: Iterable[Contender]) -> bool:
    return all(beats(one, other) for other in others if other is not one)


# words


def _changes(deltas: Sequence[Delta]) -> Sentence:
    """ "auc +0.0083 and recall +0.01"."""
    return listed([Sentence(Name(delta.name), f" {delta.change_text}") for delta in deltas], most=3)


def _worse_in(each: Contender) -> Sentence:
    return Sentence(_changes(each.worse), " in ", each.name)


def _on_which_data(deltas: Sequence[Delta]) -> Sentence:
    """ "on the same holdout", where it is one thing; else "on the same data"."""
    known = [delta.comparability for delta in deltas if delta.counts]
    if any(each.data == Data.UNKNOWN for each in known):
        return Sentence(", on data that is not known to be the same")
    things = {each.thing for each in known}
    return Sentence(", on the same ", Name(things.pop()) if len(things) == 1 and "" not in things else "data")


def _no_clear_answer(mixed: Contender, *, named: bool = False) -> Sentence:
    """ "auc up, accuracy down: no clear answer"; where some should fall "auc better, log_loss worse"."""
    moved = mixed.better + mixed.worse
    words = {"better": " up", "worse": " down"} if all(delta.wanted == "up" for delta in moved) else {}
    moves = [Sentence(Name(delta.name), words.get(delta.outcome, f" {delta.outcome}")) for delta in moved]
    where = Sentence(" in ", mixed.name) if named else Sentence()
    return Sentence(joined(moves, most=NAMES_MOST), where, ": no clear answer")


def _mixed_too(mixed: Sequence[Contender]) -> Sentence:
    return Sentence("; ", _no_clear_answer(mixed[0], named=True))


def _nothing_differs(compared: Sequence[Contender]) -> str:
    heads = [delta for each in compared for delta in each.heads if delta.can_compare]
    if all(delta.change == 0 for delta in heads):
        one = len({delta.name for delta in heads}) == 1
        return "The headline metric is equal" if one else "All headline metrics are equal"
    if all(delta.wanted is None for delta in heads if delta.change):
        return "Headline metrics differ, but which way is better is not known"
    return "No headline metric differs beyond noise"


def _why_not(base: Sentence, contenders: Sequence[Contender]) -> Sentence:
    if not any(each.heads for each in contenders):
        return Sentence("There are no metrics to compare by")
    if len(contenders) == 1:
        return _cannot(base, contenders[0])
    return Sentence("No headline metric can be set against that of ", base)


def _cannot(base: Sentence, each: Contender) -> Sentence:
    """Why no headline metric of a version can be set against the base's."""
    other = [delta for delta in each.heads if _is_on_other_data(delta)]
    if other:
        return Sentence(
            each.name, " was measured on other data, so its ", _names(other), " can't be set against ", base, "'s"
        )
    return joined(_lacking(base, each, each.heads), "; ", NAMES_MOST)


def _lacking(base: Sentence, each: Contender, deltas: Sequence[Delta]) -> list[Sentence]:
    """ "auc and recall of v3: not measured": those with the same reason together."""
    reasons: dict[Sentence, list[Delta]] = {}
    for delta in deltas:
        reasons.setdefault(_why(base, each, delta), []).append(delta)
    return [Sentence(_names(those), reason) for reason, those in reasons.items()]


def _why(base: Sentence, each: Contender, delta: Delta) -> Sentence:
    if delta.other.why:
        return Sentence(" of ", each.name, ": ", delta.other.why)
    if delta.base.why:
        return Sentence(" of ", base, ": ", delta.base.why)
    against = Sentence(" of ", each.name, " can't be set against ", base, "'s")
    return Sentence(against, ": ", delta.note) if delta.note else against


def _is_on_other_data(delta: Delta) -> bool:
    settled = delta.base.is_settled and delta.other.is_settled
    return settled and delta.change is not None and delta.comparability.data == Data.OTHER


def _names(deltas: Sequence[Delta]) -> Sentence:
    return listed([Sentence(Name(delta.name)) for delta in deltas], most=3)


def _lines(base: Sentence, contenders: Sequence[Contender]) -> Iterable[Sentence]:
    """What is said below the verdict: of each version what can't be compared, then what else is worse."""
    said_already = len(contenders) == 1
    for each in contenders:
        lacking = [delta for delta in each.heads if not delta.can_compare]
        if each.is_compared:
            other = [delta for delta in lacking if _is_on_other_data(delta)]
            if other:
                yield _cannot(base, replace(each, headline=[delta.name for delta in other]))
            yield from _lacking(base, each, [delta for delta in lacking if delta not in other])
        elif each.heads and not said_already:
            yield _cannot(base, each)
        for delta in each.deltas:
            if delta.outcome == "worse" and delta.name not in each.headline:
                yield _worse_line(each, delta, alone=said_already)


def _worse_line(each: Contender, delta: Delta, *, alone: bool) -> Sentence:
    """ "seconds is worse: 4.1 s → 9.6 s"."""
    where = Sentence() if alone else Sentence(" of ", each.name)
    unit = f" {delta.unit}" if delta.unit else ""
    values = f"{delta.base.text}{unit} → {delta.other.text}{unit}"
    return Sentence(Name(delta.name), where, f" is worse: {values} ({delta.change_text})")
