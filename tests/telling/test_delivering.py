"""Deliveries: in order for each asset, tried again, set aside after an hour, given up after a day."""

import random
from datetime import timedelta

import pytest
from django.db import transaction

from catalog.attention import SETTLED
from catalog.models import Attention, Delivery, DeliveryTry, Webhook
from catalog.states import DeliveryState
from telling import backoff
from telling.backoff import WAITS, after_failure
from telling.delivering import AT_ONCE, AT_ONCE_OF_ONE, Busy, claim, record
from telling.sending import Answer
from telling.sorting import sort_some
from tests.lanes import worlds
from tests.telling.worlds import BEGIN, SECOND, World

pytestmark = [pytest.mark.both, pytest.mark.django_db]
OK, ERROR, GONE, NOTHING = Answer(200, "ok"), Answer(500, "no"), Answer(410), Answer(error="Nothing listens there.")
MESSAGES = 6
HOURS = (*range(7), 9, 17, 41)
"""When a delivery that always fails is due, of full hours."""
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def world(db, monkeypatch):
    monkeypatch.setattr(backoff, "JITTER", 0)
    return World()


def numbers(claimed):
    return [one.delivery.message.body["number"] for one in claimed]


def turn(now, answer):
    """One worker's turn; what it sent."""
    claimed = claim(now)
    record([(one, now, answer) for one in claimed])
    return numbers(claimed)


def states():
    return [row.state for row in Delivery.objects.order_by("pk")]


def needing():
    return [row.facts["why"] for row in Attention.objects.exclude(fingerprint=SETTLED)]


class TestOrder:
    def test_the_next_of_an_asset_waits_for_the_one_before_and_others_do_not(self, world):
        world.webhook()
        one, two = world.asset("one"), world.asset("two")
        for asset in (one, one, two, None, one, None):
            world.message(asset)
        sort_some(BEGIN)
        assert turn(BEGIN, ERROR) == [1, 3, 4]
        assert turn(BEGIN, OK) == []
        assert turn(BEGIN + 6 * SECOND, OK) == [1]
        assert turn(BEGIN + 6 * SECOND, OK) == [2, 3, 4]

    def test_what_is_under_way_is_nobody_elses_until_its_time_is_over(self, world):
        world.webhook()
        asset = world.asset()
        world.message(asset)
        world.message(asset)
        sort_some(BEGIN)
        killed = claim(BEGIN)
        assert numbers(killed) == [1]
        assert claim(BEGIN + 29 * SECOND) == []
        again = claim(BEGIN + 32 * SECOND)
        assert numbers(again) == [1]
        record([(killed[0], BEGIN + 33 * SECOND, ERROR)])  # it was not dead after all, and too late
        assert DeliveryTry.objects.count() == 0
        record([(again[0], BEGIN + 33 * SECOND, OK)])
        record([(again[0], BEGIN + 33 * SECOND, OK)])
        assert DeliveryTry.objects.count() == 1
        assert states() == [DeliveryState.DELIVERED, DeliveryState.WAITING]

    def test_a_webhook_that_is_off_gets_nothing_and_goes_on_when_it_is_on(self, world):
        webhook = world.webhook()
        world.message()
        sort_some(BEGIN)
        Webhook.objects.update(off_at=BEGIN)
        assert claim(BEGIN) == []
        Webhook.objects.update(off_at=None)
        assert turn(BEGIN, OK) == [1]
        assert webhook.deliveries.get().done_at == BEGIN


class TestFairness:
    def test_each_webhook_has_a_part_and_one_that_fails_a_small_one(self, world):
        webhooks = [world.webhook() for _ in range(4)]
        assets = [world.asset(str(number)) for number in range(20)]
        for asset in assets:
            world.message(asset)
        sort_some(BEGIN)
        Webhook.objects.filter(pk=webhooks[0].pk).update(failing_since=BEGIN)
        claimed = [one.webhook.pk for one in claim(BEGIN)]
        assert [claimed.count(one.pk) for one in webhooks] == [1, 4, 4, 4]  # a quarter of 16 each
        Delivery.objects.filter(webhook__in=webhooks[2:]).delete()
        busy = Busy({webhooks[1].pk: 4, webhooks[2].pk: 4}, 0)
        claimed = [one.webhook.pk for one in claim(BEGIN, busy)]
        assert [claimed.count(one.pk) for one in webhooks] == [1, AT_ONCE_OF_ONE - 4, 0, 0]

    def test_those_that_fail_leave_room_for_others(self, world):
        for _ in range(AT_ONCE):
            world.webhook(failing_since=BEGIN)
        good = world.webhook()
        for number in range(3):
            world.message(world.asset(str(number)))
        sort_some(BEGIN)
        claimed = [one.webhook.pk for one in claim(BEGIN)]
        assert claimed.count(good.pk) == 1
        assert len(claimed) == AT_ONCE // 2 + 1
        assert claim(BEGIN, Busy({good.pk: AT_ONCE}, 0)) == []
        assert claim(BEGIN, Busy({good.pk: AT_ONCE_OF_ONE}, AT_ONCE // 2)) == []


class TestFailing:
    def test_the_waits_grow_to_a_day(self, monkeypatch):
        monkeypatch.setattr(backoff, "JITTER", 0)
        now, failures, found = BEGIN, 0, []
        while True:
            failures += 1
            then = after_failure(failures, BEGIN, now)
            found.append((round((now - BEGIN).total_seconds()), then.state))
            if then.state == DeliveryState.GIVEN_UP:
                break
            now = then.at
        assert len(found) == len(WAITS) + 1
        assert [at for at, _ in found] == [0, 5, 35, 155, 755, 2555, 3600, 14400, 43200, 129600]
        assert [state for _, state in found] == ["waiting"] * 6 + ["aside"] * 3 + ["given up"]

    def test_the_waits_are_not_all_the_same(self):
        assert len({after_failure(1, BEGIN, BEGIN).at for _ in range(20)}) > 1

    def test_after_an_hour_it_is_set_aside_and_said_and_the_next_go_on(self, world):
        webhook = world.webhook(name="our hook")
        asset = world.asset()
        for _ in range(3):
            world.message(asset)
        sort_some(BEGIN)
        now = BEGIN
        while Delivery.objects.filter(state=DeliveryState.SET_ASIDE).count() == 0:
            assert turn(now, ERROR) in ([1], [])
            now += SECOND if now < BEGIN + 10 * SECOND else timedelta(minutes=5)
        assert BEGIN + HOUR <= now < BEGIN + HOUR + timedelta(minutes=6)
        assert needing() == ["A message could not be delivered for an hour."]
        assert Attention.objects.get().subject == f"webhook:{webhook.pk}"
        assert turn(now, OK) == [2]
        assert turn(now, OK) == [3]
        assert len(needing()) == 1
        assert turn(now + 4 * HOUR, OK) == [1]
        assert needing() == []
        assert states() == [DeliveryState.DELIVERED] * 3

    def test_after_the_try_a_day_later_it_is_given_up_and_the_webhook_is_off(self, world):
        webhook = world.webhook()
        world.message(world.asset())
        sort_some(BEGIN)
        tries = 0
        for hour in HOURS:
            tries += len(turn(BEGIN + hour * HOUR, NOTHING))
        assert tries == len(WAITS) + 1
        assert states() == [DeliveryState.GIVEN_UP]
        webhook.refresh_from_db()
        assert not webhook.is_on
        assert webhook.off_why == "Nothing could be delivered for more than a day."
        assert needing() == [webhook.off_why]

    def test_one_message_that_is_never_taken_does_not_switch_off_what_works(self, world):
        world.webhook()
        bad, good = world.asset("bad"), world.asset("good")
        world.message(bad)
        for hour in HOURS:
            world.message(good)
            sort_some(BEGIN)
            now = BEGIN + hour * HOUR
            claimed = claim(now)
            record([(one, now, ERROR if one.delivery.asset_id == bad.pk else OK) for one in claimed])
        assert Webhook.objects.get().is_on
        assert states()[0] == DeliveryState.GIVEN_UP
        assert needing() == ["A message was given up, as every try of it has failed; others arrive."]

    def test_410_switches_it_off_at_once(self, world):
        world.webhook()
        world.message()
        world.message()
        sort_some(BEGIN)
        assert turn(BEGIN, GONE) == [1]
        assert Webhook.objects.get().off_why == "The receiver answered 410: it wants no more messages."
        assert states() == [DeliveryState.GIVEN_UP, DeliveryState.WAITING]
        assert claim(BEGIN + DAY) == []

    def test_a_secret_that_can_not_be_read_switches_it_off(self, world, settings):
        world.webhook()
        world.message()
        sort_some(BEGIN)
        settings.SECRET_KEY = "another"
        assert claim(BEGIN) == []
        assert "can't be decrypted" in Webhook.objects.get().off_why
        assert needing() == [Webhook.objects.get().off_why]
        assert states() == [DeliveryState.WAITING]

    def test_the_log_has_each_try_with_no_more_of_an_answer_than_is_useful(self, world):
        world.webhook()
        world.message()
        sort_some(BEGIN)
        turn(BEGIN, Answer(500, "x" * 60_000, "", 0.25))
        turn(BEGIN + 9 * SECOND, NOTHING)
        tries = [(row.status, len(row.answer), row.error, row.seconds) for row in DeliveryTry.objects.order_by("pk")]
        assert tries == [(500, 4000, "", 0.25), (None, 0, "Nothing listens there.", 0)]


@pytest.mark.slow
@pytest.mark.parametrize("seed", worlds(range(20)))
def test_workers_that_are_killed_at_any_moment_lose_nothing_and_break_no_order(world, seed):
    """Writes, sorting, claims, sendings and records of three workers in any order, each of which may be the last of its
    worker; the receiver refuses every third. In the end each message was taken at least once, and recorded once."""
    chance = random.Random(seed)
    world.webhook()
    assets = [world.asset(str(number)) for number in range(3)]
    got, workers, now, left = [], [[], [], []], BEGIN + SECOND, MESSAGES

    def killed():
        return chance.random() < 0.08

    def in_transaction(act, *given):
        """What is killed within a transaction has not happened."""
        try:
            with transaction.atomic():
                found = act(*given)
                if killed():
                    raise InterruptedError
                return found
        except InterruptedError:
            return None

    while left or Delivery.objects.filter(state=DeliveryState.DELIVERED).count() < MESSAGES:
        now += chance.choice([0, 1, 8]) * SECOND
        which = chance.randrange(3)
        holds = workers[which]
        match chance.choice(["write", "sort", "claim", "send", "send", "record"]):
            case "write" if left:
                left -= 1
                world.message(chance.choice(assets), created_at=now)
            case "sort":
                in_transaction(sort_some, now, 3)
            case "claim" if not holds:
                holds += [[one, now, None] for one in in_transaction(claim, now) or []]
            case "send":
                for one in holds:
                    if one[2] is None and now + 10 * SECOND <= one[0].until:
                        one[2] = ERROR if chance.random() < 0.33 else OK
                        got += [(one[0].delivery.asset_id, one[0].delivery.message_id)] if one[2].is_taken else []
                        break
            case "record":
                done = [one for one in holds if one[2]]
                in_transaction(record, [(one, at, answer) for one, at, answer in done])
                holds[:] = [one for one in holds if not one[2]]
        if killed():
            holds.clear()
    for asset in assets:
        order = [message for pk, message in got if pk == asset.pk]
        assert order == sorted(order)
    assert {message for _, message in got} == set(Delivery.objects.values_list("message", flat=True))
    assert Delivery.objects.count() == MESSAGES
    taken = DeliveryTry.objects.filter(status=200).values_list("delivery", flat=True)
    assert sorted(taken) == sorted(Delivery.objects.values_list("pk", flat=True))
