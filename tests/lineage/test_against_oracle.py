"""Every answer about lineage equals what the bare list of events says, in many random worlds.

A failing world has its seed in the name of the test; `worlds.made(seed)` makes it again.
"""

from __future__ import annotations

import contextlib
import functools
import itertools
import math
import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import networkx as nx
import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from access.errors import NotFound
from catalog.models import Asset, Branch, Instance
from catalog.reading import Resolved
from lineage import questions
from lineage.answers import Answer, Reason
from lineage.graph import Kind
from lineage.scope import Scope
from lineage.walk import walk
from tests.lanes import worlds
from tests.lineage.checks import (
    check_depth,
    check_graph,
    check_honest,
    check_near,
    hidden,
    is_shown,
    left_out,
    some,
    unhidden,
    visible,
    wire,
)
from tests.lineage.oracle import (
    ByInstance,
    Component,
    Graph,
    Made,
    OnlyRead,
    Reader,
    Run,
    Unheard,
    Walk,
    by_component,
    by_instance,
)
from tests.lineage.rules import PRESUMED, PRESUMED_ANEW, Rules, step_of
from tests.lineage.worlds import (
    ROOMS,
    VAULT,
    VISIBLE,
    Consumed,
    Definition,
    Deleted,
    Event,
    History,
    Registered,
    World,
    made,
)

pytestmark = [pytest.mark.both, pytest.mark.django_db, pytest.mark.slow]
SEEDS = (*range(1, 20), 25)
"""Worlds that together have every shape at least twice, as a test below asks."""
DIRECTIONS = ("up", "down", "both")
FAR = 10_000
"""More than any of these worlds has, of arrows or of nodes."""
ROLES = [frozenset(roles) for roles in ((), (), (), ("baseline",), ("input",), ("input", "baseline"), ("evaluation",))]


@pytest.fixture(scope="module", params=worlds(SEEDS), ids="seed{}".format)
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


# --- by component


def test_around_a_node_is_all_that_is_near_and_nothing_else(world, chance):
    for at in world.moments(chance, 3):
        roles = chance.choice(ROLES)
        truth = by_component(world.events, at, roles)
        for focus in some(chance, seen_by_component(truth), 4):
            direction, depth = chance.choice(DIRECTIONS), chance.choice([0, 1, 1, 2, 3, 4, FAR])
            answer = questions.around(world.viewer, wire(world, focus), scope(at, direction, depth, roles=roles))
            check_around(world, answer, Walk(truth, focus, direction, depth), at)


def seen_by_component(truth: Graph) -> set[Definition | Component]:
    return {node for node in visible(truth.nodes) if isinstance(node, Definition | Component)}


def check_around(world: World, answer: Answer, walk: Walk, at: datetime | None) -> None:
    check_honest(answer, at, complete=walk.reachable == walk.shown and not hidden(walk.shown))
    check_graph(world, answer, walk.graph.among(walk.shown), at)
    assert answer.focus == (wire(world, walk.focus),)
    assert (answer.found, answer.found_at_least) == (len(walk.shown), False)
    check_depth(answer, walk)
    check_near(world, answer, walk)


def test_where_both_sides_of_a_ring_meet_nothing_is_lost(world, chance):
    """A node near on one side may have more neighbours, beyond the depth, on the other."""
    truth = by_component(world.events, None)
    seen = seen_by_component(truth)
    ring = {node for node in seen if any(node in truth.distances(a, "down") for a in truth.after(node))}
    for focus in some(chance, ring, 3):
        depth = chance.choice([1, 2, 2, 3])
        answer = questions.around(world.viewer, wire(world, focus), scope(None, "both", depth))
        check_around(world, answer, Walk(truth, focus, "both", depth), None)


def test_no_way_leads_through_a_baseline(world, chance):
    truth = by_component(world.events, None)
    compared = {pair for pair, fact in truth.links.items() if fact.is_baseline and not hidden(pair)}
    for asset, reader in some(chance, compared, 3):
        for focus, direction in ((asset, "down"), (reader, "up"), (asset, "both"), (reader, "both")):
            depth = chance.choice([1, 2, FAR])
            answer = questions.around(world.viewer, wire(world, focus), scope(None, direction, depth))
            assert {wire(world, asset), wire(world, reader)} <= set(answer.graph)
            check_around(world, answer, Walk(truth, focus, direction, depth), None)


def test_impact_is_all_that_is_downstream_and_how_it_is_reached(world, chance):
    for at in world.moments(chance, 2):
        roles = chance.choice(ROLES)
        truth = by_component(world.events, at, roles)
        for focus in some(chance, seen_by_component(truth), 4):
            answer = questions.impact(world.viewer, wire(world, focus), scope(at, depth=1, roles=roles))
            walk = Walk(truth, focus, "down", FAR, baselines="baseline" in roles)
            check_honest(answer, at, complete=not hidden(walk.shown))
            check_graph(world, answer, truth.among(walk.shown), at)
            assert answer.found == len(walk.shown)
            check_ways(world, answer, walk)


def check_ways(world: World, answer: Answer, walk: Walk) -> None:
    """By the fewest arrows, and only the last of them may be a reading as a baseline."""
    focus, through = wire(world, walk.focus), walk.graph.through(walk.focus, "down")
    assert focus not in answer.via
    assert sorted(answer.distance.values()) == sorted(walk.reached["down"].values())
    fewest = {wire(world, node): through.get(node) for node in seen_by_component(Graph(walk.shown))}
    for node in seen_by_component(Graph(walk.shown)):
        assert answer.distance[wire(world, node)] == walk.reached["down"][node]
    for key in set(answer.graph) - {focus}:
        way = [key]
        while way[-1] != focus:
            assert answer.graph.has_edge(answer.via[way[-1]], way[-1])
            way.append(answer.via[way[-1]])
        assert len(way) - 1 == (fewest.get(key) or answer.distance[key])
        assert not any(answer.graph.edges[a, b]["link"].roles == ("baseline",) for b, a in itertools.pairwise(way[1:]))


def test_a_baseline_is_not_in_an_impact_unless_its_role_is_asked_for(world, chance):
    truth = by_component(world.events, None)
    compared = {pair for pair, fact in truth.links.items() if fact.is_baseline and not hidden(pair)}
    for asset, reader in some(chance, compared, 4):
        answer = questions.impact(world.viewer, wire(world, asset), scope(None))
        assert (wire(world, reader) in answer.graph) == (reader in truth.through(asset, "down"))
        asked = questions.impact(world.viewer, wire(world, asset), scope(None, roles=frozenset({"baseline"})))
        assert wire(world, reader) in asked.graph


def test_paths_are_every_way_from_one_node_to_another(world, chance):
    for at in world.moments(chance, 2):
        roles = chance.choice(ROLES)
        truth = by_component(world.events, at, roles)
        for source, target in pairs_of(chance, truth, 5):
            asked = scope(at, depth=1, roles=roles)
            answer = questions.paths(world.viewer, wire(world, source), wire(world, target), asked)
            way = truth.between(source, target, baselines="baseline" in roles)
            check_honest(answer, at, complete=not hidden(way.nodes))
            check_graph(world, answer, way, at)


def pairs_of(chance: random.Random, truth: Graph, count: int) -> Iterator[tuple[Definition, Definition]]:
    """Two ends, mostly with a way from one to the other."""
    for source in some(chance, seen_by_component(truth), count):
        near = truth.distances(source, "down") if chance.random() < 0.8 else truth.nodes
        yield source, some(chance, seen_by_component(Graph(set(near))), 1)[0]


def test_a_branch_is_all_its_assets_and_all_that_touches_it(world, chance):
    for at in world.moments(chance, 2):
        roles = chance.choice(ROLES)
        truth = by_component(world.events, at, roles)
        for branch in Branch.objects.filter(project__perimeter__name__in=VISIBLE).select_related("project__perimeter"):
            answer = questions.across(world.viewer, branch, scope(at, depth=1, roles=roles))
            here = truth.on_branch(branch.project.perimeter.name, branch.project.name, branch.key)
            check_honest(answer, at, complete=not hidden(here.nodes))
            check_graph(world, answer, here, at)


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
    for at in world.moments(chance, 3):
        roles = chance.choice(ROLES)
        truth = ByInstance(world.events, world.runs, at, roles)
        for focus in some(chance, things_of(truth.graph), 6):
            direction, depth = chance.choice(DIRECTIONS), chance.choice([0, 1, 2, 2, 3, 4, FAR, FAR])
            answer = questions.exact(world.viewer, found(focus), scope(at, direction, depth, roles=roles))
            check_exact(world, answer, truth, Walk(truth.graph, focus, direction, depth), at)


def test_the_ancestry_of_everything_is_exact(world):
    truth = ByInstance(world.events, world.runs, None)
    for focus in things_of(truth.graph):
        answer = questions.exact(world.viewer, found(focus), scope(None, "up"))
        check_exact(world, answer, truth, Walk(truth.graph, focus, "up", FAR), None)


def test_the_ancestry_goes_through_the_hidden_and_names_nothing_there(world, chance):
    truth = ByInstance(world.events, world.runs, None)
    behind = [thing for thing in things_of(truth.graph) if hidden(truth.graph.distances(thing, "up"))]
    for focus in some(chance, behind, 4):
        answer = questions.exact(world.viewer, found(focus), scope(None, "up"))
        check_exact(world, answer, truth, Walk(truth.graph, focus, "up", FAR), None)


def check_exact(world: World, answer: Answer, truth: ByInstance, walk: Walk, at: datetime | None) -> None:
    """An arrow to a run counts, upstream, what counts for what is shown, and downstream for all that it registered."""
    unread = unread_of(world, walk)
    whole = walk.reachable == walk.shown and not hidden(walk.shown) and not unread
    assert left_out(answer, Reason.RESUMED) == len(unread)
    check_honest(answer, at, complete=whole)
    assert nx.is_directed_acyclic_graph(answer.graph)
    graph = truth.shown(walk.shown) if walk.direction == "up" else walk.graph.among(walk.shown)
    both = walk.direction == "both"
    check_graph(world, answer, graph, at, counted=lambda label: not both or label[0] != "run")
    assert (answer.found, answer.found_at_least) == (len(walk.shown), False)
    check_depth(answer, walk)
    check_near(world, answer, walk)


def unread_of(world: World, walk: Walk) -> set[tuple[str, str]]:
    """The resumed runs whose cloned tasks are not known, and which matter to an answer.

    They lead to what a shown run made, or to what a run may have made that resumed a reader of what the focus feeds.
    """
    rules = Rules(world.events, world.runs)
    runs = {(node.perimeter, node.run) for node in walk.shown if isinstance(node, Run)}
    followed = walk.within("down", walk.depth - 1)
    readers = {
        (node.perimeter, node.run)
        for thing in followed
        for node in walk.graph.after(thing)
        if isinstance(node, Run | OnlyRead)
    }
    makers = {(node.perimeter, node.run) for node in walk.graph.nodes if isinstance(node, Run)}
    runs |= {
        maker for maker in makers for reader in readers if reader != maker and reader[1] in rules.resumed_by(*maker)
    }
    unread = {(perimeter, run) for perimeter, name in runs for run in rules.unread(perimeter, name)}
    return {run for run in unread if run[0] != VAULT}


def test_no_ancestor_was_read_only_as_a_baseline_or_by_a_failed_attempt(world):
    """What each ancestor was read as, by the bare events."""
    rules = Rules(world.events, world.runs)
    readings = [event for event in world.events if isinstance(event, Consumed)]
    for event in world.events:
        if not isinstance(event, Registered) or event.promoted_from or event.asset.perimeter == VAULT:
            continue
        answer = questions.exact(world.viewer, found(Made(event.uid, event.asset.perimeter)), scope(None, "up", 2))
        inputs = {node.id for node in answer.nodes if answer.distance[node.id] == -2}
        for uid in inputs:
            mine = [one for one in readings if uid in (one.instance, one.asset.uid) and one.at <= event.at]
            good = [one for one in mine if one.role != "baseline" and not rules.has_failed(one)]
            own = [one for one in mine if one.entity == event.entity and one.place.attempt == event.place.attempt]
            assert good or any(one.role != "baseline" for one in own)


# --- what is cut, filtered or refused


def test_a_budget_cuts_and_the_answer_says_by_how_much(world, chance):
    truth = by_component(world.events, None)
    for focus in some(chance, seen_by_component(truth), 4):
        walk = Walk(truth, focus, chance.choice(DIRECTIONS), chance.choice([1, 2, 3, FAR]))
        budget = chance.randint(1, 8)
        asked = scope(None, walk.direction, walk.depth, budget=budget)
        check_cut(world, questions.around(world.viewer, wire(world, focus), asked), walk, budget)


def check_cut(world: World, answer: Answer, walk: Walk, budget: int) -> None:
    whole = walk.reachable == walk.shown and not hidden(walk.shown) and len(walk.shown) <= budget
    check_honest(answer, None, complete=whole)
    assert len(answer.graph) == min(budget, len(walk.shown))
    assert (left_out(answer, Reason.BUDGET) > 0) == (len(walk.shown) > budget)
    assert answer.found == len(walk.shown) or (answer.found_at_least and answer.found < len(walk.shown))
    check_what_is_shown(world, answer, walk.graph, walk.shown)


def check_what_is_shown(world: World, answer: Answer, truth: Graph, nodes: set) -> None:
    """Of these nodes some are shown, and every arrow between two of them."""
    some_of_it = {node for node in visible(nodes) if is_shown(world, answer, node, truth)}
    shown = unhidden(answer)
    assert len(some_of_it) == len(shown)
    check_graph(world, answer, truth.among(some_of_it), None, hiding=True)


def test_impact_and_paths_within_a_budget_say_that_there_is_more(world, chance):
    truth = by_component(world.events, None)
    for focus in some(chance, seen_by_component(truth), 3):
        walk = Walk(truth, focus, "down", FAR, baselines=False)
        budget = chance.randint(1, 6)
        check_cut(world, questions.impact(world.viewer, wire(world, focus), scope(None, budget=budget)), walk, budget)
    for source, target in pairs_of(chance, truth, 3):
        way, budget = truth.between(source, target, baselines=False), chance.randint(2, 5)
        asked = scope(None, budget=budget)
        answer = questions.paths(world.viewer, wire(world, source), wire(world, target), asked)
        check_what_is_shown(world, answer, truth, way.nodes)
        assert (left_out(answer, Reason.BUDGET) > 0) == (len(way.nodes) > budget)
        check_honest(answer, None, complete=not hidden(way.nodes) and len(way.nodes) <= budget)


def test_a_branch_within_a_budget_says_that_there_is_more(world, chance):
    truth = by_component(world.events, None)
    for branch in Branch.objects.filter(project__perimeter__name__in=VISIBLE).select_related("project__perimeter"):
        budget = chance.randint(1, 8)
        answer = questions.across(world.viewer, branch, scope(None, budget=budget))
        here = truth.on_branch(branch.project.perimeter.name, branch.project.name, branch.key)
        check_what_is_shown(world, answer, truth, here.nodes)
        assert (left_out(answer, Reason.BUDGET) > 0) == (len(here.nodes) > budget)
        check_honest(answer, None, complete=not hidden(here.nodes) and len(here.nodes) <= budget)


def test_an_exact_answer_within_a_budget_shows_every_arrow_of_what_it_shows(world, chance):
    truth = by_instance(world.events, world.runs, None)
    for focus in some(chance, things_of(truth), 5):
        walk = Walk(truth, focus, chance.choice(DIRECTIONS), chance.choice([2, 4, FAR]))
        budget = chance.randint(1, 9)
        answer = questions.exact(world.viewer, found(focus), scope(None, walk.direction, walk.depth, budget=budget))
        assert len(answer.graph) == min(budget, len(walk.shown))
        assert (left_out(answer, Reason.BUDGET) > 0) == (len(walk.shown) > budget)
        assert answer.complete <= (len(walk.shown) <= budget)
        true, shown = walk.graph.among(walk.shown), unhidden(answer)
        things = {(a.uid, b.uid) for a, b in true.links if isinstance(a, Made) and isinstance(b, Made)}
        both = {(a, b) for a, b in things if a in shown and b in shown}
        assert both == {(a, b) for a, b in answer.graph.edges if a[:2] == b[:2] == "i_"}


def test_a_walk_that_stops_early_says_so(world, chance, monkeypatch):
    """A walk follows only so many arrows; here, very few."""
    truth = by_component(world.events, None)
    most = chance.randint(1, 6)
    monkeypatch.setattr(questions, "walk", functools.partial(walk, most=most))
    for focus in some(chance, seen_by_component(truth), 3):
        whole = Walk(truth, focus, chance.choice(DIRECTIONS), chance.choice([2, FAR]))
        answer = questions.around(world.viewer, wire(world, focus), scope(None, whole.direction, whole.depth))
        check_what_is_shown(world, answer, truth, whole.shown)
        is_cut = len(whole.walked) > most
        is_whole = whole.reachable == whole.shown and not hidden(whole.shown)
        check_honest(answer, None, complete=is_whole and not answer.found_at_least)
        assert answer.found_at_least >= is_cut
        assert answer.found <= len(whole.shown)


def test_an_exact_walk_that_stops_early_is_never_called_complete(world, chance, monkeypatch):
    truth = by_instance(world.events, world.runs, None)
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
    for focus in some(chance, seen_by_component(truth), 3):
        question = scope(None, "both", 3)
        all_of_it = questions.around(world.viewer, wire(world, focus), question)
        kinds = frozenset(chance.sample(["data", "model", "flow"], 2))
        answer = questions.around(world.viewer, wire(world, focus), replace(question, kinds=kinds))
        kept = {key for key, node in unhidden(all_of_it).items() if node.kind in kinds}
        assert set(unhidden(answer)) - {wire(world, focus)} == kept - {wire(world, focus)}
        assert left_out(answer, Reason.HIDDEN) == left_out(all_of_it, Reason.HIDDEN)
        gone = len(all_of_it.graph) - len(answer.graph)
        assert left_out(answer, Reason.FILTER) == gone
        among = all_of_it.graph.subgraph(answer.graph)
        assert set(answer.graph.edges) == set(among.edges)
        for key, more in answer.more.items():
            assert more == all_of_it.more[key]


def test_a_role_leaves_only_readings_in_it(world, chance):
    for focus in some(chance, seen_by_component(by_component(world.events, None)), 3):
        role = chance.choice(["input", "baseline", "evaluation", "teacher", "nobody"])
        asked = scope(None, "both", 3, roles=frozenset({role}))
        with contextlib.suppress(NotFound):
            answer = questions.around(world.viewer, wire(world, focus), asked)
            hiding = {node.id for node in answer.nodes if node.kind == Kind.HIDDEN}
            for link in answer.links:
                if not {link.source, link.target} & hiding:
                    assert link.roles == ((role,) if link.relation == "consumes" else ())


def test_what_is_hidden_or_not_there_is_no_focus(world, chance):
    truth = by_component(world.events, None)
    unknown = ["d_00000000000000000000", "c_999999999.main", "c_x.main", "x_1", "nonsense", "", "c_1"]
    concealed = {node for node in hidden(truth.nodes) if isinstance(node, Definition | Component)}
    for focus in [*unknown, *(wire(world, node) for node in some(chance, concealed, 4))]:
        for ask in (questions.around, questions.impact):
            with pytest.raises(NotFound):
                ask(world.viewer, focus, scope(None, depth=1))


# --- what an answer costs


def test_an_answer_by_component_costs_a_query_a_level_and_six_more(world, chance):
    """The levels are those that were walked. Paths cost one more, and a branch seven."""
    truth, viewer = by_component(world.events, None), world.viewer
    for focus in some(chance, seen_by_component(truth), 4):
        direction, depth = chance.choice(DIRECTIONS), chance.choice([1, 2, 3, FAR])
        cost = queries_of(questions.around, viewer, wire(world, focus), scope(None, direction, depth))
        assert cost <= levels_of(Walk(truth, focus, direction, depth)) + 6
        cost = queries_of(questions.impact, viewer, wire(world, focus), scope(None))
        assert cost <= levels_of(Walk(truth, focus, "down", FAR)) + 6
    for source, target in pairs_of(chance, truth, 4):
        roles = chance.choice([frozenset(), frozenset({"input", "baseline"})])
        asked, left = scope(None, roles=roles), by_component(world.events, None, roles)
        cost = queries_of(questions.paths, viewer, wire(world, source), wire(world, target), asked)
        assert cost <= levels_of(Walk(left, source, "down", FAR)) + 7
    for branch in Branch.objects.filter(project__perimeter__name__in=VISIBLE).select_related("project__perimeter"):
        assert queries_of(questions.across, viewer, branch, scope(None)) <= 7


def test_an_exact_answer_costs_three_queries_for_two_levels_and_eight_more(world, chance):
    """And more only for runs that were resumed: two, and one for each further link of the chain of resumes."""
    truth, rules = by_instance(world.events, world.runs, None), Rules(world.events, world.runs)
    chains = [len(rules.resumed_by(*run)) for run, known in world.runs.items() if known.origin]
    for focus in some(chance, things_of(truth), 8):
        direction, depth = chance.choice(DIRECTIONS), chance.choice([1, 2, 3, 4, FAR])
        cost = queries_of(questions.exact, world.viewer, found(focus), scope(None, direction, depth))
        levels = levels_of(Walk(truth, focus, direction, depth))
        assert cost <= 3 * math.ceil(levels / 2) + 8 + sum(2 + links for links in chains)


def levels_of(walk: Walk) -> int:
    """How many levels of arrows are asked for: within the depth, or further through what is shown on the other side."""
    ways = [(walk.reached[way], walk.graph.through(walk.focus, way)) for way in walk.reached]
    within = min(walk.depth, max(max(*reached.values(), *through.values(), 0) for reached, through in ways))
    among = walk.graph.among(walk.shown)
    return max(within, *(max(among.through(walk.focus, way).values()) for way in walk.reached))


def queries_of(ask: Callable[..., Answer], *question: Any) -> int:
    """Without the one that says what the viewer may see."""
    with CaptureQueriesContext(connection) as queries:
        ask(*question)
    return sum("access_membership" not in query["sql"] for query in queries)


# --- what the worlds are made of


def test_the_worlds_have_what_lineage_finds_hard():
    """Together they hold every shape that the tests above are for; else these would prove little."""
    met: dict[str, int] = {}
    for seed in SEEDS:
        for thing, there in hard_things(seed).items():
            met[thing] = met.get(thing, 0) + there
    assert {thing for thing, times in met.items() if times < 2} == set()


def hard_things(seed: int) -> dict[str, bool]:
    history = History(seed)
    events = history.run()
    return {**hard_by_component(events), **hard_by_instance(history)}


def hard_by_component(events: list[Event]) -> dict[str, bool]:
    truth = by_component(events, None)
    drawn = nx.DiGraph(list(truth.links))
    names = [node.address for node in truth.nodes if isinstance(node, Definition)]
    bridges = [pair for pair in truth.links if len(hidden(pair)) == 1]
    facts = list(truth.links.values())
    return {
        "cycle": any(len(part) > 2 for part in nx.strongly_connected_components(drawn)),
        "promotion onto itself": any(a == b for a, b in truth.links),
        "way through the hidden": {a.perimeter == VAULT for a, _ in bridges} == {True, False},
        "deletion": any(isinstance(event, Deleted) for event in events),
        "name used again": len(set(names)) < len(names),
        "definition consumed": any(isinstance(event, Consumed) and not event.instance for event in events),
        "unknown write branch": any(isinstance(event, Consumed) and not event.write_branch for event in events),
        "orphan": any(not truth.before(node) | truth.after(node) for node in truth.nodes),
        "unknown sources of an asset": any(isinstance(node, Unheard) for node in truth.nodes),
        "baseline": any(fact.is_baseline for fact in facts),
        "several roles": any(len(fact.roles) > 1 for fact in facts),
        "nothing but failed": any(fact.count == 0 for fact in facts),
        "late arrival": any(getattr(event, "arrives", None) for event in events),
        "fan": any(len(truth.after(node)) > 5 for node in truth.nodes),
        "every perimeter": {node.perimeter for node in truth.nodes} == set(ROOMS),
        "two ways": any(
            len(list(nx.node_disjoint_paths(drawn, a, b))) > 1
            for a in drawn
            for b in drawn
            if a != b and b in truth.distances(a, "down") and not drawn.has_edge(a, b)
        ),
    }


def hard_by_instance(history: History) -> dict[str, bool]:
    events, runs = history.events, history.runs
    rules, exact = Rules(events, runs), by_instance(events, runs, None)
    nodes = [node for node in exact.nodes if isinstance(node, Run)]
    made = [event for event in events if isinstance(event, Registered)]
    verdicts = [(event, *one) for event in made if not event.promoted_from for one in rules.evidence(event)]
    own = [(event, use, verdict) for event, use, verdict in verdicts if use.entity.run == event.entity.run]
    other = [(event, use, verdict) for event, use, verdict in own if use.entity != event.entity and use.entity.run]
    taken = [one for one in verdicts if one[1].entity.run != one[0].entity.run]
    failed = {use for _, use, _ in verdicts if rules.has_failed(use)}
    sessions = [one for one in own if not one[0].entity.run]
    bys = {fact.by for fact in exact.links.values()}
    return {
        "run that is several nodes": len({(run.perimeter, run.run) for run in nodes}) < len(nodes),
        "unknown source": any(isinstance(node, Unheard) for node in exact.nodes),
        "only read": any(isinstance(node, OnlyRead) for node in exact.nodes),
        "reader that is no task": any(isinstance(node, Reader) for node in exact.nodes),
        "every by": bys >= {"", "task", "run"},
        "kept apart": any(not one[2].counts and one[2].is_sure and one[1] not in failed for one in other),
        "sibling": any(
            use.place.foreach and use.place.foreach != event.place.foreach and not verdict.counts
            for event, use, verdict in other
            if step_of(use.entity.id) == step_of(event.entity.id)
        ),
        "earlier iteration": any(
            verdict.counts and verdict.is_sure
            for event, use, verdict in other
            if step_of(use.entity.id) == step_of(event.entity.id)
        ),
        "presumed": any(verdict == PRESUMED for *_, verdict in other),
        "failed reading that counts for nothing": any(use in failed and not one.counts for _, use, one in own),
        "failed reading that counts": any(use in failed and one.counts for _, use, one in own),
        "session": any(one.counts for *_, one in sessions),
        "session of more than twelve hours": any(not one.counts for *_, one in sessions),
        "session of another": any(
            event.place.session and not rules.run_of(event) for event in events if isinstance(event, Registered)
        ),
        "taken over": any(one.counts and one.is_sure for *_, one in taken),
        "presumed to be taken over": any(one == PRESUMED for *_, one in taken),
        "presumed to be run anew": any(one == PRESUMED_ANEW for *_, one in taken),
        "resume of a resume": any(
            use.entity.run not in (event.entity.run, runs[event.asset.perimeter, event.entity.run].origin)
            for event, use, _ in taken
        ),
    }
