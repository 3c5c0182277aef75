"""The summary of a deployment, on the page of a CI job and as the one comment on its pull request."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from obproject.deploy.comments import find_conversation
from obproject.deploy.main import main
from tests.obproject.deploying import PROJECT, Recorder, leave_this_machine, recording, write


@dataclass
class Platform:
    """The comments of a pull request, in the three dialects of the platforms."""

    url: str = ""
    comments: dict[int, str] = field(default_factory=dict)
    checks: list[dict[str, Any]] = field(default_factory=list)
    refused: str = ""
    """The end of the paths that this token may not call."""
    calls: list[tuple[str, str]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    status: int = 200

    def answer(self, method: str, path: str, body: dict[str, Any]) -> Any:
        if path.endswith("/check-runs"):
            self.checks.append(body)
            return {"id": 1}
        text = body.get("body") or body.get("content") or (body.get("comments") or [{}])[0].get("content")
        if method == "GET":
            return self._listed(path)
        number = int(path.rpartition("/")[2]) if method in ("PATCH", "PUT") else len(self.comments) + 1
        self.comments[number] = text
        return {"id": number}

    def _listed(self, path: str) -> Any:
        if "/pullRequests/" in path:
            return {"value": [{"id": 9, "comments": [{"id": n, "content": t}]} for n, t in self.comments.items()]}
        return [{"id": n, "body": t, "url": f"{self.url}/comments/{n}"} for n, t in self.comments.items()]


@pytest.fixture
def platform() -> Iterator[Platform]:
    found = Platform()

    class Handler(BaseHTTPRequestHandler):
        def handle_one(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or "{}")
            path = urlsplit(self.path).path
            found.calls.append((self.command, path))
            found.headers.append(dict(self.headers))
            status = 403 if found.refused and path.endswith(found.refused) else found.status
            payload = json.dumps(found.answer(self.command, path, body)).encode() if status == 200 else b"no\nno"
            self.send_response(status)
            self.send_header("Location", "http://127.0.0.1:9/elsewhere")
            self.send_header("Content-Length", str(len(payload)))
            self.end_headers()
            self.wfile.write(payload)

        do_GET = do_POST = do_PUT = do_PATCH = handle_one

        def log_message(self, *_: object) -> None:
            """Keep the test's output clean."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as httpd:
        found.url = f"http://127.0.0.1:{httpd.server_port}"
        thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield found
        httpd.shutdown()
        thread.join()


@pytest.fixture
def server() -> Iterator[Recorder]:
    with recording() as recorder:
        recorder.answer["url"] = "https://assets.example.org/default/my_project/feature_x"
        yield recorder


@pytest.fixture
def job(tmp_path: Path, server: Recorder, platform: Platform, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project in a job of GitHub for a pull request; returns its folder."""
    leave_this_machine(monkeypatch, tmp_path)
    event = {"pull_request": {"head": {"sha": "c0ffee"}, "comments_url": f"{platform.url}/repos/o/r/issues/7/comments"}}
    (tmp_path / "event.json").write_text(json.dumps(event))
    for name, value in {
        "ASSETSITE_URL": server.url,
        "GITHUB_ACTIONS": "true",
        "GITHUB_HEAD_REF": "feature/x",
        "GITHUB_SHA": "f00",
        "GITHUB_EVENT_PATH": str(tmp_path / "event.json"),
        "GITHUB_STEP_SUMMARY": str(tmp_path / "summary.md"),
        "GITHUB_TOKEN": "secret",
        "GITHUB_SERVER_URL": "https://github.example",
        "GITHUB_REPOSITORY": "o/r",
        "GITHUB_RUN_ID": "7",
        "GITHUB_API_URL": platform.url,
    }.items():
        monkeypatch.setenv(name, value)
    write(tmp_path / "work", PROJECT)
    return tmp_path / "work"


def test_fault_25_the_summary_has_the_title_the_time_and_links(job: Path, tmp_path: Path) -> None:
    assert main(["--quiet", "--root", str(job)]) == 0
    text = (tmp_path / "summary.md").read_text()
    spec = json.loads((job / "project_spec.json").read_text())["spec"]
    page = "https://assets.example.org/default/my_project/feature_x"
    assert text.splitlines() == [
        "### My project on <code>feature/x</code>",
        "",
        f"Deployed version <code>c0ffee</code> to [the catalogue]({page}) by "
        f"[GitHub Actions](https://github.example/o/r/actions/runs/7) at {spec['updated_at']}.",
        "",
        "| | | |",
        "|---|---|---|",
        f"| Model | [Llama]({page}/models/llama) | updated |",
        f"| Data | [Latest comic]({page}/data/xkcd) | created |",
        "| Flow | <code>TrainFlow</code> |  |",
        "",
    ]


def test_fault_25_the_comment_is_written_once_and_then_replaced(job: Path, platform: Platform) -> None:
    platform.comments[1] = "A review by a person"
    for _ in range(2):
        assert main(["--quiet", "--root", str(job)]) == 0
    assert len(platform.comments) == 2
    assert platform.comments[2].startswith("<!-- obproject-deploy default/my_project -->\n### My project")
    path = "/repos/o/r/issues/7/comments"
    assert platform.calls == [("GET", path), ("POST", path), ("GET", path), ("PATCH", "/comments/2")]
    assert platform.headers[0]["Authorization"] == "Bearer secret"


@pytest.mark.parametrize("status", [403, 302, 500])
def test_fault_25_a_comment_that_fails_is_one_line_and_no_failure(
    job: Path, platform: Platform, status: int, capsys: pytest.CaptureFixture[str]
) -> None:
    platform.status = status
    assert main(["--quiet", "--root", str(job)]) == 0
    first, line = capsys.readouterr().err.splitlines()
    assert first.startswith("The summary has no comparison: ")
    assert line.startswith("The comment was not written: GET")
    assert f"status {status}" in line


def test_the_summary_of_a_failure_says_it(job: Path, server: Recorder, platform: Platform, tmp_path: Path) -> None:
    server.status, server.answer = 409, {"error": "conflict", "message": "```No```", "detail": {}}
    assert main(["--quiet", "--root", str(job)]) == 1
    text = (tmp_path / "summary.md").read_text()
    assert "Could not deploy version <code>c0ffee</code>" in text
    assert "````text\n" in text
    assert text in platform.comments[1] + "\n"


def test_a_summary_goes_to_a_file_anywhere(job: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GITHUB_ACTIONS")
    with (job / "data/xkcd/asset_config.toml").open("r+") as file:
        text = file.read().replace("Latest comic", "A | B <b> [x](y) `z`")
        file.seek(0)
        file.write(text)
    options = ["--quiet", "--root", str(job), "--branch", "feature/x", "--summary", str(tmp_path / "here.md")]
    assert main(options) == 0
    assert r"[A \| B \<b\> \[x\]\(y\) \`z\`](https" in (tmp_path / "here.md").read_text()
    assert not (tmp_path / "summary.md").exists()
    assert main([*options[:-1], str(tmp_path)]) == 0  # a folder: said, and no failure


GITLAB = {"CI_PROJECT_ID": "12", "CI_MERGE_REQUEST_IID": "7"}
AZURE = {
    "SYSTEM_TEAMPROJECT": "my team",
    "BUILD_REPOSITORY_ID": "r1",
    "SYSTEM_PULLREQUEST_PULLREQUESTID": "7",
    "SYSTEM_ACCESSTOKEN": "secret",
}


@pytest.mark.parametrize(
    ("system", "environ", "address", "replaced", "header"),
    [
        (
            "GitLab CI",
            GITLAB | {"CI_API_V4_URL": "{url}/api/v4", "GITLAB_TOKEN": "secret", "CI_JOB_TOKEN": "other"},
            "/api/v4/projects/12/merge_requests/7/notes",
            ("PUT", "/api/v4/projects/12/merge_requests/7/notes/1"),
            ("PRIVATE-TOKEN", "secret"),
        ),
        (
            "GitLab CI",
            GITLAB | {"CI_API_V4_URL": "{url}/api/v4", "CI_JOB_TOKEN": "secret"},
            "/api/v4/projects/12/merge_requests/7/notes",
            ("PUT", "/api/v4/projects/12/merge_requests/7/notes/1"),
            ("JOB-TOKEN", "secret"),
        ),
        (
            "Azure DevOps",
            AZURE | {"SYSTEM_COLLECTIONURI": "{url}/org/"},
            "/org/my%20team/_apis/git/repositories/r1/pullRequests/7/threads",
            ("PATCH", "/org/my%20team/_apis/git/repositories/r1/pullRequests/7/threads/9/comments/1"),
            ("Authorization", "Bearer secret"),
        ),
    ],
)
def test_fault_25_each_platform_is_spoken_to_in_its_way(
    platform: Platform,
    system: str,
    environ: dict[str, str],
    address: str,
    replaced: tuple[str, str],
    header: tuple[str, str],
) -> None:
    environ = {name: value.replace("{url}", platform.url) for name, value in environ.items()}
    for text in ("first", "second"):
        conversation = find_conversation(system, environ)
        assert conversation
        conversation.say("mark", text)
    assert platform.calls == [("GET", address), ("POST", address), ("GET", address), replaced]
    assert platform.comments == {1: "<!-- mark -->\nsecond"}
    assert platform.headers[0][header[0]] == header[1]


@pytest.mark.parametrize("system", ["GitHub Actions", "GitLab CI", "Azure DevOps", "CircleCI"])
def test_without_a_pull_request_or_a_token_nobody_is_spoken_to(system: str) -> None:
    assert find_conversation(system, {}) is None


def test_azure_is_told_where_the_summary_is(
    job: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("GITHUB_ACTIONS")
    monkeypatch.setenv("SYSTEM_COLLECTIONURI", "https://dev.example/o/")
    monkeypatch.setenv("BUILD_SOURCEBRANCH", "refs/heads/feature/x")
    monkeypatch.setenv("AGENT_TEMPDIRECTORY", str(tmp_path))
    assert main(["--root", str(job)]) == 0
    line = capsys.readouterr().out.splitlines()[-1]
    assert line.startswith("##vso[task.uploadsummary]")
    assert Path(line.partition("]")[2]).read_text().startswith("### My project")


PAGE = "https://assets.example.org/default/my_project"
BETTER = {"sentence": "1 model better", "worse": 0, "markdown": "### My project: a against b\n\nBetter.\n"}
WORSE = {"sentence": "0 models better, 1 worse", "worse": 1, "markdown": "### Worse\n"}


def test_the_comparison_with_main_is_in_the_summary_and_in_the_comment(
    job: Path, server: Recorder, platform: Platform, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ASSETSITE_TOKEN", "the-token")
    server.comparisons["main...feature_x"] = BETTER
    assert main(["--quiet", "--root", str(job)]) == 0
    for text in ((tmp_path / "summary.md").read_text(), platform.comments[1]):
        assert "### My project on <code>feature/x</code>" in text
        assert text.rstrip().endswith("|  |\n\n### My project: a against b\n\nBetter.")
    address = "/default/my_project/compare/main...feature_x"
    assert [path for path, _ in server.asked] == [f"{address}.json", f"{address}.md"]
    assert {headers["x-api-key"] for _, headers in server.asked} == {"the-token"}


def test_the_comparison_is_for_programs_too(job: Path, server: Recorder, capsys: pytest.CaptureFixture[str]) -> None:
    server.comparisons["main...feature_x"] = WORSE
    assert main(["--json", "--root", str(job)]) == 0
    (project,) = json.loads(capsys.readouterr().out)["projects"]
    assert project["comparison"] == {"base": "main", "sentence": "0 models better, 1 worse", "worse": True}


def test_a_project_whose_main_branch_is_master_is_compared_with_that(
    job: Path, server: Recorder, tmp_path: Path
) -> None:
    server.comparisons["master...feature_x"] = BETTER
    assert main(["--quiet", "--root", str(job)]) == 0
    assert "Better." in (tmp_path / "summary.md").read_text()


def test_the_branch_to_compare_with_can_be_named(job: Path, server: Recorder, tmp_path: Path) -> None:
    write(job, {"obproject.toml": 'project = "my_project"\n[deploy]\ncompare_with = "release/1.0"\n'})
    server.comparisons["release_1_0...feature_x"] = BETTER
    assert main(["--quiet", "--root", str(job)]) == 0
    assert "Better." in (tmp_path / "summary.md").read_text()
    assert len(server.asked) == 2


@pytest.mark.parametrize("branch", ["main", "master", "release/1.0"])
def test_what_others_are_compared_with_is_not_compared(job: Path, server: Recorder, branch: str) -> None:
    write(job, {"obproject.toml": 'project = "my_project"\n[deploy]\ncompare_with = "release/1.0"\n'})
    server.comparisons["main...feature_x"] = BETTER
    assert main(["--quiet", "--root", str(job), "--branch", branch]) == 0
    assert server.asked == []


@pytest.mark.parametrize(
    ("comparisons", "why"),
    [
        ({}, "can't compare branches; it is older than this program"),
        ({"other...feature_x": BETTER}, "the catalogue has no branch main and no branch master of my_project"),
        ({"main...feature_x": BETTER | {"status": 403}}, "status 403"),
        ({"main...feature_x": BETTER | {"status": 302}}, "redirects"),
        ({"main...feature_x": BETTER | {"status": 503}}, "status 503"),
        ({"main...feature_x": {"worse": 0}}, "something else than a comparison"),
        ({"main...feature_x": BETTER | {"markdown": {}}}, "answered with no text/markdown"),
    ],
)
def test_without_a_comparison_all_is_as_before_and_one_line_says_why(
    job: Path,
    server: Recorder,
    platform: Platform,
    capsys: pytest.CaptureFixture[str],
    comparisons: dict[str, Any],
    why: str,
) -> None:
    server.comparisons = comparisons
    assert main(["--quiet", "--root", str(job)]) == 0
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("The summary has no comparison: ")
    assert why in line
    assert platform.comments[1].rstrip().endswith("|  |")
    assert platform.checks == []


def test_a_catalogue_that_is_slow_is_not_waited_for(
    job: Path, server: Recorder, platform: Platform, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("obproject.deploy.comparison.PATIENCE", 0.2)
    monkeypatch.setattr(Recorder, "compared", lambda *_: (time.sleep(1), (200, BETTER))[1])
    assert main(["--quiet", "--root", str(job)]) == 0
    (line,) = capsys.readouterr().err.splitlines()
    assert "doesn't answer" in line
    assert len(platform.comments) == 1


def test_who_shows_it_nowhere_asks_nothing(job: Path, server: Recorder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GITHUB_ACTIONS")
    assert main(["--quiet", "--root", str(job), "--branch", "feature/x"]) == 0
    assert server.asked == []


def test_a_deploy_that_failed_is_not_compared(job: Path, server: Recorder) -> None:
    server.status, server.answer = 409, {"error": "conflict", "message": "No", "detail": {}}
    assert main(["--quiet", "--root", str(job)]) == 1
    assert server.asked == []


def test_the_check_says_the_verdict(job: Path, server: Recorder, platform: Platform) -> None:
    server.comparisons["main...feature_x"] = WORSE
    assert main(["--quiet", "--root", str(job)]) == 0
    assert platform.checks == [
        {
            "name": "assetsite",
            "head_sha": "c0ffee",
            "status": "completed",
            "conclusion": "neutral",
            "details_url": f"{PAGE}/compare/main...feature_x",
            "output": {"title": "0 models better, 1 worse", "summary": "### Worse\n"},
        }
    ]
    assert platform.calls[-1] == ("POST", "/repos/o/r/check-runs")
    assert platform.headers[-1]["Authorization"] == "Bearer secret"


@pytest.mark.parametrize(
    ("setting", "comparison", "conclusions"),
    [
        ("failure", WORSE, ["failure"]),
        ("failure", BETTER, ["neutral"]),
        ("neutral", WORSE, ["neutral"]),
        ("none", WORSE, []),
    ],
)
def test_what_is_worse_fails_the_check_if_the_project_says_so(
    job: Path, server: Recorder, platform: Platform, setting: str, comparison: dict[str, Any], conclusions: list[str]
) -> None:
    write(job, {"obproject.toml": f'project = "my_project"\n[deploy]\ncheck = "{setting}"\n'})
    server.comparisons["main...feature_x"] = comparison
    assert main(["--quiet", "--root", str(job)]) == 0
    assert [check["conclusion"] for check in platform.checks] == conclusions


def test_a_token_that_may_set_no_check_is_one_line_and_no_failure(
    job: Path, server: Recorder, platform: Platform, capsys: pytest.CaptureFixture[str]
) -> None:
    server.comparisons["main...feature_x"] = WORSE
    platform.refused = "/check-runs"
    assert main(["--quiet", "--root", str(job)]) == 0
    said = capsys.readouterr().err
    assert said.startswith("The check was not set: POST")
    assert "status 403" in said
    assert said.count("\n") == 1
    assert len(platform.comments) == 1


def test_a_comment_is_never_too_long(job: Path, server: Recorder, platform: Platform) -> None:
    table = "| a | b |\n|---|---|\n" + "| x | y |\n" * 9_000
    markdown = f"### Compared\n\n{table}\n[all of it][all]\n\n[all]: https://assets.example.org/all\n"
    server.comparisons["main...feature_x"] = BETTER | {"markdown": markdown}
    assert main(["--quiet", "--root", str(job)]) == 0
    text = platform.comments[1]
    assert len(text) <= 60_000
    assert "### Compared" in text
    assert "| x | y |" not in text
    assert text.endswith(f"[All of it is here]({PAGE}/feature_x)\n\n[all]: https://assets.example.org/all")


def test_a_very_large_project_shows_first_what_has_changed(job: Path, server: Recorder, platform: Platform) -> None:
    asset = 'id = "a{n}"\nname = "Asset {n}"\ndescription = "d"\n'
    write(job, {f"data/a{n}/asset_config.toml": asset.replace("{n}", str(n)) for n in range(300)})
    server.answer["updated"] = ["data/a299"]
    assert main(["--quiet", "--root", str(job)]) == 0
    lines = platform.comments[1].splitlines()
    assert f"| Data | [Asset 299]({PAGE}/feature_x/data/a299) | updated |" in lines[7:9]
    assert f"[and 103 more]({PAGE}/feature_x)" in lines


def test_a_very_long_failure_keeps_its_beginning_and_its_end(job: Path, server: Recorder, platform: Platform) -> None:
    said = " ".join(f"word{n}" for n in range(20_000))
    server.status, server.answer = 409, {"error": "conflict", "message": said, "detail": {}}
    assert main(["--quiet", "--root", str(job)]) == 1
    text = platform.comments[1]
    assert "word0 word1" in text
    assert "word19999" in text
    assert len(text) < 10_000
