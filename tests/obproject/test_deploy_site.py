"""Deploying to a served site: what it changes, what a dry run says of that, and what is left alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import requests

from obproject import Asset
from obproject.deploy.main import main
from tests.conftest import Site
from tests.obproject.deploying import FLOW, PROJECT, leave_this_machine, write


class Deployed:
    """A small project on a branch of a served site."""

    def __init__(self, site: Site, root: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.root, self.capsys = root, capsys
        self.name = f"deployed_{uuid4().hex[:8]}"
        self.address = f"{site.url}/v1/perimeters/default/projects/{self.name}/branches/feature_x"
        self.page = f"{site.url}/default/{self.name}/feature_x"
        write(root, PROJECT | {"obproject.toml": f'project = "{self.name}"\ntitle = "My project"\n'})

    def deploy(self, *options: str) -> dict[str, Any]:
        """Deploy and return the outcome."""
        assert main(["--json", "--root", str(self.root), "--branch", "feature/x", *options]) == 0
        (document,) = json.loads(self.capsys.readouterr().out)["projects"]
        return document

    def would_change(self, *options: str) -> dict[str, Any]:
        return self.deploy("--dry-run", *options)["difference"]

    def get(self, path: str) -> Any:
        return requests.get(f"{self.address}/{path}", timeout=20).json()

    def asset(self) -> Asset:
        return Asset(self.name, "feature/x", deployment="app")

    def edit(self, path: str, before: str, after: str) -> None:
        file = self.root / path
        assert before in file.read_text()
        file.write_text(file.read_text().replace(before, after))


@pytest.fixture
def project(
    served: Site, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> Deployed:
    leave_this_machine(monkeypatch, tmp_path)
    monkeypatch.setenv("ASSETSITE_URL", served.url)
    return Deployed(served, tmp_path / "project", capsys)


def test_a_deployment_says_what_it_changed(project: Deployed) -> None:
    first = project.deploy()
    assert first["assets"]["created"] == ["data/xkcd", "models/llama"]
    assert first["url"] == project.page
    assert first["ok"] is True
    second = project.deploy()
    assert second["assets"]["unchanged"] == ["data/xkcd", "models/llama"]
    assert second["version_id"] == first["version_id"]


def test_a_deployment_tells_how_its_branch_stands_beside_main(
    project: Deployed, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    summary = tmp_path / "summary.md"
    root = ["--quiet", "--root", str(project.root), "--summary", str(summary)]
    assert main([*root, "--branch", "feature/x"]) == 0
    (line,) = capsys.readouterr().err.splitlines()
    assert (
        line
        == f"The summary has no comparison: the catalogue has no branch main and no branch master of {project.name}"
    )
    assert main([*root, "--branch", "main"]) == 0
    assert "against" not in summary.read_text()
    for branch, strips in (("main", 3), ("feature/x", 4)):
        asset = Asset(project.name, branch, deployment="app")
        asset.register_model_asset("llama", kind="external", annotations={"accuracy": strips / 10})
    done = project.deploy("--summary", str(summary))
    assert done["comparison"]["base"] == "main"
    assert done["comparison"]["worse"] is False
    assert done["comparison"]["sentence"].startswith("Llama is better here")
    written = summary.read_text()
    assert "### My project on <code>feature/x</code>" in written
    assert "### My project: <code>feature/x</code> against <code>main</code>" in written
    assert written.rstrip().endswith(f"/default/{project.name}/compare/main...feature_x")


def test_a_dry_run_of_a_new_project_would_create_all_of_it(project: Deployed) -> None:
    difference = project.would_change()
    assert difference["created"] == ["data/xkcd", "models/llama"]
    assert difference["flows_added"] == ["TrainFlow"]
    assert requests.get(f"{project.address}/latestflowproject", timeout=20).status_code == 404
    assert not (project.root / "project_spec.json").exists()


def test_a_dry_run_shows_every_field_that_would_change(project: Deployed) -> None:
    project.deploy()
    assert project.would_change() == {
        "created": [],
        "updated": {},
        "unchanged": ["data/xkcd", "models/llama"],
        "overridden": [],
        "not_declared": [],
        "spec": [],
        "flows_added": [],
        "flows_removed": [],
        "left": [],
        "gates": [],
    }
    project.edit("data/xkcd/asset_config.toml", "Latest comic", "Newest comic")
    project.edit("data/xkcd/asset_config.toml", 'key = "value"', 'other = "value"')
    project.edit("data/xkcd/asset_config.toml", 'fresh = "yes"', 'fresh = "no"')
    project.edit("data/xkcd/README.md", "About", "All about")
    project.edit("obproject.toml", "My project", "Our project")
    (project.root / "models/llama").rename(project.root / "models/_llama")
    (project.root / "flows/train").rename(project.root / "flows/_train")
    write(project.root, {"flows/score/flow.py": FLOW.format(name="ScoreFlow")})
    difference = project.would_change()
    changes = {change["what"]: (change["before"], change["after"]) for change in difference["updated"]["data/xkcd"]}
    assert changes == {
        "name": ("Latest comic", "Newest comic"),
        "README": ("About the comic", "All about the comic"),
        "property key": ("value", None),
        "property other": (None, "value"),
        "tags": ({"fresh": "yes"}, {"fresh": "no"}),
    }
    assert difference["not_declared"] == ["models/llama"]
    assert difference["spec"] == [{"what": "title", "before": "My project", "after": "Our project"}]
    assert (difference["flows_added"], difference["flows_removed"]) == (["ScoreFlow"], ["TrainFlow"])
    outcome = project.deploy()
    assert outcome["assets"]["updated"] == ["data/xkcd"]
    assert outcome["assets"]["not_declared"] == ["models/llama"]


def test_a_dry_run_shows_what_would_change_of_metrics(project: Deployed) -> None:
    project.deploy()
    project.edit("data/xkcd/asset_config.toml", 'ignore = ["path.*"]', "ignore = []")
    project.edit("data/xkcd/asset_config.toml", "[compare]", "[metrics.panels]\n[compare]")
    assert main(["--dry-run", "--root", str(project.root), "--branch", "feature/x"]) == 0
    assert project.capsys.readouterr().out.splitlines()[1:4] == [
        "  update     data/xkcd",
        "    metric panels: none -> 'named only'",
        "    left out of comparisons: ['path.*'] -> []",
    ]
    assert project.deploy()["assets"]["updated"] == ["data/xkcd"]
    text = (project.root / "data/xkcd/asset_config.toml").read_text()
    strips = '[metrics.strips]\nbetter = "higher"\nheadline = true\n'
    moved = text.replace(strips, "").replace("[compare]", f"{strips}[compare]")
    project.edit("data/xkcd/asset_config.toml", text, moved)
    assert project.would_change()["updated"]["data/xkcd"] == [
        {"what": "order of metrics", "before": "strips, panels", "after": "panels, strips"}
    ]
    project.edit("data/xkcd/asset_config.toml", strips, "")
    assert project.would_change()["updated"]["data/xkcd"] == [
        {"what": "metric strips", "before": 'better = "higher", headline = true', "after": None}
    ]


def test_a_dry_run_is_told_in_words(project: Deployed) -> None:
    project.deploy()
    project.edit("data/xkcd/asset_config.toml", "Latest comic", "Newest comic")
    project.edit("data/xkcd/README.md", "About", "All about")
    assert main(["--dry-run", "--root", str(project.root), "--branch", "feature/x"]) == 0
    assert project.capsys.readouterr().out.splitlines()[1:] == [
        "  update     data/xkcd",
        "    name: 'Latest comic' -> 'Newest comic'",
        "    README: 15 characters -> 19 characters",
        "  unchanged  models/llama",
    ]


def test_a_dry_run_compares_what_other_tools_declared_as_far_as_it_is_known(project: Deployed) -> None:
    body = {
        "entity_ref": {"entity_kind": "task", "entity_id": "deployer"},
        "data_asset_kind": "data",
        "annotations": {"key": "old", "_config_hash": "1"},
    }
    requests.patch(f"{project.address}/data/xkcd", json=body, timeout=20).raise_for_status()
    changes = {change["what"]: change["before"] for change in project.would_change()["updated"]["data/xkcd"]}
    assert changes["property key"] == "old"
    assert "tags" not in changes
    assert changes["metric strips"] is None


def test_a_dry_run_without_a_server_says_so(project: Deployed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ASSETSITE_URL")
    assert project.deploy("--dry-run")["difference"] is None
    assert main(["--dry-run", "--root", str(project.root), "--branch", "feature/x"]) == 0
    out = project.capsys.readouterr().out
    assert "data/xkcd  Latest comic" in out
    assert "What that would change is not known: no server is asked." in out


def test_a_dry_run_that_gets_no_answer_is_a_failure(
    project: Deployed, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ASSETSITE_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("ASSETSITE_RETRIES", "0")
    assert main(["--dry-run", "--root", str(project.root), "--branch", "x"]) == 1
    assert "http://127.0.0.1:9" in capsys.readouterr().err


def test_fault_18_deploying_properties_hides_no_instance(project: Deployed) -> None:
    project.deploy()
    project.asset().register_data_asset("xkcd", kind="file", blobs=["strip.png"])
    for value in ("a", "b"):
        project.edit("data/xkcd/asset_config.toml", "The strip", f"The strip {value}")
        project.deploy()
    latest = project.asset().peek_data_asset("xkcd")
    assert (latest["ref"], latest["data_properties"]["blobs"]) == ("v1", ["strip.png"])
    assert project.asset().get_properties("xkcd") == {"key": "value"}


def test_fault_19_a_readme_is_a_change_and_a_deployment_is_no_version(project: Deployed) -> None:
    project.deploy()
    project.edit("data/xkcd/README.md", "About", "All about")
    assert project.deploy()["assets"]["updated"] == ["data/xkcd"]
    assert [found.number for found in project.asset().list_data_asset_instances("xkcd")] == [None]


def test_fault_21_skipping_assets_leaves_them_alone(project: Deployed) -> None:
    project.deploy()
    before = project.get("data")["items"]
    project.edit("data/xkcd/asset_config.toml", "Latest comic", "Newest comic")
    project.edit("data/xkcd/README.md", "About", "All about")
    project.edit("obproject.toml", "My project", "Our project")
    outcome = project.deploy("--skip-assets")
    assert not any(outcome["assets"][word] for word in ("created", "updated", "unchanged", "overridden"))
    assert project.get("data")["items"] == before
    spec = project.get("latestflowproject")
    assert spec["title"] == "Our project"
    assert [(entry["display_name"], entry["card_markdown"]) for entry in spec["data"]] == [
        ("Latest comic", "About the comic")
    ]
    assert project.would_change("--skip-assets")["updated"] == {}


@pytest.mark.parametrize("how", ["--no-server", "SPEC_ONLY"])
def test_fault_21_only_the_spec_file_is_only_the_spec_file(
    project: Deployed, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    if how == "SPEC_ONLY":
        monkeypatch.setenv("SPEC_ONLY", "1")
    app = ["sh", "-c", "touch was_run"]
    write(project.root, {"deployments/app/obproject_deploy.toml": f"[deploy]\ncommand = {json.dumps(app)}\n"})
    assert main(["--quiet", "--root", str(project.root), "--branch", "feature/x", *([how] if "-" in how else [])]) == 0
    assert requests.get(f"{project.address}/latestflowproject", timeout=20).status_code == 404
    assert not (project.root / "was_run").exists()
    assert (project.root / "project_spec.json").exists()


def test_apps_run_their_command_with_what_they_need_to_know(project: Deployed, served: Site) -> None:
    names = "OB_PROJECT OB_BRANCH ASSETSITE_DEPLOYMENT ASSETSITE_URL ASSETSITE_PERIMETER OB_DEPLOYMENT_CONFIG"
    command = ["sh", "-c", "pwd > seen; for name in " + names + '; do eval echo "$name=\\$$name" >> seen; done']
    write(
        project.root,
        {
            "deployments/dashboard/obproject_deploy.toml": f"[deploy]\ncommand = {json.dumps(command)}\n",
            "deployments/dashboard/staging.yaml": "port: 1\n",
            "deployments/listed/app.py": "",
            "deployments/elsewhere/obproject_deploy.toml": '[deploy]\nbranches = ["main"]\n',
        },
    )
    with (project.root / "obproject.toml").open("a") as file:
        file.write('[branch_to_environment]\n"feature/*" = "e"\n[environments.e]\ndeployment_config = "staging.yml"\n')
    outcome = project.deploy()
    assert outcome["apps"] == {"deployed": ["dashboard"], "not_deployed": []}
    seen = (project.root / "seen").read_text().splitlines()
    assert seen == [
        str(project.root),
        f"OB_PROJECT={project.name}",
        "OB_BRANCH=feature/x",
        "ASSETSITE_DEPLOYMENT=dashboard",
        f"ASSETSITE_URL={served.url}",
        "ASSETSITE_PERIMETER=default",
        "OB_DEPLOYMENT_CONFIG=deployments/dashboard/staging.yaml",
    ]
    assert project.get("latestflowproject")["deployments"] == [{"name": "dashboard"}, {"name": "listed"}]
    (project.root / "seen").unlink()
    project.deploy("--skip-apps")
    assert not (project.root / "seen").exists()
    assert project.get("latestflowproject")["deployments"] == [{"name": "dashboard"}, {"name": "listed"}]


def test_an_app_that_fails_is_told_with_its_output(project: Deployed) -> None:
    command = ["sh", "-c", "echo the port is taken; exit 3"]
    write(project.root, {"deployments/app/obproject_deploy.toml": f"[deploy]\ncommand = {json.dumps(command)}\n"})
    assert main(["--json", "--root", str(project.root), "--branch", "feature/x"]) == 1
    out, err = project.capsys.readouterr()
    assert "The app app can't be deployed:\n    the port is taken" in err
    assert json.loads(out)["projects"][0]["apps"] == {"deployed": [], "not_deployed": ["app"]}


def test_an_app_whose_program_is_missing_is_found_before_anything_is_changed(project: Deployed) -> None:
    write(project.root, {"deployments/app/obproject_deploy.toml": '[deploy]\ncommand = ["./bin/no-such"]\n'})
    assert main(["--root", str(project.root), "--branch", "feature/x"]) == 1
    assert "deployments/app/obproject_deploy.toml: [deploy] key 'command'" in project.capsys.readouterr().err
    assert requests.get(f"{project.address}/latestflowproject", timeout=20).status_code == 404


def test_what_an_older_deployment_knew_is_kept_where_this_one_does_not_know_it(project: Deployed) -> None:
    project.edit("obproject.toml", "title", 'created_at = "2020-01-01T00:00:00Z"\ntitle')
    project.deploy()
    project.edit("obproject.toml", 'created_at = "2020-01-01T00:00:00Z"\n', "")
    project.deploy()
    assert project.get("latestflowproject")["created_at"] == "2020-01-01T00:00:00Z"
