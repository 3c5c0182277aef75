"""What has to hold of answers about random worlds, by the oracle: the names of both, and their graphs."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

import networkx as nx

from lineage.answers import Answer, More, Question, Reason, answer_shape
from lineage.graph import Kind, Link, Node
from tests.lineage.oracle import (
    Component,
    Fact,
    Graph,
    Made,
    Maker,
    OnlyRead,
    Reader,
    Run,
    Unheard,
    Walk,
    deleted,
    digests_of,
)
from tests.lineage.worlds import VAULT, Definition, Registered, World

HIDDEN = "hidden"
Label = Any

# --- names of the oracle and of the answers


def visible(nodes: Iterable) -> set:
    return {node for node in nodes if node.perimeter != VAULT}


def hidden(nodes: Iterable) -> set:
    return set(nodes) - visible(nodes)


def some(chance: random.Random, nodes: Iterable, count: int) -> list:
    """A few of these nodes, always the same ones."""
    known = sorted(nodes, key=repr)
    return chance.sample(known, min(count, len(known)))


def wire(world: World, node: Definition | Component | Made) -> str:
    if isinstance(node, Component):
        return f"c_{world.components[node.perimeter, node.project, node.kind, node.name]}.{node.branch}"
    return node.uid


def unhidden(answer: Answer) -> dict[str, Node]:
    return {node.id: node for node in answer.nodes if node.kind != Kind.HIDDEN}


def left_out(answer: Answer, reason: Reason) -> int:
    return sum(cut.count for cut in answer.left_out if cut.reason == reason)


def true_label(world: World, node: Any, graph: Graph) -> Label:
    """What a node of the oracle is called; runs and makers have nodes of equal names, which their arrows tell apart."""
    if node.perimeter == VAULT:
        return HIDDEN
    if isinstance(node, Definition | Component | Made):
        return wire(world, node)
    if isinstance(node, Run | OnlyRead):
        return "run", node.run
    if isinstance(node, Maker | Reader):
        component = node.component
        kind = {"other": "unknown"}.get(component.kind, component.kind)
        return kind, component.name, component.project, component.branch
    assert isinstance(node, Unheard)
    return "unknown", node.what if isinstance(node.what, str) else node.what.uid


def label(node: Node, answer: Answer) -> Label:
    """What a node of an answer is called in the same words."""
    if node.kind == Kind.HIDDEN:
        return HIDDEN
    if node.kind.is_asset or (node.id.startswith("c_") and answer.question != Question.EXACT):
        return node.id
    if node.kind == Kind.RUN:
        return "run", node.name.split()[-1]
    if node.id.startswith("u_"):
        copies = sorted(answer.graph.successors(node.id))
        return "unknown", copies[0] if copies and copies[0][:2] == "d_" else node.name
    return node.kind.value, node.name, node.project, node.branch


# --- what holds of every answer


def check_honest(answer: Answer, at: datetime | None, *, complete: bool) -> None:
    """Nothing hidden is told, nothing later than the moment, and the counts agree with what is shown."""
    assert VAULT not in json.dumps(answer_shape(answer)).lower()
    concealed = {node.id: node for node in answer.nodes if node.kind == Kind.HIDDEN}
    for key, node in concealed.items():
        assert node == Node(key, Kind.HIDDEN, "")
    for link in answer.links:
        if link.source in concealed or link.target in concealed:
            told = (link.first_at, link.last_at, link.count, link.version, link.roles, link.by)
            assert told == (None, None, None, "", (), "")
    if at:
        assert answer.as_of == at
        assert answer.is_past
        told_times = [time for node in answer.nodes for time in [node.at] if time]
        told_times += [time for link in answer.links for time in (link.first_at, link.last_at) if time]
        assert all(time <= at for time in told_times)
    assert left_out(answer, Reason.HIDDEN) == len(concealed)
    if not answer.found_at_least:
        assert answer.found == len(answer.graph) + left_out(answer, Reason.BUDGET) + left_out(answer, Reason.FILTER)
    assert answer.complete == complete


def check_graph(
    world: World,
    answer: Answer,
    truth: Graph,
    at: datetime | None,
    *,
    hiding: bool = False,
    counted: Callable[[Label], bool] = bool,
) -> None:
    """These nodes and all arrows between them, with what is true of each. `hiding`: hidden ones are not looked at.

    `counted`: to which nodes the arrows have the counts and times of the truth.
    """
    shown = answer.graph.subgraph(unhidden(answer)) if hiding else answer.graph
    names = {node.id: label(node, answer) for node in answer.nodes if node.id in shown}
    true_names = {node: true_label(world, node, truth) for node in truth.nodes}
    assert Counter(names.values()) == Counter(true_names.values())
    arrows = [
        (names[link.source], names[link.target], told(link)[: None if counted(names[link.target]) else 1])
        for link in answer.links
        if link.source in names and link.target in names
    ]
    true_arrows = [
        (
            true_names[a],
            true_names[b],
            true(fact, is_hidden=HIDDEN in (true_names[a], true_names[b]))[: None if counted(true_names[b]) else 1],
        )
        for (a, b), fact in truth.links.items()
    ]
    assert Counter(arrows) == Counter(true_arrows)
    check_nodes(world, answer, truth, at)
    same = nx.algorithms.isomorphism.categorical_node_match("is", None)
    assert nx.is_isomorphic(labelled(names, shown.edges), labelled(true_names, truth.links), node_match=same)


def told(link: Link) -> tuple:
    roles = frozenset(link.roles)
    assert len(roles) == len(link.roles)
    return link.relation.value, link.first_at, link.last_at, link.count, link.version, roles, link.by


def true(fact: Fact, *, is_hidden: bool) -> tuple:
    if is_hidden:
        return fact.relation, None, None, None, "", frozenset(), ""
    return fact.relation, fact.first_at, fact.last_at, fact.count, fact.version or "", fact.roles, fact.by


def labelled(names: dict[Any, Label], pairs: Iterable[tuple[Any, Any]]) -> nx.DiGraph:
    graph = nx.DiGraph(list(pairs))
    graph.add_nodes_from((node, {"is": name}) for node, name in names.items())
    return graph


def is_shown(world: World, answer: Answer, node: Any, truth: Graph) -> bool:
    return true_label(world, node, truth) in {label(one, answer) for one in answer.nodes}


def check_nodes(world: World, answer: Answer, truth: Graph, at: datetime | None) -> None:
    gone = deleted(world.events, at)
    digests, known = digests_of(world.events), {node.id for node in answer.nodes}
    for node in visible(truth.nodes):
        if isinstance(node, Definition | Component):
            shown = answer.node(wire(world, node))
            assert (shown.name, shown.project, shown.branch) == (node.name, node.project, node.branch)
            assert shown.kind == {"models": "model", "other": "unknown"}.get(node.kind, node.kind)
            assert shown.deleted == (node in gone)
            if shown.kind.is_asset:
                check_version(world, node, shown, at)
        if isinstance(node, Made):
            mine = digests.get(node.uid)
            same = {uid for uid in known & digests.keys() if mine and digests[uid] == mine} - {node.uid}
            assert set(answer.node(node.uid).same_content) == same


def check_version(world: World, asset: Definition, shown: Node, at: datetime | None) -> None:
    """The newest one; of a past moment, if it was there already."""
    mine = [event for event in world.events if isinstance(event, Registered) and event.asset == asset]
    past = [event for event in mine if at is None or event.at <= at]
    assert shown.version in {"", *(f"v{place}" for place in range(1, len(past) + 1))}


def check_depth(answer: Answer, walk: Walk) -> None:
    """What is further away is counted for one arrow only, and so it is said to be at least so much."""
    cut = [cut for cut in answer.left_out if cut.reason == Reason.DEPTH]
    further = walk.reachable - walk.shown
    assert len(cut) == bool(further)
    for one in cut:
        assert one.at_least
        assert len(walk.next_ring) <= one.count <= len(further)


def check_near(world: World, answer: Answer, walk: Walk) -> None:
    """How far each node is, and how many of its neighbours are not shown."""
    more = answer.more
    shown = Counter(
        (label(node, answer), answer.distance[node.id], *sides(more.get(node.id, More()))) for node in answer.nodes
    )
    assert shown == Counter(
        (true_label(world, node, walk.graph), walk.distance(node), *walk.more(node)) for node in walk.shown
    )


def sides(more: More) -> tuple[int, int]:
    return more.up, more.down
