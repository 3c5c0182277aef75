"""The table, and the page of the docs that holds it."""

import datetime
import os
import platform
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import django

from bench.flows.rows import Row
from bench.rounds import CLIENTS, Measured
from bench.seed import BUSY, HISTORY
from bench.workload import TARGETS, Target

MOST_GROWTH = 1.3
MOST_QUERIES = 12
MOST_MEMORY = 1.1
"""Memory counts as flat if it is at most so many times that after the first round."""

HEAD = """## Calls and pages at two sizes

Made by `make bench`; `.venv/bin/python -m bench --write` keeps it.

The site as `assetsite serve` serves it, with the settings that it comes with: in local mode on SQLite, where nobody
signs in, and in team mode on PostgreSQL, where calls carry a token and pages are asked for by somebody signed in.
PostgreSQL has its own defaults, so every commit is on disk. Two catalogues are served at once, each from a database of
its own: 200 assets on each of 5 branches, with edges, consumptions, annotations and aliases. *Large* has {large:,}
instances, {big:,} of them in one asset and {busy:,} in each of {others} others.
*Small* is the same catalogue with one hundredth of that history; its pages show as many rows. Assets that are not
refreshed all the time have one instance at both sizes.

Requests come from another process on the same machine over connections kept open, each client sending one at a time.
Numbers are medians of {rounds} rounds; in each round the two sizes take turns of {seconds} s. `large/small` is the
median of the rounds' ratios of p50. Registrations and consumptions are as the client package sends them, with an
idempotency key; registrations also with the attempt of the task. The two bare views are mounted in the same process
behind the same middleware; one inserts a row, the other selects one.

Times depend on the machine and on what else it does; ratios depend on that less. The bare views have the same to do at
both sizes, so how far their `large/small` is from 1 says how much the run was disturbed.

| | |
|---|---|
{machine}

### Targets

| Target | Database | Measured | Met |
|---|---|---|---|
{targets}
"""
COLUMNS = [
    "Request",
    "Queries",
    "Requests/s small",
    "large",
    "p50 ms small",
    "large",
    "large/small",
    "p95 ms small",
    "large",
]


@dataclass(frozen=True)
class Result:
    database: str
    version: str
    measured: Measured
    judged_by_yardsticks: bool


FLOWS = """## The flow side

Flows that Metaflow runs on this machine, with its local datastore and metadata, against the site in local mode on an
empty SQLite database. Compared calls and runs take turns. Bare requests go over a plain socket, without a client
package. Numbers in brackets are the two that were compared.

| | Target | Measured | Met |
|---|---|---|---|
"""


def section(results: list[Result], flows: list[Row], *, rounds: int, seconds: float) -> str:
    big, busy = HISTORY["large"]
    versions = [f"{result.database} {result.version}" for result in results]
    head = HEAD.format(
        large=100_000,
        big=big,
        busy=busy,
        others=len(BUSY),
        rounds=rounds,
        seconds=seconds,
        machine="\n".join(f"| {name} | {value} |" for name, value in machine(versions)),
        targets="\n".join(f"| {' | '.join(row)} |" for result in results for row in targets(result)),
    )
    text = "\n".join([head, *(line for result in results for line in tables(result)), flow_side(flows)])
    return text.rstrip() + "\n"


def flow_side(rows: list[Row]) -> str:
    return FLOWS + "".join(f"| {row.name} | {row.target} | {row.measured} | {verdict(row)} |\n" for row in rows)


def verdict(row: Row) -> str:
    return "" if row.met is None else met(row.met)


def machine(databases: Iterable[str]) -> Iterator[tuple[str, str]]:
    yield "Date", datetime.datetime.now(datetime.UTC).date().isoformat()
    yield "Machine", f"{os.cpu_count()} cores ({platform.machine()}), {memory_of_machine() / 2**30:.0f} GiB of memory"
    yield "Software", f"Python {platform.python_version()}, Django {django.get_version()}"
    yield "Databases", ", ".join(databases)


def memory_of_machine() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def sqlite_version() -> str:
    return sqlite3.sqlite_version


def growth_of(
    result: Result, name: str, rows: Sequence[Target], most: float = MOST_GROWTH
) -> tuple[str, str, str, str]:
    """How many times as long the answers of some rows take at the large size: of that which grows most."""
    every = [(target.name, clients) for target in rows for clients in CLIENTS]
    slowest, clients = max(every, key=lambda row: result.measured.growth(*row))
    growth = result.measured.growth(slowest, clients)
    where = f"{growth:.2f} ({slowest}, {clients} client{'s' * (clients > 1)})"
    return f"p50 large at most {most} times small, {name}", result.database, where, met(growth <= most)


def targets(result: Result) -> Iterator[tuple[str, str, str, str]]:
    measured = result.measured
    yield growth_of(result, "every row", [target for target in TARGETS if not (target.bare or target.growth)])
    for target in TARGETS:
        if target.growth:
            yield growth_of(result, target.name, [target], target.growth)
    most = max(measured.queries[target.name, size] for target in TARGETS if target.page for size in HISTORY)
    yield f"queries of a page at most {MOST_QUERIES}", result.database, str(most), met(most <= MOST_QUERIES)
    for target in TARGETS:
        if target.floor and result.judged_by_yardsticks:
            yardstick, least = target.floor
            share = measured.share(target.name, yardstick, max(CLIENTS))
            yield (
                f"{target.name}, at least {least} of {yardstick}",
                result.database,
                f"{share:.2f}",
                met(share >= least),
            )
    for target in TARGETS:
        if target.times:
            other, most_times = target.times
            times = max(measured.times(target.name, other, clients) for clients in CLIENTS)
            what = f"{target.name}, p50 at most {most_times:g} times that of {other}"
            yield what, result.database, f"{times:.2f}", met(times <= most_times)
    swell = max(memory[-1] / memory[0] for memory in measured.memory.values())
    yield (
        f"memory at most {MOST_MEMORY} times that after the first round",
        result.database,
        f"{swell:.2f}",
        met(swell <= MOST_MEMORY),
    )


def met(yes: bool) -> str:
    return "yes" if yes else "**no**"


def tables(result: Result) -> Iterator[str]:
    for clients in CLIENTS:
        yield f"### {result.database}, {clients} client{'s' * (clients > 1)}"
        yield ""
        yield f"| {' | '.join(COLUMNS)} |"
        yield f"|---{'|--:' * (len(COLUMNS) - 1)}|"
        yield from (row(result.measured, target.name, clients) for target in TARGETS)
        yield ""
    yield f"### {result.database}, memory of the server after each round"
    yield ""
    for size, memory in result.measured.memory.items():
        yield f"- {size}: {', '.join(f'{bytes_ / 2**20:.0f}' for bytes_ in memory)} MiB"
    yield ""
    yield f"### {result.database}, compared with a bare view, {max(CLIENTS)} clients"
    yield ""
    yield "| Request | Part of the rate | of |"
    yield "|---|--:|---|"
    for target in TARGETS:
        if target.floor:
            share = result.measured.share(target.name, target.floor[0], max(CLIENTS))
            yield f"| {target.name} | {share:.2f} | {target.floor[0]} |"
    yield ""


def row(measured: Measured, target: str, clients: int) -> str:
    small, large = ((target, size, clients) for size in ("small", "large"))
    cells = [
        target,
        str(measured.queries[target, "large"]),
        f"{measured.rate(*small):,.0f}",
        f"{measured.rate(*large):,.0f}",
        milliseconds(measured.p50(*small)),
        milliseconds(measured.p50(*large)),
        f"{measured.growth(target, clients):.2f}",
        milliseconds(measured.p95(*small)),
        milliseconds(measured.p95(*large)),
    ]
    return f"| {' | '.join(cells)} |"


def milliseconds(seconds: float) -> str:
    return f"{seconds * 1000:.1f}"
