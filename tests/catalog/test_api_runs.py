"""`GET B/runs`: the runs and sessions of a branch, newest first, with what they made and read."""

from urllib.parse import quote

import pytest
from django.contrib.auth.models import User
from django.test import Client

from access.models import Membership, Perimeter, Role, Token
from catalog.models import Run
from tests.catalog.test_api_run_facts import FACTS, NOTHING, PERSON, SESSION
from tests.conftest import Api


@pytest.fixture
def worked(api):
    """Two runs of a flow, one of another, and a session; and a run that writes to another branch."""
    api.register("data/raw", task="LoadFlow/1/end/1")
    for number in (1, 2):
        api.consume(
            "data/raw/instances/latest", f"TrainFlow/{number}/start/1", consumer={"project": "churn", "branch": "main"}
        )
        api.register("models/churn", task=f"TrainFlow/{number}/train/1", **({"run": FACTS} if number == 2 else {}))
    api.consume("models/churn/instances/v1", "TrainFlow/2/start/1", role="baseline")
    api.patch("data/labels", {"entity_ref": PERSON, "data_asset_kind": "s3", "session": SESSION})
    elsewhere = api.branch.replace("main", "experiment")
    body = {"entity_ref": {"entity_kind": "task", "entity_id": "TrainFlow/3/train/1"}, "model_asset_kind": "artifact"}
    assert api.patch(f"{elsewhere}/models/churn", body).status_code == 201
    return api


def names(answer):
    return [run["id"] for run in answer.data["runs"]]


def test_the_runs_and_sessions_of_a_branch_are_listed_newest_first(worked):
    answer = worked.get("runs")
    assert names(answer) == [SESSION, "TrainFlow/2", "TrainFlow/1", "LoadFlow/1"]
    assert [run["kind"] for run in answer.data["runs"]] == ["session", "run", "run", "run"]
    assert answer.data["runs"][0]["component"] == {"kind": "person", "name": "ada"}
    assert names(worked.get(f"{worked.branch.replace('main', 'experiment')}/runs")) == ["TrainFlow/3"]


def test_a_run_has_its_facts_and_what_it_made_and_read(worked):
    run = worked.get("runs?flow=TrainFlow").data["runs"][0]
    told = {name: value for name, value in FACTS.items() if name in NOTHING and name != "started_at"}
    assert {name: run[name] for name in told} == told
    assert run["origin"] == "TrainFlow/17"
    place = {"project": "churn", "branch": "main"}
    url = "http://localhost/default/churn/main"
    assert run["made"] == [
        {**place, "kind": "models", "asset": "churn", "role": None, "count": 1, "first_ref": "v2", "last_ref": "v2"}
        | {"url": f"{url}/models/churn"}
    ]
    assert [(row["asset"], row["role"], row["last_ref"]) for row in run["read"]] == [
        ("churn", "baseline", "v1"),
        ("raw", None, "v1"),
    ]


def test_a_reading_of_a_definition_has_no_version(api):
    body = {"entity_ref": {"entity_kind": "task", "entity_id": "deployer"}, "data_asset_kind": "s3"}
    api.patch("data/raw", body | {"annotations": {"_config_hash": "h"}})
    api.consume("data/raw/instances/latest", "TrainFlow/1/a/1", consumer={"project": "churn", "branch": "main"})
    [run] = worked_runs(api)
    assert [(row["count"], row["first_ref"], row["last_ref"]) for row in run["read"]] == [(1, None, None)]


def worked_runs(api, query=""):
    return api.get(f"runs{query}").data["runs"]


def test_the_runs_of_one_flow_can_be_asked_for(worked):
    assert names(worked.get("runs?flow=TrainFlow")) == ["TrainFlow/2", "TrainFlow/1"]
    assert names(worked.get("runs?flow=ada")) == []


def test_they_are_paged_also_where_several_began_at_one_moment(worked):
    Run.objects.update(first_at=Run.objects.get(name="TrainFlow/1").first_at)
    found, token = [], ""
    while token is not None:
        answer = worked.get(f"runs?page_size=1&continuation={token}")
        found += names(answer)
        token = answer.data["continuation"]
    assert sorted(found) == sorted([SESSION, "TrainFlow/2", "TrainFlow/1", "LoadFlow/1"])


def test_what_is_not_there_is_an_empty_list(worked):
    assert worked.get(f"{worked.branch.replace('main', 'nothing')}/runs").data == {"runs": [], "continuation": None}


@pytest.mark.parametrize("query", ["component=x", "continuation=x", "continuation=MQ", "page_size=0", "flow=%00"])
def test_what_is_not_understood_is_refused(worked, query):
    answer = worked.get(f"runs?{query}")
    assert answer.status_code == 400
    assert answer.data["detail"] == {"field": query.partition("=")[0]}


def test_what_a_run_made_is_found_by_its_name(worked):
    found = worked.get(f"models/churn?producer={quote('TrainFlow/1')}").data["recent_instances"]
    assert [row["ref"] for row in found] == ["v1"]
    assert [row["ref"] for row in worked.get(f"data/labels?producer={SESSION}").data["recent_instances"]] == ["v1"]


def test_it_has_the_members_that_the_document_says(worked):
    schemas = worked.get("/v1/openapi.json").json()["components"]["schemas"]
    run = worked_runs(worked, "?flow=TrainFlow")[0]
    assert set(run) == set(schemas["ListedRunAnswer"]["properties"])
    assert set(run["read"][0]) == set(schemas["OutcomeAnswer"]["properties"])


class TestInATeam:
    @pytest.fixture
    def team(self, db, settings):
        settings.MODE, settings.LOCAL_MODE = "team", False
        found = {}
        for name in ("default", "other"):
            user, perimeter = User.objects.create(username=name), Perimeter.objects.create(name=name)
            Membership.objects.create(user=user, perimeter=perimeter, role=Role.EDITOR)
            _, secret = Token.objects.issue(user=user, perimeter=perimeter, role=Role.EDITOR)
            found[name] = Api(Client(SERVER_NAME="localhost"), token=secret)
        found["default"].register()
        return found

    def test_an_outsider_is_told_that_there_is_nothing(self, team):
        assert team["default"].get("runs").status_code == 200
        assert team["other"].get("runs").status_code == 404

    def test_a_page_costs_the_same_however_much_there_is(self, team, django_assert_max_num_queries):
        for number in range(30):
            team["default"].register(f"data/d{number % 3}", task=f"Flow{number}/1/start/1")
            team["default"].consume("data/xkcd/instances/latest", f"Flow{number}/1/start/1")
        # token; what the answer is tagged by; runs; what they made; what they read
        with django_assert_max_num_queries(5):
            assert len(team["default"].get("runs").data["runs"]) == 31
