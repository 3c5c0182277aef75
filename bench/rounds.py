"""The measuring: every target at both sizes, turn and turn about, so that what disturbs one disturbs the other."""

import statistics
from collections.abc import Iterator
from dataclasses import dataclass, field

from bench import SMOKE
from bench.load import Connection, Sample, header, measure
from bench.servers import SIZES, Server
from bench.workload import TARGETS, Target

CLIENTS = (1, 2) if SMOKE else (1, 8)
WARM_UP = 0.02 if SMOKE else 0.3
MOST_ASKED = 2 if SMOKE else 10


@dataclass(frozen=True)
class Case:
    """One cell of the table: a target, asked at one size by so many clients."""

    target: str
    size: str
    clients: int


@dataclass
class Measured:
    """One sample a round for every case, the queries of each target at each size, and memory after each round."""

    samples: dict[Case, list[Sample]] = field(default_factory=dict)
    queries: dict[tuple[str, str], int] = field(default_factory=dict)
    memory: dict[str, list[int]] = field(default_factory=dict)

    def rate(self, target: str, size: str, clients: int) -> float:
        return statistics.median(sample.rate for sample in self.samples[Case(target, size, clients)])

    def p50(self, target: str, size: str, clients: int) -> float:
        return statistics.median(sample.p50 for sample in self.samples[Case(target, size, clients)])

    def p95(self, target: str, size: str, clients: int) -> float:
        return statistics.median(sample.p95 for sample in self.samples[Case(target, size, clients)])

    def growth(self, target: str, clients: int) -> float:
        """How many times as long the median answer takes at the large size; the median of the rounds."""
        large, small = (self.samples[Case(target, size, clients)] for size in ("large", "small"))
        return statistics.median(one.p50 / other.p50 for one, other in zip(large, small, strict=True))

    def times(self, target: str, other: str, clients: int) -> float:
        """How many times as long the median answer takes as that of another row; the median of the rounds."""
        mine, its = (self.samples[Case(name, "large", clients)] for name in (target, other))
        return statistics.median(one.p50 / other.p50 for one, other in zip(mine, its, strict=True))

    def share(self, target: str, yardstick: str, clients: int) -> float:
        """The rate at the large size as a part of that of a yardstick; the median of the rounds."""
        mine, bare = (self.samples[Case(name, "large", clients)] for name in (target, yardstick))
        return statistics.median(one.rate / other.rate for one, other in zip(mine, bare, strict=True))


def run(servers: dict[str, Server], *, rounds: int, seconds: float) -> Measured:
    measured = Measured()
    requests = {
        (target.name, size): target.requests(size, server.person if target.page else server.program)
        for target in TARGETS
        for size, server in servers.items()
    }
    for target, size in cases(0):
        measured.queries[target.name, size] = most_queries(servers[size].port, requests[target.name, size])
        measure(servers[size].port, requests[target.name, size], max(CLIENTS), WARM_UP)
    for turn in range(rounds):
        for target, size in cases(turn):
            for clients in CLIENTS:
                sample = measure(servers[size].port, requests[target.name, size], clients, seconds)
                measured.samples.setdefault(Case(target.name, size, clients), []).append(sample)
        for size, server in servers.items():
            measured.memory.setdefault(size, []).append(server.memory())
    return measured


def cases(turn: int) -> Iterator[tuple[Target, str]]:
    """Every target at both sizes, next to each other; the other one first every second turn."""
    for target in TARGETS:
        for size in SIZES if turn % 2 else reversed(SIZES):
            yield target, size


def most_queries(port: int, requests: list[bytes]) -> int:
    """The queries of the answer that takes most of them, after a first one that may have to fill a cache."""
    with Connection(port) as connection:
        connection.ask(requests[0])
        return max(int(header(connection.ask(request), "x-queries")) for request in requests[:MOST_ASKED])
