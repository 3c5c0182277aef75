"""Every answer about lineage equals what the bare list of events says, in many random worlds.

A failing world has its seed in the name of the test; `worlds.made(seed)` makes it again.
"""

from __future__ import annotations

import contextlib
import functools
import json
import random
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta

import networkx as nx
import pytest
from django.db import transaction

from access.errors import NotFound
from catalog.models import Asset, Branch, Instance
from catalog.reading import Resolved
from lineage import questions
from lineage.answers import Answer, More, Reason, answer_shape
from lineage.graph import Kind, Link, Node
from lineage.scope import Scope
from lineage.walk import walk
from tests.lanes import first
from tests.lineage.oracle import (
    Component,
    Graph,
    Leaf,
    Made,
    Pair,
    Run,
    Unheard,
    Walk,
    by_component,
    by_instance,
    deleted,
)
from tests.lineage.worlds import (
    ROOMS,
    VAULT,
    VISIBLE,
    Consumed,
    Definition,
    Deleted,
    History,
    Registered,
    World,
    made,
)

pytestmark = [pytest.mark.both, pytest.mark.django_db, pytest.mark.slow]
SEEDS = range(1, 21)
DIRECTIONS = ("up", "down", "both")
FAR = 10_000
"""More than any of these worlds has, of arrows or of nodes."""


@pytest.fixture(scope="module", params=first(5, SEEDS), ids="seed{}".format)
def world(request, django_db_setup, django_db_blocker) -> Iterator[World]:
    """Recorded once for all tests of a seed, and taken back after them."""
    with django_db_blocker.unblock(), transaction.atomic():
        yield made(request.param)
        transaction.set_rollback(True)


@pytest.fixture
def chance(world, request) -> random.Random:
    return random.Random(f"{world.seed} {request.function.__name__}")


def scope(at: datetime | None, direction: str = "both", depth: int = FAR, budget: int = FAR, **more) -> Scope:
    return Scope(direction=direction, depth=depth, budget=budget, as_of=at, **more)


# --- names of the oracle and of the answers


def visible(nodes: Iterable) -> set:
    return {node for node in nodes if node.perimeter != VAULT}


def hidden(nodes: Iterable) -> set:
    return set(nodes) - visible(nodes)


def some(chance: random.Random, nodes: Iterable, count: int) -> list:
    """A few of these nodes, always the same ones."""
    known = sorted(nodes, key=repr)
    return chance.sample(known, min(count, len(known)))


def wire(world: World, node: Definition | Component | Made) -> str:
    if isinstance(node, Component):
        return f"c_{world.components[node.perimeter, node.project, node.kind, node.name]}.{node.branch}"
    return node.uid


def wired(world: World, pairs: Iterable[Pair]) -> set[tuple[str, str]]:
    return {(wire(world, a), wire(world, b)) for a, b in pairs}


def unhidden(answer: Answer) -> dict[str, Node]:
    return {node.id: node for node in answer.nodes if node.kind != Kind.HIDDEN}


def arrows(answer: Answer) -> dict[tuple[str, str], Link]:
    """Those between nodes that are not hidden."""
    known = unhidden(answer)
    return {(link.source, link.target): link for link in answer.links if link.source in known and link.target in known}


def left_out(answer: Answer, reason: Reason) -> int:
    return sum(cut.count for cut in answer.left_out if cut.reason == reason)


# --- what holds of every answer


def check_honest(answer: Answer, at: datetime | None, *, complete: bool) -> None:
    """Nothing hidden is told, nothing later than the moment, and the counts agree with what is shown."""
    assert VAULT not in json.dumps(answer_shape(answer)).lower()
    concealed = {node.id: node for node in answer.nodes if node.kind == Kind.HIDDEN}
    for key, node in concealed.items():
        assert node == Node(key, Kind.HIDDEN, "")
    for link in answer.links:
        if link.source in concealed or link.target in concealed:
            assert (link.first_at, link.last_at, link.count) == (None, None, None)
    if at:
        assert answer.as_of == at
        assert answer.is_past
        told = [time for node in answer.nodes for time in [node.at] if time]
        told += [time for link in answer.links for time in (link.first_at, link.last_at) if time]
        assert all(time <= at for time in told)
    assert left_out(answer, Reason.HIDDEN) == len(concealed)
    if not answer.found_at_least:
        assert answer.found == len(answer.graph) + left_out(answer, Reason.BUDGET) + left_out(answer, Reason.FILTER)
    assert answer.complete == complete


def check_graph(world: World, answer: Answer, nodes: set, truth: Graph, at: datetime | None) -> None:
    """These nodes and all arrows between them, with what is true of each."""
    assert set(unhidden(answer)) == {wire(world, node) for node in visible(nodes)}
    check_nodes(world, answer, nodes, at)
    among = truth.among(nodes)
    links = {(wire(world, a), wire(world, b)): fact for (a, b), fact in among.links.items() if not hidden((a, b))}
    shown = arrows(answer)
    assert set(shown) == set(links)
    for pair, link in shown.items():
        fact = links[pair]
        assert (link.relation, link.first_at) == (fact.relation, fact.first_at)
        assert (link.last_at, link.count) == (fact.last_at, fact.count)
    check_hidden(world, answer, among)


def check_nodes(world: World, answer: Answer, nodes: set, at: datetime | None) -> None:
    gone = deleted(world.events, at)
    for node in visible(nodes):
        shown = answer.node(wire(world, node))
        assert (shown.name, shown.project, shown.branch) == (node.name, node.project, node.branch)
        assert shown.kind == {"models": "model", "other": "unknown"}.get(node.kind, node.kind)
        assert shown.deleted == (node in gone)
        if shown.kind.is_asset:
            check_version(world, node, shown, at)


def check_version(world: World, asset: Definition, shown: Node, at: datetime | None) -> None:
    """No version that was not there yet."""
    mine = [event for event in world.events if isinstance(event, Registered) and event.asset == asset]
    past = [event for event in mine if at is None or event.at <= at]
    assert shown.version in {"", *(f"v{place}" for place in range(1, len(past) + 1))}


def check_hidden(world: World, answer: Answer, truth: Graph) -> None:
    """The hidden nodes stand where they should, whatever they are called: both graphs are of one shape."""
    concealed = hidden(truth.nodes)
    assert sum(node.kind == Kind.HIDDEN for node in answer.nodes) == len(concealed)
    if not concealed:
        return
    shown, true = nx.DiGraph(), nx.DiGraph()
    shown.add_nodes_from((node.id, {"is": "hidden" if node.kind == Kind.HIDDEN else node.id}) for node in answer.nodes)
    shown.add_edges_from((link.source, link.target, {"is": link.relation.value}) for link in answer.links)
    true.add_nodes_from((node, {"is": "hidden" if node in concealed else wire(world, node)}) for node in truth.nodes)
    true.add_edges_from((a, b, {"is": fact.relation}) for (a, b), fact in truth.links.items())
    assert nx.is_isomorphic(shown, true, is_same, is_same)


def is_same(one: dict, other: dict) -> bool:
    return one["is"] == other["is"]


# --- by component


def test_around_a_node_is_all_that_is_near_and_nothing_else(world, chance):
    for at in world.moments(chance, 2):
        truth = by_component(world.events, at)
        for focus in some(chance, visible(truth.nodes), 3):
            direction, depth = chance.choice(DIRECTIONS), chance.choice([0, 1, 1, 2, 3, 4, FAR])
            answer = questions.around(world.viewer, wire(world, focus), scope(at, direction, depth))
            check_around(world, answer, Walk(truth, focus, direction, depth), at)


def check_around(world: World, answer: Answer, walk: Walk, at: datetime | None) -> None:
    check_honest(answer, at, complete=walk.reachable == walk.shown and not hidden(walk.shown))
    check_graph(world, answer, walk.shown, walk.graph, at)
    assert answer.focus == (wire(world, walk.focus),)
    assert (answer.found, answer.found_at_least) == (len(walk.shown), False)
    check_depth(answer, walk)
    for node in visible(walk.shown):
        key = wire(world, node)
        assert answer.distance[key] == walk.distance(node)
        more = answer.more.get(key, More())
        assert (more.up, more.down) == walk.more(node)
    lacking = [walk.more(node) for node in hidden(walk.shown)]
    told = [answer.more.get(node.id, More()) for node in answer.nodes if node.kind == Kind.HIDDEN]
    assert Counter((more.up, more.down) for more in told) == Counter(lacking)


def check_depth(answer: Answer, walk: Walk) -> None:
    cut = [cut for cut in answer.left_out if cut.reason == Reason.DEPTH]
    assert len(cut) == (walk.reachable != walk.shown)
    assert sum(one.count for one in cut) == len(walk.beyond)


def test_where_both_sides_of_a_ring_meet_nothing_is_lost(world, chance):
    """A node near on one side may have more neighbours, beyond the depth, on the other."""
    truth = by_component(world.events, None)
    ring = {node for node in visible(truth.nodes) if any(node in truth.distances(a, "down") for a in truth.after(node))}
    for focus in some(chance, ring, 3):
        depth = chance.choice([1, 2, 2, 3])
        answer = questions.around(world.viewer, wire(world, focus), scope(None, "both", depth))
        check_around(world, answer, Walk(truth, focus, "both", depth), None)


def test_impact_is_all_that_is_downstream_and_how_it_is_reached(world, chance):
    for at in world.moments(chance, 1):
        truth = by_component(world.events, at)
        for focus in some(chance, visible(truth.nodes), 3):
            answer = questions.impact(world.viewer, wire(world, focus), scope(at, depth=1))
            walk = Walk(truth, focus, "down", FAR)
            check_honest(answer, at, complete=not hidden(walk.shown))
            check_graph(world, answer, walk.shown, truth, at)
            assert answer.found == len(walk.shown)
            check_ways(world, answer, walk)


def check_ways(world: World, answer: Answer, walk: Walk) -> None:
    """By the fewest arrows, each node from one that is one arrow nearer."""
    focus = wire(world, walk.focus)
    assert focus not in answer.via
    assert Counter(answer.distance.values()) == Counter(walk.reached["down"].values())
    for node in visible(walk.shown):
        assert answer.distance[wire(world, node)] == walk.reached["down"][node]
    for key in set(answer.graph) - {focus}:
        assert answer.graph.has_edge(answer.via[key], key)
        assert answer.distance[answer.via[key]] == answer.distance[key] - 1


def test_paths_are_every_way_from_one_node_to_another(world, chance):
    for at in world.moments(chance, 1):
        truth = by_component(world.events, at)
        for source, target in pairs_of(chance, truth, 4):
            answer = questions.paths(world.viewer, wire(world, source), wire(world, target), scope(at, depth=1))
            way = truth.between(source, target)
            check_honest(answer, at, complete=not hidden(way.nodes))
            check_graph(world, answer, way.nodes, way, at)


def pairs_of(chance: random.Random, truth: Graph, count: int) -> Iterator[tuple[Definition, Definition]]:
    """Two ends, mostly with a way from one to the other."""
    for source in some(chance, visible(truth.nodes), count):
        ends = visible(truth.distances(source, "down") if chance.random() < 0.8 else truth.nodes)
        yield source, some(chance, ends, 1)[0]


def test_a_branch_is_all_its_assets_and_all_that_touches_it(world, chance):
    for at in world.moments(chance, 2):
        truth = by_component(world.events, at)
        for branch in Branch.objects.filter(project__perimeter__name__in=VISIBLE).select_related("project__perimeter"):
            answer = questions.across(world.viewer, branch, scope(at, depth=1))
            here = truth.on_branch(branch.project.perimeter.name, branch.project.name, branch.key)
            check_honest(answer, at, complete=not hidden(here.nodes))
            check_graph(world, answer, here.nodes, here, at)


# --- by instance


def things_of(truth: Graph) -> set[Made | Definition]:
    """The instances, and the definitions that were consumed as such."""
    return {node for node in visible(truth.nodes) if isinstance(node, Made | Definition)}


def found(focus: Made | Definition) -> Resolved:
    if isinstance(focus, Definition):
        place = "branch__project__perimeter"
        return Resolved(Asset.objects.select_related(place).get(definition_uid=focus.uid), None)
    row = Instance.objects.select_related("asset__branch__project__perimeter", "component").get(uid=focus.uid)
    return Resolved(row.asset, row)


def test_the_exact_lineage_of_an_instance_is_what_its_runs_consumed_and_made(world, chance):
    for at in world.moments(chance, 2):
        truth = by_instance(world.events, at)
        for focus in some(chance, things_of(truth), 5):
            direction, depth = chance.choice(DIRECTIONS), chance.choice([0, 1, 2, 2, 3, 4, FAR, FAR])
            answer = questions.exact(world.viewer, found(focus), scope(at, direction, depth))
            check_exact(answer, Walk(truth, focus, direction, depth), at)


def test_the_ancestry_goes_through_the_hidden_and_names_nothing_there(world, chance):
    truth = by_instance(world.events, None)
    behind = [thing for thing in things_of(truth) if hidden(truth.distances(thing, "up"))]
    for focus in some(chance, behind, 4):
        check_exact(questions.exact(world.viewer, found(focus), scope(None, "up")), Walk(truth, focus, "up", FAR), None)


def check_exact(answer: Answer, walk: Walk, at: datetime | None) -> None:
    check_honest(answer, at, complete=walk.reachable == walk.shown and not hidden(walk.shown))
    things = {node.uid for node in visible(walk.shown) if isinstance(node, Made | Definition)}
    assert {key for key in unhidden(answer) if key[:2] in ("i_", "d_")} == things
    assert nx.is_directed_acyclic_graph(answer.graph)
    true = walk.graph.among(walk.shown)
    check_others(answer, true)
    assert derivations(answer) == {(a.uid, b.uid) for a, b in true_derivations(true)}
    promoted = {pair for pair, fact in true.links.items() if fact.relation == "promotes" and not hidden(pair)}
    copies = {pair for pair, link in arrows(answer).items() if link.relation == "promotes" and pair[0][:2] == "i_"}
    assert copies == {(a.uid, b.uid) for a, b in promoted if isinstance(a, Made)}
    if walk.direction == "up":
        check_ancestry(answer, true)


def check_ancestry(answer: Answer, true: Graph) -> None:
    """Where all runs are the oracle's, so are all arrows, with their times; and no node is there without reason."""
    assert Counter(node.kind for node in answer.nodes if node.kind in (Kind.RUN, Kind.HIDDEN)) == Counter(
        Kind.HIDDEN if node in hidden(true.nodes) else Kind.RUN
        for node in true.nodes
        if isinstance(node, Run) or node in hidden(true.nodes)
    )
    shown = Counter(
        (called(answer.node(a)), called(answer.node(b)), link.relation, link.first_at, link.last_at, link.count)
        for (a, b), link in arrows(answer).items()
    )
    assert shown == Counter(
        (named(a), named(b), fact.relation, fact.first_at, fact.last_at, fact.count)
        for (a, b), fact in true.links.items()
        if not hidden((a, b))
    )


def called(node: Node) -> str:
    return node.id if node.kind.is_asset else node.name


def named(node: Made | Definition | Run | Unheard) -> str:
    return node.run if isinstance(node, Run) else node.uid


def derivations(answer: Answer) -> set[tuple[str, str]]:
    """The pairs of input and output of one run."""
    runs = [node.id for node in answer.nodes if node.kind == Kind.RUN]
    graph = answer.graph
    return {(a, b) for run in runs for a in graph.predecessors(run) for b in graph.successors(run)}


def true_derivations(graph: Graph) -> set[Pair]:
    runs = [node for node in visible(graph.nodes) if isinstance(node, Run)]
    return {(a, b) for run in runs for a in graph.before(run) for b in graph.after(run)}


def check_others(answer: Answer, true: Graph) -> None:
    """Runs, consumers that lead no further (with their arrows), and sources that nobody knows are there by name."""
    names = {key: (node.kind.value, node.name) for key, node in unhidden(answer).items()}
    uses = {(link.source, *names[link.target]) for link in arrows(answer).values()}
    for node in visible(true.nodes):
        if isinstance(node, Run):
            assert ("run", node.run) in names.values()
        elif isinstance(node, Unheard):
            assert ("unknown", node.uid) in names.values()
        elif isinstance(node, Leaf):
            kind = {"other": "unknown"}.get(node.kind, node.kind)
            assert {(what.uid, kind, node.name) for what in true.before(node)} <= uses


# --- what is cut, filtered or refused


def test_a_budget_cuts_and_the_answer_says_by_how_much(world, chance):
    truth = by_component(world.events, None)
    for focus in some(chance, visible(truth.nodes), 4):
        walk = Walk(truth, focus, chance.choice(DIRECTIONS), chance.choice([1, 2, 3, FAR]))
        budget = chance.randint(1, 8)
        answer = questions.around(
            world.viewer, wire(world, focus), scope(None, walk.direction, walk.depth, budget=budget)
        )
        check_cut(world, answer, walk, budget)


def check_cut(world: World, answer: Answer, walk: Walk, budget: int) -> None:
    whole = walk.reachable == walk.shown and not hidden(walk.shown) and len(walk.shown) <= budget
    check_honest(answer, None, complete=whole)
    assert len(answer.graph) == min(budget, len(walk.shown))
    assert wire(world, walk.focus) in answer.graph
    assert set(unhidden(answer)) <= {wire(world, node) for node in visible(walk.shown)}
    assert (left_out(answer, Reason.BUDGET) > 0) == (len(walk.shown) > budget)
    assert answer.found == len(walk.shown) or (answer.found_at_least and answer.found < len(walk.shown))
    true = wired(world, (pair for pair in walk.graph.links if not hidden(pair)))
    assert set(arrows(answer)) == {(a, b) for a, b in true if a in answer.graph and b in answer.graph}


def test_impact_within_a_budget_says_that_there_is_more(world, chance):
    truth = by_component(world.events, None)
    for focus in some(chance, visible(truth.nodes), 3):
        walk = Walk(truth, focus, "down", FAR)
        budget = chance.randint(1, 6)
        check_cut(world, questions.impact(world.viewer, wire(world, focus), scope(None, budget=budget)), walk, budget)


def test_a_walk_that_stops_early_says_so(world, chance, monkeypatch):
    """A walk follows only so many arrows; here, very few."""
    truth = by_component(world.events, None)
    most = chance.randint(1, 6)
    monkeypatch.setattr(questions, "walk", functools.partial(walk, most=most))
    for focus in some(chance, visible(truth.nodes), 3):
        whole = Walk(truth, focus, chance.choice(DIRECTIONS), chance.choice([2, FAR]))
        answer = questions.around(world.viewer, wire(world, focus), scope(None, whole.direction, whole.depth))
        assert set(unhidden(answer)) <= {wire(world, node) for node in visible(whole.shown)}
        is_cut = len(whole.walked) > most
        is_whole = whole.reachable == whole.shown and not hidden(whole.shown)
        check_honest(answer, None, complete=is_whole and not answer.found_at_least)
        assert answer.found_at_least >= is_cut
        assert answer.found <= len(whole.shown)


def test_an_exact_walk_that_stops_early_is_never_called_complete(world, chance, monkeypatch):
    truth = by_instance(world.events, None)
    monkeypatch.setattr(questions, "walk", functools.partial(walk, most=chance.randint(1, 6)))
    for focus in some(chance, things_of(truth), 6):
        whole = Walk(truth, focus, chance.choice(DIRECTIONS), FAR)
        answer = questions.exact(world.viewer, found(focus), scope(None, whole.direction))
        things = {node.uid for node in visible(whole.shown) if isinstance(node, Made | Definition)}
        shown = {key for key in unhidden(answer) if key[:2] in ("i_", "d_")}
        assert shown <= things
        assert answer.complete <= (shown == things)


def test_before_it_was_there_a_thing_has_no_lineage(world, chance):
    for event in some(chance, (event for event in world.events if isinstance(event, Registered)), 3):
        if event.asset.perimeter == VAULT:
            continue
        before = scope(event.at - timedelta(microseconds=1))
        with contextlib.suppress(NotFound):
            answer = questions.exact(world.viewer, found(Made(event.uid, event.asset.perimeter)), before)
            assert not answer.links


def test_a_filter_leaves_out_other_kinds_and_says_so(world, chance):
    truth = by_component(world.events, None)
    for focus in some(chance, visible(truth.nodes), 3):
        question = scope(None, "both", 3)
        all_of_it = questions.around(world.viewer, wire(world, focus), question)
        kinds = frozenset(chance.sample(["data", "model", "flow"], 2))
        answer = questions.around(world.viewer, wire(world, focus), replace(question, kinds=kinds))
        kept = {key for key, node in unhidden(all_of_it).items() if node.kind in kinds}
        assert set(unhidden(answer)) - {wire(world, focus)} == kept - {wire(world, focus)}
        assert left_out(answer, Reason.HIDDEN) == left_out(all_of_it, Reason.HIDDEN)
        gone = len(all_of_it.graph) - len(answer.graph)
        assert left_out(answer, Reason.FILTER) == gone


def test_what_is_hidden_or_not_there_is_no_focus(world, chance):
    truth = by_component(world.events, None)
    unknown = ["d_00000000000000000000", "c_999999999.main", "c_x.main", "x_1", "nonsense", "", "c_1"]
    for focus in [*unknown, *(wire(world, node) for node in some(chance, hidden(truth.nodes), 4))]:
        for ask in (questions.around, questions.impact):
            with pytest.raises(NotFound):
                ask(world.viewer, focus, scope(None, depth=1))


def test_the_worlds_have_what_lineage_finds_hard():
    """Together they hold every shape that the tests above are for; else these would prove little."""
    met: Counter[str] = Counter()
    for seed in SEEDS:
        met.update(hard_things(seed))
    assert {thing for thing, times in met.items() if times < 2} == set()


def hard_things(seed: int) -> dict[str, bool]:
    events = History(seed).run()
    truth, exact = by_component(events, None), by_instance(events, None)
    drawn = nx.DiGraph(list(truth.links))
    names = Counter(node.address for node in truth.nodes if isinstance(node, Definition))
    runs = [node for node in exact.nodes if isinstance(node, Run)]
    bridges = [pair for pair in truth.links if len(hidden(pair)) == 1]
    return {
        "cycle": any(len(part) > 2 for part in nx.strongly_connected_components(drawn)),
        "promotion onto itself": any(a == b for a, b in truth.links),
        "way through the hidden": {a.perimeter == VAULT for a, _ in bridges} == {True, False},
        "deletion": any(isinstance(event, Deleted) for event in events),
        "name used again": any(times > 1 for times in names.values()),
        "definition consumed": any(isinstance(event, Consumed) and not event.instance for event in events),
        "unknown write branch": any(isinstance(event, Consumed) and not event.write_branch for event in events),
        "orphan": any(not truth.before(node) | truth.after(node) for node in truth.nodes),
        "run that reads late": len({(run.perimeter, run.run) for run in runs}) < len(runs),
        "unknown source": any(isinstance(node, Unheard) for node in exact.nodes),
        "consumer that is no task": any(isinstance(node, Leaf) and node.kind != "run" for node in exact.nodes),
        "fan": any(len(truth.after(node)) > 5 for node in truth.nodes),
        "every perimeter": {node.perimeter for node in truth.nodes} == set(ROOMS),
        "two ways": any(
            len(list(nx.node_disjoint_paths(drawn, a, b))) > 1
            for a in drawn
            for b in drawn
            if a != b and b in truth.distances(a, "down") and not drawn.has_edge(a, b)
        ),
    }
