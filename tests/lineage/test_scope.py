"""The query string of a question: invalid values are clamped or ignored, and noted."""

from datetime import UTC, datetime

import pytest
from django.http import QueryDict

from lineage.scope import BUDGET, Scope


def scope(query: str) -> Scope:
    return Scope.of(QueryDict(query), depth=2)


def test_nothing_said_is_as_the_question_has_it():
    assert scope("") == Scope(direction="both", depth=2, budget=BUDGET)


def test_what_makes_sense_is_taken_as_it_is():
    said = scope("direction=up&depth=3&limit=9&kind=data&kind=flow&branch=main&as_of=2026-01-02T03:04:05Z")
    moment = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    kinds, branches = frozenset({"data", "flow"}), frozenset({"main"})
    assert said == Scope("up", 3, 9, moment, kinds, branches, notes=())


@pytest.mark.parametrize(
    ("query", "field", "value", "note"),
    [
        ("depth=-1", "depth", 0, "depth -1"),
        ("depth=1000", "depth", 50, "taken as 50"),
        ("depth=1e9", "depth", 2, "no whole number"),
        ("depth=99999999999999999999999", "depth", 50, "taken as 50"),
        ("limit=0", "budget", 1, "taken as 1"),
        ("limit=100000", "budget", 2000, "taken as 2000"),
        ("direction=sideways", "direction", "both", "'sideways'"),
        ("kind=cheese", "kinds", frozenset(), "'cheese'"),
        ("as_of=yesterday", "as_of", None, "no time"),
        ("as_of=2999-01-01", "as_of", None, "still to come"),
        ("as_of=2026-02-31", "as_of", None, "no time"),
        ("as_of=0001-01-01T00:00:00%2B14:00", "as_of", None, "no time"),
    ],
)
def test_what_makes_no_sense_is_clamped_and_told(query, field, value, note):
    said = scope(query)
    assert getattr(said, field) == value
    assert len(said.notes) == 1
    assert note in said.notes[0]


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-01-02", datetime(2026, 1, 2, 23, 59, 59, 999_999, tzinfo=UTC)),
        ("2026-01-02T03:04", datetime(2026, 1, 2, 3, 4, tzinfo=UTC)),
        ("2026-01-02 03:04", datetime(2026, 1, 2, 3, 4, tzinfo=UTC)),
        ("2026-01-02T03:04:00+02:00", datetime(2026, 1, 2, 1, 4, tzinfo=UTC)),
        ("2026-01-02T03:04:00%2B02:00", datetime(2026, 1, 2, 1, 4, tzinfo=UTC)),
    ],
)
def test_a_time_is_in_utc_unless_it_says_otherwise_and_a_day_is_its_end(text, moment):
    assert scope(f"as_of={text}").as_of == moment
