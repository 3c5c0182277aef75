"""The correct lineage, computed the slow way: from the whole list of events, with plain sets, as of one time.

It shares nothing with the code under test but the vocabulary of entities. Two graphs, walked alike: by component
(`by_component`) and by instance (`by_instance`). Nothing is hidden here; who asks decides what may be named.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from catalog.entities import Entity
from tests.lineage.worlds import Consumed, Declared, Definition, Deleted, Event, Registered


@dataclass(frozen=True)
class Component:
    """A component on the branch that it writes to (empty: unknown)."""

    perimeter: str
    project: str
    kind: str
    name: str
    branch: str


@dataclass(frozen=True)
class Made:
    """An instance."""

    uid: str
    perimeter: str


@dataclass(frozen=True)
class Run:
    """A run after so many consumptions: what it consumes later leads to nothing that it had registered by then."""

    perimeter: str
    run: str
    consumptions: int


@dataclass(frozen=True)
class Leaf:
    """A consumer that leads no further by instance: a run, or a component that is none."""

    perimeter: str
    kind: str
    name: str
    component: Component | None = None


@dataclass(frozen=True)
class Unheard:
    """A source that an instance names and the catalogue does not have."""

    uid: str
    perimeter: str


Node = Definition | Component | Made | Run | Leaf | Unheard
Pair = tuple[Any, Any]


@dataclass(frozen=True)
class Fact:
    """The facts of an arrow as of the time. None: it has changed since, and older values are not stored."""

    relation: str
    first_at: datetime
    last_at: datetime | None
    count: int | None


@dataclass
class Graph:
    nodes: set[Any] = field(default_factory=set)
    links: dict[Pair, Fact] = field(default_factory=dict)

    def link(self, source: Node, target: Node, fact: Fact) -> None:
        self.nodes |= {source, target}
        self.links[source, target] = fact

    def before(self, node: Node) -> set[Any]:
        return {a for a, b in self.links if b == node}

    def after(self, node: Node) -> set[Any]:
        return {b for a, b in self.links if a == node}

    def distances(self, focus: Node, direction: str) -> dict[Any, int]:
        """Fewest arrows from the focus to all that it reaches: `up` against them, `down` along them."""
        found, ring, steps = {focus: 0}, {focus}, 0
        while ring:
            steps += 1
            step = self.before if direction == "up" else self.after
            ring = {near for node in ring for near in step(node)} - set(found)
            found |= dict.fromkeys(ring, steps)
        return found

    def between(self, source: Node, target: Node) -> Graph:
        """All nodes on any walk from one to the other, with the arrows among them; the two ends if there is none."""
        on_the_way = set(self.distances(source, "down")) & set(self.distances(target, "up"))
        return self.among(on_the_way) if on_the_way else Graph({source, target})

    def among(self, nodes: Iterable[Any]) -> Graph:
        kept = set(nodes)
        return Graph(kept, {pair: fact for pair, fact in self.links.items() if kept.issuperset(pair)})

    def on_branch(self, perimeter: str, project: str, branch: str) -> Graph:
        """The assets of a branch, and every arrow that ends at one of them or at a component that writes there."""
        place = (perimeter, project, branch)
        here = {node for node in self.nodes if (node.perimeter, node.project, node.branch) == place}
        links = {pair: fact for pair, fact in self.links.items() if here.intersection(pair)}
        return Graph(here.union(*links), links)


@dataclass
class Walk:
    """The nodes within `depth` arrows of a focus."""

    graph: Graph
    focus: Node
    direction: str
    depth: int

    def __post_init__(self) -> None:
        ways = ("up", "down") if self.direction == "both" else (self.direction,)
        self.reached = {way: self.graph.distances(self.focus, way) for way in ways}
        self.shown = {node for way in ways for node in self.within(way, self.depth)}
        self.reachable = {node for way in ways for node in self.reached[way]}
        self.sides = {way: self.graph.among(self.shown).distances(self.focus, way).keys() for way in ways}
        """Of what is shown: what feeds the focus, and what the focus feeds. A node can be near on one side only."""
        self.beyond = {near for way in ways for node in self.sides[way] for near in self.next(node, way)} - self.shown
        """One arrow further than what is shown."""

    def next(self, node: Node, way: str) -> set[Any]:
        return self.graph.before(node) if way == "up" else self.graph.after(node)

    def within(self, way: str, depth: int) -> set[Any]:
        return {node for node, distance in self.reached.get(way, {}).items() if distance <= depth}

    @property
    def walked(self) -> set[Pair]:
        """The arrows that were gone along: all that lead away from a node nearer than the depth."""
        up, down = self.within("up", self.depth - 1), self.within("down", self.depth - 1)
        return {(a, b) for a, b in self.graph.links if b in up or a in down}

    def more(self, node: Node) -> tuple[int, int]:
        """How many neighbours of a shown node, in the directions asked for, are not shown."""
        up, down = (
            self.next(node, way) - self.shown if node in self.sides.get(way, ()) else () for way in ("up", "down")
        )
        return len(up), len(down)

    def distance(self, node: Node) -> int:
        """Of a shown node, negative upstream. On both sides the nearer one counts; if they are equal, downstream."""
        far = self.depth + 1
        up, down = (self.reached.get(way, {}).get(node, far) for way in ("up", "down"))
        return -up if up < down else down


def component_of(perimeter: str, project: str, entity: Entity, branch: str) -> Component:
    kind, name = entity.component
    return Component(perimeter, project, str(kind), name, branch)


def by_component(events: list[Event], as_of: datetime | None) -> Graph:
    """Assets and components, at a moment (None: after all that happened)."""
    moment = as_of or events[-1].at
    graph = Graph({event.asset for event in events if isinstance(event, Declared | Registered) and event.at <= moment})
    home = {event.uid: event.asset for event in events if isinstance(event, Registered)}
    times: dict[tuple[Node, Node, str], list[datetime]] = {}
    for event in events:
        for arrow in _arrows(event, home):
            times.setdefault(arrow, []).append(event.at)
    for (source, target, relation), moments in times.items():
        if moments[0] <= moment:
            kept = moments[-1] <= moment
            fact = Fact(relation, moments[0], moments[-1] if kept else None, len(moments) if kept else None)
            graph.link(source, target, fact)
    return graph


def _arrows(event: Event, home: dict[str, Definition]) -> list[tuple[Node, Node, str]]:
    asset = event.asset
    if isinstance(event, Consumed):
        consumer = component_of(asset.perimeter, event.project, event.entity, event.write_branch)
        return [(asset, consumer, "consumes")]
    if isinstance(event, Registered) and event.promoted_from in home:
        return [(home[event.promoted_from], asset, "promotes")]
    if isinstance(event, Registered):
        return [(component_of(asset.perimeter, asset.project, event.entity, asset.branch), asset, "produces")]
    return []


def deleted(events: list[Event], as_of: datetime | None) -> set[Definition]:
    moment = as_of or events[-1].at
    return {event.asset for event in events if isinstance(event, Deleted) and event.at <= moment}


def by_instance(events: list[Event], as_of: datetime | None) -> Graph:
    """Instances, and the runs that made one out of others."""
    moment = as_of or events[-1].at
    past = [event for event in events if event.at <= moment]
    graph = Graph()
    registered = [event for event in past if isinstance(event, Registered)]
    consumed = [event for event in past if isinstance(event, Consumed)]
    known = {event.uid: Made(event.uid, event.asset.perimeter) for event in registered}
    for event in registered:
        graph.nodes.add(known[event.uid])
        _link_making(graph, event, known, consumed)
    idle = [use for use in consumed if not any(_leads_to(use, event, known) for event in registered)]
    for leaf in {_leaf(use) for use in idle}:
        _link_uses(graph, [use for use in idle if _leaf(use) == leaf], leaf, known)
    return graph


def _link_making(graph: Graph, event: Registered, known: dict[str, Made], consumed: list[Consumed]) -> None:
    made, perimeter = known[event.uid], event.asset.perimeter
    if event.promoted_from in known:
        graph.link(known[event.promoted_from], made, Fact("promotes", event.at, event.at, 1))
        return
    if event.promoted_from:
        graph.link(Unheard(event.promoted_from, perimeter), made, Fact("promotes", event.at, event.at, 1))
    if event.entity.run:
        uses = [use for use in consumed if _leads_to(use, event, known)]
        run = Run(perimeter, event.entity.run, len(uses))
        graph.link(run, made, Fact("produces", event.at, event.at, 1))
        _link_uses(graph, uses, run, known)


def _link_uses(graph: Graph, uses: list[Consumed], user: Run | Leaf, known: dict[str, Made]) -> None:
    for what in {_what(use, known) for use in uses}:
        times = [use.at for use in uses if _what(use, known) == what]
        graph.link(what, user, Fact("consumes", times[0], times[-1], len(times)))


def _leads_to(use: Consumed, event: Registered, known: dict[str, Made]) -> bool:
    """Whether what was consumed counts as having gone into what was registered."""
    same_run = bool(use.entity.run) and use.entity.run == event.entity.run
    same_place = use.asset.perimeter == event.asset.perimeter
    return same_run and same_place and use.at <= event.at and event.promoted_from not in known


def _what(use: Consumed, known: dict[str, Made]) -> Made | Definition:
    return known[use.instance] if use.instance else use.asset


def _leaf(use: Consumed) -> Leaf:
    perimeter = use.asset.perimeter
    if use.entity.run:
        return Leaf(perimeter, "run", use.entity.run)
    component = component_of(perimeter, use.project, use.entity, use.write_branch)
    return Leaf(perimeter, component.kind, component.name, component)
