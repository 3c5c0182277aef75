"""The Graphviz source of an answer: read by a small parser here, and by the real `dot` where it is installed."""

import re
import subprocess
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest

from lineage.answers import Answer
from lineage.exports import EXPORTS
from lineage.exports.captions import caption
from lineage.graph import Kind
from tests.lineage.exports.examples import ANSWERS, SITE, answer_of, asset, by_component, consumes, flow, hostile

DOT = Path("/usr/bin/dot")
SVG = "{http://www.w3.org/2000/svg}"
QUOTED = r'"(?:[^"\\]|\\.)*"'
ATTRIBUTES = rf"\[((?:\w+=(?:\w+|{QUOTED}) ?)+)\]"
NODE = re.compile(rf"({QUOTED}) {ATTRIBUTES}")
LINK = re.compile(rf"({QUOTED}) -> ({QUOTED}) {ATTRIBUTES}")
FRAME = re.compile(
    r"//.*|digraph lineage \{|rankdir=LR|(graph|node|edge) \[fontname=\"sans-serif\"\]|subgraph cluster_\d+ \{|\}"
)
LABEL = re.compile(rf"label={QUOTED}")


def written(answer: Answer) -> str:
    return EXPORTS["dot"].write(answer, SITE)


def unquoted(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text[1:-1])


def attributes(text: str) -> dict[str, str]:
    return {found[1]: found[2] for found in re.finditer(rf"(\w+)=(\w+|{QUOTED})", text)}


def parsed(answer: Answer) -> tuple[dict[str, dict[str, str]], dict[tuple[str, str], dict[str, str]]]:
    """Nodes and links with their attributes; every other line must be one that we know."""
    nodes, links = {}, {}
    for line in written(answer).splitlines():
        line = line.strip()
        if link := LINK.fullmatch(line):
            links[unquoted(link[1]), unquoted(link[2])] = attributes(link[3])
        elif node := NODE.fullmatch(line):
            nodes[unquoted(node[1])] = attributes(node[2])
        else:
            assert FRAME.fullmatch(line) or LABEL.fullmatch(line), line
    return nodes, links


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)
def test_it_has_the_nodes_and_links_of_the_answer(answer):
    nodes, links = parsed(answer())
    assert set(nodes) == set(answer().graph.nodes)
    assert set(links) == set(answer().graph.edges)


def test_kinds_have_shapes_of_their_own_and_promotions_are_dashed():
    nodes, links = parsed(by_component())
    shapes = {node.kind: nodes[node.id]["shape"] for node in by_component().nodes if node.kind != Kind.HIDDEN}
    assert len(set(shapes.values())) == len(shapes)
    assert links["d_3", "d_2"]["style"] == "dashed"
    assert links["d_1", "c_1.main"]["style"] == "bold", "it is part of a cycle"
    assert "style" not in links["d_2", "c_3.main"]
    assert nodes["d_4"]["style"] == "dashed", "it is deleted"


def test_links_have_the_version_and_the_roles_of_what_was_read():
    model, gate = asset(1, "Model"), flow(1, "Gate")
    read = replace(consumes(model, gate), version="v2", roles=("baseline",))
    (link,) = parsed(answer_of([model, gate], [read]))[1].values()
    assert (link["label"], link["style"]) == ('"v2 (baseline)"', "dotted")


def test_branches_are_clusters():
    text = written(by_component())
    clusters = re.findall(r"subgraph cluster_\d+ \{\n    label=\"(.*)\"\n((?:    .*\n)*)  \}", text)
    inside = {label: sorted(re.findall(r'^    "(\S+)" ', nodes, re.M)) for label, nodes in clusters}
    assert inside == {
        "feature/x": ["c_1.feature_x", "d_3"],
        "main": ["c_1.main", "c_3.main", "d_1", "d_2", "d_4", "d_5"],
    }


@pytest.fixture
def dot() -> Path:
    if not DOT.exists():
        pytest.skip("Graphviz is not installed: apt-get install graphviz")
    return DOT


def drawn(dot: Path, answer: Answer) -> dict[str, list[ElementTree.Element]]:
    """The nodes, links and clusters of the SVG that Graphviz makes of an answer."""
    done = subprocess.run(
        [str(dot), "-Tsvg"], input=written(answer).encode(), capture_output=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, b""), done.stderr
    groups: dict[str, list[ElementTree.Element]] = {"node": [], "edge": [], "cluster": []}
    for group in ElementTree.fromstring(done.stdout).iter(f"{SVG}g"):
        if group.get("class") in groups:
            groups[str(group.get("class"))].append(group)
    return groups


def texts(group: ElementTree.Element) -> list[str]:
    """The lines in it without their blanks, which are not kept as they were."""
    found = ["".join((text.text or "").split()) for text in group.iter(f"{SVG}text")]
    return [line for line in found if line]


def title(group: ElementTree.Element) -> str:
    return group.findtext(f"{SVG}title") or ""


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)
def test_graphviz_draws_every_node_with_its_name_and_every_link(dot, answer):
    groups = drawn(dot, answer())
    wanted = {node.id: ["".join(line.split()) for line in caption(node) if line.strip()] for node in answer().nodes}
    assert {title(node): texts(node) for node in groups["node"]} == wanted
    assert {title(link) for link in groups["edge"]} == {f"{a}->{b}" for a, b in answer().graph.edges}


def test_graphviz_shows_hostile_branches_by_their_names(dot):
    clusters = drawn(dot, hostile())["cluster"]
    names = {"".join(node.branch_name.split()) for node in hostile().nodes}
    assert {text for cluster in clusters for text in texts(cluster)} == names
