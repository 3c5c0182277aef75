"""Random worlds: all that happened in a catalogue, as one list of events, and those events really recorded.

A world is planned from its seed alone, ids included, so that one that fails a test can be made again and looked at.
Shapes that lineage finds hard are woven in: diamonds, loops, chains, fans, promotions, names used again, late readers,
late arrivals, sessions, and runs of flows as `tests.lineage.flow_shapes` has them, with retries and resumed runs.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import patch

from django.contrib.auth.models import User

from access.identity import Viewer
from access.models import Membership, Perimeter
from catalog import recording
from catalog.entities import Entity
from catalog.models import Asset, ClonedTask, Component, Instance, Run
from catalog.recording import AssetAddress, BranchAddress, Declaration, Registration, Told
from tests.lineage.flow_shapes import SHAPES, Slot

BEGINNING = datetime(2025, 3, 1, tzinfo=UTC)
VISIBLE = ("lab", "plant")
VAULT = "vault"
"""The perimeter that the viewer may not see. Whatever belongs to it has this word in its name."""


@dataclass(frozen=True)
class Room:
    """The names in use within a perimeter: few, so that they meet."""

    projects: tuple[str, ...]
    branches: tuple[str, ...]
    elsewhere: tuple[str, ...]
    """Projects of consumers; not all of them are in the catalogue."""
    write_branches: tuple[str, ...]
    prefix: str = ""


ROOMS = {
    "lab": Room(
        ("churn", "comics"),
        ("main", "feature_x"),
        ("churn", "churn", "comics", "unlisted"),
        ("main", "feature_x", "unheard_of", ""),
    ),
    "plant": Room(("churn",), ("main", "user_ada"), ("churn", "comics"), ("main", "user_ada", "")),
    VAULT: Room(
        ("vault_project",), ("vault_branch",), ("vault_project", "vault_other"), ("vault_branch", ""), "vault_"
    ),
}
OTHER_ENTITIES = (
    ("user", "ada"),
    ("deployment", "app"),
    ("ci", "deploy"),
    ("task", "no-pathspec"),
    ("robot", "r2"),
)
ROLES = (None, None, None, None, None, "baseline", "baseline", "evaluation", "teacher")
DIGESTS = (None, None, None, "1f" * 20, "2e" * 20, "s3-etag 3")


@dataclass(frozen=True)
class Definition:
    """An asset. One that was deleted and one made later under its name are two."""

    uid: str
    perimeter: str
    project: str
    branch: str
    kind: str
    name: str

    @property
    def address(self) -> Address:
        return self.perimeter, self.project, self.branch, self.kind, self.name


@dataclass(frozen=True)
class Place:
    """What a write says of where in a run or a session it was made; None and "": not told."""

    session: str = ""
    attempt: int | None = None
    foreach: str | None = None
    iteration: int | None = None


NOWHERE = Place()


@dataclass(frozen=True)
class KnownRun:
    """What is known of a run in the end."""

    graph: dict[str, list[str]] | None = None
    origin: str = ""
    clones: tuple[tuple[str, str], ...] | None = None
    """The tasks that it took over, each with its original, if Metaflow was asked."""


@dataclass(frozen=True)
class Declared:
    at: datetime
    asset: Definition
    entity: Entity


@dataclass(frozen=True)
class Registered:
    at: datetime
    asset: Definition
    uid: str
    entity: Entity
    state: str = "ready"
    promoted_from: str = ""
    place: Place = NOWHERE
    digest: str | None = None
    arrives: datetime | None = None
    """When it reached the catalogue, if late."""


@dataclass(frozen=True)
class Consumed:
    at: datetime
    asset: Definition
    instance: str
    """Empty: the definition was consumed."""
    entity: Entity
    project: str
    """Of the consumer."""
    write_branch: str
    role: str | None = None
    place: Place = NOWHERE
    arrives: datetime | None = None


@dataclass(frozen=True)
class Settled:
    """A confirmation: how a task's attempt ended, or what became of one registration of others."""

    at: datetime
    perimeter: str
    entity: Entity
    attempt: int | None
    state: str
    uids: tuple[str, ...] = ()
    """Empty: all that the attempt registered."""
    digests: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Deleted:
    at: datetime
    asset: Definition


Address = tuple[str, str, str, str, str]
Event = Declared | Registered | Consumed | Settled | Deleted
Runs = dict[tuple[str, str], KnownRun]
"""By perimeter and name."""


@dataclass(frozen=True)
class Planned:
    """A run of a flow, all of whose tasks have their names."""

    perimeter: str
    name: str
    graph: dict[str, list[str]]
    slots: list[Slot]
    tasks: list[str]
    """Of each slot, its step and number."""


class History:
    """Plans the events of a world. No two have one time; what arrives late has an earlier one than its place says."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.now = BEGINNING
        self.events: list[Event] = []
        self.live: dict[Address, Definition] = {}
        self.registered: list[Registered] = []
        self.runs: Runs = {}
        self.planned: list[Planned] = []
        self.seed = seed
        self.names = "abcd"[: self.chance.randint(1, 4)]
        self.narrow = self.chance.random() < 0.5
        self.vault_share = self.chance.choice([0, 0.1, 0.3])

    def run(self) -> list[Event]:
        shapes: list[Callable[[], object]] = [
            self.diamond, self.flow_run, self.resumed_runs, self.sessions, self.resumed_runs, self.flow_run,
            self.promotions, self.through_the_vault, self.promotion_of_the_unknown, self.late_arrivals, self.ring,
            self.used_again, self.late_reader, self.people, self.chain, self.fan, self.orphans, self.loop,
        ]  # fmt: skip
        self.anything()
        for shape in [*self.chance.sample(shapes, self.chance.randint(1, 4)), shapes[self.seed % len(shapes)]]:
            shape()
            for _ in range(self.chance.randint(0, 8)):
                self.anything()
        self.forget_the_silent()
        return self.events

    def forget_the_silent(self) -> None:
        """Of a run that wrote nothing the catalogue knows what Metaflow says, if that was read."""
        wrote = {
            (event.asset.perimeter, event.entity.run)
            for event in self.events
            if isinstance(event, Registered | Consumed)
        }
        for key in self.runs.keys() - wrote:
            known = self.runs[key]
            self.runs[key] = KnownRun() if known.clones is None else replace(known, graph=None)

    # --- single events

    def register(
        self, address: Address, entity: Entity, promoted_from: str = "", *, place: Place = NOWHERE, state: str = ""
    ) -> Registered:
        asset = self.live.get(address) or self._made(address)
        settled = self.chance.choices(["", "ready", "failed"], [8, 1, 1])[0]
        digest = self.chance.choice(DIGESTS)
        known = state or ("pending" if settled else "ready")
        event = Registered(self._later(), asset, self._uid("i"), entity, known, promoted_from, place, digest)
        self.events.append(event)
        self.registered.append(event)
        if settled and not state and not (settled == "failed" and entity.run):
            digests = ((event.uid, DIGESTS[-1]),) if self.chance.random() < 0.5 else ()
            self.settle(event.asset.perimeter, entity, place.attempt, settled, (event.uid,), digests)
        return event

    def consume(
        self, what: Registered | Definition, entity: Entity, branch: str | None = None, place: Place = NOWHERE
    ) -> None:
        asset = what if isinstance(what, Definition) else what.asset
        if self.live.get(asset.address) != asset:
            return
        room = ROOMS[asset.perimeter]
        self.events.append(
            Consumed(
                self._later(),
                asset,
                what.uid if isinstance(what, Registered) else "",
                entity,
                self.chance.choice((*room.elsewhere, asset.project)),
                self.chance.choice(room.write_branches) if branch is None else branch,
                self.chance.choice(ROLES),
                place,
            )
        )

    def settle(
        self,
        perimeter: str,
        entity: Entity,
        attempt: int | None,
        state: str,
        uids: tuple[str, ...] = (),
        digests: tuple[tuple[str, str], ...] = (),
    ) -> None:
        self.events.append(Settled(self._later(), perimeter, entity, attempt, state, uids, digests))

    def delete(self, asset: Definition) -> None:
        if self.live.get(asset.address) == asset:
            del self.live[asset.address]
            self.events.append(Deleted(self._later(), asset))

    def anything(self) -> None:
        """A registration, a consumption or now and then a deletion, of whatever there is."""
        what = self.chance.random()
        old = self.chance.choice(self.registered) if self.registered else None
        if old is None or what < 0.4:
            perimeter = self.perimeter()
            self.register(self.address(perimeter), self.entity(perimeter))
        elif what < 0.9:
            self.consume(old if what < 0.8 else old.asset, self.entity(old.asset.perimeter))
        else:
            self.delete(old.asset)

    # --- shapes

    def diamond(self) -> None:
        """One asset goes by two ways into another."""
        perimeter = self.perimeter()
        top = self.register(self.address(perimeter), self.task(perimeter))
        sides = [self.step([top]) for _ in range(2)]
        self.step(sides)

    def loop(self) -> None:
        """A flow consumes its own last output, again and again."""
        perimeter = self.perimeter()
        address = self.address(perimeter)
        flow = self.flow(perimeter)
        last = self.register(address, Entity("task", f"{flow}/1/start/1"))
        for run in range(2, self.chance.randint(3, 5)):
            self.consume(last, Entity("task", f"{flow}/{run}/start/1"), address[2])
            last = self.register(address, Entity("task", f"{flow}/{run}/end/2"))

    def ring(self) -> None:
        """Flows feed each other in a ring, and one of them something from outside."""
        perimeter = self.perimeter()
        places = [self.address(perimeter) for _ in range(self.chance.randint(2, 3))]
        outside = self.register(self.address(perimeter), self.task(perimeter))
        last = self.register(places[-1], self.task(perimeter))
        for place, address in enumerate(places):
            task = Entity("task", f"{ROOMS[perimeter].prefix}Ring{place}/1/start/1")
            for source in [last, outside] if place == 1 else [last]:
                self.consume(source, task, address[2])
            last = self.register(address, task)

    def chain(self) -> None:
        last = self.register(self.address(self.perimeter()), self.task(VISIBLE[0]))
        for _ in range(self.chance.randint(2, 5)):
            last = self.step([last])

    def fan(self) -> None:
        """Many consume one asset, or one flow consumes many."""
        perimeter = self.perimeter()
        if self.chance.random() < 0.5:
            wide = self.register(self.address(perimeter), self.task(perimeter))
            for place in range(self.chance.randint(4, 9)):
                self.consume(wide, Entity("task", f"{ROOMS[perimeter].prefix}Fan{place}/1/start/1"))
        else:
            self.step([self.register(self.address(perimeter), self.entity(perimeter)) for _ in range(5)])

    def promotions(self) -> None:
        """Copies of copies, into other branches, projects and perimeters, and sometimes back onto where they began."""
        perimeter = self.perimeter()
        last = first = self.step([self.register(self.address(perimeter), self.task(perimeter))])
        for _ in range(self.chance.randint(1, 4)):
            back = self.chance.choice([first, last]).asset.address
            address = back if self.chance.random() < 0.3 else self.address(self.perimeter())
            promoter = self.promoter()
            if self.chance.random() < 0.5:
                self.consume(last, promoter)
            last = self.register(address, promoter, promoted_from=last.uid)
            if self.chance.random() < 0.5:
                last = self.step([last])

    def used_again(self) -> None:
        """A name is deleted, and used again for something else."""
        perimeter = self.perimeter()
        address, flow = self.address(perimeter), self.task(perimeter)
        old = self.register(address, flow)
        self.step([old])
        self.delete(old.asset)
        self.step([self.register(address, flow)])

    def late_reader(self) -> None:
        """A run consumes after it has registered, and registers again."""
        perimeter = self.perimeter()
        early, late = (self.register(self.address(perimeter), self.task(perimeter)) for _ in range(2))
        run = f"{self.flow(perimeter)}/9"
        self.consume(early, Entity("task", f"{run}/start/1"))
        self.register(self.address(perimeter), Entity("task", f"{run}/first/2"))
        self.consume(late, Entity("task", f"{run}/between/3"))
        if self.chance.random() < 0.5:
            self.register(self.address(perimeter), Entity("task", f"{run}/second/4"))

    def through_the_vault(self) -> None:
        """A visible node comes from a hidden one, which comes from a visible or an unknown one."""
        begin = self.register(self.address(VISIBLE[0]), self.task(VISIBLE[0]))
        source = begin.uid if self.chance.random() < 0.5 else self.unknown(VAULT)
        kept = self.register(self.address(VAULT), self.promoter(), promoted_from=source)
        kept = self.step([kept]) if self.chance.random() < 0.3 else kept
        self.step([self.register(self.address(VISIBLE[0]), self.promoter(), promoted_from=kept.uid)])

    def orphans(self) -> None:
        """Definitions that nobody produces, and perhaps somebody consumes."""
        for name in ("lonely", "declared"):
            perimeter = self.perimeter()
            *place, _ = self.address(perimeter)
            asset = self._made((*place, f"{ROOMS[perimeter].prefix}{name}{len(self.events)}"))
            self.events.append(Declared(self._later(), asset, Entity("ci", "deploy")))
            if self.chance.random() < 0.3:
                self.step([asset])

    def promotion_of_the_unknown(self) -> None:
        perimeter = self.perimeter()
        source = self.unknown(perimeter)
        self.step([self.register(self.address(perimeter), self.entity(perimeter), promoted_from=source)])

    def people(self) -> None:
        """Consumers and producers that are no tasks, and so link nothing by instance."""
        perimeter = self.perimeter()
        source = self.register(self.address(perimeter), self.task(perimeter))
        for _ in range(3):
            entity = self.other_entity(perimeter)
            self.consume(source, entity)
            source = self.register(self.address(perimeter), entity)

    def sessions(self) -> None:
        """Some who read and make things in sessions, within twelve hours and beyond; one claims another's session."""
        perimeter = self.perimeter()
        self.register(self.address(perimeter), self.task(perimeter))
        ids = [f"s_{self.chance.getrandbits(80):020x}" for _ in range(2)]
        entities = [self.other_entity(perimeter) for _ in range(2)]
        for _ in range(self.chance.randint(4, 8)):
            entity = self.chance.choices(entities, [4, 1])[0]
            place = Place(session=self.chance.choice([*ids, ids[0], ids[0], ""]))
            if self.chance.random() < 0.5:
                self.read(perimeter, entity, place)
            else:
                self.register(self.address(perimeter), entity, place=place)
            self.now += timedelta(hours=self.chance.choice([0, 0, 1, 5, 9, 13]))

    def late_arrivals(self) -> None:
        """A run's reading and what it made reach the catalogue later than others' that were later."""
        perimeter = self.perimeter()
        source = self.register(self.address(perimeter), self.task(perimeter))
        target = self.register(self.address(perimeter), self.task(perimeter))
        began, entity = self.now, Entity("task", f"{ROOMS[perimeter].prefix}Offline/{len(self.events)}/start/1")
        for _ in range(3):
            self.read(perimeter, self.entity(perimeter))
            self.register(target.asset.address, self.entity(perimeter))
        times = sorted(began + (self.now - began) * self.chance.random() for _ in range(2))
        room, live = ROOMS[perimeter], self.live.get(target.asset.address) == target.asset
        if self.live.get(source.asset.address) == source.asset:
            role = self.chance.choice(ROLES)
            self.events.append(
                Consumed(times[0], source.asset, source.uid, entity, room.projects[0], "", role, arrives=self._later())
            )
        if live:
            made = Registered(times[1], target.asset, self._uid("i"), entity, arrives=self._later())
            self.events.append(made)
            self.registered.append(made)

    # --- runs of flows

    def flow_run(self) -> Planned:
        perimeter = self.perimeter()
        flow = ROOMS[perimeter].prefix + self.chance.choice(["Graph", "Score"])
        graph, slots = self.chance.choice(SHAPES)(self.chance)
        name = f"{flow}/{100 + len(self.runs)}"
        tasks = [f"{slot.step}/{number}" for number, slot in enumerate(slots)]
        return self.perform(Planned(perimeter, name, graph, slots, tasks), {})

    def resumed_runs(self) -> None:
        """A run, one that resumes it, and perhaps one that resumes that one, or the first again."""
        chain = [self.flow_run()]
        for _ in range(self.chance.randint(1, 4)):
            chain.append(self.resume(self.chance.choice([chain[0], chain[-1], chain[-1], chain[-1]])))

    def resume(self, old: Planned) -> Planned:
        """Take over some tasks of a run, all of whose ancestors are taken over too, and run the others anew."""
        name = f"{old.name.partition('/')[0]}/{1_000 + len(self.runs)}"
        cloned: list[int] = []
        for at, slot in enumerate(old.slots):
            if set(slot.after) <= set(cloned) and self.chance.random() < 0.75:
                cloned.append(at)
        tasks = [f"{slot.step}/{1_000 + at}" for at, slot in enumerate(old.slots)]
        originals = {at: f"{old.name}/{old.tasks[at]}" for at in cloned}
        return self.perform(Planned(old.perimeter, name, old.graph, old.slots, tasks), originals, old.name)

    def perform(self, run: Planned, originals: dict[int, str], origin: str = "") -> Planned:
        """Whatever can go on at the same time is mixed."""
        style = self.chance.choices(["told", "patchy", "older"], [5, 2, 1])[0]
        clones = tuple((run.tasks[at], original) for at, original in originals.items())
        self.runs[run.perimeter, run.name] = KnownRun(
            graph=run.graph if style == "told" or (style == "patchy" and self.chance.random() < 0.7) else None,
            origin=origin,
            clones=clones if origin and self.chance.random() < 0.5 else None,
        )
        self.planned.append(run)
        work = {at: self.task_of(run, at, style) for at in range(len(run.slots)) if at not in originals}
        done = set(originals)
        while work:
            at = self.chance.choice([at for at in work if set(run.slots[at].after) <= done])
            if next(work[at], None) is None:
                del work[at]
                done.add(at)
        return run

    def task_of(self, run: Planned, at: int, style: str) -> Iterator[bool]:
        """What a task does, one write after the other, in one or several attempts."""
        slot, perimeter = run.slots[at], run.perimeter
        entity = Entity("task", f"{run.name}/{run.tasks[at]}")
        attempts = self.chance.choices([1, 2, 3], [8, 2, 1])[0]
        for attempt in range(attempts):
            made = 0
            for _ in range(self.chance.choice([0, 1, 1, 2, 3])):
                if self.chance.random() < 0.55:
                    self.read(perimeter, entity, self.place(slot, attempt, style, reads=True))
                else:
                    place = self.place(slot, attempt, style, reads=False)
                    state = "pending" if attempts > 1 else self.chance.choice(["pending", "ready"])
                    self.register(self.address(perimeter), entity, place=place, state=state)
                    made += 1
                yield True
            failed = attempt < attempts - 1 or self.chance.random() < 0.1
            if style == "told" and attempts > 1 and (made or failed) and self.chance.random() < 0.6:
                self.settle(perimeter, entity, attempt, "failed" if failed else "ready")
                yield True

    def place(self, slot: Slot, attempt: int, style: str, *, reads: bool) -> Place:
        """Older clients tell the attempt of a registration only."""
        if style == "older":
            return NOWHERE if reads else Place(attempt=attempt)
        told: list[Any] = [attempt, slot.foreach, slot.iteration]
        if style == "patchy":
            told = [None if self.chance.random() < 0.25 else value for value in told]
        return Place("", *told)

    def read(self, perimeter: str, entity: Entity, place: Place = NOWHERE) -> None:
        """Read something of the perimeter, mostly something new."""
        there = [event for event in self.registered if event.asset.perimeter == perimeter]
        if there:
            what = self.chance.choice(there[-6:] if self.chance.random() < 0.7 else there)
            self.consume(what if self.chance.random() < 0.9 else what.asset, entity, place=place)

    def step(self, sources: list[Registered] | list[Definition]) -> Registered:
        """One run consumes all of these and registers something, mostly on the branch that it says it writes to."""
        first = sources[0]
        asset = first.asset if isinstance(first, Registered) else first
        perimeter = asset.perimeter
        address = self.address(perimeter)
        run = f"{self.flow(perimeter)}/{self.chance.randint(10, 40)}"
        for source in sources:
            branch = address[2] if self.chance.random() < 0.7 else None
            self.consume(source, Entity("task", f"{run}/start/1"), branch)
        return self.register(address, Entity("task", f"{run}/end/2"))

    # --- names

    def perimeter(self) -> str:
        if self.chance.random() < self.vault_share:
            return VAULT
        return VISIBLE[0] if self.narrow else self.chance.choices(VISIBLE, [3, 1])[0]

    def address(self, perimeter: str) -> Address:
        room = ROOMS[perimeter]
        name = room.prefix + self.chance.choice(self.names)
        project, branch = self.chance.choice(room.projects), self.chance.choice(room.branches)
        if self.narrow:
            project, branch = room.projects[0], room.branches[0]
        return perimeter, project, branch, self.chance.choice(["data", "models"]), name

    def flow(self, perimeter: str) -> str:
        return ROOMS[perimeter].prefix + self.chance.choice(["Load", "Train", "Score"])

    def task(self, perimeter: str) -> Entity:
        step = self.chance.choice(["start", "end"])
        return Entity("task", f"{self.flow(perimeter)}/{self.chance.randint(1, 4)}/{step}/1")

    def other_entity(self, perimeter: str) -> Entity:
        kind, name = self.chance.choice(OTHER_ENTITIES)
        return Entity(kind, ROOMS[perimeter].prefix + name)

    def entity(self, perimeter: str) -> Entity:
        return self.other_entity(perimeter) if self.chance.random() < 0.2 else self.task(perimeter)

    def promoter(self) -> Entity:
        """Who promotes; if it is a task that consumed something, that went into nothing by the promotion."""
        return self.chance.choice([Entity("task", "obproject/promote"), Entity("task", "Train/1/end/1")])

    def unknown(self, perimeter: str) -> str:
        """The id of an instance that there is not."""
        return f"i_{ROOMS[perimeter].prefix}unknown{len(self.events)}"

    def _made(self, address: Address) -> Definition:
        asset = self.live[address] = Definition(self._uid("d"), *address)
        return asset

    def _uid(self, letter: str) -> str:
        return f"{letter}_{self.chance.getrandbits(80):020x}"

    def _later(self) -> datetime:
        self.now += timedelta(seconds=self.chance.randint(1, 5_000))
        return self.now


@dataclass
class World:
    """The events, recorded in the database, and somebody who sees all of it but the vault."""

    seed: int
    events: list[Event]
    runs: Runs
    viewer: Viewer
    components: dict[tuple[str, str, str, str], int]
    """Keys of the components, by perimeter, project, kind and name."""

    def moments(self, chance: random.Random, how_many: int) -> list[datetime | None]:
        """Now, and times past: at an event, at a deletion, just before an event, and after one."""
        times = [event.at for event in self.events]
        deletions = [event.at for event in self.events if isinstance(event, Deleted)] or times
        at, shortly = chance.choice, timedelta(microseconds=1)
        kinds = [lambda: at(times), lambda: at(deletions), lambda: at(times) - shortly, lambda: at(times) + shortly]
        return [None, *(at(kinds)() for _ in range(how_many))]


def made(seed: int) -> World:
    """Plan the world of this seed and record it."""
    history = History(seed)
    events = history.run()
    perimeters = {name: Perimeter.objects.create(name=name) for name in ROOMS}
    user = User.objects.create(username="ada")
    for name in VISIBLE:
        Membership.objects.create(user=user, perimeter=perimeters[name])
    Recorder(perimeters, history.runs).record(events)
    columns = ("perimeter__name", "project_name", "kind", "name", "pk")
    components = {tuple(key): pk for *key, pk in Component.objects.values_list(*columns)}
    return World(seed, events, history.runs, Viewer(user), components)


class Recorder:
    """Records events at their times and under their ids, by the catalogue's own writes."""

    def __init__(self, perimeters: dict[str, Perimeter], runs: Runs | None = None) -> None:
        self.perimeters = perimeters
        self.runs = runs or {}
        self.assets: dict[str, Asset] = {}
        self.instances: dict[str, Instance] = {}

    def record(self, events: list[Event]) -> None:
        for event in events:
            late = getattr(event, "arrives", None)
            with patch("django.utils.timezone.now", return_value=late or event.at):
                match event:
                    case Declared():
                        self.declare(event)
                    case Registered():
                        self.register(event, event.at if late else None)
                    case Consumed():
                        self.consume(event, event.at if late else None)
                    case Settled():
                        self.settle(event)
                    case Deleted():
                        recording.delete_asset(actor="ada", asset=self.assets[event.asset.uid])
        self.reconcile()

    def declare(self, event: Declared) -> None:
        asset = recording.declare(
            actor="ada", at=self.place(event.asset), entity=event.entity, declaration=Declaration({})
        )
        self.name(asset, event.asset)

    def register(self, event: Registered, when: datetime | None) -> None:
        annotations = {"promoted_from_instance": event.promoted_from} if event.promoted_from else {}
        attempt = event.place.attempt
        instance = recording.register(
            actor="ada",
            at=self.place(event.asset),
            entity=event.entity,
            what=Registration("artifact", event.state, annotations=annotations, attempt=attempt, digest=event.digest),
            told=self.told(event),
            uid=event.uid,
            when=when,
        )
        self.instances[event.uid] = instance
        self.name(instance.asset, event.asset)

    def consume(self, event: Consumed, when: datetime | None) -> None:
        recording.consume(
            actor="ada",
            asset=self.assets[event.asset.uid],
            instance=self.instances[event.instance] if event.instance else None,
            reference="latest",
            entity=event.entity,
            role=event.role,
            told=self.told(event),
            consumer_project=event.project,
            write_branch=event.write_branch,
            when=when,
            settles=True,
        )

    def settle(self, event: Settled) -> None:
        recording.confirm(
            actor="ada",
            perimeter=self.perimeters[event.perimeter],
            entity=event.entity,
            attempt=event.attempt,
            state=event.state,
            reason="it said so",
            uids=event.uids,
            digests=dict(event.digests),
        )

    def told(self, event: Registered | Consumed) -> Told:
        place = event.place
        known = self.runs.get((event.asset.perimeter, event.entity.run))
        return Told(
            session=place.session,
            attempt=place.attempt,
            foreach_path=place.foreach,
            iteration=place.iteration,
            facts=None if known is None else {**NO_FACTS, "graph": known.graph, "origin": known.origin},
        )

    def reconcile(self) -> None:
        """What reconciling would have read of resumed runs."""
        for (perimeter, name), known in self.runs.items():
            if known.clones is not None:
                row, _ = Run.objects.get_or_create(
                    perimeter=self.perimeters[perimeter], name=name, defaults={"first_at": BEGINNING}
                )
                Run.objects.filter(pk=row.pk).update(clones_read_at=BEGINNING, origin=known.origin)
                ClonedTask.objects.bulk_create(
                    ClonedTask(run=row, task=task, origin=origin) for task, origin in known.clones
                )

    def place(self, asset: Definition) -> AssetAddress:
        branch = BranchAddress(self.perimeters[asset.perimeter], asset.project, asset.branch)
        return AssetAddress(branch, asset.kind, asset.name)

    def name(self, asset: Asset, definition: Definition) -> None:
        """Give a new asset the id that was planned for it."""
        if definition.uid not in self.assets:
            Asset.objects.filter(pk=asset.pk).update(definition_uid=definition.uid)
            self.assets[definition.uid] = asset


NO_FACTS: dict[str, Any] = {
    "user": "", "started_at": None, "metaflow_version": "", "python_version": "", "repository": "", "commit": "",
    "dirty": None, "git_branch": "", "parameters": None, "configs": None, "left_out": None, "tags": None,
    "graph": None, "origin": "",
}  # fmt: skip
"""The facts of a run that tells nothing of itself."""
