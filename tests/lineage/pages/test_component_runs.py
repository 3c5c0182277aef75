"""The runs of a flow, and the sessions of a deployment or a person, on their pages."""

import re
from datetime import UTC, datetime, timedelta
from html import unescape

import pytest

from access.models import Membership, Role
from catalog import recording
from catalog.entities import Entity
from catalog.models import Instance, Run
from catalog.recording import AssetAddress, Registration, Told
from tests.built_once import built_once
from tests.catalog.pages.conftest import text_of
from tests.catalog.pages.test_run_facts import COMMIT, FACTS, NOTHING, STARTED, words
from tests.lineage.pages.conftest import BRANCH

FLOW = f"{BRANCH}/flows/TrainFlow"
SESSIONS = [f"s_{number:020x}" for number in range(30)]


def runs_of(client, page=FLOW):
    return client.get(f"{page}.json").json()["runs"]


def write(world, asset, who, facts=None, branch="main", session=""):
    told = Told(session=session, facts=None if facts is None else NOTHING | facts)
    at = AssetAddress(world.branch(branch), *asset.split("/"))
    what = Registration(asset_kind="artifact")
    return recording.register(actor="ada", at=at, entity=Entity(*who), what=what, told=told)


def test_a_flow_shows_its_runs_on_this_branch_with_what_they_made_and_read(linked, vic):
    [run] = runs_of(vic)
    assert (run["run"], run["kind"], run["commit"]) == ("TrainFlow/1", "run", None)
    assert [(row["asset"], row["last_ref"], row["count"], row["role"]) for row in run["made"]] == [
        ("churn_model", "v1", 1, None)
    ]
    assert [(row["asset"], row["last_ref"]) for row in run["read"]] == [("features", "v1")]
    page = text_of(vic.get(FLOW))
    assert f'href="{BRANCH}/models/churn_model/v1"><bdi>churn_model v1</bdi>' in page
    assert f'href="{BRANCH}/data/features/v1"><bdi>features v1</bdi>' in page
    assert [run["run"] for run in runs_of(vic, "/alpha/churn/feature_x/flows/TrainFlow")] == ["TrainFlow/2"]


def test_a_run_says_its_state_its_commit_and_who_started_it(linked, vic):
    write(linked, "models/churn_model", ("task", "TrainFlow/18/train/1"), FACTS)
    Run.objects.filter(name="TrainFlow/18").update(state="failed", finished_at=STARTED + timedelta(minutes=90))
    page = words(vic.get(FLOW))
    assert "Run When State Commit Read Made flow 18 by grace resumes 17" in page
    assert "failed 1 h 30 min 6a20eaa" in page
    assert "uncommitted changes" in page
    assert f'href="https://github.com/acme/churn/commit/{COMMIT}"' in text_of(vic.get(FLOW))
    assert [run["run"] for run in runs_of(vic)] == ["TrainFlow/18", "TrainFlow/1"]  # and not the one that is resumed


def test_what_nobody_told_takes_no_column(linked, vic):
    assert "Run When Read Made flow 1 " in words(vic.get(FLOW))
    assert "Run When Made flow 1 " in words(vic.get(f"{BRANCH}/flows/EventFlow"))


def test_runs_lead_to_metaflow_where_it_has_pages(linked, vic, settings):
    settings.METAFLOW_UI_URL = "https://metaflow.example.com"
    assert 'href="https://metaflow.example.com/TrainFlow/1"' in text_of(vic.get(FLOW))


def test_many_versions_of_one_asset_are_one_link_to_all_of_them(linked, vic):
    for number in range(200):
        linked.register("data/shards", f"ShardFlow/5/inner/{number}")
    linked.register("data/shards", "ShardFlow/6/inner/1")
    page = text_of(vic.get(f"{BRANCH}/flows/ShardFlow"))
    link = re.search(r'href="([^"]+)"><bdi>shards \(200 versions\)', page)
    assert link[1] == f"{BRANCH}/data/shards?producer=ShardFlow/5"
    versions = vic.get(f"{link[1].replace('?', '.json?')}").json()
    assert {row["run"]["id"] for row in versions["instances"]} == {"ShardFlow/5"}
    assert versions["instances"][0]["ref"] == "v200"
    [_, run] = runs_of(vic, f"{BRANCH}/flows/ShardFlow")
    assert [(row["first_ref"], row["last_ref"], row["count"]) for row in run["made"]] == [("v1", "v200", 200)]


def test_what_a_failed_attempt_has_read_and_a_copy_are_not_what_a_run_did(linked, vic):
    linked.consume("data/events", "TrainFlow/1/start/2")
    linked.asset("data/events").consumptions.filter(entity_id="TrainFlow/1/start/2").update(failed=True)
    source = linked.asset("models/churn_model").newest
    linked.register("models/copy", "TrainFlow/1/train/1", annotations={"promoted_from_instance": source.uid})
    [run] = runs_of(vic)
    assert [row["asset"] for row in run["made"] + run["read"]] == ["churn_model", "features"]


def test_a_reading_says_its_role(linked, vic):
    linked.consume("models/churn_model", "TrainFlow/1/start/1", role="baseline")
    assert "churn_model v1 as baseline" in re.sub(r" (?=,)", "", words(vic.get(FLOW)))


@pytest.mark.parametrize("name", ["deployments/dashboard", "people/ada"])
def test_sessions_are_listed_in_the_place_of_runs(linked, vic, name):
    kind, who = ("deployment" if "deployments" in name else "user"), name.partition("/")[2]
    linked.consume("data/scores", who, kind=kind, told=Told(session=SESSIONS[0]))
    linked.consume("data/events", who, kind=kind, told=Told(session=SESSIONS[1]))
    runs = runs_of(vic, f"{BRANCH}/{name}")
    assert [run["run"] for run in runs[:2]] == [SESSIONS[1], SESSIONS[0]]
    assert {run["kind"] for run in runs[:2]} == {"session"}
    assert "Session When Read Made" in words(vic.get(f"{BRANCH}/{name}"))


def test_who_tells_no_session_is_shown_without_one(linked, vic):
    assert [run["run"] for run in runs_of(vic, f"{BRANCH}/deployments/dashboard")] == [None]
    assert "without a session" in words(vic.get(f"{BRANCH}/deployments/dashboard"))


def test_runs_of_an_older_catalogue_have_no_rows_and_are_shown(linked, vic):
    for _ in range(2):
        linked.consume("data/features", "TrainFlow/1/start/2")
    Run.objects.all().delete()
    [run] = runs_of(vic)
    assert (run["run"], [row["asset"] for row in run["made"]]) == ("TrainFlow/1", ["churn_model"])
    assert [(row["asset"], row["count"]) for row in run["read"]] == [("features", 3)]


@pytest.fixture
def many(linked):
    built_once(run_50_times, linked)
    return linked


def run_50_times(linked):
    """50 runs, five of which began at one moment; the last one arrived first."""
    for number in range(50):
        run = f"TrainFlow/{number + 100}"
        linked.register("models/churn_model", f"{run}/train/1")
        began = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=-number if number < 45 else -45)
        Run.objects.filter(name=run).update(first_at=began)
    Run.objects.filter(name="TrainFlow/1").update(first_at=datetime(2020, 1, 1, tzinfo=UTC))


def test_the_runs_are_paged_and_none_is_lost_or_shown_twice(many, vic):
    shown, url = [], f"{FLOW}.json"
    pages = 0
    while url:
        answer = vic.get(url).json()
        shown += [run["run"] for run in answer["runs"]]
        url, pages = answer["older"], pages + 1
    assert pages == 3
    ordered = [f"TrainFlow/{number + 100}" for number in [*range(45), 49, 48, 47, 46, 45]]
    assert shown == [*ordered, "TrainFlow/1"]


def test_the_pages_lead_to_each_other(many, vic):
    older = unescape(re.search(r'<a href="([^"]+)" rel="next">Older', text_of(vic.get(FLOW)))[1])
    assert older.endswith("#runs")
    second = text_of(vic.get(older.partition("#")[0]))
    assert f'href="{FLOW}#runs"' in second
    assert "<bdi>120</bdi>" in second


@pytest.mark.parametrize("before", ["x", "1", "1-", "-1", "1-2-3", "\N{ARABIC-INDIC DIGIT ONE}-1", "9" * 18 + "-1"])
def test_a_place_that_no_page_gave_out_is_refused(linked, vic, before):
    assert vic.get(f"{FLOW}.json", {"before": before}).status_code == 400


def test_the_cost_is_that_of_one_page(many, vic, django_assert_max_num_queries):
    with django_assert_max_num_queries(13):
        vic.get(FLOW)


def test_another_perimeter_s_run_of_the_same_name_is_another_run(linked, vic):
    for number in range(3):
        linked.register("data/secret", f"TrainFlow/1/train/{number}", perimeter=linked.beta)
    assert Instance.objects.filter(run="TrainFlow/1").count() == 4
    assert "secret" not in text_of(vic.get(f"{FLOW}.json"))
    both = linked.client("vic")
    Membership.objects.create(user=linked.people["vic"], perimeter=linked.beta, role=Role.VIEWER)
    assert "secret" not in text_of(both.get(f"{FLOW}.json"))
