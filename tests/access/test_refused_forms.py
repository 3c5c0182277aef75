"""A form that is refused says why: where it came from and what was expected, or what was lacking."""

import re

import pytest

from assetsite.public_address import PublicAddress

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("team")]

FORM = {"username": "ada", "password": "a good password"}


@pytest.fixture
def post(strict_client):
    """Send the form of the sign-in page with its token, and these headers."""

    def post(secure=False, **headers):
        page = strict_client.get("/sign-in", secure=secure)
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page.content.decode())
        form = FORM | {"csrfmiddlewaretoken": token[1]}
        return strict_client.post("/sign-in", form, secure=secure, headers=headers)

    return post


def said(answer) -> str:
    assert answer.status_code == 403
    return answer.content.decode()


def test_from_another_origin(post, cast, settings):
    settings.CSRF_TRUSTED_ORIGINS = ["https://a:9443"]
    text = said(post(origin="https://a:8443"))
    assert "came from https://a:8443, and the site takes forms from http://localhost and https://a:9443." in text
    assert "set ASSETSITE_PUBLIC_URL to it, or have the proxy pass on the Host with its port" in text


def test_from_another_origin_than_the_public_address(post, cast, settings):
    settings.PUBLIC_ADDRESS = PublicAddress.of("https://localhost/assets/")
    text = said(post(secure=True, origin="http://10.0.0.3:8000"))
    assert "came from http://10.0.0.3:8000, and the site takes forms from https://localhost." in text
    assert "Open the site as https://localhost/assets/, which is its ASSETSITE_PUBLIC_URL" in text


@pytest.mark.parametrize("referer", ["https://a:8443/sign-in?secret=1", "http://localhost/sign-in"])
def test_from_another_page_of_a_browser_that_sends_no_origin(post, cast, referer):
    text = said(post(secure=True, referer=referer))
    assert f"came from {referer.partition('/sign-in')[0]}, and the site takes forms from https://localhost." in text
    assert "secret" not in text


@pytest.mark.parametrize(
    ("headers", "sentence"),
    [
        ({}, "The browser did not say which page sent this form"),
        ({"referer": "nowhere"}, "The browser did not say which page sent this form"),
        (
            {"origin": "null"},
            "came from a page that hides its origin, and the site takes forms from https://localhost.",
        ),
        ({"origin": "https://[broken"}, "came from https://[broken, and"),
    ],
)
def test_from_a_page_that_is_not_told(post, cast, headers, sentence):
    assert sentence in said(post(secure=True, **headers))


def test_what_a_browser_says_is_shown_as_text_and_cut(post, cast):
    text = said(post(origin="https://<script>alert(1)</script>" + "x" * 5000))
    assert "https://&lt;script&gt;alert(1)&lt;" in text
    assert "<script>alert" not in text
    assert "x" * 200 not in text


def test_without_the_cookie(strict_client, cast, settings):
    assert "no cookie assetsite_csrf with this form. Allow cookies" in said(strict_client.post("/sign-in", FORM))
    settings.CSRF_COOKIE_SECURE = True
    assert "kept for https, and the site was reached by http" in said(strict_client.post("/sign-in", FORM))


def test_with_a_wrong_token(strict_client, cast):
    strict_client.get("/sign-in")
    assert "This form is out of date." in said(strict_client.post("/sign-in", FORM | {"csrfmiddlewaretoken": "x" * 64}))


def test_a_call_of_the_api_from_elsewhere_is_refused_in_json(strict_client, cast):
    strict_client.force_login(cast.eve)
    answer = strict_client.patch("/v1/perimeters/alpha/branches/main", {}, headers={"origin": "https://a:8443"})
    assert answer.status_code == 403
    assert answer.json()["message"].startswith(
        "This form came from https://a:8443, and the site takes forms from http:"
    )
    assert answer.json()["detail"] == {"origin": "https://a:8443", "expected": ["http://localhost"]}
