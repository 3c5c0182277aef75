"""An environment with nothing but the wheels and what they need, and a user's folders to run them in."""

import os
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import requests

from tests.conftest import free_port
from tests.wheels.building import environment


class Installed:
    """The environment `env` in a folder, in which the user also has a home and a place to work."""

    def __init__(self, folder: Path, wheels: Iterable[Path]) -> None:
        self.home, self.work = folder / "home", folder / "a wörk place"
        self.home.mkdir(parents=True)
        self.work.mkdir()
        self.port = free_port()
        self.bin = environment(folder / "env", wheels)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def files(self) -> Path:
        """Where the site keeps its files by itself."""
        return self.home / ".local/share/assetsite" if sys.platform == "linux" else self.home

    def env(self, **more: str) -> dict[str, str]:
        """A user's, who has set nothing."""
        path = os.pathsep.join((str(self.bin), "/usr/bin", "/bin"))
        kept = {name: os.environ[name] for name in ("LANG", "TMPDIR") if name in os.environ}
        return kept | {"PATH": path, "HOME": str(self.home), "PORT": str(self.port)} | more

    def run(self, *command: str, code: int = 0, where: Path | None = None, **more: str) -> str:
        """What a command of the environment says, which ends with this code."""
        done = subprocess.run(
            [self.bin / command[0], *command[1:]],
            cwd=where or self.work,
            env=self.env(**more),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == code, done.stdout
        return done.stdout

    @contextmanager
    def served(self) -> Iterator[Path]:
        """`assetsite serve` in the place to work; the file of what it says."""
        said = self.home / "served.log"
        with said.open("w") as log:
            command = [self.bin / "assetsite", "serve"]
            server = subprocess.Popen(command, cwd=self.work, env=self.env(), stdout=log, stderr=subprocess.STDOUT)
        try:
            self._wait(server, said)
            yield said
        finally:
            server.terminate()
            server.wait(timeout=20)

    def _wait(self, server: subprocess.Popen[bytes], said: Path) -> None:
        for _ in range(600):
            assert server.poll() is None, said.read_text()
            try:
                if requests.get(f"{self.url}/healthz", timeout=2).ok:
                    return
            except requests.ConnectionError:
                time.sleep(0.1)
        raise AssertionError(said.read_text())
