"""An opened node brings its neighbours into an answer, which stays honest about what is left out."""

from datetime import UTC, datetime

from lineage.answers import Answer, LeftOut, More, Question, Reason
from lineage.graph import Kind, Link, Node, Relation, graph_of
from lineage.pages.opening import merged, with_links

NOW = datetime(2026, 3, 4, tzinfo=UTC)


def answer(names, pairs, **known):
    nodes = [Node(name, Kind.HIDDEN if name.startswith("x_") else Kind.FLOW, name) for name in names]
    links = [Link(a, b, Relation.CONSUMES) for a, b in pairs]
    return Answer(Question.AROUND, graph_of(nodes, links), NOW, found=len(nodes), **known)


def left_out(answer):
    return [(cut.reason, cut.count, cut.at_least) for cut in answer.left_out]


def test_all_neighbours_come_in_and_the_badge_goes():
    base = answer("ab", [("a", "b")], more={"b": More(0, 2)}, left_out=(LeftOut(Reason.DEPTH, 2),))
    found = merged(base, answer("abcd", [("a", "b"), ("b", "c"), ("b", "d")]), "b")
    assert set(found.graph) == set("abcd")
    assert found.more == {}
    assert found.complete
    assert (found.via["c"], found.found) == ("b", 4)


def test_what_the_new_ones_have_beside_them_is_left_out():
    base = answer("ab", [("a", "b")], more={"b": More(0, 1)}, left_out=(LeftOut(Reason.DEPTH, 1),))
    found = merged(base, answer("abc", [("a", "b"), ("b", "c")], more={"c": More(0, 7), "a": More(3, 0)}), "b")
    assert found.more == {"c": More(0, 7)}
    assert left_out(found) == [(Reason.DEPTH, 7, True)]


def test_arrows_between_what_is_shown_are_shown_and_lead_to_nothing_more():
    opened = answer("abc", [("a", "b"), ("b", "c")], more={"c": More(1, 7), "a": More(3, 1)})
    found = with_links(opened, [Link("a", "c", Relation.CONSUMES), Link("c", "z", Relation.CONSUMES)])
    assert set(found.graph.edges) == {("a", "b"), ("b", "c"), ("a", "c")}
    assert found.more == {"c": More(0, 7), "a": More(3, 0)}


def test_hidden_neighbours_that_were_shown_are_not_shown_twice():
    base = answer(["a", "b", "x_1", "x_2"], [("a", "b"), ("b", "x_1"), ("x_2", "a")], more={"b": More(1, 1)})
    around = answer(["b", "a", "x_1", "x_2", "x_3"], [("a", "b"), ("b", "x_1"), ("b", "x_2"), ("x_3", "b")])
    found = merged(base, around, "b")
    assert set(found.graph.edges) == {("a", "b"), ("b", "x_1"), ("x_2", "a"), ("b", "x_3"), ("x_4", "b")}
    assert left_out(found) == [(Reason.HIDDEN, 4, False)]


def test_what_the_question_itself_left_out_stays_left_out():
    base = answer(
        "ab", [("a", "b")], left_out=(LeftOut(Reason.BUDGET, 9), LeftOut(Reason.FILTER, 4)), more={"b": More(0, 1)}
    )
    found = merged(base, answer("abc", [("a", "b"), ("b", "c")]), "b")
    assert left_out(found) == [(Reason.BUDGET, 8, False), (Reason.FILTER, 4, False)]
    assert not found.complete


def test_what_was_left_out_for_the_number_of_nodes_is_not_blamed_on_the_depth():
    base = answer("ab", [("a", "b")], left_out=(LeftOut(Reason.BUDGET, 9),), more={"a": More(5, 0), "b": More(0, 1)})
    found = merged(base, answer("abc", [("a", "b"), ("b", "c")]), "b")
    assert left_out(found) == [(Reason.BUDGET, 8, False)]


def test_a_question_that_was_cut_while_walking_never_becomes_complete():
    base = answer(
        "ab", [("a", "b")], left_out=(LeftOut(Reason.DEPTH, 1, True),), more={"b": More(0, 1)}, found_at_least=True
    )
    found = merged(base, answer("abc", [("a", "b"), ("b", "c")]), "b")
    assert left_out(found) == [(Reason.DEPTH, 1, True)]
