"""People who walk through a large catalogue while flows write to it: `python -m bench.people`.

The site is served in team mode from PostgreSQL with the projects of `bench.large` (`--size`), or from a database that
`python -m bench.large.loading` has filled (`--database`; it is written to). Everybody has a connection of their own,
asks, reads the answer and thinks. People are signed in and do what a browser does: they send the tag of the answer that
they have of an address, and while a page is open its pulse is asked every four seconds. Flows register, read the latest
of another asset, consume it and confirm what they registered, with a pause after each call.
"""

import argparse
import asyncio
import html
import random
import re
import secrets
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote_plus

from bench import say, sections
from bench.databases import postgresql
from bench.large import names, shape
from bench.load import header, message
from bench.report import machine, met
from bench.servers import HERE, Checkout, Server, database_process, environment, processor, served, start

PEOPLE, FLOWS = 50, 20
SECONDS = 120.0
PAUSE = (1.5, 3.5)
"""Between the calls of a flow, in seconds."""
PULSE_EVERY = 4.0
PULSE = re.compile(rb'hx-get="([^"]+/pulse[^"]*)"')
PAGE = f"/{names.PERIMETER}/{names.PROJECT}"
MAIN = f"{PAGE}/{names.MAIN.key}"
API = f"/v1/perimeters/{names.PERIMETER}"
ROWS = 50
"""On a page of a listing."""
FARTHEST = 10
"""The last page of a listing to which somebody goes."""
VIEWS = {
    "home": 8,
    "project": 4,
    "overview": 12,
    "listing": 13,
    "listing, another page": 8,
    "listing, by tag": 6,
    "listing, nothing found": 1,
    "search": 3,
    "asset": 20,
    "instance": 14,
    "lineage, depth 1": 8,
    "overview.json": 2,
    "listing.json": 2,
    "asset.json": 3,
    "instance.json": 2,
}
"""How often people open each, of a hundred or so times."""


@dataclass(frozen=True)
class Trial:
    """One run: how long people think, in seconds, and whether they send tags; the targets of the 95th percentiles."""

    name: str
    think: tuple[float, float]
    tags: bool
    most_page: float
    most_call: float = 0.1


TRIALS = [
    Trial("1 to 3 s between pages", (1.0, 3.0), tags=True, most_page=0.4),
    Trial("1 to 3 s, nothing kept by browsers", (1.0, 3.0), tags=False, most_page=0.4),
    Trial("10 s between pages", (9.0, 11.0), tags=True, most_page=0.2),
]


# --- who asks


@dataclass
class Answers:
    """How long each kind of request took, in seconds, and what went wrong."""

    pages: dict[str, list[float]] = field(default_factory=dict)
    calls: dict[str, list[float]] = field(default_factory=dict)
    unchanged: int = 0
    errors: list[str] = field(default_factory=list)

    def all_of(self, *kinds: dict[str, list[float]]) -> list[float]:
        return [second for kind in kinds for times in kind.values() for second in times]


class Line:
    """A connection that stays open."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, request: bytes) -> tuple[int, bytes, bytes]:
        """Status, head and body of the answer."""
        if self.streams is None:
            self.streams = await asyncio.open_connection("127.0.0.1", self.port)
        reader, writer = self.streams
        writer.write(request)
        head = (await reader.readuntil(b"\r\n\r\n"))[:-4]
        length = 0
        with suppress(KeyError):
            length = int(header(head, "content-length"))
        status = int(head.split(b" ", 2)[1])
        return status, head, await reader.readexactly(length) if status not in (204, 304) else b""


@dataclass
class Client:
    """Somebody who asks one thing after the other until the end."""

    server: Server
    answers: Answers
    end: float
    draw: random.Random

    def __post_init__(self) -> None:
        self.line = Line(self.server.port)

    async def timed(self, times: list[float], request: bytes) -> tuple[int, bytes, bytes]:
        """The answer; one that is no success is counted as an error, and the connection is a new one afterwards."""
        begin = time.perf_counter()
        try:
            status, head, body = await asyncio.wait_for(self.line.ask(request), timeout=60)
        except (OSError, asyncio.IncompleteReadError, TimeoutError) as error:
            self.answers.errors.append(f"{request.splitlines()[0].decode()}: {error!r}")
            self.line = Line(self.server.port)
            return 0, b"", b""
        times.append(time.perf_counter() - begin)
        if status >= 400:
            self.answers.errors.append(f"{request.splitlines()[0].decode()}: {status} {body[:200].decode()}")
        return status, head, body

    async def wait(self, seconds: float) -> None:
        await asyncio.sleep(max(0.0, min(seconds, self.end - time.perf_counter())))

    @property
    def is_over(self) -> bool:
        return time.perf_counter() >= self.end


@dataclass
class Person(Client):
    trial: Trial
    places: "Places"
    tags: dict[str, str] = field(default_factory=dict)

    async def live(self) -> None:
        await self.wait(self.draw.uniform(0, self.trial.think[1]))
        while not self.is_over:
            (view,) = self.draw.choices(list(VIEWS), list(VIEWS.values()))
            pulse = await self.open(view, self.places.path(view))
            await self.think(pulse, self.draw.uniform(*self.trial.think))

    async def open(self, view: str, path: str) -> str:
        """The address of the pulse of the page, if it has one."""
        known = {"If-None-Match": self.tags[path]} if path in self.tags else {}
        request = message("GET", path, self.server.person | known)
        status, head, body = await self.timed(self.answers.pages.setdefault(view, []), request)
        self.answers.unchanged += status == 304
        with suppress(KeyError):
            if self.trial.tags:
                self.tags[path] = header(head, "etag")
        found = PULSE.search(body)
        return html.unescape(found[1].decode()) if found else ""

    async def think(self, pulse: str, seconds: float) -> None:
        while pulse and seconds > PULSE_EVERY and not self.is_over:
            await self.wait(PULSE_EVERY)
            seconds -= PULSE_EVERY
            await self.timed(self.answers.pages.setdefault("pulse", []), message("GET", pulse, self.server.person))
        await self.wait(seconds)


@dataclass
class Flow(Client):
    places: "Places"

    async def live(self) -> None:
        await self.wait(self.draw.uniform(0, PAUSE[1]))
        while not self.is_over:
            for call, request in self.cycle():
                await self.timed(self.answers.calls.setdefault(call, []), request)
                await self.wait(self.draw.uniform(*PAUSE))
                if self.is_over:
                    return

    def cycle(self) -> Iterator[tuple[str, bytes]]:
        who, branch = self.server.program, names.MAIN
        read, written = self.places.asset(), self.places.asset()
        kind, _, asset_id = written.partition("/")
        entity = {"entity_kind": "task", "entity_id": f"PeopleFlow/{secrets.token_hex(8)}/end/1"}
        at = f"{API}/projects/{names.PROJECT}/branches/{branch.key}"
        yield (
            "register",
            message(
                "PATCH",
                f"{at}/{kind}/{asset_id}",
                who | {"Idempotency-Key": secrets.token_hex(16)},
                {
                    "entity_ref": entity,
                    "branch_name": branch.name,
                    "data_asset_kind" if kind == "data" else "model_asset_kind": "artifact",
                    "description": "Beside people.",
                    "annotations": {"artifact": "table", "rows": 123_456, "metric_a": 0.25, "metric_b": 0.5},
                    "tags": [{"key": "env", "value": "prod"}, {"key": "region", "value": "eu"}],
                    "attempt": 0,
                    "state": "pending",
                },
            ),
        )
        yield "latest", message("GET", f"{at}/{read}/instances/latest", who)
        consumer = {"project": names.PROJECT, "branch": branch.name}
        yield (
            "consume",
            message(
                "PUT",
                f"{at}/{read}/instances/latest",
                who | {"Idempotency-Key": secrets.token_hex(16)},
                {"entity_ref": entity, "consumer": consumer, "attempt": 0},
            ),
        )
        yield (
            "confirm",
            message("POST", f"{API}/confirmations", who, {"entity_ref": entity, "attempt": 0, "state": "ready"}),
        )


@dataclass
class Places:
    """What people open and flows read and write: all over the catalogue."""

    scale: shape.Scale
    draw: random.Random

    def asset(self) -> str:
        module, place = self.draw.randrange(self.scale.modules), self.draw.randrange(shape.MADE)
        while names.branch_of(place) != names.MAIN:
            place = self.draw.randrange(shape.MADE)
        return "/".join(names.asset_named(module, place))

    def path(self, view: str) -> str:
        page, _, twin = view.partition(".")
        suffix = f".{twin}" if twin else ""
        asset, kind = self.asset(), self.draw.choice(["data", "models", "assets"])
        match page:
            case "home":
                return "/"
            case "project":
                return PAGE
            case "overview":
                return f"{MAIN}{suffix}"
            case "listing":
                return f"{MAIN}/{kind}{suffix}"
            case "listing, another page":
                pages = -(-assets_on_main(self.scale) // ROWS)
                return f"{MAIN}/assets?page={self.draw.randint(2, min(pages, FARTHEST))}"
            case "listing, by tag":
                return f"{MAIN}/{kind}?tag={quote_plus('region=eu')}"
            case "listing, nothing found":
                return f"{MAIN}/{kind}?tag={quote_plus('region=nowhere')}"
            case "search":
                return f"/search?q={asset.partition('/')[2].rpartition('_')[0]}"
            case "asset":
                return f"{MAIN}/{asset}{suffix}"
            case "instance":
                return f"{MAIN}/{asset}/v{self.draw.randint(1, self.scale.nights)}{suffix}"
            case _:
                return f"{MAIN}/{asset}/lineage?depth=1"


def assets_on_main(scale: shape.Scale) -> int:
    return scale.modules * sum(names.branch_of(place) == names.MAIN for place in range(shape.ASSETS))


# --- a run


@dataclass(frozen=True)
class Run:
    """What a trial came to. Processor time is in cores; memory in bytes, before and after."""

    trial: Trial
    seconds: float
    answers: Answers
    cores: dict[str, float]
    memory: tuple[int, int]

    @property
    def page95(self) -> float:
        return percentile(self.answers.all_of(self.answers.pages), 95)

    @property
    def call95(self) -> float:
        return percentile(self.answers.all_of(self.answers.calls), 95)


def run(
    trial: Trial, server: Server, database: int, scale: shape.Scale, people: int, flows: int, seconds: float
) -> Run:
    answers = Answers()
    pids, memory = {"the site": server.pid, "PostgreSQL": database}, server.memory()
    before = {name: processor(pid) for name, pid in pids.items()}
    begin, own = time.perf_counter(), time.process_time()
    asyncio.run(_crowd(trial, server, scale, answers, (people, flows), begin + seconds))
    elapsed = time.perf_counter() - begin
    cores = {name: (processor(pid) - before[name]) / elapsed for name, pid in pids.items()}
    cores["who asks"] = (time.process_time() - own) / elapsed
    return Run(trial, elapsed, answers, cores, (memory, server.memory()))


async def _crowd(
    trial: Trial, server: Server, scale: shape.Scale, answers: Answers, sizes: tuple[int, int], end: float
) -> None:
    people, flows = sizes
    draws = (random.Random(seed) for seed in range(people + flows))  # noqa: S311 (the same walk each time)
    clients: list[Person | Flow] = []
    for number, draw in enumerate(draws):
        common = (server, answers, end, draw)
        is_person = number < people
        places = Places(scale, draw)
        clients.append(Person(*common, trial, places) if is_person else Flow(*common, places))
    await asyncio.gather(*(client.live() for client in clients))


def percentile(seconds: list[float], part: int) -> float:
    """0 of nothing."""
    return sorted(seconds)[min(len(seconds) - 1, len(seconds) * part // 100)] if seconds else 0.0


# --- the section

HEAD = """## People and flows at a time

Made by `python -m bench.people`. The site is served in team mode by {workers} processes from PostgreSQL with the large
catalogue of `bench.large`: {assets:,} assets on one branch, {instances:,} instances in its project. For {seconds:.0f} s
at a time {people} people open one page after the other, signed in, and {flows} flows register, read the latest, consume
and confirm, with a pause of {pause[0]} to {pause[1]} s after each call. But for one run people send the tag of the
answer that they have of an address; while a page is open, its pulse is asked every {pulse:.0f} s. Everybody has a
connection of their own, and all of this, who asks included, is on one machine.

| | |
|---|---|
{machine}

"""


def section(runs: list[Run], people: int, flows: int, scale: shape.Scale, version: str) -> str:
    facts = machine([f"PostgreSQL {version}"])
    text = HEAD.format(
        workers=2,
        assets=assets_on_main(scale),
        instances=scale.modules * scale.nights * shape.ASSETS,
        seconds=runs[0].seconds,
        people=people,
        flows=flows,
        pause=PAUSE,
        pulse=PULSE_EVERY,
        machine="\n".join(f"| {name} | {value} |" for name, value in facts),
    )
    text += sections.table(["", *(run.trial.name for run in runs)], [list(line) for line in summary(runs)])
    for run in runs:
        text += f"\n\n### {run.trial.name[0].upper()}{run.trial.name[1:]}\n\n{table(run)}"
    return text + "\n"


def summary(runs: list[Run]) -> Iterator[tuple[str, ...]]:
    def line(name: str, *values: str) -> tuple[str, ...]:
        return name, *values

    answers = [run.answers for run in runs]
    counts = [len(each.all_of(each.pages, each.calls)) for each in answers]
    yield line("answers a second", *(f"{n / run.seconds:.1f}" for n, run in zip(counts, runs, strict=True)))
    for part in (50, 95, 99):
        yield line(f"pages, p{part} ms", *(ms(percentile(each.all_of(each.pages), part)) for each in answers))
    yield line("at most", *(f"{ms(run.trial.most_page)}: {met(run.page95 <= run.trial.most_page)}" for run in runs))
    for part in (50, 95, 99):
        yield line(f"calls of flows, p{part} ms", *(ms(percentile(each.all_of(each.calls), part)) for each in answers))
    yield line("at most", *(f"{ms(run.trial.most_call)}: {met(run.call95 <= run.trial.most_call)}" for run in runs))
    yield line("errors", *(f"{len(each.errors)}" for each in answers))
    yield line("answered that nothing has changed", *(f"{each.unchanged}" for each in answers))
    for name in runs[0].cores:
        yield line(f"cores used by {name}", *(f"{run.cores[name]:.2f}" for run in runs))
    each_costs = (run.cores["the site"] * run.seconds / max(n, 1) for n, run in zip(counts, runs, strict=True))
    yield line("processor time of the site for an answer, ms", *(f"{cost * 1000:.1f}" for cost in each_costs))
    yield line("memory of the site, MiB", *(" to ".join(f"{m / 2**20:.0f}" for m in run.memory) for run in runs))


def table(run: Run) -> str:
    kinds = {**{name: run.answers.pages[name] for name in sorted(run.answers.pages)}, **run.answers.calls}
    rows = [
        [name, str(len(times)), *(ms(percentile(times, part)) for part in (50, 95, 99)), ms(max(times, default=0))]
        for name, times in kinds.items()
    ]
    return sections.table(["Request", "Answers", "p50 ms", "p95", "p99", "slowest"], rows)


def ms(seconds: float) -> str:
    return f"{seconds * 1000:.0f}"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.people", description=__doc__)
    parser.add_argument("--people", type=int, default=PEOPLE)
    parser.add_argument("--flows", type=int, default=FLOWS)
    parser.add_argument("--seconds", type=float, default=SECONDS, help="of each run")
    parser.add_argument("--trial", type=int, choices=range(len(TRIALS)), action="append", help="default: all")
    parser.add_argument("--size", choices=shape.SCALES, default="large")
    parser.add_argument("--database", help="the address of a database that is filled already; it is written to")
    parser.add_argument("--checkout", type=Path, help="serve another checkout, which has its own .venv")
    parser.add_argument("--write", action="store_true", help="also keep it in docs/performance.md")
    options = parser.parse_args()
    scale = shape.SCALES[options.size]
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="assetsite-bench-")))
        url = options.database or filled(stack, home, options.size)
        tree = Checkout.at(options.checkout.resolve()) if options.checkout else HERE
        env = environment(url, home, team=True) | {"DJANGO_SETTINGS_MODULE": "assetsite.settings"}
        server = stack.enter_context(served(env, tree))
        version, database = database_process(url)
        runs = []
        for trial in [TRIALS[number] for number in options.trial or range(len(TRIALS))]:
            say(f"{trial.name} ...")
            runs.append(run(trial, server, database, scale, options.people, options.flows, options.seconds))
            for error in runs[-1].answers.errors[:5]:
                say(error)
    text = section(runs, options.people, options.flows, scale, version)
    print(text)
    if options.write:
        sections.keep("bench.people", text)


def filled(stack: ExitStack, home: Path, size: str) -> str:
    """The address of a database on a PostgreSQL of its own."""
    _, urls = stack.enter_context(postgresql(home))
    say("loading the catalogue ...")
    if start(environment(urls[size], home, team=True), "-m", "bench.large.loading", size).wait():
        raise SystemExit("The catalogue could not be loaded.")
    return urls[size]


if __name__ == "__main__":
    main()
