"""Signatures of messages, with the library of Standard Webhooks as the oracle; secrets as the database has them."""

import time
from datetime import UTC, datetime

import pytest
from standardwebhooks import Webhook

from telling.kept_secrets import SecretLost, decrypted, encrypted
from telling.signing import key_of, new_secret, signature

BODY = '{"type":"version.ready","data":{"name":"Größe"}}'.encode()


def test_the_library_believes_a_signature_and_makes_the_same():
    secret, now = new_secret(), int(time.time())
    made = signature(secret, "msg_1", now, BODY)
    assert made == Webhook(secret).sign("msg_1", datetime.fromtimestamp(now, tz=UTC), BODY.decode())
    headers = {"webhook-id": "msg_1", "webhook-timestamp": str(now), "webhook-signature": made}
    assert Webhook(secret).verify(BODY.decode(), headers)["type"] == "version.ready"


def test_secrets_are_long_and_no_two_are_the_same():
    assert len({new_secret() for _ in range(10)}) == 10
    assert len(key_of(new_secret())) == 32


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_c2hvcnQ=", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_!!"])
def test_what_is_no_secret_is_refused(secret):
    with pytest.raises(ValueError, match="a secret is whsec_"):
        key_of(secret)


def test_a_secret_is_kept_encrypted_and_outlives_a_change_of_the_sites_key(settings):
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "first", []
    kept = encrypted("whsec_abc")
    assert "abc" not in kept
    assert encrypted("whsec_abc") != kept
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "second", ["first"]
    assert decrypted(kept) == "whsec_abc"
    settings.SECRET_KEY_FALLBACKS = []
    with pytest.raises(SecretLost):
        decrypted(kept)
