"""A prepared query answers what the same query of Django's answers, and says so at every asking."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.db.models import F, QuerySet, Value
from django.db.models.functions import Concat

from access.models import Membership, Perimeter, Role, Token
from access.prepared import prepared

pytestmark = pytest.mark.both


@prepared
def token_of(user: int, prefix: str) -> QuerySet[Token]:
    tokens = Token.objects.select_related("user", "perimeter").annotate(title=Concat(F("prefix"), Value("…")))
    return tokens.filter(user=user, prefix=prefix, revoked_at=None).order_by()


@prepared
def locked_membership(user: int) -> QuerySet[Membership]:
    return Membership.objects.select_for_update(no_key=True).filter(user=user).order_by()


@prepared
def prefix_only(digest: str) -> QuerySet[Token]:
    return Token.objects.only("prefix").filter(digest=digest)


@pytest.fixture
def tokens(db):
    perimeter = Perimeter.objects.create(name="alpha")
    made = {}
    for name in ("ada", "vic"):
        user = User.objects.create(username=name)
        Membership.objects.create(user=user, perimeter=perimeter, role=Role.EDITOR)
        expires = datetime(2040, 1, 2, 3, 4, 5, 6, tzinfo=UTC)
        made[name], _ = Token.objects.issue(
            user=user, perimeter=perimeter, role=Role.EDITOR, branch_patterns=["feature/*"], expires_at=expires
        )
    return made


def ask(token):
    return token_of(user=token.user_id, prefix=token.prefix)


def test_every_asking_gets_the_row_of_its_own_values(tokens):
    for token in [*tokens.values(), *tokens.values()]:
        found, right = ask(token), Token.objects.get(pk=token.pk)
        assert {name: value for name, value in vars(found).items() if name not in ("_state", "title")} == {
            name: value for name, value in vars(right).items() if name != "_state"
        }


def test_relations_and_annotations_are_at_hand(tokens, django_assert_num_queries):
    ask(tokens["vic"])
    with django_assert_num_queries(1):
        found = ask(tokens["ada"])
        assert (found.user.username, found.perimeter.name) == ("ada", "alpha")
    assert found.title == f"{found.prefix}…"


def test_what_matches_nothing_is_none(tokens):
    assert token_of(user=tokens["ada"].user_id, prefix="another") is None
    assert token_of(user=-1, prefix=tokens["ada"].prefix) is None


def test_a_constant_of_the_query_stays(tokens):
    Token.objects.filter(pk=tokens["ada"].pk).update(revoked_at=datetime(2026, 1, 1, tzinfo=UTC))
    assert ask(tokens["ada"]) is None
    assert ask(tokens["vic"]) is not None


def test_values_are_bound_and_never_part_of_the_sql(tokens):
    for text in ("' OR 1=1 --", "%s", "\\", "\U0001f4a5"):
        assert token_of(user=tokens["ada"].user_id, prefix=text) is None


def test_the_row_can_be_saved_and_a_deferred_field_read(tokens):
    found = ask(tokens["ada"])
    found.name = "nightly"
    found.save()
    assert Token.objects.get(pk=found.pk).name == "nightly"
    partial = prefix_only(digest=found.digest)
    assert (partial.get_deferred_fields() >= {"name"}, partial.name) == (True, "nightly")


def test_a_lock_is_taken(tokens):
    with transaction.atomic(), connection.execute_wrapper(lambda do, sql, *rest: seen.append(sql) or do(sql, *rest)):
        seen: list[str] = []
        assert locked_membership(user=tokens["ada"].user_id).role == Role.EDITOR
    assert ("FOR NO KEY UPDATE" in seen[0]) == (connection.vendor == "postgresql")


@pytest.mark.django_db(transaction=True)
def test_threads_do_not_disturb_each_other(tokens):
    def names(token):
        try:
            return {ask(token).user.username for _ in range(30)}
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as threads:
        found = list(threads.map(names, [tokens["ada"], tokens["vic"]] * 2))
    assert found == [{"ada"}, {"vic"}, {"ada"}, {"vic"}]


if connection.vendor == "postgresql":

    def test_postgresql_keeps_the_plans_of_these_queries_only(tokens):
        for _ in range(10):
            ask(tokens["ada"])
            Token.objects.filter(name="not by a key").exists()
        with connection.cursor() as cursor:
            cursor.execute("SELECT statement FROM pg_prepared_statements")
            kept = [statement for (statement,) in cursor.fetchall()]
        assert any("revoked_at" in statement for statement in kept)
        assert not any('"access_token"."name" = ' in statement for statement in kept)


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has no sessions that keep statements")
@pytest.mark.parametrize("kept", [True, False])
def test_sessions_keep_statements_unless_that_is_switched_off(tokens, settings, kept):
    settings.PREPARED_STATEMENTS = kept
    with connection.cursor() as cursor:
        cursor.execute("DEALLOCATE ALL")
        for _ in range(6):
            assert ask(tokens["ada"]) == tokens["ada"]
        cursor.execute("SELECT count(*) > 0 FROM pg_prepared_statements")
        assert cursor.fetchone() == (kept,)
