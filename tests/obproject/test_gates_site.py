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
