"""What a page costs the database does not grow with its branch: lists are read from the ends of indexes."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from catalog.models import Alias, Asset, Branch, Component, Edge, Instance
from catalog.querysets import ASSET_ORDERS
from catalog.states import State
from tests.conftest import POSTGRES

pytestmark = [pytest.mark.both, pytest.mark.slow, pytest.mark.long]

SMALL, LARGE, AT_ONCE = 300, 3_000, 500
MAIN = "/alpha/churn/main"
LISTING = f"{MAIN}/data"
PAGES = [
    "/",
    "/alpha/churn",
    MAIN,
    LISTING,
    f"{LISTING}?page=5",
    f"{MAIN}/assets",
    *(f"{LISTING}?sort={sort}" for sort in ("name", "-consumers", "-version")),
    f"{MAIN}/pulse?since=2020-01-01",
    f"{MAIN}/pulse?since=2100-01-01",
    f"{LISTING}/asset_0007",
]


def fill(branch: Branch, first: int, last: int) -> None:
    """Assets with an instance, a consumer and an alias each; one of a hundred has failed, one was never refreshed."""
    component = Component.objects.get(name="TrainFlow")
    now = timezone.now()
    times = {number: now - timedelta(minutes=number * 7 % 5000) for number in range(first, last)}
    who = {"branch": branch, "created_at": now, "created_by": "ada"}
    assets = Asset.objects.bulk_create(
        (
            Asset(kind="data", asset_id=f"asset_{number:04}", consumer_count=number % 50, last_number=1, **who)
            for number in times
        ),
        batch_size=AT_ONCE,
    )
    instances = Instance.objects.bulk_create(
        [
            Instance(
                asset=asset,
                number=1,
                state=State.FAILED if at.minute == 7 else State.READY,
                asset_kind="artifact",
                annotations={"auc": 0.9},
                producer_kind="task",
                producer_id="TrainFlow/1/train/1",
                component=component,
                created_at=at,
                settled_at=at,
                actor="ada",
            )
            for asset, at in zip(assets, times.values(), strict=True)
        ],
        batch_size=AT_ONCE,
    )
    for asset, instance in zip(assets, instances, strict=True):
        asset.newest, asset.newest_at = instance, instance.created_at
        if instance.is_failed:
            asset.failed_at = instance.created_at
        else:
            asset.newest_ready, asset.ready_number, asset.refreshed_at = instance, 1, instance.settled_at
    Asset.objects.bulk_update(
        assets, ["newest", "newest_at", "failed_at", "newest_ready", "ready_number", "refreshed_at"], batch_size=100
    )
    last = {"last_entity_kind": "task", "last_entity_id": "ScoreFlow/1/score/1"}
    Edge.objects.bulk_create(
        [
            Edge(asset=asset, branch=branch, component=component, direction="consumes", first_at=at, last_at=at, **last)
            for asset, at in zip(assets, times.values(), strict=True)
        ],
        batch_size=AT_ONCE,
    )
    entity = {"entity_kind": "user", "entity_id": "ada"}
    Alias.objects.bulk_create(
        [Alias(asset=asset, branch=branch, name="production", updated_at=now, **entity) for asset in assets],
        batch_size=AT_ONCE,
    )
    Branch.objects.filter(pk=branch.pk).update(data_count=Asset.objects.on_branch(branch, "data").count())
    if POSTGRES:
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")


@contextmanager
def steps_of_sqlite() -> Iterator[list[int]]:
    """How many steps of a hundred instructions each SQLite does."""
    steps: list[int] = []
    connection.connection.set_progress_handler(lambda: steps.append(1), 100)
    try:
        yield steps
    finally:
        connection.connection.set_progress_handler(None, 100)


def rows_of_plan(plan: dict[str, Any]) -> int:
    """How many rows all parts of a plan of PostgreSQL have read or made."""
    removed = sum(rows for what, rows in plan.items() if what.startswith("Rows Removed"))
    rows = (plan["Actual Rows"] + removed) * plan["Actual Loops"]
    return int(rows + sum(map(rows_of_plan, plan.get("Plans", []))))


def work(client: Any, page: str) -> int:
    """What a page costs the database, in a unit of its own."""
    client.get(page)
    if not POSTGRES:
        with steps_of_sqlite() as steps:
            assert client.get(page).status_code in (200, 204)
        return len(steps)
    with CaptureQueriesContext(connection) as queries:
        assert client.get(page).status_code in (200, 204)
    rows = 0
    for query in queries:
        with connection.cursor() as cursor:
            # tables of a few thousand short rows are read as a whole sooner than fifty rows are looked up
            cursor.execute("SET LOCAL enable_seqscan = off")
            cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {query['sql']}")
            rows += rows_of_plan(cursor.fetchone()[0][0]["Plan"])
    return rows


def test_a_page_costs_the_same_on_a_large_branch(full, vic):
    branch = Branch.objects.get(key="main", project__name="churn")
    fill(branch, 0, SMALL)
    before = {page: work(vic, page) for page in PAGES}
    fill(branch, SMALL, LARGE)
    after = {page: work(vic, page) for page in PAGES}
    assert {page: (before[page], cost) for page, cost in after.items() if cost > 1.3 * before[page] + 20} == {}


COLUMNS = {"refreshed": "refreshed_at", "consumers": "consumer_count", "version": "ready_number"}


def in_python(sort: str) -> list[str]:
    """The ids of the assets in the order of a list; what lacks the value comes last either way."""
    assets = sorted(Asset.objects.filter(kind="data", branch__key="main"), key=lambda asset: asset.asset_id)
    values = {asset: getattr(asset, COLUMNS.get(sort.removeprefix("-"), "asset_id")) for asset in assets}
    known = [asset for asset in assets if values[asset] is not None]
    known.sort(key=values.get, reverse=sort.startswith("-"))  # which keeps those of equal values in their order
    return [asset.asset_id for asset in [*known, *(asset for asset in assets if values[asset] is None)]]


@pytest.mark.parametrize("sort", [f"{sign}{order}" for order in ASSET_ORDERS for sign in ("", "-")])
def test_pages_follow_each_other_in_each_order(full, vic, sort):
    fill(Branch.objects.get(key="main", project__name="churn"), 0, 120)
    pages = [vic.get(f"{LISTING}.json?sort={sort}&page={number}").json()["items"] for number in (1, 2, 3)]
    assert [item["asset"]["id"] for page in pages for item in page] == in_python(sort)
