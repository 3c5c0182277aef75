"""The image as people build it from the Containerfile, on a base made of Debian's packages, run by Debian's podman: as
nobody, without capabilities, from a root that is only read, with a PostgreSQL of its own.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.conftest import free_port
from tests.container.podman import BASE, Podman, podman
from tests.on_postgres import cluster
from tests.places import CHECKOUT
from tests.run import CONTAINERS
from tests.wheels.building import build, version

pytestmark = [pytest.mark.long, pytest.mark.timeout(900)]  # the base and the image are made first

IMAGE = "localhost/assetsite"
VERSION = version()
HOME = "/var/lib/assetsite"
STOPS_WITHIN = 9  # seconds: Docker gives ten before it kills
PASSWORD = "a good password"
UNCOMPILED = """
import importlib.util, pathlib, sysconfig
for folder in (sysconfig.get_path("stdlib"), sysconfig.get_path("purelib")):
    files = [file for file in pathlib.Path(folder).rglob("*.py") if "test" not in file.parts]
    left = [file for file in files if not pathlib.Path(importlib.util.cache_from_source(file)).exists()]
    print(len(files) > 100, [str(file) for file in left if "lib2to3" not in file.parts])
"""


@dataclass
class Image:
    podman: Podman
    config: dict[str, Any]
    health_check: list[str]

    def run(self, *command: str, options: tuple[str | Path, ...] = (), code: int = 0, **env: str) -> str:
        """A command of the image."""
        return self.podman.run(IMAGE, *command, options=("--rm", *options), code=code, **env)

    def shell(self, script: str, code: int = 0) -> str:
        return self.podman.run(IMAGE, "-c", script, options=("--rm", "--entrypoint", "sh"), code=code)

    def start(self, name: str, *command: str, **env: str) -> Container:
        self.podman.run(IMAGE, *command, options=("--detach", "--name", name), **env)
        return Container(self, name)


@dataclass
class Container:
    image: Image
    name: str

    def says(self, sentence: str) -> bool:
        """Whether it says so, at last."""
        return becomes_true(lambda: sentence in self.image.podman("logs", self.name))

    def is_healthy(self) -> bool:
        kind, *command = self.image.health_check
        assert kind == "CMD"
        return self.image.podman.code("exec", self.name, *command) == 0

    def processes(self) -> list[str]:
        """The pids within, and how each one is: S, Z …"""
        return self.image.podman("top", self.name, "pid", "state").splitlines()[1:]

    def stop(self) -> tuple[int, float]:
        """Its exit code, and how many seconds it took."""
        begun = time.monotonic()
        self.image.podman("stop", "--time", "30", self.name)
        took = time.monotonic() - begun
        return int(self.image.podman("inspect", self.name, "--format", "{{.State.ExitCode}}")), took


def becomes_true(question: Callable[[], bool]) -> bool:
    for _ in range(300):
        if question():
            return True
        time.sleep(0.1)
    return False


def _context(folder: Path) -> Path:
    """What the image is built from: the files of the checkout that it needs, and the two wheels."""
    folder.mkdir()
    (folder / "dist").mkdir()
    build(folder / "dist")
    for name in ("Containerfile", ".dockerignore", "requirements.txt", "pyproject.toml"):
        (folder / name).write_bytes((CHECKOUT / name).read_bytes())
    return folder


def _packages(folder: Path) -> Path:
    """Those of requirements.txt for the Python of the base, as the build itself has no index here."""
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--python-version", "3.13"]
    more = ["--only-binary", ":all:", "--dest", folder, "--requirement", CHECKOUT / "requirements.txt"]
    subprocess.run([*pip, *more], check=True, capture_output=True)
    return folder


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Image]:
    if not CONTAINERS:
        pytest.skip("podman, runc and mmdebstrap are not installed, or this is not root")
    folder = tmp_path_factory.mktemp("image")
    settings = folder / "pip.conf"
    settings.write_text("[global]\nno-index = true\nfind-links = /packages\n")
    with podman() as found:
        found.make_base()
        found(
            *("build", "--quiet", "--layers=false", "--format", "docker", "--isolation", "chroot", "--tag", IMAGE),
            *("--build-arg", f"BASE={BASE}", "--build-arg", f"VERSION={VERSION}"),
            *("--secret", f"id=pip.conf,src={settings}", "--volume", f"{_packages(folder / 'packages')}:/packages:ro"),
            *("--file", folder / "context/Containerfile", _context(folder / "context")),
        )
        told = json.loads(found("inspect", IMAGE))[0]
        yield Image(found, told["Config"], told["Healthcheck"]["Test"])


@pytest.fixture(scope="module")
def env() -> Iterator[dict[str, str]]:
    """The settings of a team's site, with a database of its own."""
    with cluster() as database:
        yield {
            "DATABASE_URL": database,
            "ASSETSITE_SECRET_KEY": "a key for the tests, that is long enough and nobody else's",
            "ASSETSITE_ALLOWED_HOSTS": "localhost",
            "ASSETSITE_BIND": "127.0.0.1",
            "PORT": str(free_port()),
        }


@pytest.fixture(scope="module")
def site(image: Image, env: dict[str, str]) -> Container:
    container = image.start("site", "serve", **env)
    assert becomes_true(container.is_healthy), image.podman("logs", "site")
    return container


def test_it_is_for_nobody_and_says_what_it_is(image: Image) -> None:
    assert image.config["User"] == "10001:10001"
    assert image.config["Entrypoint"] == ["tini", "--", "assetsite"]
    assert image.config["Cmd"] == ["serve"]
    labels = {name.removeprefix("org.opencontainers.image."): text for name, text in image.config["Labels"].items()}
    assert (labels["title"], labels["licenses"], labels["version"]) == ("assetsite", "Apache-2.0", VERSION)
    assert image.run("--version") == f"assetsite {VERSION}"
    assert image.shell("id -u; id -g; ls -A").split() == ["10001", "10001"]


def test_it_has_what_it_needs_compiled_and_nothing_to_install_with(image: Image) -> None:
    assert image.shell(f"python3 -c '{UNCOMPILED}'").splitlines() == ["True []", "True []"]
    assert image.shell("ls /opt/assetsite/bin | grep -E '^(pip|obproject|assetsite)'").split() == [
        *("assetsite", "obproject", "obproject-deploy")
    ]
    assert "Read-only file system" in image.shell("touch /opt/assetsite/new", code=1)


def test_it_says_what_a_team_has_to_set(image: Image) -> None:
    assert "ASSETSITE_SECRET_KEY" in image.run("serve", code=1)


def test_it_serves_from_a_root_that_is_only_read(image: Image, site: Container, env: dict[str, str]) -> None:
    get = partial(requests.get, timeout=20)
    url = f"http://localhost:{env['PORT']}"
    assert get(f"{url}/readyz").json()["status"] == "ok"
    assert [get(f"{url}/{path}").status_code for path in ("sign-in", "static/app.css")] == [200, 200]
    assert f"keeps its files in {HOME}" in image.podman("logs", site.name)
    token = image.run("token", "create", "--user", "ci", "--perimeter", "default", "--role", "editor", **env)
    codes = [get(f"{url}/v1/openapi.json", headers={"x-api-key": key}).status_code for key in (token, "as_wrong")]
    assert codes == [200, 401]
    made = ("manage", "createsuperuser", "--noinput", "--username", "ada", "--email", "ada@example.org")
    assert "created" in image.run(*made, DJANGO_SUPERUSER_PASSWORD=PASSWORD, **env)
    # but for the files of /etc that podman puts into each container
    assert set(image.podman("diff", site.name).split("\n")) <= {"C /etc"}


def test_it_makes_a_backup(image: Image, site: Container, env: dict[str, str], tmp_path: Path) -> None:
    os.chown(tmp_path, 10001, 10001)
    image.run("backup", "/backups/assetsite.zip", options=("--volume", f"{tmp_path}:/backups"), **env)
    assert (tmp_path / "assetsite.zip").stat().st_size > 10_000


def test_it_works_beside_the_site_and_stops_when_it_is_told(image: Image, site: Container, env: dict[str, str]) -> None:
    worker = image.start("worker", "work", **env | {"PORT": str(free_port())})
    assert worker.says("Doing, each when it is due")
    assert not worker.is_healthy()  # as nothing is served there
    code, took = worker.stop()
    assert (code, took < STOPS_WITHIN) == (0, True), took


def test_it_stops_within_seconds_while_it_waits_for_its_database(image: Image, env: dict[str, str]) -> None:
    away = {"DATABASE_URL": f"postgres://assetsite@127.0.0.1:{free_port()}/assetsite", "PORT": str(free_port())}
    waiting = image.start("waiting", "serve", **env | away)
    assert waiting.says("Waiting for it")
    code, took = waiting.stop()
    assert (code, took < STOPS_WITHIN) == (128 + 15, True), took


def test_a_process_that_dies_is_started_again_and_no_dead_one_is_left(image: Image, site: Container) -> None:
    before = site.processes()
    image.podman("exec", site.name, "sh", "-c", f"kill -9 {before[-1].split()[0]}")

    def mended() -> bool:
        now = site.processes()
        return len(now) == len(before) and now != before and not any("Z" in line for line in now) and site.is_healthy()

    assert becomes_true(mended), (before, site.processes())


def test_the_site_stops_within_seconds(image: Image, site: Container) -> None:
    code, took = site.stop()
    assert (code, took < STOPS_WITHIN) == (0, True), took
