"""The lineage of a branch: drawing, table and JSON say the same, and say what they leave out."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from catalog.models import Asset
from catalog.states import Watch
from lineage.answers import Answer, Question
from lineage.graph import Kind, Link, Node, Relation, graph_of
from tests.catalog.pages.conftest import text_of
from tests.lineage.pages.conftest import BRANCH, LINEAGE, answered, drawn, named, tabled

pytestmark = pytest.mark.slow

FLOWS = f"{BRANCH}/flows"


@pytest.mark.parametrize(
    "query", ["", "?focus=models/churn_model&depth=2", "?focus=data/features&view=impact", "?kind=flow", "?sort=target"]
)
def test_drawing_table_and_json_are_equal_in_content(linked, vic, query):
    page = text_of(vic.get(LINEAGE + query))
    nodes, arrows = answered(vic.get(f"{LINEAGE}.json{query}"))
    assert nodes
    assert drawn(page) == tabled(page) == (nodes, arrows)


def test_a_node_without_arrows_is_drawn_and_listed(linked, vic):
    page = text_of(vic.get(f"{LINEAGE}?kind=model"))
    nodes, arrows = drawn(page)
    assert len(nodes) == 1
    assert not arrows
    assert page.count("stands alone") == 1


def test_nodes_lead_to_their_pages(linked, vic):
    page = text_of(vic.get(LINEAGE))
    for address in ("/models/churn_model", "/data/scores", "/flows/TrainFlow", "/deployments/dashboard"):
        assert f'<a href="/alpha/churn/main{address}" class="node' in page
    assert 'href="/alpha/churn/main/data/scores#card"' in page


def test_other_branches_are_drawn_in_lanes_of_their_own(linked, vic):
    page = text_of(vic.get(LINEAGE))
    assert page.index(">main</text></g></g>") < page.index(">feature/x</text></g></g>")


def test_what_feeds_itself_is_said_in_words_and_drawn_back(linked, vic):
    page = text_of(vic.get(LINEAGE))
    assert "ScoreFlow feeds itself through scores." in page
    assert 'class="consumes back"' in page or 'class="produces back"' in page
    assert "in a cycle" in page


def test_what_is_deleted_stays_and_is_marked(linked, vic):
    page = text_of(vic.get(LINEAGE))
    assert 'class="node data deleted"' in page
    assert "data · deleted" in page


def test_what_is_late_is_marked_in_drawing_table_and_json_and_only_now(linked, vic):
    now = timezone.now()
    moments = {"due_at": now - timedelta(hours=11), "late_at": now - timedelta(hours=5)}
    moments["dormant_at"] = now + timedelta(days=9)
    Asset.objects.filter(asset_id="features").update(watch=Watch.LEARNED, **moments)
    page = text_of(vic.get(LINEAGE))
    assert 'class="node data late"' in page
    assert 'id="i-late"' in page
    assert page.count("late, as it was expected") == 1
    assert re.search(r"late by ?<time [^>]*>11 h</time>", page)
    late = [node["key"] for node in vic.get(f"{LINEAGE}.json").json()["nodes"] if node["late_since"]]
    assert late == ["features"]
    assert "late by" in text_of(vic.get(f"{FLOWS}/FeatureFlow"))
    past = text_of(vic.get(LINEAGE, {"as_of": now.isoformat()}))
    assert "features" in past
    assert "late by" not in past


def test_an_answer_says_whether_it_is_complete(linked, vic):
    assert "<strong>Complete</strong>" in text_of(vic.get(LINEAGE))
    cut = text_of(vic.get(f"{LINEAGE}?focus=models/churn_model"))
    assert "<strong>Complete to depth 1</strong>" in cut
    assert "further away than the depth asked for" in cut
    assert "#warning" not in cut  # the depth was asked for
    assert "<strong>Not complete</strong>" in text_of(vic.get(f"{LINEAGE}?focus=models/churn_model&limit=1"))


def test_what_makes_no_sense_is_taken_as_something_that_does_and_told(linked, vic):
    page = text_of(vic.get(f"{LINEAGE}?focus=models/churn_model&depth=900&direction=sideways&as_of=whenever&kind=cow"))
    assert "The depth 900 is out of bounds; taken as 50." in page
    assert "The direction &#39;sideways&#39; is unknown; taken as both." in page
    assert "&#39;whenever&#39; is no time; taken as now." in page
    assert "The kind &#39;cow&#39; is unknown; passed over." in page


def test_before_there_was_anything_nothing_is_drawn(linked, vic):
    page = text_of(vic.get(f"{LINEAGE}?as_of=2020-01-01"))
    assert "As of 2020-01-01 23:59:59 UTC" in page
    assert drawn(page) == (set(), set())
    assert "Nothing here is as asked for." in page


def test_an_empty_branch_shows_what_fills_it(world, vic):
    world.deploy("main")
    page = text_of(vic.get(LINEAGE))
    assert "No lineage on this branch yet." in page
    assert "self.prj.register_data(" in page


@pytest.mark.parametrize("focus", ["data/nothing", "flow/NoFlow", "d_0000", "c_99.main", "nonsense", "deployment/"])
def test_an_unknown_focus_is_named(linked, vic, focus):
    answer = vic.get(f"{LINEAGE}?focus={focus}")
    assert answer.status_code == 404
    assert focus in text_of(answer)


def test_a_node_is_found_by_a_part_of_its_name(linked, vic):
    page = text_of(vic.get(f"{LINEAGE}?find=train"))
    nodes = named(vic.get(f"{LINEAGE}.json"))
    assert f'href="{LINEAGE}?focus={nodes["TrainFlow on main"]}"' in page
    assert f'href="{LINEAGE}?focus={nodes["TrainFlow on feature_x"]}"' in page
    assert f'href="{LINEAGE}?focus={nodes["churn_model on main"]}"' in text_of(vic.get(f"{LINEAGE}?find=CHURN"))
    assert "Nothing here has “<bdi>zebra</bdi>” in its name." in text_of(vic.get(f"{LINEAGE}?find=zebra"))


def test_what_is_asked_is_shown_as_chips_that_take_it_away(linked, vic):
    page = text_of(vic.get(f"{LINEAGE}?focus=models/churn_model&kind=flow&branch=main&depth=3"))
    assert (
        f'href="{LINEAGE}?focus=models/churn_model&amp;branch=main&amp;depth=3" aria-label="Remove kind flow"' in page
    )
    assert (
        f'href="{LINEAGE}?focus=models/churn_model&amp;kind=flow&amp;depth=3" aria-label="Remove branch main"' in page
    )
    assert f'href="{LINEAGE}?kind=flow&amp;branch=main" aria-label="Remove node' in page


def test_the_table_is_sorted_as_asked(linked, vic):
    def firsts(sort):
        page = text_of(vic.get(f"{LINEAGE}?sort={sort}"))
        body = page[page.index("<tbody") :]
        return [row.split("<bdi>")[1].split("</bdi>")[0] for row in body.split("</tr>")[:3]]

    assert firsts("source") == ["churn_model", "churn_model", "EventFlow"] or firsts("source")[0] == "churn_model"
    assert firsts("-source")[0] == "TrainFlow"
    assert firsts("nonsense") == firsts("-last")


def test_impact_leads_to_the_ways(linked, vic):
    nodes = named(vic.get(f"{LINEAGE}.json"))
    scores = nodes["scores on main"]
    impact = text_of(vic.get(f"{LINEAGE}?focus=data/features&view=impact"))
    assert f"view=paths&amp;to={scores}" in impact
    ways = f"{LINEAGE}.json?focus=data/features&view=paths&to={scores}"
    assert "TrainFlow on main" in named(vic.get(ways))
    assert "TrainFlow on feature_x" not in named(vic.get(ways))
    assert "through <bdi>TrainFlow</bdi>" in impact


def test_where_there_is_no_way_it_is_said(linked, vic):
    page = text_of(vic.get(f"{LINEAGE}?focus=data/scores&view=paths&to=data/events"))
    assert "There is no way from the one to the other." in page


@pytest.mark.parametrize("query", ["view=paths", "view=sideways"])
def test_a_view_that_is_none_is_refused_in_a_sentence(linked, vic, query):
    assert vic.get(f"{LINEAGE}?focus=data/features&{query}").status_code == 400


def test_htmx_gets_the_part_that_it_names(linked, vic):
    part = vic.get(LINEAGE, headers={"HX-Target": "lineage"})
    assert text_of(part).strip().startswith('<section class="sheet" id="lineage"')
    glance = vic.get(LINEAGE, headers={"HX-Target": "lineage-glance"})
    assert 'id="lineage-glance"' in text_of(glance)
    assert "<table" not in text_of(glance)
    assert "HX-Target" in part["Vary"]


def test_there_is_no_style_and_no_script_in_the_page(linked, vic):
    page = text_of(vic.get(LINEAGE))
    assert "<style" not in page
    assert " style=" not in page
    assert "<script>" not in page
    assert " onclick" not in page


def test_the_branch_has_a_tab_for_it(linked, vic):
    assert f'<a href="{LINEAGE}" aria-current="page">Lineage</a>' in text_of(vic.get(LINEAGE))
    assert f'<a href="{LINEAGE}">Lineage</a>' in text_of(vic.get("/alpha/churn/main"))


def test_a_page_of_200_assets_is_light(world, vic, monkeypatch):
    world.deploy("main")
    now = datetime(2026, 3, 4, tzinfo=UTC)
    here = {"project": "churn", "branch": "main", "branch_name": "main", "at": now}
    flows = [Node(f"c_{n}.main", Kind.FLOW, f"Flow{n:02}", url=f"{FLOWS}/Flow{n:02}", **here) for n in range(40)]
    data = [
        Node(f"d_{n:020}", Kind.DATA, f"table_{n:03}", version="v1", url=f"{BRANCH}/data/table_{n:03}", **here)
        for n in range(200)
    ]
    links = [Link(flows[n // 5].id, each.id, Relation.PRODUCES, now, now, 1) for n, each in enumerate(data)]
    for further in (1, 2, 3):
        readers = [flows[(n // 5 + further) % 40].id for n in range(200)]
        links += [Link(a.id, b, Relation.CONSUMES, now, now, 1) for a, b in zip(data, readers, strict=True)]
    answer = Answer(Question.BRANCH, graph_of([*flows, *data], links), now, found=240)
    monkeypatch.setattr("lineage.questions.across", lambda *_: answer)
    page = text_of(vic.get(LINEAGE))
    nodes, arrows = drawn(page)
    assert (len(nodes), len(arrows)) == (240, 800)
    assert len(page.encode()) < 280_000
