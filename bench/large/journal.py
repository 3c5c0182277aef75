"""The one asset with very many instances, for what looks through an asset: its rows, in the order of time."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from bench.large import names
from bench.large.bulk import Row
from bench.large.shape import NIGHTS

OF_A_RUN, OF_A_BATCH = 50, 1_000
"""How many instances a run makes, and how many have one tag."""
FAILED_EVERY, READ_EVERY = 97, 100


@dataclass(frozen=True)
class Journal:
    """`asset`, `producer` and `reader` are keys; instances have keys after `offset`."""

    asset: int
    producer: int
    reader: int
    offset: int
    length: int
    begin: datetime

    def instances(self) -> Iterator[Row]:
        for number in range(1, self.length + 1):
            at, batch, run = self._time(number), number // OF_A_BATCH, run_of(number)
            is_failed = number % FAILED_EVERY == 0 and number < self.length
            yield {
                "id": self.offset + number,
                "asset": self.asset,
                "uid": names.instance_uid(self.offset + number),
                "number": number,
                "state": "failed" if is_failed else "ready",
                "state_reason": "The task failed." if is_failed else "",
                "asset_kind": "artifact",
                "description": f"Batch {batch} of the journal.",
                "annotations": json.dumps(_annotations(number)),
                "tags": json.dumps({"env": "test" if number % 10 == 0 else "prod", "batch": batch_of(number)}),
                "producer_kind": "task",
                "producer_id": f"{run}/end/{number}",
                "component": self.producer,
                "run": run,
                "attempt": 0,
                "created_at": at,
                "settled_at": at,
                "actor": "bench",
            }

    def consumptions(self) -> Iterator[Row]:
        for number in range(READ_EVERY, self.length + 1, READ_EVERY):
            run = f"ReportFlow/{number // READ_EVERY}"
            yield {
                "asset": self.asset,
                "instance": self.offset + number,
                "reference": "latest",
                "entity_kind": "task",
                "entity_id": f"{run}/start/1",
                "component": self.reader,
                "run": run,
                "write_branch": names.MAIN.key,
                "write_branch_name": names.MAIN.name,
                "at": self._time(number),
                "actor": "bench",
            }

    def _time(self, number: int) -> datetime:
        return self.begin + number * timedelta(days=NIGHTS) / self.length


def run_of(number: int) -> str:
    return f"JournalFlow/{number // OF_A_RUN}"


def batch_of(number: int) -> str:
    return f"b{number // OF_A_BATCH:05}"


def _annotations(number: int) -> Row:
    return {
        "artifact": "entries",
        "rows": number * 17 % 1_000_000,
        "metric_a": number * 3 % 9973 / 9973,
        "schema": {"version": number % 7, "strict": number % 2 == 0},
    }
