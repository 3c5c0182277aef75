"""What rules said, as pages list it: in order of what matters, many that pass folded, and nothing left out."""

import pytest

from catalog.gates.judgement import Ruling, Says
from catalog.pagekit.rulings import OPEN, OUTCOMES, WAITS, RulingRow, as_shown, counted, in_order
from catalog.states import Outcome
from obproject.rulings import found_by


def rows(**counts: int) -> list[RulingRow]:
    return [RulingRow(f"{says} {number}", says) for says, count in counts.items() for number in range(count)]


def test_what_refuses_comes_first_and_what_is_exempt_last():
    rulings = [Ruling(says.value, says) for says in (Says.EXEMPT, Says.PASSES, Says.WARNS, Says.REFUSES)]
    found = in_order(rulings, RulingRow("approvals = 1", WAITS))
    assert [row.says for row in found] == ["refuses", "waits", "warns", "passes", "exempt"]


def test_the_reason_comes_first_where_numbers_do_not_tell_it():
    row = RulingRow.of(Ruling("", Says.REFUSES, has="0.8", reference="v1 has 0.9", reason="the noise is not known"))
    assert (row.numbers, row.also) == ("the noise is not known", ("has 0.8", "v1 has 0.9"))


@pytest.mark.parametrize(
    ("needs", "words"),
    [
        ("0.8004", "0.2 short"),
        ("more than 0.8", "0.2 short"),
        ("540 to 810", "0.2 too far"),
        ("at most 0.3", "0.2 too much"),
        ("less than 0.3", "0.2 too much"),
    ],
)
def test_what_is_too_much_or_too_far_is_not_short(needs, words):
    ruling = Ruling("", Says.REFUSES, has="9", needs=needs, short_by="0.2")
    assert (ruling.shortfall, Ruling("", Says.PASSES, has="9", needs=needs).shortfall) == (words, "")
    assert RulingRow.of(ruling).numbers == f"needs {needs}, has 9: {words}"
    assert found_by(ruling.as_json()) == f"9, needs {needs}, {words}"


@pytest.mark.parametrize(
    ("ruling", "numbers"),
    [
        (Ruling("", Says.REFUSES, has="0.7991", needs="0.8004", short_by="0.0013"), "needs 0.8004, has 0.7991: 0.0013"),
        (Ruling("", Says.PASSES, has="0.81", needs="0.8"), "has 0.81, needs 0.8"),
        (Ruling("", Says.PASSES, has="14 h"), "has 14 h"),
        (Ruling("", Says.REFUSES, reason="not measured"), ""),
    ],
)
def test_the_numbers_of_a_rule(ruling, numbers):
    row = RulingRow.of(ruling)
    assert row.numbers.startswith(numbers)
    assert row.numbers.endswith(" short") is bool(ruling.short_by)


@pytest.mark.parametrize(
    ("counts", "shown"),
    [
        ({"refuses": 1, "passes": OPEN - 1}, OPEN),
        ({"refuses": 1, "warns": 2, "passes": 20}, 3),
        ({"refuses": 30, "passes": 1}, 30),
        ({"passes": 40}, 1),
        ({}, 0),
    ],
)
def test_many_rules_that_pass_are_folded(counts, shown):
    found = as_shown(rows(**counts))
    assert len(found.shown) == shown
    assert len(found.shown) + len(found.folded) == sum(counts.values())
    assert not any(row.refuses for row in found.folded)


def test_how_many_say_what_is_told_in_words():
    assert counted(rows(refuses=1, warns=2, passes=20)) == "1 refuses, 2 warn, 20 pass"
    assert counted(rows(waits=1, passes=1, exempt=2)) == "1 waits, 1 passes, 2 exempt"
    assert as_shown(rows(refuses=1, passes=20, exempt=2)).summary == "22 more: 20 pass, 2 exempt"


def test_every_outcome_has_its_words():
    assert OUTCOMES.keys() == set(Outcome)
