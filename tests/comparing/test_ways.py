"""The ways to a comparison: check boxes, aliases, the one before, another branch, by typing."""

import re
from html import unescape

import pytest
from django.http import QueryDict

from access.identity import Viewer
from access.models import Membership, Role
from catalog.models import Asset
from catalog.pagekit.query import PageQuery
from comparing.found import find_versions
from comparing.pages.question import Question
from tests.catalog.pages.conftest import text_of

MODEL = "/alpha/churn/main/models/churn_model"
COMPARE = f"{MODEL}/compare"


def links_to_compare(answer):
    return [unescape(url) for url in re.findall(rf'href="({COMPARE}(?:\?[^"]*)?)"', answer.content.decode())]


def test_versions_are_checked_in_the_table_and_sent_by_a_form_without_scripts(full, vic):
    page = vic.get(MODEL).content.decode()
    boxes = re.findall(r'<input type="checkbox" name="of" value="(v\d)" form="compare">', page)
    assert boxes == ["v3", "v2", "v1"]
    assert re.findall(r'<span class="visually-hidden">Compare (v\d)</span>', page) == boxes
    assert f'<form class="compare-bar" id="compare" action="{COMPARE}" hx-boost="false">' in page
    part = vic.get(f"{MODEL}?before=3", headers={"HX-Request": "true", "HX-Target": "instances"})
    assert 'value="v2" form="compare"' in part.content.decode()


def test_one_version_alone_has_nothing_to_check(full, vic):
    page = vic.get("/alpha/churn/main/data/features").content.decode()
    assert 'name="of"' not in page
    assert "compare-bar" not in page


def test_what_changed_since_production_is_one_click_from_the_newest_version(full, vic):
    full.register("models/churn_model")
    page = vic.get(f"{MODEL}/v4")
    words = " ".join(re.sub("<[^>]+>", " ", text_of(page)).split())
    assert "What changed since v3 , @production" in words
    assert links_to_compare(page) == [
        f"{COMPARE}?of=v3,v4&base=v3",
        f"{COMPARE}?of=@production,v4&base=@production",
        f"{COMPARE}?of=v4",
    ]
    assert f"{COMPARE}?of=@production,v4&base=@production" in links_to_compare(vic.get(MODEL))


def test_a_version_is_not_compared_with_itself(full, vic):
    assert links_to_compare(vic.get(f"{MODEL}/v3")) == [f"{COMPARE}?of=v2,v3&base=v2", f"{COMPARE}?of=v3"]
    assert links_to_compare(vic.get(f"{MODEL}/v1")) == [
        f"{COMPARE}?of=@production,v1&base=@production",
        f"{COMPARE}?of=v1",
    ]
    assert not any("base=" in url for url in links_to_compare(vic.get(MODEL)))


def test_what_is_in_use_comes_first_and_names_of_any_letters_arrive(full, vic):
    newest = full.register("models/churn_model", "TrainFlow/9/train/1")
    for name in ("a+b", "été", "champion", "zz", "y", "x"):
        full.alias(name, newest)
    page = vic.get(f"{MODEL}/v1")
    bases = [re.search("base=(.*)", url)[1] for url in links_to_compare(page) if "base=" in url]
    assert bases == ["@production", "@champion", "@a%2Bb", "@x", "@y"]
    for url in links_to_compare(page):
        assert "there, or you may not" not in vic.get(url).content.decode()


OFFERED = [
    ("", "Compare versions of churn_model", ["v2,v3", "feature_new_model:latest,v3"]),
    ("v3", "churn_model v3, and what else?", ["v2,v3", "feature_new_model:latest,v3"]),
    ("v1", "churn_model v1, and what else?", ["@production,v1", "feature_new_model:latest,v1"]),
    ("v1,v99", "churn_model v1, and what else?", ["@production,v1", "feature_new_model:latest,v1"]),
    ("feature/new-model:v1", "churn_model v1 on feature/new-model, and what else?", ["latest,feature/new-model:v1"]),
    ("data/features:v1", "features v1, and what else?", []),
]


@pytest.mark.parametrize(("of", "head", "offered"), OFFERED)
def test_fewer_than_two_get_suggestions_and_a_form(full, vic, of, head, offered):
    page = vic.get(f"{COMPARE}?of={of}")
    title = re.sub("<[^>]+>", "", re.search("<h1>(.*?)</h1>", text_of(page), re.DOTALL)[1]).strip()
    assert title == head
    assert [re.search("of=([^&]*)", url)[1] for url in links_to_compare(page)] == offered
    assert f'<form class="adding" action="{COMPARE}">' in page.content.decode()
    for url in links_to_compare(page):
        assert vic.get(url).status_code == 200
    twin = vic.get(f"{COMPARE}.json?of={of}").json()
    assert [one["ref"] for one in twin["versions"]] == ([] if not of else [of.partition(",")[0].rpartition(":")[2]])
    assert [one["asked"] for one in twin["missing"]] == (["v99"] if "v99" in of else [])
    assert ("v99" in text_of(page)) is ("v99" in of)


def test_a_suggestion_of_another_perimeter_is_none(full, vic):
    """There is no way to write what is beside it."""
    Membership.objects.create(user=full.people["vic"], perimeter=full.beta, role=Role.VIEWER)
    far = full.register("models/far", perimeter=full.beta)
    full.register("models/far", perimeter=full.beta)
    page = vic.get(f"{COMPARE}?of={far.uid}")
    assert "far v1 on beta/churn/main, and what else?" in re.sub("<[^>]+>", "", text_of(page))
    assert links_to_compare(page) == []


def test_an_asset_that_is_called_like_a_suffix_has_its_own_comparison(full, vic):
    for _ in range(2):
        full.register("models/x.json")
        full.register("models/compare")
    for name in ("x.json", "compare"):
        page = vic.get(f"/alpha/churn/main/models/{name}/compare?of=v1")
        assert f"{name} v1" in text_of(page)
        twin = vic.get(f"/alpha/churn/main/models/{name}/compare.json?of=v1").json()
        assert twin["versions"][0]["asset"] == name
    assert "<h1" in vic.get("/alpha/churn/main/models/compare").content.decode()
    assert vic.get("/alpha/churn/main/models/compare.json").json()["asset"]["id"] == "compare"


def question(full, query, who="vic"):
    home = Asset.objects.with_place().select_related("newest_ready").get(pk=full.asset("models/churn_model").pk)
    asked = Question(PageQuery(COMPARE, QueryDict(query)), home)
    return asked, find_versions(Viewer(full.people[who]), home, asked.asked)


def test_the_base_is_the_one_that_is_asked_for_else_the_first_made(full):
    for query, base in (
        ("of=v3,v2", "v2"),
        ("of=v3,v2&base=v3", "v3"),
        ("of=v2,v3&base=@production", "v3"),
        ("of=v3,v2&base=v99", "v2"),
        ("of=v3,v2&base=v1", "v1"),  # is compared, too
        ("of=feature_new_model:v1,v3", "v3"),
    ):
        asked, found = question(full, query)
        assert found.versions[asked.place_of_base(found)].instance.ref == base, query


def test_the_links_of_a_column(full):
    asked, found = question(full, "of=v3&of=v2,@production&base=v3&equal=yes")
    v3, v2 = found.versions
    assert asked.with_base(v2) == f"{COMPARE}?of=v3,v2,@production&base=v2&equal=yes"
    assert asked.without(v2, found) == f"{COMPARE}?of=v3,@production&base=v3&equal=yes"
    assert asked.without(v3, found) == f"{COMPARE}?of=v2&equal=yes"


def test_four_cards_are_alive_and_the_base_stays(full):
    for number in range(4, 8):
        full.register("models/churn_model", f"TrainFlow/{number}/train/1")
    asked, found = question(full, "of=v1,v2,v3,v4,v5,v6")
    base = found.versions[2]
    shown = asked.cards(found.versions, base)
    assert [version.text for version in shown] == ["v1", "v2", "v3", "v4"]
    assert asked.with_card(found.versions[5], shown, base).endswith("&cards=v2,v3,v4,v6#cards")
    asked, found = question(full, "of=v1,v2,v3,v4,v5,v6&cards=v5,v6,v4,v2,v1,v9")
    assert [version.text for version in asked.cards(found.versions, found.versions[0])] == ["v1", "v2", "v4", "v5"]
