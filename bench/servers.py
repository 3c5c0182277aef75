"""Databases with a seeded catalogue, and the site served from each, as `assetsite serve` serves it."""

import os
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

import psycopg
import requests

from bench import gated
from bench.load import Connection, message

CHECKOUT = Path(__file__).resolve().parent.parent
WHO = "bench"
SIGNS_IN = """
from django.contrib.auth.models import User
person = User.objects.get(username="bench")
person.set_password("correct horse battery")
person.save()
"""
SIZES = ("small", "large")
STARTS_WITHIN = 180


@dataclass(frozen=True)
class Checkout:
    """A tree of the site with an environment of its own."""

    folder: Path
    python: str

    @classmethod
    def at(cls, folder: Path) -> "Checkout":
        return cls(folder, str(folder / ".venv" / "bin" / "python"))


HERE = Checkout(CHECKOUT, sys.executable)


@dataclass(frozen=True)
class Server:
    """`program` and `person` are the headers by which those who ask are known; empty in local mode."""

    port: int
    pid: int
    program: dict[str, str] = field(default_factory=dict)
    person: dict[str, str] = field(default_factory=dict)

    def memory(self) -> int:
        """Resident bytes of the server's processes."""
        return sum(resident(pid) for pid in family(self.pid))

    def processor(self) -> float:
        """Seconds of processor time that the server's processes have used."""
        return processor(self.pid)


def sqlite_url(file: Path) -> str:
    """The address of an SQLite database, for `DATABASE_URL`."""
    return f"sqlite:///{quote(str(file))}"


def environment(database: str, home: Path, *, team: bool) -> dict[str, str]:
    """Local mode on SQLite and team mode on PostgreSQL, each with the settings that it comes with."""
    names = ("PATH", "HOME", "LANG", "TMPDIR", "ASSETSITE_BENCH_SMOKE")
    kept = {name: os.environ[name] for name in names if name in os.environ}
    env = kept | {"DJANGO_SETTINGS_MODULE": "bench.settings", "DATABASE_URL": database, "ASSETSITE_HOME": str(home)}
    env["ASSETSITE_CARD_ROOTS"] = gated.root_of_cards(str(home))
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
def served(env: dict[str, str], tree: Checkout = HERE) -> Iterator[Server]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    team = "ASSETSITE_MODE" in env
    token = _token(env, tree) if team else ""
    process = start(env, "manage.py", "serve", "--port", str(port), tree=tree)
    try:
        _wait_until_served(process, port)
        who = ({"x-api-key": token}, _session(port)) if team else ()
        yield Server(port, process.pid, *who)
    finally:
        process.terminate()
        process.wait()


def start(env: dict[str, str], *command: str, tree: Checkout = HERE) -> subprocess.Popen[str]:
    quiet = subprocess.DEVNULL
    return subprocess.Popen([tree.python, *command], cwd=tree.folder, env=env, stdout=quiet, text=True)


def _token(env: dict[str, str], tree: Checkout) -> str:
    """The token of an editor, who has a password, too."""
    command = ["token", "create", "--user", WHO, "--perimeter", "default", "--role", "editor"]
    token = _manage(env, tree, *command).strip()
    _manage(env, tree, "shell", "--no-imports", "-c", SIGNS_IN)
    return token


def _manage(env: dict[str, str], tree: Checkout, *command: str) -> str:
    return subprocess.run(
        [tree.python, "manage.py", *command], cwd=tree.folder, env=env, capture_output=True, text=True, check=True
    ).stdout


def _session(port: int) -> dict[str, str]:
    """Sign in as a browser does; the token of the form is what the made-up cookie says."""
    token = "a" * 32
    answer = requests.post(
        f"http://127.0.0.1:{port}/sign-in",
        data={"username": WHO, "password": "correct horse battery", "csrfmiddlewaretoken": token},
        headers={"Cookie": f"assetsite_csrf={token}"},
        allow_redirects=False,
        timeout=60,
    )
    kept = {"assetsite_csrf": token} | dict(answer.cookies)  # signing in changes the token
    return {"Cookie": "; ".join(f"{name}={value}" for name, value in kept.items())}


def _wait_until_served(process: subprocess.Popen[str], port: int) -> None:
    end = time.monotonic() + STARTS_WITHIN
    while process.poll() is None and time.monotonic() < end:
        try:
            with Connection(port) as connection:
                connection.ask(message("GET", "/healthz", {}))
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


def processor(pid: int) -> float:
    """Seconds of processor time that a process and all that descend from it have used, in steps of a hundredth."""
    ticks = 0
    for each in family(pid):
        fields = Path(f"/proc/{each}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def database_process(url: str) -> tuple[str, int]:
    """The version of a PostgreSQL server on this machine, and the process from which all its others descend."""
    with psycopg.connect(url) as connection:
        version, pid = connection.execute("SELECT split_part(version(), ' ', 2), pg_backend_pid()").fetchone() or (
            "",
            0,
        )
        return str(version), int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
