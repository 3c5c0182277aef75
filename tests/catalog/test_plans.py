"""What is asked of the instances of a large catalogue is found by an index: of filters, and of the background pass."""

import pytest
from django.apps import apps
from django.db import connection
from django.http import QueryDict

from catalog.filters import FiltersAsked
from catalog.models import Asset, Component, Edge, IdempotencyKey, Instance, Run
from catalog.querysets import BACKFILLED
from catalog.reconciling import settling
from catalog.reconciling.settling import oldest_unsettled
from catalog.series.statements import to_pack
from tests.conftest import POSTGRES

pytestmark = pytest.mark.both

ON_POSTGRESQL = {"tag=env=prod": "instances_by_member", "annotation=rows=1": "instances_by_member"}
INDEXES = (
    ON_POSTGRESQL
    if POSTGRES
    else {
        # SQLite chooses without knowing the rows, PostgreSQL by them
        "producer=Flow/1": "instances_by_run",
        "producer=Flow/1/s/2": "instances_by_producer",
        "producer=ComicData": "instances_by_component",
        "since=2026-01-01": "instances_in_time",
        "until=2026-01-01": "instances_in_time",
        "same_as=v1": "instances_by_digest",
        "state=failed": "instances_by_state",
    }
)

PARTIAL = {
    index.name for model in apps.get_models() for index in model._meta.indexes if getattr(index, "condition", None)
}


@pytest.fixture
def asset(api):
    api.register("data/xkcd", digest="sha256:1")
    if POSTGRES:  # a table of one row is read as a whole
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL enable_seqscan = off")
    return Asset.objects.get()


def plan_of(found):
    return str(found.explain())


@pytest.mark.parametrize(("question", "index"), INDEXES.items())
def test_an_index_finds_what_a_filter_asks_of_an_asset(asset, question, index):
    condition = FiltersAsked.of(QueryDict(question)).by_index(asset)
    assert index in plan_of(Instance.objects.filter(condition))


def test_what_is_late_on_a_branch_is_found_without_reading_the_others(asset):
    found = Asset.objects.on_branch(asset.branch).matching(FiltersAsked.of(QueryDict("late=yes"))).order_by()
    assert "assets_by_lateness" in plan_of(found)


@pytest.mark.parametrize("question", ["tag=env", "annotation=rows>1", "annotation=rows!=1", "text=x", "kind=s3", ""])
def test_no_index_knows_the_rest(asset, question):
    assert FiltersAsked.of(QueryDict(question)).by_index(asset) is None


def test_what_was_backfilled_is_found_by_its_own_index(asset):
    late = Instance.objects.of(asset).filter(BACKFILLED, created_at__lt=asset.newest_at)
    assert "backfilled_instances" in plan_of(late)


def test_the_background_pass_finds_what_is_not_settled_without_reading_the_others(asset, monkeypatch):
    newest, plans = Instance.objects.get().pk, []
    explained = type(Instance.objects.all())
    iterate = explained.__iter__

    def noting(found):
        plans.append(plan_of(found))
        return iterate(found)

    monkeypatch.setattr(explained, "__iter__", noting)
    assert settling._unsettled(0, 200) == []
    assert ["pending_instances" in plans[0], "failed_instances" in plans[1]] == [True, True]
    assert oldest_unsettled(0) == max(0, newest - settling.UNCOMMITTED)


def test_what_can_be_packed_of_series_is_found_by_its_own_index(asset):
    """Its condition is a comparison of two columns, which a database takes for that of the index to the letter only."""
    with connection.cursor() as cursor:
        explain = "EXPLAIN" if POSTGRES else "EXPLAIN QUERY PLAN"
        cursor.execute(f"{explain} {to_pack.text}", {"after": 0})
        assert "assets_to_pack" in str(cursor.fetchall())


@pytest.mark.parametrize("model", [Asset, Instance, Run, Component, Edge, IdempotencyKey])
def test_registering_writes_no_index_that_is_the_beginning_of_another(model, db):
    with connection.cursor() as cursor:
        found = connection.introspection.get_constraints(cursor, model._meta.db_table)
    indexes = {name: it["columns"] for name, it in found.items() if it["index"]}
    whole = {name: columns for name, columns in indexes.items() if not found[name]["unique"] and name not in PARTIAL}
    assert [
        (name, other)
        for name, columns in whole.items()
        for other, more in indexes.items()
        if len(more) > len(columns) and more[: len(columns)] == columns and other not in PARTIAL
    ] == []
