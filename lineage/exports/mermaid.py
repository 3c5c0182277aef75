"""An answer as a Mermaid flowchart: a subgraph for each branch, a shape for each kind, promotions dotted, cycles thick.

Mermaid has no escapes but its entity codes, `#34;` for a quote, and interprets more in a label than its quotes suggest:
directives (`%%{`), markdown, HTML, and a colon before a hash in a line with "style". So every character of a label that
is no letter, digit or blank is written as a code, except `_`, `-` and `/` within a word, where they have no meaning.
Two sequences are interpreted after the codes are decoded, a backslash before an n and two dollars: a word joiner is put
into these. Nodes are numbered, because some words (`end`, `default`) can't be ids. Renderers stop at 500 links and
50,000 characters unless they are configured for more.

https://mermaid.js.org/syntax/flowchart.html#entity-codes-to-escape-characters
"""

import re

from lineage.answers import Answer
from lineage.exports.captions import Lane, arrow_caption, caption, lanes_of
from lineage.exports.honesty import comments
from lineage.graph import Kind, Link, Node, Relation, within_cycles
from obproject.roles import BASELINE

SHAPES = {
    Kind.DATA: ("[(", ")]"),
    Kind.MODEL: ("{{", "}}"),
    Kind.FLOW: ("([", "])"),
    Kind.DEPLOYMENT: ("[[", "]]"),
    Kind.PERSON: ("((", "))"),
    Kind.CI: ("[/", "/]"),
    Kind.RUN: ("(", ")"),
    Kind.UNKNOWN: (">", "]"),
    Kind.HIDDEN: ("[", "]"),
    Kind.GROUP: ("[\\", "\\]"),
}
_WITHIN_WORD = re.compile(r"(?<=[0-9A-Za-z])[-_/](?=[0-9A-Za-z])")
_SPECIAL = re.compile(r"[^\w ]|_")
_READ_LATE = re.compile(r"\\(?=n)|\$(?=\$)")
_JOINER = "\N{WORD JOINER}"


def write(answer: Answer, base_url: str) -> str:
    """The answer in Mermaid; nodes link to their pages below `base_url`."""
    circular = within_cycles(answer.graph)
    numbers = {node.id: f"n{number}" for number, node in enumerate(answer.nodes, start=1)}
    lines = ["flowchart LR", *(f"%% {comment}" for comment in comments(answer))]
    for number, lane in enumerate(lanes_of(answer.nodes), start=1):
        lines += _lane(number, lane, numbers)
    for link in answer.links:
        lines.append(_link(link, arrow_caption(link, answer), numbers, (link.source, link.target) in circular))
    lines += [f'click {numbers[node.id]} href "{_address(node, base_url)}"' for node in answer.nodes if node.url]
    dashed = [numbers[node.id] for node in answer.nodes if node.deleted or node.kind == Kind.HIDDEN]
    if dashed:
        lines += ["classDef dashed stroke-dasharray: 4 3", f"class {','.join(dashed)} dashed"]
    return "\n".join([*lines, ""])


def _lane(number: int, lane: Lane, numbers: dict[str, str]) -> list[str]:
    nodes = [_node(node, numbers[node.id]) for node in lane.nodes]
    if not lane.title:
        return nodes
    return [f'subgraph branch{number} ["{_escaped(lane.title)}"]', *(f"  {node}" for node in nodes), "end"]


def _node(node: Node, number: str) -> str:
    opening, closing = SHAPES[node.kind]
    label = "<br/>".join(_escaped(line) for line in caption(node) if line)
    return f'{number}{opening}"{label}"{closing}'


def _link(link: Link, label: str, numbers: dict[str, str], in_cycle: bool) -> str:
    arrow = "==>" if in_cycle else "-->"
    if link.relation == Relation.PROMOTES or link.roles == (BASELINE,):
        arrow = "-.->"
    if label:
        arrow += f'|"{_escaped(label)}"|'
    return f"{numbers[link.source]} {arrow} {numbers[link.target]}"


def _address(node: Node, base_url: str) -> str:
    return (base_url.rstrip("/") + node.url).replace('"', "%22")


def _escaped(text: str) -> str:
    text = _READ_LATE.sub(lambda match: match[0] + _JOINER, text)
    kept = {match.start() for match in _WITHIN_WORD.finditer(text)}
    return _SPECIAL.sub(lambda match: match[0] if match.start() in kept else f"#{ord(match[0])};", text)
