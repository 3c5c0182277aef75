"""The signature of a message, as Standard Webhooks has it: https://www.standardwebhooks.com"""

import base64
import binascii
import hashlib
import hmac
import secrets

PREFIX = "whsec_"
LEAST, USUAL, MOST = 24, 32, 64
"""Bytes of a secret."""


def new_secret() -> str:
    return PREFIX + base64.b64encode(secrets.token_bytes(USUAL)).decode()


def key_of(secret: str) -> bytes:
    """The bytes of a secret. Raises ValueError if it is none."""
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except binascii.Error:
        raise ValueError("a secret is whsec_ and base64") from None
    if not secret.startswith(PREFIX) or not LEAST <= len(key) <= MOST:
        raise ValueError(f"a secret is whsec_ and base64 of {LEAST} to {MOST} bytes")
    return key


def signature(secret: str, message_id: str, timestamp: int, body: bytes) -> str:
    signed = b".".join([message_id.encode(), str(timestamp).encode(), body])
    return "v1," + base64.b64encode(hmac.digest(key_of(secret), signed, hashlib.sha256)).decode()
