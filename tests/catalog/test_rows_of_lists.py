"""Lists are answered from rows of values: what they say is what the models say, whatever is stored."""

import json
import random
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import pytest
from django.http import QueryDict

from catalog.filters import FiltersAsked
from catalog.models import Asset, Component, Instance, new_instance_id
from catalog.states import State
from catalog.wire.rendering import as_json
from catalog.wire.shapes import consumer_entry, item_shape, producer_entry, shape_at, with_equal
from tests.lanes import worlds

pytestmark = pytest.mark.both

SITE = "http://localhost/default/churn/main/data"
MOMENTS = [
    datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
    datetime(2026, 1, 2, 3, 4, 5, 60, tzinfo=UTC),
    datetime(987, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
]
OBJECTS: list[dict[str, Any]] = [{}, {"é\n": [1e-7, None, {"a b": True}]}, {"long": 10**30, '"': "\u2028 \\u00e9"}]
TAGS = [{}, {"env": "prod"}, {"team": "a=b", "é": ""}]
QUERIES = ["", "page_size=2", "state=any", "state=failed", "state=pending,ready", "tag=env=prod", "tag=env&state=any"]
OF_SUMMARIES = ["", "page_size=2&state=any", "tag=env"]


def build_world(api: Any, seed: int) -> None:
    """Assets with all that a row of a list can have: no instance, none that is ready, equal content, odd values."""
    chance = random.Random(seed)
    pick = chance.choice
    api.register("data/first", state="pending")
    api.consume("data/first/instances/v1")
    branch, person = (
        Asset.objects.get().branch,
        Component.objects.create(
            perimeter_id=Asset.objects.get().branch.project.perimeter_id, project_name="other", kind="person", name="é"
        ),
    )
    for number in range(5):
        asset = Asset.objects.create(
            branch=branch,
            kind="data",
            asset_id=f"{pick('azé_')}{number}",
            created_at=pick(MOMENTS),
            created_by="ada",
            name=pick(["", "A name"]),
            description=pick(["", "Declared."]),
            icon=pick(["", "table"]),
            asset_kind=pick(["", "s3"]),
            properties=pick(OBJECTS),
            declared_tags=pick(TAGS),
            declared_blobs=pick([[], ["s3://a", "b"]]),
            config_hash=pick(["", "h1"]),
            declared_at=pick([None, *MOMENTS]),
            declared_by_kind=pick(["", "task"]),
            declared_by_id=pick(["", "deployer"]),
        )
        made = [_instance(pick, asset, person, number) for number in range(1, chance.randrange(6))]
        ready = [row for row in made if row.state == State.READY]
        asset.newest = made[-1] if made else None
        asset.newest_ready = ready[-1] if ready else None
        asset.last_number = len(made)
        asset.alias_index = {name: pick([asset.definition_uid, *(row.uid for row in made)]) for name in ("b", "a")}
        asset.save()
        if pick([True, False]):
            api.put(
                f"data/{asset.asset_id}/instances/latest?state=any",
                {"entity_ref": {"entity_kind": "user", "entity_id": "é"}},
            )


def _instance(pick: Any, asset: Asset, component: Component, number: int) -> Instance:
    return Instance.objects.create(
        asset=asset,
        uid=new_instance_id(),
        number=number,
        state=pick([*State.values, State.READY]),
        state_reason=pick(["", "The task failed."]),
        asset_kind=pick(["artifact", "s3"]),
        description=pick(["", "Made."]),
        annotations=pick(OBJECTS),
        tags=pick(TAGS),
        blobs=pick([[], [1, "b"]]),
        producer_kind=pick(["task", "user"]),
        producer_id=pick(["F/1/s/1", "ada", "s_1"]),
        component=component,
        run=pick(["", "F/1"]),
        attempt=pick([None, 0, 3]),
        foreach_path=pick([None, "", "a:1,b:2"]),
        iteration=pick([None, 2]),
        digest=pick([None, "d1", "d2"]),
        datastore_type=pick(["", "s3"]),
        datastore_root="s3://root",
        datastore_cards=pick([None, "s3://cards"]),
        created_at=pick(MOMENTS),
        settled_at=pick([None, *MOMENTS]),
        actor="ada",
    )


def all_pages(api: Any, path: str, query: str, key: str) -> tuple[list[Any], Any]:
    """The rows of a list, page by page, and the last answer."""
    rows: list[Any] = []
    more = ""
    while True:
        answer = api.get(f"{path}?{query}{more}")
        assert answer.status_code == 200, answer.content
        rows += answer.data[key]
        if answer.data["continuation"] is None:
            return rows, answer.data
        more = f"&{urlencode({'continuation': answer.data['continuation']})}"


def by_models(shapes: Any) -> Any:
    return json.loads(as_json(shapes))


def listed_by_models(asked: FiltersAsked) -> list[Any]:
    assets = list(Asset.objects.filter(kind="data").live().matching(asked).with_newest().order_by("asset_id"))
    shown = [row for asset in assets if (row := asset.shown(asked.states))]
    first = Instance.objects.all().first_with_content_of(shown)
    return [item_shape(asset, f"{SITE}/{asset.asset_id}", asked.states, first) for asset in assets]


def asked_in(query: str) -> FiltersAsked:
    return FiltersAsked.of(QueryDict(query.replace("page_size=2", "")))


@pytest.mark.parametrize("seed", worlds(range(4)))
def test_lists_say_what_the_models_say(api, seed):
    build_world(api, seed)
    for query in QUERIES:
        assert all_pages(api, "data", query, "items")[0] == by_models(listed_by_models(asked_in(query))), query


@pytest.mark.parametrize("seed", worlds(range(4)))
def test_summaries_say_what_the_models_say(api, seed):
    build_world(api, seed)
    for query, asset in ((query, asset) for query in OF_SUMMARIES for asset in Asset.objects.with_newest()):
        asked, uid, url = asked_in(query), asset.definition_uid, f"{SITE}/{asset.asset_id}"
        rows = list(asset.instances.matching(asked).select_related("component").newest_first())
        first = Instance.objects.all().first_with_content_of(rows)
        instances = [with_equal(shape_at(asset, row, url), row, first) for row in rows]
        if asset.newest is None and Asset.objects.filter(pk=asset.pk, declared_at__isnull=False).matching(asked):
            instances = [shape_at(asset, None, url)]
        found, answer = all_pages(api, f"data/{asset.asset_id}", query, "recent_instances")
        assert found == by_models(instances), (query, asset.asset_id)
        readers = [
            consumer_entry(row, row.instance.uid if row.instance else uid) for row in asset.consumptions.newest_first()
        ]
        assert answer["recently_consumed_by"] == by_models(readers)
        if "page_size" not in query:
            assert answer["recently_produced_by"] == by_models([producer_entry(row, "main") for row in rows])
