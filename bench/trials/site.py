"""A site whose server process can be ended in every way and started again on the same port."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import requests

from bench.servers import CHECKOUT, STARTS_WITHIN, environment


class Site:
    """In local mode, so that nobody needs a token; `home` has its log."""

    def __init__(self, database: str, home: Path, **settings: str) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = home / "server.log"
        own = {"DJANGO_SETTINGS_MODULE": "assetsite.settings"}  # not those of the benchmarks, which have no error pages
        self.env = environment(database, home, team=False) | own | settings
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "manage.py", "serve", "--port", str(self.port)],
                cwd=CHECKOUT,
                env=self.env,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        end = time.monotonic() + STARTS_WITHIN
        while time.monotonic() < end and self._process.poll() is None:
            try:
                if requests.get(f"{self.url}/healthz", timeout=2).ok:
                    return
            except requests.RequestException:
                time.sleep(0.1)
        raise SystemExit(f"The site could not be served:\n{self.log.read_text()}")

    def end(self, how: signal.Signals = signal.SIGTERM) -> None:
        """End the server; by SIGKILL with all its processes at once, as a lost machine would."""
        if self._process is not None:
            if how == signal.SIGKILL:
                os.killpg(self._process.pid, how)
            else:
                self._process.send_signal(how)
            self._process.wait()
            self._process = None

    def tracebacks(self) -> int:
        return self.log.read_text().count("Traceback")


@contextmanager
def served_site(database: str, home: Path, **settings: str) -> Iterator[Site]:
    site = Site(database, home, **settings)
    site.start()
    try:
        yield site
    finally:
        site.end()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
