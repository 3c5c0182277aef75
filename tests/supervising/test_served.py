"""A really served site: what dies is started again, and what is taken is told."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import psutil
import pytest
import requests

from catalog.supervising.web_processes import APPLICATION, load
from tests.conftest import Server
from tests.places import ASSETSITE, CHECKOUT

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """With two web processes, and one that reconciles."""
    server = Server(tmp_path_factory.mktemp("site"), ASSETSITE_WORKERS="2", ASSETSITE_RECONCILE_MINUTES="60")
    server.start(from_nothing=True)
    yield server
    server.stop()


def children(server: Server) -> list[psutil.Process]:
    return psutil.Process(server.pid).children()


def listening(process: psutil.Process) -> bool:
    return any(connection.status == psutil.CONN_LISTEN for connection in process.net_connections("tcp"))


def wait_for(condition: Callable[[], bool]) -> None:
    until = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.1)


def test_a_web_process_that_is_killed_is_started_again_while_the_other_answers(server: Server) -> None:
    victim = next(child for child in children(server) if listening(child))
    victim.kill()
    wait_for(lambda: not victim.is_running())
    answers = [requests.get(f"{server.site.url}/healthz", timeout=5).status_code]
    while len([child for child in children(server) if listening(child)]) < 2:
        answers.append(requests.get(f"{server.site.url}/healthz", timeout=5).status_code)
        assert len(answers) < 3000
    assert set(answers) == {200}


def test_a_second_server_on_its_port_is_refused(server: Server, tmp_path: object) -> None:
    env = server.site.env | {"ASSETSITE_HOME": str(tmp_path), "DATABASE_URL": f"sqlite:///{tmp_path}/none/c.sqlite3"}
    done = subprocess.run(
        [*ASSETSITE, "serve"], cwd=CHECKOUT, env=env, capture_output=True, text=True, timeout=60, check=False
    )
    expected = f"is taken by process {server.pid}, which serves the catalogue in {server.site.home}."
    assert done.returncode == 1
    assert expected in done.stderr
    assert "Traceback" not in done.stderr


def test_all_processes_end_with_the_one_that_started_them_and_its_place_is_free(server: Server) -> None:
    started = children(server)
    assert len(started) == 3
    psutil.Process(server.pid).kill()
    server.start()  # on the same port
    _, alive = psutil.wait_procs(started, timeout=20)
    assert not alive


def test_what_lies_where_it_is_started_is_not_imported() -> None:
    before = [*sys.path]
    assert callable(load(APPLICATION).__rsgi__)
    assert sys.path == before
