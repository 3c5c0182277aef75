"""`python -m bench.large`: measure the site at full size and print the page; `--write` keeps it in the docs."""

import argparse
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

import psycopg

from bench import layouts, say
from bench.databases import postgresql
from bench.large import chores, measuring, report
from bench.servers import SIZES, database_process, environment, served, start

ROUNDS = 9
SECONDS = 0.6
LAYOUT_SEEDS = 30
HUGE, HUGE_SEEDS = 2000, 5
"""Graphs of this size take `dot` seconds each."""


def measured(rounds: int, seconds: float, filled: list[str] | None, compared: list[layouts.Row]) -> report.Run:
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="assetsite-bench-")))
        if filled:
            urls = dict(zip(SIZES, filled, strict=True))
        else:
            _, urls = stack.enter_context(postgresql(home))
        version, _ = database_process(urls["large"])
        envs = {}
        for size, url in urls.items():
            (home / size).mkdir()
            envs[size] = environment(url, home / size, team=True) | {"ASSETSITE_RECONCILE_MINUTES": "0"}
        begin = time.monotonic()
        for size in SIZES if not filled else ():
            say(f"PostgreSQL {version}: loading the {size} catalogue ...")
            if start(envs[size], "-m", "bench.large.loading", size).wait():
                raise SystemExit("The catalogue could not be loaded.")
        minutes = "before" if filled else f"{(time.monotonic() - begin) / 60:.0f} minutes for both"
        loading = f"{minutes}; the large database has {taken(urls['large'])}"
        servers = {size: stack.enter_context(served(env)) for size, env in envs.items()}
        findings = measuring.run(servers, rounds=rounds, seconds=seconds, say=say)
        say("reconciling and recounting ...")
        done = chores.measured(envs["large"], urls["large"])
    return report.Run(version, rounds, seconds, loading, findings, done, compared)


def taken(url: str) -> str:
    with psycopg.connect(url) as connection:
        (size,) = connection.execute("SELECT pg_size_pretty(pg_database_size(current_database()))").fetchone() or ("",)
    return str(size)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.large", description=__doc__)
    parser.add_argument("--write", action="store_true", help=f"also write docs/{report.PAGE.name}")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--seconds", type=float, default=SECONDS, help="of each measurement")
    parser.add_argument("--layout-seeds", type=int, default=LAYOUT_SEEDS, help="graphs of each size; 0: no comparison")
    filled = "addresses of databases that bench.large.loading has filled; they are written to"
    parser.add_argument("--filled", nargs=2, metavar=("SMALL", "LARGE"), help=filled)
    options = parser.parse_args()
    compared: list[layouts.Row] = []
    if options.layout_seeds:
        say("comparing layouts with dot ...")
        compared += layouts.compare([size for size in layouts.SIZES if size != HUGE], options.layout_seeds)
        compared += layouts.compare([HUGE], min(options.layout_seeds, HUGE_SEEDS))
    text = report.page(measured(options.rounds, options.seconds, options.filled, compared))
    print(text)
    if options.write:
        report.PAGE.write_text(text)


if __name__ == "__main__":
    main()
