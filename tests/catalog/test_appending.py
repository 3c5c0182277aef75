"""The central write: what an asset points to and counts after its instances came in any order, in both spellings."""

from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.utils import timezone

from access.models import Perimeter
from catalog.counters import Recount
from catalog.entities import Entity
from catalog.models import Asset, Edge, Instance
from catalog.recording import AssetAddress, BranchAddress, Registration, appending, confirm, register

pytestmark = [pytest.mark.both, pytest.mark.slow]

SPELLINGS = [appending.in_three_statements]
if connection.vendor == "postgresql":
    SPELLINGS.append(appending.in_one_statement)
NOW = timezone.now()


@pytest.fixture(params=SPELLINGS, ids=lambda write: write.__name__, autouse=True)
def _spelling(request, monkeypatch, db):
    monkeypatch.setitem(appending.WRITES, connection.vendor, request.param)


def ago(minutes: int) -> datetime:
    return NOW - timedelta(minutes=minutes)


def made(minutes: int, state: str = "ready", task: str = "F/1/s/1", **more: object) -> Instance:
    """An instance that was made so many minutes ago, and arrives only now."""
    perimeter, _ = Perimeter.objects.get_or_create(name="default")
    numbered = {"number": more.pop("number")} if "number" in more else {}
    return register(
        actor="ada",
        at=AssetAddress(BranchAddress(perimeter, "churn", "main"), "data", "xkcd"),
        entity=Entity("task", task),
        what=Registration("artifact", state=state, **more),
        when=ago(minutes),
        **numbered,
    )


def settle(state: str, **of: object) -> None:
    perimeter = Perimeter.objects.get()
    entity = Entity("task", "F/1/s/1")
    said = {"reason": "", "uids": [], "attempt": None} | of
    confirm(actor="ada", perimeter=perimeter, entity=entity, state=state, **said)


def in_turn() -> None:
    made(3)
    made(2)


def pending() -> None:
    made(3)
    made(2, "pending")


def failed() -> None:
    made(3)
    made(2, "failed")


def settled_ready() -> None:
    made(3)
    made(2, "pending")
    settle("ready")


def settled_ready_beneath_a_later_one() -> None:
    made(3, "pending")
    made(2, task="F/2/s/1")
    settle("ready")


def late() -> None:
    made(1)
    made(3)


def late_between() -> None:
    made(3)
    made(1)
    made(2)


def late_while_the_newest_is_pending() -> None:
    made(1, "pending")
    made(3)


def late_and_pending() -> None:
    made(2)
    made(3, "pending")
    settle("ready")


def of_equal_times() -> None:
    made(2)
    made(2)


def of_equal_times_and_a_lower_number() -> None:
    made(2, number=5)
    made(2, number=4)


def with_a_number_given_out_before() -> None:
    made(3, number=3)
    made(2, number=2)


def superseded() -> None:
    made(3, task="Other/1/s/1")
    made(2, attempt=0)
    made(1, attempt=1)
    settle("ready", attempt=1)


def of_an_attempt_that_was_superseded_before() -> None:
    made(2, attempt=1)
    made(1, attempt=0)


CASES = {
    # newest, newest ready, last number, how many ready
    in_turn: ("v2", "v2", 2, 2),
    pending: ("v2", "v1", 2, 1),
    failed: ("v2", "v1", 2, 1),
    settled_ready: ("v2", "v2", 2, 2),
    settled_ready_beneath_a_later_one: ("v2", "v2", 2, 2),
    late: ("v1", "v1", 2, 2),
    late_between: ("v2", "v2", 3, 3),
    late_while_the_newest_is_pending: ("v1", "v2", 2, 1),
    late_and_pending: ("v1", "v1", 2, 2),
    of_equal_times: ("v2", "v2", 2, 2),
    of_equal_times_and_a_lower_number: ("v5", "v5", 5, 2),
    with_a_number_given_out_before: ("v2", "v2", 3, 2),
    superseded: ("v3", "v3", 3, 2),
    of_an_attempt_that_was_superseded_before: ("v2", "v1", 2, 1),
}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
def test_an_asset_points_to_the_last_in_time(case):
    case()
    asset = Asset.objects.select_related("newest", "newest_ready").get()
    assert (asset.newest.ref, asset.newest_ready.ref, asset.last_number, asset.ready_count) == CASES[case]
    assert asset.newest_at == asset.newest.created_at
    assert asset.refreshed_at == asset.newest_ready.settled_at
    assert Instance.objects.of(asset).latest_first().first() == asset.newest
    assert Recount().run().corrections == []


def test_the_edge_of_the_producer_knows_its_first_and_last():
    for minutes in (2, 3, 1, 2):
        made(minutes, task=f"F/{minutes}/s/1")
    edge = Edge.objects.get()
    assert (edge.count, edge.first_at, edge.last_at) == (4, ago(3), ago(1))
    assert (edge.last_entity_id, edge.last_instance.ref) == ("F/1/s/1", "v3")


def test_what_is_answered_is_what_was_written():
    made(2)
    instance = made(1)
    instance.asset.refresh_from_db()
    assert instance.asset.newest == instance.asset.newest_ready == instance == Instance.objects.get(number=2)
    assert not instance._state.adding
