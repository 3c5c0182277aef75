"""The tag of an answer changes when something becomes due, late or dormant, which nobody writes down."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from django.db import connection
from django.utils import timezone

from access.models import Perimeter
from catalog.models import Asset, Attention, Branch, Project
from catalog.states import AttentionKind
from catalog.unchanged import ASSET, ASSETS_OF_BRANCH, ATTENTION, ATTENTION_OF_BRANCH, HOME, LINEAGE
from catalog.watching.lates import tell_lates
from tests.conftest import POSTGRES

pytestmark = pytest.mark.both

START = datetime(2026, 3, 1, tzinfo=UTC)
MOMENTS = {"a": (1, 2, 3), "b": (2, 4, 6), "c": (5, 6, 7), "d": (None, None, None), "e": (-5, -4, -3)}
"""Of each asset the hours at which it is due, late and dormant."""


def hour(number):
    return None if number is None else START + timedelta(hours=number)


@pytest.fixture
def place(api):
    for name, moments in MOMENTS.items():
        api.register(f"data/{name}")
        due, late, dormant = map(hour, moments)
        Asset.objects.filter(asset_id=name).update(due_at=due, late_at=late, dormant_at=dormant)
    return {
        "perimeter": Perimeter.objects.get().pk,
        "project": Project.objects.get().name,
        "key": Branch.objects.get().key,
    }


def state_at(at, names=MOMENTS):
    return [sum(moment is not None and hour(moment) <= at for moment in MOMENTS[name]) for name in names]


def times():
    return [hour(number) + timedelta(minutes=more) for number in range(-1, 9) for more in (-1, 0, 1)]


@pytest.mark.parametrize(
    ("marks", "where", "names"),
    [(ASSETS_OF_BRANCH, {}, tuple(MOMENTS)), (ASSET, {"kind": "data", "asset_id": "b", "number": None}, "b")],
)
def test_the_tag_changes_when_a_state_does_and_only_then(place, marks, where, names):
    told = [(marks._statement.one(**place, **where, now=at), state_at(at, names)) for at in times()]
    wrong = [(one, other) for one, other in pairwise(told) if (one[0] == other[0]) != (one[1] == other[1])]
    assert wrong == []
    assert len({str(one) for one, _ in told}) > 3


@pytest.mark.parametrize("marks", [HOME, LINEAGE, ATTENTION])
def test_what_becomes_late_anywhere_changes_the_tags_of_pages_of_everything(place, marks):
    told = [(marks._statement.one(now=at), [count > 1 for count in state_at(at)]) for at in times()]
    assert [other for one, other in pairwise(told) if (one[0] == other[0]) != (one[1] == other[1])] == []


@pytest.mark.parametrize("marks", [HOME, LINEAGE, ATTENTION])
def test_so_does_that_it_was_told_and_that_it_is_dormant(place, marks):
    Asset.objects.exclude(asset_id="a").update(deleted_at=START)
    with connection.cursor() as cursor:  # by an earlier transaction
        cursor.execute("UPDATE catalog_asset SET changed = 1")
        cursor.execute("UPDATE catalog_attention SET changed = 1")
    before = marks._statement.one(now=hour(1))
    tell_lates(now=hour(2))
    late = marks._statement.one(now=hour(2))
    assert before not in (late, marks._statement.one(now=hour(3)))
    assert late != marks._statement.one(now=hour(3))


@pytest.mark.parametrize("marks", [ATTENTION, ATTENTION_OF_BRANCH])
def test_what_needs_no_attention_any_more_changes_the_tag(place, marks):
    branch, now = Asset.objects.first().branch, timezone.now()
    where = place if marks.found.sql else {}
    for name in "ab":
        Attention.objects.create(
            kind=AttentionKind.MISSED,
            subject=name,
            perimeter=branch.project.perimeter,
            branch=branch,
            since=now,
            until=now + timedelta(days=1) if name == "a" else None,
        )
    before = marks._statement.one(**where, now=now)
    assert marks._statement.one(**where, now=now + timedelta(days=2)) != before
    Attention.objects.get(subject="a").delete()
    assert marks._statement.one(**where, now=now) != before


@pytest.mark.parametrize("moment", ["due_at", "late_at"])
def test_one_look_into_an_index_tells_the_last_moment_that_has_passed(place, moment):
    sql = f"SELECT MAX({moment}) FROM catalog_asset WHERE branch_id = 1 AND deleted_at IS NULL AND {moment} <= %s"
    with connection.cursor() as cursor:
        if POSTGRES:
            cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(f"EXPLAIN {'' if POSTGRES else 'QUERY PLAN '}{sql}", [str(START)])
        plan = str(cursor.fetchall())
    assert {"due_at": "assets_by_due", "late_at": "assets_by_lateness"}[moment] in plan
