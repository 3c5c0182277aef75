"""Gates that a project declares: how a deploy sends them, and what it says of the catalogue's answer."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from obproject.deploy.plan import _digest
from obproject.project.definitions import AssetDefinition, ProjectConfig, ProjectDefinition
from obproject.project.record import build_deploy_request, declaration

GATES = {"validated": {"require": ["auc >= 0.78"]}, "production": {"require": ["auc >= @production - 0.002"]}}
MODEL = AssetDefinition("models", "clf", "Classifier", "What it is", "model", "models/clf/asset_config.toml")


def sent(asset: AssetDefinition) -> dict:
    record = {"branch_name": "main", "version_id": "1", "spec": {}}
    (definition,) = build_deploy_request(record, [asset])["definitions"]
    return definition


def test_gates_go_with_the_definition_and_into_the_spec() -> None:
    declared = replace(MODEL, gates=GATES)
    assert sent(declared)["gates"] == declaration(declared)["gates"] == GATES
    assert list(sent(declared)["gates"]) == ["validated", "production"]


def test_a_file_that_does_not_speak_of_gates_sends_none_and_an_empty_table_is_sent() -> None:
    assert "gates" not in sent(MODEL)
    assert "gates" not in declaration(MODEL)
    assert sent(replace(MODEL, gates={}))["gates"] == {}


def test_gates_are_part_of_the_version_of_a_folder_without_commits(tmp_path: Path) -> None:
    def version(asset: AssetDefinition) -> str:
        return _digest(ProjectDefinition(tmp_path, ProjectConfig("p"), (asset,), None))

    versions = [version(MODEL), version(replace(MODEL, gates={})), version(replace(MODEL, gates=GATES))]
    assert len(set(versions)) == 3
    # Without them it is what it was before there were gates.
    assert "gates" not in repr(MODEL)
