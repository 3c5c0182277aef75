"""The protocol's calls as functions, as public examples use them."""

from __future__ import annotations

from uuid import uuid4

import pytest

from obproject import assets, errors
from obproject.entities import task_ref
from tests.conftest import Site
from tests.obproject.stub_server import StubCatalogue

TASK = task_ref("TrainFlow", "1", "start", "2")


def test_an_asset_is_registered_read_consumed_listed_and_deleted(
    served: Site, unconfigured: pytest.MonkeyPatch
) -> None:
    unconfigured.setenv("ASSETSITE_URL", served.url)
    asset = assets.Asset(f"functions_{uuid4().hex}", "feature/x")
    server = (asset.base_url, asset.service_headers)
    place = {"perimeter": asset.perimeter, "project": asset.project, "branch": "feature/x"}
    made = assets.register_asset(
        *server,
        **place,
        name="clf",
        kind="models",
        entity_ref=TASK,
        description="a classifier",
        model_asset_kind="artifact",
        annotations={"accuracy": 0.9},
        tags={"env": "test"},
    )
    assert made["ref"] == "v1"
    assert made["model_properties"]["annotations"] == {"accuracy": "0.9"}
    clf = place | {"asset": "clf"}
    assert assets.get_model_asset(*server, **clf, instance="latest")["id"] == made["id"]
    assert assets.get_model_asset_summary(*server, **clf)["recently_consumed_by"] == []
    assert assets.consume_model_asset(*server, **clf, instance="v1", entity_ref=TASK)["id"] == made["id"]
    assert assets.get_model_asset_summary(*server, **clf)["recently_consumed_by"][0]["entity_ref"] == TASK
    assert [item["asset"]["id"] for item in assets.list_model_assets(*server, **place)["items"]] == ["clf"]
    assert assets.list_data_assets(*server, **place)["items"] == []
    assets.delete_model_asset(*server, **clf)
    with pytest.raises(errors.AssetNotFound, match="clf"):
        assets.get_model_asset(*server, **clf, instance="latest")


def test_a_registration_needs_an_asset_kind() -> None:
    place = {"perimeter": "default", "project": "p", "branch": "main"}
    with pytest.raises(errors.InvalidInput, match="asset_kind"):
        assets.register_asset("http://127.0.0.1:1", {}, **place, name="x", kind="data", entity_ref=TASK)


def test_the_given_headers_go_along_and_no_token_of_the_environment(
    catalogue: StubCatalogue, unconfigured: pytest.MonkeyPatch
) -> None:
    unconfigured.setenv("ASSETSITE_TOKEN", "secret")
    place = {"perimeter": "default", "project": "p", "branch": "main"}
    assets.list_data_assets(catalogue.url, {"x-extra": "given"}, **place)
    [sent] = catalogue.requests
    assert sent.headers["x-extra"] == "given"
    assert "x-api-key" not in sent.headers
