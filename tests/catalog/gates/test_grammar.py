"""Rules of gates as text: `catalog.gates.grammar`."""

import ast
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from catalog.gates import grammar
from catalog.gates.grammar import LONGEST, CantParse, parse
from catalog.gates.rules import (
    Age,
    CardPresent,
    Comparison,
    From,
    Is,
    Offset,
    Operator,
    Parents,
    Property,
    Reference,
    Rule,
    SameData,
    Tagged,
    Threshold,
    Unit,
    Within,
)

AT_LEAST = Operator.AT_LEAST
PRODUCTION = Reference("@production")


def number(text: str) -> Decimal:
    return Decimal(text)


def compared(text: str, amount: str, unit: Unit = Unit.PLAIN, reference: str = "@production") -> Comparison:
    return Comparison(text, "auc", AT_LEAST, Reference(reference), Offset(number(amount), unit))


RULES: list[Rule] = [
    Threshold("auc >= 0.78", "auc", AT_LEAST, number("0.78")),
    Threshold("auc>=0.78", "auc", AT_LEAST, number("0.78")),
    Threshold("auc > -.5", "auc", Operator.ABOVE, number("-0.5")),
    Threshold("loss <= +1e-3", "loss", Operator.AT_MOST, number("0.001")),
    Threshold("loss < 1E3", "loss", Operator.BELOW, number("1000")),
    Threshold("classes = 3", "classes", Operator.EQUAL, number("3")),
    Threshold("classes == 3", "classes", Operator.EQUAL, number("3")),
    Threshold("classes != 3", "classes", Operator.UNEQUAL, number("3")),
    Threshold("validation/calibration@0.95 >= 0", "validation/calibration@0.95", AT_LEAST, number("0")),
    Threshold("val-auc:top.10 >= 0", "val-auc:top.10", AT_LEAST, number("0")),
    Threshold('"error rate (%)" >= 0', "error rate (%)", AT_LEAST, number("0")),
    Threshold('"age" >= 18', "age", AT_LEAST, number("18")),
    Threshold("ages >= 18", "ages", AT_LEAST, number("18")),
    Threshold("within >= 18", "within", AT_LEAST, number("18")),
    Threshold('"\\u00e9" >= 0', "é", AT_LEAST, number("0")),
    Threshold("शुद्धता >= 0", "शुद्धता", AT_LEAST, number("0")),
    compared("auc >= @production", "0"),
    compared("auc >= @production - 0.002", "-0.002"),
    compared("auc >= @production -0.002", "-0.002"),
    compared("auc >= @production + 5%", "5", Unit.PER_CENT),
    compared("auc >= @production - 5 %", "-5", Unit.PER_CENT),
    compared("auc >= @production - noise", "-1", Unit.NOISE),
    compared("auc >= @production - 2 noise", "-2", Unit.NOISE),
    compared("auc >= latest-1 - 1", "-1", reference="latest-1"),
    compared("auc >= latest-1", "0", reference="latest-1"),
    compared("auc >= v12", "0", reference="v12"),
    compared("auc >= i_0a1b2c", "0", reference="i_0a1b2c"),
    compared('auc >= "@release-2" - 1', "-1", reference="@release-2"),
    Within("rows within 20% of @production", "rows", number("20"), Unit.PER_CENT, PRODUCTION),
    Within("rows within 20 of @production", "rows", number("20"), Unit.PLAIN, PRODUCTION),
    Within('rows within 0.5 % of "@release-2"', "rows", number("0.5"), Unit.PER_CENT, Reference("@release-2")),
    Parents("parents all @validated", all=True, alias="validated"),
    Parents("parents any @eu:west", all=False, alias="eu:west"),
    Parents("parents all @release-2", all=True, alias="release-2"),
    Parents('parents all "@latest"', all=True, alias="latest"),
    CardPresent("card present"),
    *(Age(f"age <= {text}", timedelta(seconds=seconds)) for text, seconds in [("90s", 90), ("5min", 300)]),
    *(Age(f"age <= {text}", timedelta(hours=hours)) for text, hours in [("1.5h", 1.5), ("7 d", 168), ("2w", 336)]),
    *(Is(one.value, one, wanted=True) for one in Property),
    *(Is(f"not {one.value}", one, wanted=False) for one in Property),
    Tagged("tag reviewed", "reviewed", None),
    Tagged("tag late", "late", None),
    Tagged("tag stage=final", "stage", "final"),
    Tagged("tag 2026 = 11", "2026", "11"),
    Tagged('tag "made by" = "a = b"', "made by", "a = b"),
    From("from main", "main"),
    From("from feature/new-model", "feature/new-model"),
    From('from "a,b"', "a,b"),
    SameData("same data as @production", PRODUCTION),
    SameData("same data as latest-1", Reference("latest-1")),
]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.text)
def test_a_rule_is_read(rule):
    assert parse(rule.text) == rule
    assert parse(f" \t{rule.text}  ") == rule


VALUE = "a number or @alias, latest, latest-1 or v12 could stand"
WRONG = [
    ("", 1, "the rule is empty"),
    ("auc", 4, "the rule ends where within or one of >= > <= < = != could stand"),
    ("auc >= ", 7, f"the rule ends where {VALUE}"),
    ("auc >= production", 8, "production is no version; write @production if it is an alias"),
    ("auc >= nan", 8, "nan is no version, and no number that anything is compared with"),
    ('auc >= "0.78"', 8, '"0.78" is no version; a number is written without quotes'),
    ("auc >= 0,78", 8, "0,78 is no number; its decimal sign is a point, and nothing else stands between its digits"),
    ("auc >= 1_000", 8, "1_000 is no number; its decimal sign is a point"),
    ("auc >= 1e999999", 8, "1e999999 is beyond what is compared"),
    (f"auc >= {'9' * 41}", 8, "is beyond what is compared"),
    ("auc >= 0.5 and rows > 3", 12, "a rule is one condition; write each as a rule of its own"),
    ("auc >= 80%", 10, "per cent are those of another version, as in @production - 5%"),
    ("auc >= 0.7 - 0.1", 12, "- where the end of the rule could stand"),
    ("auc => 0.7", 6, "write >= instead of =>"),
    ("auc <> 0.7", 6, "write != instead of <>"),
    ("auc ≥ 0.7", 5, "≥ is not read here; write >="),
    ("auc >= @production \N{MINUS SIGN} 0.002", 20, "\N{MINUS SIGN} is not read here; write -"),
    ("“auc” >= 0.7", 1, '“ is not read here; write "'),
    ("'auc' >= 0.7", 1, "' is not read here; write \""),
    ('"auc >= 0.7', 1, "the text in quotes does not end"),
    ('"a\\q" >= 0.7', 1, "is no JSON string"),
    ('"\\ud800" >= 0.7', 1, "the text in quotes has a character that can't be shown"),
    ('"" >= 0.7', 1, "the text in quotes says nothing"),
    ("auc,f1 >= 0.7", 4, ", stands in no name without quotes"),
    ("a€b >= 0.7", 2, '€ stands in no name without quotes; write "a€b"'),
    ("run_id >= 5", 1, "run_id is never a metric: it is called like an identity or a moment"),
    ('"_x" within 5 of v12', 1, "_x is never a metric: it is kept for the catalogue"),
    ("5 >= auc", 1, "a rule begins with a metric, and 5 is no name of one without quotes"),
    ("auc >= @production-0.002", 19, 'write @production - 0.002, or "@production-0.002" if that is the alias'),
    ("auc >= @production-5%", 21, "write @production - 5%"),
    ("auc >= latest-0.5", 14, "write latest - 0.5"),
    ("rows within 20% of @production+5", 31, 'write @production + 5, or "@production+5" if that is the alias'),
    ("auc >= @production- 0.002", 21, "write @production - 0.002"),
    ("auc >= @latest", 8, 'write latest, or "@latest" if that is the alias'),
    ("same data as @v12", 14, 'write v12, or "@v12" if that is the alias'),
    ("auc >= Latest-1", 8, "Latest-1 is no version; write latest-1"),
    ("auc >= noise", 8, "noise is no version; noise stands behind one, as in @production - noise"),
    ("auc >= v0", 8, "'v0' is no instance reference"),
    ("auc >= @production * 0.9", 20, "nothing is multiplied; write - 5%, or - 2 noise"),
    ("auc >= @production - 2 * noise", 24, "nothing is multiplied"),
    ("rows within noise of v12", 13, "noise where a number could stand"),
    ("rows within 20% @production", 17, "@production where of could stand"),
    ("parents @validated", 9, "@validated where all or any could stand"),
    ("parents all validated", 13, "validated is no alias, which begins with @"),
    ('parents all "@a b"', 13, "the alias 'a b' can't stand in an address"),
    ("card >= 3", 6, 'card begins another rule; a metric of this name is written "card"'),
    ("card", 5, "the rule ends where present could stand"),
    ("age >= 7d", 5, "an age is only compared by <="),
    ("age <= 7m", 9, "m is no unit of time; write s, min, h, d or w"),
    ("age <= -1d", 8, "- stands before no number here"),
    ("rows within -5 of v12", 13, "- stands before no number here"),
    ("auc >= @production - -5", 22, "- stands before no number here"),
    ("age <= 7", 9, "the rule ends where s, min, h, d or w could stand"),
    ("age <= 9e400d", 8, "an age is at most 36,500 days"),
    ("Not unusual", 5, "words are written small: not"),
    ("not card present", 5, "card where deprecated, late or unusual could stand"),
    ("tag stage >= final", 11, "a tag is only compared by ="),
    ("from /", 6, "the branch name '/' has no letter and no digit"),
    ("auc\n>= 1", 4, "a line break stands in no rule"),
    ("auc\N{NO-BREAK SPACE}>= 1", 4, "U+00A0 is a space of another kind"),
    ("a\u202eb >= 1", 2, "U+202E can't be seen"),
    ("\x00", 1, "U+0000 can't be seen"),
    ("\ud800", 1, "U+D800 can't be seen"),
    ("x" * (LONGEST + 1), LONGEST + 1, "a rule has at most 500 characters; this one has 501"),
]


@pytest.mark.parametrize(("text", "column", "message"), WRONG, ids=[ascii(text)[:40] for text, _, _ in WRONG])
def test_what_can_not_be_read_is_pointed_at(text, column, message):
    with pytest.raises(CantParse) as found:
        parse(text)
    assert message in found.value.message
    assert found.value.column == column
    assert str(found.value) == f"column {column}: {found.value.message}"


def test_what_could_stand_there_is_said():
    with pytest.raises(CantParse) as found:
        parse("auc >=")
    assert found.value.expected == ("a number", "@alias, latest, latest-1 or v12")


def test_the_parser_is_imported_when_the_first_rule_is_read():
    """A site without gates has no use for it."""
    nodes = ast.parse(Path(grammar.__file__).read_text()).body
    assert not [node for node in nodes if isinstance(node, ast.Import | ast.ImportFrom) and "lark" in ast.unparse(node)]
