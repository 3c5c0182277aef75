"""Off, learning, fresh, due, late, dormant: `catalog.freshness.state`, in Python and in SQL."""

from datetime import UTC, datetime, timedelta
from itertools import product

import pytest
from django.utils import timezone

from access.models import Perimeter
from catalog.freshness.state import freshness_of, is_late, next_change, sql_state
from catalog.models import Asset, Branch, Project
from catalog.states import Freshness, Watch

DUE = datetime(2026, 11, 30, 6, tzinfo=UTC)
LATE, DORMANT = DUE + timedelta(hours=6), DUE + timedelta(days=14)
MOMENT, HOUR = timedelta(microseconds=1), timedelta(hours=1)
IN_ORDER = [Freshness.FRESH, Freshness.DUE, Freshness.LATE, Freshness.DORMANT]


@pytest.mark.parametrize(
    ("now", "state", "change"),
    [
        (DUE - MOMENT, Freshness.FRESH, DUE),
        (DUE, Freshness.DUE, LATE),
        (LATE - MOMENT, Freshness.DUE, LATE),
        (LATE, Freshness.LATE, DORMANT),
        (DORMANT - MOMENT, Freshness.LATE, DORMANT),
        (DORMANT, Freshness.DORMANT, None),
    ],
)
@pytest.mark.parametrize("watch", [Watch.LEARNED, Watch.DECLARED])
def test_a_moment_belongs_to_what_begins_with_it(watch, now, state, change):
    assert freshness_of(watch, DUE, LATE, DORMANT, now) == state
    assert next_change(watch, DUE, LATE, DORMANT, now) == change


def test_where_nothing_is_expected():
    assert freshness_of(Watch.OFF, DUE, LATE, DORMANT, LATE) == Freshness.OFF
    assert freshness_of(Watch.DECLARED, None, None, None, LATE) == Freshness.OFF
    assert freshness_of(Watch.LEARNING, None, None, None, LATE) == Freshness.LEARNING
    assert freshness_of("of a later version", DUE, LATE, DORMANT, LATE) == Freshness.OFF
    assert next_change(Watch.OFF, DUE, LATE, DORMANT, DUE - MOMENT) is None


@pytest.mark.both
def test_sql_says_the_same(db):
    now = timezone.now()
    perimeter = Perimeter.objects.create(name="default")
    project = Project.objects.create(perimeter=perimeter, name="churn", created_at=now)
    branch = Branch.objects.create(project=project, key="main", created_at=now)
    moments = [None, now - 2 * HOUR, now - HOUR, now, now + HOUR]
    kept = [
        dict(zip(("watch", "due_at", "late_at", "dormant_at"), row, strict=True))
        for row in product(Watch.values, moments, moments, moments)
    ]
    Asset.objects.bulk_create(
        Asset(branch=branch, kind="data", asset_id=f"a{number}", created_at=now, **columns)
        for number, columns in enumerate(kept)
    )
    found = list(Asset.objects.annotate(state=sql_state(now)))
    assert len(found) == len(kept)
    for asset in found:
        assert asset.state == freshness_of(asset.watch, asset.due_at, asset.late_at, asset.dormant_at, now)
    late = {asset.pk for asset in found if asset.state == Freshness.LATE}
    assert {asset.pk for asset in Asset.objects.filter(is_late(now))} == late


def test_a_state_never_goes_back_by_itself():
    for first, second, third in product([DUE, LATE, DORMANT], repeat=3):
        nows = [DUE + part * (DORMANT - DUE) / 20 for part in range(-3, 24)]
        states = [IN_ORDER.index(freshness_of(Watch.LEARNED, first, second, third, now)) for now in nows]
        assert states == sorted(states)
