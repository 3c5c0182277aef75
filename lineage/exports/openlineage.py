"""An answer as OpenLineage events, one JSON document a line, for Marquez, DataHub and others that take them.

The specification (2-0-2) is at https://openlineage.io/spec/2-0-2/OpenLineage.json, its rules for names at
https://openlineage.io/docs/spec/naming. By these, namespace and name make a URI together, the namespace being where a
thing is kept: `assetsite://` with the host of the site. A name is the path that the thing has on the site, so
`assetsite://assets.example.org` and `default/churn/main/models/churn_model`. A job is a component on one branch,
`default/churn/main/flows/TrainFlow`; the same flow on two branches is two jobs. A promotion is a job of the asset that
it fills, `default/churn/main/models/churn_model/promote`: one job for all of them would be shown with the inputs and
outputs of the last one only.

- By instance, an event is a run that is complete: what it read and made, with the versions. OpenLineage tells inputs
  and outputs of a whole run, so that the order within it, which the exact graph keeps, is lost.
- By component, an event is the last activity of a component, with every asset that it is linked with and no versions:
  these are kept for runs only. Its run has an id of its own, so that what was ever read isn't taken for what that one
  run has read.

Ids of runs are made from names, so that sending the same events again changes nothing. What is hidden, groups, and
assets without a link are in no event.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import quote
from uuid import UUID, uuid5

import networkx as nx

from catalog.wire.shapes import time_shape
from lineage.answers import Answer
from lineage.graph import Kind, Link, Node, Relation

Json = dict[str, Any]

SPEC = "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent"
_FACETS = "https://openlineage.io/spec/facets"
VERSION_FACET = f"{_FACETS}/1-0-1/DatasetVersionDatasetFacet.json#/$defs/DatasetVersionDatasetFacet"
TYPE_FACET = f"{_FACETS}/1-0-1/DatasetTypeDatasetFacet.json#/$defs/DatasetTypeDatasetFacet"
JOB_FACET = f"{_FACETS}/2-0-4/JobTypeJobFacet.json#/$defs/JobTypeJobFacet"
ENGINE_FACET = f"{_FACETS}/1-1-1/ProcessingEngineRunFacet.json#/$defs/ProcessingEngineRunFacet"

ENGINE = {"name": "assetsite", "version": "v1"}
"""By whose API runs were recorded. DataHub refuses events of producers that it doesn't know and that don't say this."""

INSTANCE = "i_"
"""What the id of an instance begins with. An asset has a version too, its newest, which nobody need have read."""

RUN_IDS = UUID("6f1a3f0e-5d0b-4c9a-8f57-2f1f0c6a9d41")
"""The namespace of our run ids."""

SEGMENTS = {
    Kind.DATA: "data",
    Kind.MODEL: "models",
    Kind.FLOW: "flows",
    Kind.RUN: "flows",
    Kind.DEPLOYMENT: "deployments",
    Kind.PERSON: "people",
    Kind.CI: "ci",
    Kind.UNKNOWN: "unknown",
}
"""What stands before the name in a path. What isn't here, is in no event."""


@dataclass(slots=True)
class _Activity:
    """What one event tells of."""

    job: str
    run: str
    kind: str
    moments: list[datetime] = field(default_factory=list)
    inputs: list[Node] = field(default_factory=list)
    outputs: list[Node] = field(default_factory=list)


def write(answer: Answer, base_url: str) -> str:
    """`base_url` is the producer of the events, and its host their namespace."""
    paths = _Paths(answer)
    teller = _Teller(base_url.rstrip("/"), paths)
    events = [teller.event(activity, answer.as_of) for activity in _activities(answer, paths)]
    events.sort(key=lambda event: (event["eventTime"], event["job"]["name"], event["run"]["runId"]))
    return "".join(json.dumps(event, separators=(",", ":")) + "\n" for event in events)


# what happened


def _activities(answer: Answer, paths: "_Paths") -> Iterator[_Activity]:
    yield from _by_components(answer, paths)
    for link in answer.links:
        if link.relation == Relation.PROMOTES and answer.node(link.target).kind.is_asset:
            yield _promotion(answer, paths, link)


def _by_components(answer: Answer, paths: "_Paths") -> Iterable[_Activity]:
    """One for each component or run, several nodes of the same run put together."""
    known: dict[tuple[str, str], _Activity] = {}
    for node in answer.nodes:
        if not _is_active(answer, node):
            continue
        job, run = paths.of(node), _run(node)
        activity = known.setdefault((job, run), _Activity(job, f"{job} {run}", _job_type(node)))
        activity.moments += [node.at] if node.at else []
        for link in _links_at(answer, node):
            _take_in(activity, answer, link)
    return known.values()


def _is_active(answer: Answer, node: Node) -> bool:
    """An unknown node may also be the source of a promotion, an asset that nobody has heard of."""
    if node.kind == Kind.UNKNOWN:
        return any(link.relation != Relation.PROMOTES for link in _links_at(answer, node))
    return node.kind in SEGMENTS and not node.kind.is_asset


def _links_at(answer: Answer, node: Node) -> list[Link]:
    graph = answer.graph
    return [link for _, _, link in (*graph.in_edges(node.id, data="link"), *graph.out_edges(node.id, data="link"))]


def _take_in(activity: _Activity, answer: Answer, link: Link) -> None:
    asset = answer.node(link.source if link.relation == Relation.CONSUMES else link.target)
    moment = link.last_at or link.first_at
    activity.moments += [moment] if moment else []
    if asset.kind.is_asset:
        (activity.inputs if link.relation == Relation.CONSUMES else activity.outputs).append(asset)


def _promotion(answer: Answer, paths: "_Paths", link: Link) -> _Activity:
    source, target = answer.node(link.source), answer.node(link.target)
    job = f"{paths.of(target)}/promote"
    moment = link.last_at or link.first_at
    return _Activity(
        job=job,
        run=f"{job} {link.source} {link.target}",
        kind="PROMOTION",
        moments=[moment] if moment else [],
        inputs=[source] if source.kind.is_asset else [],
        outputs=[target],
    )


def _run(node: Node) -> str:
    """`Flow/run`, or the entity that was the last to act for a component."""
    return node.name if node.kind == Kind.RUN else f"last activity {node.key}"


def _job_type(node: Node) -> str:
    return Kind.FLOW.name if node.kind == Kind.RUN else node.kind.name


class _Paths:
    """The path of each node on the site."""

    def __init__(self, answer: Answer) -> None:
        self.perimeters = _perimeters(answer)

    def of(self, node: Node) -> str:
        parts = (self.perimeters[node.id], node.project, node.branch, SEGMENTS[node.kind], _own_name(node))
        return "/".join(quote(part, safe="@+:~") for part in parts if part)


def _perimeters(answer: Answer) -> dict[str, str]:
    """The perimeter of each node, with which the address of its page begins.

    What is deleted or unknown has no page. It is in the perimeter of its neighbours: only promotions lead to another.
    """
    within: nx.Graph[str] = nx.Graph()
    within.add_nodes_from(answer.graph)
    within.add_edges_from((link.source, link.target) for link in answer.links if link.relation != Relation.PROMOTES)
    named = {node.id: node.url.strip("/").partition("/")[0] for node in answer.nodes if node.url}
    only = next(iter(named.values())) if len(set(named.values())) == 1 else ""
    found: dict[str, str] = {}
    for part in nx.connected_components(within):
        here = next((named[id] for id in sorted(part & named.keys())), only)
        found |= {id: named.get(id, here) for id in part}
    return found


def _own_name(node: Node) -> str:
    if node.kind.is_asset:
        return node.key or node.name
    return node.name.partition("/")[0] if node.kind == Kind.RUN else node.name


# how it is told


@dataclass(frozen=True, slots=True)
class _Teller:
    producer: str
    paths: _Paths

    @property
    def namespace(self) -> str:
        return f"assetsite://{self.producer.partition('://')[2]}"

    def event(self, activity: _Activity, as_of: datetime) -> Json:
        return {
            "eventType": "COMPLETE",
            "eventTime": time_shape(max(activity.moments, default=as_of)),
            "run": {
                "runId": str(uuid5(RUN_IDS, f"{self.namespace} {activity.run}")),
                "facets": {"processing_engine": self.facet(ENGINE_FACET, **ENGINE)},
            },
            "job": {
                "namespace": self.namespace,
                "name": activity.job,
                "facets": {"jobType": self.job_type(activity.kind)},
            },
            "inputs": self.datasets(activity.inputs),
            "outputs": self.datasets(activity.outputs),
            "producer": self.producer,
            "schemaURL": SPEC,
        }

    def facet(self, schema: str, **fields: str) -> Json:
        return {"_producer": self.producer, "_schemaURL": schema, **fields}

    def job_type(self, kind: str) -> Json:
        processing = "SERVICE" if kind == Kind.DEPLOYMENT.name else "BATCH"
        return self.facet(JOB_FACET, processingType=processing, integration="ASSETSITE", jobType=kind)

    def datasets(self, nodes: Iterable[Node]) -> list[Json]:
        """Each once, by name and version."""
        told = {(self.paths.of(node), node.version): self.dataset(node) for node in nodes}
        return [told[key] for key in sorted(told)]

    def dataset(self, node: Node) -> Json:
        facets: Json = {}
        if node.id.startswith(INSTANCE):
            facets["version"] = self.facet(VERSION_FACET, datasetVersion=node.version)
        if node.kind == Kind.MODEL:
            facets["datasetType"] = self.facet(TYPE_FACET, datasetType="MODEL")
        return {"namespace": self.namespace, "name": self.paths.of(node), "facets": facets}
