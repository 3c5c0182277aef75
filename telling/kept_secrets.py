"""Secrets of webhooks as the database has them: encrypted by a key that is made from the site's own.

Whoever has the database and not `ASSETSITE_SECRET_KEY` can't read them. What an earlier key has encrypted can be read
while that is among `ASSETSITE_SECRET_KEY_FALLBACKS`, and is encrypted anew meanwhile (`telling/pruning.py`).
"""

import base64

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

PURPOSE = b"assetsite: secrets of webhooks"


class SecretLost(Exception):
    """It was encrypted by a key that the site does not have any more."""


def encrypted(secret: str) -> str:
    return _box().encrypt(secret.encode()).decode()


def decrypted(kept: str) -> str:
    try:
        return _box().decrypt(kept.encode()).decode()
    except InvalidToken:
        raise SecretLost from None


def encrypted_anew(kept: str) -> str | None:
    """By the present key what an earlier one has encrypted; None where that is right already, or lost."""
    present = Fernet(_made_from(settings.SECRET_KEY))
    try:
        present.decrypt(kept.encode())
    except InvalidToken:
        try:
            return _box().rotate(kept.encode()).decode()
        except InvalidToken:
            return None
    return None


def _box() -> MultiFernet:
    return MultiFernet([Fernet(_made_from(key)) for key in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)])


def _made_from(key: str) -> bytes:
    made = HKDF(algorithm=SHA256(), length=32, salt=None, info=PURPOSE).derive(key.encode())
    return base64.urlsafe_b64encode(made)
