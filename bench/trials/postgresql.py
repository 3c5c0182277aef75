"""A PostgreSQL with its own defaults, so that every commit is on disk, which can be ended in every way."""

import os
import pwd
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from bench.servers import family
from bench.trials.site import free_port
from tests.on_postgres import programs


class PostgreSQL:
    """In a folder of its own; `url` is the address of its one database."""

    def __init__(self, home: Path) -> None:
        folder = programs()
        if folder is None:
            raise SystemExit("PostgreSQL is not installed: apt-get install postgresql")
        self.port = free_port()
        self.url = f"postgres://assetsite@127.0.0.1:{self.port}/postgres"
        self._data, self._programs = home / "data", folder
        # the server refuses to run as root; Debian's package brings a user for it
        self.as_user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        if self.as_user:
            owner = pwd.getpwnam("postgres")
            os.chown(home, owner.pw_uid, owner.pw_gid)
        self._home = home
        self._run("initdb", "-U", "assetsite", "-A", "trust", "-E", "UTF8")

    def start(self) -> None:
        options = f"-p {self.port} -h 127.0.0.1 -c unix_socket_directories='' -c max_connections=200"
        self._run("pg_ctl", "-w", "-l", str(self._home / "log"), "-o", options, "start")

    def stop(self, mode: str = "fast") -> None:
        self._run("pg_ctl", "-w", "-m", mode, "stop")

    def kill(self) -> None:
        """End all its processes at once, as a lost machine would."""
        lock = self._data / "postmaster.pid"
        first = int(lock.read_text().split()[0])
        os.kill(first, signal.SIGSTOP)  # so that it starts no more of them
        pids = family(first)
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        while not all(map(_is_dead, pids)):
            time.sleep(0.05)
        lock.unlink()  # where nobody reaps the dead, PostgreSQL takes them for alive

    def _run(self, program: str, *options: str) -> None:
        command = [*self.as_user, self._programs / program, "-D", str(self._data), *options]
        subprocess.run(command, stdout=subprocess.DEVNULL, cwd=self._home, check=True)


@contextmanager
def postgresql(folder: str | None = None) -> Iterator[PostgreSQL]:
    """`folder` is where its own folder is made; None for that of temporary files."""
    with tempfile.TemporaryDirectory(prefix="assetsite-trial-", dir=folder) as home:
        server = PostgreSQL(Path(home))
        server.start()
        try:
            yield server
        finally:
            with suppress(subprocess.CalledProcessError):
                server.stop("immediate")


def _is_dead(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True
