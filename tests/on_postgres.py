"""Run a command with DATABASE_URL pointing at a PostgreSQL of its own: `python tests/on_postgres.py COMMAND ...`."""

import os
import pwd
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SETTINGS = "-c fsync=off -c synchronous_commit=off -c full_page_writes=off -c max_connections=200"


def programs() -> Path | None:
    """The folder of PostgreSQL's server programs, which Debian keeps off the PATH."""
    for folder in sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True):
        if (folder / "initdb").exists():
            return folder
    found = shutil.which("initdb")
    return Path(found).parent if found else None


@contextmanager
def cluster(settings: str = SETTINGS) -> Iterator[str]:
    """A new PostgreSQL server on loopback, in a temporary folder; the URL of an empty database in it."""
    folder = programs()
    if folder is None:
        raise SystemExit("PostgreSQL is not installed: apt-get install postgresql")
    # the server refuses to run as root; Debian's package brings a user for it
    as_user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory(prefix="assetsite-postgres-") as home:
        if as_user:
            owner = pwd.getpwnam("postgres")
            os.chown(home, owner.pw_uid, owner.pw_gid)
        data = str(Path(home) / "data")
        quiet = {"stdout": subprocess.DEVNULL, "cwd": home, "check": True}
        subprocess.run(
            [*as_user, folder / "initdb", "-D", data, "-U", "assetsite", "-A", "trust", "-E", "UTF8"], **quiet
        )
        options = f"-p {port} -h 127.0.0.1 -k {home} {settings}"
        pg_ctl = [*as_user, folder / "pg_ctl", "-D", data, "-w"]
        subprocess.run([*pg_ctl, "-l", str(Path(home) / "log"), "-o", options, "start"], **quiet)
        try:
            yield f"postgres://assetsite@127.0.0.1:{port}/postgres"
        finally:
            subprocess.run([*pg_ctl, "-m", "immediate", "stop"], **quiet)


def main(command: list[str]) -> int:
    with cluster() as url:
        return subprocess.run(command, env=os.environ | {"DATABASE_URL": url}, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
