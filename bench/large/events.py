"""Every registration and consumption, in the order of time. Rows are by the names of the fields of the models."""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import count
from typing import Any, NamedTuple

from bench.large import names, shape
from bench.large.names import FEATURE, MAIN, UNKNOWN, Branch
from bench.large.shape import ASSETS, FLOWS, NIGHTS

OF_A_MODULE = timedelta(minutes=5)
"""One module after the other."""
OF_A_RUN = OF_A_MODULE / (FLOWS + 1)
AFTERWARDS = FLOWS
"""When all flows of a module are through, it is the turn of promotions, and then of the deployment and the person."""
TAGS = json.dumps({"env": "prod", "region": "eu"})
METRICS = {"metric_a": 3, "metric_b": 7, "metric_c": 11, "metric_d": 13}

Row = dict[str, Any]


class Reader(NamedTuple):
    kind: str
    id: str
    run: str
    branch: Branch


class Events:
    def __init__(self, modules: int, begin: datetime) -> None:
        self.modules, self.begin = modules, begin

    def instances(self) -> Iterator[Row]:
        for night, module in self._nights():
            for place in range(ASSETS):
                yield self._instance(night, module, place)

    def consumptions(self) -> Iterator[Row]:
        pks = count(1)
        for night, module in self._nights():
            for flow in range(FLOWS):
                run = names.run(module, flow, night)
                begin, branch = self._time(night, module, flow), names.written_by(flow)
                for number, read in enumerate(shape.reads_by_flow(flow, night)):
                    reader = Reader("task", f"{run}/{read.step}", run, branch)
                    at = begin + timedelta(milliseconds=number)
                    yield {"id": next(pks)} | self._consumption(night, module, read, reader, at)
            begin = self._time(night, module, AFTERWARDS) + OF_A_RUN * 3 / 4
            others = {
                shape.DEPLOYMENT: Reader("deployment", names.deployment(module), "", MAIN),
                shape.PERSON: Reader("user", names.person(module), "", UNKNOWN),
            }
            for number, read in enumerate(shape.reads_by_others(night)):
                at = begin + timedelta(milliseconds=number)
                yield {"id": next(pks)} | self._consumption(night, module, read, others[read.component], at)

    def _nights(self) -> Iterator[tuple[int, int]]:
        return ((night, module) for night in range(NIGHTS) for module in range(self.modules))

    def _time(self, night: int, module: int, flow: int) -> datetime:
        """When a flow of a module starts."""
        return self.begin + timedelta(days=night) + module * OF_A_MODULE + flow * OF_A_RUN

    def _pk(self, night: int, module: int, place: int) -> int:
        return (night * self.modules + module) * ASSETS + place + 1

    def _instance(self, night: int, module: int, place: int) -> Row:
        pk, flow, origin = self._pk(night, module, place), shape.flow_of(place), shape.source_of(place)
        source = self._pk(night, module, origin) if origin != place else None
        begin = self._time(night, module, flow if source is None else AFTERWARDS)
        at = begin + OF_A_RUN / 2 + timedelta(milliseconds=place)
        run = names.run(module, flow, night)
        return {
            "id": pk,
            "asset": names.asset_pk(module, place),
            "uid": names.instance_uid(pk),
            "number": night + 1,
            "state": "ready",
            "asset_kind": "artifact",
            "description": "A run of the night.",
            "annotations": _annotations(pk, source),
            "tags": TAGS,
            "producer_kind": "task",
            "producer_id": f"{run}/end/9",
            "component": names.component_pk(module, flow),
            "run": run,
            "promoted_from": source,
            "attempt": 0,
            "created_at": at,
            "settled_at": at,
            "actor": "bench",
        }

    def _consumption(self, night: int, module: int, read: shape.Read, reader: Reader, at: datetime) -> Row:
        return {
            "asset": names.asset_pk(module, read.place),
            "instance": self._pk(night - read.nights_back, module, read.place),
            "reference": "latest",
            "entity_kind": reader.kind,
            "entity_id": reader.id,
            "component": names.component_pk(module, read.component),
            "run": reader.run,
            "write_branch": reader.branch.key,
            "write_branch_name": reader.branch.name,
            "at": at,
            "actor": "bench",
        }


def _annotations(pk: int, source: int | None) -> str:
    says: Row = {name: pk * factor % 9973 / 9973 for name, factor in METRICS.items()}
    says |= {"artifact": "table", "rows": pk * 17 % 1_000_000}
    if source is not None:
        says |= {"promoted_from_branch": FEATURE.name, "promoted_from_instance": names.instance_uid(source)}
    return json.dumps(says)
