"""Databases with a seeded catalogue, and the site served from each, as `manage.py serve` serves it."""

import os
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from bench.load import Connection, message

CHECKOUT = Path(__file__).resolve().parent.parent
SIZES = ("small", "large")
STARTS_WITHIN = 60


@dataclass(frozen=True)
class Server:
    port: int
    token: str
    pid: int

    def memory(self) -> int:
        """Resident bytes of the server's processes."""
        return sum(resident(pid) for pid in family(self.pid))


def sqlite_url(file: Path) -> str:
    """The address of an SQLite database, for `DATABASE_URL`."""
    return f"sqlite:///{quote(str(file))}"


def environment(database: str, home: Path, *, team: bool) -> dict[str, str]:
    """Local mode on SQLite and team mode on PostgreSQL, each with the settings that it comes with."""
    names = ("PATH", "HOME", "LANG", "TMPDIR", "ASSETSITE_BENCH_SMOKE")
    kept = {name: os.environ[name] for name in names if name in os.environ}
    env = kept | {"DJANGO_SETTINGS_MODULE": "bench.settings", "DATABASE_URL": database, "ASSETSITE_HOME": str(home)}
    if team:
        env |= {
            "ASSETSITE_MODE": "team",
            "ASSETSITE_BIND": "127.0.0.1",
            "ASSETSITE_ALLOWED_HOSTS": "127.0.0.1",
            "ASSETSITE_TLS": "0",
            "ASSETSITE_SECRET_KEY": secrets.token_urlsafe(50),
        }
    return env


def seeded(envs: dict[str, dict[str, str]]) -> None:
    """Fill the databases of all sizes, side by side."""
    running = [start(env, "-m", "bench.seed", size) for size, env in envs.items()]
    for process in running:
        if process.wait():
            raise SystemExit("The catalogue could not be written.")


@contextmanager
def served(env: dict[str, str]) -> Iterator[Server]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    token = _token(env) if "ASSETSITE_MODE" in env else ""
    process = start(env, "manage.py", "serve", "--port", str(port))
    try:
        _wait_until_served(process, port)
        yield Server(port, token, process.pid)
    finally:
        process.terminate()
        process.wait()


def start(env: dict[str, str], *command: str) -> subprocess.Popen[str]:
    quiet = subprocess.DEVNULL
    return subprocess.Popen([sys.executable, *command], cwd=CHECKOUT, env=env, stdout=quiet, text=True)


def _token(env: dict[str, str]) -> str:
    command = ["token", "create", "--user", "bench", "--perimeter", "default", "--role", "editor"]
    done = subprocess.run(
        [sys.executable, "manage.py", *command], cwd=CHECKOUT, env=env, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def _wait_until_served(process: subprocess.Popen[str], port: int) -> None:
    end = time.monotonic() + STARTS_WITHIN
    while process.poll() is None and time.monotonic() < end:
        try:
            with Connection(port) as connection:
                connection.ask(message("GET", "/healthz", ""))
                return
        except ConnectionError:
            time.sleep(0.1)
    raise SystemExit("The site could not be served.")


def family(pid: int) -> list[int]:
    """A process and all that descend from it, where the system tells (Linux)."""
    if not Path("/proc/self/task").exists():
        return []
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *(descendant for child in children for descendant in family(int(child)))]


def resident(pid: int) -> int:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")
