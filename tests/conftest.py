"""Shared by all tests: clean settings, the API as a client speaks it, and a really served site."""

from __future__ import annotations

import gc
import json
import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import jinja2
import pytest
import requests
from django.conf import settings as site_settings
from django.db import connections
from django.test import Client

from tests import chromium, compiled, migrated, warmed
from tests.places import ASSETSITE, CHECKOUT, MANAGE

if TYPE_CHECKING:
    from playwright.sync_api import Browser

# Playwright's synchronous interface keeps an event loop running in the thread of the tests, in which nothing is async
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
site_settings.TEMPLATES[0]["OPTIONS"]["undefined"] = jinja2.StrictUndefined  # a name that a page lacks is an error
site_settings.WHITENOISE_AUTOREFRESH = True  # else each client of a test lists all static files first
DATABASES = {"db", "transactional_db", "django_db_setup"}
"""The fixtures that give a test a database."""
POSTGRES = site_settings.DATABASES["default"]["ENGINE"].endswith("postgresql")


def pytest_configure(config: pytest.Config) -> None:
    """Folders for all processes of a run: the first that needs a migrated database or a template makes it there."""
    if not hasattr(config, "workerinput"):
        os.environ[migrated.SHARED] = tempfile.mkdtemp(prefix="assetsite_migrated_")
        os.environ[compiled.SHARED] = tempfile.mkdtemp(prefix="assetsite_compiled_")
    compiled.keep(site_settings.TEMPLATES)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """What is imported and collected stays until the end: Python need not look for what of it could go.

    Of what the tests make, it need not look as often as by itself, which takes a tenth of their time.
    """
    gc.disable()
    found = yield
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)
    gc.enable()
    return found


def pytest_unconfigure(config: pytest.Config) -> None:
    warmed.end()
    if not hasattr(config, "workerinput"):
        for shared in (migrated.SHARED, compiled.SHARED):
            shutil.rmtree(os.environ[shared], ignore_errors=True)


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix: None) -> Iterator[None]:
    """The database of the tests is a copy of a migrated one, on which Django then finds nothing to migrate."""
    settings = connections["default"].settings_dict["TEST"]
    if POSTGRES:
        settings["TEMPLATE"] = migrated.on_postgres(os.environ["DATABASE_URL"])
        yield
        return
    settings["NAME"] = "file:memorydb_default?mode=memory&cache=shared"  # what Django calls it by itself
    with migrated.copied_to(settings["NAME"]):
        yield


@cache
def scope_of(path: str) -> str:
    """The scope that one worker runs: a file of tests, or all of a room that need a served site, or the same runs.

    Rooms are taken by several workers, each with a site of its own: one alone would be at it when the others are done.
    """
    if path.startswith("tests/catalog/runs/"):
        return "tests/catalog/runs"
    needs_site = re.search(r"^def \w+\([^)]*\bserved\b", (CHECKOUT / path).read_text(), re.MULTILINE)
    return f"served {Path(path).parent}" if needs_site or path.startswith("tests/browser/") else path


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    from xdist.scheduler import LoadScopeScheduling

    class LoadSiteScheduling(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return scope_of(nodeid.partition("::")[0])

    return LoadSiteScheduling(config, log)


@pytest.hookimpl(tryfirst=True)  # before the marks choose
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks what needs the served site or the database, further cases, and what of a sample is left to the long lane.

    The longest come first.
    """
    cases: Counter[str] = Counter()
    for item in items:
        if "served" in getattr(item, "fixturenames", ()):
            item.add_marker("served")
        if item.get_closest_marker("django_db") or not DATABASES.isdisjoint(getattr(item, "fixturenames", ())):
            item.add_marker("database")
        test = item.nodeid.partition("[")[0]
        cases[test] += 1
        if cases[test] > 1 and not item.get_closest_marker("each"):
            item.add_marker("further")
        sample = item.get_closest_marker("sample")
        if sample and cases[test] > sample.args[0]:
            item.add_marker("long")
    items.sort(key=_how_late)


def _how_late(item: pytest.Item) -> tuple[bool, bool, bool]:
    marks = {mark.name for mark in item.iter_markers()}
    is_served = scope_of(item.nodeid.partition("::")[0]).startswith("served")
    return not is_served, marks.isdisjoint({"flows", "browser"}), "slow" not in marks


@pytest.fixture(scope="session")
def _homes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Names of folders that nobody has used; none is made before it is needed."""
    folder = tmp_path_factory.mktemp("homes")
    return (folder / str(number) for number in count())


@pytest.fixture(autouse=True)
def _own_home(settings: Any, _homes: Iterator[Path]) -> None:
    """No test reads or writes the folder of a real site."""
    settings.HOME = next(_homes)


@dataclass
class Api:
    """Speaks to `/v1` in this process as a program would."""

    client: Client
    token: str = ""
    branch: str = "/v1/perimeters/default/projects/churn/branches/main"

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """The answer, with `.data` parsed; `path` is absolute, or below the branch."""
        url = path if path.startswith("/") else f"{self.branch}/{path}"
        if self.token:
            headers["x-api-key"] = self.token
        options: dict[str, Any] = {"headers": headers}
        if body is not None:
            options |= {"data": body, "content_type": "application/json"}
        answer = self.client.generic(method, url, **_encoded(options))
        answer.data = answer.json() if answer.content else None
        return answer

    def get(self, path: str, **headers: str) -> Any:
        return self.call("GET", path, **headers)

    def put(self, path: str, body: Any, **headers: str) -> Any:
        return self.call("PUT", path, body, **headers)

    def patch(self, path: str, body: Any, **headers: str) -> Any:
        return self.call("PATCH", path, body, **headers)

    def post(self, path: str, body: Any, **headers: str) -> Any:
        return self.call("POST", path, body, **headers)

    def delete(self, path: str, **headers: str) -> Any:
        return self.call("DELETE", path, **headers)

    def register(self, path: str = "data/xkcd", *, task: str = "ComicData/1/start/1", **fields: Any) -> Any:
        """Register an instance and answer it."""
        kind = "data_asset_kind" if "data/" in path else "model_asset_kind"
        body = {"entity_ref": {"entity_kind": "task", "entity_id": task}, kind: "artifact", **fields}
        answer = self.patch(path, body)
        assert answer.status_code == 201, answer.content
        return answer.data

    def consume(self, path: str, task: str = "Reader/1/start/1", **fields: Any) -> Any:
        body = {"entity_ref": {"entity_kind": "task", "entity_id": task}, **fields}
        answer = self.put(path, body)
        assert answer.status_code == 200, answer.content
        return answer.data


def _encoded(options: dict[str, Any]) -> dict[str, Any]:
    if "data" in options and not isinstance(options["data"], str | bytes):
        options["data"] = json.dumps(options["data"])
    return options


@pytest.fixture
def api(db: None) -> Api:
    """The API of a site in local mode."""
    return Api(Client(SERVER_NAME="localhost"))


@dataclass
class Site:
    """A served site: its address, and how to run its commands."""

    url: str
    home: Path
    env: dict[str, str]

    @property
    def branch(self) -> str:
        return f"{self.url}/v1/perimeters/default/projects/churn/branches/main"

    def manage(self, *command: str) -> str:
        done = subprocess.run(
            [*MANAGE, *command],
            cwd=CHECKOUT,
            env=self.env,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def database_url(home: Path) -> str:
    """A new, empty database of the kind that the tests run on."""
    if not POSTGRES:
        return f"sqlite:///{quote(str(home / 'catalogue.sqlite3'))}"
    import psycopg

    base, _, _ = os.environ["DATABASE_URL"].rpartition("/")
    name = f"served_{secrets.token_hex(6)}"
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
    return f"{base}/{name}"


class Server:
    """`assetsite serve` as a process of its own, that can be killed and started again on the same port."""

    def __init__(self, home: Path, **more: str) -> None:
        home.mkdir(parents=True, exist_ok=True)
        port = free_port()
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
        quiet = {"ASSETSITE_RECONCILE_MINUTES": "0"}
        where = {"ASSETSITE_HOME": str(home), "DATABASE_URL": database_url(home), "PORT": str(port)}
        env = kept | quiet | where | compiled.variables() | more
        self.site = Site(f"http://127.0.0.1:{port}", home, env)

    def start(self, *, from_nothing: bool = False) -> None:
        if not from_nothing:
            migrated.fill(self.site.env["DATABASE_URL"])
        with (self.site.home / "server.log").open("a") as log:
            self._process = subprocess.Popen(
                [*ASSETSITE, "serve"],
                cwd=CHECKOUT,
                env=self.site.env,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            _wait_until_served(self.site.url, self._process, self.site.home)
        except BaseException:
            self.kill()
            raise

    @property
    def pid(self) -> int:
        return self._process.pid

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(timeout=20)

    def kill(self) -> None:
        """End it and its workers at once, as a lost machine would."""
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(timeout=20)


@contextmanager
def served_from(home: Path, **more: str) -> Iterator[Site]:
    """Serve a site from an empty folder until the caller is done with it."""
    server = Server(home, **more)
    server.start()
    try:
        yield server.site
    finally:
        server.stop()


def _wait_until_served(url: str, server: subprocess.Popen[bytes], home: Path) -> None:
    for _ in range(600):  # the machine may be busy with other tests
        if server.poll() is not None:
            break
        try:
            if requests.get(f"{url}/healthz", timeout=2).ok:
                return
        except requests.ConnectionError:
            pass
        time.sleep(0.1)
    raise AssertionError((home / "server.log").read_text())


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site in local mode, really served, for all tests of the worker."""
    with served_from(tmp_path_factory.mktemp("site")) as site:
        yield site


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    if not chromium.CHROMIUM.exists():
        pytest.skip("Chromium is not installed: apt-get install chromium-headless-shell")
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=30_000)  # the machine may be busy with other tests
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(chromium.CHROMIUM), args=chromium.FLAGS)
        yield browser
        browser.close()
