"""Perimeters, members, tokens and the audit log in the admin."""

import re

import pytest
from django.contrib.auth.models import Permission, User

from access.authentication import viewer_of_secret
from access.models import AuditEntry, Membership, Perimeter, Role, Token

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("team")]
LISTS = ["perimeter", "membership", "token", "auditentry"]


@pytest.fixture
def root(client, cast) -> User:
    root = User.objects.create_superuser("root", password="a good password")
    client.force_login(root)
    return root


def new_token(client, cast, **fields) -> str:
    """The secret that the admin shows after adding a token."""
    data = {"user": cast.eve.pk, "perimeter": cast.alpha.pk, "role": "editor", "branch_patterns": "[]", **fields}
    page = client.post("/admin/access/token/add/", data, follow=True).content.decode()
    return "".join(re.findall(r"as_[0-9a-f]{64}", page))


@pytest.mark.parametrize("model", LISTS)
def test_lists_open_for_a_superuser_and_not_for_staff_with_every_permission(client, cast, root, model):
    AuditEntry.objects.record("somebody", action="test", perimeter="alpha")
    new_token(client, cast)
    assert client.get(f"/admin/access/{model}/").status_code == 200
    cast.ada.is_staff = True
    cast.ada.save()
    cast.ada.user_permissions.set(Permission.objects.all())
    client.force_login(cast.ada)
    assert client.get("/admin/").status_code == 200
    assert client.get(f"/admin/access/{model}/").status_code == 403
    assert client.get(f"/admin/access/{model}/add/").status_code == 403


def test_a_member_who_is_no_staff_has_no_admin(client, cast):
    client.force_login(cast.ada)
    assert client.get("/admin/access/token/").status_code == 302


def test_a_new_token_is_shown_once(client, cast, root):
    secret = new_token(client, cast, branch_patterns='["feature/*"]')
    viewer = viewer_of_secret(secret)
    assert (viewer.role_in("alpha"), viewer.branch_patterns) == (Role.EDITOR, ["feature/*"])
    token = Token.objects.get()
    assert token.created_by == "root"
    for page in ("/admin/access/token/", f"/admin/access/token/{token.pk}/change/"):
        text = client.get(page).content.decode()
        assert token.prefix in text
        assert secret not in text
        assert token.digest not in text


def test_a_token_with_bad_patterns_is_refused(client, cast, root):
    assert new_token(client, cast, branch_patterns='"feature/*"') == ""
    assert not Token.objects.exists()


def test_a_token_is_revoked_and_never_altered_or_deleted(client, cast, root):
    new_token(client, cast)
    token = Token.objects.get()
    client.post(f"/admin/access/token/{token.pk}/change/", {"role": "admin"})
    client.post(f"/admin/access/token/{token.pk}/delete/", {"post": "yes"})
    client.post("/admin/access/token/", {"action": "revoke", "_selected_action": [token.pk]})
    token.refresh_from_db()
    assert token.role == "editor"
    assert token.revoked_at is not None


def test_a_perimeter_gets_members_in_one_form_and_reserved_names_are_refused(client, cast, root):
    form = {
        "name": "gamma",
        "title": "Team Gamma",
        "memberships-TOTAL_FORMS": 1,
        "memberships-INITIAL_FORMS": 0,
        "memberships-0-user": cast.olga.pk,
        "memberships-0-role": "editor",
    }
    client.post("/admin/access/perimeter/add/", form)
    assert Membership.objects.get(perimeter__name="gamma").user == cast.olga
    refused = client.post("/admin/access/perimeter/add/", {**form, "name": "static"})
    assert "The site uses the name" in refused.content.decode()
    assert not Perimeter.objects.filter(name="static").exists()


def test_what_is_done_in_the_admin_is_in_the_audit_log(client, cast, root):
    member = Membership.objects.get(user=cast.vic)
    form = {"user": cast.vic.pk, "perimeter": cast.alpha.pk, "role": "editor"}
    client.post(f"/admin/access/membership/{member.pk}/change/", form)
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


def test_the_audit_log_can_be_read_and_not_written(client, cast, root):
    entry = AuditEntry.objects.record("somebody", action="test", perimeter="alpha", target="<b>x</b>")
    page = client.get(f"/admin/access/auditentry/{entry.pk}/change/")
    assert page.status_code == 200
    assert "<b>x</b>" not in page.content.decode()
    assert client.get("/admin/access/auditentry/add/").status_code == 403
    assert client.post(f"/admin/access/auditentry/{entry.pk}/change/", {"action": "x"}).status_code == 403
    assert client.post(f"/admin/access/auditentry/{entry.pk}/delete/", {"post": "yes"}).status_code == 403
    client.post("/admin/access/auditentry/", {"action": "delete_selected", "_selected_action": [entry.pk], "post": "y"})
    assert AuditEntry.objects.get().action == "test"
