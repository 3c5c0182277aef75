"""Who gets a message: by kind, project, branch and filters; each once, and nobody what was there before them."""

from datetime import UTC, datetime

import pytest
from django.contrib.auth.models import User
from django.db import transaction

from access.models import Membership
from assetsite.public_address import PublicAddress
from catalog.models import Delivery, Message, Subscription
from catalog.states import EventKind
from telling.sorting import is_there_to_sort, sort_some
from tests.telling.worlds import BEGIN, SECOND, World

pytestmark = [pytest.mark.both, pytest.mark.django_db]


@pytest.fixture
def world(settings):
    settings.MODE, settings.LOCAL_MODE = "team", False
    settings.EMAIL_FROM, settings.PUBLIC_ADDRESS = "assets@example.org", PublicAddress.of("https://assets.example.org")
    return World()


def sorted_to(webhook):
    sort_some(BEGIN + 2 * SECOND)
    return [row.message.body["number"] for row in Delivery.objects.filter(webhook=webhook).order_by("pk")]


def test_a_webhook_gets_everything_of_its_perimeter_once_and_in_order(world):
    webhook, other = world.webhook(), World("beta").webhook()
    asset = world.asset()
    for _ in range(3):
        world.message(asset)
    world.message(kind=EventKind.DEPLOYED)
    assert is_there_to_sort()
    assert sorted_to(webhook) == [1, 2, 3, 4]
    assert sorted_to(webhook) == [1, 2, 3, 4]
    assert sorted_to(other) == []
    assert not is_there_to_sort()
    assert not Message.objects.exclude(sorted_at=BEGIN + 2 * SECOND).exists()


def test_some_are_sorted_at_a_time(world):
    world.webhook()
    for _ in range(5):
        world.message()
    assert [sort_some(most=2) for _ in range(4)] == [2, 2, 1, 0]


@pytest.mark.parametrize(
    ("asked", "gets"),
    [
        ({"kinds": ["asset.late"]}, [2]),
        ({"project": "churn"}, [1, 2, 3, 4]),
        ({"project": "other"}, []),
        ({"branch": "main"}, [1, 2]),
        ({"branch": "feature/*"}, [3]),
        ({"branch": "feature_x"}, [3]),
        ({"filters": "text=mod"}, [1, 2, 3]),
        ({"filters": "tag=env=prod"}, [1]),
        ({"filters": "text=model&annotation=auc>=0.9"}, [1]),
        ({"filters": "state=failed"}, []),
        ({"filters": "gone=1"}, []),
        ({"off_at": BEGIN}, []),
        ({"deleted_at": BEGIN}, []),
        ({"created_at": BEGIN + 2 * SECOND}, []),
    ],
)
def test_a_webhook_gets_what_it_asks_for(world, asked, gets):
    webhook = world.webhook(**asked)
    asset, elsewhere = world.asset(), world.asset(branch=world.side)
    facts = {"tags": {"env": "prod"}, "annotations": {"auc": 0.95}}
    version = world.version(asset, **facts)
    world.message(asset, instance_uid=version.uid)
    world.message(asset, EventKind.LATE)
    world.message(elsewhere)
    world.message(branch=None)
    if "project" in asked:
        gets = [number for number in gets if number != 4]
    assert sorted_to(webhook) == gets


@pytest.mark.parametrize("filters", ["gone=1", "tag=a&" * 1001, "text=broken"])
def test_filters_that_can_not_be_asked_hold_up_nobody_else(world, monkeypatch, filters):
    def broken(self):
        raise RuntimeError

    monkeypatch.setattr("catalog.filters.FiltersAsked.on_asset", broken)
    webhook, other = world.webhook(filters=filters), world.webhook()
    asset = world.asset()
    world.message(asset, instance_uid=world.version(asset).uid)
    assert sorted_to(webhook) == []
    assert sorted_to(other) == [1]


def test_what_is_from_the_past_is_told_to_nobody(world):
    webhook = world.webhook()
    world.message(withheld="It had happened long ago.")
    assert sorted_to(webhook) == []
    assert not is_there_to_sort()


def test_who_watches_gets_mail_while_they_may_see_it(world):
    member, former, gone = (
        User.objects.create(username=name, email=f"{name}@example.org") for name in ("member", "former", "gone")
    )
    for user in (member, gone):
        Membership.objects.create(user=user, perimeter=world.perimeter)
    User.objects.filter(pk=gone.pk).update(is_active=False)
    asset, other = world.asset(), world.asset("other")
    about = {"perimeter": world.perimeter, "branch": world.main, "created_at": BEGIN}
    for user in (member, former, gone):
        Subscription.objects.create(user=user, asset=asset, **about)
    of_branch = Subscription.objects.create(user=member, kinds=["asset.late"], **about)
    world.message(asset)
    world.message(other)
    world.message(other, EventKind.LATE)
    sort_some()
    found = Delivery.objects.order_by("pk").values_list("subscription__user__username", "message__body__number")
    assert list(found) == [("member", 1), ("member", 3)]
    assert Delivery.objects.filter(subscription=of_branch).count() == 1


@pytest.mark.parametrize(("setting", "value"), [("EMAIL_FROM", ""), ("PUBLIC_ADDRESS", None), ("LOCAL_MODE", True)])
def test_nobody_gets_mail_where_none_can_be_sent(world, settings, setting, value):
    user = User.objects.create(username="ada", email="ada@example.org", is_superuser=True)
    Subscription.objects.create(user=user, perimeter=world.perimeter, branch=world.main, created_at=BEGIN)
    setattr(settings, setting, value)
    world.message()
    sort_some()
    assert not Delivery.objects.exists()


def test_who_watches_an_asset_and_its_branch_is_told_once(world):
    ada, bob = (User.objects.create(username=name, email="a@b.org", is_superuser=True) for name in ("ada", "bob"))
    User.objects.create(username="no-address", is_superuser=True)
    asset, about = world.asset(), {"perimeter": world.perimeter, "branch": world.main, "created_at": BEGIN}
    for user in User.objects.all():
        Subscription.objects.create(user=user, daily=True, **about)
    Subscription.objects.create(user=ada, asset=asset, kinds=["version.ready"], **about)
    world.project.timezone = "Europe/Berlin"
    world.project.save()
    world.message(asset)
    world.message(asset, EventKind.LATE)
    sort_some(BEGIN)
    found = Delivery.objects.order_by("pk").values_list("message__body__number", "subscription__user__username")
    assert sorted(found) == [(1, "ada"), (1, "bob"), (2, "ada"), (2, "bob")]
    at_once, *daily = Delivery.objects.order_by("next_at")
    assert (at_once.next_at, at_once.subscription.user) == (BEGIN, ada)
    assert {row.next_at for row in daily} == {datetime(2026, 3, 3, 7, tzinfo=UTC)}
    assert bob.subscriptions.count() == 1


def test_what_is_not_committed_was_not_done(world):
    webhook = world.webhook()
    world.message()
    with transaction.atomic():
        assert sort_some() == 1
        transaction.set_rollback(True)
    assert is_there_to_sort()
    assert sorted_to(webhook) == [1]
