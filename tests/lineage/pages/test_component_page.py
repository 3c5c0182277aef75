"""The page of a flow or a deployment: what it reads and makes on each branch, and its last runs."""

import json

import pytest

from tests.catalog.pages.conftest import text_of
from tests.lineage.pages.conftest import BRANCH

FLOW = f"{BRANCH}/flows/TrainFlow"


def test_a_flow_says_what_it_reads_and_makes_from_each_branch(linked, vic):
    answer = json.loads(vic.get(f"{FLOW}.json").content)
    assert [place["branch"] for place in answer["branches"]] == ["main", "feature_x"]
    for place in answer["branches"]:
        assert [used["asset"] for used in place["consumes"]] == ["features"]
        assert [used["asset"] for used in place["produces"]] == ["churn_model"]
    assert answer["complete"]
    page = text_of(vic.get(FLOW))
    assert "this branch" in page
    assert "/alpha/churn/feature_x/models/churn_model" in page


def test_the_page_of_another_branch_begins_with_that(linked, vic):
    answer = json.loads(vic.get("/alpha/churn/feature_x/flows/TrainFlow.json").content)
    assert [place["branch"] for place in answer["branches"]] == ["feature_x", "main"]


def test_a_deployment_and_a_person_have_a_page_too(linked, vic):
    linked.consume("data/scores", "ada", kind="user")
    for address in ("deployments/dashboard", "people/ada"):
        answer = json.loads(vic.get(f"{BRANCH}/{address}.json").content)
        assert [used["asset"] for used in answer["branches"][0]["consumes"]] == ["scores"]


def test_a_role_is_said_of_what_is_read_in_it(linked, vic):
    linked.consume("models/churn_model", "TrainFlow/3/start/1", role="baseline")
    used = json.loads(vic.get(f"{FLOW}.json").content)["branches"][0]["consumes"]
    assert {(row["asset"], row["role"]) for row in used} == {("features", None), ("churn_model", "baseline")}
    assert 'consumes <span class="badge">as baseline</span>' in text_of(vic.get(FLOW))


def test_a_name_may_have_slashes_and_end_like_a_twin(linked, vic):
    for name in ("apps/score.json", "apps/score"):
        linked.consume("data/scores", name, kind="deployment")
    assert "<h1><bdi>apps/score.json</bdi></h1>" in text_of(vic.get(f"{BRANCH}/deployments/apps%2Fscore.json"))
    assert json.loads(vic.get(f"{BRANCH}/deployments/apps%2Fscore.json.json").content)["name"] == "apps/score.json"
    assert "<h1><bdi>apps/score</bdi></h1>" in text_of(vic.get(f"{BRANCH}/deployments/apps%2Fscore"))


@pytest.mark.parametrize(("address", "what"), [("flows/NoFlow", "flow"), ("deployments/nothing", "deployment")])
def test_what_is_unknown_is_named(linked, vic, address, what):
    answer = vic.get(f"{BRANCH}/{address}")
    assert answer.status_code == 404
    assert f"There is no {what} &#39;{address.split('/')[1]}&#39;" in text_of(answer)


def test_a_branch_that_it_never_touched_says_so(linked, vic):
    linked.register("data/alone", "AloneFlow/1/end/1", branch="feature/y")
    page = text_of(vic.get("/alpha/churn/feature_y/flows/TrainFlow"))
    assert "It has neither read nor made anything from" in page


def test_an_asset_of_a_perimeter_that_may_not_be_seen_is_not_named(linked, vic):
    from catalog.models import Component, Edge

    secret = linked.register("data/secret", "SecretFlow/1/end/1", perimeter=linked.beta)
    flow = Component.objects.get(name="TrainFlow")
    edge = Edge.objects.filter(component=flow).first()
    edge.pk, edge.asset_id = None, secret.asset_id
    edge.save(force_insert=True)
    answer = vic.get(f"{FLOW}.json")
    assert "secret" not in text_of(answer)
    assert not json.loads(answer.content)["complete"]
    page = text_of(vic.get(FLOW))
    assert "an asset that you may not see" in page
    assert "secret" not in page
