"""Workers: from the outbox to a receiver in this process, and the jobs that do it."""

import ipaddress
import json
import threading
import time

import pytest
from django.db import IntegrityError, connection, connections
from standardwebhooks import Webhook

from catalog.models import Delivery, DeliveryTry, Lease
from catalog.reconciling.lease import HeldLease, LeaseTaken
from catalog.reconciling.progress import Stopped
from catalog.states import DeliveryState
from telling.sorting import sort_some
from telling.working import LEASE, deliver
from tests.telling.receivers import listening, receiver
from tests.telling.worlds import World

pytestmark = [pytest.mark.both, pytest.mark.django_db]


@pytest.fixture
def world(settings):
    settings.WEBHOOK_NETWORKS = [ipaddress.ip_network("127.0.0.0/8")]
    return World()


@pytest.fixture
def got():
    with receiver() as kept:
        yield kept


def test_a_receiver_gets_each_event_once_in_order_with_a_valid_signature(world, got):
    world.webhook(got.url)
    assets = [world.asset(str(number)) for number in range(3)]
    sent = [world.message(assets[number % 3]) for number in range(12)]
    assert deliver() == "12 messages delivered"
    assert deliver() == ""
    assert sorted(got.ids) == sorted(message.uid for message in sent)
    bodies = [Webhook(world.secret).verify(body.decode(), headers) for headers, body in got.got]
    for first in range(3):
        numbers = [body["data"]["number"] for body in bodies if body["data"]["number"] % 3 == first]
        assert numbers == sorted(numbers)
    assert bodies[0].keys() == {"type", "timestamp", "data"}
    assert bodies[0]["timestamp"] == "2026-03-02T12:00:00Z"
    headers = got.got[0][0]
    assert headers["user-agent"].startswith("assetsite/")
    assert headers["content-type"] == "application/json"
    assert set(DeliveryTry.objects.values_list("status", flat=True)) == {204}
    assert not Lease.objects.exclude(holder="").exists()


def test_what_is_refused_is_tried_again_with_the_same_id_and_body(world, got):
    world.webhook(got.url)
    world.message()
    got.answers = lambda headers, body: (503, b"later") if len(got.got) == 0 else (204, b"")
    assert deliver() == ""
    Delivery.objects.update(next_at=Delivery.objects.get().message.created_at)
    assert deliver() == "1 message delivered"
    (first, body), (second, same) = got.got
    assert first["webhook-id"] == second["webhook-id"]
    assert body == same
    assert [row.status for row in DeliveryTry.objects.order_by("pk")] == [503, 204]
    assert DeliveryTry.objects.order_by("pk")[0].answer == "later"


def test_a_receiver_that_hangs_does_not_hold_up_others(world, got):
    ended = threading.Event()
    with listening(lambda connection: ended.wait(5)) as port:
        world.webhook(f"http://127.0.0.1:{port}/")
        world.webhook(got.url)
        for number in range(6):
            world.message(world.asset(str(number)))
        assert deliver(seconds=0.6) == "6 messages delivered"
        ended.set()
    tries = DeliveryTry.objects.order_by("pk")
    assert [row.status for row in tries] == [204] * 6 + [None] * 6
    assert {row.error for row in tries if row.status is None} == {"It did not answer within 0.6 seconds."}
    assert Delivery.objects.filter(state=DeliveryState.WAITING).count() == 6


def test_a_name_that_is_asked_for_too_long_counts_as_no_answer(world, got, monkeypatch):
    hangs = threading.Event()
    monkeypatch.setattr("telling.working.GRACE", 0)
    monkeypatch.setattr("telling.networks.socket.getaddrinfo", lambda *_, **__: hangs.wait(5) and [])
    world.webhook("http://hooks.example.com/")
    world.message()
    assert deliver(seconds=0.05) == ""
    hangs.set()
    assert DeliveryTry.objects.get().error == "It did not answer within 0.05 seconds."


def test_on_sqlite_one_process_delivers(world):
    held = HeldLease(LEASE)
    assert deliver() == ""  # where nothing is to be done nobody is asked
    world.message()
    if connection.vendor == "sqlite":
        with pytest.raises(LeaseTaken):
            deliver()
    held.release()
    assert deliver() == ""


def test_what_can_not_be_sorted_holds_up_nothing_that_is(world, got, monkeypatch):
    def fails():
        raise IntegrityError

    world.webhook(got.url)
    for _ in range(3):
        world.message()
    sort_some()
    monkeypatch.setattr("telling.working.sort_some", fails)
    with pytest.raises(IntegrityError):
        deliver()
    assert len(got.got) == 3
    assert set(Delivery.objects.values_list("state", flat=True)) == {DeliveryState.DELIVERED}


def test_it_ends_when_it_should_stop_and_the_next_goes_on(world, got):
    world.webhook(got.url)
    world.message()
    with pytest.raises(Stopped):
        deliver(should_stop=lambda: True)
    assert got.got == []
    assert deliver() == "1 message delivered"


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_workers_together_keep_the_order_and_send_nothing_twice(world, got):
    """On SQLite one alone does it."""
    world.webhook(got.url)
    assets = [world.asset(str(number)) for number in range(5)]
    for number in range(100):
        world.message(assets[number % 5])

    def work():
        while Delivery.objects.filter(state=DeliveryState.DELIVERED).count() < 100:
            deliver()

    def work_beside():
        try:
            work()
        finally:
            connections.close_all()

    beside = [threading.Thread(target=work_beside) for _ in range(0 if connection.vendor == "sqlite" else 2)]
    for one in beside:
        one.start()
    work()
    for one in beside:
        one.join(60)
    numbers = [json.loads(body)["data"]["number"] for _, body in got.got]
    assert sorted(numbers) == list(range(1, 101))
    for first in range(5):
        of_asset = [number for number in numbers if number % 5 == first]
        assert of_asset == sorted(of_asset)


@pytest.mark.long
def test_a_thousand_messages_take_less_than_half_a_minute(world, got):
    world.webhook(got.url)
    assets = [world.asset(str(number)) for number in range(20)]
    for number in range(1000):
        world.message(assets[number % 20])
    began = time.process_time()
    assert deliver() == "1,000 messages delivered"
    assert time.process_time() - began < 15  # of this process and the receiver, whatever else the machine does
    assert len(got.got) == 1000
