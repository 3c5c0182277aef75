"""Each row of the table of filters, walked through a listing, an asset, the evaluation log, their twins and the API."""

import re
from datetime import UTC, datetime
from html import unescape
from urllib.parse import urlencode

import pytest
from django.utils import timezone

from catalog.entities import Entity
from catalog.filters import FILTERS, TEXT
from catalog.models import Asset, Instance
from catalog.recording import deprecate
from catalog.states import Watch
from tests.built_once import built_once

from .conftest import text_of

pytestmark = pytest.mark.slow

LISTING, ASSET, LOG = "/alpha/churn/main/data", "/alpha/churn/main/models/history", "/alpha/churn/logs/evaluations"
LISTS = [LISTING, ASSET, LOG, "/", "/alpha", "/alpha/churn"]
API = "/v1/perimeters/alpha/projects/churn/branches/main"
NAMES = ["v1", "v2", "v3", "v4", "v5"]
CASES = {
    # by name: what is asked, and which of the five it finds
    "text": ("needle", ["v2"]),
    "tag": ("env=prod", ["v2"]),
    "annotation": ("accuracy>=0.9", ["v2"]),
    "kind": ("s3", ["v2"]),
    "producer": ("NeedleFlow", ["v2"]),
    "since": ("2026-06-01", ["v3"]),
    "until": ("2025-06-01", ["v1"]),
    "same_as": ("@sewn", ["v2"]),
    "deprecated": ("true", ["v5"]),
    "late": ("yes", ["v2"]),
    "state": ("failed", ["v4"]),
}
OF_ASSETS = {"late"}
"""What is asked of an asset itself, so that all of its instances match or none."""
ROWS = pytest.mark.parametrize("row", FILTERS, ids=lambda row: row.name)


@pytest.fixture
def five(world):
    built_once(register_five, world)
    return world


def register_five(world):
    """The same five registrations as assets of one listing, as instances of one asset, and as entries of the log."""
    said = {
        "description": "a needle",
        "tags": {"env": "prod"},
        "annotations": {"accuracy": 0.95, "note": "a needle"},
        "asset_kind": "s3",
        "task": "NeedleFlow/1/sew/1",
        "digest": "abc",
    }
    for number, (year, what) in enumerate(
        [(2025, {}), (2026, said), (2027, {}), (2026, {"state": "failed"}), (2026, {})], start=1
    ):
        for asset, branch in ((f"data/v{number}", "main"), ("models/history", "main"), ("data/evaluation_log", "logs")):
            made = world.register(asset, branch=branch, **{"asset_kind": "evaluation", **what})
            Instance.objects.filter(pk=made.pk).update(created_at=datetime(year, 1, 1, tzinfo=UTC))
            if what is said:
                world.alias("sewn", made)
            if number == len(NAMES):
                who = {"actor": "ada", "entity": Entity("user", "ada")}
                deprecate(asset=made.asset, target_uid=made.uid, reason="Wrong labels.", **who)
    now = timezone.now()
    Asset.objects.filter(asset_id="v2").update(watch=Watch.LEARNED, due_at=now, late_at=now)


def shown(answer):
    """The names of the rows of a page, or of its twin, or of an answer of the API."""
    assert answer.status_code == 200, answer.content
    if answer.headers["Content-Type"] == "application/json":
        return sorted(row.get("ref") or row["asset"]["id"] for row in rows_of(answer.json()))
    page = text_of(answer)
    if titles := re.findall(r'<a class="title" href="[^"]*"><(?:code|bdi)>(v\d)<', page):
        return sorted(titles)
    return sorted(re.findall(r'class="title" href="[^"]*/evaluation_log/(v\d)"', page))


def rows_of(document):
    name = next(name for name in ("items", "instances", "recent_instances", "evaluations") if name in document)
    return document[name]


def asked(page, **query):
    return f"{page}?{urlencode(query, doseq=True, safe='/=:,@')}"


def test_every_row_has_a_case():
    assert set(CASES) == {row.name for row in FILTERS}


@pytest.mark.sample(3)
@ROWS
@pytest.mark.parametrize("page", [LISTING, ASSET, LOG])
def test_a_page_and_its_twin_are_narrowed(five, vic, row, page):
    text, found = CASES[row.name]
    assert shown(vic.get(page)) == shown(vic.get(f"{page}.json")) == NAMES
    found = found if page == LISTING or row.name not in OF_ASSETS else []
    assert shown(vic.get(asked(page, **{row.name: text}))) == found
    assert shown(vic.get(asked(f"{page}.json", **{row.name: text}))) == found


@ROWS
def test_the_api_gives_the_same_answer(five, vic, row):
    text, found = CASES[row.name]
    assert shown(vic.get(asked(f"{API}/data", **{row.name: text}))) == found
    assert shown(vic.get(asked(f"{API}/models/history", **{row.name: text}))) == (
        [] if row.name in OF_ASSETS else found
    )


@pytest.mark.each
@ROWS
def test_what_is_told_of_the_number_of_rows_is_true(five, vic, row):
    text, found = CASES[row.name]
    assert "5</strong>" in text_of(vic.get(LISTING))
    assert f'<strong class="figures">{len(found)}</strong>' in text_of(vic.get(asked(LISTING, **{row.name: text})))
    assert vic.get(asked(f"{LISTING}.json", **{row.name: text})).json()["total"] == len(found)
    for page in (ASSET, LOG):
        assert '<strong class="figures">5</strong>' in text_of(vic.get(page))
        assert '<strong class="figures">' not in text_of(vic.get(asked(page, **{row.name: text})))


@pytest.mark.each
@pytest.mark.sample(3)
@ROWS
@pytest.mark.parametrize("page", [LISTING, ASSET, LOG])
def test_a_chip_names_the_filter_and_takes_it_away(five, vic, row, page):
    text, _ = CASES[row.name]
    for name in row.names:
        html = unescape(text_of(vic.get(f"{asked(page, **{name: text})}&tag=a")))
        chip = f'aria-label="Remove the filter {row.label} {text}"'
        without = re.search(rf'href="([^"#]*)[^"]*" {re.escape(chip)}', html)
        assert without
        assert without[1] == asked(page, tag="a")


@pytest.mark.parametrize("page", [LISTING, ASSET, LOG])
def test_all_spellings_of_a_filter_count(five, vic, page):
    for alias in TEXT.aliases:
        assert shown(vic.get(asked(page, **{alias: "needle"}))) == ["v2"]
        assert shown(vic.get(asked(page, text="needle", **{alias: "haystack"}))) == []
        assert shown(vic.get(asked(f"{page}.json", text="needle", **{alias: "haystack"}))) == []


@pytest.mark.parametrize("page", LISTS)
def test_a_search_box_holds_the_words_and_sends_them_once(five, vic, page):
    html = unescape(text_of(vic.get(asked(page, text="needle"))))
    names = re.findall(r'<input type="search" name="(\w+)" value="needle"', html)
    assert names
    assert {*names} <= {*TEXT.aliases}
    assert '<input type="hidden" name="text"' not in html


def menu(answer):
    """The labels of the filters that a page offers, and where they lead."""
    html = text_of(answer)
    html = html[html.index("filter</summary>") :]
    return [
        (unescape(re.sub("<[^>]*>", "", label)), unescape(url))
        for url, label in re.findall(r'<li><a href="([^"]*)">(.*?)</a></li>', html[: html.index("</details>")])
    ]


@pytest.mark.parametrize("page", [LISTING, ASSET, LOG])
def test_a_page_offers_the_states_and_what_its_rows_suggest_without_counting_them(five, vic, page):
    offered = menu(vic.get(page))
    states = ["state pending", "state ready", "state failed"]
    # where a failed instance has a row, so has its flow
    assert [label for label, _ in offered] == [*states, "made by TrainFlow", "made by NeedleFlow", "tag env=prod"]
    for label, url in offered[1:]:
        assert "Remove the filter" in text_of(vic.get(url)), label
        assert label not in dict(menu(vic.get(url)))


@pytest.mark.parametrize("page", [LISTING, ASSET, LOG])
def test_a_filter_in_force_is_not_offered(five, vic, page):
    labels = {label for label, _ in menu(vic.get(f"{page}?state=any&tag=%22env%22=prod"))}
    assert labels == {"made by NeedleFlow"}


TRACKED = "utm_source=mail&utm_campaign=a&fbclid=1&gclid=2&msclkid=3&mc_cid=4&_ga=5&ref=6"


@pytest.mark.parametrize("page", LISTS)
def test_a_page_says_which_parameters_it_does_not_know(five, vic, page):
    html = unescape(text_of(vic.get(f"{page}?tga=env&<b>=1")))
    assert "This page knows no filters 'tga' and '<b>'; they are left out." in html
    assert "<b>" not in text_of(vic.get(f"{page}?tga=env&<b>=1"))
    assert "This page knows no filter 'tga'; it is left out." in unescape(text_of(vic.get(f"{page}?tga=env&{TRACKED}")))


@pytest.mark.parametrize("page", LISTS)
def test_nothing_is_said_of_what_a_page_knows_and_of_what_links_of_other_sites_add(five, vic, page):
    own = {LISTING: "sort=name&page=1", ASSET: "before=9&card=", LOG: "chart=accuracy&after=0"}.get(page, "page=1")
    assert "left out" not in text_of(vic.get(f"{page}?{own}&q=v&{TRACKED}"))
    assert vic.get(f"{'/index' if page == '/' else page}.json?{own}&q=v&{TRACKED}").status_code == 200


def test_a_page_of_projects_takes_the_search_alone(five, vic):
    assert "This page knows no filter 'tag'" in unescape(text_of(vic.get("/?tag=env")))


@pytest.mark.parametrize("page", [LISTING, ASSET])
def test_the_part_that_htmx_brings_in_says_so_too(five, vic, page):
    part = vic.get(f"{page}?tga=env", headers={"HX-Target": {LISTING: "listing", ASSET: "instances"}[page]})
    assert "<html" not in text_of(part)
    assert "knows no filter" in text_of(part)


@pytest.mark.parametrize("page", ["/index", *LISTS[:3], *LISTS[4:]])
def test_a_twin_refuses_what_it_does_not_know(five, vic, page):
    answer = vic.get(f"{page}.json?tga=env")
    assert answer.status_code == 400
    assert answer.json()["error"] == "bad_request"
    assert answer.json()["detail"] == {"field": "tga"}
    assert "'tga'; it takes text" in answer.json()["message"]


@pytest.mark.parametrize("name", TEXT.names)
def test_the_projects_and_branches_are_searched_by_all_spellings(five, vic, name):
    five.register("data/other", project="else")
    assert [row["name"] for row in vic.get(f"/index.json?{name}=chu").json()["projects"]] == ["churn"]
    assert [row["name"] for row in vic.get(f"/alpha.json?{name}=els").json()["projects"]] == ["else"]
    assert [row["key"] for row in vic.get(f"/alpha/churn.json?{name}=log").json()["branches"]] == ["logs"]
