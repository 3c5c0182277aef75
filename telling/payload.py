"""A message as it is sent: the body and the headers of Standard Webhooks."""

import json
from datetime import UTC, datetime

from catalog.models import Message
from catalog.starting.versions import own_version
from telling.signing import signature

USER_AGENT = f"assetsite/{own_version()} (webhooks)"
HIDDEN = "v1,…"
"""What the log shows in the place of a signature."""


def body_of(message: Message) -> bytes:
    """The same bytes at every try."""
    at = message.at.astimezone(UTC).isoformat().replace("+00:00", "Z")
    told = {"type": message.kind, "timestamp": at, "data": message.body}
    return json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


def headers_of(message: Message, at: datetime, signed: str) -> dict[str, str]:
    return {
        "Content-Type": "application/json",
        "User-Agent": USER_AGENT,
        "Accept": "*/*",
        "Accept-Encoding": "identity",
        "Connection": "close",
        "webhook-id": message.uid,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": signed,
    }


def signed_headers(message: Message, at: datetime, secret: str, body: bytes) -> dict[str, str]:
    return headers_of(message, at, signature(secret, message.uid, int(at.timestamp()), body))


def shown_headers(message: Message, at: datetime) -> dict[str, str]:
    """Those of a try, but for what only the secret gives."""
    return headers_of(message, at, HIDDEN)
