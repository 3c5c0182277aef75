"""The disk of the database fills up while 16 writers register, and is freed; on both databases (Linux, as root).

The database is on a small file system of its own in memory. While that is full, writing is a 503 with a sentence and
reading goes on; when there is room, all registrations get in, and their numbers have no gap.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import requests

from bench.servers import sqlite_url
from bench.trials.postgresql import postgresql
from bench.trials.promises import verdict
from bench.trials.site import Site, served_site
from bench.trials.writers import BRANCH, Outcome, numbers_kept, register

COUNT, WRITERS = 100, 16
FULL_FOR = 4.0


def main() -> int:
    if os.geteuid() != 0:
        raise SystemExit("Only root can make a file system.")
    return verdict(on_sqlite() | on_postgresql())


def on_sqlite() -> dict[str, bool]:
    with ExitStack() as stack:
        folder, home = stack.enter_context(disk(12)), stack.enter_context(tempfile.TemporaryDirectory())
        site = stack.enter_context(served_site(sqlite_url(folder / "c.sqlite3"), Path(home)))
        return trial("SQLite", site, folder)


def on_postgresql() -> dict[str, bool]:
    with ExitStack() as stack:
        folder, home = stack.enter_context(disk(160)), stack.enter_context(tempfile.TemporaryDirectory())
        folder.chmod(0o755)
        server = stack.enter_context(postgresql(str(folder)))
        site = stack.enter_context(served_site(server.url, Path(home)))
        return trial("PostgreSQL", site, folder)


@contextmanager
def disk(megabytes: int) -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", folder], check=True)
        try:
            yield Path(folder)
        finally:
            subprocess.run(["umount", "--lazy", folder], check=True)


def trial(what: str, site: Site, folder: Path) -> dict[str, bool]:
    reading: list[int] = []

    def fill_and_free(outcome: Outcome) -> None:
        while len(outcome.numbers) < COUNT // 4:
            time.sleep(0.01)
        ballast, end = folder / "ballast", time.monotonic() + FULL_FOR
        while time.monotonic() < end:
            fill(ballast)  # also with what the database has freed meanwhile
            reading.append(requests.get(f"{site.url}/{BRANCH}/data", timeout=20).status_code)
            time.sleep(0.1)
        ballast.unlink()

    outcome = register(site.url, COUNT, WRITERS, fill_and_free)
    print(f"{what}: {dict(outcome.answers)}; reading meanwhile: {sorted(set(reading))}")
    failed = [answer for answer in outcome.answers if answer.startswith("500")]
    return {
        f"{what}: writing to a full disk is a 503 that says so": any("disk" in answer for answer in outcome.answers),
        f"{what}: no 500": not failed,
        f"{what}: reading goes on": set(reading) == {200},
        f"{what}: all {COUNT} are in, without a gap": outcome.without_gap() and len(outcome.numbers) == COUNT,
        f"{what}: the catalogue has each of them once": numbers_kept(site.url) == list(range(1, COUNT + 1)),
        f"{what}: no traceback in the log": site.tracebacks() == 0,
    }


def fill(ballast: Path) -> None:
    """Let a file grow until its file system is full, to the last byte."""
    with suppress(OSError), ballast.open("ab", buffering=0) as file:
        while True:
            file.write(bytes(4096))


if __name__ == "__main__":
    sys.exit(main())
