"""The command ``obproject``, against a really served site of a team."""

from __future__ import annotations

import io
import json
import os
import re
import ssl
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any
from unittest.mock import patch
from uuid import uuid4

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from obproject import Asset, errors
from obproject.commands import doctor
from obproject.commands.main import main
from obproject.commands.sources import describe_settings
from obproject.commands.tables import one_line, table
from obproject.first_steps import FIRST_FLOW
from obproject.settings import find_settings
from tests.conftest import Site, free_port, served_from
from tests.obproject.stub_server import Canned, StubCatalogue

pytestmark = pytest.mark.slow

HTML = {"Content-Type": "text/html; charset=utf-8"}
TEAM = {
    "ASSETSITE_MODE": "team",
    "ASSETSITE_ALLOWED_HOSTS": "127.0.0.1",
    "ASSETSITE_BIND": "127.0.0.1",
    "ASSETSITE_SECRET_KEY": "k1" * 30,
    "ASSETSITE_WORKERS": "1",
}


@dataclass
class Team:
    """A served site with a token that may do everything, one limited to branches, and one that only reads."""

    site: Site
    editor: str
    limited: str
    viewer: str

    @property
    def url(self) -> str:
        return self.site.url


@pytest.fixture(scope="module")
def team(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Team]:
    with served_from(tmp_path_factory.mktemp("team"), **TEAM) as site:

        def token(user: str, role: str, *more: str) -> str:
            create = ("token", "create", "--user", user, "--perimeter", "default", "--role", role)
            return site.manage(*create, *more).strip()

        yield Team(
            site,
            token("ada", "editor"),
            token("bob", "editor", "--branch", "user.*", "--branch", "user_*"),
            token("eve", "viewer"),
        )


@dataclass
class Answer:
    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        return json.loads(self.out)

    def checks(self, subject: str) -> list[dict[str, str]]:
        return [check for check in self.document["checks"] if check["subject"] == subject]


Run = Callable[..., Answer]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def run(*arguments: str) -> Answer:
        capsys.readouterr()
        with patch.dict(os.environ):
            try:
                code = main(arguments)
            except SystemExit as exit:
                code = int(exit.code or 0)
        return Answer(code, *capsys.readouterr())

    return run


@pytest.fixture
def folder(unconfigured: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A project of its own on the git branch feature/x, in which alice works; no server is configured."""
    root = tmp_path / "work"
    root.mkdir()
    name = f"commands_{uuid4().hex}"
    (root / "obproject.toml").write_text(f'project = "{name}"\n[dev-assets]\nbranch = "main"\n')
    subprocess.run(["git", "init", "--quiet", "--initial-branch", "feature/x", root], check=True)
    for variable in ("GITHUB_HEAD_REF", "GITHUB_REF_NAME", "CI_COMMIT_REF_NAME"):
        unconfigured.delenv(variable, raising=False)
    unconfigured.setenv("METAFLOW_USER", "alice")
    unconfigured.setattr("metaflow.metaflow_config.USER", "alice")
    unconfigured.chdir(root)
    return root


@pytest.fixture
def project(folder: Path, team: Team, unconfigured: pytest.MonkeyPatch) -> str:
    """The name of the folder's project; the team's site is configured, with the token of an editor."""
    unconfigured.setenv("ASSETSITE_URL", team.url)
    unconfigured.setenv("ASSETSITE_TOKEN", team.editor)
    return (folder / "obproject.toml").read_text().split('"')[1]


@pytest.fixture
def feature(project: str) -> Asset:
    return Asset(project, "feature/x", deployment="trainer")


def make(asset: Asset, name: str = "clf", **more: Any) -> dict[str, Any]:
    made = asset.register_model_asset(name, kind="artifact", **more)
    assert made is not None
    return made


# The command line


def test_the_command_is_installed_and_explains_itself() -> None:
    program = Path(sys.executable).with_name("obproject")
    done = subprocess.run([program, "--help"], capture_output=True, text=True, check=True)
    assert "{doctor,assets,promote,teardown}" in done.stdout


def test_importing_the_package_loads_no_command() -> None:
    script = "import sys; from obproject import *; print([name for name in sys.modules if 'commands' in name])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_help_needs_no_metaflow() -> None:
    script = "import sys, obproject.commands.main; print('metaflow' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


@pytest.mark.parametrize(
    "arguments", [(), ("assets",), ("assets", "show"), ("promote", "x"), ("assets", "show", "a", "--limit", "0")]
)
def test_a_command_line_that_cannot_be_right_is_2(run: Run, arguments: tuple[str, ...]) -> None:
    answer = run(*arguments)
    assert (answer.code, answer.out) == (2, "")
    assert "usage: obproject" in answer.err


@pytest.mark.parametrize("option", ["--token", "--url"])
def test_no_token_and_no_address_is_taken_from_the_command_line(run: Run, option: str) -> None:
    assert run("doctor", option, "x").code == 2


def test_a_reader_that_goes_away_is_no_traceback(project: str, feature: Asset) -> None:
    make(feature)
    program = Path(sys.executable).with_name("obproject")
    piped = subprocess.run(
        ["/bin/sh", "-c", f"{{ {program} assets list; echo $? >&3; }} 3>&2 | true"],
        env=dict(os.environ),
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Traceback" not in piped.stderr
    assert piped.stderr.splitlines()[-1] in ("0", "141")


def test_tables_are_aligned_and_nothing_in_them_steers_a_terminal() -> None:
    assert table(("A", "B"), [("x", "a\nb"), ("long", "")]) == "A     B\nx     a b\nlong"
    assert one_line("\x1b[31mred\x07") == "\ufffd[31mred\ufffd"


# Where a command works


def test_project_and_branch_come_from_the_folder_and_are_told(run: Run, project: str, folder: Path) -> None:
    (folder / "below").mkdir()
    os.chdir(folder / "below")
    answer = run("assets", "list")
    assert answer.code == 0
    assert f"project '{project}' ({folder / 'obproject.toml'}), branch 'feature/x' (git)" in answer.err
    assert answer.out == f"No such assets on branches 'feature/x' and 'user.alice' of project '{project}'.\n"


def test_options_come_before_the_folder(run: Run, project: str) -> None:
    answer = run("assets", "list", "--project", "other", "--branch", "main", "--perimeter", "default", "--json")
    names = {"perimeter": "default", "project": "other", "branch": "main", "branches": ["main"]}
    assert answer.document == {**names, "assets": []}
    assert "project 'other' (--project), branch 'main' (--branch)" in answer.err


@pytest.mark.parametrize(
    ("prepare", "expected"),
    [
        (lambda folder: (folder / "obproject.toml").unlink(), r"Which project\? .* --project"),
        (lambda folder: (folder / "obproject.toml").write_text("project ="), r"obproject.toml can't be read: .*"),
    ],
)
def test_what_is_not_known_is_one_line_with_the_next_step(
    run: Run, project: str, folder: Path, prepare: Callable[[Path], object], expected: str
) -> None:
    prepare(folder)
    answer = run("assets", "list", "--json")
    assert answer.code == 1
    [line] = answer.err.splitlines()
    assert re.search(expected, line)
    assert answer.document == {"error": line.removeprefix("obproject: ")}


@pytest.mark.parametrize(
    ("prepare", "expected"),
    [
        (lambda folder: (folder / ".git" / "HEAD").write_text("1" * 40), "detached HEAD"),
        (lambda folder: (folder / ".git").rename(folder / "gone"), "no git repository"),
    ],
)
def test_where_git_names_no_branch_ones_own_is_looked_at(
    run: Run,
    project: str,
    folder: Path,
    prepare: Callable[[Path], object],
    expected: str,
    unconfigured: pytest.MonkeyPatch,
) -> None:
    prepare(folder)
    answer = run("assets", "list", "--json")
    assert (answer.code, answer.document["branches"]) == (0, ["user.alice"])
    assert re.search(rf"Which branch\? .*{expected}.*--branch NAME", answer.err)
    unconfigured.setattr("metaflow.util.get_username", lambda: None)
    answer = run("assets", "list", "--json")
    assert (answer.code, answer.err.count("\n")) == (1, 1)
    assert re.search(rf"Which branch\? .*{expected}.* Give --branch NAME.", answer.document["error"])


# obproject assets


def test_the_branch_of_git_and_ones_own_are_looked_at(run: Run, project: str, feature: Asset) -> None:
    own = Asset(project, "user.alice", deployment="notebook")
    make(feature, "both")
    for name in ("both", "mine", "mine"):
        make(own, name)
    listed = run("assets", "list", "--json").document
    assert listed["branches"] == ["feature/x", "user.alice"]
    assert [(item["branch"], item["asset"]["id"]) for item in listed["assets"]] == [
        ("feature/x", "both"),
        ("user.alice", "both"),
        ("user.alice", "mine"),
    ]
    shown = run("assets", "show", "mine", "--json")
    assert (shown.document["branch"], shown.document["recent_instances"][0]["ref"]) == ("user.alice", "v2")
    told = run("assets", "history", "both")
    assert (told.code, len(told.out.splitlines())) == (0, 2)
    assert "'both' is on branch 'user.alice' too; --branch user.alice shows it." in told.err


def test_assets_are_listed_in_a_table(run: Run, feature: Asset) -> None:
    make(feature)
    make(feature, tags={"env": "test"}, description="the newest")
    feature.set_alias("clf", "candidate")
    feature.register_data_asset("rows", kind="table")
    answer = run("assets", "list")
    header, rows, clf = answer.out.splitlines()
    assert header.split() == ["ASSET", "BRANCH", "KIND", "LATEST", "REGISTERED", "(UTC)", "BY", "ALIASES"]
    assert rows.startswith("data/rows")
    assert clf.split()[:4] == ["models/clf", "feature/x", "artifact", "v2"]
    assert clf.endswith("deployment trainer  @candidate")
    assert rows.index("table") == clf.index("artifact") == header.index("KIND")


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (("--kind", "model"), ["clf"]),
        (("--tag", "env=test"), ["clf"]),
        (("--tag", "env"), ["clf"]),
        (("--tag", "env=prod"), []),
        (("--text", "daily rows"), ["rows"]),
    ],
)
def test_the_list_is_filtered(run: Run, feature: Asset, options: tuple[str, ...], expected: list[str]) -> None:
    make(feature, tags={"env": "test"})
    feature.register_data_asset("rows", kind="table", description="rows of the daily load")
    answer = run("assets", "list", "--json", *options)
    assert [item["asset"]["id"] for item in answer.document["assets"]] == expected


def test_one_asset_is_shown_with_all_that_hangs_on_it(run: Run, feature: Asset) -> None:
    first = make(feature, annotations={"accuracy": 0.9})
    feature.set_alias("clf", "candidate", "v1")
    make(feature)
    Asset(feature.project, "feature/x", deployment="dashboard").consume_model_asset("clf", "v1")
    answer = run("assets", "show", "clf", "--json")
    shown = answer.document
    assert [one["ref"] for one in shown["recent_instances"]] == ["v2", "v1"]
    assert shown["recent_instances"][1]["values"] == {"accuracy": 0.9}
    assert [(one["name"], one["instance_id"]) for one in shown["aliases"]] == [("candidate", first["id"])]
    assert [one["component"]["name"] for one in shown["recently_consumed_by"]] == ["dashboard"]
    text = run("assets", "show", "clf").out
    for part in ("models/clf", "@candidate  v1", "deployment trainer", "deployment dashboard", "none declared"):
        assert part in text, part


def test_the_state_of_an_instance_is_shown(run: Run, project: str, team: Team) -> None:
    url = f"{team.url}/v1/perimeters/default/projects/{project}/branches/feature_x/data/rows"
    body = {
        "entity_ref": {"entity_kind": "task", "entity_id": "F/1/start/1"},
        "data_asset_kind": "table",
        "state": "pending",
    }
    requests.patch(url, json=body, headers={"x-api-key": team.editor}, timeout=10).raise_for_status()
    instances = run("assets", "show", "rows").out.split("Newest instances")[1].splitlines()
    assert instances[2].split()[:2] == ["v1", "pending"]
    assert "v1 registered, pending" in run("assets", "history", "rows").out


def test_history_tells_instances_and_alias_moves_in_the_order_of_time(run: Run, feature: Asset) -> None:
    make(feature)
    feature.set_alias("clf", "candidate")
    make(feature)
    feature.set_alias("clf", "candidate", "v2")
    feature.delete_alias("clf", "candidate")
    answer = run("assets", "history", "clf")
    assert [line.split("  ")[1] for line in answer.out.splitlines()[1:]] == [
        "v1 registered",
        "@candidate set to v1",
        "v2 registered",
        "@candidate set to v2, before on v1",
        "@candidate deleted, was on v2",
    ]
    events = run("assets", "history", "clf", "--limit", "2", "--json").document["events"]
    assert [(one["event"], one["instance_id"]) for one in events[1:]] == [("alias", None)]
    assert [one["at"] for one in events] == sorted(one["at"] for one in events)


def test_an_asset_that_is_not_there_is_one_line(run: Run, project: str) -> None:
    answer = run("assets", "show", "nothing")
    assert (answer.code, answer.out) == (1, "")
    assert f"data asset 'nothing' on branch 'feature/x' of project '{project}'" in answer.err.splitlines()[-1]


# obproject promote


def test_promote_copies_an_asset_and_says_what_happened(run: Run, project: str, feature: Asset) -> None:
    make(feature)
    answer = run("promote", "feature/x", "main", "--asset", "clf")
    assert answer.code == 0
    assert answer.out.splitlines()[1].split() == ["promoted", "models/clf", "@candidate"]
    assert "assetsite: promoted model asset 'clf' v1 of branch 'feature/x' as v1 of branch 'main'" in answer.err
    assert [alias.name for alias in Asset(project, "main").list_aliases("clf")] == ["candidate"]


def test_promote_in_json_prints_the_answer_alone(run: Run, feature: Asset) -> None:
    make(feature)
    feature.set_alias("clf", "gold")
    answer = run("promote", "feature/x", "main", "--kind", "model", "--alias", "", "--no-aliases", "--json")
    assert answer.document == {"promoted": [{"kind": "models", "name": "clf", "alias": None}], "errors": []}
    assert Asset(feature.project, "main").list_aliases("clf") == []


def test_an_asset_that_could_not_be_promoted_is_1(run: Run, feature: Asset) -> None:
    make(feature)
    answer = run("promote", "feature/x", "main", "--asset", "clf", "--instance", "v9")
    assert answer.code == 1
    assert answer.out.splitlines()[1].startswith("failed   models/clf  model asset 'clf' (v9)")


def test_an_alias_that_no_promotion_gives_is_one_line(run: Run, project: str) -> None:
    answer = run("promote", "feature/x", "main", "--alias", "nonsense", "--json")
    assert answer.code == 1
    assert "nonsense" in answer.document["error"]


def test_nothing_to_promote_is_said(run: Run, project: str) -> None:
    answer = run("promote", "feature/x", "main")
    assert answer.code == 1
    assert "branch 'feature/x' of project" in answer.out
    make(Asset(project, "feature/x"))
    assert run("promote", "feature/x", "main", "--kind", "data").code == 1
    assert run("promote", "feature/x", "main", "--instance", "1").code == 0


def test_a_perimeter_of_the_command_line_holds_for_a_promotion(
    run: Run, project: str, unconfigured: pytest.MonkeyPatch
) -> None:
    unconfigured.setenv("ASSETSITE_PERIMETER", "default")
    answer = run("promote", "feature/x", "main", "--perimeter", "elsewhere", "--json")
    assert answer.code == 1
    assert all("elsewhere" in one["error"] for one in answer.document["errors"])


# obproject teardown


def test_a_branch_is_torn_down_without_questions_where_yes_was_said(run: Run, project: str, feature: Asset) -> None:
    make(feature)
    answer = run("teardown", f"{project}/feature/x", "--yes")
    assert answer.code == 0
    assert answer.out.splitlines()[1:] == [
        "deleted  models/clf",
        f"Torn down: branch 'feature/x' of project '{project}'.",
    ]
    assert feature.list_model_assets()["items"] == []
    assert run("teardown", f"{project}/feature/x").out == (
        f"Branch 'feature/x' of project '{project}' has nothing to tear down.\n"
    )


def test_fault_54_a_teardown_in_json_prints_one_document_and_leaves_nothing_of_an_undeployed_branch(
    run: Run, project: str, feature: Asset
) -> None:
    make(feature)
    feature.register_data_asset("rows", kind="table")
    assert feature.get_flowproject_spec() is None
    plan = run("teardown", f"{project}/feature/x", "--dry-run", "--json")
    assert (plan.code, plan.document["status"], plan.document["deleted"]) == (0, "dry_run", ["data/rows", "models/clf"])
    answer = run("teardown", f"{project}/feature/x", "--yes", "--json")
    assert (answer.code, answer.document["status"]) == (0, "ok")
    assert "Deleting data/rows" in answer.err
    assert feature.list_data_assets()["items"] == feature.list_model_assets()["items"] == []


def test_fault_54_an_error_is_not_taken_for_an_empty_branch(
    run: Run, project: str, team: Team, feature: Asset, unconfigured: pytest.MonkeyPatch
) -> None:
    make(feature)
    unconfigured.setenv("ASSETSITE_TOKEN", "wrong")
    answer = run("teardown", f"{project}/feature/x", "--yes", "--json")
    assert (answer.code, list(answer.document)) == (1, ["error"])
    unconfigured.setenv("ASSETSITE_TOKEN", team.viewer)
    answer = run("teardown", f"{project}/feature/x", "--yes", "--json")
    assert (answer.code, answer.document["status"]) == (1, "partial")
    assert [one["what"] for one in answer.document["failed"]] == ["models/clf"]


def test_nobody_to_ask_means_no(run: Run, project: str, feature: Asset, unconfigured: pytest.MonkeyPatch) -> None:
    make(feature)
    unconfigured.setattr("sys.stdin", io.StringIO("y\n"))
    answer = run("teardown", f"{project}/feature/x")
    assert (answer.code, answer.out) == (1, "")
    assert "--yes" in answer.err
    assert len(feature.list_model_assets()["items"]) == 1


@pytest.mark.parametrize(("said", "left"), [("y\n", 0), ("\n", 1), ("n\n", 1), ("", 1)])
def test_on_a_terminal_it_asks_first(
    run: Run, project: str, feature: Asset, unconfigured: pytest.MonkeyPatch, said: str, left: int
) -> None:
    make(feature)
    terminal = io.StringIO(said)
    unconfigured.setattr(terminal, "isatty", lambda: True, raising=False)
    unconfigured.setattr("sys.stdin", terminal)
    answer = run("teardown", f"{project}/feature/x")
    assert "would delete  models/clf" in answer.err
    assert len(feature.list_model_assets()["items"]) == left
    assert answer.code == (1 if left else 0)


def test_the_production_branch_needs_force(run: Run, project: str) -> None:
    make(Asset(project, "main"))
    answer = run("teardown", f"{project}/main", "--yes")
    assert answer.code == 1
    assert "production branch" in answer.err
    assert run("teardown", f"{project}/main", "--yes", "--force").code == 0


def test_a_target_without_a_branch_is_one_line(run: Run, project: str) -> None:
    answer = run("teardown", project, "--yes")
    assert answer.code == 1
    assert answer.err.startswith(f"obproject: '{project}' names no branch; expected PROJECT/BRANCH")


# obproject doctor


def test_doctor_finds_nothing_wrong_where_nothing_is(run: Run, project: str, folder: Path, team: Team) -> None:
    answer = run("doctor", "--json")
    assert answer.code == 0, answer.out
    assert answer.document["ok"] is True
    assert {check["status"] for check in answer.document["checks"]} == {"ok"}
    messages = [check["message"] for check in answer.document["checks"]]
    for part in (
        f"url: {team.url} (ASSETSITE_URL in the environment)",
        "token: set (ASSETSITE_TOKEN in the environment)",
        "ada (team mode), editor in the perimeter 'default'",
        "A local run reads branch 'main', then 'user.alice' and writes branch 'user.alice'.",
        "What is deployed from here, on branch 'feature/x' (git), reads branch 'main', then 'feature/x' "
        "and writes branch 'feature/x'.",
    ):
        assert part in messages, part
    assert team.editor not in answer.out
    text = run("doctor").out
    assert "0 problems, 0 warnings" in text.splitlines()
    assert text.splitlines()[-1] == f"The result shows at {team.url}/default/~first-steps?project={project}"


def _steps(answer: Answer) -> dict[str, dict[str, Any]]:
    return {step["step"]: step for step in answer.document["first_steps"]}


@pytest.mark.filterwarnings("error:.*invalid escape sequence")
def test_doctor_says_what_is_left_to_do_with_the_lines_to_paste(run: Run, project: str, folder: Path) -> None:
    steps = _steps(run("doctor", "--json"))
    assert [name for name, step in steps.items() if step["done"]] == ["client", "project"]
    assert steps["base"]["paste"] == FIRST_FLOW
    plain = 'from metaflow import FlowSpec\nclass OldFlow(FlowSpec):\n    digits = "\\d+"\n'
    (folder / "old.py").write_text(plain)
    (folder / "broken.py").write_text("class (:")
    (folder / "deep.py").write_text(f"x = {'-' * 100_000}1")  # more than Python's own parser takes
    steps = _steps(run("doctor", "--json"))
    assert steps["base"]["message"] == "give OldFlow in old.py its base"
    assert "class OldFlow(ProjectFlow):" in steps["base"]["paste"]
    text = run("doctor").out
    assert "next: give OldFlow in old.py its base\n\n    from obproject import ProjectFlow\n" in text
    (folder / "old.py").write_text(plain.replace("FlowSpec", "ProjectFlow"))
    steps = _steps(run("doctor", "--json"))
    assert (steps["base"]["done"], steps["lines"]["done"]) == (True, False)
    assert "a step of OldFlow in old.py" in steps["lines"]["message"]
    (folder / "flows").mkdir()
    (folder / "old.py").rename(folder / "flows" / "old.py")
    (folder / "flow.py").write_text(FIRST_FLOW.replace("(ProjectFlow)", "(TeamFlow)"))
    steps = _steps(run("doctor", "--json"))
    assert (steps["lines"]["done"], steps["run"]["done"]) == (True, False)
    assert steps["run"]["paste"] == "python flow.py run"


def test_doctor_has_the_line_that_says_who_runs_a_flow_where_nothing_tells(
    run: Run, project: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("metaflow.util.get_username", lambda: None)
    answer = run("doctor", "--json")
    assert answer.checks("local run")[0]["status"] == "problem"
    assert _steps(answer)["run"]["paste"] == "export METAFLOW_USER=me\npython flow.py run"


def test_doctor_says_where_the_first_run_is(run: Run, feature: Asset, team: Team) -> None:
    make(feature)
    answer = run("doctor", "--json")
    assert all(step["done"] for step in answer.document["first_steps"])
    assert answer.document["page"].startswith(f"{team.url}/default/commands_")
    assert answer.document["page"].endswith("/feature_x/models/clf/v1")
    assert run("doctor").out.splitlines()[-1].startswith("next: nothing is left to do; what your runs make is at ")


def test_doctor_suggests_a_name_and_an_address(
    run: Run, folder: Path, catalogue: StubCatalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "obproject.toml").unlink()
    inner = folder / "some" / "deep"
    inner.mkdir(parents=True)
    monkeypatch.chdir(inner)
    monkeypatch.setattr("obproject.first_steps.USUAL_ADDRESS", f"http://127.0.0.1:{free_port()}")
    answer = run("doctor", "--perimeter", "alpha", "--json")
    steps = _steps(answer)
    assert steps["project"]["paste"] == 'project = "work"\nperimeter = "alpha"'
    assert steps["client"]["paste"].startswith("assetsite serve\nexport ASSETSITE_URL=http://127.0.0.1:")
    assert answer.document["page"] == ""
    catalogue.answer_next(Canned(200, b'{"perimeters": []}'))
    monkeypatch.setattr("obproject.first_steps.USUAL_ADDRESS", catalogue.url)
    step = _steps(run("doctor", "--json"))["client"]
    assert (step["done"], step["paste"]) == (False, f"export ASSETSITE_URL={catalogue.url}")


def test_doctor_says_what_a_token_may_not_write(
    run: Run, project: str, team: Team, unconfigured: pytest.MonkeyPatch
) -> None:
    unconfigured.setenv("ASSETSITE_TOKEN", team.limited)
    answer = run("doctor", "--json")
    assert answer.code == 0
    assert [check["status"] for check in answer.checks("local run") + answer.checks("deploy")] == ["ok", "warning"]
    assert "writes to branches user.*, user_* only" in answer.checks("identity")[0]["message"]
    unconfigured.setenv("ASSETSITE_TOKEN", team.viewer)
    answer = run("doctor", "--json")
    assert answer.code == 1
    assert [check["status"] for check in answer.checks("local run")] == ["problem"]
    assert answer.checks("local run")[0]["next_step"]


def test_doctor_knows_a_perimeter_that_the_token_does_not_reach(run: Run, project: str) -> None:
    [identity] = run("doctor", "--perimeter", "elsewhere", "--json").checks("identity")
    assert identity["status"] == "problem"
    assert "'elsewhere'; perimeters to see: default." in identity["message"]


def test_a_token_that_is_wrong_or_missing_is_recognised(
    run: Run, project: str, unconfigured: pytest.MonkeyPatch
) -> None:
    for token in ("wrong", ""):
        unconfigured.setenv("ASSETSITE_TOKEN", token)
        answer = run("doctor", "--json")
        assert answer.code == 1
        assert "ASSETSITE_TOKEN" in _problem(answer)["message"]
        line = run("assets", "list").err.splitlines()[-1]
        assert "ASSETSITE_TOKEN" in line


def _problem(answer: Answer) -> dict[str, str]:
    [problem] = [check for check in answer.document["checks"] if check["status"] == "problem"]
    return problem


@pytest.mark.parametrize(
    ("canned", "expected"),
    [
        (Canned(200, b"<html>Welcome</html>", HTML), "a web page"),
        (Canned(502, b"<html>Bad gateway</html>", HTML), "status 502"),
        (Canned(302, b"", {"Location": "https://sso.example.com/sign-in"}), "redirects to https://sso.example.com"),
        (Canned(200, b'{"status": "ok"}'), "is no catalogue"),
    ],
)
def test_what_is_no_catalogue_is_recognised(
    run: Run,
    folder: Path,
    catalogue: StubCatalogue,
    unconfigured: pytest.MonkeyPatch,
    canned: Canned,
    expected: str,
) -> None:
    unconfigured.setenv("ASSETSITE_URL", catalogue.url)
    catalogue.answer_next(*[canned] * 2)
    answer = run("doctor", "--json")
    assert answer.code == 1
    assert expected in _problem(answer)["message"]
    assert catalogue.url in _problem(answer)["message"]


def test_a_certificate_that_is_not_trusted_is_recognised(
    run: Run, folder: Path, untrusted: str, unconfigured: pytest.MonkeyPatch
) -> None:
    unconfigured.setenv("ASSETSITE_URL", untrusted)
    answer = run("doctor", "--json")
    assert answer.code == 1
    assert f"the certificate of {untrusted} isn't trusted" in _problem(answer)["message"]


@pytest.fixture
def untrusted(tmp_path: Path) -> Iterator[str]:
    """The address of a server whose certificate nobody has signed but itself."""
    file = tmp_path / "certificate.pem"
    file.write_bytes(_self_signed())
    server = HTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield f"https://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def _self_signed() -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "nobody")])
    today = datetime.now(UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, today, today + timedelta(days=1))
    pem, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    certificate = builder.sign(key, hashes.SHA256()).public_bytes(pem)
    return certificate + key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain)


def test_no_server_is_a_problem_with_its_next_step(run: Run, folder: Path, unconfigured: pytest.MonkeyPatch) -> None:
    answer = run("doctor", "--json")
    assert (answer.code, "ASSETSITE_URL" in _problem(answer)["next_step"]) == (1, True)
    unconfigured.setenv("ASSETSITE_URL", f"http://127.0.0.1:{free_port()}")
    unconfigured.setenv("ASSETSITE_RETRIES", "0")
    assert "doesn't answer" in _problem(run("doctor", "--json"))["message"]
    answer = run("assets", "list", "--json")
    assert answer.code == 1
    assert "doesn't answer" in answer.document["error"]


def test_doctor_reports_settings_and_files_that_cannot_be_used(
    run: Run, folder: Path, unconfigured: pytest.MonkeyPatch
) -> None:
    unconfigured.setenv("ASSETSITE_URL", "catalogue.example.com")
    (folder / "obproject.toml").write_text('project = "Not Allowed"\n')
    answer = run("doctor", "--json")
    assert answer.code == 1
    assert "no web address" in answer.checks("settings")[0]["message"]
    assert answer.checks("project")[0]["status"] == "problem"
    (folder / "obproject.toml").write_text("project =")
    assert "can't be read" in run("doctor", "--json").checks("project")[0]["message"]


def test_doctor_sees_a_package_that_takes_the_same_name(
    run: Run, folder: Path, unconfigured: pytest.MonkeyPatch
) -> None:
    unconfigured.setattr(doctor, "version", lambda name: "1.0")
    assert "Uninstall ob-project-utils" in run("doctor", "--json").checks("packages")[1]["next_step"]


def test_doctor_sees_that_the_plug_in_is_missing(run: Run, folder: Path, unconfigured: pytest.MonkeyPatch) -> None:
    unconfigured.setattr("metaflow.plugins.STEP_DECORATORS", [])
    assert run("doctor", "--json").checks("plug-in")[0]["status"] == "problem"


def test_doctor_warns_of_a_token_that_travels_unencrypted(
    run: Run, folder: Path, unconfigured: pytest.MonkeyPatch
) -> None:
    unconfigured.setenv("ASSETSITE_URL", "http://nowhere.invalid")
    unconfigured.setenv("ASSETSITE_TOKEN", "secret")
    unconfigured.setenv("ASSETSITE_TIMEOUT", "1")
    warning, problem = run("doctor", "--json").checks("server")
    assert (warning["status"], problem["status"]) == ("warning", "problem")


def test_fault_50_a_token_for_some_branches_writes_no_other_one(
    project: str, team: Team, unconfigured: pytest.MonkeyPatch
) -> None:
    unconfigured.setenv("ASSETSITE_TOKEN", team.limited)
    assert make(Asset(project, "user.bob"))["ref"] == "v1"
    with pytest.raises(errors.NotAllowed, match=r"model asset 'clf' on branch 'main'.*only.*127\.0\.0\.1.*admin"):
        make(Asset(project, "main"))
    unconfigured.setenv("ASSETSITE_TOKEN", team.viewer)
    with pytest.raises(errors.NotAllowed):
        make(Asset(project, "user.bob"))


def test_fault_53_the_command_uses_the_profile_that_flows_use(project: str, folder: Path, team: Team) -> None:
    for profile, token in (("", "wrong"), ("_team", team.editor)):
        values = {"METAFLOW_ASSETSITE_URL": team.url, "METAFLOW_ASSETSITE_TOKEN": token}
        (folder / f"config{profile}.json").write_text(json.dumps(values))
    env = {name: value for name, value in os.environ.items() if not name.startswith("ASSETSITE_")}
    env |= {"METAFLOW_HOME": str(folder), "METAFLOW_PROFILE": "team"}
    program = Path(sys.executable).with_name("obproject")
    done = subprocess.run([program, "doctor", "--json"], env=env, capture_output=True, text=True, check=False)
    sources = [check["message"] for check in json.loads(done.stdout)["checks"] if check["subject"] == "settings"]
    assert f"token: set (METAFLOW_ASSETSITE_TOKEN in {folder / 'config_team.json'})" in sources
    assert done.returncode == 0, done.stdout


# Where settings come from


@pytest.mark.parametrize(
    ("environment", "configuration", "expected"),
    [
        ({}, {}, {"url": "default", "token": "default", "perimeter": "default", "timeout": "default"}),
        ({"ASSETSITE_URL": "http://a", "METAFLOW_ASSETSITE_URL": "http://b"}, {}, {"url": "ASSETSITE_URL in the env"}),
        ({"METAFLOW_ASSETSITE_TIMEOUT": "3"}, {}, {"timeout": "METAFLOW_ASSETSITE_TIMEOUT in the environment"}),
        ({}, {"METAFLOW_ASSETSITE_URL": "http://c"}, {"url": "METAFLOW_ASSETSITE_URL in {file}"}),
        ({"ASSETSITE_URL": " "}, {"METAFLOW_ASSETSITE_URL": "http://c"}, {"url": "METAFLOW_ASSETSITE_URL in {file}"}),
        ({"METAFLOW_ASSETSITE_URL": ""}, {"METAFLOW_ASSETSITE_URL": "http://c"}, {"url": "default"}),
        (
            {"OBP_API_SERVER": "api.example.com", "METAFLOW_SERVICE_AUTH_KEY": "k", "OBP_PERIMETER": "research"},
            {},
            {"url": "OBP_API_SERVER", "token": "METAFLOW_SERVICE_AUTH_KEY", "perimeter": "OBP_PERIMETER"},
        ),
        ({"ASSETSITE_URL": "http://a", "METAFLOW_SERVICE_AUTH_KEY": "k"}, {}, {"token": "default"}),
    ],
)
def test_the_source_that_is_told_is_the_one_that_is_used(
    unconfigured: pytest.MonkeyPatch,
    tmp_path: Path,
    environment: dict[str, str],
    configuration: dict[str, str],
    expected: dict[str, str],
) -> None:
    unconfigured.setattr("metaflow.metaflow_config_funcs.METAFLOW_CONFIG", configuration)
    for name, value in environment.items():
        unconfigured.setenv(name, value)
    told = describe_settings(find_settings(), perimeter_option=None, project_file=None)
    sources = {setting.name: setting.source for setting in told}
    for name, source in expected.items():
        assert sources[name].startswith(source.format(file=tmp_path / "config.json")), name
    for setting in told:
        assert (setting.source == "default") == (setting.value == _default(setting.name)), setting


def _default(name: str) -> str:
    defaults = {"perimeter": "default", "timeout": "10 s", "retries": "2", "strict": "off", "wait": "60 s"}
    return defaults.get(name, "none")


def test_every_setting_is_told(unconfigured: pytest.MonkeyPatch) -> None:
    settings = find_settings()
    told = {setting.name for setting in describe_settings(settings, perimeter_option=None, project_file=None)}
    assert told == set(vars(settings)) - {"service_headers"}
