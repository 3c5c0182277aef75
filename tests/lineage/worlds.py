"""Random worlds: all that happened in a catalogue, as one list of events, and those events really recorded.

A world is planned from its seed alone, ids included, so that one that fails a test can be made again and looked at.
Shapes that lineage finds hard are woven in: diamonds, loops, chains, fans, promotions, names used again, late readers.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from unittest.mock import patch

from django.contrib.auth.models import User

from access.identity import Viewer
from access.models import Membership, Perimeter
from catalog import recording
from catalog.entities import Entity
from catalog.models import Asset, Component, Instance
from catalog.recording import AssetAddress, BranchAddress, Declaration, Registration

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


@dataclass(frozen=True)
class Deleted:
    at: datetime
    asset: Definition


Address = tuple[str, str, str, str, str]
Event = Declared | Registered | Consumed | Deleted


class History:
    """Plans the events of a world. Times strictly increase; nothing is recorded yet."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.now = BEGINNING
        self.events: list[Event] = []
        self.live: dict[Address, Definition] = {}
        self.registered: list[Registered] = []
        self.names = "abcd"[: self.chance.randint(1, 4)]
        self.narrow = self.chance.random() < 0.5
        self.vault_share = self.chance.choice([0, 0.1, 0.3])

    def run(self) -> list[Event]:
        shapes: list[Callable[[], object]] = [
            self.diamond, self.loop, self.ring, self.chain, self.fan, self.promotions, self.through_the_vault,
            self.promotion_of_the_unknown, self.used_again, self.late_reader, self.orphans, self.people,
        ]  # fmt: skip
        self.anything()
        for shape in self.chance.sample(shapes, self.chance.randint(2, 5)):
            shape()
            for _ in range(self.chance.randint(0, 8)):
                self.anything()
        return self.events

    # --- single events

    def register(self, address: Address, entity: Entity, promoted_from: str = "") -> Registered:
        asset = self.live.get(address) or self._made(address)
        state = self.chance.choices(["ready", "pending", "failed"], [8, 1, 1])[0]
        event = Registered(self._later(), asset, self._uid("i"), entity, state, promoted_from)
        self.events.append(event)
        self.registered.append(event)
        return event

    def consume(self, what: Registered | Definition, entity: Entity, branch: str | None = None) -> None:
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
            )
        )

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
    events = History(seed).run()
    perimeters = {name: Perimeter.objects.create(name=name) for name in ROOMS}
    user = User.objects.create(username="ada")
    for name in VISIBLE:
        Membership.objects.create(user=user, perimeter=perimeters[name])
    Recorder(perimeters).record(events)
    columns = ("perimeter__name", "project_name", "kind", "name", "pk")
    components = {tuple(key): pk for *key, pk in Component.objects.values_list(*columns)}
    return World(seed, events, Viewer(user), components)


class Recorder:
    """Records events at their times and under their ids, by the catalogue's own writes."""

    def __init__(self, perimeters: dict[str, Perimeter]) -> None:
        self.perimeters = perimeters
        self.assets: dict[str, Asset] = {}
        self.instances: dict[str, Instance] = {}

    def record(self, events: list[Event]) -> None:
        for event in events:
            with patch("django.utils.timezone.now", return_value=event.at):
                match event:
                    case Declared():
                        self.declare(event)
                    case Registered():
                        self.register(event)
                    case Consumed():
                        self.consume(event)
                    case Deleted():
                        recording.delete_asset(actor="ada", asset=self.assets[event.asset.uid])

    def declare(self, event: Declared) -> None:
        asset = recording.declare(
            actor="ada", at=self.place(event.asset), entity=event.entity, declaration=Declaration({})
        )
        self.name(asset, event.asset)

    def register(self, event: Registered) -> None:
        annotations = {"promoted_from_instance": event.promoted_from} if event.promoted_from else {}
        instance = recording.register(
            actor="ada",
            at=self.place(event.asset),
            entity=event.entity,
            what=Registration("artifact", event.state, annotations=annotations),
        )
        Instance.objects.filter(pk=instance.pk).update(uid=event.uid)
        self.instances[event.uid] = instance
        self.name(instance.asset, event.asset)

    def consume(self, event: Consumed) -> None:
        recording.consume(
            actor="ada",
            asset=self.assets[event.asset.uid],
            instance=self.instances[event.instance] if event.instance else None,
            reference="latest",
            entity=event.entity,
            consumer_project=event.project,
            write_branch=event.write_branch,
        )

    def place(self, asset: Definition) -> AssetAddress:
        branch = BranchAddress(self.perimeters[asset.perimeter], asset.project, asset.branch)
        return AssetAddress(branch, asset.kind, asset.name)

    def name(self, asset: Asset, definition: Definition) -> None:
        """Give a new asset the id that was planned for it."""
        if definition.uid not in self.assets:
            Asset.objects.filter(pk=asset.pk).update(definition_uid=definition.uid)
            self.assets[definition.uid] = asset
