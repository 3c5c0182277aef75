"""An answer as OpenLineage events, one JSON document a line, for Marquez, DataHub and other consumers.

The specification (2-0-2) is at https://openlineage.io/spec/2-0-2/OpenLineage.json, its naming rules at
https://openlineage.io/docs/spec/naming. By these, namespace and name together are a URI. The namespace is the store:
`assetsite://` with the host of the site. The name is the path of the asset or job on the site, so
`assetsite://assets.example.org` and `default/churn/main/models/churn_model`. A job is a component on one branch,
`default/churn/main/flows/TrainFlow`; the same flow on two branches is two jobs. A promotion is a job of its target,
`default/churn/main/models/churn_model/promote`: one job for all of them would be shown with the inputs and outputs of
the last one only.

- By instance, an event is a complete run: what it read and made, with versions. OpenLineage has the inputs and outputs
  of a whole run, so the order within it, which the exact graph has, is lost.
- By component, an event is the last activity of a component, with every asset that it is linked with and no versions:
  these exist for runs only. Its run has an id of its own, so that its inputs of all time aren't taken for one run's.

Ids of runs are made from names, so that sending the same events again changes nothing. Hidden nodes, groups, and assets
without a link are in no event.
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
"""The API that recorded the runs. DataHub refuses events without this from producers that it doesn't know."""

INSTANCE = "i_"
"""The prefix of ids of instances. An asset has a version too, its newest, but no reader of it need have read that."""

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
"""The segment before the name in a path. Nodes of other kinds are in no event."""


@dataclass(slots=True)
class _Activity:
    """The content of one event."""

    job: str
    run: str
    kind: str
    moments: list[datetime] = field(default_factory=list)
    inputs: list[Node] = field(default_factory=list)
    outputs: list[Node] = field(default_factory=list)


def write(answer: Answer, base_url: str) -> str:
    """The events, one a line. `base_url` is their producer, and its host their namespace."""
    paths = _Paths(answer)
    writer = _Writer(base_url.rstrip("/"), paths)
    events = [writer.event(activity, answer.as_of) for activity in _activities(answer, paths)]
    events.sort(key=lambda event: (event["eventTime"], event["job"]["name"], event["run"]["runId"]))
    return "".join(json.dumps(event, separators=(",", ":")) + "\n" for event in events)


# activities


def _activities(answer: Answer, paths: "_Paths") -> Iterator[_Activity]:
    yield from _by_components(answer, paths)
    for link in answer.links:
        if link.relation == Relation.PROMOTES and answer.node(link.target).kind.is_asset:
            yield _promotion(answer, paths, link)


def _by_components(answer: Answer, paths: "_Paths") -> Iterable[_Activity]:
    """One activity for each component or run; several nodes of the same run are merged."""
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
    """Whether the node is a component or run. An unknown node may be the source of a promotion instead."""
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
    """`Flow/run`, or the last entity of a component."""
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
    """The perimeter of each node: the first segment of the address of its page.

    A deleted or unknown node has no page. It is in the perimeter of its neighbours: only promotions lead to another.
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


# the events


@dataclass(frozen=True, slots=True)
class _Writer:
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
        """The datasets, each once by name and version."""
        by_key = {(self.paths.of(node), node.version): self.dataset(node) for node in nodes}
        return [by_key[key] for key in sorted(by_key)]

    def dataset(self, node: Node) -> Json:
        facets: Json = {}
        if node.id.startswith(INSTANCE):
            facets["version"] = self.facet(VERSION_FACET, datasetVersion=node.version)
        if node.kind == Kind.MODEL:
            facets["datasetType"] = self.facet(TYPE_FACET, datasetType="MODEL")
        return {"namespace": self.namespace, "name": self.paths.of(node), "facets": facets}
