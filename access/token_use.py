"""What is noted of the use of a token: when and from where it was used last, and from which networks it ever was.

A network stands for the addresses that one place has: all that begin with the same 24 bits of IPv4, or 64 of IPv6. The
first one of a token is no news. Each later one goes into the audit log, in at most one entry an hour for each token, so
that runners with ever new addresses don't flood it.
"""

from datetime import datetime, timedelta
from ipaddress import ip_network
from typing import Any

from django.db import transaction
from django.db.models import Q

from access.identity import Viewer
from access.models import AuditEntry, Token

PRECISION = timedelta(minutes=1)
"""A use within a minute of the one that was noted last is not noted, unless it comes from a new network."""
QUIET = timedelta(hours=1)
"""How long news waits for an entry of the audit log after the last one of its token."""
MOST_NETWORKS = 20
"""So many are kept of a token; the one that came first makes room."""


def note(token: Token, now: datetime, address: str = "") -> None:
    """Note that a token is used from an address, which is empty where nobody knows it.

    It writes once a minute, and where there is news, however many workers see the token: else it costs no query.
    """
    network = network_of(address)
    is_new = bool(network) and network not in token.networks
    is_due = token.last_used_at is None or token.last_used_at < now - PRECISION
    if (is_new and (is_due or len(_untold(token)) < MOST_NETWORKS)) or (is_due and _has_news(token, now)):
        _note_news(token, now, address, network)
    elif is_due:
        unnoted = Q(last_used_at__isnull=True) | Q(last_used_at__lt=now - PRECISION)
        Token.objects.filter(unnoted, pk=token.pk).update(last_used_at=now, last_used_from=address)


def network_of(address: str) -> str:
    """The network of an address, such as "192.0.2.0/24" or "2001:db8::/64"; empty for none."""
    if not address:
        return ""
    return str(ip_network((address, 64), strict=False)) if ":" in address else f"{address.rpartition('.')[0]}.0/24"


@transaction.atomic
def _note_news(token: Token, now: datetime, address: str, network: str) -> None:
    row = Token.objects.select_for_update(no_key=True).get(pk=token.pk)
    if network and network not in row.networks:
        known = {**row.networks, network: {"since": now.isoformat(), "told": not row.networks}}
        row.networks = dict(sorted(known.items(), key=lambda item: item[1]["since"])[-MOST_NETWORKS:])
    if _has_news(row, now):
        _tell(token, _untold(row), address)
        row.networks = {name: {**use, "told": True} for name, use in row.networks.items()}
        row.networks_told_at = now
    row.last_used_at, row.last_used_from = now, address
    row.save(update_fields=["networks", "networks_told_at", "last_used_at", "last_used_from"])


def _has_news(token: Token, now: datetime) -> bool:
    """Whether there is something to tell, and the last entry is long enough ago."""
    told_at = token.networks_told_at
    return (told_at is None or told_at <= now - QUIET) and bool(_untold(token))


def _untold(token: Token) -> list[str]:
    """The networks that the audit log does not have, in the order in which they came."""
    untold = [network for network, use in token.networks.items() if not use["told"]]
    return sorted(untold, key=lambda network: token.networks[network]["since"])


def _tell(token: Token, networks: list[str], address: str) -> None:
    detail: dict[str, Any] = {"user": token.user.get_username(), "address": address, "networks": networks}
    AuditEntry.objects.record(
        Viewer(token.user, token=token),
        action="token.new_network",
        perimeter=token.perimeter,
        target=token.prefix,
        detail=detail,
    )
