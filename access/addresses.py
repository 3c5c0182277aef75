"""The network address of who asks."""

from functools import lru_cache
from ipaddress import IPv6Address, ip_address, ip_network

from django.conf import settings
from django.http import HttpRequest

IPV6_OF_ONE_PLACE = 64
"""Bits of an IPv6 address that are given to one place; who has it may use any address that begins so."""


def address_of(request: HttpRequest) -> str:
    """The IP address of who asks, written in its one way, such as "192.0.2.7" or "2001:db8::7"; empty if unknown.

    Behind a proxy (`ASSETSITE_TRUST_PROXY`) it is the last entry of X-Forwarded-For, which the proxy itself has added;
    the entries before it are what the client says. Where there is no proxy, the header is what anybody says.
    """
    forwarded = request.META.get("HTTP_X_FORWARDED_FOR", "") if settings.TRUST_PROXY else ""
    return _read(forwarded.rpartition(",")[2]) or _read(request.META.get("REMOTE_ADDR", ""))


def place_of(request: HttpRequest) -> str:
    """The address by which attempts are counted: that of who asks, or the first one of its IPv6 network."""
    address = address_of(request)
    if ":" not in address:
        return address
    return str(ip_network((address, IPV6_OF_ONE_PLACE), strict=False).network_address)


@lru_cache(maxsize=200)
def _read(text: str) -> str:
    """The address that a text names, with or without a port; empty for any other text. Few ask all the time."""
    text = text.strip()
    if text.startswith("["):  # [2001:db8::7]:443
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:  # 192.0.2.7:443
        text = text.partition(":")[0]
    try:
        parsed = ip_address(text.partition("%")[0])  # without the interface of fe80::1%eth0
    except ValueError:
        return ""
    mapped = parsed.ipv4_mapped if isinstance(parsed, IPv6Address) else None
    return str(mapped or parsed)
