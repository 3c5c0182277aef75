"""The catalogue of tests/catalog/pages, with lineage in it: over two branches, in a circle, with something deleted."""

import json
import re
from html import unescape
from typing import Any

import pytest

from catalog import recording
from tests.built_once import built_once
from tests.catalog.pages.conftest import World, vic, world  # noqa: F401 (fixtures)

BRANCH = "/alpha/churn/main"
LINEAGE = f"{BRANCH}/lineage"
NODE = re.compile(r'class="node [^>]*? data-n="(\d+)" data-node="([^"]+)"')
PLACE = re.compile(r'transform="translate\((-?\d+) (-?\d+)\)" data-n="\d+" data-node="([^"]+)"')
ARROW = re.compile(r'<path data-ends="(\d+) (\d+)"')


@pytest.fixture
def linked(world: World) -> World:  # noqa: F811
    built_once(link, world)
    return world


def link(world: World) -> None:  # noqa: F811
    """events → FeatureFlow → features → TrainFlow → churn_model → ScoreFlow ⇄ scores, and TrainFlow on feature/x."""
    world.register("data/events", "EventFlow/1/end/1")
    world.consume("data/events", "FeatureFlow/1/start/1")
    world.register("data/features", "FeatureFlow/1/end/1")
    world.consume("data/features", "TrainFlow/1/start/1")
    world.register("models/churn_model", "TrainFlow/1/train/1")
    world.consume("models/churn_model", "ScoreFlow/1/start/1")
    world.register("data/scores", "ScoreFlow/1/end/1")
    world.consume("data/scores", "ScoreFlow/2/start/1")
    world.consume("data/scores", "dashboard", kind="deployment")
    world.consume("data/features", "TrainFlow/2/start/1", branch="feature/x")
    world.register("models/churn_model", "TrainFlow/2/train/1", branch="feature/x")
    world.register("data/old", "OldFlow/1/end/1")
    world.consume("data/old", "FeatureFlow/1/start/1")
    recording.delete_asset(actor="ada", asset=world.asset("data/old"))


def drawn(page: str) -> tuple[set[str], set[tuple[str, str]]]:
    """The ids of the nodes that a drawing shows, and its arrows as pairs of ids."""
    named = {place: unescape(node) for place, node in NODE.findall(page)}
    return set(named.values()), {(named[a], named[b]) for a, b in ARROW.findall(page)}


def places(page: str) -> dict[str, tuple[int, int]]:
    """Where each node is drawn."""
    return {unescape(node): (int(x), int(y)) for x, y, node in PLACE.findall(page)}


def tabled(page: str) -> tuple[set[str], set[tuple[str, str]]]:
    """The same of the table."""
    body = page[page.index("<tbody") : page.index("</tbody>")]
    rows = [[unescape(node) for node in re.findall(r'data-node="([^"]+)"', row)] for row in body.split("</tr>")]
    return {node for row in rows for node in row}, {(row[0], row[1]) for row in rows if len(row) == 2}


def answered(twin: Any) -> tuple[set[str], set[tuple[str, str]]]:
    """The same of the JSON."""
    answer = json.loads(twin.content)
    return {node["id"] for node in answer["nodes"]}, {(link["source"], link["target"]) for link in answer["links"]}


def named(twin: Any) -> dict[str, str]:
    """The id of each node by its name and branch."""
    return {f"{node['name']} on {node['branch']}": node["id"] for node in json.loads(twin.content)["nodes"]}
