"""The measured targets: one row of the table each, with the requests that it repeats."""

from collections.abc import Callable
from dataclasses import dataclass

from bench.load import UNIQUE, message
from bench.seed import ASSETS, BIG, BRANCHES, BUSY, HISTORY, PERIMETER, PROJECT, consumers_of, flow_of
from obproject.branches import branch_key

QUIET = BRANCHES[1:]
"""Written to; `main`, whose pages are measured, is left alone but for the big asset."""
MAIN = f"/{PERIMETER}/{PROJECT}/main"


@dataclass(frozen=True)
class Target:
    """A row: `requests(size, token)` are asked in turn.

    `floor` is the bare view that it is compared with, and how much of its rate it must reach with eight clients on
    PostgreSQL.
    """

    name: str
    requests: Callable[[str, str], list[bytes]]
    page: bool = False
    bare: bool = False
    floor: tuple[str, float] | None = None


def api(branch: str, asset: tuple[str, str], rest: str = "") -> str:
    kind, asset_id = asset
    return f"/v1/perimeters/{PERIMETER}/projects/{PROJECT}/branches/{branch_key(branch)}/{kind}/{asset_id}{rest}"


def registration(branch: str, asset: tuple[str, str], token: str) -> bytes:
    """As the client package sends it, but ready at once."""
    flow = flow_of(ASSETS.index(asset))
    body = {
        "entity_ref": {"entity_kind": "task", "entity_id": f"{flow}/{UNIQUE}/end/1"},
        "branch_name": branch,
        "data_asset_kind" if asset[0] == "data" else "model_asset_kind": "artifact",
        "description": "A run of the night.",
        "annotations": {"artifact": "table", "rows": 123_456, "metric_a": 0.25, "metric_b": 0.5, "metric_c": 0.75},
        "tags": [{"key": "env", "value": "prod"}, {"key": "region", "value": "eu"}],
        "attempt": 0,
    }
    return message("PATCH", api(branch, asset), token, body, once=True)


def consumption(branch: str, place: int, token: str) -> bytes:
    flow = consumers_of(place)[0]
    body = {
        "entity_ref": {"entity_kind": "task", "entity_id": f"{flow}/{UNIQUE}/start/1"},
        "consumer": {"project": PROJECT, "branch": branch},
    }
    return message("PUT", api(branch, ASSETS[place], "/instances/latest"), token, body, once=True)


def register_spread(size: str, token: str) -> list[bytes]:
    return [registration(branch, asset, token) for asset in ASSETS for branch in QUIET]


def consume(size: str, token: str) -> list[bytes]:
    return [consumption(branch, place, token) for place in range(len(ASSETS)) for branch in QUIET]


def get(*paths: str) -> Callable[[str, str], list[bytes]]:
    return lambda size, token: [message("GET", path, token) for path in paths]


def insert(size: str, token: str) -> list[bytes]:
    return [message("POST", "/bare/insert", token)]


def instances(size: str, token: str) -> list[bytes]:
    """The newest instances of the busy assets, which have one before them to compare with at both sizes."""
    newest = HISTORY[size][1]
    paths = [f"{MAIN}/{kind}/{asset_id}/v{newest}" for kind, asset_id in BUSY]
    return [message("GET", path, token) for path in paths]


BARE_INSERT, BARE_SELECT = "bare view, one insert", "bare view, one select"
TARGETS = [
    Target(BARE_INSERT, insert, bare=True),
    Target(BARE_SELECT, get("/bare/select"), bare=True),
    Target("register, spread over assets", register_spread, floor=(BARE_INSERT, 0.25)),
    Target("register, on one asset", lambda size, token: [registration("main", BIG, token)], floor=(BARE_INSERT, 0.15)),
    Target("consume", consume),
    Target("get latest", get(*(api("main", asset, "/instances/latest") for asset in ASSETS)), floor=(BARE_SELECT, 0.5)),
    Target("list of the API", get(api("main", ("data", "")).rstrip("/"))),
    Target("summary", get(*(api("main", asset) for asset in BUSY))),
    Target("summary, big asset", get(api("main", BIG))),
    Target("home", get("/"), page=True),
    Target("project", get(f"/{PERIMETER}/{PROJECT}"), page=True),
    Target("overview", get(MAIN), page=True),
    Target("data listing", get(f"{MAIN}/data?sort=name"), page=True),
    Target("models listing", get(f"{MAIN}/models?sort=name"), page=True),
    Target("asset", get(*(f"{MAIN}/{kind}/{asset_id}" for kind, asset_id in BUSY)), page=True),
    Target("big asset", get(f"{MAIN}/{BIG[0]}/{BIG[1]}"), page=True),
    Target("instance", instances, page=True),
    Target("search", get("/search?q=t", "/search?q=model_0", "/search?q=Flow1", "/search?q=feature"), page=True),
]
