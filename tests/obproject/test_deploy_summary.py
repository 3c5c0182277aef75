"""The summary of a deployment, on the page of a CI job and as the one comment on its pull request."""

from __future__ import annotations

import json
import threading
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
    calls: list[tuple[str, str]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    status: int = 200

    def answer(self, method: str, path: str, body: dict[str, Any]) -> Any:
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
            payload = json.dumps(found.answer(self.command, path, body) if found.status == 200 else "no").encode()
            self.send_response(found.status)
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
    (line,) = capsys.readouterr().err.splitlines()
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
