"""`assetsite token`."""

import os
import subprocess
from io import StringIO

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command

from access.authentication import viewer_of_secret
from access.errors import Unauthorized
from access.models import AuditEntry, Membership, Perimeter, Role, Token
from tests.places import ASSETSITE

pytestmark = pytest.mark.django_db
CREATE = ["create", "--user", "ci", "--perimeter", "alpha", "--role", "editor"]


def token(*arguments: str) -> str:
    out = StringIO()
    call_command("token", *arguments, stdout=out)
    return out.getvalue()


def test_create_prints_a_working_token_alone_and_makes_what_is_missing():
    printed = token(*CREATE)
    secret = printed.strip()
    assert printed == secret + "\n"
    assert viewer_of_secret(secret).role_in("alpha") == Role.EDITOR
    assert not User.objects.get(username="ci").has_usable_password()


def test_create_takes_branches_expiry_and_a_name():
    viewer = viewer_of_secret(
        token(*CREATE, "--branch", "feature/*", "--branch", "user.*", "--expires-in", "30", "--name", "CI").strip()
    )
    assert viewer.branch_patterns == ["feature/*", "user.*"]
    assert (viewer.token.expires_at - viewer.token.created_at).days in (29, 30)
    assert viewer.token.name == "CI"


@pytest.mark.parametrize(("had", "has"), [("viewer", "editor"), ("editor", "editor"), ("admin", "admin")])
def test_a_membership_is_raised_where_needed_and_never_lowered(had, has):
    member = Membership.objects.create(
        user=User.objects.create(username="ci"), perimeter=Perimeter.objects.create(name="alpha"), role=had
    )
    token(*CREATE)
    member.refresh_from_db()
    assert member.role == has


@pytest.mark.parametrize(
    "arguments",
    [
        ["create", "--user", "ci", "--perimeter", "Bad Name", "--role", "editor"],
        ["create", "--user", "ci", "--perimeter", "v1", "--role", "editor"],
        ["create", "--user", "no spaces", "--perimeter", "alpha", "--role", "editor"],
        ["create", "--user", "", "--perimeter", "alpha", "--role", "editor"],
        ["create", "--user", "ci", "--perimeter", "alpha", "--role", "owner"],
        ["create", "--user", "ci", "--perimeter", "alpha"],
        [*CREATE, "--expires-in", "0"],
        [*CREATE, "--expires-in", "99999999"],
        [*CREATE, "--branch", ""],
        [*CREATE, "--name", "x" * 201],
        ["revoke", "as_nope"],
        ["revoke", ""],
        [],
    ],
    ids=repr,
)
def test_bad_input_is_a_sentence_and_leaves_nothing_behind(arguments):
    with pytest.raises(CommandError):
        token(*arguments)
    assert not any(model.objects.exists() for model in (Token, User, Perimeter))


def test_list_shows_tokens_without_their_secrets():
    secret = token(*CREATE, "--branch", "feature/*").strip()
    token("create", "--user", "ada", "--perimeter", "beta", "--role", "viewer")
    listed = token("list")
    assert secret not in listed
    assert secret[:11] in listed
    assert "feature/*" in listed
    assert token("list", "--user", "ada").count("\n") == token("list", "--perimeter", "beta").count("\n") == 1


def test_revoke_makes_a_token_useless():
    secret = token(*CREATE).strip()
    token("revoke", secret[:11])
    with pytest.raises(Unauthorized, match="revoked"):
        viewer_of_secret(secret)
    assert "revoked" in token("list")


def test_revoke_asks_for_more_characters_when_several_match():
    token(*CREATE)
    token(*CREATE)
    with pytest.raises(CommandError, match="2 tokens begin with"):
        token("revoke", "as_")
    assert not Token.objects.exclude(revoked_at=None).exists()


def test_what_the_command_does_is_in_the_audit_log():
    prefix = token(*CREATE)[:11]
    token("revoke", prefix)
    entries = AuditEntry.objects.order_by("pk").values_list("actor_name", "action", "target", "perimeter_name")
    assert list(entries) == [
        ("command line", "token.create", prefix, "alpha"),
        ("command line", "token.revoke", prefix, "alpha"),
    ]


def test_a_database_that_is_not_set_up_is_said_in_a_sentence(tmp_path):
    env = {"PATH": os.environ["PATH"], "ASSETSITE_HOME": str(tmp_path / "empty")}
    command = [*ASSETSITE, "token", "create", "--user", "ada", "--perimeter", "p", "--role", "editor"]
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert "assetsite manage migrate" in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
