"""People at the pages: sign-in, sign-out, and what strangers and outsiders get."""

import pytest

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("team")]


def test_a_stranger_is_sent_to_sign_in_and_back(client, cast):
    response = client.get("/alpha/?sort=name")
    assert (response.status_code, response["Location"]) == (302, "/sign-in?next=/alpha/%3Fsort%3Dname")
    page = client.get(response["Location"])
    assert page.status_code == 200
    assert 'value="/alpha/?sort=name"' in page.content.decode()
    back = client.post("/sign-in", {"username": "ada", "password": "a good password", "next": "/alpha/?sort=name"})
    assert back["Location"] == "/alpha/?sort=name"
    assert client.get("/alpha/").content == b"alpha"


def test_a_wrong_password_signs_nobody_in_and_says_so(client, cast):
    response = client.post("/sign-in", {"username": "ada", "password": "wrong"})
    assert 'role="alert"' in response.content.decode()
    assert client.get("/alpha/").status_code == 302


def test_sign_in_does_not_lead_to_another_site(client, cast):
    for there in ("https://evil.example/", "//evil.example/", "javascript:alert(1)"):
        response = client.post("/sign-in", {"username": "ada", "password": "a good password", "next": there})
        assert response["Location"] == "/"


def test_sign_in_and_sign_out_check_csrf(strict_client, cast):
    assert strict_client.post("/sign-in", {"username": "ada", "password": "a good password"}).status_code == 403
    strict_client.force_login(cast.ada)
    assert strict_client.post("/sign-out").status_code == 403


def test_signing_out_takes_a_post_and_ends_the_session(client, cast):
    client.force_login(cast.ada)
    assert client.get("/sign-out").status_code == 405
    assert client.get("/alpha/").status_code == 200
    client.post("/sign-out")
    assert client.get("/alpha/").status_code == 302


def test_a_page_of_another_perimeter_is_404(client, cast):
    client.force_login(cast.olga)
    assert client.get("/alpha/").status_code == 404
    assert client.get("/gamma/").status_code == 404


def test_a_lesser_role_is_403_on_a_page(client, cast):
    client.force_login(cast.vic)
    assert client.post("/alpha/rename").status_code == 403


def test_an_unknown_address_is_404_for_a_stranger_too(client, cast):
    assert client.get("/no/such/page").status_code == 404


def test_part_of_an_open_page_is_told_to_go_and_sign_in(client, cast):
    response = client.get("/alpha/", headers={"hx-request": "true"})
    assert (response.status_code, response["HX-Redirect"]) == (401, "/sign-in")


def test_a_program_at_a_page_is_told_in_json(client, cast, issue):
    assert client.get("/alpha.json").status_code == 401
    bad = client.get("/alpha/", headers={"x-api-key": "as_nope"})
    assert (bad.status_code, bad.json()["message"]) == (401, "The token is unknown.")
    assert client.get("/alpha.json", headers={"x-api-key": issue(cast.vic)}).content == b"alpha"


def test_a_page_costs_three_queries_to_know_who_asks(client, cast, django_assert_num_queries):
    client.force_login(cast.vic)
    with django_assert_num_queries(3):  # the session, the user, the memberships
        client.get("/alpha/")


def test_closing_an_account_ends_its_session(client, cast):
    client.force_login(cast.vic)
    cast.vic.is_active = False
    cast.vic.save()
    assert client.get("/alpha/").status_code == 302
