"""Local mode: no sign-in for who is on this machine, and nothing for anybody else."""

import pytest
from django.contrib.auth.models import User
from django.test import Client

from access.local_mode import local_user_name
from access.models import Membership, Perimeter

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("local")]
MAIN = "/v1/perimeters/default/branches/main"
OWN = "http://localhost"


def patch(client: Client, **headers):
    return client.patch(MAIN, {"a": 1}, content_type="application/json", headers=headers)


def assert_refused_with_a_sentence(response, words: str) -> None:
    assert response.status_code == 403
    said = response.json()["message"] if "json" in response["Content-Type"] else response.content.decode()
    assert words in said


@pytest.fixture
def browser(strict_client) -> Client:
    """A client with the cookies that a browser has after it opened a page of the site."""
    strict_client.cookies["assetsite_csrf"] = "a" * 32
    return strict_client


def test_the_one_user_is_signed_in_by_itself(strict_client):
    assert strict_client.get("/").content.decode() == f"hello {local_user_name()}"
    user = User.objects.get()
    assert not user.has_usable_password()
    assert Membership.objects.get().perimeter.name == "default"


def test_rights_of_the_local_user_are_not_kept_for_team_mode(strict_client):
    assert strict_client.get("/admin/").status_code == 200
    user = User.objects.get()
    assert (user.is_superuser, user.is_staff) == (False, False)


def test_the_local_user_sees_every_perimeter(strict_client, cast):
    strict_client.get("/")
    assert strict_client.get("/v1/perimeters").json() == ["alpha", "beta", "default"]
    assert strict_client.get("/v1/me").json()["mode"] == "local"


def test_knowing_who_asks_costs_two_queries_in_the_steady_state(strict_client, django_assert_num_queries):
    strict_client.get("/")
    with django_assert_num_queries(1):  # the user
        strict_client.get("/")
    with django_assert_num_queries(2):  # the user, the perimeters
        patch(strict_client)


def test_a_removed_default_perimeter_comes_back(strict_client):
    strict_client.get("/")
    Perimeter.objects.all().delete()
    assert strict_client.get("/default/").status_code == 200


def test_a_program_on_this_machine_needs_no_token(strict_client):
    assert patch(strict_client).status_code == 200


def test_a_token_keeps_its_limits_in_local_mode(strict_client, cast, issue):
    assert strict_client.get("/v1/perimeters", headers={"x-api-key": issue(cast.eve)}).json() == ["alpha"]
    assert strict_client.get("/v1/perimeters", headers={"x-api-key": "as_nope"}).status_code == 401


@pytest.mark.parametrize("address", ["10.0.0.7", "192.168.1.4", "2001:db8::1", "::ffff:10.0.0.7", "", "unix:"])
def test_another_machine_is_refused(strict_client, address):
    assert_refused_with_a_sentence(strict_client.get("/", REMOTE_ADDR=address), "this machine only")
    assert_refused_with_a_sentence(strict_client.get("/v1/me", REMOTE_ADDR=address), "this machine only")


@pytest.mark.parametrize("address", ["127.0.0.1", "127.1.2.3", "::1", "::ffff:127.0.0.1"])
def test_loopback_addresses_are_this_machine(strict_client, address):
    assert strict_client.get("/", REMOTE_ADDR=address).status_code == 200


@pytest.mark.parametrize(
    "header",
    [
        *("Forwarded", "Via", "X-Real-IP", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto"),
        *("CF-Connecting-IP", "True-Client-IP", "Client-IP", "X-Original-URL", "X-Rewrite-URL", "CDN-Loop"),
        *("Fastly-Client-IP", "X-Cluster-Client-IP", "X-Azure-ClientIP", "X-Azure-SocketIP", "X-Appengine-User-IP"),
        *("X-Remote-Addr", "X-ProxyUser-IP", "X-Original-Forwarded-For"),
    ],
)
def test_whatever_came_through_a_proxy_is_refused(strict_client, header):
    assert_refused_with_a_sentence(strict_client.get("/", headers={header: "127.0.0.1"}), header.title())
    assert_refused_with_a_sentence(patch(strict_client, **{header: ""}), "proxy")


def test_what_programs_send_of_themselves_is_no_sign_of_a_proxy(strict_client):
    sent = {"X-Client-Name": "a", "X-Request-Id": "1", "X-User": "eve", "X-Ip-Version": "4", "Client-Version": "2"}
    assert strict_client.get("/", headers=sent).status_code == 200


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "127.0.0.1.nip.io", "10.0.0.7", "a@b"])
def test_a_foreign_name_pointed_at_this_machine_is_refused(strict_client, host):
    for address in ("/", "/v1/me"):
        assert strict_client.get(address, headers={"host": host}).status_code == 400
    assert patch(strict_client, host=host, origin=f"http://{host}").status_code == 400
    assert not User.objects.exists()


@pytest.mark.parametrize("host", ["localhost", "localhost:8000", "127.0.0.1:8000", "[::1]:8000", "LOCALHOST"])
def test_loopback_names_are_answered(strict_client, host):
    assert strict_client.get("/", headers={"host": host}).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": "http://localhost:9999"},
        {"origin": "https://localhost"},
        {"origin": "http://127.0.0.1"},
        {"origin": "https://evil.example", "sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"referer": "https://evil.example/page"},
        {"referer": "http://localhost:9999/"},
        {"referer": "http://localhost.evil.example/"},
        {"referer": "http://localhost@evil.example/"},
        {"referer": "nonsense"},
        {"origin": OWN, "sec-fetch-site": "cross-site"},
    ],
    ids=repr,
)
def test_a_page_of_another_site_changes_nothing(browser, headers):
    with_csrf = {**headers, "x-csrftoken": "a" * 32}
    assert_refused_with_a_sentence(patch(browser, **with_csrf), "A page of")
    form = browser.post("/admin/access/perimeter/add/", {"name": "stolen"}, headers=with_csrf)
    assert_refused_with_a_sentence(form, "A page of")
    assert not Perimeter.objects.filter(name="stolen").exists()


def test_a_cross_site_form_disguised_as_json_is_refused(browser):
    response = browser.post(MAIN, '{"a": 1}', content_type="text/plain", headers={"origin": "https://evil.example"})
    assert_refused_with_a_sentence(response, "evil.example")


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors", "sec-fetch-dest": "image"},
        {"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors", "sec-fetch-dest": "script"},
        {"sec-fetch-site": "cross-site", "sec-fetch-mode": "cors", "sec-fetch-dest": "empty"},
        {"sec-fetch-site": "same-site", "sec-fetch-mode": "cors", "sec-fetch-dest": "empty"},
        {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "iframe"},
        {"sec-fetch-site": "cross-site"},
        {"origin": "https://evil.example"},
        {"origin": "null"},
    ],
    ids=repr,
)
def test_a_page_of_another_site_loads_nothing(browser, headers):
    for address in ("/", "/v1/me"):
        assert_refused_with_a_sentence(browser.get(address, headers=headers), "A page of")


def test_a_link_on_another_site_may_lead_here(browser):
    headers = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}
    assert browser.get("/", headers={**headers, "referer": "https://chat.example/"}).status_code == 200
    assert_refused_with_a_sentence(browser.post("/admin/", headers=headers), "A page of")


def test_the_sites_own_pages_read_and_write_with_the_csrf_token(browser):
    own = {"origin": OWN, "sec-fetch-site": "same-origin", "sec-fetch-mode": "cors", "sec-fetch-dest": "empty"}
    assert browser.get("/v1/me", headers=own).status_code == 200
    assert patch(browser, **own, **{"x-csrftoken": "a" * 32}).status_code == 200
    assert patch(browser, **own).status_code == 403


def test_forms_keep_djangos_csrf_check(browser):
    response = browser.post("/admin/access/perimeter/add/", {"name": "stolen"}, headers={"origin": OWN})
    assert response.status_code == 403
    assert not Perimeter.objects.filter(name="stolen").exists()


def test_team_mode_signs_nobody_in_by_itself(settings):
    settings.MODE, settings.LOCAL_MODE = "team", False
    assert Client().get("/").status_code == 302
    assert not User.objects.exists()
