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
  What of a run failed is an event of its own. A resumed run names the run that it resumes as its parent.
- By component, an event is the last activity of a component, with every asset that it is linked with, in the version
  that it read or made last. Its run has an id of its own, so that its inputs of all time aren't taken for one run's.

Ids of runs are made from names, so that sending the same events again changes nothing. Hidden nodes, groups, and assets
without a link are in no event.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple
from urllib.parse import quote
from uuid import UUID, uuid5

from catalog.addresses import root_url
from catalog.states import RunState, State
from catalog.wire.shapes import time_shape
from lineage.answers import Answer
from lineage.graph import Kind, Link, Node, Relation, RunFacts

Json = dict[str, Any]

SPEC = "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent"
_FACETS = "https://openlineage.io/spec/facets"
VERSION_FACET = f"{_FACETS}/1-0-1/DatasetVersionDatasetFacet.json#/$defs/DatasetVersionDatasetFacet"
TYPE_FACET = f"{_FACETS}/1-0-1/DatasetTypeDatasetFacet.json#/$defs/DatasetTypeDatasetFacet"
JOB_FACET = f"{_FACETS}/2-0-4/JobTypeJobFacet.json#/$defs/JobTypeJobFacet"
ENGINE_FACET = f"{_FACETS}/1-1-1/ProcessingEngineRunFacet.json#/$defs/ProcessingEngineRunFacet"

SOURCE_FACET = f"{_FACETS}/1-0-1/SourceCodeLocationJobFacet.json#/$defs/SourceCodeLocationJobFacet"
TIME_FACET = f"{_FACETS}/1-0-1/NominalTimeRunFacet.json#/$defs/NominalTimeRunFacet"
PARENT_FACET = f"{_FACETS}/1-0-1/ParentRunFacet.json#/$defs/ParentRunFacet"

ENGINE = {"name": "assetsite", "version": "v1"}
"""The API that recorded the runs. DataHub refuses events without this from producers that it doesn't know."""

INSTANCE = "i_"
"""The prefix of ids of instances."""

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


class _Dataset(NamedTuple):
    """An asset in the version of an arrow; empty if that is not known."""

    node: Node
    version: str


@dataclass(slots=True)
class _Activity:
    """The content of one event."""

    job: str
    run: str
    kind: str
    has_failed: bool = False
    facts: RunFacts | None = None
    moments: list[datetime] = field(default_factory=list)
    inputs: list[_Dataset] = field(default_factory=list)
    outputs: list[_Dataset] = field(default_factory=list)


def write(answer: Answer, base_url: str) -> str:
    """The events, one a line. The site below `base_url` is their producer, and its address their namespace."""
    writer = _Writer(base_url.rstrip("/") + root_url())
    events = [writer.event(activity, answer.as_of) for activity in _activities(answer)]
    events.sort(key=lambda event: (event["eventTime"], event["job"]["name"], event["run"]["runId"]))
    return "".join(json.dumps(event, separators=(",", ":")) + "\n" for event in events)


# activities


def _activities(answer: Answer) -> Iterator[_Activity]:
    yield from _by_components(answer)
    for link in answer.links:
        if link.relation == Relation.PROMOTES and answer.node(link.target).kind.is_asset:
            yield _promotion(answer, link)


def _by_components(answer: Answer) -> Iterable[_Activity]:
    """One activity for each component or run; several nodes of the same run are merged, what failed apart."""
    known: dict[tuple[str, str, bool], _Activity] = {}
    for node in answer.nodes:
        if not _is_active(answer, node):
            continue
        links = _links_at(answer, node)
        failed = [link for link in links if _has_failed(answer.node(link.target))]
        read = [link for link in links if link.relation == Relation.CONSUMES]
        if failed:
            _take_in(_activity_of(known, node, True), answer, [*failed, *read])
        if not failed or len(failed) + len(read) < len(links):
            _take_in(_activity_of(known, node, False), answer, [link for link in links if link not in failed])
    return known.values()


def _activity_of(known: dict[tuple[str, str, bool], _Activity], node: Node, has_failed: bool) -> _Activity:
    job, run = path_of(node), _run(node)
    name = f"{job} {run} failed" if has_failed else f"{job} {run}"
    new = _Activity(job, name, _job_type(node), has_failed or _run_has_failed(node), node.run)
    activity = known.setdefault((job, run, has_failed), new)
    activity.moments += [node.at] if node.at else []
    return activity


def _own_version(node: Node) -> str:
    """The version of an instance. An asset has its newest, which need not be that of an arrow."""
    return node.version if node.id.startswith(INSTANCE) else ""


def _has_failed(node: Node) -> bool:
    """Whether this is an instance that failed: no consumer may take it for made."""
    return node.kind.is_asset and node.state == State.FAILED


def _run_has_failed(node: Node) -> bool:
    return node.run is not None and node.run.state == RunState.FAILED


def _is_active(answer: Answer, node: Node) -> bool:
    """Whether the node is a component or run. An unknown node may be the source of a promotion instead."""
    if node.kind == Kind.UNKNOWN:
        return any(link.relation != Relation.PROMOTES for link in _links_at(answer, node))
    return node.kind in SEGMENTS and not node.kind.is_asset


def _links_at(answer: Answer, node: Node) -> list[Link]:
    graph = answer.graph
    return [link for _, _, link in (*graph.in_edges(node.id, data="link"), *graph.out_edges(node.id, data="link"))]


def _take_in(activity: _Activity, answer: Answer, links: Iterable[Link]) -> None:
    for link in links:
        asset = answer.node(link.source if link.relation == Relation.CONSUMES else link.target)
        moment = link.last_at or link.first_at
        activity.moments += [moment] if moment else []
        if asset.kind.is_asset:
            its = activity.inputs if link.relation == Relation.CONSUMES else activity.outputs
            its.append(_Dataset(asset, link.version or _own_version(asset)))


def _promotion(answer: Answer, link: Link) -> _Activity:
    source, target = answer.node(link.source), answer.node(link.target)
    job = f"{path_of(target)}/promote"
    moment = link.last_at or link.first_at
    return _Activity(
        job=job,
        run=f"{job} {link.source} {link.target}",
        kind="PROMOTION",
        moments=[moment] if moment else [],
        inputs=[_Dataset(source, _own_version(source))] if source.kind.is_asset else [],
        outputs=[_Dataset(target, link.version or _own_version(target))],
    )


def _run(node: Node) -> str:
    """`Flow/run`, or the last entity of a component."""
    return node.name if node.kind == Kind.RUN else f"last activity {node.key}"


def _job_type(node: Node) -> str:
    return Kind.FLOW.name if node.kind == Kind.RUN else node.kind.name


def path_of(node: Node) -> str:
    """The path of a node on the site: of the thing alone, whatever else is in the answer."""
    parts = (node.perimeter, node.project, node.branch, SEGMENTS[node.kind], _own_name(node))
    return "/".join(quote(part, safe="@+:~") for part in parts if part)


def _own_name(node: Node) -> str:
    if node.kind.is_asset:
        return node.key or node.name
    return node.name.partition("/")[0] if node.kind == Kind.RUN else node.name


# the events


@dataclass(frozen=True, slots=True)
class _Writer:
    producer: str

    @property
    def namespace(self) -> str:
        return f"assetsite://{self.producer.partition('://')[2]}"

    def event(self, activity: _Activity, as_of: datetime) -> Json:
        return {
            "eventType": "FAIL" if activity.has_failed else "COMPLETE",
            "eventTime": time_shape(max(activity.moments, default=as_of)),
            "run": {
                "runId": self.run_id(activity.run),
                "facets": {"processing_engine": self.facet(ENGINE_FACET, **ENGINE), **self.run_facets(activity)},
            },
            "job": {
                "namespace": self.namespace,
                "name": activity.job,
                "facets": {"jobType": self.job_type(activity.kind), **self.job_facets(activity.facts)},
            },
            "inputs": self.datasets(activity.inputs),
            "outputs": self.datasets(activity.outputs),
            "producer": self.producer,
            "schemaURL": SPEC,
        }

    def run_id(self, run: str) -> str:
        return str(uuid5(RUN_IDS, f"{self.namespace} {run}"))

    def run_facets(self, activity: _Activity) -> Json:
        """When the run started and ended, and the run that it resumes, as far as they are known."""
        facts, facets = activity.facts, {}
        if facts is None:
            return {}
        if facts.started_at:
            times = {"nominalStartTime": time_shape(facts.started_at), "nominalEndTime": time_shape(facts.finished_at)}
            facets["nominalTime"] = self.facet(TIME_FACET, **{name: at for name, at in times.items() if at})
        if facts.origin:
            parent = {"runId": self.run_id(f"{activity.job} {facts.origin}")}
            job = {"namespace": self.namespace, "name": activity.job}
            facets["parent"] = self.facet(PARENT_FACET, run=parent, job=job)
        return facets

    def job_facets(self, facts: RunFacts | None) -> Json:
        """Where the code is, if the run told its repository."""
        if facts is None or not facts.repository:
            return {}
        told = {"version": facts.commit, "branch": facts.git_branch}
        known = {name: text for name, text in told.items() if text}
        source = self.facet(SOURCE_FACET, type="git", url=facts.repository, repoUrl=facts.repository, **known)
        return {"sourceCodeLocation": source}

    def facet(self, schema: str, **fields: Any) -> Json:
        return {"_producer": self.producer, "_schemaURL": schema, **fields}

    def job_type(self, kind: str) -> Json:
        processing = "SERVICE" if kind == Kind.DEPLOYMENT.name else "BATCH"
        return self.facet(JOB_FACET, processingType=processing, integration="ASSETSITE", jobType=kind)

    def datasets(self, datasets: Iterable[_Dataset]) -> list[Json]:
        """The datasets, each once by name and version."""
        by_key = {(path_of(each.node), each.version): self.dataset(*each) for each in datasets}
        return [by_key[key] for key in sorted(by_key)]

    def dataset(self, node: Node, version: str) -> Json:
        facets: Json = {}
        if version:
            facets["version"] = self.facet(VERSION_FACET, datasetVersion=version)
        if node.kind == Kind.MODEL:
            facets["datasetType"] = self.facet(TYPE_FACET, datasetType="MODEL")
        return {"namespace": self.namespace, "name": path_of(node), "facets": facets}
