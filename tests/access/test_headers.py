"""Who may keep an answer, and what its page may do: on every kind of answer, whoever makes it."""

import re

import pytest
from django.test import Client

from access.headers import PERMISSIONS, policy

PRIVATE = "private, no-cache"
WHO_ASKS = {"cookie", "authorization", "x-api-key"}


def kept(response) -> str:
    """Who may keep the answer; it must depend on all that says who asks."""
    assert {name.strip().lower() for name in response["Vary"].split(",")} >= WHO_ASKS
    assert response["Permissions-Policy"] == PERMISSIONS
    assert response["Cross-Origin-Resource-Policy"] == "same-origin"
    return response["Cache-Control"]


@pytest.mark.django_db
@pytest.mark.usefixtures("team")
def test_whatever_is_answered_is_private(cast, client, strict_client, issue):
    key = {"x-api-key": issue(cast.vic)}
    assert kept(client.get("/alpha/")) == PRIVATE  # sent to sign in
    assert kept(client.get("/alpha/", headers={"hx-request": "true"})) == PRIVATE  # 401
    assert kept(client.get("/v1/me")) == PRIVATE  # 401
    assert kept(client.get("/v1/me", headers=key)) == PRIVATE
    assert kept(client.get("/no/such/page")) == PRIVATE
    client.force_login(cast.vic)
    for address in ("/alpha/", "/beta/", "/alpha/rename", "/v1/perimeters", "/refuse/conflict", "/v1/refuse/large"):
        assert kept(client.get(address)) == PRIVATE, address
    strict_client.force_login(cast.ada)
    assert kept(strict_client.post("/alpha/rename")) == PRIVATE  # refused for want of the form's token
    assert kept(client.get("/alpha/", SERVER_NAME="evil.example")) == PRIVATE


@pytest.mark.django_db
@pytest.mark.usefixtures("team")
def test_every_answer_has_the_policy_and_may_be_in_no_frame(cast, client, issue):
    for address in ("/alpha/", "/v1/me", "/v1/no", "/sign-in"):
        answer = client.get(address, headers={"x-api-key": issue(cast.vic)})
        assert answer["Content-Security-Policy"] == policy()
        assert answer["X-Frame-Options"] == "DENY"
        assert answer["Referrer-Policy"] == "same-origin"
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert answer["Cross-Origin-Opener-Policy"] == "same-origin"


def test_the_policy_is_that_of_the_settings_with_what_is_added(settings):
    settings.SECURE_CSP = {"default-src": ["'none'"], "style-src": ["'self'"]}
    assert policy() == "default-src 'none'; style-src 'self'"
    assert policy({"style-src": ["'sha256-x'"]}) == "default-src 'none'; style-src 'self' 'sha256-x'"


@pytest.mark.django_db
@pytest.mark.usefixtures("team")
def test_a_failure_is_private(cast, issue):
    client = Client(raise_request_exception=False)
    answer = client.get("/v1/fail", headers={"x-api-key": issue(cast.vic)})
    assert (answer.status_code, kept(answer)) == (500, PRIVATE)


@pytest.mark.django_db
@pytest.mark.usefixtures("team")
def test_sign_in_and_administration_are_written_to_no_disk(cast, client, strict_client):
    for address in ("/sign-in", "/admin/access/token/add/"):
        assert "no-store" in kept(client.get(address)), address
    assert "no-store" in kept(strict_client.post("/sign-in"))
    client.force_login(cast.ada)
    for address in ("/admin/", "/admin/access/token/add/", "/admin/access/token/no/change/", "/admin/nothing"):
        assert "no-store" in kept(client.get(address)), address
    assert "no-store" in kept(client.post("/sign-out"))


@pytest.mark.django_db
@pytest.mark.usefixtures("local")
def test_what_local_mode_refuses_is_private(client):
    assert kept(client.get("/", headers={"via": "1.1 proxy"}, SERVER_NAME="localhost")) == PRIVATE


@pytest.mark.django_db
def test_an_address_that_is_no_path_is_answered(client):
    assert kept(client.generic("OPTIONS", "*")) == PRIVATE


def test_static_files_are_for_everybody(client):
    answer = client.get("/static/app.css")
    assert answer.status_code == 200
    assert "private" not in answer["Cache-Control"]
    assert not WHO_ASKS & {name.strip().lower() for name in answer.get("Vary", "").split(",")}
    assert answer["Cross-Origin-Resource-Policy"] == "same-origin"


def test_cookies_are_the_site_s_own_and_for_no_script(settings):
    assert (settings.SESSION_COOKIE_NAME, settings.CSRF_COOKIE_NAME) == ("assetsite_session", "assetsite_csrf")
    assert settings.SESSION_COOKIE_HTTPONLY
    assert settings.CSRF_COOKIE_HTTPONLY
    assert settings.SESSION_COOKIE_SAMESITE == settings.CSRF_COOKIE_SAMESITE == "Lax"


def test_the_policy_names_each_feature_once():
    features = re.findall(r"([a-z-]+)=", PERMISSIONS)
    assert len(features) == len(set(features))
    assert PERMISSIONS.endswith("clipboard-write=(self)")  # the buttons that copy
