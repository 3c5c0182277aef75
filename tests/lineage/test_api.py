"""Lineage in the v1 API: shapes, honesty, bad input, and how many queries an answer costs."""

from urllib.parse import quote

import pytest

from catalog.models import Component, Edge
from tests.built_once import built_once
from tests.catalog.wire import task

pytestmark = pytest.mark.slow

INGEST, TRAIN = task("IngestFlow/1/load/1"), task("TrainFlow/2/train/2")
APP = {"entity_kind": "deployment", "entity_id": "scores-app"}


@pytest.fixture
def shop(api):
    return built_once(open_shop, api)


def open_shop(api):
    """raw -> TrainFlow -> churn -> scores-app; IngestFlow made raw."""
    raw = api.register("data/raw", entity_ref=INGEST)
    api.consume("data/raw/instances/latest", entity_ref=TRAIN, consumer={"branch": "main"})
    model = api.register("models/churn", entity_ref=TRAIN)
    api.consume("models/churn/instances/latest", entity_ref=APP, consumer={"branch": "main"})
    return {"raw": raw, "model": model}


def arrows(answer):
    names = {node["id"]: node["name"] for node in answer["nodes"]}
    return {(names[link["source"]], link["relation"], names[link["target"]]) for link in answer["links"]}


ALL = {
    ("IngestFlow", "produces", "raw"),
    ("raw", "consumes", "TrainFlow"),
    ("TrainFlow", "produces", "churn"),
    ("churn", "consumes", "scores-app"),
}


def test_a_branch_is_whole(api, shop):
    answer = api.get("lineage").data
    assert arrows(answer) == ALL
    assert answer["complete"]
    assert answer["left_out"] == []
    assert answer["counts"] == {"nodes": 5, "links": 4, "found": 5, "found_at_least": False}
    assert [len(island) for island in answer["islands"]] == [5]


def test_depth_is_counted_in_arrows_and_what_lies_beyond_is_told(api, shop):
    answer = api.get("data/raw/lineage?depth=1").data
    assert arrows(answer) == {("IngestFlow", "produces", "raw"), ("raw", "consumes", "TrainFlow")}
    assert not answer["complete"]
    (cut,) = answer["left_out"]
    assert cut == {
        "reason": "depth", "count": 1, "at_least": True,
        "sentence": "at least 1 node further away than the depth asked for",
    }  # fmt: skip
    train = next(node for node in answer["nodes"] if node["name"] == "TrainFlow")
    assert train["more"] == {"up": 0, "down": 1}
    assert train["distance"] == 1


def test_the_number_of_nodes_is_kept_to_and_the_rest_told(api, shop):
    answer = api.get("data/raw/lineage?depth=9&limit=2").data
    assert len(answer["nodes"]) == 2
    assert not answer["complete"]
    assert answer["counts"]["found"] == 5
    assert [(cut["reason"], cut["count"]) for cut in answer["left_out"]] == [("budget", 3)]


def test_impact_says_how_each_is_reached(api, shop):
    answer = api.get("lineage/impact?focus=data/raw").data
    nodes = {node["name"]: node for node in answer["nodes"]}
    assert {name: node["distance"] for name, node in nodes.items()} == {
        "raw": 0, "TrainFlow": 1, "churn": 2, "scores-app": 3,
    }  # fmt: skip
    assert nodes["scores-app"]["via"] == nodes["churn"]["id"]
    assert answer["complete"]


def test_paths_between_two_nodes(api, shop):
    answer = api.get("lineage/paths?from=data/raw&to=deployment/scores-app").data
    assert arrows(answer) == ALL - {("IngestFlow", "produces", "raw")}
    none = api.get("lineage/paths?from=models/churn&to=data/raw").data
    assert arrows(none) == set()
    assert {node["name"]: node["distance"] for node in none["nodes"]} == {"churn": 0, "raw": None}


def test_what_went_into_an_instance(api, shop):
    answer = api.get("models/churn/instances/latest/lineage").data
    assert arrows(answer) == {
        ("IngestFlow/1", "produces", "raw"),
        ("raw", "consumes", "TrainFlow/2"),
        ("TrainFlow/2", "produces", "churn"),
    }
    assert answer["complete"]
    assert answer["focus"] == [shop["model"]["id"]]


def test_as_of_a_moment_is_as_it_was_then(api, shop):
    moment = shop["model"]["created_at"]
    answer = api.get(f"lineage?as_of={moment}").data
    assert arrows(answer) == ALL - {("churn", "consumes", "scores-app")}
    assert answer["is_past"]
    assert answer["as_of"] == moment


@pytest.mark.parametrize("path", ["data/raw/lineage", "data/raw/instances/v1/lineage", "lineage?focus=flow/TrainFlow"])
def test_what_was_not_there_yet_at_that_time_is_404(api, shop, path):
    answer = api.get(f"{path}{'&' if '?' in path else '?'}as_of=2020-01-01")
    assert answer.status_code == 404
    assert "at that time" in str(answer.data) or "nothing known" in str(answer.data)


def test_a_node_of_an_answer_can_be_the_next_focus(api, shop):
    for node in api.get("lineage").data["nodes"]:
        answer = api.get(f"lineage?focus={node['id']}").data
        assert answer["focus"] == [node["id"]]


@pytest.mark.parametrize(
    "focus", ["data/nothing", "flow/Nothing", "nothing", "d_0000", "c_1.nowhere", "c_99.main", "cheese/x", "c_x", "%00"]
)
def test_an_unknown_focus_is_404_and_named(api, shop, focus):
    answer = api.get(f"lineage?focus={focus}")
    assert answer.status_code == 404
    assert focus == "%00" or focus in str(answer.data)


def test_no_focus_where_one_is_needed_is_400(api, shop):
    assert api.get("lineage/impact").status_code == 400
    assert api.get("lineage/paths?from=data/raw").status_code == 400


def test_what_makes_no_sense_is_clamped_and_the_answer_says_so(api, shop):
    answer = api.get("data/raw/lineage?depth=-3&limit=x&as_of=never").data
    assert len(answer["notes"]) == 3
    assert answer["depth"] == 0
    assert [node["name"] for node in answer["nodes"]] == ["raw"]


def test_an_unknown_kind_of_entity_is_a_node_of_unknown_kind(api, shop):
    api.consume("data/raw/instances/latest", entity_ref={"entity_kind": "cron", "entity_id": "nightly"})
    (node,) = [node for node in api.get("lineage").data["nodes"] if node["name"] == "nightly"]
    assert node["kind"] == "unknown"


def test_malformed_rows_are_marked_and_break_nothing(api, shop):
    Component.objects.filter(name="TrainFlow").update(kind="gizmo")
    Component.objects.filter(name="scores-app").update(name="")
    Edge.objects.update(write_branch="no such/branch\n", last_entity_id="/////")
    answer = api.get("lineage?limit=2000").data
    marked = {node["name"]: node["kind"] for node in answer["nodes"] if node["fault"]}
    assert marked == {"TrainFlow": "unknown", "(no name)": "deployment"}
    for node in answer["nodes"]:
        assert api.get(f"lineage?focus={quote(node['id'])}").status_code == 200


def test_a_deleted_asset_stays_as_a_mark(api, shop):
    api.delete("models/churn")
    answer = api.get("lineage").data
    assert arrows(answer) == ALL
    (node,) = [node for node in answer["nodes"] if node["name"] == "churn"]
    assert node["deleted"]
    assert node["url"] == ""


def test_a_flow_that_consumes_its_own_output_is_a_cycle(api, shop):
    api.consume("models/churn/instances/latest", entity_ref=TRAIN, consumer={"branch": "main"})
    answer = api.get("lineage").data
    assert [cycle["size"] for cycle in answer["cycles"]] == [2]
    assert sum(link["in_cycle"] for link in answer["links"]) == 2


def test_a_promotion_is_an_arrow_of_its_own_kind_and_nobody_produces(api, shop):
    copy = {"promoted_from_instance": shop["model"]["id"], "promoted_from_branch": "main", "promoted_by": "ada"}
    api.register("models/stable", entity_ref=TRAIN, annotations=copy)
    answer = api.get("lineage").data
    assert arrows(answer) == ALL | {("churn", "promotes", "stable")}
    exact = api.get("models/stable/instances/latest/lineage").data
    assert ("churn", "promotes", "stable") in arrows(exact)
    assert ("TrainFlow/2", "produces", "stable") not in arrows(exact)


def test_a_promotion_from_what_nobody_knows_is_marked(api, shop):
    api.register("models/stable", entity_ref=TRAIN, annotations={"promoted_from_instance": "i_elsewhere"})
    exact = api.get("models/stable/instances/latest/lineage").data
    (node,) = [node for node in exact["nodes"] if node["kind"] == "unknown"]
    assert node["name"] == "i_elsewhere"
    assert node["fault"]


PLACE = 4
"""Queries before any question: what the viewer may see (in local mode two), what the tag of the answer is made of, and
the branch or asset of the address."""
NAMES = 3
"""What everything is called: assets or instances; components; branches."""


@pytest.mark.parametrize(
    ("path", "most"),
    [
        # the focus; a level each, and one to see what lies beyond; the arrows between all these
        ("data/raw/lineage?depth=1", PLACE + 1 + 2 + 1 + NAMES),
        ("data/raw/lineage?depth=2", PLACE + 1 + 3 + 1 + NAMES),
        # the ends of all arrows, of promotions; assets without any; the arrows of what is shown
        ("lineage", PLACE + 4 + NAMES),
        # the focus; for each level of instances two, for what is known of their runs and for the rows of these;
        # definitions
        ("models/churn/instances/latest/lineage", PLACE + 1 + 3 + NAMES + 1),
    ],
)
def test_an_answer_costs_a_fixed_number_of_queries(api, shop, django_assert_max_num_queries, path, most):
    for n in range(20):
        api.consume("data/raw/instances/latest", entity_ref=task(f"Reader{n}/1/s/1"), consumer={"branch": "main"})
        api.consume("data/raw/instances/latest", entity_ref=TRAIN, consumer={"branch": "main"})
    with django_assert_max_num_queries(most):
        assert api.get(path).status_code == 200
