"""``Asset`` in apps, notebooks and scripts, on a really served site."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urljoin
from uuid import uuid4

import pytest
import requests

from obproject import Asset, errors
from tests.conftest import Site
from tests.obproject.stub_server import Canned, StubCatalogue


@pytest.fixture
def app(served: Site, unconfigured: pytest.MonkeyPatch) -> Asset:
    unconfigured.setenv("ASSETSITE_URL", served.url)
    return Asset(f"app_{uuid4().hex}", "main", deployment="dashboard")


def test_fault_1_a_registration_returns_its_instance(app: Asset) -> None:
    made = app.register_data_asset("rows", kind="table")
    assert made is not None
    assert made["id"] == app.peek_data_asset("rows")["id"]


def test_fault_4_all_instances_are_reached_by_listing(app: Asset) -> None:
    for _ in range(55):
        app.register_data_asset("rows", kind="table")
    assert [one.number for one in app.list_data_asset_instances("rows")] == list(range(55, 0, -1))


def test_fault_7_annotations_keep_their_type(app: Asset) -> None:
    values = {"accuracy": 0.5, "rows": 3, "good": True, "parent": None, "by": {"a": [1]}}
    app.register_data_asset("rows", kind="table", annotations=values)
    [instance] = app.list_data_asset_instances("rows")
    assert instance.values == values
    assert instance.annotations["good"] == "True"


def test_fault_9_tags_are_found_by_the_value_they_were_given(app: Asset) -> None:
    app.register_data_asset("rows", kind="table", tags={"v": 1})
    assert [item["asset"]["id"] for item in app.list_data_assets(tags={"v": 1})["items"]] == ["rows"]
    assert app.list_data_assets(tags={"v": 2})["items"] == []


@pytest.mark.parametrize("name", ["a/b", "c?d", "e#f", "..", "", "g h"])
def test_fault_10_a_name_that_would_reach_something_else_is_refused(app: Asset, name: str) -> None:
    with pytest.raises(errors.InvalidInput):
        app.register_data_asset(name, kind="table")
    assert app.list_data_assets()["items"] == []


def test_fault_13_a_deployment_is_a_producer_and_consumer_of_its_own_kind(served: Site, app: Asset) -> None:
    app.register_model_asset("clf", kind="artifact")
    app.consume_model_asset("clf")
    url = f"{served.url}/v1/perimeters/default/projects/{app.project}/branches/main/models/clf"
    summary = requests.get(url, timeout=10).json()
    for role in ("recently_produced_by", "recently_consumed_by"):
        [entry] = summary[role]
        assert entry["component"] == {"kind": "deployment", "name": "dashboard"}


def test_fault_14_deleting_at_once_is_no_error(app: Asset) -> None:
    for _ in range(3):
        app.register_data_asset("rows", kind="table")
        with ThreadPoolExecutor(4) as pool:
            results = list(pool.map(lambda _: app.delete_data_asset("rows"), range(4)))
        assert sum(result.catalog_deleted for result in results) == 1


def test_fault_32_an_app_is_on_the_branch_that_it_was_deployed_from(
    app: Asset, unconfigured: pytest.MonkeyPatch
) -> None:
    unconfigured.setenv("OB_PROJECT", "churn")
    unconfigured.setenv("OB_BRANCH", "feature/x")
    unconfigured.setenv("ASSETSITE_DEPLOYMENT", "dashboard")
    found = Asset()
    assert (found.project, found.branch) == ("churn", "feature_x")
    assert found.entity_ref == {"entity_kind": "deployment", "entity_id": "dashboard"}


def test_fault_51_a_token_that_was_replaced_is_taken_up_by_an_app_that_runs(
    catalogue: StubCatalogue, unconfigured: pytest.MonkeyPatch
) -> None:
    unconfigured.setenv("ASSETSITE_URL", catalogue.url)
    unconfigured.setenv("ASSETSITE_TOKEN", "old")
    app = Asset("churn", "main")
    refusal = Canned(401, b'{"error": "unauthorized", "message": "The token expired.", "detail": {}}')
    catalogue.answer_next(refusal)
    with pytest.raises(errors.WrongToken, match="expired"):
        app.list_data_assets()
    assert len(catalogue.requests) == 1
    unconfigured.setenv("ASSETSITE_TOKEN", "new")
    catalogue.answer_next(refusal)
    assert app.list_data_assets()["items"] == []
    assert [request.headers["x-api-key"] for request in catalogue.requests] == ["old", "old", "new"]


def test_fault_3_ids_differ_and_say_nothing_however_fast_one_producer_registers(app: Asset) -> None:
    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(lambda _: app.register_data_asset("rows", kind="table"), range(12)))
    ids = {one["id"] for one in made if one}
    assert len(ids) == 12
    assert max(map(len, ids)) <= 40
    assert not any("dashboard" in one for one in ids)
    assert {one["ref"] for one in made if one} == {f"v{number}" for number in range(1, 13)}


@pytest.mark.parametrize(
    ("fits", "fits_not"),
    [
        ("tag=team=growth", "tag=team=sales"),
        ("annotation=accuracy>=0.9", "annotation=accuracy>=0.99"),
        ("kind=table", "kind=artifact"),
        ("producer=dashboard", "producer=trainer"),
        ("since=2001-01-01T00:00:00Z", "since=2100-01-01T00:00:00Z"),
    ],
)
def test_fault_5_the_server_filters(served: Site, app: Asset, fits: str, fits_not: str) -> None:
    app.register_model_asset("clf", kind="table", annotations={"accuracy": 0.93}, tags={"team": "growth"})
    url = f"{served.url}/v1/perimeters/default/projects/{app.project}/branches/main/models"
    found = requests.get(f"{url}?{fits}", timeout=10).json()
    assert [item["asset"]["id"] for item in found["items"]] == ["clf"]
    assert requests.get(f"{url}?{fits_not}", timeout=10).json()["items"] == []


@pytest.mark.parametrize("key", ["a=b", '"quoted"', "p>0.5", "team"])
def test_assets_are_listed_by_tags_of_any_key(app: Asset, key: str) -> None:
    app.register_model_asset("clf", kind="table", tags={key: "x=y"})
    assert [item["asset"]["id"] for item in app.list_model_assets(tags={key: "x=y"})["items"]] == ["clf"]
    assert app.list_model_assets(tags={key: "x"})["items"] == []


def test_fault_6_a_version_is_marked_without_registering_another_one(app: Asset) -> None:
    for _ in range(2):
        app.register_model_asset("clf", kind="artifact")
    app.set_alias("clf", "deprecated", "v1")
    assert app.peek_model_asset("clf", "v1")["aliases"] == ["deprecated"]
    assert app.peek_model_asset("clf", "latest")["ref"] == "v2"
    assert [move.alias for move in app.alias_history("clf")] == ["deprecated"]


def test_fault_16_the_spec_agrees_with_the_catalogue_whoever_came_first(served: Site, app: Asset) -> None:
    app.register_data_asset("before", kind="table", description="as it was")
    deploy(served, app.project)
    app.register_data_asset("after", kind="table")
    app.register_data_asset("before", kind="table", description="as it is")
    spec = app.get_flowproject_spec()
    assert spec is not None
    assert {entry["id"] for entry in spec["data"]} == {"before", "after"}
    assert {entry["id"]: entry.get("description") for entry in spec["data"]}["before"] == "as it is"
    app.delete_data_asset("before")
    assert [entry["id"] for entry in (app.get_flowproject_spec() or {})["data"]] == ["after"]


def test_fault_17_a_version_id_with_slashes_is_as_good_as_any(served: Site, app: Asset) -> None:
    answer = deploy(served, app.project, version_id="release/1.0/a b?#")
    assert answer["version_id"] == "release/1.0/a b?#"
    assert app.get_flowproject_spec() is not None
    assert requests.get(answer["url"], timeout=10).status_code == 200


def deploy(served: Site, project: str, version_id: str = "1") -> dict[str, Any]:
    """Deploy an empty project on ``main``, and return the answer."""
    body = {
        "branch_name": "main",
        "version_id": version_id,
        "entity_ref": {"entity_kind": "ci", "entity_id": "obproject-deploy"},
        "spec": {"project_name": project, "project_branch": "main", "data": [], "models": []},
        "definitions": [],
    }
    url = f"{served.url}/v1/perimeters/default/projects/{project}/branches/main/deploys"
    answer = requests.post(url, json=body, timeout=10)
    assert answer.status_code == 200, answer.text
    return {**answer.json(), "url": urljoin(served.url, answer.json()["url"])}
