"""The correct lineage, computed the slow way: from the whole list of events, with plain sets, as of one time.

It was written from docs/lineage.md alone and shares nothing with the code under test but the vocabulary of entities.
Two graphs: by component (`by_component`) and by instance (`by_instance`; `tests.lineage.rules` has the rule of runs).
Nothing is hidden here; who asks decides what may be named.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from catalog.entities import Entity
from tests.lineage.rules import Rules
from tests.lineage.worlds import Consumed, Declared, Definition, Deleted, Event, Registered, Runs

BASELINE = "baseline"


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
    """A run or session with the things that were the inputs of something that it registered."""

    perimeter: str
    run: str
    inputs: frozenset[Any]


@dataclass(frozen=True)
class OnlyRead:
    """A run or session with what it read and what counts for nothing that it registered itself."""

    perimeter: str
    run: str


@dataclass(frozen=True)
class Reader:
    """A component as one that reads, without a run or session."""

    perimeter: str
    component: Component


@dataclass(frozen=True)
class Maker:
    """A component as one that makes things, without a run or session."""

    perimeter: str
    component: Component


@dataclass(frozen=True)
class Unheard:
    """A source that an instance names and the catalogue does not have; by component, all such of an asset."""

    perimeter: str
    what: str | Definition


Node = Definition | Component | Made | Run | OnlyRead | Reader | Maker | Unheard
Pair = tuple[Any, Any]


@dataclass(frozen=True)
class Fact:
    """The facts of an arrow as of the time. None: it has changed since, and older values are not stored."""

    relation: str
    first_at: datetime
    last_at: datetime | None
    count: int | None
    version: str | None = ""
    roles: frozenset[str] = frozenset()
    by: str = ""

    @property
    def is_baseline(self) -> bool:
        return self.roles == {BASELINE}


@dataclass
class Graph:
    nodes: set[Any] = field(default_factory=set)
    links: dict[Pair, Fact] = field(default_factory=dict)

    def link(self, source: Node, target: Node, fact: Fact) -> None:
        self.nodes |= {source, target}
        self.links[source, target] = fact

    def before(self, node: Node, *, baselines: bool = True) -> set[Any]:
        return {a for (a, b), fact in self.links.items() if b == node and (baselines or not fact.is_baseline)}

    def after(self, node: Node, *, baselines: bool = True) -> set[Any]:
        return {b for (a, b), fact in self.links.items() if a == node and (baselines or not fact.is_baseline)}

    def through(self, focus: Node, direction: str) -> dict[Any, int]:
        """Fewest arrows from the focus to all that it reaches without a baseline: `up` against them, `down` along."""
        step = self.before if direction == "up" else self.after
        found, ring, steps = {focus: 0}, {focus}, 0
        while ring:
            steps += 1
            ring = {near for node in ring for near in step(node, baselines=False)} - set(found)
            found |= dict.fromkeys(ring, steps)
        return found

    def distances(self, focus: Node, direction: str, *, baselines: bool = True) -> dict[Any, int]:
        """Fewest arrows to all that is shown; a baseline is the last arrow, and against them the first one too."""
        through = self.through(focus, direction)
        found = dict(through)
        for node, steps in through.items() if baselines else ():
            if direction == "down":
                for near in self.after(node):
                    found[near] = min(found.get(near, steps + 1), steps + 1)
            elif node == focus:
                for near in self.before(node):
                    found[near] = min(found.get(near, 1), 1)
        return found

    def between(self, source: Node, target: Node, *, baselines: bool) -> Graph:
        """All nodes on any walk from one to the other, with the arrows among them; the two ends if there is none."""
        begun = set(self.through(source, "down"))
        on_the_way = begun & set(self.through(target, "up"))
        if baselines:
            for last in self.before(target) & begun:
                on_the_way |= begun & set(self.through(last, "up")) | {target}
        return self.among(on_the_way | {source, target})

    def among(self, nodes: Iterable[Any]) -> Graph:
        kept = set(nodes)
        return Graph(kept, {pair: fact for pair, fact in self.links.items() if kept.issuperset(pair)})

    def on_branch(self, perimeter: str, project: str, branch: str) -> Graph:
        """The assets of a branch and the components that write there, with all that an arrow joins to one of them."""
        place = (perimeter, project, branch)
        placed = {node for node in self.nodes if isinstance(node, Definition | Component)}
        here = {node for node in placed if (node.perimeter, node.project, node.branch) == place}
        return self.among(here.union(*(pair for pair in self.links if here.intersection(pair))))


@dataclass
class Walk:
    """The nodes within `depth` arrows of a focus."""

    graph: Graph
    focus: Node
    direction: str
    depth: int
    baselines: bool = True

    def __post_init__(self) -> None:
        ways = ("up", "down") if self.direction == "both" else (self.direction,)
        self.reached = {way: self.graph.distances(self.focus, way, baselines=self.baselines) for way in ways}
        self.shown = {node for way in ways for node in self.within(way, self.depth)}
        self.reachable = {node for way in ways for node in self.reached[way]}
        self.next_ring = {
            node for way in ways for node, steps in self.reached[way].items() if steps == self.depth + 1
        } - self.shown
        among = self.graph.among(self.shown)
        self.sides = {way: among.through(self.focus, way).keys() for way in ways}
        """Of what is shown: what feeds the focus, and what the focus feeds. A node can be near on one side only."""

    def within(self, way: str, depth: int) -> set[Any]:
        return {node for node, distance in self.reached.get(way, {}).items() if distance <= depth}

    @property
    def walked(self) -> set[Pair]:
        """The arrows that were gone along: all that lead away from a node nearer than the depth."""
        up, down = (
            {node for node, steps in self.graph.through(self.focus, way).items() if steps < self.depth}
            if way in self.reached
            else ()
            for way in ("up", "down")
        )
        return {(a, b) for a, b in self.graph.links if b in up or a in down}

    def more(self, node: Node) -> tuple[int, int]:
        """How many neighbours of a shown node, in the directions asked for, are not shown."""
        up = self.graph.before(node) - self.shown if node in self.sides.get("up", ()) else ()
        down = self.graph.after(node) - self.shown if node in self.sides.get("down", ()) else ()
        return len(up), len(down)

    def distance(self, node: Node) -> int:
        """Of a shown node, negative upstream. On both sides the nearer one counts; if they are equal, downstream."""
        far = self.depth + 1
        up, down = (self.reached.get(way, {}).get(node, far) for way in ("up", "down"))
        return -up if up < down else down


# --- what is true of arrows


@dataclass(frozen=True)
class Use:
    """One event of an arrow."""

    at: datetime
    version: str
    role: str
    failed: bool


def fact_of(relation: str, uses: list[Use], *, now: datetime | None = None, by: str = "") -> Fact | None:
    """What an arrow says. Its times and version are those of the events that did not fail, if there are any.

    `now`: the time that the arrow is asked of, where later events are known and hide how it was; in each role it began
    with its first event that did not fail, if there is one.
    """
    kept = list(uses)
    if now is not None:
        for role in {use.role for use in uses}:
            mine = [use for use in uses if use.role == role]
            counting = [use for use in mine if not use.failed] or mine
            if min(use.at for use in counting) > now:
                kept = [use for use in kept if use.role != role]
    if not kept:
        return None
    counting = [use for use in kept if not use.failed]
    telling = counting or kept
    first, last = min(telling, key=lambda use: use.at), max(telling, key=lambda use: use.at)
    known = now is None or last.at <= now
    return Fact(
        relation,
        first.at,
        last.at if known else None,
        len(counting) if known else None,
        last.version if known else None,
        frozenset(use.role for use in kept if relation == "consumes"),
        by,
    )


def end_of(events: list[Event]) -> datetime:
    return max(event.at for event in events)


def versions_of(events: list[Event]) -> dict[str, str]:
    """Of each instance; an asset's are numbered as they arrive."""
    numbers: dict[Definition, int] = {}
    versions = {"": ""}
    for event in events:
        if isinstance(event, Registered):
            numbers[event.asset] = numbers.get(event.asset, 0) + 1
            versions[event.uid] = f"v{numbers[event.asset]}"
    return versions


def role_of(event: Consumed) -> str:
    return event.role or "input"


def asked(event: Event, roles: frozenset[str]) -> bool:
    return not roles or not isinstance(event, Consumed) or role_of(event) in roles


# --- by component


def component_of(perimeter: str, project: str, entity: Entity, branch: str) -> Component:
    kind, name = entity.component
    return Component(perimeter, project, str(kind), name, branch)


def by_component(events: list[Event], as_of: datetime | None, roles: frozenset[str] = frozenset()) -> Graph:
    """Assets and components, at a moment (None: after all that happened)."""
    moment = as_of or end_of(events)
    rules, versions = Rules(events, {}), versions_of(events)
    graph = Graph({event.asset for event in events if isinstance(event, Declared | Registered) and event.at <= moment})
    arrows: dict[tuple[Node, Node, str], list[Use]] = {}
    for event in events:
        if isinstance(event, Registered | Consumed) and asked(event, roles):
            arrow, version, role = _arrow(event, rules), versions[_instance(event)], ""
            if isinstance(event, Consumed):
                role = role_of(event)
            arrows.setdefault(arrow, []).append(Use(event.at, version, role, rules.has_failed(event)))
    for (source, target, relation), uses in arrows.items():
        fact = fact_of(relation, uses, now=moment)
        if fact is not None:
            graph.link(source, target, fact)
    return graph


def _instance(event: Registered | Consumed) -> str:
    return event.uid if isinstance(event, Registered) else event.instance


def _arrow(event: Registered | Consumed, rules: Rules) -> tuple[Node, Node, str]:
    asset = event.asset
    if isinstance(event, Consumed):
        consumer = component_of(asset.perimeter, event.project, event.entity, event.write_branch)
        return asset, consumer, "consumes"
    if event.promoted_from:
        source = rules.source_of(event)
        return source.asset if source else Unheard(asset.perimeter, asset), asset, "promotes"
    return component_of(asset.perimeter, asset.project, event.entity, asset.branch), asset, "produces"


def deleted(events: list[Event], as_of: datetime | None) -> set[Definition]:
    moment = as_of or end_of(events)
    return {event.asset for event in events if isinstance(event, Deleted) and event.at <= moment}


# --- by instance


def by_instance(events: list[Event], runs: Runs, as_of: datetime | None, roles: frozenset[str] = frozenset()) -> Graph:
    """Instances, and the runs that made one out of others."""
    return ByInstance(events, runs, as_of, roles).graph


class ByInstance:
    def __init__(
        self, events: list[Event], runs: Runs, as_of: datetime | None, roles: frozenset[str] = frozenset()
    ) -> None:
        self.moment = as_of or end_of(events)
        self.rules, self.versions, self.roles = Rules(events, runs, self.moment), versions_of(events), roles
        past = [event for event in events if event.at <= self.moment]
        self.registered = [event for event in past if isinstance(event, Registered)]
        self.consumed = [event for event in past if isinstance(event, Consumed)]
        self.made = {event.uid: Made(event.uid, event.asset.perimeter) for event in self.registered}
        self.graph = Graph(set(self.made.values()))
        self.link_what_was_promoted()
        self.link_what_was_made()
        self.link_what_was_only_read()

    def link_what_was_promoted(self) -> None:
        for event in self.registered:
            if event.promoted_from:
                source = self.rules.source_of(event)
                known = self.made[source.uid] if source else Unheard(event.asset.perimeter, event.promoted_from)
                self.arrow("promotes", known, self.made[event.uid], [self.use(event)])

    def link_what_was_made(self) -> None:
        self.inputs: dict[Run, dict[str, list[Consumed]]] = {}
        """What counted, for each instance that a run registered with the same set of inputs."""
        for event in self.registered:
            if event.promoted_from:
                continue
            asset, made = event.asset, self.made[event.uid]
            name = self.rules.run_of(event)
            if not name:
                maker = Maker(asset.perimeter, _arrow(event, self.rules)[0])
                self.arrow("produces", maker, made, [self.use(event)])
                continue
            evidence = self.rules.evidence(event)
            counting = [reading for reading, verdict in evidence if verdict.counts]
            run = Run(asset.perimeter, name, frozenset(self.thing(reading) for reading in counting))
            by = "task" if all(verdict.is_sure for _, verdict in evidence) else "run"
            self.arrow("produces", run, made, [self.use(event)], by="session" if name[:2] == "s_" else by)
            self.inputs.setdefault(run, {})[event.uid] = counting
        for run in self.inputs:
            self.link_inputs(self.graph, run, self.inputs[run])

    def link_inputs(self, graph: Graph, run: Run, made: Iterable[str]) -> None:
        """Link what counts for these of the instances that a run registered with the same set of inputs."""
        readings = [reading for uid in made for reading in self.inputs[run][uid]]
        self.readings(run, [reading for at, reading in enumerate(readings) if reading not in readings[:at]], graph)

    def shown(self, nodes: set[Any]) -> Graph:
        """The graph of these nodes, in which only readings count that count for something shown."""
        graph, uids = self.graph.among(nodes), {node.uid for node in nodes if isinstance(node, Made)}
        for run in nodes & self.inputs.keys():
            self.link_inputs(graph, run, [uid for uid in self.inputs[run] if uid in uids])
        return graph.among(nodes)

    def link_what_was_only_read(self) -> None:
        readers: dict[OnlyRead | Reader, list[Consumed]] = {}
        for reading in self.consumed:
            perimeter, name = reading.asset.perimeter, self.rules.run_of(reading)
            reader = OnlyRead(perimeter, name) if name else Reader(perimeter, _arrow(reading, self.rules)[1])
            own = [event for event in self.registered if not event.promoted_from]
            if not name or not any(self.rules.counts_for_its_own(reading, event) for event in own):
                readers.setdefault(reader, []).append(reading)
        for reader, readings in readers.items():
            self.readings(reader, readings, failed=True)

    def readings(
        self,
        reader: Run | OnlyRead | Reader,
        readings: list[Consumed],
        graph: Graph | None = None,
        *,
        failed: bool = False,
    ) -> None:
        """`failed`: those of failed attempts don't count."""
        readings = [reading for reading in readings if asked(reading, self.roles)]
        for thing in {self.thing(reading) for reading in readings}:
            uses = [self.use(one, failed=failed) for one in readings if self.thing(one) == thing]
            fact = fact_of("consumes", uses)
            if fact is not None:
                (graph or self.graph).link(thing, reader, fact)

    def arrow(self, relation: str, source: Node, target: Node, uses: list[Use], by: str = "") -> None:
        fact = fact_of(relation, uses, by=by)
        if fact is not None:
            self.graph.link(source, target, fact)

    def use(self, event: Registered | Consumed, *, failed: bool = False) -> Use:
        role = role_of(event) if isinstance(event, Consumed) else ""
        return Use(event.at, self.versions[_instance(event)], role, failed and self.rules.has_failed(event))

    def thing(self, reading: Consumed) -> Made | Definition:
        return self.made[reading.instance] if reading.instance else reading.asset


def digests_of(events: list[Event]) -> dict[str, str]:
    """Of each instance of which it is known."""
    digests = {event.uid: event.digest for event in events if isinstance(event, Registered) and event.digest}
    for event in events:
        digests |= dict(getattr(event, "digests", ()))
    return digests
