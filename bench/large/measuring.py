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

from bench.large import names, shape
from bench.large.names import PERIMETER, PROJECT
from bench.load import TIMEOUT, Connection, Sample, measure, message
from bench.rounds import Case, Measured, most_queries
from bench.servers import SIZES, Server

PLACES = (33, 38, 45, 46, 57, 62, 64, 73, 77, 78)
"""Assets between sources and models that several flows read."""
WARM_UP, WARM_CLIENTS = 1.0, 8
DRAWN = 200
"""Nodes of the page that is measured cold and cached."""
COLD_A_ROUND = 3

Say = Callable[[str], None]


@dataclass(frozen=True)
class Question:
    """A row: the path that asks it about a place of a module; `most` growth it may have, if it has a target."""

    name: str
    path: Callable[[int, int], str]
    most: float | None = None


def asset_path(module: int, place: int) -> str:
    kind, asset_id = names.asset_named(module, place)
    return f"{names.branch_of(place).key}/{kind}/{asset_id}"


def api(rest: str) -> str:
    return f"/v1/perimeters/{PERIMETER}/projects/{PROJECT}/branches/{rest}"


def page(rest: str) -> str:
    return f"/{PERIMETER}/{PROJECT}/{rest}"


def ancestry(module: int, place: int) -> str:
    """Of a table of state; there are more than enough of them to have one for each of the places."""
    asset = asset_path(module, PLACES.index(place))
    return api(f"{asset}/instances/v{shape.FOCUS_NIGHT + 1}/lineage?direction=up&depth=50&limit=2000")


def descendants(module: int, place: int) -> str:
    """Of one night's copy of the asset that is read most."""
    asset = asset_path(module, shape.HUB)
    return api(f"{asset}/instances/v{shape.FOCUS_NIGHT + 1}/lineage?direction=down&depth=6&limit=2000")


def impact(module: int, place: int) -> str:
    kind, asset_id = names.asset_named(module, shape.HUB)
    return api(f"main/lineage/impact?focus={kind}/{asset_id}&limit=2000")


PLAIN = Question("one asset, plain JSON", lambda module, place: api(asset_path(module, place)))
ANCESTRY = Question(f"exact ancestry, {shape.ANCESTORS} ancestors, JSON", ancestry, most=1.3)
QUESTIONS = (
    PLAIN,
    Question("depth 2 of an asset, JSON", lambda *at: api(f"{asset_path(*at)}/lineage?depth=2"), most=1.3),
    Question("depth 2 of an asset, page", lambda *at: page(f"{asset_path(*at)}/lineage?depth=2"), most=1.3),
    ANCESTRY,
    Question("exact descendants, 6 arrows far, JSON", descendants),
    Question("impact of the most used asset, JSON", impact, most=1.3),
    Question("whole branch, JSON", lambda *at: api("main/lineage")),
    Question("whole branch, page", lambda *at: page("main/lineage")),
)


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
    """Shown in the answer to each question at each size; of the plain answer, none."""
    drawing: Drawing = field(default_factory=Drawing)


def run(servers: dict[str, Server], *, rounds: int, seconds: float, say: Say) -> Findings:
    findings = Findings()
    requests = {
        (question.name, size): [message("GET", path, server.program) for path in paths(question, size)]
        for question in QUESTIONS
        for size, server in servers.items()
    }
    say("warming up ...")
    for question in QUESTIONS:
        for size, server in servers.items():
            findings.nodes[question.name, size] = _nodes(server, question, size)
            asked = requests[question.name, size]
            measure(server.port, asked, WARM_CLIENTS, WARM_UP)
            findings.measured.queries[question.name, size] = most_queries(server.port, asked)
    cold = _drawing_paths()
    _look_at_drawing(servers["large"], findings.drawing)
    for turn in range(rounds):
        say(f"round {turn + 1} of {rounds} ...")
        for question in QUESTIONS:
            for size in SIZES if turn % 2 else reversed(SIZES):
                sample = measure(servers[size].port, requests[question.name, size], 1, seconds)
                findings.measured.samples.setdefault(Case(question.name, size, 1), []).append(sample)
        _measure_drawing(servers["large"], findings.drawing, cold, seconds)
    return findings


def paths(question: Question, size: str) -> list[str]:
    """The same places at both sizes, in different modules where there are several; each address once."""
    modules = shape.SCALES[size].modules
    asked = (question.path(number * modules // len(PLACES), place) for number, place in enumerate(PLACES))
    return list(dict.fromkeys(asked))


def _nodes(server: Server, question: Question, size: str) -> int:
    """How many nodes the answers show, the one with the fewest."""
    bodies = {path: _body(server, path) for path in paths(question, size)}
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
    cached = [message("GET", page(f"main/lineage?limit={DRAWN}"), server.program)]
    plain = [message("GET", path, server.program) for path in paths(PLAIN, "large")]
    measure(server.port, cached, WARM_CLIENTS, WARM_UP)
    drawing.cached.append(measure(server.port, cached, 1, seconds))
    drawing.plain.append(measure(server.port, plain, 1, seconds))


def _seconds_of_one(server: Server, path: str) -> float:
    with Connection(server.port) as connection:
        begin = time.perf_counter()
        connection.ask(message("GET", path, server.program))
        return time.perf_counter() - begin


def _body(server: Server, path: str) -> str:
    request = Request(f"http://127.0.0.1:{server.port}{path}", headers=server.program)
    with urlopen(request, timeout=TIMEOUT) as answer:  # noqa: S310 (the server that this started)
        return str(answer.read().decode())
