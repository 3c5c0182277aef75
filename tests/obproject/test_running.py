"""The end of a task, seen from the catalogue and from its output."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from obproject import Asset
from obproject.connection import Connection
from obproject.journal import Verdict
from obproject.settings import Settings
from obproject.task import running
from tests.obproject.stub_server import Canned, StubCatalogue, StubServer
from tests.obproject.tasks import running_task


def test_a_confirmation_that_is_refused_is_told_in_a_line(
    catalogue: StubCatalogue, capsys: pytest.CaptureFixture[str]
) -> None:
    catalogue.answer_next(Canned(403, b'{"error": "forbidden", "message": "Not you."}'))
    task = running_task()
    task.will_settle(Connection(Settings(url=catalogue.url)))
    task.settle(ok=True)
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith("assetsite: what this task registered stays pending. ")
    assert "Not you." in line


@pytest.mark.parametrize("ok", [True, False])
def test_a_confirmation_that_gets_no_answer_is_left_to_the_catalogue(
    ok: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    with StubServer() as away:
        url = away.url
    task = running_task()
    task.will_settle(Connection(Settings(url=url, retries=0)))
    task.settle(ok)
    (line,) = capsys.readouterr().out.splitlines()
    assert url in line
    assert "What this task registers is kept with the run" in line


def test_a_forked_child_does_not_end_the_task_of_its_parent(catalogue: StubCatalogue) -> None:
    task = running_task()
    task.will_settle(Connection(Settings(url=catalogue.url)))
    child = os.fork()
    if child == 0:
        task.settle(ok=False)
        os._exit(0)
    os.waitpid(child, 0)
    assert catalogue.confirmations == []
    task.settle(ok=True)
    assert [sent["state"] for sent in catalogue.confirmations] == ["ready"]


def test_the_assets_of_a_flow_are_in_the_perimeter_of_its_project_file(
    catalogue: StubCatalogue, unconfigured: pytest.MonkeyPatch
) -> None:
    unconfigured.setenv("ASSETSITE_URL", catalogue.url)
    flow = SimpleNamespace(name="F", project_config={"project": "p", "perimeter": "research"})
    unconfigured.setattr(running, "_current", running_task(flow))
    assert Asset("registry", "main", entity_ref={"entity_kind": "user", "entity_id": "a"}).perimeter == "research"
    unconfigured.setenv("ASSETSITE_PERIMETER", "environment")
    assert Asset("registry", "main").perimeter == "environment"
    unconfigured.setattr(running, "_current", running_task())
    unconfigured.delenv("ASSETSITE_PERIMETER")
    assert Asset("registry", "main", entity_ref={"entity_kind": "user", "entity_id": "a"}).perimeter == "default"


@pytest.fixture
def published(unconfigured: pytest.MonkeyPatch, catalogue: StubCatalogue) -> running.RunningTask:
    """A task that has registered the artifacts `rows` and `gone`, and something elsewhere."""
    unconfigured.setenv("ASSETSITE_URL", catalogue.url)
    task = running_task()
    unconfigured.setattr(running, "_current", task)
    unconfigured.setattr("obproject.assets.who_is_running", lambda: task.ref)
    asset = Asset("churn", "main")
    for name in ("rows", "gone"):
        asset.register_data_asset(name, kind="artifact", annotations={"artifact": name})
    asset.register_data_asset("table", kind="table", annotations={"artifact": "rows"})
    Asset("churn", "main", perimeter="research").register_data_asset(
        "rows", kind="artifact", annotations={"artifact": "rows"}
    )
    return task


def test_the_confirmation_has_the_content_keys_of_the_artifacts_of_that_catalogue(
    published: running.RunningTask, catalogue: StubCatalogue
) -> None:
    published.content_keys = lambda: {"rows": "ab12", "other": "cd34"}
    published.settle(ok=True)
    ids = {key[0]: instances[0]["id"] for key, instances in catalogue.assets.items() if key[-1] == "rows"}
    paths = [sent.path.split("/")[3] for sent in catalogue.of("POST")]
    assert {path: sent["digests"] for path, sent in zip(paths, catalogue.confirmations, strict=True)} == {
        perimeter: {instance: "ab12"} for perimeter, instance in ids.items()
    }


def test_without_content_keys_the_confirmation_stands(published: running.RunningTask, catalogue: StubCatalogue) -> None:
    def broken() -> dict[str, str]:
        raise RuntimeError("broken")

    published.content_keys = broken
    published.settle(ok=True)
    assert [("digests" in sent, sent["state"]) for sent in catalogue.confirmations] == [(False, "ready")] * 2


def test_a_failed_task_has_no_digests(published: running.RunningTask, catalogue: StubCatalogue) -> None:
    published.content_keys = lambda: {"rows": "ab12"}
    published.settle(ok=False)
    assert [("digests" in sent, sent["state"]) for sent in catalogue.confirmations] == [(False, "failed")] * 2


def test_a_caught_failure_is_kept_with_the_task_and_told_with_its_reason(
    published: running.RunningTask, catalogue: StubCatalogue
) -> None:
    for _ in range(2):
        published.fail("the step raised OSError")
    assert published.metadata.verdicts == [Verdict(False, "the step raised OSError")]
    assert catalogue.confirmations == []
    published.settle(ok=False, run_goes_on=True)
    told = [(sent["state"], sent["reason"], sent["run_goes_on"]) for sent in catalogue.confirmations]
    assert told == [("failed", "the step raised OSError", True)] * 2


def test_what_only_a_success_shows_is_not_shown_of_a_caught_failure(unconfigured: pytest.MonkeyPatch) -> None:
    shown: list[str] = []
    for ok in (False, True):
        task = running_task()
        task.on_success(lambda: shown.append("highlight"))
        unconfigured.setattr(running, "_current", task)
        running.end(ok, run_goes_on=True)
        assert shown == ["highlight"] * ok


@pytest.mark.parametrize(
    ("end", "said"), [({"ok": False}, ["failed"]), ({"ok": False, "run_goes_on": True}, []), ({"ok": True}, [])]
)
def test_a_task_that_has_only_read_speaks_of_its_failure_alone(
    end: dict[str, bool], said: list[str], unconfigured: pytest.MonkeyPatch, catalogue: StubCatalogue
) -> None:
    unconfigured.setenv("ASSETSITE_URL", catalogue.url)
    Asset("churn", "main", deployment="app").register_data_asset("rows", kind="table")
    task = running_task()
    unconfigured.setattr(running, "_current", task)
    unconfigured.setattr("obproject.assets.who_is_running", lambda: task.ref)
    asset = Asset("churn", "main")
    asset.consume_data_asset("rows")
    asset.writer.consume_exactly("main", "data", "rows", "v1", "latest")
    task.settle(**end)
    task.settle(ok=False)
    assert [sent["state"] for sent in catalogue.confirmations] == said


def test_what_somebody_else_reads_in_a_task_does_not_fail_with_it(
    unconfigured: pytest.MonkeyPatch, catalogue: StubCatalogue
) -> None:
    unconfigured.setenv("ASSETSITE_URL", catalogue.url)
    task = running_task()
    unconfigured.setattr(running, "_current", task)
    app = Asset("churn", "main", deployment="app")
    app.register_data_asset("rows", kind="table")
    app.consume_data_asset("rows")
    task.settle(ok=False)
    assert catalogue.confirmations == []
    assert not {"attempt", "position"} & set(catalogue.consumptions[0])


@pytest.mark.parametrize(
    ("setting", "kind", "root", "cards"),
    [
        ({}, "local", "{cwd}/.metaflow", None),
        ({}, "local", "/elsewhere/.metaflow", "{cwd}/.metaflow/mf.cards"),  # METAFLOW_DATASTORE_SYSROOT_LOCAL
        ({"CARD_LOCALROOT": "/cards"}, "local", "/elsewhere/.metaflow", None),  # Metaflow then leaves them there
        ({"CARD_S3ROOT": "s3://team/metaflow/mf.cards"}, "s3", "s3://team/metaflow", None),
        ({"CARD_S3ROOT": "s3://team/metaflow/mf.cards"}, "s3", "s3://team/metaflow/", None),
        ({"CARD_S3ROOT": "s3://cards/all"}, "s3", "s3://team/metaflow", "s3://cards/all"),
        ({"CARD_GSROOT": "gs://cards/all"}, "gs", "gs://team/metaflow", "gs://cards/all"),
        ({"CARD_AZUREROOT": "cards/all"}, "azure", "team/metaflow", "cards/all"),
        ({}, "of-another-kind", "somewhere", None),
    ],
)
def test_the_place_of_the_cards_is_told_where_settings_put_them_elsewhere(
    setting: dict[str, str],
    kind: str,
    root: str,
    cards: str | None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / ".metaflow").mkdir()
    monkeypatch.chdir(tmp_path)
    for name, value in setting.items():
        monkeypatch.setattr(f"metaflow.plugins.cards.card_datastore.{name}", value)
    root, cards = root.format(cwd=tmp_path), cards and cards.format(cwd=tmp_path)
    assert running.datastore_of(kind, root) == {"type": kind, "root": root} | ({"cards": cards} if cards else {})
