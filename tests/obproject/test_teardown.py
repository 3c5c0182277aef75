"""Taking down a branch, on a served site."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import requests

from obproject import Asset, errors
from obproject.catalogue.branch import BranchCatalogue
from obproject.deploy.main import main
from obproject.deploy.teardown import TeardownResult, teardown
from obproject.settings import find_settings
from tests.conftest import Site
from tests.obproject.deploying import PROJECT, leave_this_machine, recording, write


@pytest.fixture
def project(served: Site, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    """A project whose branch ``feature/x`` is deployed, with an asset that no deployment has declared."""
    leave_this_machine(monkeypatch, tmp_path)
    monkeypatch.setenv("ASSETSITE_URL", served.url)
    name = f"torn_{uuid4().hex[:8]}"
    root = tmp_path / "project"
    write(root, PROJECT | {"obproject.toml": f'project = "{name}"\n'})
    assert main(["--quiet", "--root", str(root), "--branch", "feature/x"]) == 0
    Asset(name, "feature/x", deployment="app").register_data_asset("stray", kind="file", blobs=["a"])
    return name


def branch(site: Site, project: str, path: str) -> requests.Response:
    address = f"{site.url}/v1/perimeters/default/projects/{project}/branches/feature_x/{path}"
    return requests.get(address, timeout=20)


def assets(site: Site, project: str) -> list[str]:
    return [f"{kind}/{item['asset']['id']}" for kind in ("data", "models") for item in listed(site, project, kind)]


def listed(site: Site, project: str, kind: str) -> list[dict[str, Any]]:
    return branch(site, project, kind).json()["items"]


ALL = ["data/stray", "data/xkcd", "models/llama", "spec"]


def test_fault_16_all_assets_go_whether_a_spec_names_them_or_not(served: Site, project: str) -> None:
    said: list[str] = []
    result = teardown(f"{project}/feature/x", say=said.append)
    assert (result.status, result.deleted, result.failed) == ("ok", ALL, [])
    assert said == [f"Deleting {what} ..." for what in ALL]
    assert assets(served, project) == []
    assert branch(served, project, "latestflowproject").status_code == 404


def test_a_second_teardown_finds_nothing_to_do(project: str) -> None:
    teardown(f"{project}/feature_x")
    assert teardown(f"{project}/feature/x").status == "noop"
    assert teardown(f"{project}/never-there").status == "noop"
    assert teardown(f"{project}x/never-there").status == "noop"


def test_a_dry_run_deletes_nothing(served: Site, project: str) -> None:
    result = teardown(f"{project}/feature/x", dry_run=True)
    assert (result.status, result.deleted) == ("dry_run", ALL)
    assert assets(served, project) == ALL[:3]


@pytest.mark.parametrize("name", ["main", "master", "Main"])
def test_production_is_only_torn_down_by_force(project: str, name: str) -> None:
    with pytest.raises(errors.InvalidInput, match="production branch"):
        teardown(f"{project}/{name}")
    assert teardown(f"{project}/{name}", force=True).status == "noop"
    assert teardown(f"{project}/{name}", dry_run=True).status == "noop"


@pytest.mark.parametrize("target", ["churn", "churn/", "/main", "a b/c", "churn/--"])
def test_a_target_that_can_not_be_meant_is_refused(target: str, project: str) -> None:
    with pytest.raises(errors.InvalidInput, match=repr(target)):
        teardown(target)


def test_fault_54_a_catalogue_that_does_not_tell_is_an_error_and_nothing_is_deleted(
    served: Site, project: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ASSETSITE_PERIMETER", "unknown")
    with pytest.raises(errors.AssetNotFound, match="perimeter"):
        teardown(f"{project}/feature/x")
    with pytest.raises(errors.AssetNotFound, match="perimeter"):
        BranchCatalogue(find_settings(), project, "feature/x").spec()
    monkeypatch.setenv("ASSETSITE_PERIMETER", "default")
    monkeypatch.setenv("ASSETSITE_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("ASSETSITE_RETRIES", "0")
    with pytest.raises(errors.ServerUnreachable):
        teardown(f"{project}/feature/x")
    monkeypatch.delenv("ASSETSITE_URL")
    with pytest.raises(errors.NoServer):
        teardown(f"{project}/feature/x")
    assert assets(served, project) == ALL[:3]


def test_fault_54_a_spec_that_can_not_be_read_is_no_missing_spec() -> None:
    with recording() as server:
        settings = find_settings(url=server.url)
        server.spec_status = 500
        with pytest.raises(errors.ServerFault):
            teardown("churn/feature/x", settings=settings)
        assert server.requests == []
        server.spec_status = 404
        assert teardown("churn/feature/x", settings=settings).deleted == ["data/other", "models/other"]


def test_fault_54_a_flow_that_can_not_be_deleted_keeps_the_spec_that_names_it(served: Site, project: str) -> None:
    spec = branch(served, project, "latestflowproject").json()
    entry = {"flow_name": "OldFlow", "deployer": "argo-rollouts", "flow_template_id": "x"}
    unsafe = {"flow_name": "x; import os", "flow_template_id": "x"}
    record = {"project": project, "branch": "feature_x", "spec": spec | {"workflows": [entry, unsafe, "junk"]}}
    requests.post(f"{served.url}/v1/perimeters/default/flowprojects", json=record, timeout=20).raise_for_status()
    result = teardown(f"{project}/feature/x")
    assert (result.status, result.deleted) == ("partial", ALL[:3])
    assert {failure.what: failure.why for failure in result.failed} == {
        "flow OldFlow": "it was deployed to 'argo-rollouts', which is not known here",
        "flow x; import os": "'x; import os' can't be the name of a flow",
    }
    assert branch(served, project, "latestflowproject").json()["workflows"] == [entry, unsafe, "junk"]


def test_the_document_says_all_of_it() -> None:
    result = TeardownResult("churn", "feature/x", "default", deleted=["data/xkcd"])
    assert json.loads(json.dumps(result.document)) == {
        "status": "ok",
        "project": "churn",
        "branch": "feature/x",
        "branch_key": "feature_x",
        "perimeter": "default",
        "dry_run": False,
        "deleted": ["data/xkcd"],
        "failed": [],
    }
