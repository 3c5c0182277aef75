"""Server and database are killed (`kill -9`, all processes at once) during 200 registrations by 32 writers, on both.

Each number that was acknowledged must be kept, and there is no gap.
"""

import signal
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from bench.servers import sqlite_url
from bench.trials.postgresql import PostgreSQL, postgresql
from bench.trials.promises import verdict
from bench.trials.site import Site, served_site
from bench.trials.writers import Outcome, numbers_kept, register

COUNT, WRITERS = 200, 32


def main() -> int:
    return verdict(on_sqlite() | on_postgresql())


def on_sqlite() -> dict[str, bool]:
    with tempfile.TemporaryDirectory() as home, served_site(sqlite_url(Path(home) / "c.sqlite3"), Path(home)) as site:
        return trial("SQLite, server killed", site, lambda: kill_server(site))


def on_postgresql() -> dict[str, bool]:
    with postgresql() as server, tempfile.TemporaryDirectory() as home, served_site(server.url, Path(home)) as site:
        of_server = trial("PostgreSQL, server killed", site, lambda: kill_server(site))
        return of_server | trial("PostgreSQL, database killed", site, lambda: kill_database(server))


def trial(what: str, site: Site, kill: Callable[[], None]) -> dict[str, bool]:
    before = len(numbers_kept(site.url)) if "database" in what else 0

    def after_some(outcome: Outcome) -> None:
        for part in (4, 2):
            while len(outcome.numbers) < COUNT // part:
                time.sleep(0.01)
            kill()

    outcome = register(site.url, COUNT, WRITERS, after_some)
    kept = numbers_kept(site.url)
    print(f"{what} twice: {dict(outcome.answers)}; the slowest registration took {max(outcome.seconds):.1f} s")
    return {
        f"{what}: all {COUNT} are acknowledged": len(outcome.numbers) == COUNT,
        f"{what}: every acknowledged number is kept, without a gap": outcome.without_gap(before)
        and kept == list(range(1, before + COUNT + 1)),
    }


def kill_server(site: Site) -> None:
    site.end(signal.SIGKILL)
    site.start()


def kill_database(server: PostgreSQL) -> None:
    server.kill()
    server.start()


if __name__ == "__main__":
    sys.exit(main())
