"""``obproject-deploy`` on real folders with real git, against a server that records what it is asked."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from obproject import ci
from obproject.deploy import main
from obproject.git import read_checkout
from obproject.workflows import read_workflows

ANSWER = {
    "version_id": "x",
    "branch": "feature_x",
    "branch_name": "feature/x",
    "created": ["data/xkcd"],
    "updated": ["models/llama"],
    "unchanged": ["data/old"],
    "overridden": [
        {"asset": "models/llama", "key": "bedrock", "declared": "b", "previously_declared": "a", "override": "mine"}
    ],
    "url": "/default/my_project/feature_x/",
}

FLOW = """
from metaflow import step
from obproject import ProjectFlow

class {name}(ProjectFlow):
    @step
    def start(self):
        self.next(self.end)

    @step
    def end(self):
        pass

if __name__ == "__main__":
    {name}()
"""


@dataclass
class Recorder:
    """A server that keeps what it is asked and gives one answer to everything."""

    url: str = ""
    status: int = 200
    answer: Any = field(default_factory=lambda: dict(ANSWER))
    requests: list[tuple[str, str, dict[str, str], Any]] = field(default_factory=list)


@pytest.fixture
def server() -> Iterator[Recorder]:
    recorder = Recorder()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            recorder.requests.append((self.command, self.path, dict(self.headers), json.loads(body)))
            payload = json.dumps(recorder.answer).encode()
            self.send_response(recorder.status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(payload)))
            self.end_headers()
            self.wfile.write(payload)

        def log_message(self, *_: object) -> None:
            """Keep the test's output clean."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as httpd:
        recorder.url = f"http://127.0.0.1:{httpd.server_port}"
        thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield recorder
        httpd.shutdown()
        thread.join()


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An environment without a CI, without settings, and with a git that knows nobody."""
    for name in os.environ:
        if name.startswith(
            ("ASSETSITE_", "METAFLOW_", "OBP_", "GITHUB_", "CI_", "GIT_", "CIRCLE_", "BUILD_", "SYSTEM_")
        ):
            monkeypatch.delenv(name)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))


def git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=Alice", "-c", "user.email=alice@example.org", "-c", "commit.gpgsign=false"]
    done = subprocess.run(["git", "-C", folder, *identity, *arguments], check=True, capture_output=True, text=True)
    return done.stdout.strip()


def write(root: Path, files: dict[str, str]) -> None:
    for path, content in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(content)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A small project without git."""
    root = tmp_path / "work"
    write(
        root,
        {
            "obproject.toml": 'project = "my_project"\ntitle = "My project"\n[dev-assets]\nbranch = "main"\n',
            "README.md": "# My project\n",
            "data/xkcd/asset_config.toml": 'id = "xkcd"\nname = "Latest comic"\ndescription = "The strip"\n'
            '[properties]\nkey = "value"\n[tags]\nfresh = "yes"\n',
            "data/xkcd/README.md": "About the comic",
            "models/llama/asset_config.toml": 'id = "llama"\nname = "Llama"\ndescription = "An LLM"\nicon = "meta"\n'
            'kind = "external"\nblobs = ["llama3.1"]\n',
            "flows/train/flow.py": FLOW.format(name="TrainFlow"),
            "flows/train/README.md": "Trains.",
        },
    )
    return root


@pytest.fixture
def project(folder: Path) -> Path:
    """The small project in git, on a feature branch with two commits."""
    git(folder, "init", "--quiet", "--initial-branch=main")
    git(folder, "remote", "add", "origin", "https://alice:secret@git.example.org/team/my-project.git")
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "--message=First", "--date=2025-01-02T03:04:05+01:00")
    git(folder, "switch", "--quiet", "--create=feature/x")
    git(folder, "commit", "--quiet", "--allow-empty", "--message=Second\n\nWith a reason.\n\nAnd more.")
    return folder


@pytest.fixture
def configured(server: Recorder, project: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The project as working directory, with a server configured."""
    monkeypatch.chdir(project)
    monkeypatch.setenv("ASSETSITE_URL", server.url)
    monkeypatch.setenv("ASSETSITE_TOKEN", "the-token")
    return project


def spec_file(root: Path) -> dict[str, Any]:
    return json.loads((root / "project_spec.json").read_text())


def test_one_request_deploys_everything(server: Recorder, configured: Path) -> None:
    assert main([]) == 0
    ((method, path, headers, body),) = server.requests
    sha = git(configured, "rev-parse", "HEAD")
    assert (method, path) == (
        "POST",
        "/v1/perimeters/default/projects/my_project/branches/feature_x/deploys",
    )
    assert headers["x-api-key"] == "the-token"
    assert body["branch_name"] == "feature/x"
    assert body["version_id"] == sha
    assert body["entity_ref"] == {"entity_kind": "ci", "entity_id": "obproject-deploy"}
    assert body["definitions"] == [
        {
            "kind": "data",
            "id": "xkcd",
            "name": "Latest comic",
            "description": "The strip",
            "properties": {"key": "value"},
            "tags": {"fresh": "yes"},
            "asset_kind": "data",
            "blobs": [],
            "readme": "About the comic",
            "source": "data/xkcd/asset_config.toml",
        },
        {
            "kind": "models",
            "id": "llama",
            "name": "Llama",
            "description": "An LLM",
            "properties": {},
            "tags": {},
            "asset_kind": "external",
            "blobs": ["llama3.1"],
            "icon": "meta",
            "source": "models/llama/asset_config.toml",
        },
    ]


def test_the_spec_file_is_the_record_that_was_posted(server: Recorder, configured: Path) -> None:
    assert main([]) == 0
    record = spec_file(configured)
    spec = record.pop("spec")
    first, second = (git(configured, "rev-parse", name) for name in ("main", "HEAD"))
    assert spec == server.requests[0][3]["spec"]
    assert record == {
        "perimeter": "default",
        "project": "my_project",
        "branch": "feature_x",
        "branch_name": "feature/x",
        "version_id": second,
    }
    assert spec.pop("updated_at").endswith("Z")
    assert spec.pop("created_at").endswith("Z")
    events = spec.pop("deployment_events")
    assert [event["commit_sha"] for event in events] == [second, first]
    assert events[0]["pr_description"] == "With a reason.\n\nAnd more."
    assert events[1] == {
        "commit_sha": first,
        "commit_link": f"https://git.example.org/team/my-project/commit/{first}",
        "owner": "alice@example.org",
        "pr_title": "First",
        "pr_description": "",
        "timestamp": "2025-01-02T03:04:05+01:00",
    }
    assert spec == {
        "metaflow_project": "my_project",
        "metaflow_branch": "test.feature_x",
        "project_name": "my_project",
        "project_branch": "feature_x",
        "branch_name": "feature/x",
        "perimeter": "default",
        "title": "My project",
        "markdown": "# My project",
        "code": [
            {
                "display_name": f"Second ({second[:6]})",
                "url": f"https://git.example.org/team/my-project/commit/{second}",
            }
        ],
        "data": [
            {
                "id": "xkcd",
                "display_name": "Latest comic",
                "description": "The strip",
                "card_markdown": "About the comic",
            }
        ],
        "models": [{"id": "llama", "display_name": "Llama", "description": "An LLM", "icon": "meta"}],
        "workflows": [
            {
                "flow_name": "TrainFlow",
                "markdown_description": "Trains.",
                "tags": [],
                "metaflow_project": "my_project",
                "metaflow_branch": "test.feature_x",
            }
        ],
        "card_info": [],
    }


def test_what_happened_is_told(
    server: Recorder, configured: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(configured / "flows/train")
    assert main([]) == 0
    sha = git(configured, "rev-parse", "HEAD")
    assert capsys.readouterr().out.splitlines() == [
        f"Deployed my_project, branch feature/x, version {sha[:12]}.",
        "  created    data/xkcd",
        "  updated    models/llama",
        "  unchanged  data/old",
        "  overridden models/llama [properties] bedrock: declared 'b' (before: 'a'), "
        "but a person set 'mine', which stays",
        f"See it at {server.url}/default/my_project/feature_x/",
        "Wrote project_spec.json. To run a flow as deployed from this branch:",
        f"  cd {configured} && python flows/train/flow.py --config project_spec project_spec.json run",
    ]


def test_what_is_no_longer_declared_and_what_the_server_warns_of_is_told(
    server: Recorder, configured: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    server.answer |= {"not_declared": ["data/a", "models/b"], "warning": "The key is shared."}
    assert main([]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "  still in the catalogue, no longer declared: data/a, models/b" in lines
    assert "Warning: The key is shared." in lines


@pytest.mark.parametrize("options", [[], ["--dry-run"]])
def test_a_reader_who_leaves_ends_it_quietly_with_the_work_done(
    server: Recorder, configured: Path, options: list[str]
) -> None:
    command = [sys.executable, "-m", "obproject.deploy", *options]
    for unbuffered in ("", "1"):
        reader, writer = os.pipe()
        os.close(reader)
        environment = os.environ | {"PYTHONUNBUFFERED": unbuffered}
        done = subprocess.run(command, stdout=writer, stderr=subprocess.PIPE, env=environment)
        os.close(writer)
        assert (done.returncode, done.stderr) == (141, b"")
    assert len(server.requests) == (0 if options else 2)
    assert (configured / "project_spec.json").exists() == (not options)


def test_a_spec_file_that_cannot_be_written_does_not_hide_what_was_deployed(
    server: Recorder, configured: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (configured / "project_spec.json").mkdir()
    assert main([]) == 1
    out, err = capsys.readouterr()
    assert out.startswith("Deployed my_project")
    assert "can't write" in err


def test_a_value_that_is_too_long_stops_before_the_server_is_asked(
    server: Recorder, configured: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with (configured / "data/xkcd/asset_config.toml").open("a") as file:
        file.write(f'team = "{"x" * 1025}"\n')
    assert main([]) == 1
    assert capsys.readouterr().err.splitlines() == [
        "data/xkcd/asset_config.toml: [tags] key 'team': found 1,025 characters, expected at most 1,024",
        "1 problem found; nothing was deployed.",
    ]
    assert server.requests == []


def test_quiet_prints_nothing(server: Recorder, configured: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--quiet"]) == 0
    assert capsys.readouterr() == ("", "")
    assert len(server.requests) == 1


def test_dry_run_changes_nothing(server: Recorder, configured: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--dry-run"]) == 0
    out = capsys.readouterr().out
    assert "data/xkcd  Latest comic" in out
    assert "TrainFlow" in out
    assert server.requests == []
    assert not (configured / "project_spec.json").exists()


def test_no_server_writes_only_the_spec_file(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--no-server", "--root", str(project)]) == 0
    assert spec_file(project)["branch_name"] == "feature/x"
    assert "Wrote project_spec.json" in capsys.readouterr().out
    assert [path.name for path in project.iterdir() if "project_spec" in path.name] == ["project_spec.json"]


def test_without_a_configured_server_nothing_is_written(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--root", str(project)]) == 1
    err = capsys.readouterr().err
    assert "ASSETSITE_URL" in err
    assert "--no-server" in err
    assert not (project / "project_spec.json").exists()


def test_any_problem_stops_before_the_server_is_asked(
    server: Recorder, configured: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(
        configured,
        {
            "obproject.toml": 'project = "my-project"\n',
            "data/xkcd/asset_config.toml": 'id = "x y"\n',
            "models/llama/asset_config.toml": "id = \n",
            "flows/train/flow.py": "class TrainFlow(ProjectFlow)\n",
            "flows/none/flow.py": "print('no flow')\n",
        },
    )
    assert main([]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    lines = err.splitlines()
    assert [line.split(": found")[0].split(": the")[0] for line in lines[:-1]] == [
        "obproject.toml: key 'project'",
        "data/xkcd/asset_config.toml: key 'id'",
        "data/xkcd/asset_config.toml: key 'name'",
        "data/xkcd/asset_config.toml: key 'description'",
        "models/llama/asset_config.toml: line 1",
        "flows/none/flow.py",
        "flows/train/flow.py: line 1",
    ]
    assert lines[-1] == "7 problems found; nothing was deployed."
    assert server.requests == []
    assert not (configured / "project_spec.json").exists()


def test_a_refusal_of_the_server_is_told_and_leaves_the_spec_file_alone(
    server: Recorder, configured: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    server.status = 409
    server.answer = {
        "error": "conflict",
        "message": "feature/x and feature_X share the key feature_x",
        "detail": {"branch": "feature/x"},
    }
    (configured / "project_spec.json").write_text("{}")
    assert main([]) == 1
    assert "feature/x and feature_X share the key feature_x" in capsys.readouterr().err
    assert spec_file(configured) == {}


def test_an_unreachable_server_is_told(
    configured: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ASSETSITE_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("ASSETSITE_RETRIES", "0")
    assert main([]) == 1
    assert "http://127.0.0.1:9" in capsys.readouterr().err


def test_a_folder_without_a_project(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--root", str(tmp_path)]) == 1
    assert "obproject.toml: found nothing" in capsys.readouterr().err


def test_outside_of_any_project(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main([]) == 1
    assert "no obproject.toml" in capsys.readouterr().err


def test_the_branch_comes_from_the_option_then_the_file_then_the_ci_then_git(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def deployed_branch(*options: str) -> str:
        assert main(["--no-server", "--quiet", "--root", str(project), *options]) == 0
        return spec_file(project)["branch_name"]

    assert deployed_branch() == "feature/x"
    monkeypatch.setenv("GITHUB_HEAD_REF", "from/ci")
    assert deployed_branch() == "from/ci"
    with (project / "obproject.toml").open("r+") as file:
        text = file.read()
        file.seek(0)
        file.write('branch = "from/file"\nversion = "v7"\n' + text)
    assert deployed_branch() == "from/file"
    assert spec_file(project)["version_id"] == "v7"
    assert deployed_branch("--branch", "from/option") == "from/option"
    assert deployed_branch("--branch", "main", "--perimeter", "team") == "main"
    assert spec_file(project)["spec"]["metaflow_branch"] == "prod"
    assert spec_file(project)["perimeter"] == "team"


def test_the_perimeter_of_the_project_file_comes_last(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def deployed_perimeter(*options: str) -> str:
        assert main(["--no-server", "--quiet", "--root", str(project), *options]) == 0
        return spec_file(project)["perimeter"]

    assert deployed_perimeter() == "default"
    (project / "obproject.toml").write_text('project = "my_project"\nperimeter = "from_file"\n')
    assert deployed_perimeter() == "from_file"
    monkeypatch.setenv("OBP_PERIMETER", "from_vendor")
    assert deployed_perimeter() == "from_vendor"
    monkeypatch.setenv("ASSETSITE_PERIMETER", "from_environment")
    assert deployed_perimeter() == "from_environment"
    assert deployed_perimeter("--perimeter", "from_option") == "from_option"


def test_a_detached_head_needs_a_name(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    git(project, "checkout", "--quiet", "--detach")
    assert main(["--no-server", "--root", str(project)]) == 1
    assert "detached HEAD" in capsys.readouterr().err
    assert main(["--no-server", "--root", str(project), "--branch", "feature/x"]) == 0


@pytest.mark.parametrize("option", [["--branch", "//"], ["--perimeter", "a/b"]])
def test_options_that_can_not_be_used(project: Path, option: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--no-server", "--root", str(project), *option]) == 1
    assert repr(option[1]) in capsys.readouterr().err


def test_without_git_the_branch_must_be_named_and_the_version_is_that_of_the_content(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--no-server", "--root", str(folder)]) == 1
    assert "--branch" in capsys.readouterr().err

    def deployed_version() -> str:
        assert main(["--no-server", "--quiet", "--root", str(folder), "--branch", "main"]) == 0
        return spec_file(folder)["version_id"]

    first = deployed_version()
    assert first.startswith("content-")
    assert deployed_version() == first
    (folder / "README.md").write_text("changed")
    assert deployed_version() != first
    assert "deployment_events" in spec_file(folder)["spec"]
    assert "created_at" not in spec_file(folder)["spec"]


def test_a_machine_without_git_needs_a_named_branch_too(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(project))
    assert main(["--no-server", "--root", str(project)]) == 1
    assert main(["--no-server", "--root", str(project), "--branch", "feature/x"]) == 0


def test_a_git_that_refuses_is_quoted(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    assert main(["--no-server", "--root", str(project), "--branch", "feature/x"]) == 1
    assert "dubious ownership" in capsys.readouterr().err


def test_a_repository_without_commits_has_a_branch(folder: Path) -> None:
    git(folder, "init", "--quiet", "--initial-branch=trunk")
    checkout = read_checkout(folder)
    assert checkout is not None
    assert (checkout.branch, checkout.commits) == ("trunk", ())
    assert main(["--no-server", "--quiet", "--root", str(folder)]) == 0
    assert spec_file(folder)["branch_name"] == "trunk"


def test_only_the_last_ten_commits_are_told(project: Path) -> None:
    for number in range(10):
        git(project, "commit", "--quiet", "--allow-empty", f"--message=Number {number}")
    assert main(["--no-server", "--quiet", "--root", str(project)]) == 0
    titles = [event["pr_title"] for event in spec_file(project)["spec"]["deployment_events"]]
    assert titles == [f"Number {number}" for number in range(9, -1, -1)]


@pytest.mark.parametrize(
    ("remote", "url"),
    [
        ("https://alice:secret@git.example.org:8443/team/p.git", "https://git.example.org:8443/team/p/commit/1"),
        ("git@git.example.org:team/p.git", "https://git.example.org/team/p/commit/1"),
        ("ssh://git@git.example.org:22/team/p.git", "https://git.example.org/team/p/commit/1"),
        ("https://bitbucket.org/team/p", "https://bitbucket.org/team/p/commits/1"),
        ("/srv/git/p.git", None),
        ("file:///srv/git/p.git", None),
    ],
)
def test_commits_are_linked_without_credentials(folder: Path, remote: str, url: str | None) -> None:
    git(folder, "init", "--quiet")
    git(folder, "remote", "add", "origin", remote)
    checkout = read_checkout(folder)
    assert checkout is not None
    assert checkout.commit_url("1") == url


@pytest.mark.parametrize(
    ("environ", "branch"),
    [
        ({}, None),
        ({"GITHUB_HEAD_REF": "feature/x", "GITHUB_REF_NAME": "12/merge"}, "feature/x"),
        ({"GITHUB_HEAD_REF": "", "GITHUB_REF_NAME": "main", "GITHUB_REF_TYPE": "branch"}, "main"),
        ({"GITHUB_REF_NAME": "v1.0", "GITHUB_REF_TYPE": "tag"}, None),
        ({"CI_MERGE_REQUEST_SOURCE_BRANCH_NAME": "feature/x", "CI_COMMIT_REF_NAME": "other"}, "feature/x"),
        ({"CI_COMMIT_REF_NAME": "main"}, "main"),
        ({"CI_COMMIT_REF_NAME": "v1.0", "CI_COMMIT_TAG": "v1.0"}, None),
        ({"SYSTEM_PULLREQUEST_SOURCEBRANCH": "refs/heads/feature/x", "BUILD_SOURCEBRANCH": "refs/pull/1"}, "feature/x"),
        ({"BUILD_SOURCEBRANCH": "refs/heads/main"}, "main"),
        ({"BUILD_SOURCEBRANCH": "refs/tags/v1"}, None),
        ({"CIRCLE_BRANCH": "feature/x"}, "feature/x"),
    ],
)
def test_the_ci_names_the_branch(environ: dict[str, str], branch: str | None) -> None:
    assert ci.find_branch(environ) == branch


@pytest.mark.parametrize(
    ("environ", "page"),
    [
        ({}, None),
        (
            {"GITHUB_SERVER_URL": "https://github.com", "GITHUB_REPOSITORY": "o/r", "GITHUB_RUN_ID": "7"},
            "https://github.com/o/r/actions/runs/7",
        ),
        (
            {"SYSTEM_COLLECTIONURI": "https://dev.example/o/", "SYSTEM_TEAMPROJECT": "p", "BUILD_BUILDID": "7"},
            "https://dev.example/o/p/_build/results?buildId=7",
        ),
        ({"CI_JOB_URL": "https://gitlab.example/j/7"}, "https://gitlab.example/j/7"),
    ],
)
def test_the_ci_names_its_page(environ: dict[str, str], page: str | None) -> None:
    assert ci.find_page(environ) == page


@pytest.mark.parametrize(
    ("source", "flow_name"),
    [
        (FLOW.format(name="Plain"), "Plain"),
        ("class A(FlowSpec): pass", "A"),
        ("class A(obproject.ProjectFlow): pass", "A"),
        ("class Base(ProjectFlow): pass\nclass A(Base): pass\nif __name__ == '__main__':\n    A()", "A"),
        ("from team import TeamFlow\nclass A(TeamFlow): pass\nif __name__ == '__main__':\n    A()", "A"),
        ("class H: pass\nclass A(ProjectFlow): pass\nif __name__ == '__main__':\n    H()\n    A()", "A"),
        ("class Loop(Loop): pass\nclass A(ProjectFlow): pass", "A"),
    ],
)
def test_the_flow_of_a_file_is_found(tmp_path: Path, source: str, flow_name: str) -> None:
    write(tmp_path, {"flows/a/flow.py": source, "flows/_off/flow.py": "broken(", "flows/none/other.py": ""})
    assert [workflow.flow_name for workflow in read_workflows(tmp_path)] == [flow_name]


def test_the_command_runs_as_a_program(project: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "obproject.deploy", "--no-server", "--root", project], capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "--config project_spec project_spec.json run" in done.stdout
