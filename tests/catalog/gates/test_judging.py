"""What rules say of a version: `catalog.gates.judging`."""

import random
from datetime import timedelta
from decimal import Decimal, localcontext
from typing import Any

import pytest

from catalog.gates.declared import Gate
from catalog.gates.facts import Absent, Origin, Other, Told
from catalog.gates.grammar import parse
from catalog.gates.judgement import Judgement, Ruling, Says, rulings_from
from catalog.gates.judging import EXACT, figures, judge, lacking
from catalog.gates.rules import Unreadable
from tests.catalog.gates.facts_in_memory import FactsInMemory, numbers
from tests.lanes import every

V7 = Other("v7", numbers(auc="0.8024", rows="675", zero="0", loss="-2"))
VERSION: dict[str, Any] = {
    "numbers": numbers(auc="0.7991", rows="675", zero="0", loss="-2.05", big="1e300", nan="NaN"),
    "others": {"@production": V7, "@new": Absent.NEVER, "@empty": Other("v3, the last that held it", {})},
    "noises": {"auc": Decimal("0.002"), "rows": Decimal("NaN")},
    "tags": {"stage": "final", "reviewed": ""},
    "inputs": {
        "validated": [Told(True, "Churn features v48 is @validated"), Told(True)],
        "mixed": [Told(True, "a v1 is @mixed"), Told(False, "b v2 is not @mixed")],
        "unknown": [Told(True, "b v2 is deleted", known=False)],
    },
    "data": {"@production": Told(True, "the same holdout v4"), "@empty": Told(False)},
}


def says(rule: str, held_before: bool = False, **facts: Any) -> Ruling:
    """What one rule says of v14, or of a version that differs from it."""
    found = judge(Gate((parse(rule),)), FactsInMemory(**{**VERSION, **facts}), held_before)
    return found.rulings[0]


PASSES = [
    ("auc >= 0.78", {"has": "0.7991", "needs": "0.78"}),
    ("auc >= 0.7991", {"has": "0.7991", "needs": "0.7991"}),
    ("auc <= 0.8", {"needs": "at most 0.8"}),
    ("auc != 0.8", {"needs": "other than 0.8"}),
    ("rows = 675.0", {"has": "675", "needs": "675"}),
    ("auc >= @production - 0.0033", {"needs": "0.7991", "reference": "v7 has 0.8024"}),
    ("auc >= @production - 2 noise", {"needs": "0.7984"}),
    ("auc < @production + noise", {"needs": "less than 0.8044"}),
    ("auc >= @production - 1%", {"needs": "0.794376"}),
    ("loss >= @production - 5%", {"has": "-2.05", "needs": "-2.1"}),  # per cent of the size: down, not up
    ("rows within 20% of @production", {"has": "675", "needs": "540 to 810", "reference": "v7 has 675"}),
    ("loss within 0.05 of @production", {"needs": "-2.05 to -1.95"}),
    ("auc >= @new - 5%", {"has": "0.7991", "reason": "nothing was ever @new here"}),
    ("rows within 20% of @new", {"reason": "nothing was ever @new here"}),
    ("same data as @new", {"reason": "nothing was ever @new here"}),
    ("same data as @production", {"reason": "the same holdout v4"}),
    ("parents all @validated", {"reason": "Churn features v48 is @validated"}),
    ("parents any @mixed", {"reason": "a v1 is @mixed"}),
    ("card present", {"reason": "there is a card"}),
    ("age <= 7d", {"has": "3 h", "needs": "at most 7 d"}),
    ("age <= 3h", {"has": "3 h", "needs": "at most 3 h"}),
    ("not unusual", {"reason": "not unusual"}),
    ("not late", {"reason": "not late"}),
    ("not deprecated", {"reason": "v14 is not deprecated"}),
    ("tag reviewed", {"reason": "tagged reviewed"}),
    ("tag stage=final", {"reason": "stage is final"}),
    ("from main", {"reason": "made on main"}),
]
REFUSES = [
    ("auc >= 0.8", {"has": "0.7991", "needs": "0.8", "short_by": "0.0009"}),
    ("auc > 0.7991", {"needs": "more than 0.7991"}),
    ("auc <= 0.79", {"needs": "at most 0.79", "short_by": "0.0091"}),
    ("auc = 0.79910000000000001", {"has": "0.7991", "needs": "0.79910000000000001", "short_by": "1e-17"}),
    ("auc != 0.7991", {"needs": "other than 0.7991"}),
    (
        "auc >= @production - 0.002",
        {"has": "0.7991", "needs": "0.8004", "reference": "v7 has 0.8024", "short_by": "0.0013"},
    ),
    ("rows within 10 of @empty", {"has": "675", "reason": "not measured in v3, the last that held it"}),
    ("rows > @production", {"needs": "more than 675", "reference": "v7 has 675"}),
    ("f1 >= 0.5", {"reason": "not measured in v14"}),
    ("f1 >= @new", {"reason": "not measured in v14"}),
    ("nan >= 0.5", {"reason": "not measured in v14"}),
    ("auc >= v99", {"has": "0.7991", "reason": "there is no v99"}),
    ("same data as v99", {"reason": "there is no v99"}),
    ("zero >= @production - 5%", {"has": "0", "reference": "v7 has 0", "reason": "v7 has 0, of which there are no"}),
    ("zero within 0% of @production", {"reason": "v7 has 0, of which there are no per cent"}),
    ("loss >= @production - noise", {"reason": "the noise of loss is not known"}),
    ("rows >= @production - noise", {"reason": "the noise of rows is not known"}),
    ("same data as @empty", {"reason": "v3, the last that held it had other data"}),
    ("parents all @mixed", {"reason": "b v2 is not @mixed"}),
    ("parents all @unknown", {"reason": "b v2 is deleted"}),
    ("parents any @unknown", {"reason": "b v2 is deleted"}),
    ("parents all @nothing", {"reason": "nothing went into it that is known"}),
    ("parents any @nothing", {"reason": "nothing went into it that is known"}),
    ("age <= 2h", {"has": "3 h", "needs": "at most 2 h", "short_by": "1 h"}),
    ("unusual", {"reason": "not unusual"}),
    ("deprecated", {"reason": "v14 is not deprecated"}),
    ("late", {"reason": "not late"}),
    ("tag missing", {"reason": "no tag missing"}),
    ("tag stage=draft", {"reason": "stage is final"}),
    ("from dev", {"reason": "made on main"}),
]


def matches(ruling: Ruling, said: dict[str, str]) -> bool:
    return all(value in getattr(ruling, name) and bool(value) for name, value in said.items())


@pytest.mark.parametrize(("rule", "said"), PASSES, ids=[rule for rule, _ in PASSES])
def test_a_rule_passes(rule, said):
    ruling = says(rule)
    assert (ruling.rule, ruling.says, ruling.short_by) == (rule, Says.PASSES, "")
    assert {name: getattr(ruling, name) for name in said} == said


@pytest.mark.parametrize(("rule", "said"), REFUSES, ids=[rule for rule, _ in REFUSES])
def test_a_rule_refuses(rule, said):
    ruling = says(rule)
    assert (ruling.rule, ruling.says) == (rule, Says.REFUSES)
    assert matches(ruling, said), ruling
    assert ruling.reason or (ruling.has and ruling.needs)


@pytest.mark.parametrize(
    "rule", ["auc >= 0", "auc >= @new", "rows within 9% of @new", "same data as @new", "not unusual"]
)
def test_the_definition_measures_nothing(rule):
    ruling = says(rule, ref="the definition", is_definition=True)
    assert (ruling.says, ruling.reason) == (Says.REFUSES, "the definition measures nothing")


UNKNOWN = Told(False, "the card can't be looked up", known=False)


@pytest.mark.parametrize(
    ("rule", "facts", "reason"),
    [
        ("card present", {"has_card": UNKNOWN}, "the card can't be looked up"),
        ("card present", {"has_card": Told(True, known=False)}, "whether there is a card can't be told"),
        ("card present", {"has_card": Told(False)}, "there is no card"),
        ("not unusual", {"is_unusual": Told(False, known=False)}, "whether it is unusual can't be told"),
        ("unusual", {"is_unusual": Told(True, known=False)}, "whether it is unusual can't be told"),
        ("not unusual", {"is_unusual": Told(True, "auc 0.2, far below")}, "auc 0.2, far below"),
        ("not deprecated", {"deprecated": True}, "v14 is deprecated"),
        ("same data as @production", {"data": {}}, "whether v7 had the same data can't be told"),
        ("age <= 7d", {"made": None}, "where it was made is not known"),
        ("from main", {"made": None}, "where it was made is not known"),
        ("from main", {"made": Origin(timedelta(0), ())}, "made on a branch that is not known"),
    ],
)
def test_what_is_not_so_or_can_not_be_told_refuses(rule, facts, reason):
    ruling = says(rule, **facts)
    assert ruling.says == Says.REFUSES
    assert ruling.reason.startswith(reason)


def test_a_branch_has_several_names():
    made = Origin(timedelta(0), ("feature/New-Model", "feature_new_model"))
    assert says("from feature/new-model", made=made).says == Says.PASSES
    assert says("from feature_new_model", made=made).says == Says.PASSES
    assert says("from feature/new", made=made).reason == "made on feature/New-Model"


@pytest.mark.parametrize(
    ("hours", "rule", "has", "short_by"),
    [
        (51, "age <= 2d", "2 d 3 h", "3 h"),
        (48.0001, "age <= 2d", "2 d", "less than 1 s"),
        (48 + 1 / 60, "age <= 2d", "2 d 1 min", "1 min"),
        (24 * 400, "age <= 1w", "400 d", "393 d"),
    ],
)
def test_an_age_that_is_too_large_says_by_how_much(hours, rule, has, short_by):
    ruling = says(rule, made=Origin(timedelta(hours=hours), ("main",)))
    assert (ruling.says, ruling.has, ruling.short_by) == (Says.REFUSES, has, short_by)


@pytest.mark.parametrize(
    "rule",
    [
        *("auc >= @production", "auc >= v99", "rows within 1% of @production", "same data as @production"),
        *("age <= 1s", "parents all @nothing"),
    ],
)
def test_what_held_it_before_is_not_compared(rule):
    ruling = says(rule, held_before=True)
    assert (ruling.says, ruling.reason) == (Says.EXEMPT, "not asked of what was there before")


@pytest.mark.parametrize("rule", ["auc >= 0.8", "unusual", "deprecated", "tag missing", "from dev"])
def test_what_held_it_before_has_to_meet_the_other_rules(rule):
    assert says(rule, held_before=True).says == Says.REFUSES


def test_rules_that_only_warn_never_refuse():
    gate = Gate((parse("auc >= 0.78"),), (parse("auc >= 0.9"), parse("rows > 1"), parse("f1 > 1")))
    judgement = judge(gate, FactsInMemory(**VERSION))
    assert [one.says for one in judgement.rulings] == [Says.PASSES, Says.WARNS, Says.PASSES, Says.WARNS]
    assert judgement.passes
    assert judgement.rulings[1].short_by == "0.101"  # 0.1009


def test_what_can_not_be_read_any_more_refuses_with_the_reason():
    judgement = judge(
        Gate((Unreadable("median(auc) > 1", "this version of the site can't read the rule"),)), FactsInMemory()
    )
    assert [one.reason for one in judgement.refusals] == ["this version of the site can't read the rule"]


def test_all_rules_are_told_in_their_order_and_kept_as_json():
    gate = Gate((parse("auc >= 0.9"), parse("card present")), (parse("rows > 1"),))
    judgement = judge(gate, FactsInMemory(**VERSION))
    assert [one.rule for one in judgement.rulings] == ["auc >= 0.9", "card present", "rows > 1"]
    assert rulings_from(judgement.as_json()) == judgement


@pytest.mark.parametrize(
    ("has", "needs", "shown"),
    [
        ("0.79906542056", "0.8", ("0.799065", "0.8", "0.000935")),
        ("0.7999999999", "0.8", ("0.7999999999", "0.8", "1e-10")),
        ("48210", "50000", ("48,210", "50,000", "1,790")),
        ("48210.5", "50000", ("48,210.5", "50,000", "1,790")),
        ("-1e-300", "0", ("-1e-300", "0", "1e-300")),
        ("1e300", "2e300", ("1e300", "2e300", "1e300")),
        ("123456789", "123456790", ("123,456,789", "123,456,790", "1")),
    ],
)
def test_numbers_are_short_and_say_what_is_so(has, needs, shown):
    ruling = says(f"auc >= {needs}", numbers=numbers(auc=has))
    assert (ruling.has, ruling.needs, ruling.short_by) == shown


def test_numbers_that_no_float_tells_apart_are_compared():
    nearly = Decimal(f"0.8{'0' * 300}1")
    others = {"@production": Other("v7", {"auc": nearly})}
    assert says("auc >= @production", numbers=numbers(auc="0.8"), others=others).says == Says.REFUSES
    assert says("auc >= @production - 1e-400", numbers=numbers(auc="0.8"), others=others).says == Says.REFUSES
    assert says("auc <= @production", numbers=numbers(auc="0.8"), others=others).says == Says.PASSES


def test_numbers_that_are_too_far_apart_refuse():
    others = {"@production": Other("v7", {"auc": Decimal("1e-9999999")})}
    ruling = says("auc >= @production - 1", others=others)
    assert (ruling.says, ruling.reason) == (Says.REFUSES, "its numbers are too far apart to be compared")


def test_nothing_is_asked_that_no_rule_needs():
    facts = FactsInMemory(**VERSION)
    for question in ("card", "origin", "parents", "unusual", "other", "noise", "same_data"):
        setattr(facts, question, None)  # fails if it is asked
    assert judge(Gate((parse("auc >= 0.5"), parse("tag stage"))), facts).passes
    assert judge(Gate((parse("auc >= @production"), parse("age <= 1s"))), facts, held_before=True).passes


def test_no_rules_pass():
    assert judge(Gate(), FactsInMemory()) == Judgement()


@pytest.mark.parametrize("seeds", every(20, range(4000)))
def test_what_is_shown_of_numbers_compares_as_they_do(seeds):
    for seed in seeds:
        chance = random.Random(seed)
        one = Decimal(chance.choice((-1, 1)) * chance.randrange(10**9)).scaleb(chance.randrange(-20, 20))
        step = Decimal(chance.choice((-1, 0, 1))).scaleb(one.adjusted() - chance.randrange(25))
        with localcontext(EXACT):
            other = chance.choice((one + step, -one, step))
        shown = [Decimal(text.replace(",", "")) for text in figures([one, other])]
        assert shown[0].compare(shown[1]) == one.compare(other), f"{seed}: {one}, {other}: {shown}"
        assert all(bool(text) == bool(number) for text, number in zip(shown, (one, other), strict=True))
        lacks = Decimal(lacking(abs(one - other)).replace(",", "")) if one != other else Decimal(0)
        assert bool(lacks) == (one != other)
