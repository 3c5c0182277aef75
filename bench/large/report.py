"""The page of the docs about full size."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from bench import layouts
from bench.large import names, shape
from bench.large.chores import Chores
from bench.large.measuring import DRAWN, Drawing, Findings
from bench.large.questions import JOURNAL_ROWS, LINEAGE, PAGES, PLACES, PLAIN, QUESTIONS, Question
from bench.report import machine, met, milliseconds
from bench.servers import SIZES

PAGE = Path(__file__).resolve().parents[2] / "docs" / "performance-large.md"
MOST_COLD, MOST_SHARE, MOST_KILOBYTES = 0.5, 12, 40
MOST_PASS, MOST_RECOUNT, MOST_LOCKED = 0.05, 120, 1.0
"""In seconds; a recount of each million instances."""

LARGE = shape.SCALES["large"]
INSTANCES = LARGE.modules * LARGE.nights * shape.ASSETS + LARGE.journal

HEAD = """# Performance at full size

Made by `make bench-large`, which prints this page; `.venv/bin/python -m bench.large --write` keeps it.
[Everything else that is measured](performance.md) stands on a page of its own.

## What is measured

The site as `assetsite serve` serves it in team mode, from two PostgreSQL databases with PostgreSQL's own defaults.
*Large* has one project of {assets:,} assets, {on_main:,} of them on `main`, {flows:,} flows, {instances:,} instances
and {consumptions:,} consumptions; *small* has one part in {modules} of each. The project is made of modules of
{module_assets} assets and {module_flows} flows, {modules} of them or one, all alike: layers of flows that read a few
assets each, one asset that every second flow reads, a flow that reads its own last output, a deployment, a person,
flows that read from `main` and write to a feature branch, and models that are promoted from there. So what is around an
asset has one shape at both sizes, and what differs is how much else there is. Beside it stands a project with a single
asset, the journal, which has {journal:,} instances in the large database. The events are loaded by COPY, and counted by
the site.

One client asks over a connection kept open, programs with a token, people signed in. Numbers are medians of {rounds}
rounds, in each of which the two sizes take turns of {seconds} s; `large/small` is the median of the rounds' ratios of
p50. What is asked of an asset is asked of {places} places in turn, the same ones at both sizes, in different modules
where there are several. Lineage is measured as it is when asked again: its drawing is in the cache. *Nodes* is how many
the smallest answer shows; each ancestry has exactly {ancestors} instances besides its own, and the runs between them,
and is complete.

| | |
|---|---|
{machine}
| Loading | {loading} |

## Targets

| Target | Measured | Met |
|---|--:|---|
{targets}

## Pages and calls

| Request | Queries | p50 ms small | large | large/small | p95 ms small | large |
|---|--:|--:|--:|--:|--:|--:|
{pages}

Small has no 100th page: its first one is asked for instead.

## An asset of {journal:,} instances

Its page with each filter, beside the page without any; and what a reference leads to, beside `latest`.

| Request | p50 ms | times as long | p95 ms |
|---|--:|--:|--:|
{of_journal}

## In the background

| | s |
|---|--:|
{background}

## Lineage

| Question | Queries | Nodes small | large | p50 ms small | large | large/small | p95 ms small | large |
|---|--:|--:|--:|--:|--:|--:|--:|--:|
{questions}

The queries include those that find out who asks and what about, and on pages what their frame shows. Beside these, an
answer takes a fixed number, and at most one for each level that is reached.

## A drawing of {nodes} nodes

The whole branch at full size, with `?limit={nodes}`: {drawn} nodes and {links} arrows are drawn. *Cold* is a drawing
that was never made before; each is asked for once. The drawing alone, as a file, is {kilobytes:.1f} kB compressed
with gzip.

| Answer | p50 ms | slowest ms |
|---|--:|--:|
{drawing}

## The layout beside Graphviz `dot`

Random graphs of producers and assets with 1.5 arrows a node, the same for both. Crossings are counted and lengths
measured in the same way; `dot` is timed as a process, the site's layout in a process that is already there.

{layouts}"""


@dataclass(frozen=True)
class Run:
    """All that the page tells. `layouts` is empty if `dot` was not asked."""

    version: str
    rounds: int
    seconds: float
    loading: str
    findings: Findings
    chores: Chores
    layouts: list[layouts.Row]


def page(run: Run) -> str:
    findings, modules, drawing = run.findings, shape.SCALES["large"].modules, run.findings.drawing
    nightly = shape.NIGHTS * modules
    facts = machine([f"PostgreSQL {run.version}"])
    return HEAD.format(
        assets=shape.ASSETS * modules,
        on_main=modules * sum(names.branch_of(place) == names.MAIN for place in range(shape.ASSETS)),
        journal=shape.SCALES["large"].journal,
        flows=shape.FLOWS * modules,
        instances=shape.ASSETS * nightly,
        consumptions=shape.CONSUMPTIONS * modules,
        module_assets=shape.ASSETS,
        module_flows=shape.FLOWS,
        modules=modules,
        rounds=run.rounds,
        seconds=run.seconds,
        places=len(PLACES),
        ancestors=shape.ANCESTORS,
        machine="\n".join(f"| {name} | {value} |" for name, value in facts),
        loading=run.loading,
        targets=_lines(targets(findings, run.chores)),
        pages=_lines(row(findings, question, nodes=False) for question in PAGES),
        of_journal=_lines(journal_rows(findings)),
        background=_lines(background(run.chores)),
        questions=_lines(row(findings, question, nodes=True) for question in LINEAGE),
        nodes=DRAWN,
        drawn=drawing.nodes,
        links=drawing.links,
        kilobytes=drawing.compressed / 1000,
        drawing="\n".join(drawing_rows(drawing)),
        layouts=layouts.table(run.layouts) if run.layouts else "Not compared in this run.\n",
    )


def _lines(rows: Iterable[Sequence[str]]) -> str:
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def targets(findings: Findings, chores: Chores) -> Iterator[tuple[str, str, str]]:
    for question in QUESTIONS:
        if question.most:
            growth = findings.measured.growth(question.name, 1)
            yield (
                f"{question.name}: p50 large at most {question.most} times small",
                f"{growth:.2f}",
                met(growth <= question.most),
            )
    queries = findings.measured.queries
    more = max(queries[question.name, "large"] - queries[question.name, "small"] for question in QUESTIONS)
    yield "as many queries at both sizes, every question", f"{more} more", met(more <= 0)
    for row in JOURNAL_ROWS:
        if row.most:
            times = findings.beside(row.name, row.beside)
            yield (
                f"journal, {row.name}: at most {row.most:g} times {row.beside}",
                f"{times:.2f}",
                met(times <= row.most),
            )
    last = chores.passes[-1]
    yield f"reconciling with nothing to do under {MOST_PASS:g} s", f"{last:.3f} s", met(last < MOST_PASS)
    per_million = chores.recount / INSTANCES * 1_000_000
    yield f"recount of a million under {MOST_RECOUNT} s", f"{per_million:.0f} s", met(per_million < MOST_RECOUNT)
    yield (
        f"recount locks nothing longer than {MOST_LOCKED:g} s",
        f"{chores.locked:.2f} s",
        met(chores.locked <= MOST_LOCKED),
    )
    drawing = findings.drawing
    cold, share, kilobytes = drawing.median_cold, drawing.share, drawing.compressed / 1000
    yield f"drawing of {DRAWN} nodes, cold, under {MOST_COLD} s", f"{cold:.2f} s", met(cold < MOST_COLD)
    yield (
        f"the same, cached, at most {MOST_SHARE} times {PLAIN.name}",
        f"{share:.1f}",
        met(share <= MOST_SHARE),
    )
    yield (
        f"the drawing compressed under {MOST_KILOBYTES} kB",
        f"{kilobytes:.1f} kB",
        met(kilobytes < MOST_KILOBYTES),
    )


def row(findings: Findings, question: Question, *, nodes: bool) -> list[str]:
    measured, name = findings.measured, question.name
    return [
        name,
        str(measured.queries[name, "large"]),
        *(f"{findings.nodes[name, size]:,}" for size in SIZES if nodes),
        *(milliseconds(measured.p50(name, size, 1)) for size in SIZES),
        f"{measured.growth(name, 1):.2f}",
        *(milliseconds(measured.p95(name, size, 1)) for size in SIZES),
    ]


def journal_rows(findings: Findings) -> Iterator[list[str]]:
    for row in JOURNAL_ROWS:
        samples = findings.journal[row.name]
        times = f"{findings.beside(row.name, row.beside):.2f}" if row.beside else ""
        yield [
            row.name,
            milliseconds(median(s.p50 for s in samples)),
            times,
            milliseconds(median(s.p95 for s in samples)),
        ]


def background(chores: Chores) -> Iterator[list[str]]:
    for number, seconds in enumerate(chores.passes, start=1):
        yield [f"pass of reconciling with nothing to do, number {number}", f"{seconds:.3f}"]
    yield [f"`assetsite manage recount` of {INSTANCES:,} instances", f"{chores.recount:.1f}"]
    yield ["the longest that it held what it had locked", f"{chores.locked:.2f}"]


def drawing_rows(drawing: Drawing) -> Iterator[str]:
    times = {
        "page, cold": drawing.cold,
        "page, cached": [second for sample in drawing.cached for second in sample.seconds],
        PLAIN.name: [second for sample in drawing.plain for second in sample.seconds],
    }
    for name, seconds in times.items():
        yield f"| {name} | {milliseconds(median(seconds))} | {milliseconds(max(seconds))} |"
