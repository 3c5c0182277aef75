"""What is taken from somebody in team mode is refused by the next request, whichever process serves it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from tests.conftest import POSTGRES, Server, Site

pytestmark = [pytest.mark.both, pytest.mark.long, pytest.mark.slow]

TEAM = {
    "ASSETSITE_MODE": "team",
    "ASSETSITE_SECRET_KEY": "two processes of one site have the same secret key, of which this is one",
    "ASSETSITE_ALLOWED_HOSTS": "127.0.0.1",
    "ASSETSITE_BIND": "127.0.0.1",
    "ASSETSITE_WORKERS": "1",
}
PEOPLE = """
import json
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.auth.models import User
from django.contrib.sessions.backends.db import SessionStore
from access.models import Membership, Perimeter, Token
perimeter = Perimeter.objects.create(name="alpha")
told = {}
for name in %s:
    user = User.objects.create_user(name, password="a good password")
    Membership.objects.create(user=user, perimeter=perimeter, role="admin")
    _, secret = Token.objects.issue(user=user, perimeter=perimeter, role="admin")
    session = SessionStore()
    backend = "django.contrib.auth.backends.ModelBackend"
    session.update({SESSION_KEY: str(user.pk), BACKEND_SESSION_KEY: backend})
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.save()
    told[name] = [user.pk, secret, session.session_key]
print(json.dumps(told))
"""
CHANGES = {
    "revoked": ("UPDATE access_token SET revoked_at = CURRENT_TIMESTAMP WHERE user_id = {user}", (401, "admin")),
    "ended": ("DELETE FROM access_membership WHERE user_id = {user}", ("", "")),
    "lowered": ("UPDATE access_membership SET role = 'viewer' WHERE user_id = {user}", ("viewer", "viewer")),
    "closed": ("UPDATE auth_user SET is_active = FALSE WHERE id = {user}", (401, 401)),
    "renewed": ("UPDATE auth_user SET password = 'another' WHERE id = {user}", ("admin", 401)),
}
"""What is done to whom, by what statement, and what a token and a session of theirs may do after it."""


@pytest.fixture(scope="module")
def processes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Site]]:
    first = Server(tmp_path_factory.mktemp("first"), **TEAM)
    second = Server(tmp_path_factory.mktemp("second"), **TEAM | {"DATABASE_URL": first.site.env["DATABASE_URL"]})
    first.start()
    second.start()
    yield [first.site, second.site]
    second.stop()
    first.stop()


@pytest.fixture(scope="module")
def people(processes: list[Site]) -> dict[str, list[Any]]:
    """The key, the token and the session of one person for each change."""
    told: dict[str, list[Any]] = json.loads(processes[0].manage("shell", "-v0", "-c", PEOPLE % list(CHANGES)))
    return told


def run(site: Site, statement: str) -> None:
    """Change the database as none of the processes does."""
    if POSTGRES:
        import psycopg

        with psycopg.connect(site.env["DATABASE_URL"], autocommit=True) as connection:
            connection.execute(statement)
        return
    import sqlite3

    with sqlite3.connect(site.home / "catalogue.sqlite3", timeout=20) as connection:
        connection.execute(statement)


def roles(site: Site, token: str, session: str) -> tuple[int | str, int | str]:
    """What `/v1/me` says of a token and of a session: the role, or the status of a refusal."""
    ways: list[dict[str, Any]] = [{"headers": {"x-api-key": token}}, {"cookies": {"assetsite_session": session}}]
    answers = [requests.get(f"{site.url}/v1/me", timeout=30, **way) for way in ways]
    told = [
        " ".join(grant["role"] for grant in answer.json()["perimeters"]) if answer.ok else answer.status_code
        for answer in answers
    ]
    return told[0], told[1]


@pytest.mark.parametrize("change", CHANGES)
def test_it_is_refused_by_the_next_request(processes: list[Site], people: dict[str, list[Any]], change: str) -> None:
    statement, left = CHANGES[change]
    user, token, session = people[change]
    for site in processes * 2:
        assert roles(site, token, session) == ("admin", "admin")
    run(processes[0], statement.format(user=user))
    assert [roles(site, token, session) for site in processes] == [left, left]
