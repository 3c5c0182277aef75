"""Late instances are numbered as they arrive, and are `latest` only if nothing was made after them."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from access.models import Perimeter
from catalog.counters import Recount
from catalog.entities import Entity
from catalog.models import Asset, Edge, Instance, Promotion
from catalog.recording import AssetAddress, BranchAddress, Registration, confirm, consume, register
from tests.catalog.wire import PERIMETER

pytestmark = pytest.mark.both

TASK = Entity("task", "ComicData/1/start/1")
HOUR = timedelta(hours=1)


@pytest.fixture
def now(db):
    return timezone.now()


def made(asset_id="xkcd", *, entity=TASK, when=None, number=None, uid="", **what):
    perimeter, _ = Perimeter.objects.get_or_create(name="default")
    at = AssetAddress(BranchAddress(perimeter, "churn", "main"), "data", asset_id)
    what = Registration("artifact", **what)
    return register(actor="reconcile", at=at, entity=entity, what=what, when=when, number=number, uid=uid)


def asset(asset_id="xkcd"):
    return Asset.objects.select_related("newest", "newest_ready").get(asset_id=asset_id)


def recount_finds_nothing():
    return Recount().run().corrections == []


def test_what_was_made_earlier_does_not_become_latest(now, api):
    made(when=now - HOUR)
    late = made(when=now - 2 * HOUR)
    assert (late.ref, late.created_at) == ("v2", now - 2 * HOUR)
    assert asset().newest.ref == asset().newest_ready.ref == "v1"
    assert asset().refreshed_at == now - HOUR
    assert [api.get(f"data/xkcd/instances/{name}").data["ref"] for name in ("latest", "latest-1")] == ["v1", "v2"]
    assert recount_finds_nothing()


def test_the_next_one_is_latest_and_numbered_behind_what_came_late(now, api):
    made(when=now - HOUR)
    made(when=now - 2 * HOUR)
    assert api.register()["ref"] == "v3"
    assert api.get("data/xkcd/instances/latest").data["ref"] == "v3"
    assert api.get("data/xkcd/instances/latest-2").data["ref"] == "v2"


def test_latest_of_several_states_is_by_time_too(now, api):
    made(when=now - HOUR, state="pending")
    made(when=now - 2 * HOUR)
    found = [api.get(f"data/xkcd/instances/latest-{n}?state=any") for n in (0, 1)]
    assert [answer.data["ref"] for answer in found] == ["v1", "v2"]


def test_what_came_late_is_the_newest_ready_one_while_a_later_one_is_pending(now):
    made(when=now - HOUR, state="pending", attempt=0)
    made(when=now - 2 * HOUR, entity=Entity("user", "ada"))
    assert (asset().newest.ref, asset().newest_ready.ref) == ("v1", "v2")
    confirm(actor="eve", perimeter=Perimeter.objects.get(), entity=TASK, attempt=0, state="ready", reason="", uids=[])
    assert asset().newest_ready.ref == "v1"
    assert recount_finds_nothing()


def test_a_number_that_was_given_out_already_is_kept_and_order_is_by_time(now):
    made(when=now - HOUR, number=3)
    assert made(when=now - 2 * HOUR, number=1).number == 1
    assert asset().last_number == 3
    assert made(when=now - HOUR / 2, number=2).number == 2
    assert asset().newest_ready.ref == "v2"
    assert made().number == 4
    assert recount_finds_nothing()


@pytest.mark.parametrize("when", [datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC)])
def test_a_clock_that_is_far_wrong_is_not_believed(now, when):
    assert datetime(2000, 1, 1, tzinfo=UTC) <= made(when=when).created_at <= timezone.now()


def test_what_arrives_in_time_is_latest_whatever_the_clocks_of_several_servers_say(now, api):
    ahead = now + HOUR
    made()
    Instance.objects.update(created_at=ahead)
    Edge.objects.update(first_at=ahead, last_at=ahead)
    Asset.objects.update(newest_at=ahead)
    assert api.register()["ref"] == api.get("data/xkcd/instances/latest").data["ref"] == "v2"
    assert recount_finds_nothing()


def test_edges_and_promotions_know_their_first_and_last_in_time(now):
    other = Entity("task", "ComicData/2/start/1")
    source = made("source", when=now - 5 * HOUR)
    origin = {"promoted_from_instance": source.uid}
    for hours, entity in ((2, TASK), (3, other), (1, TASK)):
        made(when=now - hours * HOUR, entity=entity)
        made("copy", when=now - hours * HOUR, entity=entity, annotations=origin)
    edge = Edge.objects.get(asset__asset_id="xkcd")
    assert (edge.count, edge.first_at, edge.last_at) == (3, now - 3 * HOUR, now - HOUR)
    assert edge.last_instance.ref == "v3"
    promotion = Promotion.objects.get()
    assert (promotion.count, promotion.first_at, promotion.last_at) == (3, now - 3 * HOUR, now - HOUR)
    assert recount_finds_nothing()


def test_a_late_consumption_is_counted_where_it_belongs_in_time(now):
    instance = made(when=now - 5 * HOUR)
    for hours in (2, 3, 1):
        reader = Entity("task", f"Reader/{hours}/start/1")
        consume(
            actor="reconcile", asset=instance.asset, instance=instance, reference="latest", entity=reader,
            when=now - hours * HOUR,
        )  # fmt: skip
    edge = Edge.objects.get(direction="consumes")
    assert (edge.count, edge.first_at, edge.last_at) == (3, now - 3 * HOUR, now - HOUR)
    assert edge.last_entity_id == "Reader/1/start/1"
    assert recount_finds_nothing()


def test_an_attempt_that_arrives_after_a_higher_one_has_failed(now):
    made(when=now - HOUR, attempt=1, state="pending")
    assert made(when=now - 2 * HOUR, attempt=0, state="pending").state == "failed"
    assert recount_finds_nothing()


def settle(api, state="ready", **more):
    body = {"entity_ref": {"entity_kind": TASK.kind, "entity_id": TASK.id}, "state": state, "attempt": 0}
    return api.post(f"{PERIMETER}/confirmations", body | more).data["confirmed"]


@pytest.mark.parametrize(("reason", "state"), [("the task was lost: no sign", "ready"), ("it failed", "failed")])
def test_a_task_that_seemed_lost_is_believed_when_it_says_how_it_ended(now, api, reason, state):
    lost = made(attempt=0, state="pending")
    confirm(
        actor="reconcile", perimeter=Perimeter.objects.get(), entity=TASK, attempt=0, state="failed", reason=reason,
        uids=[lost.uid], when=now - HOUR,
    )  # fmt: skip
    (line,) = settle(api)
    assert line["state"] == state
    assert (asset().newest_ready is not None) == (state == "ready")
    assert recount_finds_nothing()
