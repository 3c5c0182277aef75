"""Invariants of every drawing: on random graphs, and on those that are hard to lay out."""

import random
import subprocess
import sys
import time
from itertools import combinations, pairwise, product

import networkx as nx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.layouts import flat
from lineage.layout import Drawing, lay_out

pytestmark = pytest.mark.slow

NAMES = [f"node{number:02}" for number in range(24)]
SLOW = 6.0
"""Several times the seconds of processor time that the guarded cases take; without the guard it is over a minute."""


@st.composite
def graphs(draw: st.DrawFn, acyclic: bool = False) -> nx.DiGraph:
    names = NAMES[: draw(st.integers(0, len(NAMES)))]
    graph = nx.DiGraph()
    graph.add_nodes_from(names)
    if names:
        pairs = st.tuples(st.sampled_from(names), st.sampled_from(names))
        for pair in draw(st.lists(pairs, max_size=40)):
            if not acyclic:
                graph.add_edge(*pair)
            elif pair[0] != pair[1]:
                graph.add_edge(*sorted(pair))
    return graph


def sizes_of(graph: nx.DiGraph) -> dict[str, tuple[int, int]]:
    """Sizes of several kinds, odd ones too."""
    return {name: (60 + 37 * (place % 4), 24 + 13 * (place % 3)) for place, name in enumerate(sorted(graph))}


def lanes_of(graph: nx.DiGraph) -> dict[str, str]:
    """Three lanes, of which the first nodes all share one."""
    return {name: "main" if name < "node05" else ["main", "feature/x", "alice"][ord(name[-1]) % 3] for name in graph}


def overlapping(drawing: Drawing) -> list[tuple[str, str]]:
    return [
        (first, second)
        for (first, one), (second, other) in combinations(drawing.boxes.items(), 2)
        if one.x < other.right and other.x < one.right and one.y < other.bottom and other.y < one.bottom
    ]


def run_through(drawing: Drawing) -> list[tuple[tuple[str, str], str]]:
    """Edges with a box on their way."""
    return [
        (edge, name)
        for edge, route in drawing.routes.items()
        for name, box in drawing.boxes.items()
        if any(box.x < x < box.right and box.y < y < box.bottom for x, y in flat(route.path))
    ]


def assert_sound(graph: nx.DiGraph, drawing: Drawing) -> None:
    """All is drawn, inside the drawing, with nothing in the way of anything."""
    assert set(drawing.boxes) == set(graph)
    assert set(drawing.routes) == set(graph.edges)
    assert not overlapping(drawing)
    assert not run_through(drawing)
    assert sorted(drawing.order) == sorted(graph)
    for (tail, head), route in drawing.routes.items():
        source, target = drawing.boxes[tail], drawing.boxes[head]
        assert route.points[0] == (source.right, source.port)
        assert route.points[-1] == (target.x, target.port)
        assert all(0 <= x <= drawing.width and 0 <= y <= drawing.height for x, y in flat(route.path))
        if not route.back:
            assert source.right < target.x
            assert [x for x, _ in route.points] == sorted(x for x, _ in route.points)
    middles = sorted({box.middle for box in drawing.boxes.values()})
    columns = [[box for box in drawing.boxes.values() if box.middle == middle] for middle in middles]
    for column, after in pairwise(columns):
        assert max(box.right for box in column) < min(box.x for box in after)
    for box in drawing.boxes.values():
        assert box.x >= 0
        assert box.right <= drawing.width
        assert box.y >= 0
        assert box.bottom <= drawing.height


@settings(max_examples=80, deadline=None)
@given(graphs())
def test_nodes_do_not_overlap_and_edges_go_around_them(graph: nx.DiGraph) -> None:
    sizes = sizes_of(graph)
    drawing = lay_out(graph, sizes=sizes)
    assert_sound(graph, drawing)
    assert {name: (box.width, box.height) for name, box in drawing.boxes.items()} == sizes


@settings(max_examples=40, deadline=None)
@given(graphs())
def test_only_edges_of_cycles_lead_back_and_without_them_there_is_no_cycle(graph: nx.DiGraph) -> None:
    routes = lay_out(graph, sizes=sizes_of(graph)).routes
    for tail, head in [edge for edge, route in routes.items() if route.back]:
        assert nx.has_path(graph, head, tail)
    assert nx.is_directed_acyclic_graph(nx.DiGraph([edge for edge, route in routes.items() if not route.back]))


@settings(max_examples=40, deadline=None)
@given(graphs(acyclic=True))
def test_without_cycles_all_edges_lead_to_the_right(graph: nx.DiGraph) -> None:
    assert not any(route.back for route in lay_out(graph, sizes=sizes_of(graph)).routes.values())


@settings(max_examples=40, deadline=None)
@given(graphs())
def test_lanes_are_bands_that_hold_their_nodes(graph: nx.DiGraph) -> None:
    lanes = lanes_of(graph)
    drawing = lay_out(graph, sizes=sizes_of(graph), lanes=lanes, lane_order=["main", "unused"])
    assert_sound(graph, drawing)
    names = [lane.name for lane in drawing.lanes]
    assert names == sorted(set(lanes.values()), key=lambda name: (name != "main", name))
    for above, below in pairwise(drawing.lanes):
        assert above.y + above.height < below.y
    band = {lane.name: lane for lane in drawing.lanes}
    for name, box in drawing.boxes.items():
        assert band[lanes[name]].y < box.y
        assert box.bottom < band[lanes[name]].y + band[lanes[name]].height


@settings(max_examples=25, deadline=None)
@given(graphs(), st.randoms(use_true_random=False))
def test_the_order_in_which_a_graph_was_built_changes_nothing(graph: nx.DiGraph, shuffler: random.Random) -> None:
    nodes, edges = list(graph), list(graph.edges)
    shuffler.shuffle(nodes)
    shuffler.shuffle(edges)
    other = nx.DiGraph()
    other.add_nodes_from(nodes)
    other.add_edges_from(edges)
    for lanes in (None, lanes_of(graph)):
        drawing = lay_out(graph, sizes=sizes_of(graph), lanes=lanes)
        again = lay_out(other, sizes=sizes_of(graph), lanes=lanes)
        assert drawing == again
        assert list(drawing.routes) == list(again.routes)


def test_the_seed_of_hashes_changes_nothing() -> None:
    program = (
        "import assetsite; from bench.layouts import BOX, random_graph; from lineage.layout import lay_out\n"
        "graph = random_graph(40, 3); graph.add_edges_from([('n00030', 'n00002'), ('n00010', 'n00001')])\n"
        "lanes = {name: str(int(name[1:]) % 2) for name in graph}\n"
        "sizes = dict.fromkeys(graph, BOX)\n"
        "print(lay_out(graph, sizes=sizes), lay_out(graph, sizes=sizes, lanes=lanes))"
    )
    drawings = {
        subprocess.run(
            [sys.executable, "-c", program], env={"PYTHONHASHSEED": seed}, capture_output=True, text=True, check=True
        ).stdout
        for seed in ("1", "2")
    }
    assert len(drawings) == 1


def project(size: int, seed: int) -> nx.DiGraph:
    """Flows that consume some of the assets before them and produce new ones."""
    draw = random.Random(seed)
    graph: nx.DiGraph = nx.DiGraph()
    assets = ["asset0", "asset1", "asset2"]
    while len(graph) < size:
        flow = f"Flow{draw.randrange(10**6):06}"
        for _ in range(draw.choice((1, 2, 3))):
            graph.add_edge(draw.choice(assets[-12:]), flow)
        assets.append(f"data{draw.randrange(10**6):06}")
        graph.add_edge(flow, assets[-1])
    return graph


def test_a_small_change_moves_little() -> None:
    kept = changed = 0
    for size, seed in product((20, 30), range(12)):
        graph = project(size, seed)
        drawing = lay_out(graph, sizes=dict.fromkeys(graph, (120, 32)))
        leaves = sorted(name for name in graph if graph.degree(name) == 1)
        graph.remove_node(leaves[len(leaves) // 2])
        after = lay_out(graph, sizes=dict.fromkeys(graph, (120, 32)))
        for (one, box), (other, other_box) in combinations(drawing.boxes.items(), 2):
            if one in graph and other in graph and box.middle == other_box.middle:
                same = (box.y < other_box.y) == (after.boxes[one].y < after.boxes[other].y)
                kept += same
                changed += not same
    assert kept > 25 * changed


def complete(size: int) -> nx.DiGraph:
    return nx.relabel_nodes(nx.complete_graph(size, nx.DiGraph), str)


CASES = {
    "nothing": nx.DiGraph(),
    "one node": nx.DiGraph({"a": []}),
    "a loop": nx.DiGraph({"a": ["a"]}),
    "a flow that reads what it writes": nx.DiGraph({"flow": ["asset"], "asset": ["flow"]}),
    "isolated nodes": nx.empty_graph([f"n{number:03}" for number in range(60)], nx.DiGraph),
    "many small parts": nx.DiGraph([(f"a{number}", f"b{number}") for number in range(30)]),
    "two readers of three": nx.DiGraph({name: ["x", "y", "z"] for name in "abc"}),
    "a ring": nx.DiGraph(nx.utils.pairwise("abcdefgha")),
    "everything with everything": complete(9),
    "a chain with shortcuts": nx.DiGraph(
        [(f"{a:02}", f"{b:02}") for a in range(14) for b in (a + 1, a + 4, a + 9) if b < 14]
    ),
}


@pytest.mark.parametrize("graph", CASES.values(), ids=CASES)
@pytest.mark.parametrize("in_lanes", [False, True], ids=["plain", "in lanes"])
def test_what_layouts_stumble_over(graph: nx.DiGraph, in_lanes: bool) -> None:
    lanes = {name: f"lane {ord(name[-1]) % 2}" for name in graph} if in_lanes else None
    assert_sound(graph, lay_out(graph, sizes=sizes_of(graph), lanes=lanes))


def test_isolated_nodes_fill_a_block_not_a_tower() -> None:
    drawing = lay_out(CASES["isolated nodes"], sizes=dict.fromkeys(CASES["isolated nodes"], (120, 32)))
    assert drawing.height < drawing.width < 3 * drawing.height


def test_isolated_nodes_of_lanes_fill_blocks_too() -> None:
    names = [f"n{number:03}" for number in range(60)]
    graph = nx.empty_graph(names, nx.DiGraph)
    lanes = {name: "even" if int(name[1:]) % 2 == 0 else "odd" for name in names}
    drawing = lay_out(graph, sizes=dict.fromkeys(names, (120, 32)), lanes=lanes)
    assert len({box.x for box in drawing.boxes.values()}) > 4


def test_a_fan_lists_its_nodes_by_name() -> None:
    readers = [f"flow{number:03}" for number in range(300)]
    graph = nx.DiGraph({"asset": readers})
    drawing = lay_out(graph, sizes=dict.fromkeys(graph, (120, 32)))
    assert drawing.order == ["asset", *readers]
    assert not overlapping(drawing)
    middle = drawing.boxes["asset"].port
    assert abs(middle - drawing.height / 2) < 100


@pytest.mark.parametrize(
    "graph",
    [
        nx.DiGraph([(f"{b:02}", f"{a:02}") for a in range(60) for b in range(a)]),
        complete(60),
        nx.DiGraph([(f"a{a}", f"b{b}") for a in range(40) for b in range(40)]),
    ],
    ids=["every pair of sixty", "every pair both ways", "forty readers of forty"],
)
def test_dense_graphs_do_not_take_long(graph: nx.DiGraph) -> None:
    start = time.process_time()
    drawing = lay_out(graph, sizes=dict.fromkeys(graph, (120, 32)))
    assert time.process_time() - start < SLOW
    assert set(drawing.routes) == set(graph.edges)
    assert not overlapping(drawing)


def test_a_chain_is_level_whatever_the_sizes() -> None:
    graph = nx.DiGraph(pairwise("abcdef"))
    drawing = lay_out(graph, sizes={name: (100, 21 + 7 * place) for place, name in enumerate(sorted(graph))})
    assert len({box.port for box in drawing.boxes.values()}) == 1


def test_a_flow_is_level_with_the_asset_that_it_reads_and_writes() -> None:
    graph = nx.DiGraph([("in", "flow"), ("flow", "out"), ("out", "flow"), ("flow", "log"), ("log", "flow")])
    drawing = lay_out(graph, sizes=dict.fromkeys(graph, (100, 30)))
    assert {edge for edge, route in drawing.routes.items() if route.back} == {("out", "flow"), ("log", "flow")}
    ports = [drawing.boxes[name].port for name in ("log", "flow", "out")]
    assert min(ports[0], ports[2]) < ports[1] < max(ports[0], ports[2])
    assert abs(ports[0] - ports[2]) < 100


def test_a_back_edge_passes_on_the_side_on_which_it_meets_no_other() -> None:
    graph = nx.DiGraph([(name, "flow") for name in "abcd"] + [("flow", "a")])
    graph.add_edges_from((f"source{number}", "a") for number in range(5))
    drawing = lay_out(graph, sizes=dict.fromkeys(graph, (100, 30)))
    (back,) = [(edge, route) for edge, route in drawing.routes.items() if route.back]
    (source, target), route = back
    assert (source, target) == ("flow", "a")
    others = [drawing.boxes[name].port for name in "bcd"]
    above = drawing.boxes["a"].port < min(others)
    assert above or drawing.boxes["a"].port > max(others)
    turned_above = route.points[2][1] < drawing.boxes["flow"].y
    assert turned_above == above


def test_steep_edges_get_more_room_between_columns() -> None:
    flat_fan, steep_fan = (nx.DiGraph({"asset": [f"n{number:02}" for number in range(size)]}) for size in (2, 40))
    gaps = []
    for graph in (flat_fan, steep_fan):
        boxes = lay_out(graph, sizes=dict.fromkeys(graph, (100, 30))).boxes
        gaps.append(boxes["n00"].x - boxes["asset"].right)
    assert gaps[0] < gaps[1] == 120


def test_a_loop_goes_around_its_node() -> None:
    drawing = lay_out(nx.DiGraph({"a": ["a"]}), sizes={"a": (100, 30)})
    (route,) = drawing.routes.values()
    box = drawing.boxes["a"]
    assert route.back
    assert max(y for _, y in route.points) > box.bottom
    assert max(x for x, _ in flat(route.path)) > box.right
    assert min(x for x, _ in flat(route.path)) < box.x


def test_a_path_is_whole_numbers_and_level_where_it_passes_columns() -> None:
    graph = nx.DiGraph([("a", "b"), ("b", "c"), ("c", "d"), ("a", "d")])
    drawing = lay_out(graph, sizes=dict.fromkeys(graph, (100, 30)))
    path = drawing.routes["a", "d"].path
    assert set(path) <= set("Mch -0123456789")
    x, y = drawing.boxes["a"].right, drawing.boxes["a"].port
    assert path.startswith(f"M{x} {y}c")
    assert path.count("c") == 2
    assert path.count("h") == 1


def test_a_wide_node_widens_its_column_only() -> None:
    graph = nx.DiGraph([("a", "b"), ("b", "c")])
    narrow = lay_out(graph, sizes=dict.fromkeys(graph, (100, 30)))
    wide = lay_out(graph, sizes={"a": (100, 30), "b": (300, 30), "c": (100, 30)})
    assert wide.width == narrow.width + 200
    assert wide.boxes["a"] == narrow.boxes["a"]
