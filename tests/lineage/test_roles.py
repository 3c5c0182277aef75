"""Roles of readings, example by example: what is read only to compare with is an ancestor of nothing."""

import pytest

from tests.lineage.stories import Story

pytestmark = pytest.mark.slow


@pytest.fixture
def story(api):
    """Load makes raw; Train reads raw, compares itself with the champion, and makes the model; an app reads that."""
    told = Story(api)
    told.makes("data/raw", "Load/1/start/1")
    told.makes("models/champion", "Build/1/start/1")
    told.reads("data/raw", "Train/1/start/1", consumer={"branch": "main"}, attempt=0)
    told.reads("models/champion", "Train/1/start/1", consumer={"branch": "main"}, role="baseline", attempt=0)
    told.makes("models/m", "Train/1/start/1", attempt=0)
    app = {"entity_ref": {"entity_kind": "deployment", "entity_id": "app"}}
    told.reads("models/m", "", consumer={"branch": "main"}, **app)
    return told


def names(answer):
    return {node["name"] for node in answer["nodes"]}


def arrows(answer):
    called = {node["id"]: node["name"] for node in answer["nodes"]}
    return {(called[link["source"]], called[link["target"]]) for link in answer["links"]}


def around(story, path, **query):
    asked = "&".join(f"{key}={value}" for key, value in {"depth": 50, **query}.items())
    return story.api.get(f"{path}?{asked}").data


def test_a_baseline_is_no_ancestor(story):
    assert names(around(story, "models/m/lineage", direction="up")) == {"m", "Train", "raw", "Load"}
    assert names(story.answer("models/m")) == {"m", "Train/1", "raw", "Load/1"}


def test_its_reader_is_shown_and_nothing_behind_it(story):
    answer = around(story, "models/champion/lineage", direction="down")
    assert arrows(answer) == {("champion", "Train")}
    assert answer["complete"]
    assert [node["more"] for node in answer["nodes"]] == [{"up": 0, "down": 0}] * 2


def test_what_a_flow_compared_with_is_shown_beside_it_and_nothing_behind_that(story):
    answer = around(story, "lineage?focus=flow/Train".partition("?")[0], focus="flow/Train", direction="up")
    assert arrows(answer) == {("Load", "raw"), ("raw", "Train"), ("champion", "Train")}


def test_it_is_in_no_impact_unless_its_role_is_asked_for(story):
    assert names(around(story, "lineage/impact", focus="models/champion")) == {"champion"}
    assert names(around(story, "lineage/impact", focus="models/champion", role="baseline")) == {"champion", "Train"}


def test_how_something_is_reached_never_leads_through_a_baseline(story):
    """Compare is near the focus as a baseline, and makes its report of what it reads further away."""
    story.reads("data/raw", "Compare/1/start/1", consumer={"branch": "main"}, role="baseline")
    story.reads("models/m", "Compare/2/start/1", consumer={"branch": "main"})
    story.makes("data/report", "Compare/2/start/1")
    roles = "input&role=baseline"
    nodes = {node["name"]: node for node in around(story, "lineage/impact", focus="data/raw", role=roles)["nodes"]}
    way = ["report"]
    while way[-1] != "raw":
        way.append(next(name for name, node in nodes.items() if node["id"] == nodes[way[-1]]["via"]))
    assert way == ["report", "Compare", "m", "Train", "raw"]
    assert {name: node["distance"] for name, node in nodes.items() if name in way} == {
        "raw": 0, "Train": 1, "m": 2, "Compare": 1, "report": 4,
    }  # fmt: skip


def test_it_is_the_last_arrow_of_a_path_if_its_role_is_asked_for(story):
    to_train = {"from": "models/champion", "to": "flow/Train"}
    assert arrows(around(story, "lineage/paths", **to_train, role="baseline")) == {("champion", "Train")}
    beyond = around(story, "lineage/paths", **{"from": "models/champion", "to": "models/m"}, role="baseline")
    assert (names(beyond), arrows(beyond)) == ({"champion", "m"}, set())


def test_two_nodes_without_a_path_have_all_their_arrows(story):
    """No path leads from the model back to the flow, but the arrow from the flow is there."""
    back = around(story, "lineage/paths", **{"from": "models/m", "to": "flow/Train"})
    assert arrows(back) == {("Train", "m")}
    compared = around(story, "lineage/paths", **{"from": "models/champion", "to": "flow/Train"})
    assert arrows(compared) == {("champion", "Train")}


def test_a_reading_that_is_also_an_input_is_an_ancestor(story):
    story.reads("models/champion", "Train/2/start/1", consumer={"branch": "main"})
    answer = around(story, "models/m/lineage", direction="up")
    assert ("Build", "champion") in arrows(answer)
    (link,) = [link for link in answer["links"] if len(link["roles"]) > 1]
    assert link["roles"] == ["baseline", "input"]
    asked = around(story, "models/m/lineage", direction="up", role="baseline")
    assert names(asked) == {"m", "Train"}, "of that arrow only the baseline is left, through which no path leads"


def test_exactly_it_is_only_read(story):
    answer = story.answer("models/champion", direction="down")
    assert [(node["name"], node["key"]) for node in answer["nodes"] if node["kind"] == "run"] == [
        ("Train/1", "only read")
    ]
    assert [link["roles"] for link in answer["links"]] == [["baseline"]]
