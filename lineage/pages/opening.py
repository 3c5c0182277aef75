"""Open nodes of an answer: each adds its neighbours that were not shown."""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import replace

import networkx as nx

from access.errors import NotFound
from access.identity import Viewer
from catalog.models import Asset
from lineage import questions
from lineage.answer_from_walk import link_of
from lineage.answers import Answer, LeftOut, More, Question, Reason
from lineage.component_rows import ComponentRows, asset_key, component_key
from lineage.graph import Kind, Link, Node, graph_of, links_of, nodes_of
from lineage.scope import Scope
from lineage.walk import Key

MOST_OPENED = 12


def with_opened(viewer: Viewer, base: Answer, opened: Sequence[str], scope: Scope) -> list[Answer]:
    """The answer, then the same with each of `opened` opened in turn. Groups are opened by the drawing instead."""
    nodes = [name for name in dict.fromkeys(opened) if not name.startswith("g_")]
    if base.question == Question.EXACT or not nodes:
        return [base]
    answers = [base]
    beside = replace(scope, direction="both", depth=1, kinds=frozenset(), branches=frozenset(), notes=())
    for name in nodes[:MOST_OPENED]:
        if name in answers[-1].graph:
            with suppress(NotFound):  # hidden, or gone since the link was made
                answers.append(merged(answers[-1], questions.around(viewer, name, beside), name))
    if len(nodes) > MOST_OPENED:
        note = f"Only the first {MOST_OPENED} of {len(nodes)} opened nodes are open."
        answers[-1] = replace(answers[-1], notes=(*answers[-1].notes, note))
    if len(answers) == 1:
        return answers
    links = _links_among(viewer, answers[-1].graph, scope)
    return [with_links(answer, links) for answer in answers]


def merged(base: Answer, around: Answer, opened: str) -> Answer:
    """The answer with the neighbourhood `around` one of its nodes merged into it."""
    around_graph = _renumbered(around.graph, base.graph, opened)
    nodes = {node.id: node for node in [*nodes_of(around_graph), *nodes_of(base.graph)]}
    links = {(link.source, link.target): link for link in [*links_of(around_graph), *links_of(base.graph)]}
    graph = graph_of(nodes.values(), links.values())
    more = {name: left for name, left in around.more.items() if name in graph and name not in base.graph}
    more |= {name: left for name, left in base.more.items() if name != opened}
    if opened in around.more:
        more[opened] = around.more[opened]
    return replace(
        base,
        graph=graph,
        found=max(base.found, len(graph)),
        more=more,
        left_out=_left_out(base, graph, more),
        via={**dict.fromkeys(graph.nodes - base.graph.nodes, opened), **base.via},
    )


def with_links(answer: Answer, links: Iterable[Link]) -> Answer:
    """The answer with those of `links` that are between its nodes; these neighbours count as shown."""
    graph = answer.graph
    new = [link for link in links if {link.source, link.target} <= graph.nodes and not graph.has_edge(*_ends(link))]
    more = dict(answer.more)
    for link in new:
        for name, up, down in ((link.target, 1, 0), (link.source, 0, 1)):
            left = more.get(name, More())
            more[name] = More(max(left.up - up, 0), max(left.down - down, 0))
    more = {name: left for name, left in more.items() if left.up or left.down}
    graph = graph_of(nodes_of(graph), [*links_of(graph), *new])
    answer = replace(answer, graph=graph, more=more)
    return replace(answer, left_out=_left_out(answer, graph, more))


def _ends(link: Link) -> tuple[str, str]:
    return link.source, link.target


def _links_among(viewer: Viewer, graph: nx.DiGraph, scope: Scope) -> list[Link]:
    """Every link between visible nodes, in two queries. Those of hidden nodes came with their neighbours."""
    names: dict[Key, str] = {}
    shown = Asset.objects.visible_to(viewer).filter(
        definition_uid__in=[name for name in graph if name.startswith("d_")]
    )
    for pk, uid in shown.values_list("pk", "definition_uid"):
        names[asset_key(pk)] = uid
    for name in graph:
        if match := questions.COMPONENT_ID.fullmatch(name):
            names[component_key(int(match[1]), match[2])] = name
    rows = ComponentRows(scope.as_of, scope.roles)
    return [link_of(arrow, names[arrow.source], names[arrow.target]) for arrow in rows.among(names)]


def up_to(answer: Answer, depth: int) -> Answer:
    """The part of an answer within a smaller depth."""
    near = [name for name in answer.graph if abs(answer.distance.get(name, 0)) <= depth]
    return replace(answer, graph=answer.graph.subgraph(near))


def _renumbered(graph: nx.DiGraph, base: nx.DiGraph, opened: str) -> nx.DiGraph:
    """The graph with the ids that its hidden nodes have in `base`, as far as they are neighbours of `opened` there."""
    hidden = [node.id for node in nodes_of(graph) if node.kind == Kind.HIDDEN]
    if not hidden:
        return graph
    known = {side: _hidden_beside(base, opened, side) for side in ("up", "down")}
    number = sum(node.kind == Kind.HIDDEN for node in nodes_of(base))
    names: dict[str, str] = {}
    for side in ("up", "down"):
        for name in _hidden_beside(graph, opened, side):
            if name not in names and known[side]:
                names[name] = known[side].pop(0)
    for name in hidden:
        if name not in names:
            number += 1
            names[name] = f"x_{number}"
    return graph_of(
        (replace(node, id=names.get(node.id, node.id)) for node in nodes_of(graph)),
        (_between(link, names) for link in links_of(graph)),
    )


def _hidden_beside(graph: nx.DiGraph, name: str, side: str) -> list[str]:
    beside = graph.pred[name] if side == "up" else graph.succ[name]
    return [other for other in beside if _node(graph, other).kind == Kind.HIDDEN]


def _node(graph: nx.DiGraph, name: str) -> Node:
    node: Node = graph.nodes[name]["node"]
    return node


def _between(link: Link, names: dict[str, str]) -> Link:
    return replace(link, source=names.get(link.source, link.source), target=names.get(link.target, link.target))


def _left_out(base: Answer, graph: nx.DiGraph, more: dict[str, More]) -> tuple[LeftOut, ...]:
    """The nodes still left out: those counted before, and the uncounted neighbours of the new nodes."""
    cuts: dict[Reason, LeftOut] = {cut.reason: cut for cut in base.left_out if cut.reason != Reason.HIDDEN}
    new = len(graph) - len(base.graph)
    for reason in (Reason.DEPTH, Reason.BUDGET):
        if cut := cuts.pop(reason, None):
            left = max(cut.count - new, 0)
            new -= cut.count - left
            if left or cut.at_least:
                cuts[reason] = replace(cut, count=max(left, 1))
    if more:
        far = cuts.get(Reason.DEPTH)
        beside_new = max((max(left.up, left.down) for name, left in more.items() if name not in base.graph), default=0)
        if beside_new or not (far or Reason.BUDGET in cuts):
            cuts[Reason.DEPTH] = LeftOut(Reason.DEPTH, max(beside_new, far.count if far else 1), at_least=True)
    elif not base.found_at_least:
        cuts.pop(Reason.DEPTH, None)
    hidden = sum(node.kind == Kind.HIDDEN for node in nodes_of(graph))
    if hidden:
        cuts[Reason.HIDDEN] = LeftOut(Reason.HIDDEN, hidden)
    return tuple(cuts[reason] for reason in Reason if reason in cuts)
