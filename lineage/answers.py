"""Answers about lineage: a graph, the question, and a list of what is left out."""

from dataclasses import asdict, dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

import networkx as nx

from catalog.wire.shapes import time_shape
from lineage.graph import Cycle, Kind, Link, Node, RunFacts, cycles_of, islands_of, links_of, nodes_of, within_cycles

Json = dict[str, Any]


class Question(StrEnum):
    AROUND = "around"
    """By component: the neighbourhood of an asset or a component."""
    BRANCH = "branch"
    """By component: everything on a branch, and its neighbours."""
    IMPACT = "impact"
    """By component: everything downstream of a node."""
    PATHS = "paths"
    """By component: all paths from one node to another."""
    EXACT = "exact"
    """By instance: exactly what one instance was made from, and what was made from it."""


class Reason(StrEnum):
    DEPTH = "depth"
    BUDGET = "budget"
    HIDDEN = "hidden"
    RESUMED = "resumed"
    """Not nodes, but resumed runs of which it is not known yet what they took over."""
    FILTER = "filter"
    """Left out by a filter of the question; the answer still counts as complete."""


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A number of nodes that are not shown, or shown without a name. `at_least`: there may be more."""

    reason: Reason
    count: int
    at_least: bool = False

    @property
    def sentence(self) -> str:
        if self.reason is Reason.RESUMED:
            runs = "1 resumed run" if self.count == 1 else f"{self.count:,} resumed runs"
            return f"Metaflow has not been asked yet what {runs} took over, so that is presumed"
        many = f"{'at least ' if self.at_least else ''}{self.count:,} {'node' if self.count == 1 else 'nodes'}"
        return {
            Reason.DEPTH: f"{many} further away than the depth asked for",
            Reason.BUDGET: f"{many} beyond the number of nodes asked for",
            Reason.HIDDEN: f"{many} that you may not see, shown without a name",
            Reason.FILTER: f"{many} of other kinds or branches",
        }[self.reason]


@dataclass(frozen=True, slots=True)
class More:
    """The numbers of neighbours of a node that are not shown, upstream and downstream."""

    up: int = 0
    down: int = 0


@dataclass(frozen=True)
class Answer:
    """A graph, and how complete it is. `found` counts all nodes that the question reaches, shown or not."""

    question: Question
    graph: nx.DiGraph
    as_of: datetime
    """The time for which the answer is true."""
    is_past: bool = False
    """Whether the question named that time; else it is now."""
    focus: tuple[str, ...] = ()
    direction: str = "both"
    depth: int | None = None
    budget: int = 0
    found: int = 0
    found_at_least: bool = False
    left_out: tuple[LeftOut, ...] = ()
    notes: tuple[str, ...] = ()
    """Sentences about parameters that were out of range or invalid, and the values used instead."""
    more: dict[str, More] = field(default_factory=dict)
    distance: dict[str, int] = field(default_factory=dict)
    """The number of arrows between the focus and a node; negative upstream."""
    via: dict[str, str] = field(default_factory=dict)
    """The node from which each was first reached, if there is a way not as a baseline; the focus has none."""
    outdated: str = ""
    """A sentence, if an older version has derived the arrows, and they have not been recounted yet."""

    @property
    def complete(self) -> bool:
        return not self.outdated and all(cut.reason == Reason.FILTER for cut in self.left_out)

    @property
    def is_as_deep_as_asked(self) -> bool:
        """Whether all is there but what lies beyond the depth of the question."""
        beyond = {Reason.FILTER, Reason.DEPTH}
        return self.depth is not None and not self.outdated and all(cut.reason in beyond for cut in self.left_out)

    @property
    def nodes(self) -> list[Node]:
        return nodes_of(self.graph)

    @property
    def links(self) -> list[Link]:
        return links_of(self.graph)

    @property
    def cycles(self) -> list[Cycle]:
        return cycles_of(self.graph)

    def node(self, key: str) -> Node:
        found: Node = self.graph.nodes[key]["node"]
        return found


def answer_shape(answer: Answer) -> Json:
    """The answer in JSON."""
    circular = within_cycles(answer.graph)
    return {
        "question": answer.question.value,
        "focus": list(answer.focus),
        "direction": answer.direction,
        "depth": answer.depth,
        "as_of": time_shape(answer.as_of),
        "is_past": answer.is_past,
        "complete": answer.complete,
        "counts": {
            "nodes": len(answer.graph),
            "links": answer.graph.number_of_edges(),
            "found": answer.found,
            "found_at_least": answer.found_at_least,
        },
        "left_out": [
            {"reason": cut.reason.value, "count": cut.count, "at_least": cut.at_least, "sentence": cut.sentence}
            for cut in answer.left_out
        ],
        "notes": [*answer.notes, *filter(None, [answer.outdated])],
        "nodes": [node_shape(node, answer) for node in answer.nodes],
        "links": [link_shape(link, circular) for link in answer.links],
        "cycles": [{"nodes": list(cycle.nodes), "size": cycle.size} for cycle in answer.cycles],
        "islands": [list(island) for island in islands_of(answer.graph)],
    }


def node_shape(node: Node, answer: Answer) -> Json:
    more = answer.more.get(node.id, More())
    return {
        "id": node.id,
        "kind": node.kind.value,
        "name": node.name,
        "key": node.key,
        "perimeter": node.perimeter,
        "project": node.project,
        "branch": node.branch,
        "branch_name": node.branch_name,
        "version": node.version,
        "state": node.state,
        "at": time_shape(node.at),
        "url": node.url,
        "deleted": node.deleted,
        "hidden": node.kind == Kind.HIDDEN,
        "fault": node.fault,
        "late_since": time_shape(node.late_since),
        "run": run_shape(node.run),
        "digest": node.digest,
        "same_content": list(node.same_content),
        "distance": answer.distance.get(node.id),
        "via": answer.via.get(node.id),
        "more": {"up": more.up, "down": more.down},
    }


def run_shape(run: RunFacts | None) -> Json | None:
    if run is None:
        return None
    times = {"started_at": time_shape(run.started_at), "finished_at": time_shape(run.finished_at)}
    return asdict(run) | times


def link_shape(link: Link, circular: set[tuple[str, str]]) -> Json:
    return {
        "source": link.source,
        "target": link.target,
        "relation": link.relation.value,
        "first_at": time_shape(link.first_at),
        "last_at": time_shape(link.last_at),
        "count": link.count,
        "version": link.version,
        "roles": list(link.roles),
        "by": link.by,
        "in_cycle": (link.source, link.target) in circular,
    }
