"""What a page on which somebody decides says first: whether it can be done, and if not, why the button is off."""

from collections.abc import Sequence
from dataclasses import dataclass

from catalog.gates.judgement import Says
from catalog.models import GateRevision
from catalog.pagekit.rulings import WAITS, RulingRow, Rulings, as_shown, in_order
from catalog.recording import Judged
from catalog.states import Outcome
from comparing.sentences import NOTHING, Name, Sentence

NOTHING_TO_SAY = Rulings(())


@dataclass(frozen=True)
class Answer:
    """`off` says why the button is off; empty: it is on. `waits`: all that is lacking are approvals."""

    sentence: Sentence
    colour: str
    icon: str
    off: Sentence = NOTHING
    rulings: Rulings = NOTHING_TO_SAY
    refusing: Sequence[RulingRow] = ()
    waits: bool = False
    gates: GateRevision | None = None
    """Whose rules they are; None: no rule is about it."""

    @property
    def not_met(self) -> int:
        """How many rules an admin would override; lacking approvals are one of them."""
        return len(self.refusing) + sum(row.says == WAITS for row in self.rulings.shown)


def cannot(sentence: Sentence, off: Sentence) -> Answer:
    """What no rule is asked about, as it can't be done whatever they say."""
    return Answer(sentence, "bad", "failed", off)


def is_so_already(sentence: Sentence) -> Answer:
    return Answer(sentence, "", "same", Sentence("Nothing would change."))


@dataclass(frozen=True)
class Words:
    """How a page says what is to be done: "@production can move to v14", "@production can't move to v14"."""

    can: Sentence
    can_not: Sentence
    roll_back: Sentence = NOTHING


def answer_of(words: Words, judged: Judged) -> Answer:
    """What the rules that were asked come to."""
    rows = _rows(judged)
    gates = judged.gates if judged.gate else None
    shown, total = as_shown(rows), len(rows)
    refusing = [row for row in rows if row.refuses]
    if refusing:
        count = f"{len(refusing)} of {total} rules refuse{'s' if len(refusing) == 1 else ''}"
        count = count if total > 1 else "its rule refuses"
        said = Sentence(words.can_not, f": {count}")
        return Answer(said, "bad", "failed", _off(refusing, judged), shown, refusing, gates=gates)
    if lacking := _lacking(judged):
        approvals = f"{lacking} approval{'s' if lacking > 1 else ''}"
        said = Sentence(words.can_not, f" yet: it waits for {approvals}")
        off = Sentence("Whoever may approve finds the request on their home page. The last approval does it at once.")
        return Answer(said, "asked", "pending", off, shown, waits=True, gates=gates)
    if judged.outcome == Outcome.ROLLBACK:
        return Answer(Sentence(words.roll_back, _rest_passes(rows)), "good", "ready", rulings=shown, gates=gates)
    return Answer(Sentence(words.can, _all_pass(rows)), "good", "ready", rulings=shown, gates=gates)


def _rows(judged: Judged) -> list[RulingRow]:
    """What each rule said; that approvals are lacking is no refusal, but waits."""
    if not _lacking(judged):
        return in_order(judged.judgement.rulings)
    given, needed = judged.approvals
    own = RulingRow(f"approvals = {needed}", WAITS, f"{given} of {needed}", _who_may(judged))
    return in_order(judged.own_rulings, own)


def _who_may(judged: Judged) -> tuple[str, ...]:
    approvers = judged.gate.approvers if judged.gate else ()
    names = [f"an {name.removeprefix('role:')}" if name.startswith("role:") else name for name in approvers]
    who = " or ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names) or "an admin"
    return (f"{who} may give {'it' if judged.approvals[1] == 1 else 'one'}, not who asks, nor who registered it",)


def _lacking(judged: Judged) -> int:
    """How many approvals are lacking; none of what held the alias before."""
    given, needed = judged.approvals
    return needed - given if needed and judged.judgement.rulings[-1].says == Says.REFUSES else 0


def _off(refusing: Sequence[RulingRow], judged: Judged) -> Sentence:
    parts: list[str | Sentence] = ["Off, since the rule “", Name(refusing[0].rule), "” refuses"]
    if len(refusing) > 1:
        parts.append(f", and {len(refusing) - 1} more")
    later = " Approval can be asked for once no rule refuses." if judged.approvals[1] else ""
    return Sentence(*parts, f".{later}")


def _rest_passes(rows: Sequence[RulingRow]) -> str:
    """What is said of a roll-back, which some rules are not asked about."""
    asked = [row for row in rows if row.says != Says.EXEMPT.value]
    if len(asked) == len(rows):
        return _all_pass(rows)
    if not asked:
        return ": no rule is asked of a roll-back"
    one, warning = len(asked) == 1, sum(row.says == Says.WARNS.value for row in asked)
    says = f"{warning} warn{'s' if warning == 1 else ''}" if warning else "passes" if one else "pass"
    return f": {len(asked)} of {len(rows)} rules {'is' if one else 'are'} asked of a roll-back, and {says}"


def _all_pass(rows: Sequence[RulingRow]) -> str:
    if not rows:
        return ""
    warning = sum(row.says == Says.WARNS.value for row in rows)
    if warning:
        return f": no rule refuses, {warning} warn{'s' if warning == 1 else ''}"
    return ": its rule passes" if len(rows) == 1 else f": all {len(rows)} rules pass"
