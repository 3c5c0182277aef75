"""This tree beside another checkout of the site, both served at once: `python -m bench.against OTHER_CHECKOUT`.

The other one, which has an environment of its own in `.venv`, writes the catalogue of `bench.seed`; this one gets a
copy and migrates it. What is asked is asked of both in turns, in blocks of about half a second. Times are processor
time of the server's processes for one request, and the smallest of all blocks counts, since whatever else the machine
does only adds to it. In team mode calls carry a token, and pages a session.
"""

import argparse
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import psycopg

from bench import say, sections
from bench.blocks import Side, take_turns
from bench.databases import postgresql
from bench.load import Connection, header
from bench.report import machine, met, sqlite_version
from bench.seed import ASSETS
from bench.servers import HERE, Checkout, Server, database_process, environment, served, sqlite_url, start
from bench.workload import QUIET, TARGETS, Target, bulk, registration

BLOCKS = 7
BULK = 1_000
Requests = Callable[[Server], list[bytes]]
Ends = tuple[Server, Server]


@dataclass(frozen=True)
class Row:
    """What is asked of the two. The targets: so many times as fast. `of_ours`: this tree is compared with itself."""

    name: str
    before: Requests
    after: Requests
    target: float | None = None
    locally: float | None = None
    of_ours: bool = False
    worth: int = 1

    def least(self, mode: str) -> float | None:
        return self.locally if self.locally and mode in LOCAL else self.target


FASTER = {
    "register, spread over assets": (1.9, 2.2),
    "register pending, confirm": (1.0, None),
    "consume": (1.8, None),
    "get latest": (1.8, 2.2),
    "get by alias": (2.2, None),
    "get by number": (1.0, None),
    "list of the API": (4.0, None),
    "summary of 100": (2.0, None),
    "home": (1.4, None),
    "project": (1.4, None),
    "overview": (1.8, None),
    "data listing": (2.5, None),
    "asset": (1.8, None),
    "instance": (1.4, None),
    "search": (1.0, None),
}
"""The targets of each row: at all, and where it is another one in local mode."""
AGAIN = {"list of the API": 6.0, "home": 3.0, "project": 3.0, "overview": 6.0, "data listing": 6.0} | {
    "asset": 6.0,
    "instance": 3.0,
    "search": 3.0,
}
"""How many times as fast an answer must be that has not changed since it was asked for the last time."""


def requests_of(target: Target) -> Requests:
    return lambda server: target.requests("small", server.person if target.page else server.program)


def unchanged(requests: Requests) -> Requests:
    """The same as a browser asks it again."""
    return lambda server: [_with_tag(server, request) for request in requests(server)]


def _with_tag(server: Server, request: bytes) -> bytes:
    with Connection(server.port) as connection:
        tag = header(connection.ask(request), "etag")
        again = request.replace(b"\r\n\r\n", f"\r\nIf-None-Match: {tag}\r\n\r\n".encode(), 1)
        if b" 304 " not in connection.ask(again).splitlines()[0]:
            raise KeyError("304")
        return again


def rows() -> Iterator[Row]:
    named = {target.name: requests_of(target) for target in TARGETS}
    for name, (target, locally) in FASTER.items():
        yield Row(name, named[name], named[name], target, locally)
    for name, times in AGAIN.items():
        yield Row(f"{name}, unchanged", named[name], unchanged(named[name]), times)
    yield Row(f"register {BULK:,} at once", one_by_one, at_once, 3.0, of_ours=True, worth=BULK)


def one_by_one(server: Server) -> list[bytes]:
    return [registration(QUIET[0], asset, server.program) for asset in ASSETS]


def at_once(server: Server) -> list[bytes]:
    return [bulk(QUIET[0], BULK, server.program)]


# --- measuring


@dataclass(frozen=True)
class Found:
    """Seconds of processor time for one request of each; `whole` with the database's."""

    row: Row
    before: Side
    after: Side

    @property
    def times(self) -> float:
        return self.before.cost / self.after.cost

    @property
    def whole_times(self) -> float:
        return self.before.whole / self.after.whole


def measured(row: Row, ends: Ends, database: int | None, blocks: int) -> Found | None:
    """None: this tree does not have it."""
    other, here = ends
    first = here if row.of_ours else other
    try:
        sides = Side(first, row.before(first), 1, database), Side(here, row.after(here), row.worth, database)
        take_turns(sides, blocks)
    except (KeyError, RuntimeError) as missing:
        say(f"{row.name}: not there ({str(missing)[:100]})")
        return None
    return Found(row, *sides)


# --- both sites


def on_sqlite(stack: ExitStack, home: Path, other: Checkout) -> list[str]:
    """The addresses of the other's catalogue, which is written, and of its copy."""
    url = sqlite_url(home / "other" / "catalogue.sqlite3")
    _write(other, url, home / "other")
    shutil.copyfile(home / "other" / "catalogue.sqlite3", home / "here" / "catalogue.sqlite3")
    return [url, sqlite_url(home / "here" / "catalogue.sqlite3")]


def on_postgresql(stack: ExitStack, home: Path, other: Checkout) -> list[str]:
    _, urls = stack.enter_context(postgresql(home))
    url = urls["small"]
    _write(other, url, home / "other")
    with psycopg.connect(urls["large"], autocommit=True) as connection:
        connection.execute("CREATE DATABASE here TEMPLATE small")
    return [url, f"{url.rpartition('/')[0]}/here"]


def _write(other: Checkout, url: str, home: Path) -> None:
    if start(environment(url, home, team=False), "-m", "bench.seed", "small", tree=other).wait():
        raise SystemExit("The other checkout could not write the catalogue.")


LOCAL = "local mode on SQLite"
MODES: dict[str, Callable[[ExitStack, Path, Checkout], list[str]]] = {
    LOCAL: on_sqlite,
    "team mode on SQLite": on_sqlite,
    "team mode on PostgreSQL": on_postgresql,
}


def compared(mode: str, other: Checkout, chosen: list[Row], blocks: int) -> tuple[list[Found | None], str]:
    """What was found for each row, and the database."""
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="assetsite-bench-")))
        for name in ("other", "here"):
            (home / name).mkdir()
        say(f"{mode}: writing the catalogue ...")
        urls = MODES[mode](stack, home, other)
        servers = [
            stack.enter_context(served(_settings(url, home / name, mode), tree))
            for url, name, tree in zip(urls, ("other", "here"), (other, HERE), strict=True)
        ]
        name, database = f"SQLite {sqlite_version()}", None
        if MODES[mode] is on_postgresql:
            version, database = database_process(urls[0])
            name = f"PostgreSQL {version}"
        found = []
        for row in chosen:
            found.append(measured(row, (servers[0], servers[1]), database, blocks))
            if found[-1]:
                say(f"{mode}: {row.name}: {found[-1].times:.2f}")
        return found, name


def _settings(url: str, home: Path, mode: str) -> dict[str, str]:
    """Those of the site, without the counter of queries, which weighs on whoever asks many."""
    own = {"DJANGO_SETTINGS_MODULE": "assetsite.settings", "ASSETSITE_RECONCILE_MINUTES": "0"}
    return environment(url, home, team=mode != LOCAL) | own


# --- the section


HEAD = """## Beside an earlier commit

Made by `python -m bench.against CHECKOUT` with a checkout of commit {commit} that has its own `.venv`. Both are served
at once from copies of one catalogue (200 assets on each of 5 branches, 2,000 instances), and asked the same in turns,
one request at a time. Times are milliseconds of processor time of the server's processes for one request, the least of
{blocks} blocks; *with the database* counts PostgreSQL's processes, too. In team mode calls carry a token, and pages a
session. *Unchanged* is what a browser asks again with the tag of the answer that it has, beside the whole answer of the
other commit. The last row compares one registration of {bulk:,} in one request with one by itself, both of this tree.

| | |
|---|---|
{machine}
"""


def section(commit: str, found: dict[str, tuple[list[Found | None], str]], chosen: list[Row], blocks: int) -> str:
    facts = machine(dict.fromkeys(name for _, name in found.values()))
    text = HEAD.format(
        commit=commit, blocks=blocks, bulk=BULK, machine="\n".join(f"| {name} | {value} |" for name, value in facts)
    )
    for mode, (results, _) in found.items():
        text += f"\n### In {mode}\n\n" + table(mode, results, chosen) + "\n"
    return text


def table(mode: str, results: list[Found | None], chosen: list[Row]) -> str:
    on_postgres = MODES[mode] is on_postgresql
    columns = ["Request", "Before, ms", "Now, ms", "Times as fast", "Target", "Met"]
    if on_postgres:
        columns.insert(4, "With the database")
    lines = []
    for row, found in zip(chosen, results, strict=True):
        least = row.least(mode)
        target = f"{least:g}" if least else ""
        if found is None:
            lines.append([row.name, *["-"] * (len(columns) - 3), target, met(False)])
            continue
        figures = [f"{found.before.cost * 1000:.2f}", f"{found.after.cost * 1000:.2f}", f"{found.times:.2f}"]
        figures += [f"{found.whole_times:.2f}"] if on_postgres else []
        lines.append([row.name, *figures, target, met(not least or found.times >= least)])
    return sections.table(columns, lines)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.against", description=__doc__)
    parser.add_argument("checkout", type=Path, help="with an environment of its own in .venv")
    parser.add_argument("--only", default="", metavar="REGEX", help="rows whose name matches")
    parser.add_argument("--mode", choices=MODES, action="append", help="may be repeated; default: all")
    parser.add_argument("--blocks", type=int, default=BLOCKS)
    parser.add_argument("--write", action="store_true", help="also keep it in docs/performance.md")
    options = parser.parse_args()
    other = Checkout.at(options.checkout.resolve())
    chosen = [row for row in rows() if re.search(options.only, row.name)]
    found = {mode: compared(mode, other, chosen, options.blocks) for mode in options.mode or MODES}
    told = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=other.folder, capture_output=True, text=True, check=False
    ).stdout.strip()
    text = section(told or "of another checkout", found, chosen, options.blocks)
    print(text)
    if options.write:
        sections.keep("bench.against", text)


if __name__ == "__main__":
    main()
