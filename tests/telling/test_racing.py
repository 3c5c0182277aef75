"""Writes, admins and workers at the same moment: nobody is forgotten, and on PostgreSQL none is stopped as a deadlock.

On SQLite, which has one writer at a time, they come one after the other.
"""

import threading
from collections.abc import Callable

import pytest
from django.db import connection, transaction
from django.utils import timezone

from access.models import Perimeter
from catalog.models import Delivery, Project, Webhook
from catalog.outbox import heard_by_each, keep_heard
from catalog.recording.places import BranchAddress, branch_at
from telling.delivering import claim, record
from telling.kept_secrets import encrypted
from telling.sending import Answer
from telling.signing import new_secret
from telling.sorting import sort_some
from tests.conftest import POSTGRES
from tests.telling.worlds import BEGIN, World

pytestmark = [pytest.mark.both, pytest.mark.django_db(transaction=POSTGRES)]
A_MOMENT = 0.2


def meanwhile(act: Callable[[], object]) -> Callable[[], list[str]]:
    """Begin to do something in a connection of its own, and go on once it is done or has to wait; the answer waits for
    its end, and tells what went wrong."""
    wrong: list[str] = []

    def do() -> None:
        try:
            act()
        except Exception as error:
            wrong.append(f"{type(error).__name__}: {error}")
        finally:
            if POSTGRES:
                connection.close()

    thread = threading.Thread(target=do)
    if POSTGRES:
        thread.start()
        thread.join(A_MOMENT)

    def ended() -> list[str]:
        if POSTGRES:
            thread.join(20)
        else:
            do()
        return wrong

    return ended


def listens(perimeter: Perimeter) -> None:
    with transaction.atomic():
        about = {"url": "https://hooks.example.com/x", "secret": encrypted(new_secret()), "created_by": "ada"}
        Webhook.objects.create(perimeter=perimeter, created_at=timezone.now(), **about)
        keep_heard(perimeter.pk)


def test_a_project_that_is_made_in_the_same_moment_as_a_webhook_is_heard():
    perimeter = Perimeter.objects.create(name="alpha")
    with transaction.atomic():
        branch_at(BranchAddress(perimeter, "churn", "main"))
        ended = meanwhile(lambda: listens(perimeter))
    assert ended() == []
    project = Project.objects.get()
    assert project.heard == heard_by_each(perimeter.pk, [project])[project.pk] != ""


@pytest.mark.parametrize("status", [204, 500])
def test_who_changes_a_webhook_and_who_writes_down_what_became_of_its_messages_wait_for_each_other(status):
    world = World()
    webhook = world.webhook(failing_since=BEGIN)
    world.message()
    sort_some(BEGIN)
    (claimed,) = claim(timezone.now())
    with transaction.atomic():  # as it is switched on
        Webhook.objects.filter(pk=webhook.pk).update(failing_since=None)
        ended = meanwhile(lambda: record([(claimed, timezone.now(), Answer(status))]))
        Delivery.objects.filter(webhook=webhook).update(tries=0)
    assert ended() == []
    assert Delivery.objects.get().tries == 1
