"""The page of the docs about lineage at full size."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from bench import layouts
from bench.large import shape
from bench.large.measuring import DRAWN, PLACES, PLAIN, QUESTIONS, Drawing, Findings, Question
from bench.report import machine, met, milliseconds
from bench.servers import SIZES

PAGE = Path(__file__).resolve().parents[2] / "docs" / "performance-lineage.md"
MOST_COLD, MOST_SHARE, MOST_KILOBYTES = 0.5, 12, 40

HEAD = """# Performance of lineage

Made by `make bench-large`, which prints this page; `.venv/bin/python -m bench.large --write` keeps it.
[Everything else that is measured](performance.md) stands on a page of its own.

## What is measured

The site as `manage.py serve` serves it in team mode, from two PostgreSQL databases with PostgreSQL's own defaults.
*Large* has one project of {assets:,} assets, {flows:,} flows, {instances:,} instances and {consumptions:,}
consumptions; *small* has one hundredth of each. The project is made of modules of {module_assets} assets and
{module_flows} flows, {modules} of them or one, all alike: layers of flows that read a few assets each, one asset that
every second flow reads, a flow that reads its own last output, a deployment, a person, flows that read from `main` and
write to a feature branch, and models that are promoted from there. So what is around an asset has one shape at both
sizes, and what differs is how much else there is. The rows are loaded by COPY, and `manage.py recount` finds nothing
to correct (at full size, in a sample of the assets).

One client asks over a connection kept open, with a token. Numbers are medians of {rounds} rounds, in each of which the
two sizes take turns of {seconds} s; `large/small` is the median of the rounds' ratios of p50. Each question is asked of
{places} places in turn, the same ones at both sizes, in different modules where there are several. Pages are measured
as they are when asked again: their drawing is in the cache. *Nodes* is how many the smallest answer shows; each
ancestry has exactly {ancestors} instances besides its own, and the runs between them, and is complete. The answer for
{plain} is there to compare with; how far its `large/small` is from 1 says how much the run was disturbed.

| | |
|---|---|
{machine}
| Loading | {loading} |

## Targets

| Target | Measured | Met |
|---|--:|---|
{targets}

## Questions

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
    layouts: list[layouts.Row]


def page(run: Run) -> str:
    findings, modules, drawing = run.findings, shape.SCALES["large"].modules, run.findings.drawing
    nightly = shape.NIGHTS * modules
    facts = machine([f"PostgreSQL {run.version}"])
    return HEAD.format(
        assets=shape.ASSETS * modules,
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
        plain=PLAIN.name,
        machine="\n".join(f"| {name} | {value} |" for name, value in facts),
        loading=run.loading,
        targets="\n".join(f"| {' | '.join(row)} |" for row in targets(findings)),
        questions="\n".join(row(findings, question) for question in QUESTIONS),
        nodes=DRAWN,
        drawn=drawing.nodes,
        links=drawing.links,
        kilobytes=drawing.compressed / 1000,
        drawing="\n".join(drawing_rows(drawing)),
        layouts=layouts.table(run.layouts) if run.layouts else "Not compared in this run.\n",
    )


def targets(findings: Findings) -> Iterator[tuple[str, str, str]]:
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


def row(findings: Findings, question: Question) -> str:
    measured, name = findings.measured, question.name
    cells = [
        name,
        str(measured.queries[name, "large"]),
        *(f"{findings.nodes[name, size]:,}" for size in SIZES),
        *(milliseconds(measured.p50(name, size, 1)) for size in SIZES),
        f"{measured.growth(name, 1):.2f}",
        *(milliseconds(measured.p95(name, size, 1)) for size in SIZES),
    ]
    return f"| {' | '.join(cells)} |"


def drawing_rows(drawing: Drawing) -> Iterator[str]:
    times = {
        "page, cold": drawing.cold,
        "page, cached": [second for sample in drawing.cached for second in sample.seconds],
        PLAIN.name: [second for sample in drawing.plain for second in sample.seconds],
    }
    for name, seconds in times.items():
        yield f"| {name} | {milliseconds(median(seconds))} | {milliseconds(max(seconds))} |"
