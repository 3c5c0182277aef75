"""A person's own page: their tokens, whoever made them, where those were used from, and revoking them."""

import re
from datetime import timedelta
from html import unescape

import pytest
from django.test.utils import override_script_prefix
from django.utils import timezone

from access.models import AuditEntry, Role, Token
from access.token_use import note

NOW = timezone.now()


def text_of(answer) -> str:
    assert answer.status_code == 200, answer.status_code
    main = answer.content.decode().partition("<main")[2].partition("</main>")[0]
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", main)).split())


@pytest.fixture
def eve(client, cast, team):
    client.force_login(cast.eve)
    return client


def made(cast, by="eve", **fields) -> Token:
    fields = {"user": cast.eve, "perimeter": cast.alpha, "role": Role.EDITOR, **fields}
    return Token.objects.issue(created_by=by, **fields)[0]


def test_it_shows_ones_own_tokens_and_nobody_elses(eve, cast):
    mine, other = made(cast, name="nightly", branch_patterns=["feature/*"]), made(cast, user=cast.ada)
    page = text_of(eve.get("/me"))
    assert "eve Editor of alpha" in page
    assert f"{mine} nightly editor in alpha feature/*" in page
    assert "never" in page
    assert str(other) not in page


def test_it_says_from_where_a_token_was_used(eve, cast):
    token = made(cast)
    for address, days in (("192.0.2.7", 3), ("198.51.100.1", 2)):
        note(token, NOW - timedelta(days=days), address)
        token.refresh_from_db()
    page = text_of(eve.get("/me"))
    assert "2 d ago from 198.51.100.1" in page
    assert "198.51.100.0/24 since 2 d ago new 192.0.2.0/24 since 3 d ago" in page
    Token.objects.update(
        networks={name: use | {"since": "2020-01-01T00:00:00+00:00"} for name, use in token.networks.items()}
    )
    assert " new " not in text_of(eve.get("/me"))


@pytest.mark.parametrize("by", ["ada", "command line", "ada via token as_1a2b3c4d…", "eve2"])
def test_a_token_that_somebody_else_made_is_told(eve, cast, by):
    token = made(cast, by)
    page = text_of(eve.get("/me"))
    assert f"{by} made the token {token} for you" in page
    assert f"by {by}" in page.partition("Your tokens")[2]
    Token.objects.update(created_at=NOW - timedelta(days=31))
    page = text_of(eve.get("/me"))
    assert "for you" not in page
    assert f"by {by}" in page


def test_ones_own_is_not(eve, cast):
    made(cast)
    made(cast, "eve via token as_1a2b3c4d…")
    assert "for you" not in text_of(eve.get("/me"))


def test_one_may_revoke_ones_own_whoever_made_it(eve, cast):
    token = made(cast, "ada")
    answer = eve.post(f"/me/tokens/{token.pk}/revoke", REMOTE_ADDR="192.0.2.7", follow=True)
    page = text_of(answer)
    assert f"The token {token} is revoked." in page
    assert "for you" not in page
    assert Token.objects.get().state == "revoked"
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.actor_name, entry.target) == ("token.revoke", "eve", token.prefix)
    assert (entry.perimeter_name, entry.detail) == ("alpha", {"address": "192.0.2.7"})


def test_nobody_revokes_what_is_not_theirs(eve, cast):
    token = made(cast, user=cast.ada)
    assert eve.post(f"/me/tokens/{token.pk}/revoke").status_code == 404
    assert eve.post("/me/tokens/99999999999999999999/revoke").status_code == 404
    assert eve.get(f"/me/tokens/{token.pk}/revoke").status_code == 405
    assert Token.objects.get().state == "valid"
    assert not AuditEntry.objects.exists()


def test_a_token_is_no_person(client, cast, issue, team):
    secret, token = issue(cast.eve), Token.objects.get()
    for call in (client.get("/me"), client.post(f"/me/tokens/{token.pk}/revoke")):
        assert call.status_code == 302  # to the sign-in page
    for method, address in (("get", "/me"), ("get", "/me.json"), ("post", f"/me/tokens/{token.pk}/revoke")):
        assert getattr(client, method)(address, headers={"x-api-key": secret}).status_code == 403
    assert Token.objects.get().state == "valid"


def test_a_form_of_another_site_revokes_nothing(strict_client, cast, team):
    strict_client.force_login(cast.eve)
    assert strict_client.post(f"/me/tokens/{made(cast).pk}/revoke").status_code == 403
    assert Token.objects.get().state == "valid"


def test_the_twin_has_the_same(eve, cast):
    token = made(cast, "ada", branch_patterns=["x"])
    note(token, NOW, "192.0.2.7")
    said = eve.get("/me.json").json()
    assert (said["user"], said["perimeters"]) == ("eve", [{"perimeter": "alpha", "role": "editor", "branches": []}])
    (shown,) = said["tokens"]
    assert (shown["prefix"], shown["created_by"], shown["branches"]) == (token.prefix, "ada", ["x"])
    assert [use["network"] for use in shown["networks"]] == ["192.0.2.0/24"]
    assert token.digest not in str(said)


def test_its_links_lead_below_the_public_address(eve, cast):
    made(cast)
    with override_script_prefix("/assets/"):
        page = eve.get("/me").content.decode()
    links = re.findall(r'(?:href|action)="(/[^"]*)"', page)
    assert "/assets/alpha" in links
    assert [link for link in links if not link.startswith(("/assets/", "/static/"))] == []


def test_it_asks_little_however_many_tokens_there_are(eve, cast, django_assert_max_num_queries):
    eve.get("/me")
    with django_assert_max_num_queries(4):  # the session, the person, the memberships, the tokens
        eve.get("/me")
    for number in range(3):
        made(cast, name=str(number), expires_at=NOW + timedelta(days=1))
    Token.objects.filter(name="0").update(expires_at=NOW - timedelta(days=1))
    with django_assert_max_num_queries(4):
        page = text_of(eve.get("/me"))
    assert page.index(" 2 editor") < page.index(" 1 editor") < page.index(" 0 editor")
    assert "expired" in page


def test_in_local_mode_it_says_what_that_is(client, local, db):
    page = text_of(client.get("/me"))
    assert "This site is in local mode" in page
    assert "Admin of default" in page
    assert "No token acts in your name." in page
