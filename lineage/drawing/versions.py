"""Versions beside what read or made them, and versions with the same content, as nodes of a drawing say it."""

from collections.abc import Sequence
from dataclasses import replace

import networkx as nx

from catalog.shown.names import printable
from lineage.answers import Answer, Question
from lineage.drawing.shapes import title_of, whole
from lineage.graph import Node, Relation, graph_of

DID = {Relation.CONSUMES: "read", Relation.PRODUCES: "made"}


def drawn_graph(answer: Answer) -> nx.DiGraph:
    """The graph of the answer; the versions of its nodes also say what else has to be known of them.

    Assets beside a focus that read or made another version than the newest have both, and instances with the same
    content as others have one of those.
    """
    said = _contents(answer) if answer.question == Question.EXACT else _beside_focus(answer)
    if not said:
        return answer.graph
    return graph_of((replace(node, version=said.get(node.id, node.version)) for node in answer.nodes), answer.links)


def whole_of(node: Node, answer: Answer) -> str:
    """All that is known of a node of a drawing in a sentence, for its title."""
    others = others_with_content(answer, node)
    if not others:
        return whole(node)
    return f"{whole(answer.node(node.id))}, {printable(same_content(node, others))}"


def others_with_content(answer: Answer, node: Node) -> list[Node]:
    """The other nodes of the answer with the same content."""
    return [answer.node(name) for name in node.same_content if name in answer.graph]


def _contents(answer: Answer) -> dict[str, str]:
    found = {node.id: (node, others_with_content(answer, node)) for node in answer.nodes if node.same_content}
    return {name: f"{node.version} {equals(node, others)}" for name, (node, others) in found.items() if others}


def _beside_focus(answer: Answer) -> dict[str, str]:
    beside = [(link, answer.node(link.source), link.target) for link in answer.links if link.target in answer.focus]
    beside += [(link, answer.node(link.target), link.source) for link in answer.links if link.source in answer.focus]
    found: dict[str, str] = {}
    for link, asset, focus in beside:
        differs = link.version and asset.version not in ("", link.version)
        if differs and link.relation in DID and not answer.node(focus).kind.is_asset:
            found.setdefault(asset.id, f"{DID[link.relation]} {link.version}, newest {asset.version}")
    return found


def equals(node: Node, others: Sequence[Node]) -> str:
    """ "= v3" or "= v3 +2": what has the same content, in short; a version of the same asset if there is one."""
    own = [other for other in others if _place(other) == _place(node)]
    first = own[0].version if own else title_of(others[0])
    return f"= {first} +{len(others) - 1}" if len(others) > 1 else f"= {first}"


def same_content(node: Node, others: Sequence[Node]) -> str:
    """The same in a sentence, with each of them."""
    names = [other.version if _place(other) == _place(node) else _name(other, node) for other in others]
    return f"same content as {', '.join(names)}"


def _name(other: Node, node: Node) -> str:
    named = f"{title_of(other)} {other.version}".strip()
    elsewhere = (other.project, other.branch) != (node.project, node.branch)
    return f"{named} on {other.branch_name or other.branch}" if elsewhere and other.branch else named


def _place(node: Node) -> tuple[str, ...]:
    return node.project, node.branch, node.kind.value, node.key
