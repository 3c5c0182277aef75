"""What is noted of the use of a token: the last one, and the networks that it came from."""

from datetime import timedelta

import pytest
from django.utils import timezone

from access.models import AuditEntry, Role, Token
from access.token_use import MOST_NETWORKS, network_of, note

HOME, OFFICE, CAFE = "192.0.2.7", "198.51.100.1", "2001:db8:1:2:3::1"
START = timezone.now()


@pytest.fixture
def token(cast):
    return Token.objects.issue(user=cast.eve, perimeter=cast.alpha, role=Role.EDITOR)[0]


def used(token, address, **later):
    """The token after a use from an address, so much later than the first; as the next request finds it."""
    note(token, START + timedelta(**later), address)
    token.refresh_from_db()
    return token


def told():
    """The entries of the audit log about new networks, oldest first."""
    entries = AuditEntry.objects.filter(action="token.new_network").order_by("pk")
    return [(entry.detail["address"], entry.detail["networks"]) for entry in entries]


@pytest.mark.parametrize(
    ("address", "network"),
    [
        (HOME, "192.0.2.0/24"),
        ("127.0.0.1", "127.0.0.0/24"),
        (CAFE, "2001:db8:1:2::/64"),
        ("::1", "::/64"),
        ("", ""),
    ],
)
def test_a_network_is_what_one_place_has(address, network):
    assert network_of(address) == network


def test_use_is_noted_at_most_once_a_minute(token, django_assert_num_queries):
    used(token, HOME)
    assert (token.last_used_at, token.last_used_from) == (START, HOME)
    with django_assert_num_queries(0):
        note(token, START + timedelta(seconds=59), "192.0.2.99")
    with django_assert_num_queries(1):
        note(token, START + timedelta(seconds=61), "192.0.2.99")
    token.refresh_from_db()
    assert (token.last_used_at, token.last_used_from) == (START + timedelta(seconds=61), "192.0.2.99")


def test_of_two_workers_that_saw_the_same_old_use_one_writes(token):
    slower = Token.objects.get(pk=token.pk)
    note(token, START)
    note(slower, START + timedelta(seconds=1))
    assert Token.objects.get(pk=token.pk).last_used_at == START


def test_the_first_network_is_no_news_and_each_later_one_is_told_at_once(token):
    used(token, HOME)
    used(token, "192.0.2.8", minutes=2)  # the same network
    assert told() == []
    used(token, OFFICE, minutes=2, seconds=1)
    assert told() == [(OFFICE, ["198.51.100.0/24"])]
    entry = AuditEntry.objects.latest("pk")
    assert (entry.actor_name, entry.token, entry.target) == (f"eve via token {token}", token, token.prefix)
    assert (entry.actor.username, entry.perimeter_name, entry.detail["user"]) == ("eve", "alpha", "eve")
    used(token, HOME, days=2)
    assert len(told()) == 1


def test_two_workers_tell_of_a_network_once(token):
    used(token, HOME)
    slower = Token.objects.get(pk=token.pk)
    used(token, OFFICE, seconds=1)
    note(slower, START + timedelta(seconds=1), OFFICE)
    assert len(told()) == 1


def test_a_token_of_before_the_upgrade_has_its_first_network_now(token):
    Token.objects.filter(pk=token.pk).update(last_used_at=START - timedelta(days=9))
    token.refresh_from_db()
    used(token, OFFICE)
    assert (told(), list(token.networks)) == ([], ["198.51.100.0/24"])


def test_there_is_one_entry_an_hour_and_it_has_all_that_came_meanwhile(token):
    used(token, HOME)
    used(token, OFFICE, minutes=1)
    used(token, CAFE, minutes=2)
    used(token, "203.0.113.5", minutes=3)
    assert len(told()) == 1
    used(token, HOME, minutes=62)
    assert told()[1:] == [(HOME, ["2001:db8:1:2::/64", "203.0.113.0/24"])]
    used(token, HOME, minutes=200)
    assert len(told()) == 2


def test_runners_with_ever_new_addresses_flood_neither_the_log_nor_the_token(token):
    used(token, HOME)
    noted = {used(token, f"10.0.{second}.1", seconds=second + 1).last_used_at for second in range(180)}
    assert len(noted) <= MOST_NETWORKS + 1 + 3  # while there is room, and then once a minute
    assert len(told()) == 1
    assert len(token.networks) == MOST_NETWORKS


def test_an_address_that_nobody_knows_is_no_network(token):
    used(token, "")
    assert (token.networks, token.last_used_from, token.last_used_at) == ({}, "", START)


def test_a_request_says_where_it_comes_from(client, issue, cast, team):
    secret = issue(cast.eve)
    for address in (HOME, OFFICE):
        assert client.get("/v1/me", headers={"x-api-key": secret}, REMOTE_ADDR=address).status_code == 200
    assert told() == [(OFFICE, ["198.51.100.0/24"])]
    assert Token.objects.get().last_used_from == OFFICE
