"""The headers of an export, and rules for every format."""

import pytest

from lineage.exports import EXPORTS, honesty_headers
from lineage.graph import Kind, Node, graph_of
from tests.lineage.exports.examples import ANSWERS, HOSTILE, SITE, answer_of, by_component, hostile


def test_the_headers_say_what_is_left_out_and_why():
    assert honesty_headers(by_component()) == {
        "X-Lineage-Complete": "false",
        "X-Lineage-As-Of": "2026-03-01T22:00:00.000000Z",
        "X-Lineage-Left-Out": "depth;count=12, hidden;count=1;at-least",
    }


def test_of_a_complete_answer_nothing_is_left_out():
    headers = honesty_headers(hostile())
    assert headers["X-Lineage-Complete"] == "true"
    assert "X-Lineage-Left-Out" not in headers


@pytest.mark.parametrize("suffix", ["dot", "mmd"])
def test_a_drawing_says_in_comments_whether_it_is_complete(suffix):
    text = EXPORTS[suffix].write(by_component(), SITE)
    assert "as of 2026-03-01T22:00:00.000000Z" in text
    assert "not complete" in text
    assert "12 nodes further away than the depth asked for" in text
    assert "not complete" not in EXPORTS[suffix].write(hostile(), SITE)


@pytest.mark.parametrize("suffix", EXPORTS)
@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)
def test_the_same_graph_gives_the_same_text_in_whatever_order_its_rows_came(suffix, answer):
    write, first = EXPORTS[suffix].write, answer()
    turned = answer_of(first.nodes[::-1], first.links[::-1], question=first.question, left_out=first.left_out)
    assert write(turned, SITE) == write(first, SITE)


@pytest.mark.parametrize("suffix", EXPORTS)
def test_an_empty_answer_can_be_written(suffix):
    EXPORTS[suffix].write(answer_of([], []), SITE)


@pytest.mark.parametrize("suffix", EXPORTS)
def test_every_export_can_be_sent(suffix):
    EXPORTS[suffix].write(hostile(), SITE).encode("utf-8")
    assert "charset=utf-8" in EXPORTS[suffix].content_type


@pytest.mark.parametrize("suffix", ["dot", "mmd", "ndjson"])
def test_what_is_hidden_is_not_named_even_if_its_name_got_here(suffix):
    secret = Node("x_1", Kind.HIDDEN, "payroll", key="payroll")
    text = EXPORTS[suffix].write(answer_of([secret], []), SITE)
    assert "payroll" not in text
    assert suffix == "ndjson" or "not visible" in text


def test_the_hostile_answer_is_hostile():
    answer = hostile()
    assert {node.name for node in answer.nodes} == set(HOSTILE)
    assert len(answer.graph) == 2 * len(HOSTILE)
    assert graph_of(answer.nodes, answer.links).edges == answer.graph.edges
    assert {node.kind for node in by_component().nodes} >= {Kind.HIDDEN, Kind.UNKNOWN, Kind.DEPLOYMENT}
