"""Group siblings that are too many to read: they are drawn as one node, "+37 more flows", which opens on demand."""

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from hashlib import blake2b

import networkx as nx

from lineage.graph import Kind, Link, Node, graph_of, links_of, nodes_of

MOST_NODES = 250
"""The most nodes in one drawing."""
MOST_SIBLINGS = 60
"""With more siblings than this, some are grouped."""
SHOWN_SIBLINGS = 20
OPENED = 80
"""The number of nodes that each opening of a group adds."""
PLURALS = {
    Kind.DATA: "data assets",
    Kind.MODEL: "models",
    Kind.FLOW: "flows",
    Kind.DEPLOYMENT: "deployments",
    Kind.PERSON: "people",
    Kind.CI: "CI jobs",
    Kind.RUN: "runs",
    Kind.UNKNOWN: "unknown nodes",
    Kind.HIDDEN: "hidden nodes",
    Kind.GROUP: "groups",
}
_EARLIEST = datetime(1, 1, 1, tzinfo=UTC)

Signature = tuple[object, ...]
Likeness = Callable[[nx.DiGraph, str], Signature]


@dataclass(frozen=True, slots=True)
class Gathered:
    """The graph to draw. `members`: the ids of the nodes in each group."""

    graph: nx.DiGraph
    members: dict[str, tuple[str, ...]]


def gathered(
    graph: nx.DiGraph,
    *,
    pinned: Collection[str],
    opened: Sequence[str],
    lane_of: Mapping[str, str],
    most: int = MOST_NODES,
) -> Gathered:
    """The graph with at most `most` nodes. Those `pinned` are never grouped; `opened` groups show more of theirs."""
    times = Counter(opened)
    groups: dict[str, list[str]] = {}
    for likeness, limit, shown, lanes in _STEPS:
        alike = _alike(graph, pinned, _largest(lane_of, lanes), likeness)
        groups = {
            group: nodes[shown:] for group, nodes in alike.items() if len(nodes) > limit and len(nodes) > shown + 1
        }
        if _size(graph, groups) <= most:
            break
    return _collapsed(graph, _unfolded(graph, groups, times, most))


def _with_both_sides(graph: nx.DiGraph, node: str) -> Signature:
    return (tuple(sorted(graph.pred[node])), tuple(sorted(graph.succ[node])))


def _with_either_side(graph: nx.DiGraph, node: str) -> Signature:
    sources = tuple(sorted(graph.pred[node]))
    return ("from", sources) if sources else ("to", tuple(sorted(graph.succ[node])))


def _with_nobody(graph: nx.DiGraph, node: str) -> Signature:
    return ()


_EVERY = 1_000_000
_STEPS: tuple[tuple[Likeness, int, int, int], ...] = (
    (_with_both_sides, MOST_SIBLINGS, SHOWN_SIBLINGS, _EVERY),
    (_with_both_sides, 24, 12, _EVERY),
    (_with_both_sides, 6, 3, _EVERY),
    (_with_either_side, 24, 12, _EVERY),
    (_with_either_side, 6, 3, _EVERY),
    (_with_nobody, 24, 12, _EVERY),
    (_with_nobody, 6, 3, _EVERY),
    (_with_nobody, 1, 0, 12),
    (_with_nobody, 1, 0, 3),
)
"""Tried in turn, ever coarser: what siblings have in common; the number above which they are grouped; how many of them
are still shown; and how many lanes, the largest ones, are grouped apart."""


def _largest(lane_of: Mapping[str, str], most: int) -> dict[str, str]:
    """The lane of each node that is in one of the `most` largest lanes."""
    sizes = Counter(lane_of.values())
    large = set(sorted(sizes, key=lambda lane: (-sizes[lane], lane))[:most])
    return {name: lane for name, lane in lane_of.items() if lane in large}


def _alike(
    graph: nx.DiGraph, pinned: Collection[str], lane_of: Mapping[str, str], likeness: Likeness
) -> dict[str, list[str]]:
    """The nodes of each possible group, those last active first."""
    found: dict[Signature, list[str]] = defaultdict(list)
    for node in nodes_of(graph):
        if node.id not in pinned:
            found[node.kind.value, lane_of.get(node.id, ""), *likeness(graph, node.id)].append(node.id)
    return {_group_id(signature): _latest_first(graph, nodes) for signature, nodes in found.items()}


def _latest_first(graph: nx.DiGraph, nodes: list[str]) -> list[str]:
    by_name = sorted(nodes, key=lambda name: (graph.nodes[name]["node"].name, name))
    return sorted(by_name, key=lambda name: graph.nodes[name]["node"].at or _EARLIEST, reverse=True)


def _group_id(signature: Signature) -> str:
    return f"g_{blake2b(repr(signature).encode(), digest_size=6).hexdigest()}"


def _size(graph: nx.DiGraph, groups: Mapping[str, Sequence[str]]) -> int:
    return len(graph) + sum(1 - len(nodes) for nodes in groups.values())


def _unfolded(
    graph: nx.DiGraph, groups: dict[str, list[str]], times: Mapping[str, int], most: int
) -> dict[str, list[str]]:
    """The groups without the nodes that their openings show, as far as there is room."""
    room = most - _size(graph, groups)
    left = dict(groups)
    for group in sorted(groups.keys() & times.keys()):
        more = min(OPENED * times[group], max(room, 0))
        more = len(groups[group]) if len(groups[group]) <= more + 1 else more
        left[group] = groups[group][more:]
        room -= more
    return {group: nodes for group, nodes in left.items() if nodes}


def _collapsed(graph: nx.DiGraph, groups: Mapping[str, list[str]]) -> Gathered:
    group_of = {node: group for group, nodes in groups.items() for node in nodes}
    if not group_of:
        return Gathered(graph, {})
    nodes = [node for node in nodes_of(graph) if node.id not in group_of]
    nodes += [_group(graph, group, names) for group, names in groups.items()]
    links: dict[tuple[str, str], Link] = {}
    for link in links_of(graph):
        ends = group_of.get(link.source, link.source), group_of.get(link.target, link.target)
        if ends[0] != ends[1] or (link.source == link.target and link.source not in group_of):
            links[ends] = _joined(links.get(ends), link, ends)
    return Gathered(graph_of(nodes, links.values()), {group: tuple(names) for group, names in groups.items()})


def _group(graph: nx.DiGraph, group: str, names: Sequence[str]) -> Node:
    members: list[Node] = [graph.nodes[name]["node"] for name in names]
    first = members[0]
    alike = len({(member.project, member.branch) for member in members}) == 1
    return Node(
        id=group,
        kind=Kind.GROUP,
        name=f"+{len(names)} more {PLURALS[first.kind]}",
        project=first.project if alike else "",
        branch=first.branch if alike else "",
        branch_name=first.branch_name if alike else "",
        at=max((member.at for member in members if member.at), default=None),
        members=tuple(names),
        size=len(names),
    )


def _joined(before: Link | None, link: Link, ends: tuple[str, str]) -> Link:
    """One link for several: the first and last time of all, the sum of the counts if all are known, all their roles,
    and what else they have in common."""
    if before is None:
        return replace(link, source=ends[0], target=ends[1])
    firsts = [at for at in (before.first_at, link.first_at) if at]
    lasts = [at for at in (before.last_at, link.last_at) if at]
    return replace(
        before,
        first_at=min(firsts, default=None),
        last_at=max(lasts, default=None),
        count=before.count + link.count if before.count is not None and link.count is not None else None,
        version=before.version if before.version == link.version else "",
        roles=tuple(sorted({*before.roles, *link.roles})),
        by=before.by if before.by == link.by else "",
    )
