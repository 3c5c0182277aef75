"""A written statement answers what the query of Django's words answers, and says so at every asking."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from django.contrib.auth.models import User
from django.db import DEFAULT_DB_ALIAS, IntegrityError, connection, connections, transaction
from django.db.models import F, Value
from django.db.models.functions import Concat

from access.identity import Viewer
from access.models import AuditEntry, Membership, Perimeter, Role, Token
from access.statements import Rows, Statement, insert, insert_with_key, moment_of
from tests.access.same_rows import whole

pytestmark = pytest.mark.both

WITH_USER = """
    SELECT {columns}, token.prefix || '…'
    FROM access_token AS token
    JOIN auth_user AS "user" ON "user".id = token.user_id
    JOIN access_perimeter AS perimeter ON perimeter.id = token.perimeter_id
    WHERE token.user_id = %(user)s AND token.prefix = %(prefix)s AND token.revoked_at IS NULL
"""
token_of = Rows(Token, WITH_USER, related=["user", "perimeter"], also=["title"])
locked_membership = Rows(
    Membership, "SELECT {columns} FROM access_membership AS membership WHERE membership.user_id = %(user)s {lock}"
)
entries = Rows(
    AuditEntry,
    """
    SELECT {columns} FROM access_auditentry AS auditentry
    LEFT JOIN auth_user AS actor ON actor.id = auditentry.actor_id ORDER BY auditentry.id
    """,
    related=["actor"],
    without=["target", "detail", "actor__password"],
    by_key=False,
)
names_since = Statement("SELECT username FROM auth_user WHERE date_joined >= %(since)s ORDER BY id", by_key=False)
kept = Statement("SELECT {moment token.expires_at} FROM access_token AS token ORDER BY id")
revoke = Statement("UPDATE access_token SET revoked_at = %(at)s WHERE prefix = %(prefix)s")


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
    return token_of.one(user=token.user_id, prefix=token.prefix)


def test_every_asking_gets_the_row_of_its_own_values_with_all_that_is_at_hand(tokens):
    for token in [*tokens.values(), *tokens.values()]:
        same = Token.objects.select_related("user", "perimeter").annotate(title=Concat(F("prefix"), Value("…")))
        assert whole(ask(token)) == whole(same.get(pk=token.pk))


def test_what_matches_nothing_is_none(tokens):
    assert token_of.one(user=tokens["ada"].user_id, prefix="another") is None
    assert token_of.all(user=-1, prefix=tokens["ada"].prefix) == []


def test_the_statements_of_a_transaction_share_a_cursor(tokens, monkeypatch):
    first = ask(tokens["ada"])
    with monkeypatch.context() as without:
        without.setattr(connections[DEFAULT_DB_ALIAS], "create_cursor", None)
        assert names_since.one(since=datetime(2000, 1, 1, tzinfo=UTC)) == ("ada",)
        assert whole(ask(tokens["ada"])) == whole(first)


def test_values_are_bound_and_never_part_of_the_sql(tokens):
    for text in ("' OR 1=1 --", "%s", "\\", "\U0001f4a5"):
        assert token_of.one(user=tokens["ada"].user_id, prefix=text) is None


def test_many_rows_some_without_what_is_related_and_with_columns_that_are_read_later(tokens):
    for actor in ("nobody", Viewer(tokens["ada"].user)):
        AuditEntry.objects.record(actor, action="test", perimeter="alpha", detail={"a": [1]})
    same = AuditEntry.objects.defer("target", "detail", "actor__password").select_related("actor").order_by("pk")
    found = entries.all()
    assert [*map(whole, found)] == [*map(whole, same)]
    assert [entry.actor for entry in found] == [None, tokens["ada"].user]
    assert found[0].detail == {"a": [1]}


def test_a_row_can_be_saved(tokens):
    found = ask(tokens["ada"])
    found.name = "nightly"
    found.save()
    assert Token.objects.get(pk=found.pk).name == "nightly"


def test_values_are_moments_too_and_answers_are_tuples(tokens):
    joined = User.objects.get(username="vic").date_joined
    assert names_since.all(since=joined) == [("vic",)]
    assert names_since.one(since=joined) == ("vic",)
    assert names_since.one(since=datetime(2040, 1, 1, tzinfo=UTC)) is None


def test_a_moment_is_answered_as_it_is_kept_and_can_be_read(tokens):
    assert [moment_of(at) for (at,) in kept.all()] == [token.expires_at for token in tokens.values()]
    if connection.vendor == "sqlite":
        assert all(isinstance(at, str) for (at,) in kept.all())


def test_what_is_written_says_how_many_rows_it_was(tokens):
    at = datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=UTC)
    assert revoke.run(at=at, prefix=tokens["ada"].prefix) == 1
    assert revoke.run(at=None, prefix="another") == 0
    assert Token.objects.get(pk=tokens["ada"].pk).revoked_at == at


def test_new_rows_are_inserted_with_or_without_their_keys(tokens):
    user = User.objects.create(username="eve")
    new = Membership(user=user, perimeter=Perimeter.objects.get(), role=Role.ADMIN)
    insert_with_key(new)
    assert whole(new)[1] == whole(Membership.objects.get(pk=new.pk))[1]
    with pytest.raises(IntegrityError), transaction.atomic():
        insert(Membership(user=user, perimeter=new.perimeter))


def test_a_lock_is_taken(tokens):
    with transaction.atomic(), connection.execute_wrapper(lambda do, sql, *rest: seen.append(sql) or do(sql, *rest)):
        seen: list[str] = []
        assert locked_membership.one(user=tokens["ada"].user_id).role == Role.EDITOR
    assert ("FOR NO KEY UPDATE OF" in seen[0]) == (connection.vendor == "postgresql")


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

    def test_postgresql_keeps_the_plans_of_what_is_found_by_a_key_only(tokens):
        for _ in range(10):
            ask(tokens["ada"])
            names_since.all(since=datetime(2040, 1, 1, tzinfo=UTC))
        with connection.cursor() as cursor:
            cursor.execute("SELECT statement FROM pg_prepared_statements")
            kept = [statement for (statement,) in cursor.fetchall()]
        assert any("revoked_at" in statement for statement in kept)
        assert not any("date_joined >= " in statement for statement in kept)


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
