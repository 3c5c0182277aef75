"""Gates: how a deploy sends them, what it says of the answer, and what becomes of a move that they refuse."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from obproject import Asset, errors, notices, promote_assets
from obproject.commands.main import main as run_command
from obproject.deploy.gates import _looked_back as told_of
from obproject.deploy.gates import changed_gates
from obproject.deploy.main import main as run_deploy
from obproject.deploy.plan import _digest
from obproject.project.definitions import AssetDefinition, ProjectConfig, ProjectDefinition
from obproject.project.record import build_deploy_request, declaration
from tests.obproject.deploying import leave_this_machine, write
from tests.obproject.stub_server import Canned, StubCatalogue

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


APPROVALS = {"rule": "approvals = 1", "says": "refuses", "passes": False, "has": "0 of 1", "needs": "1"}
RULES = [
    {"rule": "auc >= @production - 0.002", "says": "refuses", "passes": False, "has": "0.7991", "needs": "0.8004"},
    {"rule": "card present", "says": "passes", "passes": True, "has": "", "needs": ""},
]
SAID = "@production stays on v1: v2 does not pass 1 of 2 rules. auc >= @production - 0.002: has 0.7991, needs 0.8004."
TOLD = SAID.replace("rules. auc", "rules.\n  auc")


def refusal(alias: str | None = "production") -> dict:
    return {"code": "gate_refused", "message": SAID, "detail": {"alias": alias, "instance": "v2", "rules": RULES}}


@pytest.fixture
def main(catalogue: StubCatalogue, unconfigured: pytest.MonkeyPatch, tmp_path: Path) -> Asset:
    unconfigured.setenv("ASSETSITE_URL", catalogue.url)
    unconfigured.setenv("ASSETSITE_PERIMETER", "default")
    unconfigured.chdir(tmp_path)
    asset = Asset("p", "main", deployment="trainer")
    asset.register_model_asset("clf", kind="artifact")
    return asset


def test_a_move_that_gates_refuse_is_an_error_of_its_own_and_is_not_tried_again(
    main: Asset, catalogue: StubCatalogue
) -> None:
    catalogue.gates["production"] = refusal()
    with pytest.raises(errors.GateRefused) as refused:
        main.set_alias("clf", "production", "v1", "model")
    assert str(refused.value).endswith(f"branch 'main' of project 'p': {TOLD}")
    assert (refused.value.alias, refused.value.rules, refused.value.code) == ("production", RULES, "gate_refused")
    assert len(catalogue.of("PUT")) == 1


def test_another_422_is_no_failure_of_the_catalogue(main: Asset, catalogue: StubCatalogue) -> None:
    catalogue.answer_next(Canned(422, b'{"error": "held", "message": "@production is there.", "detail": {}}'))
    with pytest.raises(errors.NotAccepted, match="@production is there") as refused:
        main.delete_model_asset("clf")
    assert not isinstance(refused.value, errors.GateRefused)


def test_a_promotion_that_gates_refuse_goes_on_with_the_other_aliases_and_assets(
    main: Asset, catalogue: StubCatalogue
) -> None:
    feature = Asset("p", "feature/x", deployment="trainer")
    for name in ("clf", "other"):
        feature.register_model_asset(name, kind="artifact")
        for alias in ("validated", "shadow"):
            feature.set_alias(name, alias, "v1", "model")
    catalogue.gates["validated"] = refusal("validated")
    outcome = promote_assets("p", "feature/x", "main", kinds="models")
    assert outcome["promoted"] == []
    assert [entry["name"] for entry in outcome["errors"]] == ["clf", "other"]
    assert outcome["errors"][0]["refused"] == [{"alias": "validated", "instance": "v2", "rules": RULES}]
    assert outcome["errors"][0]["error"].startswith("It is v2 on branch 'main'.\n")
    assert TOLD in outcome["errors"][0]["error"]
    # What no gate stands against is done.
    assert main.peek_model_asset("clf", "@candidate")["ref"] == "v2"
    assert main.peek_model_asset("other", "@shadow")["ref"] == "v1"


def test_a_branch_that_refuses_a_promotion_gets_no_copy(main: Asset, catalogue: StubCatalogue) -> None:
    Asset("p", "feature/x", deployment="trainer").register_model_asset("clf", kind="artifact")
    catalogue.gates[None] = refusal(None)
    (failed,) = promote_assets("p", "feature/x", "main", asset="clf")["errors"]
    assert (failed["kind"], failed["name"]) == ("models", "clf")
    assert failed["error"].endswith(TOLD)
    assert failed["refused"] == [{"alias": None, "instance": "v2", "rules": RULES}]
    assert len(catalogue.assets["default", "p", "main", "models", "clf"]) == 1


def test_that_all_are_deprecated_is_said_as_the_catalogue_says_it(main: Asset, catalogue: StubCatalogue) -> None:
    said = b'{"error": "all_deprecated", "message": "All are; the newest, v1, since: leaks.", "detail": {}}'
    catalogue.answer_next(Canned(404, said))
    with pytest.raises(errors.AllDeprecated, match=r"v1, since: leaks\.$") as refused:
        main.peek_model_asset("clf")
    assert isinstance(refused.value, errors.InstanceNotFound)


def test_who_reads_a_deprecated_instance_is_told_in_one_line_and_once(
    main: Asset, catalogue: StubCatalogue, capsys: pytest.CaptureFixture[str]
) -> None:
    main.set_alias("clf", "production", "v1", "model")
    main.register_model_asset("clf", kind="artifact")
    first = main.deprecate("clf", "v1", "Trained on\nleaked labels.", "model")
    assert first["deprecated"]["reason"] == "Trained on\nleaked labels."
    capsys.readouterr()
    assert main.peek_model_asset("clf")["ref"] == "v2"
    assert capsys.readouterr().out == ""
    main.consume_model_asset("clf", "@production")
    main.peek_model_asset("clf", "v1")
    said = "assetsite: the model asset 'clf' v1 is deprecated: Trained on leaked labels."
    assert capsys.readouterr().out.splitlines() == [said]
    listed = [(one.ref, one.deprecated) for one in main.list_model_asset_instances("clf")]
    assert listed == [("v2", None), ("v1", first["deprecated"])]
    main.undo_deprecation("clf", 1, "model")
    assert main.peek_model_asset("clf", "v1")["deprecated"] is None
    with pytest.raises(errors.ReadOnly):
        Asset("p", "main", read_only=True).deprecate("clf", "v1", "Never.", "model")


def test_a_check_tells_all_rules_in_columns_and_writes_nothing(
    main: Asset, catalogue: StubCatalogue, capsys: pytest.CaptureFixture[str]
) -> None:
    told = {"short_by": "0.0013", "reference": "v1 has 0.8024"}
    warned = {"rule": "accuracy >= 0.7", "says": "warns", "passes": True, "reason": "not measured"}
    catalogue.gates["production"] = refusal()
    catalogue.gates["production"]["detail"]["rules"] = [RULES[0] | told, RULES[1], warned]
    check = ["promote", "main", "main", "--project", "p", "--asset", "clf", "--check"]
    before = len(catalogue.requests)
    assert run_command([*check, "--alias", "production"]) == 1
    assert capsys.readouterr().out.splitlines() == [
        "models/clf v1 to @production of main: would be refused by 1 of 3 rules",
        "  ✗ auc >= @production - 0.002  0.7991, needs 0.8004 (v1 has 0.8024), 0.0013 short",
        "  ✓ card present",
        "  ! accuracy >= 0.7             not measured",
    ]
    assert {request.method for request in catalogue.requests[before:]} == {"GET", "POST"}
    assert run_command(check) == 0
    said = "models/clf v1 to @candidate of main: would pass: there are no rules\n"
    assert capsys.readouterr().out == said
    assert catalogue.aliases == {}


def test_a_check_between_branches_asks_the_branch_first(
    main: Asset, catalogue: StubCatalogue, capsys: pytest.CaptureFixture[str]
) -> None:
    made = Asset("p", "feature/x", deployment="trainer").register_model_asset("clf", kind="artifact")
    catalogue.gates[None] = refusal(None)
    check = ["promote", "feature/x", "main", "--project", "p", "--check", "--json"]
    assert run_command(check) == 1
    into, alias = json.loads(capsys.readouterr().out)["checked"]
    assert (into["alias"], into["passes"], into["rules"]) == (None, False, RULES)
    assert (alias["alias"], alias["passes"]) == ("candidate", None)
    (asked,) = catalogue.of("POST", "/promotions/check")
    assert asked.body == {"instance_id": made["id"]}
    catalogue.gates.clear()
    assert promote_assets("p", "feature/x", "main", alias=None)["errors"] == []
    capsys.readouterr()
    assert run_command(check) == 0
    (alias,) = json.loads(capsys.readouterr().out)["checked"]
    assert (alias["instance"], alias["alias"], alias["passes"]) == ("v2", "candidate", True)


def test_approval_is_asked_for_where_nothing_else_is_missing(
    main: Asset, catalogue: StubCatalogue, capsys: pytest.CaptureFixture[str]
) -> None:
    move = ["promote", "main", "main", "--project", "p", "--asset", "clf", "--alias", "production"]
    catalogue.gates["production"] = refusal()
    assert run_command([*move, "--ask", "Better on the holdout"]) == 1
    assert "✗ auc >= @production - 0.002  0.7991, needs 0.8004" in capsys.readouterr().out
    assert catalogue.asked == []
    catalogue.gates["production"]["detail"]["rules"] = [APPROVALS, RULES[1]]
    assert run_command([*move, "--ask", "Better on the holdout"]) == 0
    assert capsys.readouterr().out.splitlines()[1].split() == [
        "asked",
        "models/clf",
        "@production",
        catalogue.url + "/requests/1",
    ]
    # Whoever asks again, as a job that runs anew does, finds the request.
    assert run_command([*move, "--ask", "Better on the holdout"]) == 0
    assert f"{catalogue.url}/requests/1" in capsys.readouterr().out
    (asked,) = catalogue.asked
    assert asked == {"alias": "production", "instance_id": "v2", "comment": "Better on the holdout"}


def test_a_catalogue_without_gates_says_so(
    main: Asset, catalogue: StubCatalogue, capsys: pytest.CaptureFixture[str]
) -> None:
    catalogue.knows_gates = False
    check = ["promote", "main", "main", "--project", "p", "--asset", "clf", "--check"]
    assert run_command(check) == 1
    assert "knows no gates: it is older than this program" in capsys.readouterr().out


def test_a_teardown_lists_what_gates_hold_and_deletes_the_rest(
    main: Asset, catalogue: StubCatalogue, capsys: pytest.CaptureFixture[str]
) -> None:
    main.register_data_asset("rows", kind="table")
    main.register_model_asset("other", kind="table")
    catalogue.held.add("clf")
    assert run_command(["teardown", "p/main", "--yes", "--force"]) == 1
    _, *rows = capsys.readouterr().out.splitlines()
    assert [row.split()[:2] for row in rows[:3]] == [
        ["deleted", "data/rows"],
        ["deleted", "models/other"],
        ["stays", "models/clf"],
    ]
    assert "@production has gates, and points to it." in rows[2]
    assert rows[3].startswith("Not all of branch 'main' of project 'p' is torn down.")
    (left,) = catalogue.assets
    assert left[-1] == "clf"


PROJECT = """
id = "clf"
name = "Classifier"
description = "What it is"
[gates.production]
require = [
  "card present",
  "auc >> 0.8",
]
"""


@pytest.fixture
def project(main: Asset, unconfigured: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    leave_this_machine(unconfigured, tmp_path)
    unconfigured.setenv("ASSETSITE_URL", main.base_url or "")
    write(tmp_path / "p", {"obproject.toml": 'project = "p"\n', "models/clf/asset_config.toml": PROJECT})
    return tmp_path / "p"


def deploy(project: Path, *options: str) -> int:
    return run_deploy(["--root", str(project), "--branch", "main", *options])


@pytest.mark.parametrize("options", [(), ("--dry-run",)])
def test_what_the_catalogue_can_not_parse_is_a_problem_like_any_other_and_nothing_is_deployed(
    project: Path, catalogue: StubCatalogue, capsys: pytest.CaptureFixture[str], options: tuple[str, ...]
) -> None:
    problem = {"file": "models/clf/asset_config.toml", "key": "gates.production.require", "rule": 2, "column": 6}
    catalogue.gate_problems = [
        problem | {"message": "> where a number could stand", "expected": ["a number", "@alias"]},
        problem | {"key": "gates.production.approvers", "rule": None, "column": None, "message": "no list"},
    ]
    assert deploy(project, *options) == 1
    assert capsys.readouterr().err.splitlines() == [
        "models/clf/asset_config.toml: gates.production.require, rule 2, column 6: > where a number could stand",
        "    auc >> 0.8",
        "         ^",
        "    What could stand there: @alias",
        "models/clf/asset_config.toml: gates.production.approvers: no list",
        "2 problems found; nothing was deployed.",
    ]
    assert catalogue.of("POST", "/deploys") == []
    (asked,) = catalogue.of("POST", "/gates/check")
    gates = {"production": {"require": ["card present", "auc >> 0.8"]}}
    entry = {"kind": "models", "id": "clf", "source": "models/clf/asset_config.toml", "gates": gates}
    assert asked.body == {"definitions": [entry]}


LOOKED_BACK = {
    "gate": "production",
    "versions": 20,
    "refused": 3,
    "by_rule": [{"rule": "auc >> 0.8", "refused": 3}],
    "left_out": ["card present"],
    "approvals": 0,
    "holder": {"ref": "v3", "passes": False, "rules": [RULES[0], RULES[1]]},
}


def test_a_dry_run_tells_which_rules_change_and_what_they_would_have_done(
    project: Path, catalogue: StubCatalogue, capsys: pytest.CaptureFixture[str]
) -> None:
    catalogue.properties["default", "p", "main", "models", "clf"] = {}
    catalogue.declared_gates = {"production": {"require": ["card present", "auc >= 0.7"]}}
    catalogue.looked_back = [{"kind": "models", "id": "clf", "differs": True, "gates": [LOOKED_BACK]}]
    assert deploy(project, "--dry-run") == 0
    told = [
        "  update     models/clf",
        "    name: 'clf' -> 'Classifier'",
        "    description: '' -> 'What it is'",
        "    gate @production - auc >= 0.7",
        "    gate @production + auc >> 0.8",
        "    @production: would have refused 3 of the last 20 versions (auc >> 0.8: 3); v3, which holds it now, would "
        "not pass: auc >= @production - 0.002: 0.7991, needs 0.8004; not looked at: card present",
    ]
    assert capsys.readouterr().out.splitlines()[1:7] == told
    assert catalogue.of("POST", "/deploys") == []


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"versions": 0}, "@production: there is no version yet that it would have judged"),
        ({"refused": 0}, "@production: would have let the last 20 versions pass"),
        ({"versions": 1, "refused": 1}, "@production: would have refused the only version (auc >> 0.8: 3)"),
        ({"gate": "*", "refused": 0}, "every alias: would have let the last 20 versions pass"),
        ({"gate": "into branch", "versions": 1, "refused": 0}, "promotions into the branch: would have let the only"),
    ],
)
def test_what_gates_would_have_done_is_a_sentence(changed: dict, told: str) -> None:
    quiet = {"holder": {"ref": "v3", "passes": True, "rules": []}, "left_out": [], "approvals": 1}
    said = told_of(LOOKED_BACK | quiet | changed)
    assert said.startswith(told)
    assert said.endswith("; v3, which holds it now, would pass; not looked at: approvals")


def test_rules_that_change_are_told_by_gate() -> None:
    before = {"a": {"require": ["x > 1", "y > 1"], "approvals": 1, "approvers": ["role:admin"]}, "b": {"warn": ["z"]}}
    after = {"a": {"require": ["y > 1 "], "approvals": 1}, "*": {"require": [], "approvals": 2, "approvers": ["ann"]}}
    assert [str(change) for change in changed_gates(before, after)] == [
        "@a - x > 1",
        "every alias + approvals = 2 by ann",
        "@b - warn z",
    ]


def test_a_deployment_says_whose_gates_are_others_now(
    project: Path, catalogue: StubCatalogue, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    catalogue.looked_back = [{"kind": "models", "id": "clf", "differs": True, "gates": [LOOKED_BACK]}]
    summary = tmp_path / "summary.md"
    assert deploy(project, "--summary", str(summary)) == 0
    assert "  gates      models/clf: others hold now" in capsys.readouterr().out.splitlines()
    (line,) = [line for line in summary.read_text().splitlines() if "Gates of" in line]
    assert line.startswith("Gates of models/clf changed. @production: would have refused 3 of the last 20 versions")
    (sent,) = catalogue.of("POST", "/deploys")
    assert sent.body["definitions"][0]["gates"]["production"]["require"] == ["card present", "auc >> 0.8"]


def test_a_catalogue_of_an_older_version_is_said_to_keep_no_gates(
    project: Path, catalogue: StubCatalogue, capsys: pytest.CaptureFixture[str]
) -> None:
    catalogue.knows_gates = False
    assert deploy(project) == 0
    said = "Warning: the catalogue is older than this program, so it did not keep the gates of models/clf."
    assert said in capsys.readouterr().out.splitlines()
    assert deploy(project, "--dry-run") == 0


@pytest.fixture(autouse=True)
def _nothing_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notices, "_told", set())
