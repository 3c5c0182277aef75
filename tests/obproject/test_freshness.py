"""What a project declares of freshness: how it is read, and how a deploy sends it and tells of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from obproject.deploy.difference import _changes
from obproject.deploy.main import main as run_deploy
from obproject.deploy.plan import _digest
from obproject.project.checked_toml import DefinitionError
from obproject.project.definitions import AssetDefinition, ProjectConfig, ProjectDefinition, read_project
from obproject.project.record import build_deploy_request, declaration
from tests.obproject.deploying import leave_this_machine, write
from tests.obproject.stub_server import StubCatalogue

ASSET = 'id = "rows"\nname = "Rows"\ndescription = "What it is"\n'
ROWS = AssetDefinition("data", "rows", "Rows", "What it is", "artifact", "data/rows/asset_config.toml")
DECLARED = """
[freshness]
cron = "0 6 * * 1-5"
timezone = "Europe/Berlin"
grace = "30m"
except = [2026-12-25, "2026-12-26"]
at = "data_until"
off = false
"""


def read(folder: Path, text: str, project: str = 'project = "p"\n') -> ProjectDefinition:
    write(folder, {"obproject.toml": project, "data/rows/asset_config.toml": ASSET + text})
    return read_project(folder)


def test_it_is_kept_as_it_is_written_and_dates_are_texts(tmp_path: Path) -> None:
    (asset,) = read(tmp_path, DECLARED).assets
    assert asset.freshness == {
        "cron": "0 6 * * 1-5",
        "timezone": "Europe/Berlin",
        "grace": "30m",
        "except": ["2026-12-25", "2026-12-26"],
        "at": "data_until",
        "off": False,
    }


@pytest.mark.parametrize(("text", "freshness"), [("", None), ("[freshness]\n", {})])
def test_a_file_that_does_not_speak_of_it_and_an_empty_table_differ(
    tmp_path: Path, text: str, freshness: dict[str, str] | None
) -> None:
    (asset,) = read(tmp_path, text).assets
    assert asset.freshness == freshness


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('grase = "1h"', "[freshness] key 'grase': found a key that is not known here, expected only every, cron,"),
        ("every = 1", "[freshness] key 'every': found the number 1, expected a string (write \"1\")"),
        ("except = 2026-12-25", "[freshness] key 'except': found a date or time, expected a list of dates"),
        ("except = [3]", "[freshness] key 'except': found the number 3, expected a string"),
        ('off = "yes"', "[freshness] key 'off': found the string 'yes', expected true or false"),
    ],
)
def test_what_has_another_shape_is_a_problem(tmp_path: Path, text: str, problem: str) -> None:
    with pytest.raises(DefinitionError) as wrong:
        read(tmp_path, f"[freshness]\n{text}\n")
    assert f"data/rows/asset_config.toml: {problem}" in str(wrong.value)


def test_it_goes_with_the_definition_and_into_the_spec_and_the_time_zone_with_the_deploy(tmp_path: Path) -> None:
    def sent(asset: AssetDefinition, zone: str | None = None) -> dict:
        spec = {} if zone is None else {"timezone": zone}
        return build_deploy_request({"branch_name": "main", "version_id": "1", "spec": spec}, [asset])

    fresh = replace(ROWS, freshness={"every": "1d"})
    assert sent(fresh)["definitions"][0]["freshness"] == declaration(fresh)["freshness"] == {"every": "1d"}
    assert sent(replace(ROWS, freshness={}))["definitions"][0]["freshness"] == {}
    assert "freshness" not in sent(ROWS)["definitions"][0]
    assert (sent(ROWS)["timezone"], sent(ROWS, "Asia/Tokyo")["timezone"]) == ("", "Asia/Tokyo")
    assert read(tmp_path, "", 'project = "p"\ntimezone = "Asia/Tokyo"\n').config.timezone == "Asia/Tokyo"


def test_it_is_part_of_the_version_of_a_folder_without_commits(tmp_path: Path) -> None:
    def version(asset: AssetDefinition, zone: str | None = None) -> str:
        return _digest(ProjectDefinition(tmp_path, ProjectConfig("p", timezone=zone), (asset,), None))

    fresh = [replace(ROWS, freshness={}), replace(ROWS, freshness={"every": "1d"})]
    assert len({version(ROWS), version(ROWS, "Asia/Tokyo"), *map(version, fresh)}) == 4
    assert "freshness" not in repr(ROWS)  # without it, it is what it was before there was any


def test_what_would_change_is_told_key_by_key() -> None:
    was = {"properties": {}, "freshness": {"every": "1d", "grace": "1h"}}
    for before, after, changes in (
        (was, {"every": "2d", "grace": "1h"}, [("freshness every", "1d", "2d")]),
        ({"properties": {}}, {"every": "1d"}, [("freshness every", None, "1d")]),
        (was, {}, [("freshness every", "1d", None), ("freshness grace", "1h", None)]),
    ):
        found = _changes(before, {"freshness": after})
        assert [(one.what, one.before, one.after) for one in found] == changes


@pytest.fixture
def project(catalogue: StubCatalogue, unconfigured: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    leave_this_machine(unconfigured, tmp_path)
    unconfigured.setenv("ASSETSITE_URL", catalogue.url)
    unconfigured.setenv("ASSETSITE_PERIMETER", "default")
    read(tmp_path / "p", '[freshness]\nevery = "1 day"\n', 'project = "p"\ntimezone = "Mars"\n')
    return tmp_path / "p"


def deploy(project: Path, *options: str) -> int:
    return run_deploy(["--root", str(project), "--branch", "main", *options])


@pytest.mark.parametrize("options", [(), ("--dry-run",)])
def test_what_the_catalogue_can_not_read_is_a_problem_like_any_other_and_nothing_is_deployed(
    project: Path, catalogue: StubCatalogue, capsys: pytest.CaptureFixture[str], options: tuple[str, ...]
) -> None:
    nowhere = {"rule": None, "column": None, "expected": []}
    catalogue.gate_problems = [
        {"file": "data/rows/asset_config.toml", "key": "freshness.every", "message": "1 day is no length", **nowhere},
        {"file": "obproject.toml", "key": "timezone", "message": "Mars is not known as a time zone", **nowhere},
    ]
    assert deploy(project, *options) == 1
    assert capsys.readouterr().err.splitlines() == [
        "data/rows/asset_config.toml: freshness.every: 1 day is no length",
        "obproject.toml: timezone: Mars is not known as a time zone",
        "2 problems found; nothing was deployed.",
    ]
    assert catalogue.of("POST", "/deploys") == []
    (asked,) = catalogue.of("POST", "/gates/check")
    entry = {"kind": "data", "id": "rows", "source": "data/rows/asset_config.toml", "freshness": {"every": "1 day"}}
    assert asked.body == {"definitions": [entry], "timezone": "Mars"}


def test_a_catalogue_of_an_older_version_is_said_to_keep_none(
    project: Path, catalogue: StubCatalogue, capsys: pytest.CaptureFixture[str]
) -> None:
    assert deploy(project) == 0
    assert "did not keep" not in capsys.readouterr().out
    catalogue.knows_gates = False
    assert deploy(project) == 0
    said = "Warning: the catalogue is older than this program, so it did not keep the freshness of data/rows."
    assert said in capsys.readouterr().out.splitlines()
