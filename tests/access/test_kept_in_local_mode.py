"""Who asks is kept for a few seconds in local mode; whatever changes it in this process is seen at once."""

import pytest
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from access import local_mode
from access.local_mode import local_perimeters, local_user
from access.models import Membership, Perimeter

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("local")]


@pytest.fixture(autouse=True)
def _the_user_is_there():
    local_user()


def selects(client) -> int:
    """How often the database is asked by a call."""
    with CaptureQueriesContext(connection) as asked:
        assert client.get("/v1/me").json()["perimeters"] is not None
    return sum(query["sql"].lstrip().startswith("SELECT") for query in asked)


def names() -> list[str]:
    return [perimeter.name for perimeter in local_perimeters()]


@pytest.mark.both
def test_a_call_asks_who_asks_only_now_and_then(strict_client, monkeypatch):
    strict_client.get("/v1/me")
    assert selects(strict_client) == 0
    now = local_mode.time.monotonic()
    monkeypatch.setattr(local_mode.time, "monotonic", lambda: now + local_mode.KEPT_FOR)
    assert selects(strict_client) == 2  # the user, the perimeters


def test_what_this_process_changes_is_seen_at_once():
    names()
    added = Perimeter.objects.create(name="added")
    assert names() == ["added", "default"]
    added.delete()
    assert names() == ["default"]
    User.objects.all().delete()
    assert local_user().pk == User.objects.get().pk
    Membership.objects.all().delete()
    local_user()
    assert Membership.objects.count() == 1


def test_what_is_rolled_back_was_never_there():
    names()
    with transaction.atomic():
        Perimeter.objects.create(name="added")
        assert names() == ["added", "default"]
        transaction.set_rollback(True)
    assert names() == ["default"]


def test_what_was_read_before_a_change_is_not_kept_after_it():
    def read() -> list[str]:
        found = names()
        kept.forget()  # meanwhile, in another thread
        return found

    kept = local_mode.Kept(read)
    assert kept.get() is not kept.get()


def test_team_mode_keeps_nothing(client, settings):
    settings.MODE, settings.LOCAL_MODE = "team", False
    User.objects.create_superuser("sue", password="a good password")
    client.force_login(User.objects.get(username="sue"))
    client.get("/v1/me")
    assert selects(client) == 3  # the session, the user, the perimeters
