"""Datastores that Metaflow really wrote, made once a session, and the settings to read them with."""

import os
import shutil
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import NamedTuple

import pytest

from catalog.runs import Datastore
from tests.warmed import python_for

FLOWS = Path(__file__).parent / "flows"


class Elsewhere(NamedTuple):
    """A server of another origin, which notes what is asked of it."""

    url: str
    requests: list[str]


class FlowRuns(NamedTuple):
    """A datastore root, and the newest run of each flow in it."""

    root: Path

    @property
    def datastore(self) -> Datastore:
        return Datastore("local", str(self.root))

    def task(self, flow: str, step: str) -> str:
        """The pathspec of the only task of a step."""
        run = (self.root / flow / "latest_run").read_text()
        (folder,) = (path for path in (self.root / flow / run / step).iterdir() if path.name != "_meta")
        return f"{flow}/{run}/{step}/{folder.name}"

    def copy(self, root: Path) -> "FlowRuns":
        """The same runs in another datastore, to change things in."""
        return FlowRuns(Path(shutil.copytree(self.root, root)))

    def card_folder(self, task: str) -> Path:
        """Where Metaflow keeps the cards of a task."""
        flow, run, step, name = task.split("/")
        return self.root / "mf.cards" / flow / "runs" / run / "steps" / step / "tasks" / name


def start_flow(flow: str, project: Path, **environment: str) -> subprocess.Popen[str]:
    """Run a flow of the folder `flows` as somebody does who works in the folder `project`."""
    (project / ".metaflow").mkdir(parents=True, exist_ok=True)
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("METAFLOW_", "ASSETSITE_"))}
    env = clean | {"METAFLOW_USER": "ada", "METAFLOW_HOME": str(project)} | environment
    return subprocess.Popen(
        [python_for(env), str(FLOWS / f"{flow}.py"), "--no-pylint", "run", "--tag", "quarter:third"],
        cwd=project,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


@pytest.fixture(scope="session")
def elsewhere() -> Iterator[Elsewhere]:
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(204)
            self.end_headers()

        do_POST = do_GET

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield Elsewhere(f"http://127.0.0.1:{server.server_port}", asked)
        server.shutdown()


@pytest.fixture(scope="session")
def runs(tmp_path_factory: pytest.TempPathFactory, elsewhere: Elsewhere) -> FlowRuns:
    """CardsFlow, which succeeded, and FailingFlow, which failed, in one datastore."""
    project = tmp_path_factory.mktemp("project")
    started = [start_flow(flow, project, ELSEWHERE=elsewhere.url) for flow in ("cards_flow", "failing_flow")]
    (succeeded, failed), codes = [process.communicate()[0] for process in started], [p.returncode for p in started]
    assert codes == [0, 1], succeeded + failed
    return FlowRuns(project / ".metaflow")


@pytest.fixture(autouse=True)
def embedded_default(settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Local mode without any configuration, and a home of its own."""
    settings.LOCAL_MODE = True
    settings.CARD_ROOTS = []
    settings.HOME = tmp_path / "home"
    for name in [name for name in os.environ if name.startswith("METAFLOW_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("METAFLOW_HOME", str(tmp_path))
