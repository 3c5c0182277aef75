"""How many queries each page costs, and that it does not cost more when the catalogue grows.

Three of them ask who is there in team mode: the session, the user, the memberships. What finds the branch or the asset
also tells what its tag is made of; a page that is of neither asks once more for that.
"""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from catalog.entities import Entity
from catalog.models import Instance
from catalog.recording import Highlighted, show_highlight
from tests.conftest import POSTGRES

pytestmark = pytest.mark.slow

BRANCH = "/alpha/churn/main"
ASSET = f"{BRANCH}/models/churn_model"
COMPARED = "/alpha/churn/compare/main...feature_new_model"
SHOWN = "h_" + "0a" * 10

# Who is there (3), and:
COSTS = {
    # projects of the page with their freshness, and how many there are; the branches of each; their newest highlights;
    # what waits for approval; what needs attention
    "/": 9,
    "/index.json": 8,
    "/alpha": 9,
    # what waits for approval; what needs attention; of a perimeter whether a project is called so, of a branch the
    # menus
    "/alpha/attention": 7,
    "/alpha/attention.json": 7,
    f"{BRANCH}/attention": 7,
    f"{BRANCH}/attention.json": 6,
    # the project; its branches with their newest deploy, and how many there are; the project menu
    "/alpha/churn": 7,
    "/alpha/churn.json": 6,
    # the index; of what it names the branches, the assets and the flows; the branch that flows are seen from
    "/search?q=f": 9,
    "/search.json?q=f": 9,
    # the branch with its deploy; the assets; their trends; their edges; the feed, with failed assets and surprising
    # edits; the highlights; what waits for approval; what needs attention; the menus, which also know whether there is
    # an evaluation log
    BRANCH: 12,
    f"{BRANCH}.json": 11,  # and the further keys of the branch
    # the branch; its highlights; its flows; the menus
    f"{BRANCH}/highlights": 7,
    f"{BRANCH}/highlights.json": 5,
    # the highlight; what its run made; the others; the menus
    f"{BRANCH}/highlights/{SHOWN}": 8,
    # the highlight; its image, which it has not; the project and the branch around what is not there, and the menus
    f"{BRANCH}/highlights/{SHOWN}/image": 8,
    # the branch; its log; the entries; the menus
    f"{BRANCH}/evaluations": 7,
    f"{BRANCH}/evaluations.json": 6,
    # the branch; the assets; their trends; their aliases; how many need a look; when the branch was refreshed; the
    # menus
    f"{BRANCH}/models": 10,
    f"{BRANCH}/assets": 10,
    f"{BRANCH}/models.json": 7,
    # as above, and how many match
    f"{BRANCH}/models?tag=env=prod&q=churn&sort=name": 11,
    # the asset; its instances; those of equal content; its trend; its edges; its aliases and overrides, and how its
    # freshness is known; its feed; the menus
    ASSET: 11,
    # the asset; whether another one is named x.json; its instances; those of equal content; its edges; its aliases
    f"{ASSET}.json": 9,
    # the asset; its moves; its aliases; the menus
    f"{ASSET}/aliases": 7,
    # the asset; its moves, and what was refused; the versions that they lead to; its trend; the menus
    f"{ASSET}/aliases/production": 9,
    # and what held it that day
    f"{ASSET}/aliases/production?on=2024-03-01&before=9999": 12,
    # whether another alias is named production.csv; no menus
    f"{ASSET}/aliases/production.csv": 9,
    f"{ASSET}/aliases/production.svg": 8,
    # the asset; its instances; those of equal content; its trend; the menus
    f"{ASSET}/film": 8,
    f"{ASSET}/film.json": 7,
    # and the pinned one that is elsewhere
    f"{ASSET}/film?before=3&pin=v3,v1": 9,
    f"{ASSET}/film?only=day": 8,
    # and the moves of the alias
    f"{ASSET}/film?only=@production": 9,
    # the asset; the instance
    f"{ASSET}/v3/cards.json": 5,
    # the asset; its metrics and their series; the newest versions, and those with aliases; the menus
    f"{ASSET}/metrics": 7,
    f"{ASSET}/metrics.csv": 6,
    # and the other asset with its series
    f"{ASSET}/metrics?with=feature/new-model": 9,
    # the asset; the instance; the ready one before it; its consumptions; its run; those of equal content; what is
    # unusual; the menus
    f"{ASSET}/v3": 11,
    f"{ASSET}/v3.json": 9,
    # the asset; the instance
    f"{ASSET}/v3/cards/default-531cae1402624f82995a03bfdfd9771d": 5,
    # the asset, or the assets that were refreshed
    f"{ASSET}/pulse?since=3-3": 4,
    f"{ASSET}/pulse?since=1-1": 4,
    f"{BRANCH}/pulse": 4,
    # the asset; the instance
    f"{ASSET}/v3/pulse": 5,
    # both branches with their deploys; the assets of both; the definitions that differ; the arrows; the menus.
    # Of models that differ, which these do not: tests/comparing/pages/test_branches_page.py
    COMPARED: 8,
    f"{COMPARED}.json": 7,
    f"{COMPARED}.md": 7,
}
MISSING = {
    # the asset; whether the branch has another key; what is missing of its address (3); the project, the branch and the
    # asset to frame it; the menus; those of this id; those around it, before and after;
    # whether it was deleted lately
    f"{BRANCH}/models/nope": 17,
    # the same, and the newest versions
    f"{ASSET}/v99": 9,
}
PARTS = {
    # the asset; its instances; those of equal content; its trend
    ASSET: ("instances", 7),
    # the branch; the assets; their trends; their aliases; how many need a look
    f"{BRANCH}/models": ("listing", 8),
}


def cost(client, page, **headers):
    with CaptureQueriesContext(connection) as queries:
        client.get(page, headers=headers)
    return len(queries)


def show(world, flow, uid=""):
    what = Highlighted(title="Better", content={"labels": [], "synopsis": [], "highlight_type": "columns"})
    what.content["highlight_body"] = []
    task = Entity("task", f"{flow}/1/train/1")
    show_highlight(actor="ada", at=world.branch(), entity=task, what=what, uid=uid)


@pytest.fixture
def full(full):
    """With a highlight, an evaluation and known content, too."""
    Instance.objects.update(digest="a")
    show(full, "TrainFlow", SHOWN)
    full.register("data/evaluation_log", "GateFlow/1/judge/1", asset_kind="evaluation", annotations={"auc": 0.9})
    return full


@pytest.fixture
def grown(full):
    """Ten times as much of everything that a page shows, and more than it shows."""
    for number in range(30):
        full.register("models/churn_model", f"TrainFlow/{number + 10}/train/1", tags={"env": "prod"}, digest="a")
        full.register(f"models/model_{number}", f"Flow{number}/1/train/1", annotations={"accuracy": 0.9})
        full.register("data/features", "FeatureFlow/1/build/1", branch=f"feature/b{number}")
        full.register("data/features", "FeatureFlow/1/build/1", project=f"project_{number}")
        full.consume("models/churn_model", f"Reader{number}/1/start/1")
        full.consume(f"models/model_{number}", branch=f"feature/b{number}")
        full.alias(f"alias_{number}", full.asset("models/churn_model").newest_ready)
        full.register(
            "data/evaluation_log", f"GateFlow/{number}/judge/1", asset_kind="evaluation", annotations={"auc": 0.9}
        )
        show(full, f"Flow{number}")
    return full


def test_each_page_costs_what_is_written_here(full, vic):
    assert {page: cost(vic, page) for page in COSTS} == COSTS


def test_what_is_not_there_costs_what_is_written_here(grown):
    vic = grown.client("vic")
    assert {page: cost(vic, page) for page in MISSING} == MISSING


def test_a_part_of_a_page_costs_less_than_the_page(full, vic):
    costs = {page: (part, cost(vic, page, HX_Target=part)) for page, (part, _) in PARTS.items()}
    assert costs == PARTS


def test_no_page_costs_more_in_a_larger_catalogue(grown):
    vic = grown.client("vic")
    assert {page: cost(vic, page) for page in COSTS} == COSTS


@pytest.mark.skipif(POSTGRES, reason="PostgreSQL gives no tag in the transaction of a test")
@pytest.mark.parametrize("page", ["/", f"{BRANCH}/models", BRANCH, ASSET, f"{ASSET}/aliases", f"{BRANCH}/evaluations"])
def test_a_page_that_has_not_changed_costs_who_is_there_and_one_look(full, vic, page):
    vic.get("/")  # brings the cookie of forms
    tag = vic.get(page).headers["ETag"]
    assert cost(vic, page, If_None_Match=tag) == 4


def test_no_page_costs_more_than_twelve():
    assert max(COSTS.values()) <= 12


@pytest.mark.parametrize("page", [f"{BRANCH}/models", ASSET, BRANCH, "/"])
def test_a_list_does_not_read_what_it_does_not_show(full, vic, page):
    with CaptureQueriesContext(connection) as queries:
        vic.get(page)
    lists = [query["sql"] for query in queries if '"alias_index"' in query["sql"]]
    readmes = [sql for sql in lists if '"readme"' in sql]
    assert len(readmes) == (1 if page == ASSET else 0)
    blobs = [query["sql"] for query in queries if '"blobs"' in query["sql"]]
    assert len(blobs) == (1 if page == ASSET else 0)
