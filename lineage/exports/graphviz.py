"""An answer in Graphviz's DOT: a cluster for each branch, a shape for each kind, promotions dashed, cycles bold.

In a quoted string of DOT a backslash escapes a quote. In a label the backslash itself has a meaning (`\\N` is the name
of the node, `\\n` a line break), and so have HTML entities.
"""

from lineage.answers import Answer
from lineage.exports.captions import Lane, arrow_caption, caption, lanes_of
from lineage.exports.honesty import comments
from lineage.graph import Kind, Link, Node, Relation, within_cycles
from obproject.roles import BASELINE

SHAPES = {
    Kind.DATA: "cylinder",
    Kind.MODEL: "component",
    Kind.FLOW: "ellipse",
    Kind.DEPLOYMENT: "box3d",
    Kind.PERSON: "egg",
    Kind.CI: "parallelogram",
    Kind.RUN: "box",
    Kind.UNKNOWN: "diamond",
    Kind.HIDDEN: "box",
    Kind.GROUP: "folder",
}


def write(answer: Answer, base_url: str) -> str:
    """The answer in DOT; nodes link to their pages below `base_url`."""
    circular = within_cycles(answer.graph)
    lines = [f"// {comment}" for comment in comments(answer)]
    lines += ["digraph lineage {", "  rankdir=LR"]
    lines += [f'  {part} [fontname="sans-serif"]' for part in ("graph", "node", "edge")]
    for number, lane in enumerate(lanes_of(answer.nodes)):
        lines += _lane(number, lane, base_url)
    for link in answer.links:
        lines.append(_link(link, arrow_caption(link, answer), (link.source, link.target) in circular))
    return "\n".join([*lines, "}", ""])


def _lane(number: int, lane: Lane, base_url: str) -> list[str]:
    nodes = [_node(node, base_url) for node in lane.nodes]
    if not lane.title:
        return [f"  {node}" for node in nodes]
    inside = [f"label={_label(lane.title)}", *nodes]
    return [f"  subgraph cluster_{number} {{", *(f"    {line}" for line in inside), "  }"]


def _node(node: Node, base_url: str) -> str:
    attributes = {"label": _label(*caption(node)), "shape": SHAPES[node.kind]}
    if node.kind == Kind.HIDDEN or node.deleted:
        attributes["style"] = "dashed"
    if node.url:
        attributes["URL"] = _quoted(base_url.rstrip("/") + node.url)
    return f"{_quoted(node.id)} {_written(attributes)}"


def _link(link: Link, label: str, in_cycle: bool) -> str:
    attributes = {"tooltip": link.relation.value}
    if label:
        attributes["label"] = _label(label)
    if link.relation == Relation.PROMOTES:
        attributes["style"] = "dashed"
    elif link.roles == (BASELINE,):
        attributes["style"] = "dotted"
    elif in_cycle:
        attributes |= {"style": "bold", "tooltip": _quoted(f"{link.relation.value}, in a cycle")}
    return f"  {_quoted(link.source)} -> {_quoted(link.target)} {_written(attributes)}"


def _written(attributes: dict[str, str]) -> str:
    return f"[{' '.join(f'{name}={value}' for name, value in attributes.items())}]"


def _label(*lines: str) -> str:
    return '"' + "\\n".join(_escaped(line.replace("&", "&amp;")) for line in lines if line) + '"'


def _quoted(text: str) -> str:
    return f'"{_escaped(text)}"'


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')
