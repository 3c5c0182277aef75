"""The site's layered layout beside Graphviz `dot`, on the same random graphs.

    python -m bench.layouts [--seeds 30] [--sizes 20 100 200 500 2000] [--pictures DIR]

A graph is like one of producers and assets: nodes of two kinds in a random row, edges only between kinds and along the
row, one and a half for each node. Both engines get the same boxes and the same least distances between boxes of a
column and between columns, and both are judged by the curves that they draw, with one counter:

- *Crossings*: each edge has a height in every column that it passes: that of its node where it ends, that of its curve
  in between. Two edges cross between neighbouring columns if one is above in the first and below in the second. This is
  the number that layered layouts strive to lower; it leaves out touches of curves that end at one node.
- *Length*: of all curves, from box to box.
- *Time*: `dot` as a process, from its input to its plain output; ours in this process.
"""

from __future__ import annotations

import argparse
import random
import re
import subprocess
import time
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from html import escape
from itertools import pairwise
from math import dist
from pathlib import Path
from statistics import fmean

import networkx as nx

from lineage.layout import Drawing, lay_out
from lineage.layout.assembly import COLUMN_GAP
from lineage.layout.places import NODE_GAP

SIZES = (20, 100, 200, 500, 2000)
SEEDS = 30
BOX = (120, 32)
POINTS_PER_INCH = 72
STEPS = 12
"""Straight pieces into which a curve is cut to be measured."""

Point = tuple[float, float]
Curve = list[Point]


@dataclass(frozen=True)
class Look:
    """A drawing as it is judged: where nodes are, and each edge as a line of many short pieces."""

    nodes: dict[str, Point]
    edges: dict[tuple[str, str], Curve]
    seconds: float


@dataclass(frozen=True)
class Row:
    """Means over the graphs of one size."""

    nodes: int
    seeds: int
    dot_crossings: float
    crossings: float
    dot_length: float
    length: float
    dot_seconds: float
    seconds: float


def random_graph(size: int, seed: int) -> nx.DiGraph:
    draw = random.Random(f"{size}/{seed}")  # noqa: S311 - a fixed sequence, nothing secret
    kinds = [draw.random() < 0.5 for _ in range(size)]
    graph: nx.DiGraph = nx.DiGraph()
    graph.add_nodes_from(f"n{number:05}" for number in range(size))
    while graph.number_of_edges() < size * 3 // 2:
        first, second = sorted(draw.sample(range(size), 2))
        if kinds[first] != kinds[second]:
            graph.add_edge(f"n{first:05}", f"n{second:05}")
    return graph


def compare(sizes: Sequence[int] = SIZES, seeds: int = SEEDS) -> list[Row]:
    return [_row(size, seeds) for size in sizes]


def _row(size: int, seeds: int) -> Row:
    """The engines take turns, so that whatever else the machine does disturbs both alike."""
    theirs, ours = zip(*(_judged(random_graph(size, seed)) for seed in range(seeds)), strict=True)
    dot_crossings, dot_length, dot_seconds = map(fmean, zip(*theirs, strict=True))
    our_crossings, our_length, our_seconds = map(fmean, zip(*ours, strict=True))
    return Row(size, seeds, dot_crossings, our_crossings, dot_length, our_length, dot_seconds, our_seconds)


def _judged(graph: nx.DiGraph) -> list[tuple[float, float, float]]:
    """Crossings, length and seconds of dot and of ours."""
    return [(crossings(look), length(look), look.seconds) for look in (by_dot(graph), by_us(graph))]


def table(rows: Iterable[Row]) -> str:
    """The rows in Markdown."""
    lines = [
        "| Nodes | Crossings, dot | ours | ours/dot | Length, ours/dot | ms, dot | ours | ours/dot | Graphs |",
        "|" + "---:|" * 9,
    ]
    lines += [
        f"| {row.nodes:,} | {row.dot_crossings:,.1f} | {row.crossings:,.1f} "
        f"| {_ratio(row.crossings, row.dot_crossings)} | {_ratio(row.length, row.dot_length)} "
        f"| {row.dot_seconds * 1000:,.0f} | {row.seconds * 1000:,.0f} | {_ratio(row.seconds, row.dot_seconds)} "
        f"| {row.seeds} |"
        for row in rows
    ]
    return "\n".join(lines) + "\n"


def _ratio(ours: float, theirs: float) -> str:
    return f"{ours / theirs:.2f}" if theirs else "-"


# --- the two engines


def by_us(graph: nx.DiGraph) -> Look:
    sizes = dict.fromkeys(graph, BOX)
    start = time.perf_counter()
    drawing = lay_out(graph, sizes=sizes)
    seconds = time.perf_counter() - start
    nodes = {str(name): (float(box.middle), float(box.port)) for name, box in drawing.boxes.items()}
    edges = {(str(tail), str(head)): flat(route.path) for (tail, head), route in drawing.routes.items()}
    return Look(nodes, edges, seconds)


def by_dot(graph: nx.DiGraph) -> Look:
    text = _dot_text(graph)
    start = time.perf_counter()
    plain = subprocess.run(["dot", "-Tplain"], input=text, capture_output=True, text=True, check=True).stdout
    seconds = time.perf_counter() - start
    nodes: dict[str, Point] = {}
    edges: dict[tuple[str, str], Curve] = {}
    for line in plain.splitlines():
        kind, *words = line.split(" ")
        if kind == "node":
            nodes[words[0]] = (_pixels(words[1]), _pixels(words[2]))
        elif kind == "edge":
            numbers = [_pixels(word) for word in words[3 : 3 + 2 * int(words[2])]]
            edges[words[0], words[1]] = flat(f"M{numbers[0]} {numbers[1]}C{' '.join(map(str, numbers[2:]))}")
    return Look(nodes, edges, seconds)


def _dot_text(graph: nx.DiGraph) -> str:
    width, height = (side / POINTS_PER_INCH for side in BOX)
    return "\n".join(
        [
            f"digraph {{ rankdir=LR; nodesep={NODE_GAP / POINTS_PER_INCH}; ranksep={COLUMN_GAP / POINTS_PER_INCH}",
            f'node [shape=box, fixedsize=true, width={width}, height={height}, label=""]; edge [arrowhead=none]',
            *graph,
            *(f"{tail} -> {head}" for tail, head in graph.edges),
            "}",
        ]
    )


def _pixels(inches: str) -> float:
    return float(inches) * POINTS_PER_INCH


# --- measuring


def flat(path: str) -> Curve:
    """The data of an SVG path as a line of short straight pieces.

    It may have M, C (with any number of curves), and relative h, v, q and c.
    """
    line: Curve = []
    for command, text in re.findall(r"([MChvqc])([^MChvqc]*)", path):
        numbers = [float(number) for number in re.findall(r"-?[\d.]+", text)]
        x, y = line[-1] if line else (0.0, 0.0)
        points = list(zip(numbers[::2], numbers[1::2], strict=False))
        if command == "M":
            line.append(points[0])
        elif command == "h":
            line.append((x + numbers[0], y))
        elif command == "v":
            line.append((x, y + numbers[0]))
        elif command == "C":
            for at in range(0, len(points), 3):
                line.extend(_cubic(line[-1], *points[at : at + 3]))
        else:
            (first, second), end = (points[0], points[-2]), points[-1]
            if command == "q":  # as a cubic curve
                first, second = (
                    (2 / 3 * first[0], 2 / 3 * first[1]),
                    (_third(end[0], first[0]), _third(end[1], first[1])),
                )
            line.extend(_cubic((x, y), *((x + dx, y + dy) for dx, dy in (first, second, end))))
    return line


def _third(end: float, control: float) -> float:
    return end + 2 / 3 * (control - end)


def _cubic(start: Point, first: Point, second: Point, end: Point) -> Iterator[Point]:
    for step in range(1, STEPS + 1):
        done = step / STEPS
        rest = 1 - done
        weights = (rest**3, 3 * rest**2 * done, 3 * rest * done**2, done**3)
        yield (
            sum(weight * point[0] for weight, point in zip(weights, (start, first, second, end), strict=True)),
            sum(weight * point[1] for weight, point in zip(weights, (start, first, second, end), strict=True)),
        )


def length(look: Look) -> float:
    return sum(dist(first, second) for line in look.edges.values() for first, second in pairwise(line))


def crossings(look: Look) -> int:
    columns = sorted({round(x) for x, _ in look.nodes.values()})
    number = {x: place for place, x in enumerate(columns)}
    gaps: list[list[Point]] = [[] for _ in columns]
    for (tail, head), line in look.edges.items():
        (tail_x, tail_y), (head_x, head_y) = look.nodes[tail], look.nodes[head]
        start, end = number[round(tail_x)], number[round(head_x)]
        heights = [tail_y, *(_height(line, columns[column]) for column in range(start + 1, end)), head_y]
        for column, ends in enumerate(pairwise(heights), start=start):
            gaps[column].append(ends)
    return sum(_inversions(gap) for gap in gaps)


def _height(line: Curve, x: float) -> float:
    """The height of a curve that runs to the right, where it passes `x`."""
    at = min(max(bisect_right(line, x, key=lambda point: point[0]), 1), len(line) - 1)
    (left, first), (right, second) = line[at - 1], line[at]
    return first if right == left else first + (second - first) * (x - left) / (right - left)


def _inversions(pieces: list[Point]) -> int:
    count = 0
    above: list[float] = []
    for _, end in sorted(pieces):
        place = bisect_right(above, end)
        count += len(above) - place
        above.insert(place, end)
    return count


# --- pictures


def picture(drawing: Drawing, labels: bool = True) -> str:
    """A plain SVG of a drawing, to look at."""
    lanes = [
        f'<rect x="8" y="{lane.y}" width="{drawing.width - 16}" height="{lane.height}" rx="10" fill="#f1f4fa"/>'
        f'<text x="20" y="{lane.y + 20}" fill="#667">{escape(lane.name)}</text>'
        for lane in drawing.lanes
    ]
    edges = [
        f'<path d="{route.path}" stroke="{"#c2410c" if route.back else "#8a94a6"}" marker-end="url(#tip)"/>'
        for route in drawing.routes.values()
    ]
    nodes = [
        f'<rect x="{box.x}" y="{box.y}" width="{box.width}" height="{box.height}" rx="6"/>'
        + (f'<text x="{box.x + 10}" y="{box.port + 4}">{escape(str(name))}</text>' if labels else "")
        for name, box in drawing.boxes.items()
    ]
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {drawing.width} {drawing.height}"'
            f' width="{drawing.width}" height="{drawing.height}" font-family="system-ui, sans-serif" font-size="12">',
            '<marker id="tip" viewBox="0 0 6 6" refX="6" refY="3" markerWidth="6" markerHeight="6" orient="auto">'
            '<path d="M0 0L6 3L0 6" fill="#8a94a6"/></marker>',
            f'<rect width="{drawing.width}" height="{drawing.height}" fill="#fff"/>',
            *lanes,
            f'<g fill="none" stroke-width="1.5">{"".join(edges)}</g>',
            f'<g fill="#fff" stroke="#465063">{"".join(nodes)}</g>'.replace("<text", '<text fill="#111" stroke="none"'),
            "</svg>",
        ]
    )


def main() -> None:
    parser = argparse.ArgumentParser(description="Compares the layered layout with Graphviz dot.")
    parser.add_argument("--sizes", type=int, nargs="*", default=SIZES)
    parser.add_argument("--seeds", type=int, default=SEEDS)
    parser.add_argument("--pictures", type=Path, metavar="DIR", help="write drawings of 30 and 200 nodes there instead")
    options = parser.parse_args()
    if options.pictures:
        options.pictures.mkdir(parents=True, exist_ok=True)
        for size in (30, 200):
            graph = random_graph(size, seed=1)
            drawing = lay_out(graph, sizes=dict.fromkeys(graph, BOX))
            (options.pictures / f"layout-{size}.svg").write_text(picture(drawing), encoding="utf-8")
        return
    print(table(compare(options.sizes, options.seeds)))


if __name__ == "__main__":
    main()
