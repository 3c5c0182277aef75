"""`python -m bench`: measure the site and print the table; `--write` keeps it as docs/performance.md."""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path

import psycopg

from bench import report, rounds
from bench.flows import measuring
from bench.servers import SIZES, environment, seeded, served, sqlite_url
from tests.on_postgres import cluster

ROUNDS = 5
SECONDS = 0.4
DURABLE = ""
"""No settings of our own: PostgreSQL's defaults, which have every commit on disk."""

Databases = tuple[str, dict[str, str]]


@contextmanager
def sqlite(home: Path) -> Iterator[Databases]:
    """The version of SQLite, and an empty database for each size."""
    yield report.sqlite_version(), {size: sqlite_url(home / size / "catalogue.sqlite3") for size in SIZES}


@contextmanager
def postgresql(home: Path) -> Iterator[Databases]:
    """A PostgreSQL server of our own: its version, and an empty database for each size."""
    with cluster(settings=DURABLE) as url:
        with psycopg.connect(url, autocommit=True) as connection:
            for size in SIZES:
                connection.execute(f"CREATE DATABASE {size}")
            (version,) = connection.execute("SHOW server_version").fetchone() or ("",)
        base, _, _ = url.rpartition("/")
        yield version.split()[0], {size: f"{base}/{size}" for size in SIZES}


KINDS: dict[str, Callable[[Path], AbstractContextManager[Databases]]] = {"SQLite": sqlite, "PostgreSQL": postgresql}


def measured_on(kind: str, *, turns: int, seconds: float) -> report.Result:
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="assetsite-bench-")))
        for size in SIZES:
            (home / size).mkdir()
        version, urls = stack.enter_context(KINDS[kind](home))
        team = kind == "PostgreSQL"
        envs = {size: environment(url, home / size, team=team) for size, url in urls.items()}
        say(f"{kind} {version}: writing the catalogues ...")
        seeded(envs)
        servers = {size: stack.enter_context(served(env)) for size, env in envs.items()}
        say(f"{kind} {version}: measuring ...")
        measured = rounds.run(servers, rounds=turns, seconds=seconds)
    return report.Result(kind, version, measured, judged_by_yardsticks=team)


def say(text: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--write", action="store_true", help="also write docs/performance.md")
    parser.add_argument("--database", choices=KINDS, help="only this one; default: both")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--seconds", type=float, default=SECONDS, help="of each measurement")
    measuring.add_options(parser)
    options = parser.parse_args()
    kinds = [options.database] if options.database else list(KINDS)
    results = [measured_on(kind, turns=options.rounds, seconds=options.seconds) for kind in kinds]
    flows = measuring.run(say, tasks=options.tasks, rounds=options.flow_rounds)
    text = report.page(results, flows, rounds=options.rounds, seconds=options.seconds)
    print(text)
    if options.write:
        report.PAGE.write_text(text)


if __name__ == "__main__":
    main()
