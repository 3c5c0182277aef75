"""Random rules, judged over rows in memory by a second, tiny implementation: with fractions, and without a parser.

The oracle builds the text of a rule from its parts, and says from the same parts whether rows meet it.
"""

import json
import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from catalog.gates.declared import Gate
from catalog.gates.facts import Absent, Origin, Other, Told
from catalog.gates.grammar import KEYWORDS, CantParse, parse
from catalog.gates.judgement import Says
from catalog.gates.judging import judge
from catalog.gates.rules import (
    Age,
    CardPresent,
    Comparison,
    From,
    Is,
    Parents,
    Reference,
    Rule,
    SameData,
    Tagged,
    Threshold,
    Within,
)
from tests.catalog.gates.facts_in_memory import FactsInMemory
from tests.lanes import every, first

METRICS = ("auc", "rows", "val/loss@0.5", "age", "error rate", "é", "f1.macro-avg")
VALUES = ("0", "0.1", "0.2", "0.3", "-0.5", "-0.25", "100", "80", "120", "1e-20", "0.30000000000000004", "1e300", "NaN")
NUMBERS = ("0", "0.1", "0.20", "-0.5", "100", "1e2", "1e-20", "+0.3", ".3", "8e1")
AMOUNTS = ("0", "0.1", "0.05", "20", "50", "1e-20")
REFERENCES = ("@production", "@release-2", "@never", "latest-1", "v12", "i_0a1b2c")
SECONDS = {"s": 1, "min": 60, "h": 3600, "d": 86_400, "w": 604_800}
TAGS = ("stage", "made by", "late", "2026")
BRANCHES = ("main", "feature/x", "Feature-X", "a b")


@dataclass
class Rows:
    """A version as rows in memory: texts of JSON's numbers, and plain values."""

    metrics: dict[str, str]
    others: dict[str, dict[str, str] | None]
    """None: the alias never existed. What is not there does not exist."""
    noise: dict[str, str]
    tags: dict[str, str]
    inputs: list[dict[str, bool | None]]
    """Of each input whether an alias is on it; None: not known."""
    same: dict[str, bool | None]
    card: bool | None
    age: int | None
    branches: tuple[str, ...]
    unusual: bool | None
    late: bool | None
    deprecated: bool
    is_definition: bool
    held_before: bool

    def facts(self) -> FactsInMemory:
        others: dict[str, Other | Absent] = {
            name: Absent.NEVER if rows is None else Other(name, decimals(rows)) for name, rows in self.others.items()
        }
        return FactsInMemory(
            is_definition=self.is_definition,
            numbers=decimals(self.metrics),
            tags=self.tags,
            deprecated=self.deprecated,
            others=others,
            noises=decimals(self.noise),
            has_card=told(self.card),
            made=None if self.age is None else Origin(timedelta(seconds=self.age), self.branches),
            inputs={alias: [told(row[alias]) for row in self.inputs] for alias in ("validated", "eu:west")},
            data={name: told(holds) for name, holds in self.same.items()},
            is_unusual=told(self.unusual),
            is_late=told(self.late),
        )

    def number(self, rows: dict[str, str], metric: str) -> Fraction | None:
        return None if rows.get(metric, "NaN") == "NaN" else Fraction(rows[metric])


def decimals(rows: dict[str, str]) -> dict[str, Decimal]:
    return {name: Decimal(text) for name, text in rows.items()}


def told(holds: bool | None) -> Told:
    """What is not known is said to hold, so that whoever does not look at `known` is found out."""
    return Told(holds is not False, known=holds is not None)


def made_rows(chance: random.Random) -> Rows:
    def some(names: tuple[str, ...], values: tuple[str, ...]) -> dict[str, str]:
        return {name: chance.choice(values) for name in names if chance.random() < 0.85}

    def maybe() -> bool | None:
        return chance.choice((True, True, False, None))

    there = [name for name in REFERENCES if chance.random() < 0.85]
    return Rows(
        metrics=some(METRICS, VALUES),
        others={name: None if name == "@never" else some(METRICS, VALUES) for name in there},
        noise=some(METRICS, ("0", "0.1", "0.05", "20")),
        tags=some(TAGS, ("final", "draft", "")),
        inputs=[{"validated": maybe(), "eu:west": maybe()} for _ in range(chance.choice((0, 1, 2, 3)))],
        same={name: maybe() for name in there},
        card=maybe(),
        age=chance.choice((None, 0, 60, 3600, 86_400, 86_401, 10**7)),
        branches=chance.choice((("main",), ("feature/x", "feature_x"), ("a b",))),
        unusual=maybe(),
        late=maybe(),
        deprecated=chance.random() < 0.5,
        is_definition=chance.random() < 0.05,
        held_before=chance.random() < 0.15,
    )


# The oracle: the text of a rule, and what it means

Meaning = Callable[[Rows], bool]
COMPARE: dict[str, Callable[[Fraction, Fraction], bool]] = {
    **{">=": lambda one, other: one >= other, ">": lambda one, other: one > other},
    **{"<=": lambda one, other: one <= other, "<": lambda one, other: one < other},
    **{"=": lambda one, other: one == other, "==": lambda one, other: one == other},
    "!=": lambda one, other: one != other,
}


def named(name: str, always: bool) -> str:
    plain = all(one.isalnum() or one in "_.-/@:+~" for one in name) and not always
    return name if plain else json.dumps(name)


def reference_text(reference: str, chance: random.Random) -> str:
    return json.dumps(reference) if reference == "@release-2" or chance.random() < 0.1 else reference


def threshold(chance: random.Random) -> tuple[list[str], Meaning]:
    metric, sign, number = chance.choice(METRICS), chance.choice([*COMPARE]), chance.choice(NUMBERS)

    def means(rows: Rows) -> bool:
        has = rows.number(rows.metrics, metric)
        return not rows.is_definition and has is not None and COMPARE[sign](has, Fraction(Decimal(number)))

    return [named(metric, metric in KEYWORDS), sign, number], means


def against(metric: str, reference: str, check: Callable[[Rows, Fraction, Fraction], bool]) -> Meaning:
    """What a rule means that looks at another version."""

    def means(rows: Rows) -> bool:
        has = rows.number(rows.metrics, metric)
        if rows.held_before:
            return True
        if rows.is_definition or has is None or reference not in rows.others:
            return False
        other = rows.others[reference]
        if other is None:
            return True
        number = rows.number(other, metric)
        return number is not None and check(rows, has, number)

    return means


def comparison(chance: random.Random) -> tuple[list[str], Meaning]:
    metric, sign, reference = chance.choice(METRICS), chance.choice([*COMPARE]), chance.choice(REFERENCES)
    plus, amount = chance.choice("+-"), chance.choice(AMOUNTS)
    offset = chance.choice(([], [plus, amount], [plus, amount, "%"], [plus, amount, "noise"], [plus, "noise"]))

    def check(rows: Rows, has: Fraction, number: Fraction) -> bool:
        size = Fraction(0)
        if offset:
            size = Fraction(1 if offset[1] == "noise" else Decimal(amount))
            if offset[-1] == "%":
                if number == 0:
                    return False
                size *= abs(number) / 100
            if offset[-1] == "noise":
                if metric not in rows.noise:
                    return False
                size *= Fraction(rows.noise[metric])
            size = -size if plus == "-" else size
        return COMPARE[sign](has, number + size)

    parts = [named(metric, metric in KEYWORDS), sign, reference_text(reference, chance), *offset]
    return parts, against(metric, reference, check)


def within(chance: random.Random) -> tuple[list[str], Meaning]:
    metric, amount, reference = chance.choice(METRICS), chance.choice(AMOUNTS), chance.choice(REFERENCES)
    per_cent = chance.random() < 0.6

    def check(rows: Rows, has: Fraction, number: Fraction) -> bool:
        if per_cent and number == 0:
            return False
        size = Fraction(Decimal(amount)) * (abs(number) / 100 if per_cent else 1)
        return abs(has - number) <= size

    parts = [named(metric, metric in KEYWORDS), " within ", amount, *["%"] * per_cent]
    return [*parts, " of ", reference_text(reference, chance)], against(metric, reference, check)


def parents(chance: random.Random) -> tuple[list[str], Meaning]:
    how, alias = chance.choice(("all", "any")), chance.choice(("validated", "eu:west"))

    def means(rows: Rows) -> bool:
        said = [row[alias] is True for row in rows.inputs]
        return rows.held_before or (bool(said) and (all(said) if how == "all" else any(said)))

    return [f"parents {how} ", f"@{alias}"], means


def age(chance: random.Random) -> tuple[list[str], Meaning]:
    amount, unit = chance.choice(("0", "1", "24", "0.5", "60")), chance.choice([*SECONDS])

    def means(rows: Rows) -> bool:
        most = Fraction(Decimal(amount)) * SECONDS[unit]
        return rows.held_before or (rows.age is not None and rows.age <= most)

    return ["age", "<=", amount, unit], means


def is_or_is_not(chance: random.Random) -> tuple[list[str], Meaning]:
    wanted, word = chance.random() < 0.3, chance.choice(("unusual", "deprecated", "late"))

    def means(rows: Rows) -> bool:
        has = {"unusual": rows.unusual, "late": rows.late, "deprecated": rows.deprecated}[word]
        if has is None or (word == "unusual" and rows.is_definition):
            return False
        return has == wanted

    return [*["not "] * (not wanted), word], means


def other_rules(chance: random.Random) -> tuple[list[str], Meaning]:
    """`card present`, `tag …`, `from …`, `same data as …`."""
    tag, value, branch = chance.choice(TAGS), chance.choice((None, "final", "draft", "x y")), chance.choice(BRANCHES)
    reference = chance.choice(REFERENCES)
    key = branch.lower().replace("/", "_").replace("-", "_").replace(" ", "_")

    def same(rows: Rows) -> bool:
        if rows.held_before:
            return True
        never = rows.others.get(reference, {}) is None
        return not rows.is_definition and reference in rows.others and (never or rows.same[reference] is True)

    always = chance.random() < 0.3
    tagged = ["tag ", named(tag, always), *([] if value is None else ["=", named(value, always)])]
    choices: list[tuple[list[str], Meaning]] = [
        (["card present"], lambda rows: rows.card is True),
        (tagged, lambda rows: rows.tags.get(tag) == value if value is not None else tag in rows.tags),
        (
            ["from ", named(branch, always)],
            lambda rows: (
                rows.age is not None and key in {one.replace("/", "_").replace(" ", "_") for one in rows.branches}
            ),
        ),
        (["same data as ", reference_text(reference, chance)], same),
    ]
    return chance.choice(choices)


KINDS = (threshold, comparison, within, parents, age, is_or_is_not, other_rules)


def made_rule(chance: random.Random) -> tuple[str, Meaning]:
    parts, means = chance.choice((*KINDS, comparison, other_rules))(chance)
    space = chance.choice((" ", " ", "", "  \t"))
    if space == "" and len(parts) > 2 and not parts[0].startswith("tag"):
        parts = [*parts[:3], *(f" {part}" for part in parts[3:])]  # `@production-1` would be an alias
    return space.join(parts), means


def written(rule: Rule) -> str:
    """The text of a rule, from what was read of it."""
    name = json.dumps
    match rule:
        case Threshold():
            return f"{name(rule.metric)} {rule.operator.value} {rule.value}"
        case Comparison():
            sign, size = "-" if rule.offset.amount.is_signed() else "+", abs(rule.offset.amount)
            unit = f" {rule.offset.unit.value}" if rule.offset.unit else ""
            return f"{name(rule.metric)} {rule.operator.value} {name(rule.reference.text)} {sign} {size}{unit}"
        case Within():
            return f"{name(rule.metric)} within {rule.amount}{rule.unit.value} of {name(rule.reference.text)}"
        case Parents():
            return f"parents {'all' if rule.all else 'any'} @{rule.alias}"
        case CardPresent():
            return "card present"
        case Age():
            return f"age <= {Decimal(rule.most // timedelta(microseconds=1)) / 10**6}s"
        case Is():
            return f"{'' if rule.wanted else 'not '}{rule.property.value}"
        case Tagged():
            return f"tag {name(rule.key)}{'' if rule.value is None else f'={name(rule.value)}'}"
        case From():
            return f"from {name(rule.branch)}"
        case SameData():
            return f"same data as {name(rule.reference.text)}"
    raise AssertionError(rule)


@pytest.mark.parametrize("seeds", every(10, range(2000)))
def test_a_rule_says_what_the_oracle_says(seeds):
    passed = 0
    for seed in seeds:
        chance = random.Random(seed)
        text, means = made_rule(chance)
        rule = parse(text)
        for _ in range(3):
            rows = made_rows(chance)
            ruling = judge(Gate((rule,)), rows.facts(), rows.held_before).rulings[0]
            assert (ruling.says != Says.REFUSES) == means(rows), f"{seed}: {text!r} of {rows}: {ruling}"
            assert ruling.reason or (ruling.has and ruling.needs), f"{seed}: {text!r} of {rows}: {ruling}"
            passed += ruling.says != Says.REFUSES
    assert len(seeds) / 2 < passed < 2.5 * len(seeds)


@pytest.mark.parametrize("seeds", every(10, range(2000)))
def test_a_rule_that_is_written_again_is_the_same(seeds):
    for seed in seeds:
        rule = parse(made_rule(random.Random(seed))[0])
        text = written(rule)
        assert parse(text) == replace(rule, text=text), text


# Any text

WORDS = (
    *KEYWORDS,
    *(
        "all",
        "any",
        "present",
        "within",
        "of",
        "noise",
        "data",
        "as",
        "auc",
        '"a b"',
        "@production",
        "@a-1",
        "latest-1",
    ),
    *("v3", "i_ab", ">=", "<", "=", "=>", "+", "-", "%", "0.5", "5", "7d", "1e999999", "nan", "main", "and", "*", ","),
    *(
        '"',
        "\\",
        "'",
        "\x00",
        "\ud800",
        "\u202e",
        "\n",
        "≥",
        "\N{EN DASH}",
        "é",
        "हि",
        "\N{NO-BREAK SPACE}",
        "9" * 50,
        "#",
        "{",
    ),
)
WORD_SOUP = st.builds(
    lambda words, between: between.join(words), st.lists(st.sampled_from(WORDS), max_size=9), st.sampled_from(("", " "))
)
TEXTS = st.one_of(WORD_SOUP, st.text(max_size=30))


@pytest.mark.parametrize("cases", first(1, [60, 3000]))
def test_any_text_is_a_rule_or_is_pointed_at(cases):
    @settings(max_examples=cases, deadline=None)
    @given(TEXTS)
    @example("auc >= 1e" + "9" * 480)
    @example('"' + "\\" * 400)
    @example("not " * 125)
    @example("-" * 500)
    def check(text: str) -> None:
        rule, column, message = read(text)
        if rule:
            again = written(rule)
            assert parse(again) == replace(rule, text=again)
        else:
            assert 1 <= column <= len(text) + 1
            assert message.isprintable()

    check()


def read(text: str) -> tuple[Rule | None, int, str]:
    """The rule that a text is; or the column and the message that it is not."""
    try:
        return parse(text), 0, ""
    except CantParse as error:
        return None, error.column, error.message


def test_every_word_of_rules_is_in_the_oracle() -> None:
    read: set[Any] = {type(parse(made_rule(random.Random(seed))[0])) for seed in range(0, 2000, 10)}
    assert read == {Threshold, Comparison, Within, Parents, CardPresent, Age, Is, Tagged, From, SameData}
    assert {Reference(text).alias for text in REFERENCES} == {"production", "release-2", "never", ""}
