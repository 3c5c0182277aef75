"""What runs beside the site, on the large catalogue: the pass of reconciling with nothing to do, and `recount`."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg

from bench.servers import start

PASSES = 3
POLLED_EVERY = 0.02
LONGEST = """
SELECT max(extract(epoch FROM clock_timestamp() - xact_start)) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_xid IS NOT NULL
"""
"""Only what has locked or changed a row has a `backend_xid`."""
LATEST = "SELECT extract(epoch FROM finished_at - started_at) FROM catalog_reconciliation ORDER BY id DESC LIMIT 1"


@dataclass(frozen=True)
class Chores:
    """In seconds: the passes, one after the other; the recount, and for how long at most it held what it had locked."""

    passes: list[float]
    recount: float
    locked: float


def measured(env: dict[str, str], url: str) -> Chores:
    passes = []
    for _ in range(PASSES):
        _run(env, "reconcile")
        with psycopg.connect(url) as connection:
            (seconds,) = connection.execute(LATEST).fetchone() or (0.0,)
        passes.append(float(seconds))
    begin = time.monotonic()
    with longest_transaction(url) as locked:
        _run(env, "recount")
    return Chores(passes, time.monotonic() - begin, max(locked, default=0.0))


@contextmanager
def longest_transaction(url: str) -> Iterator[list[float]]:
    """How long transactions that hold locks have lasted, as seen again and again meanwhile."""
    seen: list[float] = []
    over = threading.Event()

    def look() -> None:
        with psycopg.connect(url, autocommit=True) as connection:
            while not over.wait(POLLED_EVERY):
                (longest,) = connection.execute(LONGEST).fetchone() or (None,)
                seen.append(float(longest or 0.0))

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield seen
    finally:
        over.set()
        thread.join()


def _run(env: dict[str, str], command: str) -> None:
    if start(env, "manage.py", command).wait():
        raise SystemExit(f"manage.py {command} failed.")
