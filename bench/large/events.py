"""Every run, registration, consumption and alias of the plant. Rows are by the names of the fields of the models."""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import NamedTuple

from bench.large import names, shape
from bench.large.bulk import Row
from bench.large.names import FEATURE, MAIN, UNKNOWN, Branch
from bench.large.shape import ASSETS, FLOWS, Scale

OF_A_MODULE = timedelta(minutes=5)
"""One module after the other."""
OF_A_RUN = OF_A_MODULE / (FLOWS + 1)
AFTERWARDS = FLOWS
"""When all flows of a module are through, it is the turn of promotions, and then of the deployment and the person."""
TAGS = json.dumps({"env": "prod", "region": "eu"})
METRICS = {"metric_a": 3, "metric_b": 7, "metric_c": 11, "metric_d": 13}
ALIAS_EVERY = 5
"""One asset of so many has an alias."""
DECLARED = json.dumps({"owner": "plant", "source": "warehouse"})


class Reader(NamedTuple):
    kind: str
    id: str
    run: str
    branch: Branch


class Events:
    def __init__(self, scale: Scale, begin: datetime) -> None:
        self.scale, self.begin = scale, begin

    def assets(self, branches: dict[Branch, int]) -> Iterator[Row]:
        """Without what is derived. `branches` are the keys of their rows."""
        for module in range(self.scale.modules):
            for place in range(ASSETS):
                branch = branches[names.branch_of(place)]
                pk, (kind, asset_id) = names.asset_pk(module, place), names.asset_named(module, place)
                yield asset_row(pk, branch, kind, asset_id, self.begin)

    def runs(self, perimeter: int) -> Iterator[Row]:
        for night, module in self._nights():
            for flow in range(FLOWS):
                begin = self._time(night, module, flow)
                yield {
                    "id": names.run_pk(module, flow, night, self.scale.modules),
                    "perimeter": perimeter,
                    "name": names.run(module, flow, night),
                    "component": names.component_pk(module, flow),
                    "branch": names.written_by(flow).key,
                    "first_at": begin,
                    "reported_at": begin,
                    "user": "scheduler",
                    "started_at": begin,
                    "metaflow_version": "2.19.5",
                    "python_version": "3.11.7",
                    "repository": "https://git.example/plant",
                    "commit": f"{night:040x}",
                    "dirty": False,
                    "git_branch": names.written_by(flow).name,
                    "parameters": json.dumps({"night": night + 1}),
                    "state": "succeeded",
                    "finished_at": begin + OF_A_RUN,
                }

    def instances(self) -> Iterator[Row]:
        for night, module in self._nights():
            for place in range(ASSETS):
                yield self._instance(night, module, place)

    def consumptions(self) -> Iterator[Row]:
        for night, module in self._nights():
            for flow in range(FLOWS):
                run = names.run(module, flow, night)
                begin, branch = self._time(night, module, flow), names.written_by(flow)
                for number, read in enumerate(shape.reads_by_flow(flow, night)):
                    reader = Reader("task", f"{run}/{read.step}", run, branch)
                    yield self._consumption(night, module, read, reader, begin + timedelta(milliseconds=number))
            begin = self._time(night, module, AFTERWARDS) + OF_A_RUN * 3 / 4
            others = {
                shape.DEPLOYMENT: Reader("deployment", names.deployment(module), "", MAIN),
                shape.PERSON: Reader("user", names.person(module), "", UNKNOWN),
            }
            for number, read in enumerate(shape.reads_by_others(night)):
                at = begin + timedelta(milliseconds=number)
                yield self._consumption(night, module, read, others[read.component], at)

    def aliases(self, branches: dict[Branch, int]) -> Iterator[Row]:
        """Every few assets the instance of a night in the middle is in production. `branches` as of the assets."""
        for module in range(self.scale.modules):
            for place in range(0, ASSETS, ALIAS_EVERY):
                yield {
                    "asset": names.asset_pk(module, place),
                    "branch": branches[names.branch_of(place)],
                    "name": "production",
                    "instance": self._pk(self.scale.nights // 2, module, place),
                    "updated_at": self.begin + timedelta(days=self.scale.nights),
                    "entity_kind": "user",
                    "entity_id": "ada",
                }

    def alias_moves(self, branches: dict[Branch, int]) -> Iterator[Row]:
        for alias in self.aliases(branches):
            to = names.instance_uid(alias.pop("instance"))
            del alias["branch"]
            yield alias | {"at": alias.pop("updated_at"), "to_uid": to, "actor": "bench"}

    def _nights(self) -> Iterator[tuple[int, int]]:
        return ((night, module) for night in range(self.scale.nights) for module in range(self.scale.modules))

    def _time(self, night: int, module: int, flow: int) -> datetime:
        """When a flow of a module starts."""
        return self.begin + timedelta(days=night) + module * OF_A_MODULE + flow * OF_A_RUN

    def _pk(self, night: int, module: int, place: int) -> int:
        return (night * self.scale.modules + module) * ASSETS + place + 1

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


def asset_row(pk: int, branch: int, kind: str, asset_id: str, at: datetime) -> Row:
    return {
        "id": pk,
        "branch": branch,
        "kind": kind,
        "asset_id": asset_id,
        "definition_uid": names.definition_uid(pk),
        "created_at": at,
        "created_by": "bench",
        "name": asset_id.replace("_", " ").title(),
        "description": f"What the plant knows as {asset_id}.",
        "readme": f"# {asset_id}\n\nHow it is made, and **what it is good for**.\n",
        "source": f"{kind}/{asset_id}/asset_config.toml",
        "asset_kind": "artifact",
        "declared_properties": DECLARED,
        "declared_tags": json.dumps({"team": "plant"}),
        "config_hash": f"hash of {asset_id}",
        "declared_at": at,
        "declared_by_kind": "ci",
        "declared_by_id": "obproject-deploy",
    }


def _annotations(pk: int, source: int | None) -> str:
    says: Row = {name: pk * factor % 9973 / 9973 for name, factor in METRICS.items()}
    says |= {"artifact": "table", "rows": pk * 17 % 1_000_000}
    if source is not None:
        says |= {"promoted_from_branch": FEATURE.name, "promoted_from_instance": names.instance_uid(source)}
    return json.dumps(says)
