"""Tokens and sessions at the API, over HTTP."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from access.models import Membership, Role, Token

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("team")]
MAIN = "/v1/perimeters/alpha/branches/main"


def patch(client: Client, address: str = MAIN, **headers):
    return client.patch(address, {"a": 1}, content_type="application/json", headers=headers)


def assert_refused(response, status: int, code: str) -> dict:
    assert response.status_code == status
    assert response["Content-Type"] == "application/json"
    body = response.json()
    assert set(body) == {"error", "message", "detail"}
    assert body["error"] == code
    assert body["message"].endswith(".")
    return body


@pytest.mark.parametrize("header", ["x-api-key", "authorization"])
def test_a_token_is_taken_from_either_header(client, cast, issue, header):
    secret = issue(cast.eve)
    value = secret if header == "x-api-key" else f"bearer {secret}"
    response = patch(client, **{header: value})
    assert response.json() == {"perimeter": "alpha", "body": {"a": 1}}


def test_without_a_token_nothing_is_readable(client, cast):
    for address in (MAIN, "/v1/perimeters", "/v1/me"):
        response = client.get(address)
        assert_refused(response, 401, "unauthorized")
        assert response["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize(
    "headers",
    [
        {"x-api-key": "as_" + "0" * 64},
        {"x-api-key": "nonsense"},
        {"x-api-key": "x" * 5000},
        {"x-api-key": "as_\udcff"},
        {"authorization": "Bearer as_nope"},
        {"authorization": "Bearer ' OR 1=1 --"},
        {"authorization": "Basic YWRhOmE="},
        {"authorization": "Bearer"},
        {"authorization": ""},
    ],
    ids=repr,
)
def test_a_bad_token_is_401_and_challenged(client, cast, headers):
    response = client.get(MAIN, headers=headers)
    assert_refused(response, 401, "unauthorized")
    assert response["WWW-Authenticate"].startswith("Bearer")


def test_a_bad_token_beside_a_good_session_is_still_401(client, cast):
    client.force_login(cast.ada)
    assert_refused(client.get(MAIN, headers={"x-api-key": "as_nope"}), 401, "unauthorized")


def test_the_digest_or_prefix_of_a_token_is_no_token(client, cast, issue):
    issue(cast.eve)
    token = Token.objects.get()
    for stolen in (token.digest, token.prefix, f"as_{token.digest}"):
        assert client.get(MAIN, headers={"x-api-key": stolen}).status_code == 401


def test_an_expired_and_a_revoked_token_are_401_and_say_so(client, cast, issue):
    now = timezone.now()
    expired = issue(cast.eve, expires_at=now - timedelta(seconds=1))
    revoked = issue(cast.eve, revoked_at=now)
    valid = issue(cast.eve, expires_at=now + timedelta(hours=1))
    assert "expired" in assert_refused(client.get(MAIN, headers={"x-api-key": expired}), 401, "unauthorized")["message"]
    assert "revoked" in assert_refused(client.get(MAIN, headers={"x-api-key": revoked}), 401, "unauthorized")["message"]
    assert client.get(MAIN, headers={"x-api-key": valid}).status_code == 200
    assert not Token.objects.filter(last_used_at__isnull=False).exclude(expires_at__gt=now).exists()


def test_a_token_of_a_closed_account_is_401(client, cast, issue):
    secret = issue(cast.eve)
    cast.eve.is_active = False
    cast.eve.save()
    body = assert_refused(client.get(MAIN, headers={"x-api-key": secret}), 401, "unauthorized")
    assert "is closed" in body["message"]


def test_a_token_of_a_removed_member_is_404(client, cast, issue):
    secret = issue(cast.eve)
    Membership.objects.filter(user=cast.eve).delete()
    body = assert_refused(client.get(MAIN, headers={"x-api-key": secret}), 404, "not_found")
    assert body["detail"] == {"perimeter": "alpha"}


def test_a_viewer_reads_and_may_not_write(client, cast, issue):
    secret = issue(cast.vic, Role.ADMIN)
    assert client.get(MAIN, headers={"x-api-key": secret}).status_code == 200
    body = assert_refused(patch(client, **{"x-api-key": secret}), 403, "forbidden")
    assert body["detail"] == {"perimeter": "alpha", "role": "viewer", "needed": "editor"}


def test_a_feature_branch_token_cannot_write_main(client, cast, issue):
    secret = issue(cast.eve, branch_patterns=["feature/*"])
    assert patch(client, MAIN.replace("main", "feature/x"), **{"x-api-key": secret}).status_code == 200
    body = assert_refused(patch(client, **{"x-api-key": secret}), 403, "forbidden")
    assert body["detail"] == {"branch": "main", "branches": ["feature/*"]}
    assert client.get(MAIN, headers={"x-api-key": secret}).status_code == 200


def test_an_outsider_gets_404_as_for_an_unknown_perimeter(client, cast, issue):
    secret = issue(cast.olga, perimeter=cast.beta)
    hidden = assert_refused(client.get(MAIN, headers={"x-api-key": secret}), 404, "not_found")
    unknown = client.get(MAIN.replace("alpha", "gamma"), headers={"x-api-key": secret}).json()
    assert hidden["message"].replace("alpha", "gamma") == unknown["message"]


def test_a_request_with_a_token_costs_one_query(client, cast, issue, django_assert_num_queries):
    secret = issue(cast.eve)
    patch(client, **{"x-api-key": secret})  # notes the use
    with django_assert_num_queries(1):  # the token with its user, perimeter and the user's role
        assert patch(client, **{"x-api-key": secret}).status_code == 200


def test_use_is_noted(client, cast, issue):
    secret = issue(cast.eve)
    patch(client, **{"x-api-key": secret})
    assert timezone.now() - Token.objects.get().last_used_at < timedelta(seconds=5)


def test_a_session_reads_but_must_bring_the_csrf_token_to_write(strict_client, cast):
    strict_client.force_login(cast.ada)
    assert strict_client.get(MAIN).status_code == 200
    assert_refused(patch(strict_client), 403, "forbidden")
    strict_client.cookies["assetsite_csrf"] = "a" * 32
    assert patch(strict_client, **{"x-csrftoken": "a" * 32}).status_code == 200


def test_a_token_needs_no_csrf_token(strict_client, cast, issue):
    assert patch(strict_client, **{"x-api-key": issue(cast.eve)}).status_code == 200


def test_me_names_the_caller_and_what_a_token_may_do(client, cast, issue):
    secret = issue(cast.eve, branch_patterns=["feature/*"])
    assert client.get("/v1/me", headers={"x-api-key": secret}).json() == {
        "user": "eve",
        "mode": "team",
        "perimeters": [{"perimeter": "alpha", "role": "editor", "branches": ["feature/*"]}],
    }


def test_me_lists_a_persons_perimeters(client, cast):
    Membership.objects.create(user=cast.ada, perimeter=cast.beta, role=Role.VIEWER)
    client.force_login(cast.ada)
    assert client.get("/v1/me").json()["perimeters"] == [
        {"perimeter": "alpha", "role": "admin", "branches": []},
        {"perimeter": "beta", "role": "viewer", "branches": []},
    ]
