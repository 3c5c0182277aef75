"""Whose address it is: the connection's, or what a trusted proxy has added."""

import pytest
from django.test import RequestFactory

from access.addresses import address_of, place_of


def asked(remote: str = "10.0.0.1", forwarded: str = ""):
    headers = {"HTTP_X_FORWARDED_FOR": forwarded} if forwarded else {}
    return RequestFactory().get("/", REMOTE_ADDR=remote, **headers)


def test_without_a_proxy_the_header_is_what_anybody_says(settings):
    settings.TRUST_PROXY = False
    assert address_of(asked(forwarded="192.0.2.7")) == "10.0.0.1"


@pytest.mark.parametrize(
    ("forwarded", "address"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("6.6.6.6, 127.0.0.1,192.0.2.7", "192.0.2.7"),  # what the client says comes first
        ("192.0.2.7:51234", "192.0.2.7"),
        ("[2001:DB8::7]:443", "2001:db8::7"),
        ("2001:db8:0:0::7", "2001:db8::7"),
        ("fe80::1%eth0", "fe80::1"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("unknown", "10.0.0.1"),
        ("192.0.2.7, ", "10.0.0.1"),
        ("192.0.2.7'; --", "10.0.0.1"),
        ("", "10.0.0.1"),
    ],
)
def test_behind_a_proxy_it_is_what_the_proxy_has_added(settings, forwarded, address):
    settings.TRUST_PROXY = True
    assert address_of(asked(forwarded=forwarded)) == address


def test_where_nothing_is_known_it_is_empty():
    assert address_of(asked(remote="")) == place_of(asked(remote="")) == ""


def test_all_addresses_of_an_ipv6_network_are_one_place():
    assert place_of(asked(remote="192.0.2.7")) == "192.0.2.7"
    assert place_of(asked(remote="2001:db8:1:2:3::7")) == place_of(asked(remote="2001:db8:1:2::")) == "2001:db8:1:2::"
    assert place_of(asked(remote="2001:db8:1:3::7")) == "2001:db8:1:3::"
