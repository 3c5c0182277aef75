"""Registrations that are sent together: collected while a block runs, and sent at its end in as few requests as can be.

A catalogue of an older version, which does not know such a request, gets them one by one.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import requests

from obproject.catalogue.client import CatalogueClient
from obproject.errors import AssetNotFound, BadRequest, RequestRefused
from obproject.journal import Entry
from obproject.json_types import Json
from obproject.task.journal_writer import KEEPING, Answer

MOST = 1_000
"""How many registrations a catalogue takes at once."""
MOST_BYTES = 8 * 1024 * 1024 - 1024
"""How large all of them may be, with some room for what is around them."""
UNKNOWN_REQUEST = (requests.codes.not_found, requests.codes.method_not_allowed)


@dataclass(frozen=True)
class Collected:
    """A registration that waits.

    ``body`` is what is sent, with its id; ``alone`` sends it by itself; ``done`` gets the answer, or None if only the
    journal has it so far.
    """

    entry: Entry
    body: Json
    alone: Callable[[], Json]
    done: Callable[[Json | None], None]

    @property
    def as_one_of_many(self) -> Json:
        return {**self.body, "kind": self.entry.kind, "asset": self.entry.asset}


def batches(collected: Sequence[Collected]) -> Iterator[list[Collected]]:
    """Yield them in parts, each of which one request takes."""
    batch: list[Collected] = []
    size = 0
    for one in collected:
        its = len(json.dumps(one.as_one_of_many)) + 1
        if batch and (len(batch) == MOST or size + its > MOST_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(one)
        size += its
    if batch:
        yield batch


def send_batch(catalogue: CatalogueClient, branch: str, batch: Sequence[Collected]) -> list[Answer]:
    """Send a part in one request, or one by one where that is not known; return the answer or refusal of each."""
    if catalogue.takes_many and len(batch) > 1:
        try:
            return catalogue.register_many(branch, [one.as_one_of_many for one in batch])
        except (AssetNotFound, BadRequest) as error:
            if error.response is None or error.response.status_code not in UNKNOWN_REQUEST:
                raise
            catalogue.takes_many = False
    return [_alone(one) for one in batch]


def _alone(one: Collected) -> Answer:
    try:
        return one.alone()
    except RequestRefused as refusal:
        if isinstance(refusal, KEEPING):
            raise
        return refusal
