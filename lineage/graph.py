"""The lineage graph: its nodes and links, and its cycles, islands and paths. Pure: no database, no HTTP.

A graph is a networkx `DiGraph` whose nodes are ids; `graph.nodes[id]["node"]` is a `Node`, `graph.edges[a, b]["link"]`
a `Link`. Links point in the direction of data flow: producer to asset, asset to consumer.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

import networkx as nx


class Kind(StrEnum):
    DATA = "data"
    MODEL = "model"
    FLOW = "flow"
    DEPLOYMENT = "deployment"
    PERSON = "person"
    CI = "ci"
    RUN = "run"
    UNKNOWN = "unknown"
    """An entity, or the source of a promotion, that is not in the catalogue."""
    HIDDEN = "hidden"
    """A node that the viewer may not see; it has no name and no times."""
    GROUP = "group"
    """Several nodes drawn as one, "+37 more"."""

    @property
    def is_asset(self) -> bool:
        return self in (Kind.DATA, Kind.MODEL)


class Relation(StrEnum):
    PRODUCES = "produces"
    CONSUMES = "consumes"
    PROMOTES = "promotes"


@dataclass(frozen=True, slots=True)
class RunFacts:
    """What is known of a run or session; empty and None: not told."""

    name: str
    user: str = ""
    started_at: datetime | None = None
    finished_at: datetime | None = None
    state: str = ""
    repository: str = ""
    commit: str = ""
    dirty: bool | None = None
    git_branch: str = ""
    origin: str = ""
    """The name of the run that it resumes."""


@dataclass(frozen=True, slots=True)
class Node:
    """An asset, a component on one branch, an instance, or a run. Times are UTC."""

    id: str
    kind: Kind
    name: str
    """The name for people; empty for a hidden node."""
    key: str = ""
    """The id of the asset, or the entity of a run; shown below the name if it differs."""
    project: str = ""
    branch: str = ""
    """The key of the asset's branch, or of the branch that the component writes to; empty if unknown."""
    branch_name: str = ""
    version: str = ""
    """`v12`: the number of an instance, or of the newest ready instance of an asset."""
    state: str = ""
    at: datetime | None = None
    """The last refresh of an asset, the registration of an instance, the last activity of a component here."""
    url: str = ""
    """Its page on this site, if it has one."""
    deleted: bool = False
    fault: str = ""
    """The fault of the stored data, in a sentence."""
    members: tuple[str, ...] = ()
    """The ids of the nodes in a group."""
    size: int = 1
    """The number of nodes that it stands for; of a group it may be more than its known members."""
    perimeter: str = ""
    """Its name; empty for a hidden or unknown node."""
    run: RunFacts | None = None
    """What is known of a run or session, if it has been told."""
    digest: str = ""
    """The content address of an instance, if it is known."""
    late_since: datetime | None = None
    """When the next version of an asset that is late was expected; None: it is not late, or it is not asked for now."""
    same_content: tuple[str, ...] = ()
    """The ids of the other nodes of the graph with this digest."""


@dataclass(frozen=True, slots=True)
class Link:
    """An edge of the graph, from `source` to `target`."""

    source: str
    target: str
    relation: Relation
    first_at: datetime | None = None
    last_at: datetime | None = None
    """None, and `count` too, if it has changed since the time of the question: older values are not stored."""
    count: int | None = None
    """Of events, without those of failed attempts."""
    version: str = ""
    """`v12`: what was read, made or promoted last; empty for a definition, or like the times above."""
    roles: tuple[str, ...] = ()
    """Of readings: `input`, `baseline`, …"""
    by: str = ""
    """How it is known that all inputs of what a run made are shown: `task`, `run` or `session`."""
    change: str = ""
    """`added` or `removed`, where two graphs are drawn as one; empty: both have it."""


@dataclass(frozen=True, slots=True)
class Input:
    """What went into a version directly, in one role: an instance, a definition that was read without one, or the
    unknown source of a copy."""

    node: Node
    """As lineage names it: without name, version and digest where the viewer may not see it."""
    origin: tuple[Any, ...]
    """The same for all copies of one version, through any number of promotions."""
    role: str = ""
    """Empty: an input. What was read as a baseline went into nothing."""
    asset: int | None = None
    """The key of its asset, if it is a version that the viewer may see."""

    @property
    def is_hidden(self) -> bool:
        return self.node.kind == Kind.HIDDEN

    @property
    def is_definition(self) -> bool:
        """Whether it was read without a version, so that its content is not known."""
        return self.node.kind.is_asset and not self.node.version


@dataclass(frozen=True, slots=True)
class Inputs:
    """All that went into a version directly, in the order of its names."""

    all: tuple[Input, ...] = ()
    complete: bool = True
    """Whether nothing can be missing, and nothing is only presumed because a resumed run was not read yet."""

    def __iter__(self) -> Iterator[Input]:
        return iter(self.all)

    def __len__(self) -> int:
        return len(self.all)


@dataclass(frozen=True, slots=True)
class Cycle:
    """A strongly connected part: each of its nodes feeds itself, directly or through others."""

    nodes: tuple[str, ...]
    """One cycle in it, from the first id on: each feeds the next, the last feeds the first."""
    size: int
    """The number of nodes in the whole part, which may have other cycles."""


def graph_of(nodes: Iterable[Node], links: Iterable[Link]) -> nx.DiGraph:
    """The graph of these rows, in the order of their ids. Links to missing nodes are ignored."""
    graph: nx.DiGraph = nx.DiGraph()
    for node in sorted(nodes, key=lambda each: each.id):
        graph.add_node(node.id, node=node)
    for link in sorted(links, key=lambda each: (each.source, each.target)):
        if link.source in graph and link.target in graph:
            graph.add_edge(link.source, link.target, link=link)
    return graph


def nodes_of(graph: nx.DiGraph) -> list[Node]:
    return [data["node"] for _, data in graph.nodes(data=True)]


def links_of(graph: nx.DiGraph) -> list[Link]:
    return [data["link"] for _, _, data in graph.edges(data=True)]


def cycles_of(graph: nx.DiGraph) -> list[Cycle]:
    """The strongly connected parts with a link inside, such as a flow and its own last output; a loop is one too."""
    found = [_cycle(graph, part) for part in nx.strongly_connected_components(graph) if _is_cyclic(graph, part)]
    return sorted(found, key=lambda cycle: cycle.nodes)


def _is_cyclic(graph: nx.DiGraph, part: set[str]) -> bool:
    return len(part) > 1 or all(graph.has_edge(node, node) for node in part)


def _cycle(graph: nx.DiGraph, part: set[str]) -> Cycle:
    first = min(part)
    if len(part) == 1:
        return Cycle((first,), 1)
    inside = graph.subgraph(part)
    back = min((nx.shortest_path(inside, after, first) for after in sorted(inside.successors(first))), key=len)
    return Cycle((first, *back[:-1]), len(part))


def within_cycles(graph: nx.DiGraph) -> set[tuple[str, str]]:
    """The ends of all links that lie on a cycle."""
    part_of = {node: place for place, part in enumerate(nx.strongly_connected_components(graph)) for node in part}
    return {(a, b) for a, b in graph.edges if part_of[a] == part_of[b]}


def islands_of(graph: nx.DiGraph) -> list[tuple[str, ...]]:
    """The weakly connected parts, the largest first."""
    parts = [tuple(sorted(part)) for part in nx.weakly_connected_components(graph)]
    return sorted(parts, key=lambda part: (-len(part), part))


def between(graph: nx.DiGraph, source: Any, target: Any) -> nx.DiGraph:
    """The nodes on paths from `source` to `target`, both included; empty if there is no path."""
    if source not in graph or target not in graph:
        return graph.subgraph(())
    reached = {source} | nx.descendants(graph, source)
    reaching = {target} | nx.ancestors(graph, target)
    return graph.subgraph(reached & reaching if target in reached else ())
