"""What the rules of a gate said, as pages list it: what refuses first, and many that pass folded."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from catalog.gates.judgement import Ruling, Says
from catalog.states import Outcome

WAITS = "waits"
ORDER = (Says.REFUSES.value, WAITS, Says.WARNS.value, Says.PASSES.value, Says.EXEMPT.value)
"""In which order rules are told."""
LOOKS = {
    Says.REFUSES.value: ("bad", "failed"),
    WAITS: ("asked", "pending"),
    Says.WARNS.value: ("warn", "warning"),
    Says.PASSES.value: ("good", "ready"),
    Says.EXEMPT.value: ("", "same"),
}
"""The colour and the icon of what a rule says, whose word stands beside them."""
COUNTED = {Says.REFUSES.value: "refuse", WAITS: "wait", Says.WARNS.value: "warn", Says.PASSES.value: "pass"}
OPEN = 8
"""So many rules are shown at once, and however many refuse, wait or warn."""


@dataclass(frozen=True)
class RulingRow:
    """What one rule said. `numbers` is what counts, such as "needs 0.8004, has 0.7991: 0.0013 short"; `also` what else
    is to be known of it."""

    rule: str
    says: str
    numbers: str = ""
    also: tuple[str, ...] = ()

    @classmethod
    def of(cls, ruling: Ruling) -> "RulingRow":
        numbers, also = _numbers(ruling), (ruling.reference, ruling.reason)
        if ruling.reason and numbers and not ruling.needs:  # the reason tells more than what it has
            numbers, also = ruling.reason, (numbers, ruling.reference)
        return cls(ruling.rule, ruling.says.value, numbers, tuple(text for text in also if text))

    @property
    def colour(self) -> str:
        return LOOKS[self.says][0]

    @property
    def icon(self) -> str:
        return LOOKS[self.says][1]

    @property
    def refuses(self) -> bool:
        return self.says == Says.REFUSES.value


@dataclass(frozen=True)
class Rulings:
    """Those that are shown, and those that are folded, with how many of them say what."""

    shown: Sequence[RulingRow]
    folded: Sequence[RulingRow] = ()

    @property
    def summary(self) -> str:
        """ "22 more: 20 pass, 2 exempt"."""
        return f"{len(self.folded)} more: {counted(self.folded)}"

    def __bool__(self) -> bool:
        return bool(self.shown)


def in_order(rulings: Iterable[Ruling], *others: RulingRow) -> list[RulingRow]:
    """The rows of what rules said, and of others such as approvals."""
    rows = [*map(RulingRow.of, rulings), *others]
    return sorted(rows, key=lambda row: ORDER.index(row.says))


def as_shown(rows: Sequence[RulingRow], most: int = OPEN) -> Rulings:
    """Rows in order, as a page shows them: whatever does not simply pass, and of the rest what there is room for."""
    quiet = (Says.PASSES.value, Says.EXEMPT.value)
    loud = sum(row.says not in quiet for row in rows)
    shown = len(rows) if len(rows) <= most else loud or 1
    return Rulings(rows[:shown], rows[shown:])


def counted(rows: Iterable[RulingRow]) -> str:
    """ "1 refuses, 2 warn, 20 pass"."""
    counts = Counter(row.says for row in rows)
    return ", ".join(f"{counts[says]} {_verb(says, counts[says])}" for says in ORDER if counts[says])


def _verb(says: str, count: int) -> str:
    return says if count == 1 or says not in COUNTED else COUNTED[says]


def _numbers(ruling: Ruling) -> str:
    needs = f"needs {ruling.needs}" if ruling.needs else ""
    has = f"has {ruling.has}" if ruling.has else ""
    pair = (needs, has) if ruling.says in (Says.REFUSES, Says.WARNS) else (has, needs)
    said = ", ".join(text for text in pair if text)
    return f"{said}: {ruling.shortfall}" if ruling.shortfall else said


@dataclass(frozen=True)
class OutcomeLabel:
    """What became of a move, by colour, icon and word."""

    word: str
    colour: str
    icon: str

    @classmethod
    def of(cls, outcome: str) -> "OutcomeLabel":
        return OUTCOMES[Outcome(outcome)]


OUTCOMES = {
    Outcome.PASSED: OutcomeLabel("passed", "good", "ready"),
    Outcome.REFUSED: OutcomeLabel("refused", "bad", "failed"),
    Outcome.ROLLBACK: OutcomeLabel("rolled back", "", "previous"),
    Outcome.OVERRIDE: OutcomeLabel("overridden", "bad", "warning"),
    Outcome.REPLAY: OutcomeLabel("replayed", "", "run"),
}
