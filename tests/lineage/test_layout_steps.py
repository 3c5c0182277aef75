"""The steps of the layout beside the best that can be found by trying everything."""

import random
from itertools import pairwise, permutations, product

import networkx as nx
import pytest

from bench.layouts import Look, Row, by_us, crossings, flat, length, random_graph, table
from lineage.layout import Box, Drawing, Lane, Route, lay_out
from lineage.layout import crossings as counting
from lineage.layout.chains import Net, cut
from lineage.layout.cycles import back_edges
from lineage.layout.gaps import nearest
from lineage.layout.layers import SIMPLEX_NODES, layers_of
from lineage.layout.ordering import ordered
from lineage.layout.packing import packed
from lineage.layout.places import pooled
from tests.lineage.test_layout import project


def random_edges(size: int, count: int, seed: int) -> list[tuple[int, int]]:
    """Edges of a connected graph without cycles."""
    draw = random.Random(seed)
    edges = {(draw.randrange(node), node) for node in range(1, size)}
    while len(edges) < count:
        first, second = sorted(draw.sample(range(size), 2))
        edges.add((first, second))
    return sorted(edges)


# --- cycles


@pytest.mark.parametrize("seed", range(12))
def test_hardly_more_edges_are_reversed_than_must_be(seed: int) -> None:
    draw = random.Random(seed)
    edges = sorted({(draw.randrange(6), draw.randrange(6)) for _ in range(12)})
    reversed_edges = back_edges(6, edges)
    proper = [edge for edge in edges if edge[0] != edge[1]]
    fewest = min(sum(row.index(tail) > row.index(head) for tail, head in proper) for row in permutations(range(6)))
    assert len(reversed_edges) <= fewest + 1
    assert nx.is_directed_acyclic_graph(nx.DiGraph(edge for edge in proper if edge not in reversed_edges))


def test_the_flow_enters_a_cycle_where_edges_reach_it_from_outside() -> None:
    assert back_edges(4, [(3, 2), (2, 1), (1, 0), (0, 2)]) == {(0, 2)}


# --- columns


@pytest.mark.parametrize("seed", range(15))
def test_columns_make_edges_as_short_as_can_be(seed: int) -> None:
    edges = random_edges(30, 50, seed)
    columns = layers_of(30, edges)
    assert min(columns) == 0
    assert all(columns[tail] < columns[head] for tail, head in edges)
    assert sum(columns[head] - columns[tail] for tail, head in edges) == shortest(30, edges)


def shortest(size: int, edges: list[tuple[int, int]]) -> int:
    """The least total length, by the dual: the costliest flow in which each node passes on what it gets."""
    network: nx.DiGraph = nx.DiGraph()
    network.add_edges_from(edges, weight=-1)
    for node in range(size):
        network.nodes[node]["demand"] = network.in_degree(node) - network.out_degree(node)
    return -nx.network_simplex(network)[0]


def test_a_node_with_a_choice_of_columns_takes_the_least_crowded() -> None:
    columns = layers_of(7, [(0, 1), (1, 2), (2, 3), (3, 4), (0, 6), (6, 2), (0, 5), (5, 4)])
    assert columns[:5] == [0, 1, 2, 3, 4]
    assert columns[5] in (2, 3)


def test_a_large_graph_gets_columns_too() -> None:
    size = SIMPLEX_NODES + 100
    edges = random_edges(size, 1200, 1)
    columns = layers_of(size, edges)
    assert all(columns[tail] < columns[head] for tail, head in edges)
    assert sum(columns[head] - columns[tail] for tail, head in edges) < 1.5 * shortest(size, edges)


# --- orders


def small_net(seed: int) -> Net:
    edges = random_edges(9, 13, seed)
    return cut(layers_of(9, edges), [0] * 9, edges, set())


def fewest_crossings(net: Net) -> int:
    columns = [[vertex for vertex, at in enumerate(net.column) if at == column] for column in range(net.columns)]
    best = dict.fromkeys(permutations(columns[0]), 0)
    for column in columns[1:]:
        best = {
            order: min(
                crossed + counting.crossings_after(before, net.right, counting.positions(net, [before, order]))
                for before, crossed in best.items()
            )
            for order in permutations(column)
        }
    return min(best.values())


def test_small_graphs_are_drawn_with_hardly_a_crossing_too_many() -> None:
    nets = [net for net in map(small_net, range(200)) if max(map(net.column.count, range(net.columns))) <= 4]
    ours = [counting.crossings(net, ordered(net)) for net in nets]
    best = [fewest_crossings(net) for net in nets]
    assert len(nets) > 20
    assert all(one >= other for one, other in zip(ours, best, strict=True))
    assert sum(ours) <= 1.05 * sum(best)


def test_larger_graphs_are_drawn_with_fewer_crossings_than_dot_leaves() -> None:
    by_graphviz_2_43 = 1215
    assert sum(crossings(by_us(random_graph(100, seed))) for seed in range(3)) < by_graphviz_2_43


@pytest.mark.parametrize("seed", range(10))
def test_neighbours_that_cross_alike_stand_by_name(seed: int) -> None:
    net = small_net(seed)
    orders = ordered(net)
    fewest = counting.crossings(net, orders)
    for column in orders:
        for place in range(1, len(column)):
            above, below = column[place - 1 : place + 1]
            if above > below and (above < net.size) == (below < net.size):
                column[place - 1 : place + 1] = below, above
                assert counting.crossings(net, orders) > fewest
                column[place - 1 : place + 1] = above, below


def test_long_edges_of_dense_graphs_share_their_bends() -> None:
    size = 60
    edges = [(tail, head) for head in range(size) for tail in range(head)]
    net = cut(list(range(size)), [0] * size, edges, set())
    assert len(net.column) < size * size
    assert all(len(net.bends[tail, head]) == head - tail - 1 for tail, head in edges)


def test_three_readers_of_three_cross_nine_times() -> None:
    net = cut([0, 0, 0, 1, 1, 1], [0] * 6, list(product(range(3), range(3, 6))), set())
    assert counting.crossings(net, ordered(net)) == 9


def test_a_tree_has_no_crossings() -> None:
    tree = nx.bfs_tree(nx.balanced_tree(3, 3), 0)
    net = cut(layers_of(len(tree), list(tree.edges)), [0] * len(tree), list(tree.edges), set())
    assert counting.crossings(net, ordered(net)) == 0


@pytest.mark.parametrize("seed", range(5))
def test_the_table_of_costs_says_what_counting_says(seed: int) -> None:
    net = small_net(seed)
    columns = [[vertex for vertex, at in enumerate(net.column) if at == column] for column in range(net.columns)]
    position = counting.positions(net, columns)
    for column, after in pairwise(columns):
        costs = counting.cost_table(column, net.right, position, len(after))
        for (row, first), (place, second) in product(enumerate(column), repeat=2):
            one_way = counting.crossings_after([first, second], net.right, position)
            other_way = counting.crossings_after([second, first], net.right, position)
            assert first == second or costs[row][place] == one_way - other_way


# --- places


def test_pooling_finds_the_nearest_rising_numbers() -> None:
    assert pooled([1, 3, 2, 4], [1, 1, 1, 1]) == [1, 2.5, 2.5, 4]
    assert pooled([3, 0], [2, 1]) == [2, 2]


def test_long_edges_are_level_where_they_have_room() -> None:
    graph = nx.DiGraph([(str(number), str(number + 1)) for number in range(6)] + [("0", "6")])
    drawing = lay_out(graph, sizes=dict.fromkeys(graph, (100, 30)))
    bends = drawing.routes["0", "6"].points[1:-1]
    assert len({y for _, y in bends}) == 1
    assert len({box.port for box in drawing.boxes.values()}) <= 2


def test_most_long_edges_and_many_short_ones_are_level() -> None:
    long = level = straight = edges = 0
    for seed in range(4):
        graph = project(45, seed)
        for route in lay_out(graph, sizes=dict.fromkeys(graph, (120, 32))).routes.values():
            inner = route.points[1:-1]
            long += bool(inner)
            level += len({y for _, y in inner}) == 1
            straight += len({y for _, y in route.points}) == 1
            edges += 1
    assert level > 0.65 * long
    assert straight > 0.25 * edges


def test_parts_fill_the_width_before_the_height() -> None:
    assert packed([(4, 100), (1, 30), (2, 50), (1, 30)], pitch=100) == [(0, 0), (2, 132), (0, 132), (3, 132)]


def test_room_is_found_on_the_nearer_side_and_within_bounds() -> None:
    blocked = [(0, 10), (8, 20)]
    assert nearest(5, blocked) == 0
    assert nearest(15, blocked) == 20
    assert nearest(5, blocked, top=2) == 20
    assert nearest(5, blocked, top=2, bottom=18) is None
    assert nearest(-3, blocked, top=-2) == -2


# --- the comparison with dot


def look(edges: dict[tuple[str, str], list[tuple[float, float]]]) -> Look:
    nodes = {"a": (0.0, 0.0), "b": (0.0, 10.0), "c": (10.0, 0.0), "d": (10.0, 10.0), "e": (20.0, 0.0)}
    return Look(nodes, edges, 0.0)


def test_the_counter_counts_changes_of_order_between_columns() -> None:
    assert crossings(look({("a", "d"): [(0, 0), (10, 10)], ("b", "c"): [(0, 10), (10, 0)]})) == 1
    assert crossings(look({("a", "c"): [(0, 0), (10, 0)], ("b", "d"): [(0, 10), (10, 10)]})) == 0
    assert crossings(look({("a", "c"): [(0, 0), (10, 0)], ("a", "d"): [(0, 0), (10, 10)]})) == 0
    above = {("b", "e"): [(0, 10), (10, -5), (20, 0)], ("a", "c"): [(0, 0), (10, 0)]}
    assert crossings(look(above)) == 1


def test_curves_are_measured_along_their_way() -> None:
    assert flat("M0 0h30") == [(0, 0), (30, 0)]
    assert length(look({("a", "d"): flat("M0 0C5 5 5 5 10 10")})) == pytest.approx(200**0.5)


def test_our_count_of_a_drawing_is_that_of_its_order() -> None:
    graph = random_graph(40, 2)
    largest = graph.subgraph(max(nx.weakly_connected_components(graph), key=len))
    names = sorted(largest)
    edges = sorted((names.index(tail), names.index(head)) for tail, head in largest.edges)
    net = cut(layers_of(len(names), edges), [0] * len(names), edges, set())
    assert crossings(by_us(largest)) == counting.crossings(net, ordered(net))


def test_the_table_has_a_line_for_each_size() -> None:
    text = table([Row(20, 30, 14.0, 13.3, 100.0, 101.0, 0.01, 0.02)])
    assert text.splitlines()[2] == "| 20 | 14.0 | 13.3 | 0.95 | 1.01 | 10 | 20 | 2.00 | 30 |"


def test_reading_order_is_by_column_then_from_the_top() -> None:
    boxes = {"c": Box(100, 0, 20, 10), "b": Box(0, 50, 20, 10), "a": Box(5, 0, 10, 10)}
    assert Drawing(120, 60, boxes, {}, (Lane("main", 0, 60),)).order == ["a", "b", "c"]


def test_a_back_route_turns_on_both_sides() -> None:
    route = Route(((20, 5), (30, 5), (30, 40), (0, 40), (0, 5), (5, 5)), back=True)
    assert route.path == "M20 5h10c24 0 24 35 0 35h-30c-24 0-24-35 0-35h5"
