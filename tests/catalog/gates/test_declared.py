"""Gates as they are declared and kept: `catalog.gates.declared`."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.gates.declared import Gate, GateProblem, GateProblems, Gates, checked
from catalog.gates.grammar import parse
from catalog.gates.judging import judge
from catalog.gates.rules import Unreadable
from tests.catalog.gates.facts_in_memory import FactsInMemory
from tests.lanes import first

PRODUCTION = {"require": ["auc >= 0.78"], "approvals": 1}


def test_gates_are_kept_without_what_asks_nothing():
    declared = {
        "production": {
            "require": [" auc >= 0.78 "],
            "warn": ["rows > 1"],
            "approvals": 2,
            "approvers": ["ann", "role:editor"],
        },
        "into branch": {"require": ["from main"], "warn": [], "approvals": 0},
        "*": {"approvals": 1},
        "staging": {},
    }
    assert checked(declared) == {
        "production": {
            "require": ["auc >= 0.78"],
            "warn": ["rows > 1"],
            "approvals": 2,
            "approvers": ["ann", "role:editor"],
        },
        "into branch": {"require": ["from main"]},
        "*": {"approvals": 1, "approvers": ["role:admin"]},
    }
    assert checked(checked(declared)) == checked(declared)
    assert checked({}) == {}


PROBLEMS: list[tuple[Any, str]] = [
    ([], "gates: a table is expected"),
    (
        {"production": {"require": ["rows > 1", "auc >= production"]}},
        "gates.production.require, rule 2, column 8: production is no version; write @production if it is an alias",
    ),
    ({"production": {"warn": [5]}}, 'gates.production.warn, rule 1: a text is expected, such as "auc >= 0.78"'),
    ({"production": {"require": "auc >= 1"}}, "gates.production.require: a list of rules is expected"),
    ({"production": ["auc >= 1"]}, "gates.production: a table is expected, with some of require, warn, approvals"),
    ({"production": {"requires": []}}, "gates.production.requires: not known here; known are require, warn,"),
    ({"production": {"approvals": True}}, "gates.production.approvals: a whole number from 0 to 20 is expected"),
    ({"production": {"approvals": 21}}, "gates.production.approvals: a whole number from 0 to 20 is expected"),
    ({"production": {"approvals": 1.0}}, "gates.production.approvals: a whole number from 0 to 20 is expected"),
    ({"production": {"approvals": 1, "approvers": "ann"}}, "gates.production.approvers: a list of role:admin, "),
    ({"production": {"approvals": 1, "approvers": ["role:viewer"]}}, "role:viewer is neither the name of a user nor"),
    ({"production": {"approvals": 1, "approvers": [1]}}, "gates.production.approvers: 1 is neither the name of a user"),
    (
        {"production": {"approvals": 1, "approvers": [[]]}},
        "gates.production.approvers: [] is neither the name of a user",
    ),
    (
        {"production": {"approvers": ["ann"]}},
        "gates.production.approvers: nobody is asked to approve; write approvals = 1",
    ),
    (
        {"production": {"approvals": 2, "approvers": ["ann", "ann"]}},
        "gates.production.approvers: 2 approvals are asked for, and 1 can be given",
    ),
    ({"@production": PRODUCTION}, "gates.\"@production\": the alias '@production' can't stand in an address"),
    ({"@production": PRODUCTION}, "; write production"),
    ({"in branch": PRODUCTION}, '; "into branch" is for promotions, "*" for every alias'),
    ({"": PRODUCTION}, 'gates."": the alias is empty'),
    ({"e\u0301": PRODUCTION, "é": PRODUCTION}, 'gates."é": the same alias stands here twice'),
    ({"a\ud800": PRODUCTION}, 'gates."a\\ud800": '),
    (
        {"a": {"require": ["a > 1"] * 30}, "b": {"warn": ["a > 1"] * 21}},
        "gates: an asset has at most 50 rules; here are 51",
    ),
    ({f"a{number}": PRODUCTION for number in range(51)}, "gates: at most 50 aliases have gates; here are 51"),
]


@pytest.mark.parametrize(("declared", "said"), PROBLEMS, ids=[said[:60] for _, said in PROBLEMS])
def test_what_is_wrong_is_said_with_its_place(declared, said):
    with pytest.raises(GateProblems) as found:
        checked(declared, "asset_config.toml")
    assert str(found.value).startswith("asset_config.toml: gates")
    assert said in str(found.value)


def test_all_problems_are_said():
    with pytest.raises(GateProblems) as found:
        checked({"production": {"require": ["auc", "rows > 1", "f1 =>"], "approvals": "1"}, "b": 5})
    assert [(one.key, one.rule, one.column) for one in found.value.problems] == [
        ("gates.production.require", 1, 4),
        ("gates.production.require", 3, 5),
        ("gates.production.approvals", 0, 0),
        ("gates.b", 0, 0),
    ]
    assert found.value.problems[0].as_json() == {
        "key": "gates.production.require",
        "rule": 1,
        "column": 4,
        "message": "the rule ends where within or one of >= > <= < = != could stand",
        "expected": ["within", "one of >= > <= < = !="],
    }


def test_an_alias_has_its_own_gate_and_that_of_all():
    kept = checked(
        {
            "*": {"require": ["card present"], "warn": ["rows > 1"], "approvals": 2},
            "production": {"require": ["auc >= 0.78"], "approvals": 1, "approvers": ["ann"]},
            "into branch": {"require": ["from dev"]},
        }
    )
    gates = Gates.of(kept)
    both = (parse("card present"), parse("auc >= 0.78"))
    assert gates.for_alias("production") == Gate(both, (parse("rows > 1"),), 2, ("ann",))
    assert gates.for_alias("staging") == Gate((parse("card present"),), (parse("rows > 1"),), 2, ("role:admin",))
    assert gates.into_branch == Gate((parse("from dev"),))


def test_without_gates_nothing_is_asked():
    for gates in (Gates.of({}), Gates.of(None), Gates()):
        assert gates.for_alias("production") is None
        assert gates.into_branch is None
    assert Gates.of(checked({"production": PRODUCTION})).for_alias("staging") is None


def test_an_alias_is_found_in_every_form_of_unicode():
    gates = Gates.of(checked({"e\u0301te": PRODUCTION}))
    assert gates.for_alias("éte")
    assert gates.for_alias("éte") == gates.for_alias("e\u0301te")


KEPT_BY_OTHERS: list[Any] = [
    {"production": {"require": ["median(auc, 5) >= 1"]}},
    {"production": {"require": [5]}},
    {"production": {"require": {"auc": 1}}},
    {"production": {"forbid": ["auc >= 1"]}},
    {"production": {"approvals": "two"}},
    {"production": {"approvals": 1, "approvers": "ann"}},
    {"production": "auc >= 1"},
    {"production": None},
    {"*": {"require": ["x" * 9999]}},
    ["auc >= 1"],
    "auc >= 1",
    0,
]


@pytest.mark.parametrize("kept", KEPT_BY_OTHERS, ids=[str(kept)[:60] for kept in KEPT_BY_OTHERS])
def test_what_is_kept_and_can_not_be_read_refuses_with_the_reason(kept):
    gate = Gates.of(kept).for_alias("production")
    assert gate
    refusals = judge(gate, FactsInMemory()).refusals
    assert refusals
    assert all(one.rule and one.reason for one in refusals)


def test_a_rule_that_only_warned_warns_that_it_can_not_be_read():
    gate = Gates.of({"production": {"warn": ["median(auc) >= 1"]}}).for_alias("production")
    assert gate
    assert isinstance(gate.warn[0], Unreadable)
    assert judge(gate, FactsInMemory()).passes


def test_approvals_that_name_nobody_are_given_by_admins():
    gate = Gates.of({"production": {"approvals": 1}}).for_alias("production")
    assert gate == Gate(approvals=1, approvers=("role:admin",))


def test_of_many_problems_the_first_are_said():
    with pytest.raises(GateProblems) as found:
        checked({"production": {str(number): 1 for number in range(1000)}})
    assert len(found.value.problems) == 51
    assert str(found.value).endswith("gates: and 950 more")


RULE_TEXTS = st.sampled_from(("auc >= 0.78", "not unusual", "not late", "auc >=", "median(auc) > 1", " from main ", ""))
ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-2, 25)
    | st.floats()
    | st.sampled_from(("ann", "role:admin", "\ud800", "")),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)
GATE = st.fixed_dictionaries(
    {},
    optional={
        "require": st.lists(RULE_TEXTS, max_size=3) | ANYTHING,
        "warn": st.lists(RULE_TEXTS, max_size=3),
        "approvals": st.integers(0, 3) | ANYTHING,
        "approvers": st.lists(st.sampled_from(("ann", "ben", "role:editor")), max_size=3) | ANYTHING,
        "later": ANYTHING,
    },
)
NAMES = st.sampled_from(("production", "*", "into branch", "@x", "e\u0301", "é", "a/b", "\x00"))


@pytest.mark.parametrize("cases", first(1, [40, 1000]))
def test_any_gates_are_taken_or_refused_and_what_is_kept_is_read(cases):
    @settings(max_examples=cases, deadline=None)
    @given(st.dictionaries(NAMES, GATE | ANYTHING, max_size=3) | ANYTHING)
    def check(declared: Any) -> None:
        kept, problems = taken(declared)
        assert (kept is None) == bool(problems)
        assert all(str(problem).isprintable() for problem in problems)
        gates = Gates.of(declared if kept is None else kept)
        found = [gate for name in ("production", "staging", "é") if (gate := gates.for_alias(name))]
        for gate in [*found, *([gates.into_branch] if gates.into_branch else [])]:
            judge(gate, FactsInMemory())
            if kept is not None:
                assert not any(isinstance(rule, Unreadable) for rule in (*gate.require, *gate.warn))
        if kept is not None:
            assert checked(kept) == kept

    check()


def taken(declared: Any) -> tuple[dict[str, Any] | None, tuple[GateProblem, ...]]:
    """The gates as they are kept, or the problems."""
    try:
        return checked(declared), ()
    except GateProblems as error:
        return None, error.problems
