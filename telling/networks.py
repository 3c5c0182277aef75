"""Which addresses webhooks may be sent to: those of the internet, and those of networks that the operator allows."""

import ipaddress
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from django.conf import settings
from requests_hardened.ip_filter import EXTRA_BLOCKED_NET_RANGES

from catalog.limits import UNSTORABLE

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
LONGEST_URL = 2048
PORTS = {"http": 80, "https": 443}


class Refused(Exception):
    """Nothing is sent there; why, in a sentence."""


@dataclass(frozen=True)
class Checked:
    """An address to connect to. `is_internal`: because the operator allows its network."""

    address: str
    is_internal: bool


def check_url(url: str) -> None:
    """Refuse what no message could be sent to, as far as that is known without asking for the name."""
    if len(url) > LONGEST_URL:
        raise Refused(f"The address is longer than {LONGEST_URL} characters.")
    if UNSTORABLE.search(url) or any(mark <= " " or mark in "\\\x7f" for mark in url):
        raise Refused("The address has blanks, backslashes or control characters. Take them out.")
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        raise Refused("That is no address. One looks like https://hooks.example.com/catalogue.") from None
    if parts.scheme not in PORTS or not host:
        raise Refused("The address has to begin with https:// (or http://, for networks that the operator allows).")
    if "@" in parts.netloc:
        raise Refused("The address has a user name or a password in it. Receivers know a message by its signature.")
    if not host.isascii():
        raise Refused("The name of the host has letters beyond ASCII. Write it as xn--…")
    if "%" in parts.netloc:
        raise Refused("The name of the host has a percent sign, as zones of IPv6 have; nothing is sent there.")
    if parts.fragment:
        raise Refused("The address has a part after #, which is never sent. Take it out.")
    _check_literal(host)


def _check_literal(host: str) -> None:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return
    if not may_be_sent_to(address):
        raise Refused(not_allowed(host, address))


def resolved(host: str, port: int, scheme: str) -> Checked:
    """The address of a host, asked for now; refused unless messages may be sent to every one that it has."""
    try:
        answers = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise Refused(f"The name {host} is not known.") from None
    found = [ipaddress.ip_address(str(answer[4][0])) for answer in answers]
    for address in found:
        if not may_be_sent_to(address):
            raise Refused(not_allowed(host, address))
    if not found:
        raise Refused(f"The name {host} has no address.")
    first = found[0]
    is_internal = _is_allowed(first)
    if scheme == "http" and not is_internal:
        raise Refused("What goes over the internet needs https://; http:// is for networks that the operator allows.")
    return Checked(str(first), is_internal)


def not_allowed(host: str, address: Address) -> str:
    called = "" if host == str(address) else f" ({address})"
    return (
        f"{host}{called} is inside a network, not on the internet. The operator can allow its network in "
        "ASSETSITE_WEBHOOK_NETWORKS."
    )


def may_be_sent_to(address: Address) -> bool:
    return _is_allowed(address) or _is_on_the_internet(_within(address))


def _is_allowed(address: Address) -> bool:
    networks: Sequence[ipaddress.IPv4Network | ipaddress.IPv6Network] = settings.WEBHOOK_NETWORKS
    return any(_within(address) in network or address in network for network in networks)


def _within(address: Address) -> Address:
    """The IPv4 address that one of IPv6 stands for."""
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address


def _is_on_the_internet(address: Address) -> bool:
    """`is_global` alone lets NAT64, 6to4, site-local and multicast addresses pass."""
    odd = address.is_multicast or address.is_reserved or address.is_unspecified or address.is_loopback
    if isinstance(address, ipaddress.IPv6Address):
        odd = odd or address.is_site_local or address.scope_id is not None
    return address.is_global and not odd and not any(address in network for network in EXTRA_BLOCKED_NET_RANGES)
