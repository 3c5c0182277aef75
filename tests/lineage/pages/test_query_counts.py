"""How many queries each page costs, and that it does not cost more when there is more to show.

Three of them ask who is there in team mode: the session, the user, the memberships.
"""

import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.lineage.pages.conftest import BRANCH, LINEAGE, named

pytestmark = pytest.mark.slow

ASSET = f"{BRANCH}/models/churn_model"

# Who is there (3), what the tag is made of, and:
COSTS = {
    # the branch; the ends of its arrows and of its promotions, its assets, the arrows of what is shown; the assets,
    # components and branches of the nodes; the menus
    LINEAGE: 12,
    f"{LINEAGE}.json": 11,
    f"{LINEAGE}.svg": 11,
    # and what is found: assets, components
    f"{LINEAGE}?find=train": 14,
    # the branch; the focus by its name and by its id; two levels, what is beyond, and what is between; the assets,
    # components and branches of the nodes; the menus
    f"{LINEAGE}?focus=data/features&depth=2": 14,
    # the asset; the focus by its id; a level, what is beyond, and what is between; names as above; the menus
    f"{ASSET}/lineage": 12,
    f"{ASSET}/lineage.json": 11,
    # the asset; the instance; a level with what is known of its runs, what is beyond, and what is between; instances,
    # assets, runs; the menus
    f"{ASSET}/v1/lineage?depth=1": 12,
    # the branch; the component; its edges; its runs, what they made and read; what it made and read outside of those
    # that are known, on the last page of runs only; the menus
    f"{BRANCH}/flows/TrainFlow": 12,
    f"{BRANCH}/flows/TrainFlow.json": 11,
}


def cost(client, page):
    cache.clear()
    with CaptureQueriesContext(connection) as queries:
        client.get(page)
    return len(queries)


@pytest.fixture
def grown(linked):
    """Many more of everything that is next to what the pages show."""
    for number in range(20):
        linked.register(f"data/more_{number}", "TrainFlow/1/train/1")
        linked.consume("data/features", f"Reader{number}/1/start/1", branch=f"feature/b{number}")
        linked.consume("models/churn_model", f"Reader{number}/1/start/1")
        linked.consume("data/scores", "TrainFlow/3/start/1", branch=f"feature/b{number}")
    return linked


def test_each_page_costs_what_is_written_here(linked, vic):
    assert {page: cost(vic, page) for page in COSTS} == COSTS


def test_no_page_costs_more_in_a_larger_catalogue(grown):
    vic = grown.client("vic")
    assert {page: cost(vic, page) for page in COSTS} == COSTS


def test_each_opened_node_costs_as_much_as_the_question_about_it(linked, vic):
    nodes = named(vic.get(f"{LINEAGE}.json"))
    plain = cost(vic, f"{ASSET}/lineage.json")
    once = cost(vic, f"{ASSET}/lineage.json?open={nodes['TrainFlow on main']}")
    twice = cost(vic, f"{ASSET}/lineage.json?open={nodes['TrainFlow on main']}&open={nodes['ScoreFlow on main']}")
    between = 2  # once, however many are open: every arrow between the nodes that are shown
    assert once - plain - between == twice - once <= 7


def test_a_page_that_is_kept_is_not_drawn_again(linked, vic, monkeypatch):
    vic.get(LINEAGE)
    monkeypatch.setattr("lineage.drawing.picture.lay_out", None)
    assert vic.get(LINEAGE).status_code == 200


def test_a_page_that_has_changed_is_drawn_anew(linked, vic):
    vic.get(LINEAGE)
    linked.register("data/fresh", "FreshFlow/1/end/1")
    assert "FreshFlow" in vic.get(LINEAGE).content.decode()
