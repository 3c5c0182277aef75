"""Failed sign-ins: counted by name and address, with a wait that grows, and no word about which accounts there are."""

from datetime import timedelta

import pytest
from axes.models import AccessAttempt
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client

from access.attempts import forget_old_attempts, wait_after
from access.errors import TooManyRequests
from access.models import AuditEntry
from access.turns import Turns

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("team", "counted")]
RIGHT = "a good password"
TOO_OFTEN = "has failed too often. Try again in"


@pytest.fixture
def counted(settings):
    settings.AXES_ENABLED = True


def sign_in(name="ada", password="wrong", address="192.0.2.7", **headers):
    form = {"username": name, "password": password, "next": "/alpha/"}
    return Client(REMOTE_ADDR=address).post("/sign-in", form, headers=headers)


def fail(times, name="ada", **more):
    return [sign_in(name, **more) for _ in range(times)][-1]


def let_pass(minutes):
    for attempt in AccessAttempt.objects.all():
        attempt.attempt_time -= timedelta(minutes=minutes)
        attempt.save()


def told():
    """What the audit log says, the oldest first."""
    entries = AuditEntry.objects.order_by("pk")
    return [(entry.action, entry.actor_name, entry.target, entry.detail) for entry in entries]


def test_the_wait_grows_with_each_failure():
    waits = [wait_after(failures) // timedelta(minutes=1) for failures in (0, 4, 5, 6, 7, 10, 11, 12, 100_000)]
    assert waits == [0, 0, 1, 2, 4, 32, 60, 60, 60]


@pytest.mark.both
def test_after_five_failures_the_right_password_has_to_wait_too(cast):
    assert fail(4).status_code == 200
    for answer in (sign_in(), sign_in(password=RIGHT)):
        assert answer.status_code == 429
        assert 50 <= int(answer["Retry-After"]) <= 60
        assert f"{TOO_OFTEN} 1 minute;" in answer.content.decode()
    let_pass(1.1)
    assert fail(1)["Retry-After"] == "120"
    let_pass(2.1)
    assert sign_in(password=RIGHT)["Location"] == "/alpha/"
    assert not AccessAttempt.objects.exists()


def test_trying_while_one_waits_makes_the_wait_no_longer(cast):
    fail(9)
    let_pass(1.1)
    assert sign_in(password=RIGHT).status_code == 302


def test_elsewhere_nobody_is_hindered(cast):
    fail(6)
    assert sign_in(password=RIGHT, address="192.0.2.8").status_code == 302
    assert sign_in("eve", RIGHT).status_code == 302
    assert sign_in(password=RIGHT).status_code == 429


def test_an_ipv6_network_is_one_address(cast):
    for number in range(5):
        answer = sign_in(address=f"2001:db8:1:2::{number}")
    assert answer.status_code == 429
    assert sign_in(password=RIGHT, address="2001:db8:1:2::9").status_code == 429
    assert sign_in(password=RIGHT, address="2001:db8:1:3::9").status_code == 302


def test_known_unknown_and_closed_accounts_are_answered_alike(cast, monkeypatch):
    User.objects.filter(username="vic").update(is_active=False)
    User.objects.create(username="bot", password="!")  # made for a token
    hashed = []
    known = User.check_password
    monkeypatch.setattr(User, "check_password", lambda *said: hashed.append(1) or known(*said))
    monkeypatch.setattr(User, "set_password", lambda *said: hashed.append(1))
    answers = {}
    for name in ("ada", "vic", "bot", "nobody", "ADA"):
        each = []
        for _ in range(6):
            answer = sign_in(name, RIGHT if name == "vic" else "wrong")
            page = answer.content.decode().replace(f'value="{name}"', "")
            each.append((answer.status_code, answer.get("Retry-After") is not None, len(hashed), len(page)))
            hashed.clear()
        answers[name] = each
    assert answers["ada"][0][:3] == (200, False, 1)
    assert answers["ada"][5][:3] == (429, True, 0)
    assert all(each == answers["ada"] for each in answers.values())


def test_what_is_kept_has_no_password(cast, client):
    for _ in range(2):
        client.post("/sign-in?x=querysecret", {"username": "hunter2", "password": "wrongsecret", "other": "formsecret"})
    client.post("/sign-in", {"username": "ada", "password": "hunter2"})
    kept = str([*AccessAttempt.objects.values(), *told()])
    assert "ada" in kept
    assert "hunter2" not in kept
    assert "secret" not in kept


def test_one_row_is_kept_whatever_the_browser_says_it_is(cast):
    for number in range(3):
        sign_in(**{"user-agent": f"browser {number}"})
    assert AccessAttempt.objects.get().failures_since_start == 3


def test_programs_are_told_in_json(cast):
    answer = fail(5, accept="application/json")
    assert (answer.status_code, answer.json()["error"]) == (429, "too_many_requests")
    assert answer.json()["detail"] == {"retry_after": 60}
    assert TOO_OFTEN in answer.json()["message"]


@pytest.mark.both
def test_the_audit_log_tells_sign_ins_and_failures_and_can_not_be_filled(cast):
    for _ in range(12):
        sign_in()
        let_pass(0.7)
    for name in ("hunter2", "nobody"):
        sign_in(name)
    sign_in(password=RIGHT, address="192.0.2.8")
    here = {"address": "192.0.2.7"}
    assert told() == [
        ("sign-in.fail", "nobody", "ada", here),
        ("sign-in.lock", "nobody", "ada", here | {"failures": 5, "minutes": 1}),
        ("sign-in.fail", "nobody", "an unknown name", here),
        ("sign-in", "ada", "ada", {"address": "192.0.2.8"}),
    ]
    assert {entry.perimeter_name for entry in AuditEntry.objects.all()} == {""}


def test_the_audit_log_has_no_more_than_so_many_failures_an_hour(cast, monkeypatch):
    monkeypatch.setattr("access.attempts.WRITTEN_DOWN", {"within": timedelta(hours=1), "most": 3})
    for number in range(5):
        sign_in(address=f"192.0.2.{number}")
    assert len(told()) == 3


def test_a_sign_in_after_failures_says_how_many(cast):
    fail(2)
    client = Client(REMOTE_ADDR="192.0.2.7")
    client.post("/sign-in", {"username": "ada", "password": RIGHT})
    out = client.post("/sign-out")
    assert out["Clear-Site-Data"] == '"cache"'
    assert told()[-2:] == [
        ("sign-in", "ada", "ada", {"address": "192.0.2.7", "failures": 2}),
        ("sign-out", "ada", "ada", {"address": "192.0.2.7"}),
    ]


def test_behind_a_proxy_the_client_s_address_counts(cast, settings):
    settings.TRUST_PROXY = True
    for address in ("203.0.113.1", "203.0.113.2"):
        sign_in(address="127.0.0.1", **{"x-forwarded-for": address})
    assert {str(attempt.ip_address) for attempt in AccessAttempt.objects.all()} == {"203.0.113.1", "203.0.113.2"}


def test_the_administration_has_no_way_in_of_its_own(cast, client):
    answer = client.post("/admin/login/", {"username": "ada", "password": RIGHT})
    assert answer["Location"] == "/sign-in?next=/admin/login/"
    assert told() == []


def test_who_is_locked_out_is_let_in_by_a_superuser_only(cast, client):
    fail(5)
    row = AccessAttempt.objects.get()
    address = f"/admin/axes/accessattempt/{row.pk}/delete/"
    client.force_login(cast.ada)
    assert client.post(address, {"post": "yes"}).status_code in (403, 404)
    assert client.get("/admin/axes/accessattempt/").status_code in (403, 404)
    client.force_login(User.objects.create_superuser("root"))
    assert "192.0.2.7" in client.get("/admin/axes/accessattempt/").content.decode()
    client.post(address, {"post": "yes"})
    assert told()[-1] == ("sign-in.unlock", "root", "ada", {"of_address": "192.0.2.7", "address": "127.0.0.1"})
    assert sign_in(password=RIGHT).status_code == 302


def test_a_command_lets_somebody_in(cast):
    fail(5)
    call_command("axes_reset_username", "ada", verbosity=0)
    assert sign_in(password=RIGHT).status_code == 302


def test_failures_are_forgotten_after_a_day(cast):
    fail(5)
    let_pass(60 * 23)
    assert forget_old_attempts() == 0
    let_pass(61)
    assert forget_old_attempts() == 1


def test_a_changed_password_is_in_the_audit_log(cast, client):
    client.force_login(cast.ada)
    new = "Correct horse battery"
    form = {"old_password": "wrong", "new_password1": new, "new_password2": new}
    assert client.post("/admin/password_change/", form).status_code == 200
    assert [entry for entry in told() if entry[0] != "sign-in"] == []
    client.post("/admin/password_change/", form | {"old_password": RIGHT})
    assert told()[-1] == ("password.change", "ada", "ada", {"address": "127.0.0.1"})


def test_signed_in_requests_and_tokens_ask_nothing_more(cast, client, issue, django_assert_num_queries):
    client.force_login(cast.vic)
    with django_assert_num_queries(3):  # the session, the user, the memberships
        client.get("/alpha/")
    secret = issue(cast.vic)
    client.get("/v1/me", headers={"x-api-key": secret})
    with django_assert_num_queries(1):  # the token
        client.get("/v1/me", headers={"x-api-key": secret})


def test_who_finds_no_turn_is_told_so_and_no_password_is_checked(cast, monkeypatch):
    def none(self, place):
        raise TooManyRequests("The site is checking another sign-in at this moment. Send the form again.")

    monkeypatch.setattr(Turns, "taken", none)
    monkeypatch.setattr(User, "check_password", lambda *said: pytest.fail("a password was checked"))
    answer = sign_in(password=RIGHT)
    assert (answer.status_code, answer["Retry-After"]) == (429, "1")
    page = answer.content.decode()
    assert "Send the form again." in page
    assert 'value="ada"' in page
    assert "This field is required" not in page
