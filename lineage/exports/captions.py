"""The captions of nodes in drawings, and their lanes; plain text, to be escaped by each format."""

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from catalog.states import State
from lineage.answers import Answer, Question
from lineage.graph import Kind, Link, Node, Relation
from obproject.roles import INPUT

_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


@dataclass(frozen=True, slots=True)
class Lane:
    """The nodes of one branch; without a title, the nodes without a branch."""

    title: str
    nodes: tuple[Node, ...]


def lanes_of(nodes: Iterable[Node]) -> list[Lane]:
    """The nodes in lanes, those without a branch first. Titles name the project if there are several."""
    lanes: dict[tuple[str, str], list[Node]] = defaultdict(list)
    for node in nodes:
        lanes[(node.project, node.branch) if node.branch else ("", "")].append(node)
    several = len({project for project, branch in lanes if branch}) > 1
    return [Lane(_title(lanes[key][0], several), tuple(lanes[key])) for key in sorted(lanes)]


def _title(node: Node, with_project: bool) -> str:
    if not node.branch:
        return ""
    branch = node.branch_name or node.branch
    return printable(f"{node.project} / {branch}" if with_project else branch)


def caption(node: Node) -> tuple[str, str]:
    """The two lines of a node: its name, and its kind and state. A hidden node has no name."""
    if node.kind == Kind.HIDDEN:
        return "(not visible)", node.kind.value
    marks = (node.kind.value, "deleted" if node.deleted else "", node.state if node.state != State.READY else "")
    name = " ".join(part for part in (node.name, node.version) if part)
    return printable(name), ", ".join(mark for mark in marks if mark)


def arrow_caption(link: Link, answer: Answer) -> str:
    """What is written on an arrow: the version that was read, made or promoted last, and the roles of readings.

    By instance the nodes are versions already.
    """
    words = [link.relation.value] if link.relation == Relation.PROMOTES else []
    words += [link.version] if link.version and answer.question != Question.EXACT else []
    words += [] if set(link.roles) <= {INPUT} else [f"({', '.join(link.roles)})"]
    return " ".join(words)


def printable(text: str) -> str:
    """The text on one line, with a replacement character for each control character."""
    return _UNPRINTABLE.sub("\N{REPLACEMENT CHARACTER}", text)
