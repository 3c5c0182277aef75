"""Gates on a really served site: declared by a deploy, refusing what the client does, checked and asked about."""

from __future__ import annotations

import json
from pathlib import Path
from uuid import uuid4

import pytest

from obproject import Asset, errors, promote_assets
from obproject.commands.main import main as run_command
from obproject.deploy.main import main as run_deploy
from tests.conftest import Site
from tests.obproject.deploying import leave_this_machine, write

CLF = 'id = "clf"\nname = "Classifier"\ndescription = "What it is"\n'
GATES = '[gates.production]\nrequire = ["auc >= 0.78", "auc >= @production - 0.002"]\nwarn = ["accuracy >= 0.9"]\n'


class Project:
    """A project with a model of three versions on main, the first of which is in production."""

    def __init__(self, site: Site, root: Path) -> None:
        self.root, self.name, self.site = root, f"gated_{uuid4().hex[:8]}", site
        self.main = Asset(self.name, "main", deployment="trainer")
        for auc in (0.8, 0.79, 0.81):
            self.main.register_model_asset("clf", kind="external", annotations={"auc": auc})
        self.main.set_alias("clf", "production", "v1", "model")

    def deploy(self, gates: str, *options: str) -> int:
        files = {"obproject.toml": f'project = "{self.name}"\n', "models/clf/asset_config.toml": CLF + gates}
        write(self.root, files)
        return run_deploy(["--root", str(self.root), "--branch", "main", *options])


@pytest.fixture
def project(served: Site, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Project:
    leave_this_machine(monkeypatch, tmp_path)
    monkeypatch.setenv("ASSETSITE_URL", served.url)
    monkeypatch.setenv("ASSETSITE_PERIMETER", "default")
    monkeypatch.chdir(tmp_path)
    return Project(served, tmp_path / "project")


def test_gates_that_were_deployed_refuse_what_does_not_pass(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    assert project.deploy(GATES) == 0
    assert "  gates      models/clf: others hold now" in capsys.readouterr().out.splitlines()
    with pytest.raises(errors.GateRefused) as refused:
        project.main.set_alias("clf", "production", "v2", "model")
    assert "\n  auc >= @production - 0.002: has 0.79, needs 0.798 (v1 has 0.8), 0.008 short." in str(refused.value)
    assert [rule["says"] for rule in refused.value.rules] == ["passes", "refuses", "warns"]
    (failed,) = promote_assets(
        project.name, "main", "main", asset="clf", instance="v2", alias="production", kinds="models"
    )["errors"]
    assert failed["error"] == str(refused.value)
    capsys.readouterr()
    check = ["promote", "main", "main", "--project", project.name, "--asset", "clf", "--alias", "production", "--check"]
    assert run_command([*check, "--instance", "v2"]) == 1
    assert capsys.readouterr().out.splitlines() == [
        "models/clf v2 to @production of main: would be refused by 1 of 3 rules",
        "  ✓ auc >= 0.78                 0.79, needs 0.78",
        "  ✗ auc >= @production - 0.002  0.79, needs 0.798 (v1 has 0.8), 0.008 short",
        "  ! accuracy >= 0.9             not measured in v2",
    ]
    assert run_command(check) == 0
    assert project.main.set_alias("clf", "production", "v3", "model").previous_instance_id
    # Who does not speak of gates leaves them, and an empty table takes them away.
    assert project.deploy("") == 0
    assert run_command([*check, "--instance", "v2"]) == 1
    assert project.deploy("[gates]\n") == 0
    assert run_command([*check, "--instance", "v2"]) == 0


def test_a_dry_run_asks_the_site_what_new_rules_would_have_done(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    assert project.deploy(GATES, "--quiet") == 0
    capsys.readouterr()
    assert project.deploy(GATES, "--dry-run") == 0
    assert capsys.readouterr().out.splitlines()[1:] == ["  unchanged  models/clf"]
    assert project.deploy(GATES.replace("0.78", "0.805"), "--dry-run") == 0
    assert capsys.readouterr().out.splitlines()[1:] == [
        "  update     models/clf",
        "    gate @production - auc >= 0.78",
        "    gate @production + auc >= 0.805",
        "    @production: would have refused 2 of the last 3 versions (auc >= 0.805: 2, auc >= @production - 0.002: 1)"
        "; v1, which holds it now, would not pass: auc >= 0.805: 0.8, needs 0.805, 0.005 short",
    ]
    assert project.deploy(GATES.replace("auc >= 0.78", "auc >> 0.78"), "--dry-run") == 1
    assert capsys.readouterr().err.splitlines()[:3] == [
        "models/clf/asset_config.toml: gates.production.require, rule 1, column 6: > where a number or @alias, latest, "
        "latest-1 or v12 could stand",
        "    auc >> 0.78",
        "         ^",
    ]


def test_approval_is_asked_for_and_asked_for_once(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    assert project.deploy("[gates.production]\napprovals = 1\n", "--quiet") == 0
    move = ["promote", "main", "main", "--project", project.name, "--asset", "clf", "--alias", "production"]
    assert run_command(move) == 1
    assert "✗ approvals = 1  0 of 1, needs 1" in capsys.readouterr().out
    for _ in range(2):
        assert run_command([*move, "--ask", "Better on the holdout", "--json"]) == 0
        (asked,) = json.loads(capsys.readouterr().out)["asked"]
        assert (asked["alias"], asked["request"]["ref"]) == ("production", "v3")
        assert asked["request"]["url"].startswith(
            f"{project.site.url}/default/{project.name}/main/models/clf/requests/"
        )
        assert asked["request"]["comment"] == "Better on the holdout"


def test_a_deprecated_version_is_passed_over_and_no_alias_moves_to_it(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    project.main.deprecate("clf", "v3", "Trained on leaked labels.")
    assert project.main.peek_model_asset("clf")["ref"] == "v2"
    with pytest.raises(errors.GateRefused, match="it is deprecated: Trained on leaked labels"):
        project.main.set_alias("clf", "champion", "v3", "model")
    capsys.readouterr()
    project.main.consume_model_asset("clf", "v3")
    assert capsys.readouterr().out == ("assetsite: the model asset 'clf' v3 is deprecated: Trained on leaked labels.\n")
    project.main.deprecate("clf", 2, "So was this one.")
    project.main.deprecate("clf", "@production", "And this.")
    with pytest.raises(errors.AllDeprecated, match="v3"):
        project.main.peek_model_asset("clf")
    project.main.undo_deprecation("clf", "v3")
    assert project.main.peek_model_asset("clf")["ref"] == "v3"


def test_a_gated_alias_keeps_its_asset_from_a_teardown(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    assert project.deploy(GATES, "--quiet") == 0
    project.main.register_data_asset("rows", kind="table")
    with pytest.raises(errors.NotAccepted, match="production"):
        project.main.delete_model_asset("clf")
    capsys.readouterr()
    assert run_command(["teardown", f"{project.name}/main", "--yes", "--force", "--json"]) == 1
    document = json.loads(capsys.readouterr().out)
    assert [(one["what"], one["held"]) for one in document["failed"]] == [("models/clf", True)]
    assert "data/rows" in document["deleted"]


def test_a_branch_with_gates_is_asked_before_a_copy_is_made(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    assert project.deploy('[gates."into branch"]\nrequire = ["auc >= 0.8"]\napprovals = 1\n', "--quiet") == 0
    feature = Asset(project.name, "feature/x", deployment="trainer")
    feature.register_model_asset("clf", kind="external", annotations={"auc": 0.7})
    promote = ["promote", "feature/x", "main", "--project", project.name, "--asset", "clf", "--json"]
    assert run_command([*promote, "--check"]) == 1
    into, alias = json.loads(capsys.readouterr().out)["checked"]
    assert [rule["says"] for rule in into["rules"]] == ["refuses", "refuses"]
    assert (into["passes"], alias["alias"], alias["passes"]) == (False, "candidate", None)
    (failed,) = promote_assets(project.name, "feature/x", "main", asset="clf")["errors"]
    assert failed["refused"][0]["alias"] is None
    assert project.main.peek_model_asset("clf")["ref"] == "v3"
