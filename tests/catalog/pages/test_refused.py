"""Error pages keep the frame of what is there, and lead to what is nearest; nothing of it is anybody else's."""

import re
from html import unescape

import pytest
from django.test import Client

from tests.catalog.pages.conftest import text_of

pytestmark = pytest.mark.slow

MAIN = "/alpha/churn/main"
FEATURE = "/alpha/churn/feature_new_model"
MODEL = "models/churn_model"

NEAREST = {
    "/alpah": ["/alpha"],
    "/alpha/churm": ["/alpha/churn"],
    "/alpha/churn/mian": [MAIN],
    "/alpha/churn/feature/new-modle": [FEATURE],
    "/alpha/churn/feature_new-mo/data": [FEATURE],
    "/alpha/churn/nothing_like_it": [MAIN],
    # on the branch but of the other kind; on another branch; of a similar name
    f"{MAIN}/data/churn_model": [f"{MAIN}/{MODEL}", f"{FEATURE}/{MODEL}"],
    f"{FEATURE}/data/features": [f"{MAIN}/data/features"],
    f"{MAIN}/models/churn_modle": [f"{MAIN}/{MODEL}"],
    f"{MAIN}/models/SMALL-LLAMA/lineage": [f"{MAIN}/models/small_llama"],
    f"{MAIN}/churn_model": [f"{MAIN}/{MODEL}", f"{FEATURE}/{MODEL}"],
    f"{MAIN}/{MODEL}/v12": [f"{MAIN}/{MODEL}/v3"],
    f"{MAIN}/{MODEL}/v12/lineage": [f"{MAIN}/{MODEL}/v3"],
    f"{MAIN}/{MODEL}/@prodution": [f"{MAIN}/{MODEL}/@production", f"{MAIN}/{MODEL}/v3"],
    f"{MAIN}/flows/TrainFlo": [f"{MAIN}/flows/TrainFlow"],
    f"{MAIN}/deployments/dash-board": [f"{MAIN}/deployments/dashboard"],
    f"{MAIN}/lineage?focus=flow/TrianFlow": [f"{MAIN}/flows/TrainFlow"],
    f"{MAIN}/lineage?focus=data/churn_model": [f"{MAIN}/{MODEL}", f"{FEATURE}/{MODEL}"],
    f"{MAIN}/highlights/h_unknown": [f"{MAIN}/highlights"],
    f"{MAIN}/models/quite_another": [],
}


def nearest(page: str) -> list[str]:
    block = re.search(r'<nav class="sheet nearest".*?</nav>', page, re.DOTALL)
    return re.findall(r'<a href="([^"]*)"', block[0]) if block else []


def frame(page: str) -> list[str]:
    """The labels of the breadcrumbs and of the tabs."""
    crumbs = re.findall(r'<a class="here"[^>]*>.*?<bdi>(.*?)</bdi>', page)
    tabs = re.search(r'<nav class="tabs".*?</nav>', page, re.DOTALL)
    return crumbs + (re.findall(r">(\w+)(?: <span|</a>)", tabs[0]) if tabs else [])


def test_a_page_that_is_not_there_leads_to_what_is_nearest(full, vic):
    answers = {page: vic.get(page) for page in NEAREST}
    assert {answer.status_code for answer in answers.values()} == {404}
    assert {page: nearest(text_of(answer)) for page, answer in answers.items()} == NEAREST
    led_to = {url for urls in NEAREST.values() for url in urls}
    assert {vic.get(url, follow=True).status_code for url in led_to} == {200}


TABS = ["Overview", "Data", "Models", "Lineage"]
FRAMES = {
    "/nope": [],
    "/alpha/nope": ["alpha"],
    "/alpha/churn/nope": ["alpha", "churn"],
    f"{MAIN}/no/such/page": ["alpha", "churn", "main", *TABS],
    f"{MAIN}/data/nope": ["alpha", "churn", "main", *TABS],
    f"{MAIN}/{MODEL}/v99": ["alpha", "churn", "main", *TABS],
    f"{MAIN}/flows/nope": ["alpha", "churn", "main", *TABS],
    # 400
    f"{MAIN}/data/%00": ["alpha", "churn", "main", *TABS],
    f"{MAIN}/models?sort=colour": ["alpha", "churn", "main", *TABS],
    "/alpha/%00/main": ["alpha"],
}


def test_the_frame_of_the_deepest_level_stays(full, vic):
    assert {page: frame(text_of(vic.get(page))) for page in FRAMES} == FRAMES
    posted = vic.post(f"{MAIN}/models")
    assert (posted.status_code, posted.headers["Allow"], frame(text_of(posted))[:3]) == (
        405,
        "GET, HEAD",
        ["alpha", "churn", "main"],
    )
    assert 'rel="alternate"' not in text_of(vic.get(f"{MAIN}/data/nope"))


ASKED = r"alpha|gamma|value=.\w{64}."


def test_an_outsider_learns_nothing(full):
    """Whether it is there or not, the same page but for what was asked."""
    olga = full.client("olga")
    for there, not_there in [
        ("/alpha", "/gamma"),
        ("/alpha/churn", "/alpha/nope"),
        (f"{MAIN}/{MODEL}", "/gamma/x/main/models/y"),
        (f"{MAIN}/{MODEL}/v1", f"{MAIN}/{MODEL}/v99"),
        ("/alpha/churn/feature/new-model", "/gamma/x/y/z"),
    ]:
        seen, unseen = (text_of(olga.get(page)) for page in (there, not_there))
        assert re.sub(ASKED, "", seen) == re.sub(ASKED, "", unseen)
        assert nearest(seen) == frame(seen) == []


def test_an_outsider_of_a_similar_name_is_led_to_their_own(full):
    assert nearest(text_of(full.client("olga").get("/other"))) == []
    assert nearest(text_of(full.client("olga").get("/betta"))) == ["/beta"]


def test_who_has_not_signed_in_gets_no_frame(full, settings):
    settings.ALLOWED_HOSTS = ["catalogue.example"]
    answer = Client().get(MAIN, headers={"host": "evil.example"})
    assert answer.status_code == 400
    assert frame(text_of(answer)) == []


def test_a_missing_version_names_the_newest(full, vic):
    assert "has no instance 'v12'; its newest is v3." in unescape(text_of(vic.get(f"{MAIN}/{MODEL}/v12")))
    answer = vic.get(f"{MAIN}/{MODEL}/v12.json").json()
    assert (answer["error"], answer["detail"]) == ("not_found", {"asset": "churn_model", "instance": "v12"})
