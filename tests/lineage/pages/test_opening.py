"""Opening a node in place: its neighbours come in, the others keep their places, and nothing is said to be complete."""

import json

import pytest

from tests.catalog.pages.conftest import text_of
from tests.lineage.pages.conftest import BRANCH, answered, drawn, named, places, tabled

pytestmark = pytest.mark.slow

AROUND = f"{BRANCH}/models/churn_model/lineage"


def opened(vic, *names):
    nodes = named(vic.get(f"{BRANCH}/lineage.json"))
    return "&".join(f"open={nodes[name]}" for name in names)


def test_a_node_with_neighbours_that_are_not_shown_says_how_many(linked, vic):
    page = text_of(vic.get(AROUND))
    assert "<title>Show 1 more upstream of TrainFlow</title>" in page
    assert ">+1</text>" in page


def test_opening_brings_all_neighbours_in(linked, vic):
    query = opened(vic, "TrainFlow on main", "features on main")
    page, twin = text_of(vic.get(f"{AROUND}?{query}")), vic.get(f"{AROUND}.json?{query}")
    assert {"features on main", "FeatureFlow on main", "TrainFlow on feature_x"} <= set(named(twin))
    assert drawn(page) == tabled(page) == answered(twin)


def test_opening_keeps_the_others_in_their_places(linked, vic):
    more = opened(vic, "TrainFlow on main", "ScoreFlow on main")
    before, after = (places(text_of(vic.get(f"{AROUND}?{query}"))) for query in ("", more))
    assert len(after) > len(before)
    moved = {(after[node][0] - x, after[node][1] - y) for node, (x, y) in before.items()}
    assert len(moved) == 1


def test_an_answer_opened_all_over_is_complete_and_a_half_opened_one_is_not(linked, vic):
    half = json.loads(vic.get(f"{AROUND}.json?{opened(vic, 'TrainFlow on main')}").content)
    assert not half["complete"]
    assert any(cut["reason"] == "depth" and cut["count"] >= 1 for cut in half["left_out"])
    everything = named(vic.get(f"{BRANCH}/lineage.json"))
    order = ["TrainFlow on main", "features on main", "FeatureFlow on main", "events on main", "TrainFlow on feature_x"]
    order += ["old on main", "ScoreFlow on main", "scores on main"]
    everything |= named(vic.get("/alpha/churn/feature_x/lineage.json"))
    whole = json.loads(vic.get(f"{AROUND}.json?{opened(vic, *order)}").content)
    assert {node["id"] for node in whole["nodes"]} == set(everything.values())
    assert not any(node["more"]["up"] or node["more"]["down"] for node in whole["nodes"])
    assert whole["complete"]
    assert whole["left_out"] == []


def test_every_arrow_between_what_is_shown_is_shown(linked, vic):
    linked.consume("data/events", "ScoreFlow/1/start/1")
    whole = answered(vic.get(f"{BRANCH}/lineage.json"))[1]
    names = ("TrainFlow on main", "features on main", "FeatureFlow on main")
    nodes, arrows = answered(vic.get(f"{AROUND}.json?{opened(vic, *names)}"))
    assert {(a, b) for a, b in whole if {a, b} <= nodes} <= arrows
    everything = named(vic.get(f"{BRANCH}/lineage.json"))
    assert (everything["events on main"], everything["ScoreFlow on main"]) in arrows


@pytest.mark.parametrize("node", ["x_1", "d_unknown", "c_1", "", "g_0000", "<script>"])
def test_opening_what_is_not_there_changes_nothing(linked, vic, node):
    assert answered(vic.get(f"{AROUND}.json?open={node}")) == answered(vic.get(f"{AROUND}.json"))


def test_more_than_so_many_opened_nodes_are_told(linked, vic):
    page = text_of(vic.get(f"{AROUND}?{'&'.join(f'open=d_{number}' for number in range(13))}"))
    assert "Only the first 12 of 13 opened nodes are open." in page
