"""The lineage of an asset and of exactly one instance; the small one within other pages."""

import json

from tests.catalog.pages.conftest import text_of
from tests.lineage.pages.conftest import BRANCH, answered, drawn, named, places, tabled

ASSET = f"{BRANCH}/models/churn_model"


def test_an_asset_is_drawn_with_what_is_next_to_it(linked, vic):
    page = text_of(vic.get(f"{ASSET}/lineage"))
    nodes = named(vic.get(f"{ASSET}/lineage.json"))
    assert set(nodes) == {"TrainFlow on main", "churn_model on main", "ScoreFlow on main"}
    assert drawn(page) == tabled(page) == answered(vic.get(f"{ASSET}/lineage.json"))
    assert 'class="node model focus"' in page


def test_an_instance_is_drawn_with_all_that_went_into_it(linked, vic):
    page = text_of(vic.get(f"{ASSET}/v1/lineage"))
    answer = json.loads(vic.get(f"{ASSET}/v1/lineage.json").content)
    assert answer["question"] == "exact"
    assert answer["direction"] == "up"
    names = {node["name"] for node in answer["nodes"]}
    assert {"churn_model", "features", "events"} <= names
    assert "scores" not in names
    assert drawn(page) == tabled(page) == answered(vic.get(f"{ASSET}/v1/lineage.json"))


def test_an_instance_can_be_turned_to_what_was_made_of_it(linked, vic):
    names = {node["name"] for node in json.loads(vic.get(f"{ASSET}/v1/lineage.json?direction=down").content)["nodes"]}
    assert "scores" in names
    assert "features" not in names


def test_a_step_further_keeps_the_depth_before_it(linked, vic):
    page = text_of(vic.get(f"{ASSET}/v1/lineage?depth=2"))
    assert "held=2&amp;depth=3" in page or "depth=3&amp;held=2" in page
    assert vic.get(f"{ASSET}/v1/lineage?depth=3&held=2&held=nonsense").status_code == 200
    before, after = (places(text_of(vic.get(f"{ASSET}/v1/lineage?{query}"))) for query in ("depth=2", "depth=4&held=2"))
    assert len(after) > len(before)
    assert len({(after[node][0] - x, after[node][1] - y) for node, (x, y) in before.items()}) == 1


def test_a_reference_is_sent_on_to_the_instance_that_it_means(linked, vic):
    answer = vic.get(f"{ASSET}/latest/lineage.svg?depth=2")
    assert answer.status_code == 302
    assert answer["Location"] == f"{ASSET}/v1/lineage.svg?depth=2"


def test_pages_of_assets_instances_and_branches_bring_a_small_one_in(linked, vic):
    for page, address in (
        (ASSET, f"{ASSET}/lineage"),
        (f"{ASSET}/v1", f"{ASSET}/v1/lineage"),
        (BRANCH, f"{BRANCH}/lineage"),
    ):
        text = text_of(vic.get(page))
        assert f'<a href="{address}" hx-get="{address}" hx-trigger="load" hx-target="#lineage-glance"' in text
        assert vic.get(address, headers={"HX-Target": "lineage-glance"}).status_code == 200


def test_what_is_not_there_is_named(linked, vic):
    for address, missing in ((f"{BRANCH}/data/nothing/lineage", "nothing"), (f"{ASSET}/v99/lineage", "v99")):
        answer = vic.get(address)
        assert answer.status_code == 404
        assert missing in text_of(answer)
