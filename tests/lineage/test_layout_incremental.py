"""A drawing that grows under the eyes of its reader: what was there stays, what is new finds room."""

import random
from itertools import pairwise

import networkx as nx
from hypothesis import given, settings
from hypothesis import strategies as st

from lineage.layout import Drawing, lay_out
from tests.lineage.test_layout import assert_sound, graphs, lanes_of, sizes_of


def shift(earlier: Drawing, later: Drawing) -> set[tuple[int, int]]:
    """How far nodes of both moved: one pair if they all moved together."""
    return {
        (later.boxes[name].x - box.x, later.boxes[name].y - box.y)
        for name, box in earlier.boxes.items()
        if name in later.boxes
    }


@settings(max_examples=50, deadline=None)
@given(graphs(), st.randoms(use_true_random=False))
def test_nodes_that_were_drawn_keep_their_places(graph: nx.DiGraph, draw: random.Random) -> None:
    sizes = sizes_of(graph)
    some = graph.subgraph(draw.sample(sorted(graph), len(graph) // 2))
    previous = lay_out(some, sizes=sizes)
    drawing = lay_out(graph, sizes=sizes, previous=previous)
    assert_sound(graph, drawing)
    assert len(shift(previous, drawing)) <= 1


@settings(max_examples=40, deadline=None)
@given(graphs(), st.randoms(use_true_random=False))
def test_lanes_stay_bands_and_new_ones_come_below(graph: nx.DiGraph, draw: random.Random) -> None:
    sizes, lanes = {name: (width, 30) for name, (width, _) in sizes_of(graph).items()}, lanes_of(graph)
    some = graph.subgraph(draw.sample(sorted(graph), len(graph) // 2))
    previous = lay_out(some, sizes=sizes, lanes=lanes)
    drawing = lay_out(graph, sizes=sizes, lanes=lanes, previous=previous)
    assert_sound(graph, drawing)
    assert len(shift(previous, drawing)) <= 1
    names = [lane.name for lane in drawing.lanes]
    assert names[: len(previous.lanes)] == [lane.name for lane in previous.lanes]
    assert set(names) == set(lanes.values())
    for above, below in pairwise(drawing.lanes):
        assert above.y + above.height <= below.y
    band = {lane.name: lane for lane in drawing.lanes}
    for name, box in drawing.boxes.items():
        assert band[lanes[name]].y < box.y
        assert box.bottom < band[lanes[name]].y + band[lanes[name]].height


def test_new_readers_line_up_right_of_what_they_read() -> None:
    graph = nx.DiGraph([("asset", "first"), ("asset", "second"), ("first", "model")])
    sizes = dict.fromkeys([*graph, "third", "fourth"], (100, 30))
    previous = lay_out(graph, sizes=sizes)
    graph.add_edges_from([("asset", "third"), ("asset", "fourth")])
    boxes = lay_out(graph, sizes=sizes, previous=previous).boxes
    assert len({boxes[name].x for name in ("first", "second", "third", "fourth")}) == 1


def test_new_nodes_stack_up_in_the_last_lane() -> None:
    graph = nx.DiGraph([("asset", "first"), ("first", "model")])
    more = [f"more{number}" for number in range(6)]
    sizes = dict.fromkeys([*graph, *more], (100, 30))
    lanes = dict.fromkeys(sizes, "two") | {"asset": "one"}
    previous = lay_out(graph, sizes=sizes, lanes=lanes)
    graph.add_edges_from(("asset", name) for name in more)
    boxes = lay_out(graph, sizes=sizes, lanes=lanes, previous=previous).boxes
    assert {boxes[name].x for name in more} == {boxes["first"].x}


def test_a_node_too_wide_for_its_column_gets_one_of_its_own() -> None:
    graph = nx.DiGraph([("a", "b"), ("b", "c")])
    sizes = {"a": (100, 30), "b": (100, 30), "c": (100, 30), "wide": (400, 30)}
    previous = lay_out(graph, sizes=sizes)
    graph.add_edge("a", "wide")
    drawing = lay_out(graph, sizes=sizes, previous=previous)
    assert_sound(graph, drawing)
    assert drawing.boxes["wide"].x > drawing.boxes["c"].right


def test_new_edges_keep_apart_where_they_pass_a_column() -> None:
    graph = nx.DiGraph([("a", "m"), ("b", "m"), ("m", "x"), ("m", "y")])
    sizes = dict.fromkeys(graph, (100, 30))
    previous = lay_out(graph, sizes=sizes)
    graph.add_edges_from([("a", "x"), ("a", "y"), ("b", "x"), ("b", "y")])
    routes = lay_out(graph, sizes=sizes, previous=previous).routes
    heights = sorted(routes[edge].points[2][1] for edge in (("a", "x"), ("a", "y"), ("b", "x"), ("b", "y")))
    assert all(below - above >= 8 for above, below in pairwise(heights))


def test_a_lane_is_high_enough_for_the_highest_node_of_the_drawing() -> None:
    sizes = {"a": (100, 30), "b": (100, 60), "c": (100, 60)}
    lanes = {"a": "one", "b": "two", "c": "one"}
    graph = nx.DiGraph([("a", "b")])
    previous = lay_out(graph, sizes=sizes, lanes=lanes)
    graph.add_edge("c", "b")
    drawing = lay_out(graph, sizes=sizes, lanes=lanes, previous=previous)
    assert len(shift(previous, drawing)) == 1


def test_a_new_source_moves_all_others_together() -> None:
    graph = nx.DiGraph([("b", "c")])
    sizes = dict.fromkeys("abc", (100, 30))
    previous = lay_out(graph, sizes=sizes)
    graph.add_edge("a", "b")
    drawing = lay_out(graph, sizes=sizes, previous=previous)
    ((right, down),) = shift(previous, drawing)
    assert (right, down) == (160, 0)
    assert not drawing.routes["a", "b"].back


def test_an_unchanged_graph_is_drawn_as_before() -> None:
    graph = nx.DiGraph([("a", "b"), ("b", "c"), ("c", "d"), ("a", "d"), ("a", "c"), ("c", "a"), ("d", "d")])
    sizes = sizes_of(graph)
    previous = lay_out(graph, sizes=sizes)
    drawing = lay_out(graph, sizes=sizes, previous=previous)
    assert drawing.boxes == previous.boxes
    assert drawing.routes == previous.routes


def test_nodes_that_left_make_room() -> None:
    graph = nx.DiGraph([("a", "b"), ("a", "c"), ("a", "d")])
    sizes = dict.fromkeys("abcde", (100, 30))
    previous = lay_out(graph, sizes=sizes)
    graph.remove_node("c")
    graph.add_edge("a", "e")
    assert lay_out(graph, sizes=sizes, previous=previous).boxes["e"] == previous.boxes["c"]


def test_a_node_that_changed_its_lane_cannot_be_held() -> None:
    graph = nx.DiGraph([("a", "b")])
    sizes = dict.fromkeys(graph, (100, 30))
    previous = lay_out(graph, sizes=sizes, lanes={"a": "one", "b": "two"})
    swapped = {"a": "two", "b": "one"}
    assert lay_out(graph, sizes=sizes, lanes=swapped, previous=previous) == lay_out(graph, sizes=sizes, lanes=swapped)


def test_a_node_too_high_for_its_lane_has_all_drawn_anew() -> None:
    graph = nx.DiGraph([("a", "b")])
    sizes = {"a": (100, 30), "b": (100, 30), "c": (100, 90)}
    lanes = {"a": "one", "b": "two", "c": "one"}
    previous = lay_out(graph, sizes=sizes, lanes=lanes)
    graph.add_node("c")
    assert lay_out(graph, sizes=sizes, lanes=lanes, previous=previous) == lay_out(graph, sizes=sizes, lanes=lanes)


def test_a_drawing_of_other_nodes_holds_nothing() -> None:
    previous = lay_out(nx.DiGraph([("x", "y")]), sizes=dict.fromkeys("xy", (100, 30)))
    graph = nx.DiGraph([("a", "b")])
    sizes = dict.fromkeys(graph, (100, 30))
    assert lay_out(graph, sizes=sizes, previous=previous) == lay_out(graph, sizes=sizes)
