"""The rules that rows keep by themselves."""

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import DataError, IntegrityError, transaction
from django.utils import timezone

from access.models import RESERVED_NAMES, AuditEntry, Membership, Perimeter, Role, Token, digest_of

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("name", ["a", "0", "default", "team-a", "team_a", "9lives", "x" * 64])
def test_a_perimeter_may_have_a_name_that_stands_in_an_address(name):
    assert Perimeter.objects.create(name=name).name == name


@pytest.mark.parametrize(
    "name", ["", "A", "-a", "_a", "a b", "a/b", "a.b", "ä", "a\n", "a\0", "..", "x" * 65, *RESERVED_NAMES]
)
def test_other_and_reserved_names_are_refused_however_the_row_is_made(name):
    with pytest.raises(ValidationError):
        Perimeter.objects.create(name=name)
    with pytest.raises((ValidationError, DataError)), transaction.atomic():  # PostgreSQL refuses a NUL before we do
        Perimeter.objects.get_or_create(name=name)
    assert not Perimeter.objects.exists()


def test_no_perimeter_is_named_as_the_sub_path_begins(settings):
    settings.FORCE_SCRIPT_NAME = "/our/assets"
    with pytest.raises(ValidationError, match="The site uses the name 'our' itself"):
        Perimeter.objects.create(name="our")
    assert Perimeter.objects.create(name="assets").name == "assets"


def test_roles_are_in_order():
    assert [role for role in Role if role.covers(Role.EDITOR)] == [Role.EDITOR, Role.ADMIN]
    assert [role.rank for role in (Role.VIEWER, Role.EDITOR, Role.ADMIN)] == [0, 1, 2]


def test_a_person_has_one_role_in_a_perimeter(cast):
    with pytest.raises(IntegrityError), transaction.atomic():
        Membership.objects.create(user=cast.vic, perimeter=cast.alpha, role=Role.ADMIN)


def test_the_database_refuses_an_unknown_role(cast):
    with pytest.raises(IntegrityError), transaction.atomic():
        Membership.objects.create(user=cast.vic, perimeter=cast.beta, role="owner")
    with pytest.raises(IntegrityError), transaction.atomic():
        Token.objects.create(user=cast.vic, perimeter=cast.alpha, role="owner", digest="d")


def test_the_secret_is_not_kept_anywhere(cast):
    token, secret = Token.objects.issue(user=cast.eve, perimeter=cast.alpha, role=Role.EDITOR)
    assert secret.startswith("as_")
    assert len(bytes.fromhex(secret.removeprefix("as_"))) == 32
    kept = Token.objects.filter(pk=token.pk).values().get()
    assert secret not in str(kept)
    assert kept["digest"] == digest_of(secret)
    assert kept["prefix"] == secret[:11]


def test_secrets_differ(cast):
    made = {Token.objects.issue(user=cast.eve, perimeter=cast.alpha, role=Role.EDITOR)[1] for _ in range(50)}
    assert len(made) == 50


def test_a_revocation_keeps_its_first_time(cast):
    token, _ = Token.objects.issue(user=cast.eve, perimeter=cast.alpha, role=Role.EDITOR)
    token.revoke()
    first = token.revoked_at
    token.revoke()
    assert token.revoked_at == first
    assert token.state == "revoked"


@pytest.mark.parametrize("patterns", ["feature/*", [""], [1], {"a": 1}])
def test_branch_patterns_are_a_list_of_texts(cast, patterns):
    token = Token(user=cast.eve, perimeter=cast.alpha, role=Role.EDITOR, branch_patterns=patterns)
    with pytest.raises(ValidationError) as refused:
        token.full_clean(exclude=["digest", "prefix"])
    assert set(refused.value.message_dict) == {"branch_patterns"}


def test_the_audit_log_is_append_only(cast):
    entry = AuditEntry.objects.record("command line", action="test", perimeter=cast.alpha, target="x")
    entry.action = "forged"
    for forge in (
        entry.save,
        entry.delete,
        lambda: AuditEntry.objects.update(action="forged"),
        lambda: AuditEntry.objects.all().delete(),
        lambda: AuditEntry.objects.bulk_update([entry], ["action"]),
    ):
        with pytest.raises(TypeError), transaction.atomic():
            forge()
    assert AuditEntry.objects.get().action == "test"


def test_the_audit_log_outlives_people_and_perimeters(cast):
    from access.identity import Viewer

    AuditEntry.objects.record(Viewer(cast.ada), action="test", perimeter=cast.alpha, detail={"at": timezone.now()})
    User.objects.all().delete()
    Perimeter.objects.all().delete()
    entry = AuditEntry.objects.get()
    assert (entry.actor, entry.actor_name, entry.perimeter_name) == (None, "ada", "alpha")
