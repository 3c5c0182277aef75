"""The page that compares two branches, and what is the same in other forms."""

import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from access.models import Role, Token
from catalog.models import Branch, BranchKey
from catalog.recording import Declaration
from tests.catalog.pages.conftest import text_of
from tests.comparing.two_branches import DATA, FEATURE

pytestmark = pytest.mark.slow
ADDRESS = "/alpha/churn/compare/main...feature_x"
FORMS = ["", ".json", ".md", ".svg"]


@pytest.fixture
def client(churn):
    return churn.client("vic")


def test_the_page_says_what_is_better_and_why(client):
    page = text_of(client.get(ADDRESS))
    assert "<bdi>churn_model</bdi> is better here: <bdi>auc</bdi> 0.797 → 0.85, on the same <bdi>holdout</bdi>" in page
    assert "Because: trained on <bdi>interactions</bdi> v1 instead of <bdi>features</bdi> v1" in page
    assert "/alpha/churn/feature_x/models/churn_model/compare?of=main/models/churn_model:v7,v1&amp;base=main" in page
    assert "2 not built here</strong>, read from <bdi>main</bdi>" in page
    assert "<bdi>TrainFlow</bdi> no longer reads <bdi>features</bdi>" in page
    assert 'href="/alpha/churn/compare/feature_x...main"' in page
    assert f'href="{ADDRESS}.md"' in page
    assert "complete: every asset of both branches was looked at" in page


@pytest.mark.both
@pytest.mark.parametrize(("form", "most"), [("", 12), (".json", 11), (".md", 11), (".svg", 11)])
def test_what_it_costs(client, form, most):
    """Who is there (3); both branches; the assets of both; the definitions that differ; the arrows; the versions of
    models that differ, their runs, what these read, the names of that; and the menus of the page."""
    with CaptureQueriesContext(connection) as queries:
        assert client.get(ADDRESS + form).status_code == 200
    assert len(queries) == most


def test_it_costs_no_more_when_there_is_more(churn, client):
    for number in range(30):
        churn.register(f"models/m{number}", f"F{number}/1/a/1", annotations={"auc": 0.8})
        trained_there = f"F{number}/2"
        churn.register(f"models/m{number}", f"{trained_there}/a/1", FEATURE, annotations={"auc": number / 50})
        churn.consume(DATA, f"F{number}/2/a/1", branch=FEATURE)
    with CaptureQueriesContext(connection) as queries:
        page = text_of(client.get(ADDRESS))
    assert len(queries) <= 12
    assert "of 21 more it was not" in page


def test_as_json(client):
    found = client.get(f"{ADDRESS}.json").json()
    assert {name: found[name] for name in ("sentence", "better", "worse", "new", "gone", "complete")} == {
        "sentence": "churn_model is better here: auc 0.797 → 0.85, on the same holdout",
        "better": 1,
        "worse": 0,
        "new": 1,
        "gone": 0,
        "complete": True,
    }
    (model,) = found["models"]
    assert (model["state"], model["base_ref"], model["ref"]) == ("better", "v7", "v1")
    assert model["because"] == "trained on interactions v1 instead of features v1"
    assert model["metrics"][0]["data"] == "same data"
    assert [one["asset"] for one in found["not_built_here"]] == ["features", "holdout"]
    assert found["lineage"]["added_count"] == 2


def test_as_markdown_with_whole_addresses(client):
    answer = client.get(f"{ADDRESS}.md")
    assert answer["Content-Type"] == "text/markdown; charset=utf-8"
    text = answer.content.decode()
    assert "| auc | 0.797 | 0.85 | +0.053 **better**, same data |" in text
    assert f"[alpha/churn]: http://testserver{ADDRESS}\n" in text  # a page may have those of several projects
    assert "(http://testserver/alpha/churn/feature_x/models/churn_model)" in text


def test_as_a_drawing_with_signs_on_the_arrows(client):
    answer = client.get(f"{ADDRESS}.svg")
    assert answer["Content-Type"].startswith("image/svg+xml")
    signs = re.findall(r'<text class="(added|removed)"[^>]*>(.)</text>', answer.content.decode())
    assert sorted(set(signs)) == [("added", "+"), ("removed", "\N{MINUS SIGN}")]
    assert 'href="http://testserver/alpha/churn/feature_x/data/interactions"' in answer.content.decode()


def test_where_no_arrow_differs_there_is_no_drawing(client):
    answer = client.get("/alpha/churn/compare/main...main.svg")
    assert answer.status_code == 404
    assert "No arrow of lineage differs" in answer.content.decode()


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("missing", ["main...nope", "nope...main", "nope...feature_x"])
def test_a_branch_that_is_not_there_is_named(client, form, missing):
    answer = client.get(f"/alpha/churn/compare/{missing}{form}")
    assert answer.status_code == 404
    text = answer.json()["message"] if form == ".json" else text_of(answer)
    assert "There is no branch" in text
    assert "nope" in text


def test_another_project_and_what_is_no_name(client):
    assert client.get("/alpha/nope/compare/main...main").status_code == 404
    assert client.get("/alpha/churn/compare/...main").status_code == 404
    assert client.get("/alpha/churn/compare/--...main").status_code == 400


def test_git_names_lead_to_keys(client):
    for written in ("main...feature/x", "main...Feature-X", "main...feature/x"):
        for form in FORMS:
            answer = client.get(f"/alpha/churn/compare/{written}{form}?page=1")
            assert answer.status_code == 302
            assert answer["Location"] == f"{ADDRESS}{form}?page=1"


def test_a_further_key_leads_to_the_own_one(churn, client):
    branch = Branch.objects.get(key="feature_x")
    BranchKey.objects.create(project=branch.project, key="old_name", branch=branch)
    answer = client.get("/alpha/churn/compare/old_name...main")
    assert answer["Location"] == "/alpha/churn/compare/feature_x...main"


def test_a_branch_whose_name_ends_like_a_suffix(churn, client):
    churn.register("data/a", branch="rel.json")
    answer = client.get("/alpha/churn/compare/main...rel.json")
    assert answer["Location"] == "/alpha/churn/compare/main...rel_json"
    churn.register("data/a", branch="rel")
    assert client.get("/alpha/churn/compare/main...rel.json").json()["head"]["key"] == "rel"
    Branch.objects.filter(key="rel_json").update(key="rel.json")  # as no client names it
    assert "rel.json" in text_of(client.get("/alpha/churn/compare/main...rel.json"))
    assert client.get("/alpha/churn/compare/main...rel.json.json").json()["head"]["key"] == "rel.json"


def test_a_branch_called_compare_keeps_its_pages(churn, client):
    churn.register("data/a..b", branch="compare")
    churn.register("data/a...b", branch="compare")
    for page in ("", ".json", "/data", "/data/a..b", "/data/a...b", "/data/a...b.json", "/lineage", "/data/a...b/v1"):
        answer = client.get(f"/alpha/churn/compare{page}")
        assert answer.status_code == 200, page
        assert "against" not in answer.content.decode(), page
    assert client.get("/alpha/churn/compare/compare...main").status_code == 200


def test_one_branch_twice_is_said(client):
    page = text_of(client.get("/alpha/churn/compare/main...main"))
    assert "<bdi>main</bdi> is compared with itself" in page
    assert "This is one branch, so nothing can differ" in page
    assert client.get("/alpha/churn/compare/main...main.md").status_code == 200


def test_what_is_equal_says_so_and_offers_others(churn, client):
    churn.deploy("feature/y", {"title": "T"})
    churn.deploy("feature/z", {"title": "T"})
    page = text_of(client.get("/alpha/churn/compare/feature_y...feature_z"))
    assert "<h1>Both branches give the same</h1>" in page
    assert "0 assets compared." in page
    assert 'href="/alpha/churn/compare/main...feature_z"' in page


@pytest.mark.parametrize("form", FORMS)
def test_outsiders_learn_nothing(churn, form):
    for address in (ADDRESS, "/alpha/churn/compare/main...nope", "/alpha/nope/compare/main...main"):
        answer = churn.client("olga").get(address + form)
        assert answer.status_code == 404
        assert "no perimeter" in answer.content.decode()


@pytest.mark.parametrize("form", FORMS)
def test_a_token_reads_it_as_it_reads_the_api(churn, form):
    _, secret = Token.objects.issue(user=churn.people["ada"], perimeter=churn.alpha, role=Role.VIEWER)
    answer = Client(headers={"Authorization": f"Bearer {secret}"}).get(ADDRESS + form)
    assert answer.status_code == 200
    assert Client(headers={"Authorization": "Bearer as_nonsense"}).get(ADDRESS + form).status_code == 401


def test_what_was_not_looked_at_is_said_also_where_no_model_differs(churn, client, monkeypatch):
    churn.register("data/other", "OtherFlow/1/start/1", "feature/y")
    monkeypatch.setattr("comparing.branches.MOST_ARROWS", 0)
    page = text_of(client.get("/alpha/churn/compare/main...feature_y"))
    assert 'id="models"' not in page
    assert "Only the arrows that were used last are compared, as there are too many." in page


def test_further_pages_and_those_beyond(churn, client, monkeypatch):
    for place in ("comparing.branches.SHOWN", "comparing.pages.branches.SHOWN"):
        monkeypatch.setattr(place, 1)
    first = client.get(f"{ADDRESS}.json").json()
    assert first["next"] == f"{ADDRESS}?page=2" or first["next"].endswith("page=2")
    second = client.get(f"{ADDRESS}.json?page=2").json()
    assert [one["asset"] for one in (*first["models"], *second["data"])] == ["churn_model", "interactions"]
    assert client.get(f"{ADDRESS}.json?page=99")["Location"] == f"{ADDRESS}.json?page=4"
    assert 'rel="next"' in text_of(client.get(ADDRESS))


def test_names_that_attack_stay_text(churn, client):
    evil = "<script>alert(1)</script>| **x** [a](http://evil) @someone"
    churn.deploy(FEATURE, {"title": evil}, data__interactions=Declaration({evil: evil}, name=evil, readme=evil))
    churn.deploy("main", {}, data__interactions=Declaration({evil: "2"}, name="x", readme="y"))
    for form in FORMS:
        assert "<script>alert" not in client.get(ADDRESS + form).content.decode() or form == ".json"
    assert "http://evil)" not in re.sub(r"\\.", "", client.get(f"{ADDRESS}.md").content.decode())


def test_the_branch_and_the_project_lead_there(client):
    assert f'href="{ADDRESS}">Compare with main</a>' in text_of(client.get("/alpha/churn/feature_x"))
    assert f'href="{ADDRESS}">compare with main</a>' in text_of(client.get("/alpha/churn"))
    assert "Compare with main" not in text_of(client.get("/alpha/churn/main"))


def test_a_model_without_metrics_and_one_that_is_measured_on_one_side(churn, client):
    churn.register("models/bare", branch="main")
    churn.register("models/bare", branch=FEATURE, annotations={"note": "x"})
    churn.register("models/half", annotations={"auc": 0.8})
    churn.register("models/half", branch=FEATURE, annotations={"auc": "NaN"})
    page = text_of(client.get(ADDRESS))
    assert "Neither version has a metric to compare by." in page
    assert "not finite: NaN" in page
