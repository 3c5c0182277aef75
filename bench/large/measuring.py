"""The questions to both catalogues, and the times of the answers, in alternating turns."""

import gzip
import json
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count, islice
from statistics import median
from typing import Any
from urllib.request import Request, urlopen

from bench.large import shape
from bench.large.questions import ANCESTRY, JOURNAL_ROWS, PLAIN, QUESTIONS, Question, page
from bench.load import TIMEOUT, Connection, Sample, measure, message
from bench.rounds import Case, Measured, most_queries
from bench.servers import SIZES, Server

WARM_UP, WARM_CLIENTS = 1.0, 8
DRAWN = 200
"""Nodes of the page that is measured cold and cached."""
COLD_A_ROUND = 3

Say = Callable[[str], None]


@dataclass
class Drawing:
    """The page with a drawing of many nodes, on the large catalogue: cold, cached, and beside one asset's JSON."""

    cold: list[float] = field(default_factory=list)
    cached: list[Sample] = field(default_factory=list)
    plain: list[Sample] = field(default_factory=list)
    nodes: int = 0
    links: int = 0
    compressed: int = 0

    @property
    def median_cold(self) -> float:
        return median(self.cold)

    @property
    def share(self) -> float:
        """How many times as long the cached page takes as the plain answer; the median of the rounds."""
        return median(page.p50 / plain.p50 for page, plain in zip(self.cached, self.plain, strict=True))


@dataclass
class Findings:
    measured: Measured = field(default_factory=Measured)
    nodes: dict[tuple[str, str], int] = field(default_factory=dict)
    """Shown in the answer to each question at each size; 0 where none are."""
    drawing: Drawing = field(default_factory=Drawing)
    journal: dict[str, list[Sample]] = field(default_factory=dict)

    def beside(self, name: str, other: str) -> float:
        """How many times as long one row about the journal takes as another; the median of the rounds."""
        pairs = zip(self.journal[name], self.journal[other], strict=True)
        return median(one.p50 / two.p50 for one, two in pairs)


def run(servers: dict[str, Server], *, rounds: int, seconds: float, say: Say) -> Findings:
    findings = Findings()
    requests = {
        (question.name, size): [asked(server, path) for path in question.paths(size)]
        for question in QUESTIONS
        for size, server in servers.items()
    }
    say("warming up ...")
    for question in QUESTIONS:
        for size, server in servers.items():
            findings.nodes[question.name, size] = _nodes(server, question, size)
            measure(server.port, requests[question.name, size], WARM_CLIENTS, WARM_UP)
            queries = most_queries(server.port, requests[question.name, size])
            findings.measured.queries[question.name, size] = queries
    cold = _drawing_paths()
    _look_at_drawing(servers["large"], findings.drawing)
    for turn in range(rounds):
        say(f"round {turn + 1} of {rounds} ...")
        for question in QUESTIONS:
            for size in SIZES if turn % 2 else reversed(SIZES):
                sample = measure(servers[size].port, requests[question.name, size], 1, seconds)
                findings.measured.samples.setdefault(Case(question.name, size, 1), []).append(sample)
        _measure_drawing(servers["large"], findings.drawing, cold, seconds)
        for row in JOURNAL_ROWS:
            sample = measure(servers["large"].port, [asked(servers["large"], row.path)], 1, seconds)
            findings.journal.setdefault(row.name, []).append(sample)
    return findings


def asked(server: Server, path: str) -> bytes:
    """Pages are asked for by somebody signed in, the API by a program."""
    return message("GET", path, _who(server, path))


def _who(server: Server, path: str) -> dict[str, str]:
    return server.program if path.startswith("/v1/") else server.person


def _nodes(server: Server, question: Question, size: str) -> int:
    """How many nodes the answers show, the one with the fewest."""
    bodies = {path: _body(server, path) for path in question.paths(size)}
    if question is ANCESTRY:
        for path, body in bodies.items():
            _check_ancestry(path, json.loads(body))
    return min(len(_shown(body)) for body in bodies.values())


def _shown(body: str) -> set[str]:
    """The ids of the nodes in an answer or on a page."""
    if body.startswith("{"):
        return {node["id"] for node in json.loads(body).get("nodes", ())}
    return set(re.findall(' data-node="([^"]+)"', body))


def _check_ancestry(path: str, answer: dict[str, Any]) -> None:
    instances = sum(node["kind"] in ("data", "model") for node in answer["nodes"]) - 1
    if not answer["complete"] or instances != shape.ANCESTORS:
        raise SystemExit(f"{path} answers {instances} ancestors, complete: {answer['complete']}.")


def _drawing_paths() -> Iterator[str]:
    """The page with some 200 nodes, a few more or fewer each time: never the same drawing."""
    return (page(f"main/lineage?limit={DRAWN + (step + 1) // 2 * (-1) ** step}") for step in count(1))


def _look_at_drawing(server: Server, drawing: Drawing) -> None:
    text = _body(server, page(f"main/lineage.svg?limit={DRAWN}"))
    drawing.nodes, drawing.links = text.count("data-node="), text.count("data-ends=")
    drawing.compressed = len(gzip.compress(text.encode()))


def _measure_drawing(server: Server, drawing: Drawing, cold: Iterator[str], seconds: float) -> None:
    for path in islice(cold, COLD_A_ROUND):
        drawing.cold.append(_seconds_of_one(server, path))
    cached = [asked(server, page(f"main/lineage?limit={DRAWN}"))]
    plain = [asked(server, path) for path in PLAIN.paths("large")]
    measure(server.port, cached, WARM_CLIENTS, WARM_UP)
    drawing.cached.append(measure(server.port, cached, 1, seconds))
    drawing.plain.append(measure(server.port, plain, 1, seconds))


def _seconds_of_one(server: Server, path: str) -> float:
    with Connection(server.port) as connection:
        begin = time.perf_counter()
        connection.ask(asked(server, path))
        return time.perf_counter() - begin


def _body(server: Server, path: str) -> str:
    request = Request(f"http://127.0.0.1:{server.port}{path}", headers=_who(server, path))
    with urlopen(request, timeout=TIMEOUT) as answer:  # noqa: S310 (the server that this started)
        return str(answer.read().decode())
