"""The measured targets: one row of the table each, with the requests that it repeats."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import islice

from bench import gated
from bench.load import SAME, UNIQUE, message
from bench.seed import (
    ALIAS_EVERY,
    ASSETS,
    BIG,
    BRANCHES,
    BUSY,
    HISTORY,
    PERIMETER,
    PROJECT,
    WIDE_BRANCHES,
    WIDE_PROJECT,
    consumers_of,
    flow_of,
)
from obproject.branches import branch_key

QUIET = BRANCHES[1:]
"""Written to; `main`, whose pages are measured, is left alone but for the big asset."""
MAIN = f"/{PERIMETER}/{PROJECT}/main"
TWO_BRANCHES = f"/{PERIMETER}/{WIDE_PROJECT}/compare/{'...'.join(map(branch_key, WIDE_BRANCHES))}"
Who = Mapping[str, str]
"""The headers that say who asks."""


@dataclass(frozen=True)
class Target:
    """A row: `requests(size, who)` are asked in turn.

    `floor` is the bare view that it is compared with, and how much of its rate it must reach with eight clients on
    PostgreSQL. `growth`: how many times as long it may take at the large size, where that is not what all rows may.
    `times`: another row, and how many times as long as that it may take.
    """

    name: str
    requests: Callable[[str, Who], list[bytes]]
    page: bool = False
    bare: bool = False
    floor: tuple[str, float] | None = None
    growth: float | None = None
    times: tuple[str, float] | None = None


def api(branch: str, asset: tuple[str, str], rest: str = "") -> str:
    kind, asset_id = asset
    return f"/v1/perimeters/{PERIMETER}/projects/{PROJECT}/branches/{branch_key(branch)}/{kind}/{asset_id}{rest}"


def registration(branch: str, asset: tuple[str, str], who: Who, state: str = "ready") -> bytes:
    """As the client package sends it, but that one is pending until its task has ended."""
    flow = flow_of(ASSETS.index(asset))
    body = {
        "entity_ref": {"entity_kind": "task", "entity_id": f"{flow}/{UNIQUE}/end/1"},
        "branch_name": branch,
        "data_asset_kind" if asset[0] == "data" else "model_asset_kind": "artifact",
        "description": "A run of the night.",
        "annotations": {"artifact": "table", "rows": 123_456, "metric_a": 0.25, "metric_b": 0.5, "metric_c": 0.75},
        "tags": [{"key": "env", "value": "prod"}, {"key": "region", "value": "eu"}],
        "attempt": 0,
        "state": state,
    }
    return message("PATCH", api(branch, asset), who, body, once=True)


def bulk(branch: str, count: int, who: Who) -> bytes:
    """So many registrations in one request."""
    single = [json.loads(registration(branch, asset, who).partition(b"\r\n\r\n")[2]) for asset in ASSETS]
    wanted = (
        body | {"kind": kind, "asset": asset_id}
        for round_ in range(-(-count // len(ASSETS)))
        for (kind, asset_id), body in zip(ASSETS, single, strict=True)
    )
    path = f"/v1/perimeters/{PERIMETER}/projects/{PROJECT}/branches/{branch_key(branch)}/registrations"
    return message("POST", path, who, {"registrations": list(islice(wanted, count))}, once=True)


def confirmation(place: int, who: Who) -> bytes:
    """Of what the same connection has registered before this."""
    entity = {"entity_kind": "task", "entity_id": f"{flow_of(place)}/{SAME}/end/1"}
    body = {"entity_ref": entity, "attempt": 0, "state": "ready"}
    return message("POST", f"/v1/perimeters/{PERIMETER}/confirmations", who, body)


def consumption(branch: str, place: int, who: Who) -> bytes:
    flow = consumers_of(place)[0]
    body = {
        "entity_ref": {"entity_kind": "task", "entity_id": f"{flow}/{UNIQUE}/start/1"},
        "consumer": {"project": PROJECT, "branch": branch},
    }
    return message("PUT", api(branch, ASSETS[place], "/instances/latest"), who, body, once=True)


def register_spread(size: str, who: Who) -> list[bytes]:
    return [registration(branch, asset, who) for asset in ASSETS for branch in QUIET]


def consume(size: str, who: Who) -> list[bytes]:
    return [consumption(branch, place, who) for place in range(len(ASSETS)) for branch in QUIET]


def confirm(size: str, who: Who) -> list[bytes]:
    """Each registers and then confirms."""
    pairs = [
        (registration(branch, asset, who, "pending"), confirmation(place, who))
        for place, asset in enumerate(ASSETS)
        for branch in QUIET
    ]
    return [request for pair in pairs for request in pair]


def get(*paths: str) -> Callable[[str, Who], list[bytes]]:
    return lambda size, who: [message("GET", path, who) for path in paths]


def insert(size: str, who: Who) -> list[bytes]:
    return [message("POST", "/bare/insert", who)]


def instances(size: str, who: Who) -> list[bytes]:
    """The newest instances of the busy assets, which have one before them to compare with at both sizes."""
    newest = HISTORY[size][1]
    paths = [f"{MAIN}/{kind}/{asset_id}/v{newest}" for kind, asset_id in BUSY]
    return [message("GET", path, who) for path in paths]


COMPARED = 10


def comparisons(size: str, who: Who) -> list[bytes]:
    """The newest instances of the busy assets side by side, so many of each."""
    newest = HISTORY[size][1]
    of = ",".join(f"v{number}" for number in range(max(1, newest - COMPARED + 1), newest + 1))
    return [message("GET", f"{MAIN}/{kind}/{asset_id}/compare?of={of}", who) for kind, asset_id in BUSY]


LIST = api("main", ("data", "")).rstrip("/")
BARE_INSERT, BARE_SELECT = "bare view, one insert", "bare view, one select"
MOVE = "move an alias"
TARGETS = [
    Target(BARE_INSERT, insert, bare=True),
    Target(BARE_SELECT, get("/bare/select"), bare=True),
    Target("register, spread over assets", register_spread, floor=(BARE_INSERT, 0.3)),
    Target("register, on one asset", lambda size, who: [registration("main", BIG, who)], floor=(BARE_INSERT, 0.2)),
    Target("register pending, confirm", confirm),
    Target("consume", consume),
    Target(MOVE, lambda size, who: gated.moves(gated.FREE, PERIMETER, who)),
    Target(f"{MOVE}, by five rules", lambda size, who: gated.moves(gated.RULED, PERIMETER, who), times=(MOVE, 2)),
    Target("get latest", get(*(api("main", asset, "/instances/latest") for asset in ASSETS)), floor=(BARE_SELECT, 0.7)),
    Target("get by alias", get(*(api("main", asset, "/instances/@production") for asset in ASSETS[::ALIAS_EVERY]))),
    Target("get by number", get(*(api("main", asset, "/instances/v2") for asset in BUSY))),
    Target("list of the API", get(LIST)),
    Target("summary", get(*(api("main", asset) for asset in BUSY))),
    Target("summary, big asset", get(api("main", BIG))),
    Target("summary of 100", get(api("main", BIG, "?page_size=100"))),
    Target("home", get("/"), page=True),
    Target("project", get(f"/{PERIMETER}/{PROJECT}"), page=True),
    Target("overview", get(MAIN), page=True),
    Target("data listing", get(f"{MAIN}/data?sort=name"), page=True),
    Target("models listing", get(f"{MAIN}/models?sort=name"), page=True),
    Target("two branches of 1,000 assets", get(TWO_BRANCHES), page=True),
    Target("the same as Markdown", get(f"{TWO_BRANCHES}.md"), page=True),
    Target("asset", get(*(f"{MAIN}/{kind}/{asset_id}" for kind, asset_id in BUSY)), page=True),
    Target("big asset", get(f"{MAIN}/{BIG[0]}/{BIG[1]}"), page=True),
    Target("charts, big asset", get(f"{MAIN}/{BIG[0]}/{BIG[1]}/metrics"), page=True, growth=1.5),
    Target("instance", instances, page=True),
    Target("comparison of 10 instances", comparisons, page=True),
    Target("search", get("/search?q=t", "/search?q=model_0", "/search?q=Flow1", "/search?q=feature"), page=True),
]
