"""Cycles, islands and paths of a graph."""

import pytest

from lineage.graph import Cycle, Kind, Link, Node, Relation, between, cycles_of, graph_of, islands_of, within_cycles


def graph(*pairs: str, alone: str = ""):
    """Each pair is two letters: from, to."""
    names = {name for pair in pairs for name in pair} | set(alone)
    links = [Link(pair[0], pair[1], Relation.PRODUCES) for pair in pairs]
    return graph_of([Node(name, Kind.DATA, name) for name in names], links)


@pytest.mark.parametrize(
    ("pairs", "cycles"),
    [
        (["ab", "bc"], []),
        (["aa"], [Cycle(("a",), 1)]),
        (["ab", "ba"], [Cycle(("a", "b"), 2)]),
        (["ab", "bc", "ca", "cb"], [Cycle(("a", "b", "c"), 3)]),
        (["ab", "ba", "bc", "cd", "dc", "ee"], [Cycle(("a", "b"), 2), Cycle(("c", "d"), 2), Cycle(("e",), 1)]),
    ],
)
def test_cycles_are_found_and_each_has_one_way_round(pairs, cycles):
    assert cycles_of(graph(*pairs)) == cycles


def test_only_arrows_on_a_cycle_are_within_one():
    assert within_cycles(graph("ab", "ba", "bc", "cc")) == {("a", "b"), ("b", "a"), ("c", "c")}


def test_islands_come_largest_first_and_the_lonely_count():
    assert islands_of(graph("ab", "cd", "de", alone="z")) == [("c", "d", "e"), ("a", "b"), ("z",)]


def test_between_has_every_way_and_nothing_else():
    world = graph("ab", "bd", "ac", "cd", "de", "xa", "bf")
    assert set(between(world, "a", "d")) == set("abcd")
    assert set(between(world, "d", "a")) == set()
    assert set(between(world, "a", "a")) == {"a"}
    assert set(between(world, "a", "nowhere")) == set()


def test_links_that_lead_nowhere_are_passed_over():
    made = graph_of([Node("a", Kind.DATA, "a")], [Link("a", "b", Relation.PRODUCES)])
    assert list(made.edges) == []
