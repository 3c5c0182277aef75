"""Drawings that are too wide go on in the next row, like a text: nothing is left out, nothing in the way."""

from itertools import pairwise

import networkx as nx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.layouts import flat, random_graph
from lineage.layout import Drawing, lay_out
from lineage.layout.breaking import breaks, lines_across
from tests.lineage.test_layout import graphs, lanes_of, overlapping, run_through, sizes_of

pytestmark = pytest.mark.slow

WIDEST = 700
BOX = (120, 32)


def chain(size: int) -> nx.DiGraph:
    return nx.DiGraph(pairwise(f"n{number:03}" for number in range(size)))


def tops(drawing: Drawing) -> list[int]:
    return sorted({box.y for box in drawing.boxes.values()})


def assert_whole(graph: nx.DiGraph, drawing: Drawing) -> None:
    """All is drawn, inside the drawing; no box is on another or on the way of an edge; edges end at their boxes."""
    assert set(drawing.boxes) == set(graph)
    assert set(drawing.routes) == set(graph.edges)
    assert not overlapping(drawing)
    assert not run_through(drawing)
    assert sorted(drawing.order) == sorted(graph)
    for (tail, head), route in drawing.routes.items():
        source, target = drawing.boxes[tail], drawing.boxes[head]
        assert (route.points[0], route.points[-1]) == ((source.right, source.port), (target.x, target.port))
        line = flat(route.path)
        assert (line[0], line[-1]) == (route.points[0], route.points[-1])
        assert all(0 <= x <= drawing.width and 0 <= y <= drawing.height for x, y in line)
    for box in drawing.boxes.values():
        assert box.x >= 0
        assert box.right <= drawing.width
        assert box.y >= 0
        assert box.bottom <= drawing.height


@settings(max_examples=50, deadline=None)
@given(graphs(), st.integers(300, 900), st.booleans())
def test_whatever_is_broken_into_rows_is_whole(graph: nx.DiGraph, widest: int, in_lanes: bool) -> None:
    lanes = lanes_of(graph) if in_lanes else None
    drawing = lay_out(graph, sizes=sizes_of(graph), lanes=lanes, widest=widest)
    assert_whole(graph, drawing)
    band = {(lane.name, lane.y): lane for lane in drawing.lanes}
    for above, below in pairwise(drawing.lanes):
        assert above.y + above.height < below.y
    for name, box in drawing.boxes.items() if lanes else ():
        inside = [lane for lane in band.values() if lane.y < box.y and box.bottom < lane.y + lane.height]
        assert [lane.name for lane in inside] == [lanes_of(graph)[name]]


def test_a_chain_of_40_is_no_ribbon() -> None:
    drawing = lay_out(chain(40), sizes=dict.fromkeys(chain(40), BOX), widest=1230)
    assert_whole(chain(40), drawing)
    assert drawing.width <= 1230
    assert len(tops(drawing)) == len(drawing.rows) == 7
    assert drawing.order == sorted(drawing.order)
    lengths = [sum(box.y == top for box in drawing.boxes.values()) for top in tops(drawing)]
    assert max(lengths) - min(lengths) <= 2


@pytest.mark.long
@pytest.mark.parametrize("seed", range(2))
def test_200_nodes_are_as_wide_as_a_page(seed: int) -> None:
    graph = random_graph(200, seed)
    sizes = dict.fromkeys(graph, BOX)
    drawing = lay_out(graph, sizes=sizes, widest=1230)
    assert lay_out(graph, sizes=sizes).width > 2_000
    assert drawing.width <= 1230 * 1.1
    assert_whole(graph, drawing)


def test_what_fits_is_drawn_in_one_row() -> None:
    graph = chain(5)
    assert lay_out(graph, sizes=sizes_of(graph), widest=1230) == lay_out(graph, sizes=sizes_of(graph))


def test_gaps_do_not_grow_beyond_the_widest() -> None:
    graph = nx.DiGraph([("a", f"b{number:02}") for number in range(40)])
    free, narrow = (lay_out(graph, sizes=dict.fromkeys(graph, (100, 30)), widest=widest) for widest in (None, 320))
    assert free.width > narrow.width == 320
    assert not narrow.rows


def test_many_small_parts_are_beside_each_other_as_far_as_there_is_room() -> None:
    graph = nx.DiGraph([(f"a{number}", f"b{number}") for number in range(80)])
    sizes = dict.fromkeys(graph, BOX)
    assert lay_out(graph, sizes=sizes).width > WIDEST >= lay_out(graph, sizes=sizes, widest=WIDEST).width


def test_a_wide_part_is_above_the_others() -> None:
    graph = nx.compose(chain(12), nx.DiGraph([("x", "y")]))
    drawing = lay_out(graph, sizes=dict.fromkeys(graph, BOX), widest=WIDEST)
    assert_whole(graph, drawing)
    assert drawing.boxes["x"].y == max(tops(drawing))
    assert drawing.order[-2:] == ["x", "y"]


def test_what_leads_back_into_an_earlier_row_is_marked() -> None:
    graph = nx.DiGraph([*chain(12).edges, ("n011", "n000")])
    drawing = lay_out(graph, sizes=dict.fromkeys(graph, BOX), widest=WIDEST)
    assert_whole(graph, drawing)
    assert [edge for edge, route in drawing.routes.items() if route.back] == [("n011", "n000")]


def test_edges_of_one_node_share_their_line_to_another_row() -> None:
    graph = nx.DiGraph([*chain(9).edges, ("n000", "n006"), ("n000", "n007"), ("n000", "n008")])
    drawing = lay_out(graph, sizes=dict.fromkeys(graph, BOX), widest=WIDEST)
    assert_whole(graph, drawing)
    folds = {drawing.routes["n000", head].fold for head in ("n006", "n007", "n008")}
    assert None not in folds
    corners = {drawing.routes["n000", head].points[2:6] for head in ("n006", "n007", "n008")}
    assert len(corners) == 1


def test_a_drawing_in_rows_is_not_extended_but_drawn_anew() -> None:
    graph = chain(12)
    sizes = dict.fromkeys(chain(13), BOX)
    previous = lay_out(graph, sizes=sizes, widest=WIDEST)
    more = chain(13)
    assert lay_out(more, sizes=sizes, previous=previous, widest=WIDEST) == lay_out(more, sizes=sizes, widest=WIDEST)


def test_rows_end_where_the_fewest_lines_lead_on() -> None:
    edges = [(0, 1), (0, 2), (1, 3), (2, 3), (3, 4), (4, 5)]
    columns = [0, 1, 1, 2, 3, 4]
    assert lines_across(columns, edges) == [0, 1, 2, 1, 1]
    assert breaks([100] * 5, [0, 9, 9, 0, 9], 320) == [0, 3]
    assert breaks([100] * 6, [0, 1, 1, 1, 1, 1], 320) == [0, 3]
    assert breaks([900, 100, 100], [0, 1, 1], 320) == [0, 1]
