"""The administration: who may enter, and what they manage there: perimeters, members, tokens, accounts, audit log."""

import re
from datetime import timedelta

import pytest
from django import forms
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.contrib.sessions.models import Session
from django.db import transaction
from django.test import Client
from django.utils import timezone

from access.admin import MembershipForm
from access.authentication import viewer_of_secret
from access.models import AuditEntry, Membership, Perimeter, Role, Token
from tests.lanes import every

pytestmark = [pytest.mark.django_db, pytest.mark.slow]
MODELS = ["perimeter", "membership", "token", "auditentry"]
PASSWORD = "a good password"


@pytest.fixture(autouse=True)
def _team_mode(team):
    pass


@pytest.fixture
def root(client, cast) -> User:
    root = User.objects.create_superuser("root", password=PASSWORD)
    client.force_login(root)
    return root


@pytest.fixture
def ada(client, cast) -> User:
    """The admin of alpha, signed in."""
    client.force_login(cast.ada)
    return cast.ada


def new_token(client, cast, **fields) -> str:
    """The secret that the admin shows after adding a token."""
    data = {"user": "eve", "perimeter": cast.alpha.pk, "role": "editor", "branch_patterns": "", **fields}
    page = client.post("/admin/access/token/add/", data, follow=True).content.decode()
    return "".join(set(re.findall(r"as_[0-9a-f]{64}", page)))


def add_member(client, perimeter, name, role="viewer") -> str:
    data = {"perimeter": perimeter.pk, "user": name, "role": role}
    return client.post("/admin/access/membership/add/", data, follow=True).content.decode()


def members_of(perimeter) -> dict[str, str]:
    return dict(perimeter.memberships.values_list("user__username", "role"))


def member_rows(*rows: dict[str, object], initial: int = 0) -> dict[str, object]:
    """The fields of the members in the form of a perimeter."""
    fields = {f"memberships-{at}-{name}": value for at, row in enumerate(rows) for name, value in row.items()}
    return {"memberships-TOTAL_FORMS": len(rows), "memberships-INITIAL_FORMS": initial, **fields}


# Who may enter


@pytest.mark.parametrize(("name", "status"), [("ada", 200), ("eve", 200), ("olga", 200), ("vic", 404)])
def test_whoever_may_write_somewhere_may_enter(client, cast, name, status):
    client.force_login(getattr(cast, name))
    assert client.get("/admin/").status_code == status


def test_a_viewer_is_told_why_and_not_sent_in_circles(client, cast):
    cast.vic.is_staff = True
    cast.vic.save()
    cast.vic.user_permissions.set(Permission.objects.all())
    client.force_login(cast.vic)
    for address in (
        "/admin/",
        "/admin/login/",
        "/admin/login/?next=/admin/",
        "/admin/access/token/",
        "/admin/nothing/",
    ):
        response = client.get(address, follow=True)
        assert response.status_code == 404
        assert "people with the role editor or admin" in response.content.decode()


def test_a_stranger_signs_in_first_and_comes_back(client, cast):
    for address in ("/admin/", "/admin/access/token/", "/admin/login/"):
        assert client.get(address)["Location"] == f"/sign-in?next={address}"
    back = client.post("/sign-in", {"username": "eve", "password": PASSWORD, "next": "/admin/login/"}, follow=True)
    assert back.request["PATH_INFO"] == "/admin/"
    assert back.status_code == 200


def test_a_closed_account_does_not_enter(client, cast):
    client.force_login(cast.ada)
    User.objects.filter(pk=cast.ada.pk).update(is_active=False)
    assert client.get("/admin/").status_code == 302


def test_tokens_do_not_enter(client, cast, issue):
    secret = issue(cast.ada, Role.ADMIN)
    assert client.get("/admin/", headers={"x-api-key": secret}).status_code == 404
    client.force_login(cast.ada)
    assert client.get("/admin/", headers={"x-api-key": secret}).status_code == 404


def test_the_user_of_local_mode_manages_everything(cast, local):
    client = Client(SERVER_NAME="localhost")
    for model in MODELS:
        assert client.get(f"/admin/access/{model}/").status_code == 200
    assert client.get("/admin/auth/user/").status_code == 200
    add_member(client, cast.beta, "vic")
    assert members_of(cast.beta) == {"olga": "admin", "vic": "viewer"}


def test_local_mode_has_no_password_to_change(cast, local):
    assert Client(SERVER_NAME="localhost").get("/admin/password_change/").status_code == 404


def test_an_editor_has_the_catalogue_only(client, cast):
    client.force_login(cast.eve)
    page = client.get("/admin/").content.decode()
    assert "/admin/catalog/asset/" in page
    assert "/admin/access/" not in page
    for model in MODELS:
        assert client.get(f"/admin/access/{model}/").status_code == 403
        assert client.get(f"/admin/access/{model}/add/").status_code == 403
    assert client.get(f"/admin/access/perimeter/{cast.alpha.pk}/change/").status_code == 404
    assert add_member(client, cast.alpha, "olga") != ""
    assert new_token(client, cast) == ""
    assert (members_of(cast.alpha).get("olga"), Token.objects.count()) == (None, 0)


def test_forms_check_csrf(strict_client, cast):
    strict_client.force_login(cast.ada)
    form = {"perimeter": cast.alpha.pk, "user": "olga", "role": "admin"}
    assert strict_client.post("/admin/access/membership/add/", form).status_code == 403


# Perimeter admins stay within their perimeters


def test_lists_hold_only_the_own_perimeters(client, cast, ada, issue):
    issue(cast.olga, perimeter=cast.beta, name="of beta")
    AuditEntry.objects.record("somebody", action="test", perimeter="beta")
    AuditEntry.objects.record("somebody", action="account.create", perimeter="")
    for model in MODELS:
        page = client.get(f"/admin/access/{model}/")
        assert page.status_code == 200
        assert not re.search("beta|olga|account.create", page.content.decode())
    for model in ("membership", "token"):
        assert "beta" not in client.get(f"/admin/access/{model}/add/").content.decode()


def test_rows_of_another_perimeter_are_not_there(client, cast, ada, issue):
    issue(cast.olga, perimeter=cast.beta)
    entry = AuditEntry.objects.record("somebody", action="test", perimeter="beta")
    rows = {
        "perimeter": cast.beta,
        "membership": Membership.objects.get(user=cast.olga),
        "token": Token.objects.get(),
        "auditentry": entry,
    }
    for model, row in rows.items():
        for way in ("change", "history"):
            assert client.get(f"/admin/access/{model}/{row.pk}/{way}/").status_code == 404
    membership = rows["membership"]
    for way in ("change", "delete"):
        form = {"role": "viewer", "post": "yes"}
        assert client.post(f"/admin/access/membership/{membership.pk}/{way}/", form).status_code == 404
    form = {"title": "Taken", **member_rows({"user": "ada", "role": "admin"})}
    assert client.post(f"/admin/access/perimeter/{cast.beta.pk}/change/", form).status_code == 404
    cast.beta.refresh_from_db()
    assert (members_of(cast.beta), cast.beta.title) == ({"olga": "admin"}, "")


def test_a_role_below_admin_manages_nothing_in_that_perimeter(client, cast, ada):
    Membership.objects.create(user=ada, perimeter=cast.beta, role=Role.EDITOR)
    assert client.get(f"/admin/access/perimeter/{cast.beta.pk}/change/").status_code == 404
    add_member(client, cast.beta, "vic")
    assert members_of(cast.beta) == {"olga": "admin", "ada": "editor"}


def test_members_come_in_by_name(client, cast, ada):
    add_member(client, cast.alpha, " olga ", "editor")
    assert members_of(cast.alpha)["olga"] == "editor"
    assert (AuditEntry.objects.get().actor_name, AuditEntry.objects.get().action) == ("ada", "membership.create")


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("nobody", "There is no account named “nobody”."),
        ("OLGA", "There is no account named"),
        ("a\x00b", "Null characters are not allowed."),
        ("", "This field is required."),
        ("vic", "vic is a member of alpha already."),
    ],
)
def test_a_name_that_does_not_do_is_said_in_the_form(client, cast, ada, name, sentence):
    before = members_of(cast.alpha)
    assert sentence in add_member(client, cast.alpha, name)
    assert members_of(cast.alpha) == before


def test_a_forged_perimeter_or_role_is_refused(client, cast, ada):
    assert "Select a valid choice" in add_member(client, cast.beta, "vic", "admin")
    assert "Select a valid choice" in add_member(client, cast.alpha, "olga", "superuser")
    assert members_of(cast.beta) == {"olga": "admin"}
    assert "olga" not in members_of(cast.alpha)


def test_only_the_role_of_a_member_changes(client, cast, ada):
    member = Membership.objects.get(user=cast.vic)
    form = {"user": "olga", "perimeter": cast.beta.pk, "role": "editor"}
    client.post(f"/admin/access/membership/{member.pk}/change/", form)
    member.refresh_from_db()
    assert (member.user, member.perimeter, member.role) == (cast.vic, cast.alpha, "editor")


def test_the_members_of_a_perimeter_are_managed_on_its_page(client, cast, ada):
    eve, vic = (Membership.objects.get(user=user) for user in (cast.eve, cast.vic))
    rows = member_rows(
        {"id": eve.pk, "perimeter": cast.alpha.pk, "user": "olga", "role": "viewer"},
        {"id": vic.pk, "perimeter": cast.alpha.pk, "role": "viewer", "DELETE": "on"},
        {"id": "", "perimeter": cast.alpha.pk, "user": "olga", "role": "editor"},
        initial=2,
    )
    address = f"/admin/access/perimeter/{cast.alpha.pk}/change/"
    assert client.post(address, {"title": "Alpha", "name": "gamma", **rows}).status_code == 302
    assert members_of(cast.alpha) == {"ada": "admin", "eve": "viewer", "olga": "editor"}
    cast.alpha.refresh_from_db()
    assert (cast.alpha.name, cast.alpha.title) == ("alpha", "Alpha")
    assert sorted(AuditEntry.objects.values_list("action", "target")) == [
        ("membership.change", "eve"),
        ("membership.create", "olga"),
        ("membership.delete", "vic"),
        ("perimeter.change", "alpha"),
    ]


def test_a_member_of_another_perimeter_cannot_be_forged_into_the_page(client, cast, ada):
    olga = Membership.objects.get(user=cast.olga)
    for more in ({"role": "viewer"}, {"role": "admin", "DELETE": "on"}):
        rows = member_rows({"id": olga.pk, "perimeter": cast.beta.pk, "user": "olga", **more}, initial=1)
        client.post(f"/admin/access/perimeter/{cast.alpha.pk}/change/", {"title": "", **rows})
    assert members_of(cast.beta) == {"olga": "admin"}
    assert set(members_of(cast.alpha)) == {"ada", "eve", "vic"}


def test_a_member_is_added_once_on_the_page_too(client, cast, ada):
    rows = member_rows({"user": "vic", "role": "admin"})  # from a page opened before vic came in
    response = client.post(f"/admin/access/perimeter/{cast.alpha.pk}/change/", {"title": "", **rows})
    assert "vic is a member of alpha already." in response.content.decode()
    rows = member_rows({"user": "olga", "role": "admin"}, {"user": "olga", "role": "viewer"})
    assert client.post(f"/admin/access/perimeter/{cast.alpha.pk}/change/", {"title": "", **rows}).status_code == 200
    assert members_of(cast.alpha) == {"ada": "admin", "eve": "editor", "vic": "viewer"}


def test_perimeters_and_accounts_are_for_superusers(client, cast, ada):
    form = {"name": "gamma", "title": "", **member_rows()}
    assert client.post("/admin/access/perimeter/add/", form).status_code == 403
    assert not Perimeter.objects.filter(name="gamma").exists()
    for address in ("", "add/", f"{cast.olga.pk}/change/", f"{cast.olga.pk}/password/"):
        assert client.get(f"/admin/auth/user/{address}").status_code == 403
        assert client.post(f"/admin/auth/user/{address}", {"is_superuser": "on"}).status_code == 403
    assert not User.objects.filter(is_superuser=True).exists()
    look_up = "/admin/autocomplete/?app_label=access&model_name=membership&field_name=user&term="
    assert client.get(look_up).status_code == 403


def test_related_rows_cannot_be_probed_through_filters(client, cast, ada):
    for probe in ("user__password__startswith=pbkdf2", "user__email__contains=@", "perimeter__memberships__role=admin"):
        assert client.get(f"/admin/access/token/?{probe}").status_code == 400


@pytest.mark.parametrize("query", ["q=%00", "action=%00", "perimeter_name=a%00b", "o=%00"])
def test_what_no_row_can_hold_is_not_looked_up(client, cast, ada, query):
    assert client.get(f"/admin/access/auditentry/?{query}").status_code == 400


LISTS = ["access/perimeter", "access/membership", "access/token", "access/auditentry", "auth/user"]
HUGE = "9" * 30
QUERIES = [
    *(f"at__year={year}" for year in ("99999999999999", "9999", "0", "-1", "abc", "", "%C2%B2", "1", "1&at__year=x")),
    *(f"at__year=2026&at__month={month}" for month in ("13", "0", HUGE, "x")),
    *("at__year=2026&at__month=2&at__day=30", "at__year=9998&at__month=12&at__day=31", f"at__day={HUGE}"),
    *("at__month=2", "at__day=3", "at__month=2&at__day=3"),
    *(f"at={time}" for time in ("9999-12-31T23:59:59-23:59", "0001-01-01T00:00%2B14:00", "x", "")),
    *(f"at__exact={time}" for time in ("9999-12-31T23:59:59-23:59", "2026-02-30")),
    *(f"{field}__{way}={value}" for field in ("actor_name", "username", "at", "id", "role")
      for way in ("regex", "iregex", "in", "range", "gt", "isnull", "exact", "year", "nothing")
      for value in ("(((", HUGE)),
    *(f"{name}={value}" for name in ("p", "o", "e", "id", "pk", "all", "_popup", "_to_field", "_facets", "perimeter",
                                     "perimeter__id__exact", "detail", "is_active__exact", "date_joined__year")
      for value in (HUGE, "-1", "1.2.-3.-", "x", "", "'\"", "%ED%A0%80", "%00")),
    "q=" + "+".join("ab" for _ in range(1500)),
    *("q=%22", "q=%27%22%5C", "__=1", "=1", "__exact=1", "at__=1", "perimeter__memberships__user__password__year=2"),
]  # fmt: skip


@pytest.mark.each
@pytest.mark.parametrize("queries", every(24, QUERIES))
@pytest.mark.parametrize("model", LISTS)
def test_no_query_of_a_list_is_a_failure(client, cast, root, issue, model, queries):
    issue(cast.eve)
    AuditEntry.objects.record("somebody", action="test", perimeter="alpha")
    client.raise_request_exception = False
    answers = {}
    for query in queries:
        with transaction.atomic():
            answers[query] = client.get(f"/admin/{model}/?{query}", follow=True).status_code
            transaction.set_rollback(True)
    assert {query: status for query, status in answers.items() if status not in (200, 400)} == {}


def test_a_year_that_never_comes_is_refused_and_a_real_one_listed(client, cast, root):
    AuditEntry.objects.record("somebody", action="test", perimeter="alpha")
    address, now = "/admin/access/auditentry/", timezone.now()
    for good in (f"at__year={now.year}", f"at__year={now.year}&at__month={now.month}&at__day={now.day}", "at__year=2"):
        assert client.get(f"{address}?{good}").status_code == 200
    assert client.get(f"{address}?at__year=99999999999999").status_code == 400
    assert client.get(f"{address}?actor_name__regex=((a%2B)%2B)%2B$").status_code == 400


# Two people at once


@pytest.mark.parametrize("page", ["membership", "perimeter"])
def test_a_member_whom_somebody_else_adds_at_that_instant_is_told_in_the_form(client, cast, ada, monkeypatch, page):
    """As if the other one had added vic after this form was checked, and before it was saved."""
    checks = [forms.ModelForm.clean, MembershipForm.clean, MembershipForm.clean]
    monkeypatch.setattr(MembershipForm, "clean", lambda form: checks.pop(0)(form))
    monkeypatch.setattr(MembershipForm, "validate_unique", lambda form: None)
    monkeypatch.setattr(Membership, "validate_constraints", lambda row, exclude=None: None)
    if page == "membership":
        said = add_member(client, cast.alpha, "vic", "editor")
    else:
        form = {"title": "Taken", **member_rows({"user": "vic", "role": "editor"})}
        said = client.post(f"/admin/access/perimeter/{cast.alpha.pk}/change/", form).content.decode()
    assert len(checks) == 1
    assert "vic is a member of alpha already." in said
    cast.alpha.refresh_from_db()
    assert (members_of(cast.alpha)["vic"], cast.alpha.title, AuditEntry.objects.count()) == ("viewer", "", 0)


# Tokens


def test_a_new_token_is_shown_once(client, cast, ada):
    secret = new_token(client, cast, branch_patterns="feature/*\r\n\r\n user.eve \r\n")
    viewer = viewer_of_secret(secret)
    assert (viewer.role_in("alpha"), viewer.branch_patterns) == (Role.EDITOR, ["feature/*", "user.eve"])
    token = Token.objects.get()
    assert token.created_by == "ada"
    for page in ("/admin/access/token/", f"/admin/access/token/{token.pk}/change/"):
        text = client.get(page).content.decode()
        assert token.prefix in text
        assert secret not in text
        assert token.digest not in text


def test_its_secret_is_in_the_answer_alone(client, cast, ada):
    data = {"user": "eve", "perimeter": cast.alpha.pk, "role": "editor", "branch_patterns": ""}
    answer = client.post("/admin/access/token/add/", data, REMOTE_ADDR="192.0.2.7")
    (secret,) = set(re.findall(r"as_[0-9a-f]{64}", answer.content.decode()))
    assert answer.status_code == 200
    assert "no-store" in answer.headers["Cache-Control"]
    assert "messages" not in answer.cookies
    assert secret not in str([list(model.objects.values()) for model in (Token, AuditEntry, LogEntry, Session)])
    entry = AuditEntry.objects.get(action="token.create")
    assert entry.detail == {"user": "eve", "role": "editor", "branches": [], "address": "192.0.2.7"}


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"user": "olga"}, "olga is no member of alpha"),
        ({"user": "nobody"}, "There is no account named"),
        ({"role": "admin"}, "eve is editor in alpha"),
        ({"user": "vic"}, "vic is viewer in alpha"),
        ({"role": "superuser"}, "Select a valid choice"),
        ({"expires_at_0": "2020-01-01", "expires_at_1": "12:00"}, "This time is past"),
        ({"branch_patterns": "x" * 4001}, "at most 4000 characters"),
        ({"branch_patterns": "feature/\x00"}, "Null characters are not allowed."),
        ({"name": "a\x00b"}, "Null characters are not allowed."),
    ],
)
def test_a_token_can_do_no_more_than_its_member(client, cast, ada, fields, sentence):
    data = {"user": "eve", "perimeter": cast.alpha.pk, "role": "editor", **fields}
    response = client.post("/admin/access/token/add/", data)
    assert response.status_code == 200
    assert sentence in response.content.decode()
    assert not Token.objects.exists()


def test_a_token_for_another_perimeter_is_refused(client, cast, ada):
    assert new_token(client, cast, perimeter=cast.beta.pk, user="olga") == ""
    assert not Token.objects.exists()


def test_a_token_may_expire(client, cast, ada):
    soon = timezone.now() + timedelta(days=2)
    assert new_token(client, cast, expires_at_0=f"{soon:%Y-%m-%d}", expires_at_1="12:00")
    assert f"{Token.objects.get().expires_at:%Y-%m-%d %H:%M}" == f"{soon:%Y-%m-%d} 12:00"


def test_a_token_is_revoked_and_never_altered_or_deleted(client, cast, ada):
    new_token(client, cast)
    token = Token.objects.get()
    assert client.post(f"/admin/access/token/{token.pk}/change/", {"role": "admin"}).status_code == 403
    assert client.post(f"/admin/access/token/{token.pk}/delete/", {"post": "yes"}).status_code == 403
    client.post("/admin/access/token/", {"action": "revoke", "_selected_action": [token.pk]})
    token.refresh_from_db()
    assert token.role == "editor"
    assert token.revoked_at is not None


def test_a_token_of_another_perimeter_cannot_be_revoked(client, cast, ada, issue):
    issue(cast.olga, perimeter=cast.beta)
    token = Token.objects.get()
    client.post("/admin/access/token/", {"action": "revoke", "_selected_action": [token.pk], "select_across": 1})
    token.refresh_from_db()
    assert token.revoked_at is None


# Superusers


def test_a_perimeter_gets_members_in_one_form_and_reserved_names_are_refused(client, cast, root):
    form = {"name": "gamma", "title": "Team Gamma", **member_rows({"user": "olga", "role": "editor"})}
    client.post("/admin/access/perimeter/add/", form)
    assert members_of(Perimeter.objects.get(name="gamma")) == {"olga": "editor"}
    refused = client.post("/admin/access/perimeter/add/", {**form, "name": "static"})
    assert "The site uses the name" in refused.content.decode()
    assert not Perimeter.objects.filter(name="static").exists()
    assert client.post(f"/admin/access/perimeter/{cast.alpha.pk}/delete/", {"post": "yes"}).status_code == 403


def test_accounts_are_made_and_closed_and_never_deleted(client, cast, root):
    form = {"username": "nina", "usable_password": "true", "password1": "Correct horse", "password2": "Correct horse"}
    client.post("/admin/auth/user/add/", form)
    nina = User.objects.get(username="nina")
    everything = [permission.pk for permission in Permission.objects.all()]
    change = {"username": "nina", "is_staff": "on", "user_permissions": everything}
    assert client.post(f"/admin/auth/user/{nina.pk}/change/", change).status_code == 302
    nina.refresh_from_db()
    assert (nina.is_active, nina.is_staff, nina.user_permissions.count()) == (False, False, 0)
    assert client.post(f"/admin/auth/user/{nina.pk}/delete/", {"post": "yes"}).status_code == 403
    recorded = AuditEntry.objects.order_by("pk").values_list("actor_name", "action", "target", "perimeter_name")
    assert list(recorded) == [("root", "account.create", "nina", ""), ("root", "account.change", "nina", "")]


def test_setting_a_password_is_in_the_audit_log_and_the_password_is_not(client, cast, root):
    form = {"usable_password": "true", "password1": "Correct horse", "password2": "Correct horse"}
    client.post(f"/admin/auth/user/{cast.vic.pk}/password/", form)
    cast.vic.refresh_from_db()
    assert cast.vic.check_password("Correct horse")
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.target) == ("account.change", "vic")
    assert "horse" not in str(entry.detail)


def test_what_is_done_in_the_admin_is_in_the_audit_log(client, cast, root):
    member = Membership.objects.get(user=cast.vic)
    client.post(f"/admin/access/membership/{member.pk}/change/", {"role": "editor"})
    client.post(f"/admin/access/membership/{member.pk}/delete/", {"post": "yes"})
    new_token(client, cast)
    token = Token.objects.get()
    client.post("/admin/access/token/", {"action": "revoke", "_selected_action": [token.pk]})
    entries = AuditEntry.objects.order_by("pk").values_list("actor_name", "action", "target", "perimeter_name")
    assert list(entries) == [
        ("root", "membership.change", "vic", "alpha"),
        ("root", "membership.delete", "vic", "alpha"),
        ("root", "token.create", token.prefix, "alpha"),
        ("root", "token.revoke", token.prefix, "alpha"),
    ]


@pytest.mark.parametrize("who", ["root", "ada"])
def test_the_audit_log_can_be_read_and_not_written(client, cast, request, who):
    request.getfixturevalue(who)
    entry = AuditEntry.objects.record("somebody", action="test", perimeter="alpha", target="<b>x</b>")
    page = client.get(f"/admin/access/auditentry/{entry.pk}/change/")
    assert page.status_code == 200
    assert "<b>x</b>" not in page.content.decode()
    assert client.get("/admin/access/auditentry/add/").status_code == 403
    assert client.post(f"/admin/access/auditentry/{entry.pk}/change/", {"action": "x"}).status_code == 403
    assert client.post(f"/admin/access/auditentry/{entry.pk}/delete/", {"post": "yes"}).status_code == 403
    client.post("/admin/access/auditentry/", {"action": "delete_selected", "_selected_action": [entry.pk], "post": "y"})
    assert AuditEntry.objects.get().action == "test"


@pytest.mark.parametrize("model", ["membership", "token"])
def test_a_list_costs_the_same_however_long_it_is(client, cast, root, issue, django_assert_max_num_queries, model):
    for number in range(30):
        user = User.objects.create_user(f"member{number}")
        Membership.objects.create(user=user, perimeter=cast.alpha)
        issue(user)
    # session, user, memberships, two counts, the rows, and the perimeters of the filter
    with django_assert_max_num_queries(9):
        assert client.get(f"/admin/access/{model}/").status_code == 200
