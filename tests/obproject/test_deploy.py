"""``obproject-deploy`` on real folders with real git, against a server that records what it is asked."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from obproject.deploy.main import main
from obproject.project.git import read_checkout
from tests.obproject.deploying import (
    PROJECT,
    Recorder,
    commit_all,
    git,
    leave_this_machine,
    recording,
    spec_file,
    write,
)

pytestmark = pytest.mark.slow


@pytest.fixture
def server() -> Iterator[Recorder]:
    with recording() as recorder:
        yield recorder


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    leave_this_machine(monkeypatch, tmp_path)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A small project without git."""
    root = tmp_path / "work"
    write(root, PROJECT)
    return root


@pytest.fixture
def project(folder: Path) -> Path:
    """The small project in git, on a feature branch with two commits."""
    commit_all(folder)
    return folder


@pytest.fixture
def configured(server: Recorder, project: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The project as working directory, with a server configured."""
    monkeypatch.chdir(project)
    monkeypatch.setenv("ASSETSITE_URL", server.url)
    monkeypatch.setenv("ASSETSITE_TOKEN", "the-token")
    return project


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
            "metrics": [{"name": "strips", "better": "higher", "headline": True}],
            "compare_ignore": ["path.*"],
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
            "metrics": [],
            "compare_ignore": [],
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
                "path": ".",
            }
        ],
        "data": [
            {
                "id": "xkcd",
                "display_name": "Latest comic",
                "description": "The strip",
                "card_markdown": "About the comic",
                "kind": "data",
                "properties": {"key": "value"},
                "tags": {"fresh": "yes"},
                "blobs": [],
                "metrics": [{"name": "strips", "better": "higher", "headline": True}],
                "compare_ignore": ["path.*"],
            }
        ],
        "models": [
            {
                "id": "llama",
                "display_name": "Llama",
                "description": "An LLM",
                "icon": "meta",
                "kind": "external",
                "properties": {},
                "tags": {},
                "blobs": ["llama3.1"],
                "metrics": [],
                "compare_ignore": [],
            }
        ],
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
        "deployments": [],
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
        f"  cd {configured} && PYTHONPATH={configured}:{configured}/src ASSETSITE_URL={server.url} "
        "ASSETSITE_PERIMETER=default python flows/train/flow.py --config project_spec project_spec.json run",
        "Each deployment makes project_spec.json anew, so name it in .gitignore.",
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
    assert "  create     data/xkcd" in out
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
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
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


def test_fault_26_a_detached_head_deploys_to_no_branch_named_head(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    git(project, "checkout", "--quiet", "--detach")
    assert main(["--no-server", "--root", str(project)]) == 1
    assert "detached HEAD" in capsys.readouterr().err
    for name in ("HEAD", "head"):
        assert main(["--no-server", "--root", str(project), "--branch", name]) == 1
        assert "name it with --branch" in capsys.readouterr().err
    assert not (project / "project_spec.json").exists()
    assert main(["--no-server", "--root", str(project), "--branch", "feature/x"]) == 0


def test_fault_26_on_a_detached_head_the_ci_names_branch_and_commit(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pushed = git(project, "rev-parse", "HEAD")
    git(project, "checkout", "--quiet", "--detach")
    git(project, "commit", "--quiet", "--allow-empty", "--message=Merge of the CI")
    monkeypatch.setenv("GITLAB_CI", "true")
    monkeypatch.setenv("CI_MERGE_REQUEST_SOURCE_BRANCH_NAME", "feature/x")
    monkeypatch.setenv("CI_MERGE_REQUEST_SOURCE_BRANCH_SHA", pushed)
    monkeypatch.setenv("CI_COMMIT_SHA", git(project, "rev-parse", "HEAD"))
    assert main(["--no-server", "--quiet", "--root", str(project)]) == 0
    record = spec_file(project)
    assert (record["branch_name"], record["version_id"]) == ("feature/x", pushed)
    assert [event["pr_title"] for event in record["spec"]["deployment_events"]] == ["Second", "First"]


def test_a_job_that_deploys_another_branch_than_its_own_deploys_what_is_checked_out(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_HEAD_REF", "feature/merged")
    monkeypatch.setenv("GITHUB_SHA", "c0ffee")
    assert main(["--no-server", "--quiet", "--root", str(project)]) == 0
    assert spec_file(project)["version_id"] == "c0ffee"
    assert main(["--no-server", "--quiet", "--root", str(project), "--branch", "main"]) == 0
    assert spec_file(project)["version_id"] == git(project, "rev-parse", "HEAD")


def test_fault_26_a_shallow_clone_does_not_pretend_to_know_the_first_commit(project: Path, tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "--quiet", "--depth=1", "--branch=feature/x", project.as_uri(), str(clone))
    assert main(["--no-server", "--quiet", "--root", str(clone)]) == 0
    record = spec_file(clone)
    assert record["branch_name"] == "feature/x"
    assert "created_at" not in record["spec"]
    assert [event["pr_title"] for event in record["spec"]["deployment_events"]] == ["Second"]


def test_the_build_of_a_tag_needs_a_branch(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    git(project, "checkout", "--quiet", "--detach")
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_REF_TYPE", "tag")
    monkeypatch.setenv("GITHUB_REF_NAME", "v1.0")
    assert main(["--no-server", "--root", str(project)]) == 1
    assert "GitHub Actions builds no branch here" in capsys.readouterr().err


def test_two_ci_systems_at_once_are_refused(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("CIRCLECI", "true")
    assert main(["--no-server", "--root", str(project)]) == 1
    assert "GitHub Actions and CircleCI at once (GITHUB_ACTIONS, CIRCLECI)" in capsys.readouterr().err


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


def test_fault_26_a_repository_without_commits_has_a_branch(folder: Path) -> None:
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


def test_a_project_below_the_root_of_its_repository_is_told_where_it_is(folder: Path, tmp_path: Path) -> None:
    repository = tmp_path / "all"
    (repository / "ü/projects").mkdir(parents=True)
    inside = folder.rename(repository / "ü/projects/p")
    git(repository, "init", "--quiet", "--initial-branch=main")
    git(repository, "add", "--all")
    git(repository, "commit", "--quiet", "--message=First")
    assert main(["--no-server", "--quiet", "--root", str(inside)]) == 0
    assert spec_file(inside)["spec"]["code"][0]["path"] == "ü/projects/p"


def test_a_readme_that_is_left_out_is_named(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "readme.markdown").write_text("another")
    assert main(["--no-server", "--root", str(project)]) == 0
    assert "my_project: readme.markdown is left out, as README.md beside it is the README." in capsys.readouterr().out


def test_the_command_runs_as_a_program(project: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "obproject.deploy", "--no-server", "--root", project], capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "--config project_spec project_spec.json run" in done.stdout


def test_commits_and_the_job_are_linked_as_the_environment_says(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COMMIT_URL", "https://review.example.org/c/")
    monkeypatch.setenv("CI_URL", "https://builds.example.org/7")
    assert main(["--no-server", "--quiet", "--root", str(project)]) == 0
    spec = spec_file(project)["spec"]
    sha = git(project, "rev-parse", "HEAD")
    assert spec["deployment_events"][0]["commit_link"] == f"https://review.example.org/c/{sha}"
    assert spec["ci_url"] == "https://builds.example.org/7"


def test_the_spec_file_that_git_ignores_is_no_topic(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--no-server", "--root", str(project)]) == 0
    assert ".gitignore" in capsys.readouterr().out
    (project / ".gitignore").write_text("project_spec.json\n")
    assert main(["--no-server", "--root", str(project)]) == 0
    assert ".gitignore" not in capsys.readouterr().out


def test_fault_22_readmes_of_any_size_reach_the_server(server: Recorder, configured: Path) -> None:
    text = "A long README. " * 20_000
    (configured / "README.md").write_text(text)
    assert len(text) > 131_072
    assert main([]) == 0
    assert server.requests[0][3]["spec"]["markdown"] == text.strip()


def test_fault_20_a_missing_name_is_found_before_anything_is_registered_and_stray_files_are_left_alone(
    server: Recorder, configured: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(configured, {"data/notes.txt": "not an asset", "data/xkcd/asset_config.toml": 'id = "xkcd"\n'})
    assert main([]) == 1
    assert "data/xkcd/asset_config.toml: key 'name'" in capsys.readouterr().err
    assert server.requests == []


def test_fault_20_a_folder_of_another_name_declares_the_same_kind(server: Recorder, configured: Path) -> None:
    (configured / "data").rename(configured / "datasets")
    with (configured / "obproject.toml").open("a") as file:
        file.write('[obproject_dirs]\ndata = "datasets"\n')
    assert main([]) == 0
    first, _ = server.requests[0][3]["definitions"]
    assert (first["kind"], first["id"], first["asset_kind"]) == ("data", "xkcd", "data")


def test_fault_24_no_program_of_a_vendor_is_needed_and_every_problem_is_an_exit_code(
    server: Recorder, configured: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    assert main(["--branch", "feature/x", "--perimeter", "team"]) == 0
    assert server.requests[0][1].startswith("/v1/perimeters/team/")
    assert main(["--branch", "feature/x", "--perimeter", "not/one"]) == 1


@pytest.mark.parametrize(
    ("branch", "key"),
    [
        ("feature--x", "feature_x"),
        ("__x__", "x"),
        ("dependabot/npm/foo-1.2.3", "dependabot_npm_foo_1_2_3"),
        ("user.alice@company.com", "user_alice_at_company_com"),
    ],
)
def test_fault_28_a_branch_has_one_key_everywhere(project: Path, branch: str, key: str) -> None:
    assert main(["--no-server", "--quiet", "--root", str(project), "--branch", branch]) == 0
    record = spec_file(project)
    assert (record["branch_name"], record["branch"]) == (branch, key)
    assert record["spec"]["project_branch"] == key
    assert record["spec"]["metaflow_branch"] == f"test.{key}"


def test_fault_29_master_is_production_as_main_is(project: Path) -> None:
    for branch in ("main", "master"):
        assert main(["--no-server", "--quiet", "--root", str(project), "--branch", branch]) == 0
        record = spec_file(project)
        assert (record["branch"], record["spec"]["metaflow_branch"]) == (branch, "prod")
