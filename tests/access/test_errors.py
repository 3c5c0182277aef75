"""The one JSON shape of errors, wherever they come from."""

import pytest
from markupsafe import escape

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("team")]


@pytest.fixture(autouse=True)
def _signed_in(client, cast):
    client.force_login(cast.ada)


EXPECTED = {
    "bad": (400, "bad_request", "Send a number.", {"field": "count"}),
    "conflict": (409, "conflict", "Somebody else moved it.", {"current": None}),
    "large": (413, "too_large", "At most 8 MiB.", {}),
    "missing": (404, "not_found", "There is no asset 'xkcd'.", {"asset": "xkcd"}),
    "huge": (413, "too_large", "The request is larger than this site takes.", {}),
    "fields": (400, "bad_request", "tags.colour: This is not text.", {"field": "tags.colour"}),
}


@pytest.mark.parametrize("how", EXPECTED)
def test_refusals_of_the_api_have_one_shape(client, how):
    status, code, message, detail = EXPECTED[how]
    response = client.get(f"/v1/refuse/{how}")
    assert response.status_code == status
    assert response.json() == {"error": code, "message": message, "detail": detail}


def test_an_unknown_address_of_the_api_is_404_in_json(client):
    response = client.get("/v1/nowhere")
    assert response.status_code == 404
    assert response.json() == {"error": "not_found", "message": "There is nothing at this address.", "detail": {}}


@pytest.mark.parametrize(("address", "allowed"), [("/v1/perimeters", "GET"), ("/v1/plain/alpha", "POST")])
def test_a_wrong_method_is_405_in_json_and_says_what_is_allowed(client, address, allowed):
    response = client.get(address) if allowed == "POST" else client.delete(address)
    assert response.status_code == 405
    assert response.json()["error"] == "method_not_allowed"
    assert allowed in response["Allow"]


def test_broken_json_is_400_and_another_type_is_415(client):
    address = "/v1/perimeters/alpha/branches/main"
    broken = client.patch(address, "{", content_type="application/json")
    assert (broken.status_code, broken.json()["error"]) == (400, "bad_request")
    form = client.patch(address, "a=1", content_type="application/x-www-form-urlencoded")
    assert (form.status_code, form.json()["error"]) == (415, "unsupported_media_type")


def test_a_huge_form_is_413(strict_client, cast, settings):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 100
    strict_client.force_login(cast.ada)
    strict_client.cookies["assetsite_csrf"] = "a" * 32  # so that the form is read
    response = strict_client.post("/alpha/rename", "a=" + "x" * 200, content_type="application/x-www-form-urlencoded")
    assert response.status_code == 413
    assert "larger than this site takes" in response.content.decode()


def test_a_foreign_host_name_is_400_in_json(client):
    response = client.get("/v1/me", headers={"host": "evil.example"})
    assert (response.status_code, response.json()["error"]) == (400, "bad_request")


def test_a_programming_error_is_500_in_json_without_its_insides(client):
    client.raise_request_exception = False
    response = client.get("/v1/fail")
    assert response.status_code == 500
    assert response.json() == {
        "error": "internal_server_error",
        "message": "The server failed; its log says why.",
        "detail": {},
    }


def test_a_programming_error_on_a_page_is_a_page_that_needs_nothing(client, monkeypatch, django_assert_num_queries):
    client.raise_request_exception = False
    monkeypatch.setattr("access.identity.Viewer.require", None)
    with django_assert_num_queries(2):  # the session and the user, before the failure
        response = client.get("/alpha/")
    assert response.status_code == 500
    assert response["Content-Type"].startswith("text/html")


def test_an_unknown_page_and_a_form_without_csrf_token_have_pages_of_their_own(strict_client, cast):
    strict_client.force_login(cast.ada)
    unknown = strict_client.get("/no/such/page")
    assert unknown.status_code == 404
    assert "There is nothing here" in unknown.content.decode()
    form = strict_client.post("/alpha/rename")
    assert form.status_code == 403
    assert "reload the page" in form.content.decode()


@pytest.mark.parametrize("how", ["bad", "conflict", "large", "huge", "missing"])
def test_the_same_refusals_on_a_page_are_pages(client, how):
    response = client.get(f"/refuse/{how}")
    assert response.status_code == EXPECTED[how][0]
    assert response["Content-Type"].startswith("text/html")
    assert escape(EXPECTED[how][2]) in response.content.decode()


def test_a_message_on_a_page_is_shown_as_text(client, cast):
    hidden = client.get("/<script>alert(1)</script>/")
    assert hidden.status_code == 404
    assert "<script>alert(1)" not in hidden.content.decode()


def test_the_json_twin_of_a_page_refuses_in_json(client):
    assert client.get("/beta.json").json()["error"] == "not_found"
    assert client.get("/alpha.json").content == b"alpha"


@pytest.mark.parametrize("local", [False, True])
@pytest.mark.parametrize("address", ["/", "/v1/me"])
def test_a_host_name_that_is_not_the_sites_is_told_with_what_to_do_and_is_one_line_of_the_log(
    client, settings, caplog, address, local
):
    settings.ALLOWED_HOSTS, settings.LOCAL_MODE = ["assets.example.org"], local
    response = client.get(address, headers={"host": "other.example.org"})
    assert response.status_code == 400
    expected = "such as localhost" if local else "add the name to ASSETSITE_ALLOWED_HOSTS"
    assert expected in response.content.decode()
    (line,) = caplog.records
    assert "'other.example.org' to ASSETSITE_ALLOWED_HOSTS" in line.getMessage()
    assert line.exc_info is None
