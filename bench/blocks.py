"""Two servers that are asked in turns, in blocks of about half a second of processor time each."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

from bench import SMOKE
from bench.load import Connection
from bench.servers import Server, processor

SECONDS = 0.02 if SMOKE else 0.5
TRIED = 5
NEVER = float("inf")


@dataclass
class Side:
    """What is asked of one server, and the least that a request has cost in any block so far, in seconds.

    Whatever else the machine does only adds to a cost, so the least says most. `cost` is processor time of the server's
    processes, `whole` with those of its database, `taken` by the clock. A request does the work of `worth`.
    """

    server: Server
    requests: Sequence[bytes]
    worth: int = 1
    database: int | None = None
    cost: float = NEVER
    whole: float = NEVER
    taken: float = NEVER

    def block(self, count: int) -> None:
        before = self._used()
        with Connection(self.server.port) as connection:
            for number in range(count):
                connection.ask(self.requests[number % len(self.requests)])
        spent = [(after - used) / count / self.worth for used, after in zip(before, self._used(), strict=True)]
        self.cost, self.whole, self.taken = map(min, (self.cost, self.whole, self.taken), spent)

    def _used(self) -> tuple[float, float, float]:
        own = self.server.processor()
        return own, own + (processor(self.database) if self.database else 0.0), time.perf_counter()

    def count(self) -> int:
        """How many requests make a block, after some that warm up."""
        self.block(TRIED)
        count = max(1, round(SECONDS / max(self.cost * self.worth, 0.001)))
        self.cost = self.whole = self.taken = NEVER
        return count


def take_turns(sides: Sequence[Side], blocks: int) -> None:
    """Each as many blocks; the other one begins every second time."""
    counts = [side.count() for side in sides]
    for turn in range(blocks):
        for side, count in list(zip(sides, counts, strict=True))[:: 1 if turn % 2 else -1]:
            side.block(count)
