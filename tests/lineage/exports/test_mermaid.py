"""The Mermaid flowchart of an answer, read back line by line."""

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lineage.answers import Answer
from lineage.exports import EXPORTS
from lineage.exports.captions import caption, printable
from lineage.graph import Kind
from tests.lineage.exports.examples import ANSWERS, SITE, answer_of, asset, by_component, consumes, flow, hostile

LABEL = r'"((?:[^\W_]|[ _/-]|#\d+;|<br/>)*)"'
NODE = re.compile(rf"(n\d+)([^\w\" ]+){LABEL}([^\w\" ]+)")
LINK = re.compile(r'(n\d+) ((?:-->|==>|-\.->)(?:\|"[^"|]*"\|)?) (n\d+)')
LANE = re.compile(rf"subgraph branch\d+ \[{LABEL}\]")
CLICK = re.compile(r'click (n\d+) href "([^"\s]+)"')
FRAME = re.compile(r"flowchart LR|%% [\w :.,-]+|end|classDef dashed stroke-dasharray: 4 3|class (n\d+,?)+ dashed")


def decoded(label: str) -> str:
    read = re.sub(r"#(\d+);", lambda code: chr(int(code[1])), label)
    assert "\\n" not in read, "here Mermaid breaks the line"
    assert "$$" not in read, "here Mermaid reads a formula"
    return read.replace("\N{WORD JOINER}", "")


def lines_of(answer: Answer) -> list[str]:
    return [line.strip() for line in EXPORTS["mmd"].write(answer, SITE).split("\n") if line]


def ids_of(answer: Answer) -> dict[str, str]:
    """Our ids by the numbers of the flowchart."""
    return {f"n{number}": node.id for number, node in enumerate(answer.nodes, start=1)}


def shown(answer: Answer) -> dict[str, list[str]]:
    found = [node for line in lines_of(answer) if (node := NODE.fullmatch(line))]
    return {ids_of(answer)[node[1]]: [decoded(part) for part in node[3].split("<br/>")] for node in found}


def arrows(answer: Answer) -> dict[tuple[str, str], str]:
    ids, found = ids_of(answer), [link for line in lines_of(answer) if (link := LINK.fullmatch(line))]
    return {(ids[link[1]], ids[link[3]]): link[2] for link in found}


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)
def test_it_has_the_nodes_and_links_of_the_answer(answer):
    assert shown(answer()) == {node.id: [line for line in caption(node) if line] for node in answer().nodes}
    assert set(arrows(answer())) == set(answer().graph.edges)


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)
def test_every_line_is_one_that_mermaid_reads_as_it_was_meant(answer):
    for line in lines_of(answer()):
        assert any(pattern.fullmatch(line) for pattern in (NODE, LINK, LANE, CLICK, FRAME)), line


def test_a_name_cannot_give_orders():
    text = EXPORTS["mmd"].write(hostile(), SITE)
    assert "%%{" not in text
    assert "`" not in text
    assert "javascript:" not in text
    assert not re.search(r"(?:style|classDef).*:\S*#.*;", text), "there Mermaid drops the last semicolon"


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
def test_any_name_is_shown_as_it_is(name):
    answer = answer_of([asset(1, name, version="")], [])
    assert shown(answer)["d_1"] == [printable(name), "data"]


def test_kinds_have_shapes_of_their_own_and_promotions_are_dotted():
    found = [node for line in lines_of(by_component()) if (node := NODE.fullmatch(line))]
    kinds = {node.id: node.kind for node in by_component().nodes}
    shapes = {kinds[ids_of(by_component())[node[1]]]: node[2] for node in found}
    assert shapes.keys() >= {Kind.DATA, Kind.MODEL, Kind.FLOW, Kind.DEPLOYMENT, Kind.UNKNOWN, Kind.HIDDEN}
    assert len(set(shapes.values())) == len(shapes)
    links = arrows(by_component())
    assert links["d_3", "d_2"] == '-.->|"promotes"|'
    assert links["d_1", "c_1.main"] == "==>", "it is part of a cycle"
    assert links["d_2", "c_3.main"] == "-->"


def test_links_have_the_version_and_the_roles_of_what_was_read():
    model, gate = asset(1, "Model"), flow(1, "Gate")
    read = replace(consumes(model, gate), version="v2", roles=("baseline",))
    (shown_link,) = arrows(answer_of([model, gate], [read])).values()
    assert decoded(shown_link) == '-.->|"v2 (baseline)"|'
    (plain,) = arrows(answer_of([model, gate], [replace(read, roles=("input",))])).values()
    assert plain == '-->|"v2"|'


def test_branches_are_subgraphs():
    inside: dict[str, list[str]] = {}
    lane, ids = "", ids_of(by_component())
    for line in lines_of(by_component()):
        if opened := LANE.fullmatch(line):
            lane = decoded(opened[1])
        elif line == "end":
            lane = ""
        elif node := NODE.fullmatch(line):
            inside.setdefault(lane, []).append(ids[node[1]])
    assert inside == {
        "": ["c_4.", "x_1", "x_lost"],
        "feature/x": ["c_1.feature_x", "d_3"],
        "main": ["c_1.main", "c_3.main", "d_1", "d_2", "d_4", "d_5"],
    }


def test_nodes_link_to_their_pages():
    clicks = dict(found.groups() for line in lines_of(by_component()) if (found := CLICK.fullmatch(line)))
    ids = ids_of(by_component())
    assert {ids[number]: url for number, url in clicks.items()} == {
        node.id: SITE + node.url for node in by_component().nodes if node.url
    }
