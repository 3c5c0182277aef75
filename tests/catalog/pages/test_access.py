"""Who sees a page: members of its perimeter, nobody else."""

from html import unescape

import pytest
from django.test import Client

pytestmark = pytest.mark.slow

HOME = ["/", "/index.json"]
PAGES = [
    "/alpha",
    "/alpha/churn",
    "/alpha/churn/main",
    "/alpha/churn/main/assets",
    "/alpha/churn/main/data",
    "/alpha/churn/main/models",
    "/alpha/churn/main/models/churn_model",
    "/alpha/churn/main/models/churn_model/aliases",
    "/alpha/churn/main/models/churn_model/v3",
]
TWINS = [f"{page}.json" for page in PAGES]
REST = [
    "/alpha/churn/main/models/churn_model/latest",
    "/alpha/churn/main/models/churn_model/v3/cards/default-531cae1402624f82995a03bfdfd9771d",
    "/alpha/churn/main/models/churn_model/v3/cards/default-531cae1402624f82995a03bfdfd9771d.json",
    "/alpha/churn/main/models/churn_model/pulse",
    "/alpha/churn/main/pulse",
    "/alpha/churn/feature/new-model",
    "/alpha/churn/feature-new-model",
]


def statuses(client, pages):
    return {page: client.get(page).status_code for page in pages}


def test_a_member_sees_every_page(full, vic):
    assert statuses(vic, HOME + PAGES + TWINS) == dict.fromkeys(HOME + PAGES + TWINS, 200)


def test_an_outsider_is_told_that_there_is_nothing(full):
    pages = PAGES + TWINS + REST
    assert statuses(full.client("olga"), pages) == dict.fromkeys(pages, 404)


def test_who_has_not_signed_in_is_asked_to(full):
    for page in ["/", *PAGES, *REST[:2], *REST[3:]]:
        answer = Client().get(page)
        assert answer.status_code == 302, page
        assert answer.headers["Location"].startswith("/sign-in?next=/")
    assert statuses(Client(), TWINS) == dict.fromkeys(TWINS, 401)


def test_home_of_an_outsider_names_no_project_of_others(full):
    olga = full.client("olga")
    assert "/alpha" not in olga.get("/").content.decode()
    assert olga.get("/index.json").json()["projects"] == []


def test_a_superuser_sees_every_perimeter(full):
    full.people["olga"].is_superuser = True
    full.people["olga"].save()
    assert full.client("olga").get("/alpha/churn/main").status_code == 200


UNKNOWN = {
    "/gamma": "There is no perimeter 'gamma'",
    "/alpha/nope": "There is no project 'nope'",
    "/alpha/%00": "There is no project",
    "/alpha/nope/main": "There is no project 'nope'",
    "/alpha/churn/nope": "There is no branch 'nope'",
    "/alpha/churn/nope/data": "There is no branch 'nope'",
    "/alpha/churn/main/data/nope": "There is no data asset 'nope'",
    "/alpha/churn/main/models/churn_model/v99": "has no instance 'v99'",
    "/alpha/churn/main/models/churn_model/@nope": "has no alias 'nope'",
    "/alpha/churn/main/nothing-here": "There is no page and no branch 'main/nothing-here'",
}


def test_the_unknown_part_of_an_address_is_named(full, vic):
    for page, said in UNKNOWN.items():
        answer = vic.get(page)
        assert (page, answer.status_code) == (page, 404)
        assert said in unescape(answer.content.decode())
        assert said.split("'")[0] in vic.get(page + ".json").json()["message"]


REFUSED = [
    "/?q=%00",
    "/alpha/churn?page=%00",
    "/alpha/churn/%00",
    "/alpha/%00/main",
    "/alpha/churn/main/models?q=%00",
    "/alpha/churn/main/models?tag=%00",
    "/alpha/churn/main/models?sort=colour",
    "/alpha/churn/main/models?page=two",
    "/alpha/churn/main/models?state=late",
    "/alpha/churn/main/models?annotation=nonsense",
    "/alpha/churn/main/models/%00",
    "/alpha/churn/main/models/churn_model?before=x",
    "/alpha/churn/main/models/churn_model?after=-1",
    "/alpha/churn/main/models/churn_model/aliases?before=x",
    "/alpha/churn/main/pulse?since=yesterday",
    "/alpha/churn/main/pulse?since=0001-01-01T00:00:00%2B23:59",
    "/alpha/churn/main/pulse?since=9999-12-31T23:59:59-23:59",
    "/alpha/churn/main/models?since=0001-01-01T00:00:00%2B23:59",
    "/alpha/churn/main/models?until=9999-12-31T23:59:59-23:59",
    "/alpha/churn/main/models/churn_model?card=%00",
    "/alpha/churn?page=-1",
    "/?page=1.5",
]


def test_what_can_not_be_understood_is_refused(full, vic):
    assert statuses(vic, REFUSED) == dict.fromkeys(REFUSED, 400)


LISTS = [
    "/",
    "/index.json",
    "/alpha",
    "/alpha/churn",
    "/alpha/churn.json",
    "/alpha/churn/main/assets",
    "/alpha/churn/main/models/churn_model",
]


def test_a_search_for_more_than_a_person_would_type_is_refused(full, vic):
    searches = [" ".join(["w"] * 1_500), "w" * 201, " ".join("abcdefghijk")]
    pages = [f"{page}?q={search}" for page in LISTS for search in searches]
    assert statuses(vic, pages) == dict.fromkeys(pages, 400)
    assert vic.get(f"/index.json?q={searches[0]}").json()["detail"] == {"field": "q"}
    assert "A search takes at most 10 words" in unescape(vic.get(f"/?q={searches[0]}").content.decode())
    allowed = [f"{page}?q={' '.join('abcdefghij')}" for page in LISTS]
    assert statuses(vic, allowed) == dict.fromkeys(allowed, 200)


def test_a_filter_given_too_often_is_refused(full, vic):
    pages = [f"{page}?{'&'.join(['tag=a'] * 21)}" for page in LISTS]
    assert statuses(vic, pages) == dict.fromkeys(pages, 400)


HARMLESS = [
    "/alpha/churn/main/models/churn_model/v3?card=%00",
    "/alpha/churn/main/models/churn_model/v3?card=../../etc/passwd",
    "/alpha/churn/main/models/churn_model/v3?card=" + "x" * 5_000,
    "/alpha/churn/main/models?kind=nonsense",
    "/alpha/churn/main/models?producer=nonsense",
    "/alpha/churn/main/models?unknown=" + "x" * 5_000,
    "/alpha/churn/main/models?since=0001-01-01T00:00:00Z&until=9999-12-31T23:59:59Z",
    "/alpha/churn/main/models/churn_model/pulse?since=nonsense",
    "/alpha/churn/main/pulse?since=0001-01-01T00:00:00Z",
]


def test_nonsense_that_does_no_harm_is_passed_over(full, vic):
    assert statuses(vic, HARMLESS) == dict.fromkeys(HARMLESS, 200)
    assert vic.get("/alpha/churn/main/pulse?since=9999-12-31T23:59:59Z").status_code == 204
    assert vic.get("/alpha/churn/main/pulse?kind=nonsense").status_code == 204


def test_pages_beyond_the_end_are_clamped(full, vic):
    queries = ["?page=0", "?page=99", "?page=99999999999999999999", "?q=%ED%A0%80", "?before=0", "?after=999999999999"]
    pages = [
        f"/alpha/churn/main/models{asset}{query}"
        for asset in ("", "/churn_model", "/churn_model.json")
        for query in queries
    ]
    assert statuses(vic, pages) == dict.fromkeys(pages, 200)


def test_pages_take_no_writes(full, vic):
    assert vic.post("/alpha/churn/main/models/churn_model").status_code == 405


def test_the_address_of_the_api_leads_to_its_documentation(full, vic):
    assert vic.get("/v1").headers["Location"] == "/v1/docs"
    assert "<h1>API</h1>" in vic.get("/v1", follow=True).content.decode()
    for client in (vic, Client(enforce_csrf_checks=True)):
        answer = client.post("/v1", {}, content_type="application/json")
        assert (answer.status_code, answer.headers["Allow"]) == (405, "GET, HEAD")
        assert answer.json()["error"] == "method_not_allowed"


def test_a_stranger_is_asked_to_sign_in_before_the_documentation(full, vic):
    asked = Client().get("/v1", follow=True)
    assert asked.redirect_chain == [("/v1/docs", 302), ("/sign-in?next=/v1/docs", 302)]
    assert vic.get("/v1/docs").status_code == 200
    document = Client().get("/v1/openapi.json")
    assert (document.status_code, document.json()["error"]) == (401, "unauthorized")
