"""The jobs of telling: what is old goes, and how late it is is said to who probes."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from catalog.models import Delivery, DeliveryTry, Message, Webhook
from catalog.reconciling.progress import Stopped
from catalog.states import DeliveryState
from telling import pruning
from telling.delivering import claim
from telling.kept_secrets import decrypted
from telling.lag import Lag, lag, lag_of_telling
from telling.pruning import prune
from telling.sorting import sort_some
from tests.telling.worlds import BEGIN, SECOND, World

pytestmark = [pytest.mark.both, pytest.mark.django_db]
DAY = timedelta(days=1)


@pytest.fixture
def world(db):
    return World()


def test_what_is_older_than_90_days_goes_in_pieces(world, monkeypatch):
    monkeypatch.setattr(pruning, "PIECE", 2)
    world.webhook()
    for day in range(5):
        world.message(created_at=BEGIN + day * DAY)
    sort_some(BEGIN)
    DeliveryTry.objects.create(delivery=Delivery.objects.order_by("pk")[0], at=BEGIN)
    assert prune(now=BEGIN + 89 * DAY) == ""
    with pytest.raises(Stopped):
        prune(now=BEGIN + 93 * DAY, should_stop=lambda: True)
    assert Message.objects.count() == 3
    assert prune(now=BEGIN + 93 * DAY + SECOND) == "2 messages of long ago deleted"
    assert prune(now=BEGIN + 93 * DAY + SECOND) == ""
    assert [row.message.body["number"] for row in Delivery.objects.all()] == [5]
    assert not DeliveryTry.objects.exists()


def test_an_earlier_key_of_the_site_is_not_needed_for_ever(world, settings):
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "first", []
    webhook, secret = world.webhook(), world.secret
    lost = world.webhook()
    Webhook.objects.filter(pk=lost.pk).update(secret="of a key that nobody has")
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "second", ["first"]
    prune()
    settings.SECRET_KEY_FALLBACKS = []
    kept = Webhook.objects.get(pk=webhook.pk).secret
    assert decrypted(kept) == secret
    prune()
    assert Webhook.objects.get(pk=webhook.pk).secret == kept
    assert Webhook.objects.get(pk=lost.pk).secret == "of a key that nobody has"


def test_the_lag_is_that_of_what_could_be_done_by_now(world):
    world.webhook()
    asset = world.asset()
    assert lag(BEGIN) == Lag(0, 0)
    for _ in range(2):
        world.message(asset)
    assert lag(BEGIN + 61 * SECOND) == Lag(60, 0)
    sort_some(BEGIN)
    assert lag(BEGIN + 400 * SECOND) == Lag(0, 400)
    assert "is late" in lag_of_telling(BEGIN + 400 * SECOND)["warning"]
    Delivery.objects.filter(message__body__number=1).update(next_at=BEGIN + 900 * SECOND)
    assert lag_of_telling(BEGIN + 400 * SECOND) == {"telling_seconds_late": 0}  # the second waits for the first
    Delivery.objects.update(state=DeliveryState.SET_ASIDE)
    assert lag(BEGIN + 400 * SECOND) == Lag(0, 400)
    claim(BEGIN + 400 * SECOND)
    assert lag(BEGIN + 401 * SECOND) == Lag(0, 0)


def test_what_waits_for_a_receiver_that_fails_is_no_lag_of_the_site(world):
    webhook = world.webhook(failing_since=BEGIN)
    world.message()
    sort_some(BEGIN)
    assert lag(BEGIN + 400 * SECOND) == Lag(0, 0)
    Webhook.objects.filter(pk=webhook.pk).update(failing_since=None)
    assert lag(BEGIN + 400 * SECOND) == Lag(0, 400)


def test_a_probe_tells_it(world):
    world.message(created_at=timezone.now() - DAY)
    told = Client().get("/readyz", SERVER_NAME="localhost").json()
    assert 86_400 <= told["telling_seconds_late"] < 86_500
    assert "What was to be told is late" in told["warning"]
