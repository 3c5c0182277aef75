"""Shared by the tests of deploying: small real projects, and a catalogue that records its requests."""

from __future__ import annotations

import json
import os
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

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
PROJECT = {
    "obproject.toml": 'project = "my_project"\ntitle = "My project"\n[dev-assets]\nbranch = "main"\n',
    "README.md": "# My project\n",
    "data/xkcd/asset_config.toml": 'id = "xkcd"\nname = "Latest comic"\ndescription = "The strip"\n'
    '[metrics.strips]\nbetter = "higher"\nheadline = true\n[compare]\nignore = ["path.*"]\n'
    '[properties]\nkey = "value"\n[tags]\nfresh = "yes"\n',
    "data/xkcd/README.md": "About the comic",
    "models/llama/asset_config.toml": 'id = "llama"\nname = "Llama"\ndescription = "An LLM"\nicon = "meta"\n'
    'kind = "external"\nblobs = ["llama3.1"]\n',
    "flows/train/flow.py": FLOW.format(name="TrainFlow"),
    "flows/train/README.md": "Trains.",
}
OTHERS_SETTINGS = (
    "ASSETSITE_", "METAFLOW_", "OBP_", "OB_", "GITHUB_", "GH_", "CI_", "GITLAB_", "GIT_", "CIRCLE", "BUILD_", "SYSTEM_",
    "AGENT_", "PERIMETER_NAME", "COMMIT_URL", "COMMENTS_URL", "SPEC_ONLY", "CONTINUE_ON_ERROR",
)  # fmt: skip


def leave_this_machine(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """An environment without a CI, without settings, and with a git that knows nobody."""
    for name in os.environ:
        if name.startswith(OTHERS_SETTINGS):
            monkeypatch.delenv(name)
    monkeypatch.setenv("METAFLOW_HOME", str(folder / "no-configuration"))
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(folder))


def git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=Alice", "-c", "user.email=alice@example.org", "-c", "commit.gpgsign=false"]
    done = subprocess.run(["git", "-C", folder, *identity, *arguments], check=True, capture_output=True, text=True)
    return done.stdout.strip()


def write(root: Path, files: dict[str, str]) -> None:
    for path, content in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(content)


def commit_all(root: Path, branch: str = "feature/x") -> None:
    """Make a folder a repository with two commits, the second one on a branch."""
    git(root, "init", "--quiet", "--initial-branch=main")
    git(root, "remote", "add", "origin", "https://alice:secret@git.example.org/team/my-project.git")
    git(root, "add", ".")
    git(root, "commit", "--quiet", "--message=First", "--date=2025-01-02T03:04:05+01:00")
    git(root, "switch", "--quiet", f"--create={branch}")
    git(root, "commit", "--quiet", "--allow-empty", "--message=Second\n\nWith a reason.\n\nAnd more.")


def spec_file(root: Path) -> dict[str, Any]:
    return json.loads((root / "project_spec.json").read_text())


@dataclass
class Recorder:
    """A catalogue that knows no spec, keeps what it is asked to write, and gives one answer to every write."""

    url: str = ""
    status: int = 200
    answer: Any = field(default_factory=lambda: dict(ANSWER))
    requests: list[tuple[str, str, dict[str, str], Any]] = field(default_factory=list)
    """The writes: method, path, headers, body."""
    spec_status: int = 404
    """What it answers when it is asked for the spec."""
    comparisons: dict[str, dict[str, Any]] = field(default_factory=dict)
    """The comparisons that it has, such as ``main...feature_x``, each with its `markdown`; an older one has none."""
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    """Which comparisons it was asked for, with the headers."""

    def compared(self, path: str) -> tuple[int, Any]:
        """Answer as a catalogue that compares if it has any comparison, else as an older one."""
        pair, _, suffix = path.rpartition("/")[2].rpartition(".")
        if not self.comparisons:
            return 404, {"error": "not_found", "message": "No.", "detail": {"branch": f"compare/{pair}.{suffix}"}}
        if pair not in self.comparisons:
            base = pair.partition("...")[0]
            return 404, {"error": "not_found", "message": "No such branch.", "detail": {"branch": base}}
        found = self.comparisons[pair]
        return found.get("status", 200), found["markdown"] if suffix == "md" else found


@contextmanager
def recording() -> Iterator[Recorder]:
    """Serve a recorder."""
    recorder = Recorder()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if "/compare/" in self.path:
                recorder.asked.append((self.path, dict(self.headers)))
                self._answer(*recorder.compared(self.path))
            elif self.path.endswith("/latestflowproject"):
                nothing = {"error": "not_found", "message": "No spec is posted.", "detail": {"branch": "feature_x"}}
                self._answer(recorder.spec_status, nothing)
            else:
                self._answer(200, {"items": [{"asset": {"id": "other"}}], "continuation": None})

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            recorder.requests.append((self.command, self.path, dict(self.headers), json.loads(body or "{}")))
            self._answer(recorder.status, recorder.answer)

        do_DELETE = do_POST

        def _answer(self, status: int, answer: Any) -> None:
            payload = (answer if isinstance(answer, str) else json.dumps(answer)).encode()
            media_type = "text/markdown; charset=utf-8" if isinstance(answer, str) else "application/json"
            self.send_response(status)
            self.send_header("Content-Type", media_type)
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
