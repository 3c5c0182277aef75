"""The project: modules that are all alike, so that the lineage around an asset has one shape at any size.

A module has 100 assets, 30 flows, a deployment and a person, and is refreshed once a night, for 100 nights:

- its first flow keeps 25 tables of state: each run reads all that the run before made, so ancestries grow long;
- the other flows make five layers: sources, then flows that read four assets each, mostly of the layer before;
- one source is read by every second flow of the layers;
- the last two flows write to a feature branch and read from `main`; three of their models are promoted to `main`.

Beside it stands a project with a single asset, the journal, which is as large as many others together.

Everything is arithmetic: which instance is meant follows from module, night and place.
"""

import random
from dataclasses import dataclass
from itertools import accumulate, pairwise

NIGHTS = 100


@dataclass(frozen=True)
class Scale:
    """How much is loaded. `journal`: how many instances the journal has."""

    modules: int
    nights: int
    journal: int


SCALES = {"small": Scale(1, NIGHTS, 10_000), "large": Scale(105, NIGHTS, 1_000_000)}
"""The large one has 10,080 assets on `main`."""
OUTPUTS = (25, *[3] * 14, *[2] * 15)
"""How many assets each flow makes; the others are promoted."""
FLOWS = len(OUTPUTS)
MADE = sum(OUTPUTS)
ASSETS = 100
CONSUMPTIONS = 30_000
COPIES = ASSETS - MADE
DEPLOYMENT, PERSON = FLOWS, FLOWS + 1
COMPONENTS = FLOWS + 2

STATE_FLOW = 0
LAYERS = [range(1, 6), *(range(first, first + 6) for first in range(6, FLOWS, 6))]
FEATURE_FLOWS = range(FLOWS - 2, FLOWS)
MODELS_FROM = OUTPUTS[0] + sum(OUTPUTS[1:24])
"""The last layer makes models."""
HUB = OUTPUTS[0]
"""The place of the asset that is read most."""
READS = 4
TASKS = (3, 3, 3, 2)
"""How many tasks of a run read each of what it reads."""
CALLS, LOOKS_EVERY, LOOKED_AT = 10, 4, range(HUB + 1, HUB + 6)
"""The deployment reads the newest copy so often a night; the person looks at these assets every fourth night."""

FOCUS_NIGHT = 20
ANCESTORS = OUTPUTS[0] * FOCUS_NIGHT
"""Instances that a state table of that night comes from: all state of all nights before."""


@dataclass(frozen=True)
class Read:
    """One consumption of a module on any night it takes place."""

    component: int
    place: int
    step: str = ""
    nights_back: int = 0


def outputs(flow: int) -> range:
    """The places of what a flow makes."""
    return _PLACES[flow]


_PLACES = [range(*ends) for ends in pairwise(accumulate(OUTPUTS, initial=0))]


def flow_of(place: int) -> int:
    """Which flow makes the asset at a place; of a copy, who made what it is a copy of."""
    return _FLOW_OF[source_of(place)]


_FLOW_OF = [flow for flow, places in enumerate(_PLACES) for _ in places]


def source_of(place: int) -> int:
    """The place of what is promoted to this place; the place itself if nothing is."""
    return place - MADE + outputs(FEATURE_FLOWS[0])[0] if place >= MADE else place


def is_on_feature(place: int) -> bool:
    return place < MADE and _FLOW_OF[place] in FEATURE_FLOWS


def is_model(place: int) -> bool:
    return place >= MODELS_FROM


def reads_of(flow: int) -> list[int]:
    """The places that each run of a flow reads, beside the state flow's own."""
    return _READS.get(flow, [])


def _reads() -> dict[int, list[int]]:
    draw = random.Random(5)  # noqa: S311 (the same module each time)
    reads: dict[int, list[int]] = {}
    for earlier, layer in pairwise(LAYERS):
        near = [place for flow in earlier for place in outputs(flow) if place != HUB]
        far = range(HUB + 1, near[0] + 1)
        for flow in layer:
            skipping = HUB if flow % 2 else draw.choice(far)
            reads[flow] = [skipping, *draw.sample([place for place in near if place != skipping], READS - 1)]
    reads[LAYERS[1][0]][-1] = outputs(STATE_FLOW)[0]
    return reads


_READS = _reads()


def reads_by_flow(flow: int, night: int) -> list[Read]:
    """The reads of the run of a flow on a night, in the order of time."""
    if flow == STATE_FLOW:
        return [Read(flow, place, "start/1", nights_back=1) for place in outputs(flow)] if night else []
    return [
        Read(flow, place, f"load/{READS * task + number}")
        for number, (place, tasks) in enumerate(zip(reads_of(flow), TASKS, strict=False))
        for task in range(tasks)
    ]


def reads_by_others(night: int) -> list[Read]:
    """The reads of the deployment and the person after the runs of a night."""
    calls = [Read(DEPLOYMENT, MADE)] * CALLS
    looks = [Read(PERSON, place) for place in LOOKED_AT] if night % LOOKS_EVERY == 0 else []
    return calls + looks
