"""Whatever changes a row that pages show marks it, and marks rise."""

from datetime import timedelta

import pytest
from django.apps import apps
from django.db import connection, transaction
from django.utils import timezone

from access.models import Perimeter
from catalog.counters import Recount
from catalog.marks import SETTLED_BELOW, Marked, mark_everything
from catalog.models import Asset, Branch, Component, Edge, Project, Run
from tests.conftest import POSTGRES

pytestmark = pytest.mark.both


def marks(model):
    return dict(model._base_manager.values_list("pk", "changed"))


@pytest.fixture
def known(api):
    """Rows that no write has marked yet, as those of an older version."""
    api.register("data/xkcd")
    for model in apps.get_models():
        if issubclass(model, Marked):
            model._base_manager.update(changed=None)
    return api


@pytest.mark.parametrize(
    ("model", "write"),
    [
        (Asset, lambda: Asset.objects.get().save()),
        (Asset, lambda: Asset.objects.get().save(update_fields=["icon"])),
        (Asset, lambda: Asset.objects.update(icon="x")),
        (Asset, lambda: Asset.objects.bulk_update(Asset.objects.all(), ["icon"])),
        (Asset, lambda: Asset.objects.mark()),
        (Branch, lambda: Project.objects.get().branches.update(data_count=7)),
        (Run, lambda: Run.objects.update(state="failed", read_at=None)),
        (Edge, lambda: Edge.objects.update(count=7)),
        (Project, mark_everything),
    ],
)
def test_django_marks_what_it_writes(known, model, write):
    assert set(marks(model).values()) == {None}
    write()
    assert None not in marks(model).values()


def test_new_rows_are_marked(known):
    known.register("models/new", task="NewFlow/1/start/1")
    Component.objects.bulk_create([Component(perimeter=Perimeter.objects.get(), kind="flow", name="Bulk")])
    assert Asset.objects.get(asset_id="new").changed
    assert Run.objects.get(name="NewFlow/1").changed
    assert set(Component.objects.filter(name__in=["NewFlow", "Bulk"]).values_list("changed", flat=True)) != {None}
    assert Asset.objects.get(asset_id="xkcd").changed is None


def test_what_shows_nowhere_marks_nothing(known):
    Run.objects.update(read_at=timezone.now())
    Project.objects.update(newest_highlight=None)
    assert set(marks(Run).values()) | set(marks(Project).values()) == {None}


def test_what_a_recount_takes_away_marks_what_is_left(known):
    Edge._base_manager.update(direction="consumes")
    assert Recount().run().corrections
    assert Asset.objects.get().changed


@pytest.mark.skipif(POSTGRES, reason="PostgreSQL numbers its transactions")
def test_marks_rise_whatever_the_clock_says(known):
    tomorrow = 10**6 * int((timezone.now() + timedelta(days=1)).timestamp())
    Asset._base_manager.update(changed=tomorrow)
    seen = [tomorrow]
    for name in ("new", "xkcd", "new"):
        known.register(f"data/{name}")
        seen.append(Asset.objects.get(asset_id=name).changed)
    assert sorted(set(seen)) == seen


@pytest.mark.skipif(not POSTGRES, reason="SQLite has one writer at a time")
@pytest.mark.django_db(transaction=True)
@pytest.mark.alone
def test_a_mark_is_settled_once_all_earlier_transactions_have_ended(api):
    api.register("data/xkcd")
    with transaction.atomic():
        Asset.objects.mark()
        assert Asset.objects.get().changed >= settled_below()
    assert Asset.objects.get().changed < settled_below()


def settled_below():
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {SETTLED_BELOW[connection.vendor]}")
        return cursor.fetchone()[0]
