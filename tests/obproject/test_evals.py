"""The evaluation log: one line of output and one entry of the catalogue for each message, and never an exception."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any, ClassVar
from uuid import uuid4

import pytest
import requests

from obproject import Asset, EvalsLogger, assets
from obproject.prj import ProjectContext
from obproject.task import running
from tests.conftest import Site
from tests.obproject.stub_server import Canned, StubCatalogue
from tests.obproject.tasks import MemoryMetadata, running_task

GATE = {"entity_kind": "deployment", "entity_id": "gate"}


@pytest.fixture
def evals(served: Site, unconfigured: pytest.MonkeyPatch) -> EvalsLogger:
    unconfigured.setenv("ASSETSITE_URL", served.url)
    return EvalsLogger(asset=Asset(f"evals_{uuid4().hex}", "feature/x", deployment="gate"))


class _Scalar:
    """A number as numpy has them."""

    shape = ()

    def item(self) -> float:
        return 0.5


class _Hostile:
    def __str__(self) -> str:
        raise RuntimeError("no text for you")


class _Flow:
    """A flow as far as the context of its project looks at it."""

    project_config: ClassVar = {"project": "churn", "dev-assets": {"branch": "main"}}
    project_spec: ClassVar = {"branch_name": "feature/x"}


def lines(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return [line for line in capsys.readouterr().out.splitlines() if line.startswith("usm0jrb3 ")]


def test_a_message_is_one_line_that_log_collectors_know(evals: EvalsLogger, capsys: pytest.CaptureFixture[str]) -> None:
    evals.log({"model": "clf", "note": "two\nlines", "accuracy": 0.9})
    [line] = lines(capsys)
    mark, project, branch, topic, content = line.split(" ", 4)
    assert (mark, project, branch, topic) == ("usm0jrb3", evals.project, "feature_x", "evals")
    said = json.loads(content)
    assert said["content"] == {"model": "clf", "note": "two\nlines", "accuracy": 0.9}
    assert (said["project"], said["branch"]) == (evals.project, "feature_x")


def test_fault_42_the_entity_is_spelled_right_and_old_readers_find_it_too(
    evals: EvalsLogger, capsys: pytest.CaptureFixture[str]
) -> None:
    evals.log("done")
    said = json.loads(lines(capsys)[0].split(" ", 4)[4])
    assert said["entity_ref"] == said["entity_reg"] == GATE


def test_fault_42_numbers_of_numpy_and_whatever_else_are_logged(
    evals: EvalsLogger, capsys: pytest.CaptureFixture[str]
) -> None:
    evals.log({"score": _Scalar(), "each": [_Scalar()], "loss": float("nan"), "price": Decimal("1.5"), 3: None})
    expected = {"score": 0.5, "each": [0.5], "loss": "nan", "price": "1.5", "3": None}
    assert json.loads(lines(capsys)[0].split(" ", 4)[4])["content"] == expected
    [entry] = evals.entries()
    assert entry.values == expected


def test_fault_42_the_log_is_queryable_from_the_catalogue(served: Site, evals: EvalsLogger) -> None:
    assert list(evals.entries()) == []
    for accuracy in (0.7, 0.8, 0.9):
        evals.log({"model": "clf", "accuracy": accuracy})
    evals.log("a word")
    assert [entry.values for entry in evals.entries()][:2] == [{"message": "a word"}, {"model": "clf", "accuracy": 0.9}]
    assert {tuple(entry.created_by) for entry in evals.entries()} == {("deployment", "gate")}
    asked = requests.get(
        f"{served.url}/v1/perimeters/default/projects/{evals.project}/branches/feature_x/data/evaluation_log",
        params={"annotation": ["model=clf", "accuracy>0.75"]},
        timeout=10,
    ).json()
    assert [one["data_properties"]["annotations"]["accuracy"] for one in asked["recent_instances"]] == [0.9, 0.8]
    page = requests.get(f"{served.url}/default/{evals.project}/feature_x/data/evaluation_log", timeout=10)
    assert page.ok
    assert "What evaluations logged" in page.text


def _endless() -> dict[str, Any]:
    endless: dict[str, Any] = {}
    endless["again"] = endless
    return endless


@pytest.mark.parametrize(
    "message", [_Hostile(), _endless(), {"key": _Hostile()}, {"x" * 300: 1}, {"large": "x" * 70_000}]
)
def test_logging_never_raises(evals: EvalsLogger, capsys: pytest.CaptureFixture[str], message: Any) -> None:
    evals.log(message)
    assert "this evaluation is not in the catalogue" in capsys.readouterr().out
    evals.log("goes on")
    assert [entry.values for entry in evals.entries()] == [{"message": "goes on"}]


def test_a_catalogue_that_is_away_is_not_waited_for_each_time(
    catalogue: StubCatalogue, unconfigured: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    unconfigured.setenv("ASSETSITE_URL", catalogue.url)
    unconfigured.setenv("ASSETSITE_RETRIES", "0")
    evals = EvalsLogger("churn", "main")
    catalogue.answer_next(Canned(503, b"{}"))
    for number in range(20):
        evals.log({"number": number})
    out = capsys.readouterr().out
    assert out.count("usm0jrb3") == 20
    assert out.count("not in the catalogue, nor are those of the next minute") == 1
    assert len(catalogue.requests) == 1
    evals._quiet_until = 0.0
    evals.log({"number": 20})
    assert [entry.values for entry in evals.entries()] == [{"number": 20}]


def test_without_a_catalogue_the_log_is_in_the_output(
    unconfigured: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    evals = EvalsLogger("churn", "main")
    evals.log({"accuracy": 0.9})
    evals.log({"accuracy": 0.8})
    out = capsys.readouterr().out
    assert out.count("usm0jrb3 churn main evals") == 2
    assert out.count("no asset catalogue is configured") == 1


def test_a_flow_logs_to_its_write_branch(catalogue: StubCatalogue, unconfigured: pytest.MonkeyPatch) -> None:
    unconfigured.setenv("ASSETSITE_URL", catalogue.url)
    prj = ProjectContext(_Flow())
    prj.evals.log({"accuracy": 0.9})
    assert [entry.values for entry in prj.evals.entries()] == [{"accuracy": 0.9}]
    assert {key[2] for key in catalogue.assets} == {"feature_x"}


def test_fault_43_a_flow_looks_up_its_settings_once(unconfigured: pytest.MonkeyPatch) -> None:
    lookups: list[object] = []
    find = assets.find_settings
    unconfigured.setattr(assets, "find_settings", lambda *given: lookups.append(given) or find(*given))
    prj = ProjectContext(_Flow())
    assert len(lookups) == 1
    assert (prj._read_asset.branch, prj._write_asset.branch, prj.evals.branch) == ("main", "feature_x", "feature_x")


def test_the_private_clients_of_public_examples_need_no_catalogue_either(
    unconfigured: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    metadata = MemoryMetadata()
    unconfigured.setattr(running, "_current", running_task(_Flow(), metadata))
    prj = ProjectContext(_Flow())
    assert prj._write_asset.register_data_asset("rows", kind="table") is None
    assert prj._read_asset.register_data_asset("rows", kind="table") is None
    prj.evals.log("done")
    assert "not published" in capsys.readouterr().out
    assert [entry.asset for entry in metadata.entries] == ["rows", "rows", "evaluation_log"]
