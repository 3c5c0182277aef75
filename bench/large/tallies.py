"""Totals of the events, counted as they pass: edges, promotions, and the state of assets.

This is written apart from the site's own counting, which then has to find nothing wrong with it.
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any, NamedTuple

from bench.large import names
from bench.large.events import Row
from bench.large.shape import ASSETS, NIGHTS

PROPERTIES = json.dumps({"owner": "plant", "source": "warehouse"})


class Fact(NamedTuple):
    """The facts about one event."""

    at: datetime
    kind: str
    entity: str
    instance: int


class Tally:
    """How often something happened, first and last."""

    __slots__ = ("count", "first", "last")

    def __init__(self, first: Fact) -> None:
        self.count, self.first, self.last = 0, first, first

    def add(self, fact: Fact) -> None:
        self.count += 1
        self.last = fact


class Tallies:
    """The events are passed through `registered` and `consumed` first, in this order."""

    def __init__(self, modules: int) -> None:
        self.modules = modules
        self.of_edges: dict[tuple[int, int, str, str, str], Tally] = {}
        self.of_promotions: dict[tuple[int, int], Tally] = {}
        self.newest: dict[int, Fact] = {}

    def registered(self, rows: Iterable[Row]) -> Iterator[Row]:
        asset_of: dict[int, int] = {}
        for row in rows:
            asset, source = row["asset"], row["promoted_from"]
            fact = Fact(row["created_at"], row["producer_kind"], row["producer_id"], row["id"])
            direction = "produces" if source is None else "promoted"
            branch = names.branch_of(names.place_of(asset))
            _count(self.of_edges, (asset, row["component"], direction, branch.key, ""), fact)
            if source is not None:
                _count(self.of_promotions, (asset_of[source], asset), fact)
            asset_of[row["id"]] = asset
            self.newest[asset] = fact
            yield row

    def consumed(self, rows: Iterable[Row]) -> Iterator[Row]:
        for row in rows:
            key = (row["asset"], row["component"], "consumes", row["write_branch"], row["write_branch_name"])
            _count(self.of_edges, key, Fact(row["at"], row["entity_kind"], row["entity_id"], row["instance"]))
            yield row

    def edges(self) -> Iterator[Row]:
        for pk, ((asset, component, direction, key, name), tally) in enumerate(self.of_edges.items(), start=1):
            yield {
                "id": pk,
                "asset": asset,
                "component": component,
                "direction": direction,
                "write_branch": key,
                "write_branch_name": name,
                "first_at": tally.first.at,
                "last_at": tally.last.at,
                "count": tally.count,
                "last_entity_kind": tally.last.kind,
                "last_entity_id": tally.last.entity,
                "last_instance": tally.last.instance,
            }

    def promotions(self) -> Iterator[Row]:
        for pk, ((source, target), tally) in enumerate(self.of_promotions.items(), start=1):
            ends = {"source": source, "target": target}
            yield {"id": pk} | ends | {"first_at": tally.first.at, "last_at": tally.last.at, "count": tally.count}

    def assets(self, branches: dict[names.Branch, int], created_at: datetime) -> Iterator[Row]:
        """`branches` are the keys of their rows."""
        consumers = Counter(asset for asset, _, direction, *_ in self.of_edges if direction == "consumes")
        for module in range(self.modules):
            for place in range(ASSETS):
                pk = names.asset_pk(module, place)
                pointers = {"branch": branches[names.branch_of(place)], "consumer_count": consumers[pk]}
                yield _asset(module, place, created_at) | pointers | self._newest(pk)

    def _newest(self, asset: int) -> Row:
        newest = self.newest[asset]
        counts = {"last_number": NIGHTS, "ready_count": NIGHTS}
        return counts | {"newest": newest.instance, "newest_ready": newest.instance, "refreshed_at": newest.at}


def _count(tallies: dict[Any, Tally], key: Any, fact: Fact) -> None:
    if key not in tallies:
        tallies[key] = Tally(fact)
    tallies[key].add(fact)


def _asset(module: int, place: int, created_at: datetime) -> Row:
    pk, (kind, asset_id) = names.asset_pk(module, place), names.asset_named(module, place)
    return {
        "id": pk,
        "kind": kind,
        "asset_id": asset_id,
        "definition_uid": names.definition_uid(pk),
        "created_at": created_at,
        "created_by": "bench",
        "name": asset_id.replace("_", " ").title(),
        "description": f"What the plant knows as {asset_id}.",
        "readme": f"# {asset_id}\n\nHow it is made, and **what it is good for**.\n",
        "source": f"{kind}/{asset_id}/asset_config.toml",
        "asset_kind": "artifact",
        "declared_properties": PROPERTIES,
        "declared_tags": json.dumps({"team": "plant"}),
        "config_hash": f"hash of {asset_id}",
        "declared_at": created_at,
        "declared_by_kind": "ci",
        "declared_by_id": "obproject-deploy",
        "properties": PROPERTIES,
    }
