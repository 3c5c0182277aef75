"""Shapes of flows, as Metaflow runs them: the graph of the steps, and the tasks of one run of it.

Each shape is made by chance: how many splits, how many rounds, which way a switch went.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

StepGraph = dict[str, list[str]]


@dataclass(frozen=True)
class Slot:
    """A task without a name."""

    step: str
    after: tuple[int, ...]
    """The tasks, by their places in the run, that have to end before it begins."""
    foreach: str = ""
    iteration: int = 0


Shape = Callable[[Random], tuple[StepGraph, list[Slot]]]


def linear(_: Random) -> tuple[StepGraph, list[Slot]]:
    graph = {"start": ["train"], "train": ["end"], "end": []}
    return graph, [Slot("start", ()), Slot("train", (0,)), Slot("end", (1,))]


def branches(_: Random) -> tuple[StepGraph, list[Slot]]:
    graph = {"start": ["left", "right"], "left": ["join"], "right": ["join"], "join": ["end"], "end": []}
    sides = [Slot("left", (0,)), Slot("right", (0,))]
    return graph, [Slot("start", ()), *sides, Slot("join", (1, 2)), Slot("end", (3,))]


def switch(chance: Random) -> tuple[StepGraph, list[Slot]]:
    graph = {"start": ["yes", "no"], "yes": ["end"], "no": ["end"], "end": []}
    return graph, [Slot("start", ()), Slot(chance.choice(["yes", "no"]), (0,)), Slot("end", (1,))]


def foreach(chance: Random) -> tuple[StepGraph, list[Slot]]:
    graph = {"start": ["work"], "work": ["join"], "join": ["end"], "end": []}
    splits = chance.randint(2, 4)
    work = [Slot("work", (0,), f"start:{index}") for index in range(splits)]
    return graph, [Slot("start", ()), *work, Slot("join", tuple(range(1, splits + 1))), Slot("end", (splits + 1,))]


def nested(chance: Random) -> tuple[StepGraph, list[Slot]]:
    graph = {
        "start": ["outer"], "outer": ["inner"], "inner": ["gather"], "gather": ["join"], "join": ["end"], "end": [],
    }  # fmt: skip
    slots, gathered = [Slot("start", ())], []
    for split in range(2):
        path, opened = f"start:{split}", len(slots)
        slots.append(Slot("outer", (0,), path))
        inner = [Slot("inner", (opened,), f"{path},outer:{index}") for index in range(chance.randint(1, 2))]
        slots += inner
        gathered.append(len(slots))
        slots.append(Slot("gather", tuple(range(opened + 1, opened + 1 + len(inner))), path))
    return graph, [*slots, Slot("join", tuple(gathered)), Slot("end", (len(slots),))]


def two_foreaches(_: Random) -> tuple[StepGraph, list[Slot]]:
    graph = {
        "start": ["first"], "first": ["middle"], "middle": ["second"], "second": ["close"], "close": ["end"],
        "end": [],
    }  # fmt: skip
    first = [Slot("first", (0,), f"start:{index}") for index in range(2)]
    second = [Slot("second", (3,), f"middle:{index}") for index in range(2)]
    return graph, [
        Slot("start", ()), *first, Slot("middle", (1, 2)), *second, Slot("close", (4, 5)), Slot("end", (6,)),
    ]  # fmt: skip


def recursion(chance: Random) -> tuple[StepGraph, list[Slot]]:
    """A switch that leads back to its own step."""
    graph = {"start": ["again"], "again": ["again", "end"], "end": []}
    rounds = chance.randint(2, 3)
    again = [Slot("again", (at,), iteration=at) for at in range(rounds)]
    return graph, [Slot("start", ()), *again, Slot("end", (rounds,))]


def longer_recursion(_: Random) -> tuple[StepGraph, list[Slot]]:
    """A switch that leads back to a step before it."""
    graph = {"start": ["try"], "try": ["check"], "check": ["try", "end"], "end": []}
    rounds = [Slot(step, (at,), iteration=at // 2) for at, step in enumerate(["try", "check"] * 2)]
    return graph, [Slot("start", ()), *rounds, Slot("end", (4,))]


def recursion_in_splits(_: Random) -> tuple[StepGraph, list[Slot]]:
    graph = {"start": ["again"], "again": ["again", "leave"], "leave": ["join"], "join": ["end"], "end": []}
    slots, left = [Slot("start", ())], []
    for split in range(2):
        path, before = f"start:{split}", 0
        for round in range(2):
            slots.append(Slot("again", (before,), path, round))
            before = len(slots) - 1
        slots.append(Slot("leave", (before,), path))
        left.append(len(slots) - 1)
    return graph, [*slots, Slot("join", tuple(left)), Slot("end", (len(slots),))]


SHAPES: tuple[Shape, ...] = (
    linear, branches, switch, foreach, foreach, nested, nested, two_foreaches, recursion, longer_recursion,
    recursion_in_splits,
)  # fmt: skip
