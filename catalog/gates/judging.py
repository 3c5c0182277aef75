"""What the rules of a gate say of a version: a gate and the facts → a judgement.

Numbers are decimals of what JSON shows, and compared exactly; what is shown of them is as short as it may be without
saying something else. A rule that can't be judged never passes.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import MAX_EMAX, MIN_EMIN, Context, Decimal, Inexact, localcontext
from itertools import pairwise
from operator import eq, ge, gt, le, lt, ne
from typing import Any

from catalog.gates.declared import Gate
from catalog.gates.facts import Absent, Facts, Other, Told
from catalog.gates.judgement import Judgement, Ruling, Says
from catalog.gates.rules import (
    NOT_FOR_ROLLBACK,
    Age,
    CardPresent,
    Comparison,
    From,
    Is,
    Operator,
    Parents,
    Property,
    Reference,
    Rule,
    SameData,
    Tagged,
    Threshold,
    Unit,
    Unreadable,
    Within,
)
from obproject.branches import branch_key

EXACT = Context(prec=4000, Emin=MIN_EMIN, Emax=MAX_EMAX, traps=[Inexact])
"""All floats, and what rules add to them, fit; what does not is not compared."""
COMPARE: dict[Operator, Callable[[Decimal, Decimal], bool]] = {
    Operator.AT_LEAST: ge,
    Operator.ABOVE: gt,
    Operator.AT_MOST: le,
    Operator.BELOW: lt,
    Operator.EQUAL: eq,
    Operator.UNEQUAL: ne,
}
NEEDS = {
    **{Operator.AT_LEAST: "", Operator.ABOVE: "more than ", Operator.AT_MOST: "at most "},
    **{Operator.BELOW: "less than ", Operator.EQUAL: "", Operator.UNEQUAL: "other than "},
}
"""What stands before the number that is needed."""
DIGITS, SHORT_DIGITS = 6, 3
"""How many digits of a number are shown, if they tell it from what it is compared with; and of how much is lacking."""
PLAIN_FROM, PLAIN_TO = -6, 15
"""Powers of ten between which numbers are shown without one."""
NAMED = 3
"""How many inputs are named."""
TEXT_MOST = 60
"""How much is repeated of the value of a tag."""


def judge(gate: Gate, facts: Facts, held_before: bool = False) -> Judgement:
    """What each rule says, those that refuse first, then those that are only told, each as they were written.

    `held_before`: of a version that held the alias before, which comparisons, `age` and `parents` are not asked of.
    """
    required = [_ruling(rule, facts, held_before) for rule in gate.require]
    told = [_ruling(rule, facts, held_before) for rule in gate.warn]
    warned = [replace(one, says=Says.WARNS) if one.says == Says.REFUSES else one for one in told]
    return Judgement((*required, *warned))


def _ruling(rule: Rule, facts: Facts, held_before: bool) -> Ruling:
    if held_before and isinstance(rule, NOT_FOR_ROLLBACK):
        return Ruling(rule.text, Says.EXEMPT, reason="not asked of what was there before")
    try:
        with localcontext(EXACT):
            said = _said(rule, facts)
    except Inexact:
        said = _Said(False, reason="its numbers are too far apart to be compared")
    says = Says.PASSES if said.passes else Says.REFUSES
    return Ruling(rule.text, says, said.has, said.needs, said.reference, said.short_by, said.reason)


@dataclass(frozen=True)
class _Said:
    passes: bool
    reason: str = ""
    has: str = ""
    needs: str = ""
    reference: str = ""
    short_by: str = ""


def _said(rule: Rule, facts: Facts) -> _Said:
    match rule:
        case Threshold():
            return _of_metric(rule.metric, facts, lambda has: _compared(has, rule.operator, rule.value))
        case Comparison():
            return _of_metric(rule.metric, facts, lambda has: _comparison(rule, has, facts))
        case Within():
            return _of_metric(rule.metric, facts, lambda has: _within(rule, has, facts))
        case SameData():
            return _same_data(rule, facts)
        case Parents():
            return _parents(rule, facts.parents(rule.alias))
        case CardPresent():
            return _told(facts.card(), "there is a card", "there is no card", "whether there is a card can't be told")
        case Age():
            return _age(rule, facts)
        case Is():
            return _property(rule, facts)
        case Tagged():
            return _tagged(rule, facts)
        case From():
            return _from(rule, facts)
        case Unreadable():
            return _Said(False, rule.reason)
    return _Said(False, "this version of the site does not know the rule")


# Numbers


def _of_metric(metric: str, facts: Facts, say: Callable[[Decimal], _Said]) -> _Said:
    if facts.is_definition:
        return _Said(False, f"{facts.ref} measures nothing")
    has = _finite(facts.numbers.get(metric))
    return _Said(False, f"not measured in {facts.ref}") if has is None else say(has)


def _finite(number: Decimal | None) -> Decimal | None:
    return number if number is not None and number.is_finite() else None


def _compared(has: Decimal, operator: Operator, needs: Decimal, other: "_Reference | None" = None) -> _Said:
    passes = COMPARE[operator](has, needs)
    numbers = [has, needs, *([other.has] if other else [])]
    shown = figures(numbers)
    reference = other.said(shown[2]) if other else ""
    is_short = not passes and has != needs
    short_by = lacking(abs(has - needs)) if is_short else ""
    return _Said(passes, "", shown[0], NEEDS[operator] + shown[1], reference, short_by)


@dataclass(frozen=True)
class _Reference:
    """A version that is compared with, and its number."""

    ref: str
    has: Decimal

    def said(self, number: str) -> str:
        return f"{self.ref}{',' if ',' in self.ref else ''} has {number}"


def _compared_with(reference: Reference, metric: str, has: Decimal, facts: Facts) -> _Reference | _Said:
    """What a metric is compared with, or what is said if there is nothing."""
    other = facts.other(reference)
    shown = figures([has])[0]
    if not isinstance(other, Other):
        return replace(_absent(reference, other), has=shown)
    number = _finite(other.numbers.get(metric))
    return _Said(False, f"not measured in {other.ref}", shown) if number is None else _Reference(other.ref, number)


def _absent(reference: Reference, absent: Absent) -> _Said:
    if absent is Absent.NEVER:
        return _Said(True, f"nothing was ever {reference.text} here")
    return _Said(False, f"there is no {reference.text}")


def _comparison(rule: Comparison, has: Decimal, facts: Facts) -> _Said:
    other = _compared_with(rule.reference, rule.metric, has, facts)
    if isinstance(other, _Said):
        return other
    size = _size(rule.offset.amount, rule.offset.unit, rule.metric, other, facts)
    if isinstance(size, str):
        shown = figures([has, other.has])
        return _Said(False, size, shown[0], reference=other.said(shown[1]))
    return _compared(has, rule.operator, other.has + size, other)


def _within(rule: Within, has: Decimal, facts: Facts) -> _Said:
    other = _compared_with(rule.reference, rule.metric, has, facts)
    if isinstance(other, _Said):
        return other
    size = _size(rule.amount, rule.unit, rule.metric, other, facts)
    if isinstance(size, str):
        shown = figures([has, other.has])
        return _Said(False, size, shown[0], reference=other.said(shown[1]))
    low, high = other.has - size, other.has + size
    shown_has, shown_low, shown_high, shown_other = figures([has, low, high, other.has])
    passes = low <= has <= high
    short_by = "" if passes else lacking(low - has if has < low else has - high)
    needs = f"{shown_low} to {shown_high}"
    return _Said(passes, "", shown_has, needs, other.said(shown_other), short_by)


def _size(amount: Decimal, unit: Unit, metric: str, other: _Reference, facts: Facts) -> Decimal | str:
    """How far a value may be from that of the other version, with the sign of the amount; or why that can't be told.

    Per cent are those of the size of the other's value, so that `- 5%` allows less of a negative one, too.
    """
    if unit is Unit.PLAIN:
        return amount
    if unit is Unit.PER_CENT:
        if not other.has:
            return f"{other.ref} has 0, of which there are no per cent"
        return abs(other.has) * amount.scaleb(-2)
    noise = _finite(facts.noise(metric))
    return (
        f"the noise of {metric} is not known: it is not declared, nor learned yet" if noise is None else amount * noise
    )


def figures(numbers: Sequence[Decimal]) -> list[str]:
    """Numbers as short as they may be: with few digits, and as many as tell each from the others, and from 0."""
    with localcontext(EXACT) as context:
        context.clear_traps()
        ordered = sorted({*numbers, Decimal(0)})
        for digits in (DIGITS, 9, 12, 17, 25, 50, 100):
            rounded = [_rounded(number, digits) for number in ordered]
            if all(one < other for one, other in pairwise(rounded)):
                return [_text(_rounded(number, digits)) for number in numbers]
        return [_text(number) for number in numbers]


def lacking(size: Decimal) -> str:
    """How much is lacking, with its first digits: whole numbers have all of theirs."""
    with localcontext(EXACT) as context:
        context.clear_traps()
        return _text(_rounded(size, max(SHORT_DIGITS, min(size.adjusted() + 1, PLAIN_TO))))


def _rounded(number: Decimal, digits: int) -> Decimal:
    return Context(prec=digits, Emin=MIN_EMIN, Emax=MAX_EMAX).plus(number)


def _text(number: Decimal) -> str:
    """A number as pages show it: `48,210`, `0.934`, `1.2e-7`."""
    number = number.normalize()
    if not number:
        return "0"
    if PLAIN_FROM <= number.adjusted() < PLAIN_TO:
        return f"{number:,f}"
    digits, _, power = f"{number:e}".partition("e")
    return f"{digits}e{int(power)}"


# Facts


def _told(told: Told, yes: str, no: str, unknown: str) -> _Said:
    """What a fact says, by its own reason if it has one."""
    if not told.known:
        return _Said(False, told.reason or unknown)
    return _Said(told.holds, told.reason or (yes if told.holds else no))


def _same_data(rule: SameData, facts: Facts) -> _Said:
    if facts.is_definition:
        return _Said(False, f"{facts.ref} measures nothing")
    other = facts.other(rule.reference)
    if not isinstance(other, Other):
        return _absent(rule.reference, other)
    unknown = f"whether {other.ref} had the same data can't be told"
    return _told(facts.same_data(rule.reference), f"as {other.ref}", f"{other.ref} had other data", unknown)


def _parents(rule: Parents, inputs: list[Told]) -> _Said:
    holding = [one for one in inputs if one.known and one.holds]
    lacking_it = [one for one in inputs if not (one.known and one.holds)]
    if not inputs:
        return _Said(False, "nothing went into it that is known")
    passes = not lacking_it if rule.all else bool(holding)
    default = f"{'' if passes else 'not '}@{rule.alias}"
    return _Said(passes, _joined((one.reason for one in (holding if passes else lacking_it)), default))


def _joined(reasons: Iterable[str], default: str) -> str:
    said = [reason for reason in reasons if reason] or [default]
    more = f"; and {len(said) - NAMED} more" if len(said) > NAMED else ""
    return "; ".join(said[:NAMED]) + more


def _age(rule: Age, facts: Facts) -> _Said:
    origin = facts.origin()
    if origin is None:
        return _Said(False, NO_ORIGIN)
    has, most = durations([origin.age, rule.most])
    over = origin.age - rule.most
    short_by = "" if over <= timedelta(0) else durations([over])[0]
    return _Said(not short_by, "", has, f"at most {most}", "", short_by)


NO_ORIGIN = "where it was made is not known: it is a copy of what is not in this catalogue"
UNITS = (("d", 86_400), ("h", 3600), ("min", 60), ("s", 1))


def durations(times: Sequence[timedelta]) -> list[str]:
    """Times in their two largest units, and in as many as tell each from the others."""
    for units in range(2, len(UNITS) + 1):
        shown = [_duration(time, units) for time in times]
        if len(set(shown)) == len(set(times)):
            break
    return shown


def _duration(time: timedelta, most: int) -> str:
    left = max(int(time.total_seconds()), 0)
    parts = []
    for unit, seconds in UNITS:
        count, left = divmod(left, seconds)
        parts.append((count, unit))
    first = next((place for place, (count, _) in enumerate(parts) if count), None)
    if first is None:
        return "less than 1 s"
    return " ".join(f"{count:,} {unit}" for count, unit in parts[first : first + most] if count)


def _property(rule: Is, facts: Facts) -> _Said:
    match rule.property:
        case Property.UNUSUAL:
            if facts.is_definition:
                return _Said(False, f"{facts.ref} measures nothing")
            told = facts.unusual()
        case Property.DEPRECATED:
            told = Told(facts.deprecated, f"{facts.ref} is {'' if facts.deprecated else 'not '}deprecated")
        case Property.LATE:
            told = facts.late()
    word = rule.property.value
    said = _told(told, word, f"not {word}", f"whether it is {word} can't be told")
    return replace(said, passes=told.known and told.holds == rule.wanted)


def _tagged(rule: Tagged, facts: Facts) -> _Said:
    if rule.key not in facts.tags:
        return _Said(False, f"no tag {rule.key}")
    has: Any = facts.tags[rule.key]
    passes = rule.value is None or has == rule.value
    value = str(has)
    shown = value if len(value) <= TEXT_MOST else f"{value[: TEXT_MOST - 1]}…"
    return _Said(passes, f"{rule.key} is {shown}" if shown else f"tagged {rule.key}")


def _from(rule: From, facts: Facts) -> _Said:
    origin = facts.origin()
    if origin is None:
        return _Said(False, NO_ORIGIN)
    passes = branch_key(rule.branch) in map(branch_key, origin.branches)
    return _Said(passes, f"made on {origin.branches[0]}" if origin.branches else "made on a branch that is not known")
