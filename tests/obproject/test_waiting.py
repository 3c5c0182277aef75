"""Reading what a task registers: by that task at once, by others when it has ended or after a stated time."""

from __future__ import annotations

import threading
from types import SimpleNamespace
from typing import Any

import pytest

from obproject.errors import AssetNotFound, InstancePending, InvalidInput
from obproject.prj import ProjectContext
from obproject.task import running, waiting
from tests.obproject.stub_server import StubCatalogue
from tests.obproject.tasks import running_task

OTHER_TASK = {"entity_kind": "task", "entity_id": "TrainFlow/11/train/7"}


def project(config: dict[str, Any] | None = None, **artifacts: Any) -> ProjectContext:
    """The project of a flow whose task runs now, with these artifacts."""
    flow = SimpleNamespace(
        name="TrainFlow", project_config={"project": "churn", **(config or {})}, project_spec={}, _datastore=None
    )
    vars(flow).update(artifacts)
    running._current = running_task(flow)
    return ProjectContext(flow)


@pytest.fixture(autouse=True)
def _configured(unconfigured: pytest.MonkeyPatch, catalogue: StubCatalogue) -> None:
    unconfigured.setenv("ASSETSITE_URL", catalogue.url)
    unconfigured.setattr(waiting, "_FIRST_PAUSE", 0.02)
    unconfigured.setattr(running, "_current", None)


@pytest.fixture(autouse=True)
def _in_a_task(monkeypatch: pytest.MonkeyPatch) -> None:
    from metaflow import current

    known = {"branch_name": "user.alice"}
    monkeypatch.setattr(type(current), "get", lambda self, key, default=None: known.get(key, default))
    monkeypatch.setattr("obproject.assets.who_is_running", lambda: running_task().ref)


def finish() -> None:
    """Wait until the catalogue has recorded the reads so far."""
    task = running.running_task()
    assert task
    task.journal.finish()


def pending(catalogue: StubCatalogue, name: str = "rows", branch: str = "user_alice") -> dict[str, Any]:
    """An instance that another task has registered and not confirmed yet."""
    instance = {
        "id": f"other-{name}",
        "number": 1,
        "ref": "v1",
        "state": "pending",
        "attempt": 0,
        "asset": {"id": name, "kind": "data"},
        "created_at": "2026-01-23T08:35:51Z",
        "created_by": OTHER_TASK,
        "data_properties": {"data_kind": "artifact", "annotations": {"artifact": "rows"}, "blobs": []},
        "tags": [],
    }
    catalogue.assets["default", "churn", branch, "data", name] = [instance]
    return instance


def test_fault_44_a_task_reads_what_it_has_registered_itself(catalogue: StubCatalogue) -> None:
    prj = project(old=[1], new=[2])
    first = prj.register_data("rows", "old")
    prj.register_data("rows", "new")
    assert prj.get_data("rows") == [2]
    assert prj.get_data("rows", "latest-1") == [1]
    assert prj.get_data("rows", "v1") == [1]
    assert first
    assert prj.get_data("rows", first["id"]) == [1]
    with pytest.raises(AssetNotFound, match="latest"):
        prj.get_data("rows", "latest-2")
    assert catalogue.consumptions == [], "reading one's own makes no consumer"


def test_fault_12_a_read_that_fails_leaves_no_trace_and_reading_ones_own_neither(catalogue: StubCatalogue) -> None:
    prj = project(rows=[1])
    pending(catalogue, "stranger")["state"] = "ready"
    with pytest.raises(LookupError):
        prj.get_data("stranger")
    prj.register_data("rows", "rows")
    assert prj.get_data("rows") == [1]
    assert catalogue.consumptions == []


def test_a_reading_of_a_task_has_its_role_and_one_that_is_none_reads_nothing(
    catalogue: StubCatalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    prj = project()
    monkeypatch.setattr("obproject.catalogue.loading.load_artifact", lambda *_: 7)
    pending(catalogue)["state"] = "ready"
    for role in (None, "input", "baseline"):
        assert prj.get_data("rows", role=role) == 7
        finish()
    assert [sent.get("role") for sent in catalogue.consumptions] == [None, None, "baseline"]
    sent = len(catalogue.requests)
    for read in (prj.get_data, prj.get_model):
        with pytest.raises(InvalidInput, match="no lower-case word"):
            read("rows", role="Baseline")
    assert len(catalogue.requests) == sent


@pytest.mark.parametrize("reference", ["latest", "v1", "other-rows"])
def test_what_another_running_task_has_registered_is_waited_for(
    reference: str, catalogue: StubCatalogue, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    instance = pending(catalogue)
    monkeypatch.setattr("obproject.catalogue.loading.load_artifact", lambda found, about: found["state"])
    timer = threading.Timer(0.1, lambda: instance.update(state="ready"))
    timer.start()
    assert project().get_data("rows", reference) == "ready"
    timer.join()
    assert "waits up to 60 s for its task TrainFlow/11/train/7 to end" in capsys.readouterr().out
    finish()
    assert [sent["instance"] for sent in catalogue.consumptions] == ["other-rows"]


def test_after_the_stated_time_the_error_names_the_running_task(
    catalogue: StubCatalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ASSETSITE_WAIT", "0.1")
    pending(catalogue)
    with pytest.raises(InstancePending) as raised:
        project().get_data("rows")
    for part in ("'rows'", "'user.alice'", "v1", "TrainFlow/11/train/7", "ASSETSITE_WAIT", "0.1 s"):
        assert part in str(raised.value)


def test_an_older_ready_instance_is_read_without_waiting(
    catalogue: StubCatalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    ready = {**pending(catalogue), "id": "older", "state": "ready"}
    key = ("default", "churn", "user_alice", "data", "rows")
    catalogue.assets[key] = [ready, {**pending(catalogue), "number": 2, "ref": "v2"}]
    monkeypatch.setattr("obproject.catalogue.loading.load_artifact", lambda found, about: found["id"])
    assert project().get_data("rows") == "older"


def test_fault_34_what_the_project_reads_from_main_may_be_its_own_first(
    catalogue: StubCatalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("obproject.catalogue.loading.load_artifact", lambda found, about: found["id"])
    pending(catalogue, branch="main")["state"] = "ready"
    catalogue.assets["default", "churn", "main", "data", "rows"][0]["id"] = "of-main"
    own = project({"dev-assets": {"branch": "main", "own-first": True}}, rows=[2])
    assert own.get_data("rows", "latest") == "of-main", "the own branch has nothing"
    own.register_data("rows", "rows")
    assert own.get_data("rows") == [2]
    assert project({"dev-assets": {"branch": "main"}}, rows=[1]).get_data("rows") == "of-main"
    assert (own.read_branch, own.write_branch) == ("main", "user_alice")


def test_properties_that_main_declares_hold_for_an_own_asset_that_declares_none(catalogue: StubCatalogue) -> None:
    pending(catalogue, branch="main")["state"] = "ready"
    catalogue.properties["default", "churn", "main", "data", "rows"] = {"threshold": "0.5"}
    own = project({"dev-assets": {"branch": "main", "own-first": True}}, rows=[2])
    own.register_data("rows", "rows")
    assert own.asset.get_properties("rows") == {"threshold": "0.5"}
    catalogue.properties["default", "churn", "user_alice", "data", "rows"] = {"threshold": "0.7"}
    assert own.asset.get_properties("rows") == {"threshold": "0.7"}


def test_what_main_lacks_is_read_from_the_task_itself(catalogue: StubCatalogue) -> None:
    prj = project({"dev-assets": {"branch": "main"}}, rows=[1])
    prj.register_data("rows", "rows")
    assert prj.get_data("rows") == [1]
