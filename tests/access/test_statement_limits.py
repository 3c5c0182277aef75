"""While a request is served no statement takes longer than the limit, and afterwards nothing is limited."""

import threading
import time

import pytest
from django.contrib.auth.models import User
from django.db import OperationalError, connection, transaction

from access.models import Perimeter
from access.statement_limits import limited
from access.statements import Rows

pytestmark = [pytest.mark.both, pytest.mark.django_db(transaction=True)]

SHORT = 0.1
POSTGRESQL = connection.vendor == "postgresql"
ENDLESS = "WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"


user_named = Rows(User, 'SELECT {columns} FROM auth_user AS "user" WHERE "user".username = %(username)s')


def ask(sql):
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchone()[0]


def session_limit():
    return ask("SHOW statement_timeout") if POSTGRESQL else "0"


@pytest.mark.parametrize("reads", [True, False])
def test_a_statement_is_stopped_at_the_limit_whether_a_request_reads_or_writes(reads):
    begin = time.monotonic()
    with limited(SHORT, reads=reads), pytest.raises(OperationalError):
        ask(ENDLESS)
    assert SHORT <= time.monotonic() - begin < 20 * SHORT


def test_a_statement_in_a_transaction_is_stopped_and_nothing_of_the_transaction_stays():
    @transaction.atomic
    def write():
        Perimeter.objects.create(name="half")
        ask(ENDLESS)

    with limited(SHORT, reads=False), pytest.raises(OperationalError):
        write()
    assert not Perimeter.objects.exists()


def test_after_the_request_the_same_connection_has_no_limit():
    with limited(SHORT, reads=True):
        Perimeter.objects.count()
    time.sleep(SHORT)
    thousands = ENDLESS.replace("FROM n)", "FROM n WHERE i < 300000)")
    assert ask(thousands) == 300_000
    assert session_limit() == "0"
    assert not connection.in_atomic_block


def test_without_a_limit_nothing_is_stopped():
    with limited(0, reads=True):
        assert not connection.execute_wrappers


def test_a_reading_request_may_write_too_and_what_it_writes_stays():
    with limited(1, reads=True):
        Perimeter.objects.count()
        Perimeter.objects.create(name="alpha")
    with limited(1, reads=True):
        Perimeter.objects.filter(name="alpha").update(title="Alpha")
        assert not connection.in_atomic_block  # what is written so holds no lock while others are asked
        with transaction.atomic():
            Perimeter.objects.create(name="beta")
    assert list(Perimeter.objects.values_list("name", "title")) == [("alpha", "Alpha"), ("beta", "")]


@pytest.mark.skipif(not POSTGRESQL, reason="SQLite has no transactions for reading here")
def test_on_postgresql_all_that_is_read_shares_a_transaction_but_what_is_found_by_a_key():
    with limited(1, reads=True):
        user_named.one(username="ada")
        assert not connection.in_atomic_block
        Perimeter.objects.count()
        user_named.one(username="ada")
        assert connection.in_atomic_block
        assert ask("SHOW statement_timeout") == "1s"
    assert session_limit() == "0"


@pytest.mark.skipif(not POSTGRESQL, reason="kills a session")
def test_a_connection_that_was_lost_is_replaced_by_the_next_request():
    with limited(1, reads=True), pytest.raises(OperationalError):
        ask("SELECT pg_terminate_backend(pg_backend_pid())")
    with limited(1, reads=True):
        assert Perimeter.objects.count() == 0


def test_waiting_for_a_lock_ends_within_the_limit_too():
    Perimeter.objects.create(name="alpha")
    locked, done = threading.Event(), threading.Event()

    def lock():
        with transaction.atomic():
            Perimeter.objects.update(title="held")
            locked.set()
            done.wait(10)
        connection.close()

    holder = threading.Thread(target=lock)
    holder.start()
    locked.wait(10)
    begin = time.monotonic()
    with limited(SHORT, reads=False), pytest.raises(OperationalError), transaction.atomic():
        Perimeter.objects.update(title="late")
    waited = time.monotonic() - begin
    done.set()
    holder.join()
    assert waited < 20 * SHORT
    assert Perimeter.objects.get().title == "held"


def test_people_sign_in_and_administer_under_limits(client, cast, team):
    """Here nothing of Django's tests is around the requests, so those that read have a transaction as on a site."""
    assert client.post("/sign-in", {"username": "ada", "password": "a good password"}).status_code == 302
    membership = cast.alpha.memberships.get(user=cast.vic)
    form = f"/admin/access/membership/{membership.pk}/change/"
    for page in ("/", "/admin/", "/admin/access/membership/", form):
        assert client.get(page).status_code == 200
    saved = client.post(form, {"perimeter": cast.alpha.pk, "user": cast.vic.pk, "role": "editor"})
    membership.refresh_from_db()
    assert (saved.status_code, membership.role) == (302, "editor")
    assert client.get("/v1/perimeters").json() == ["alpha"]
    assert not connection.in_atomic_block
