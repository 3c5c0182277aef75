"""Who sees a page: members of its perimeter, nobody else."""

import pytest
from django.test import Client

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


@pytest.mark.parametrize("page", PAGES + TWINS)
def test_a_member_sees_the_page(full, vic, page):
    assert vic.get(page).status_code == 200


@pytest.mark.parametrize("page", PAGES + TWINS + REST)
def test_an_outsider_is_told_that_there_is_nothing(full, page):
    answer = full.client("olga").get(page)
    assert answer.status_code == 404
    assert "churn" not in answer.content.decode().replace(page, "")


@pytest.mark.parametrize("page", HOME + PAGES + REST[:5])
def test_who_has_not_signed_in_is_asked_to(full, page):
    answer = Client().get(page)
    if page.endswith(".json"):
        assert answer.status_code == 401
    else:
        assert answer.status_code == 302
        assert answer.headers["Location"].startswith("/sign-in?next=/")


def test_home_of_an_outsider_names_no_project_of_others(full):
    olga = full.client("olga")
    assert "churn" not in olga.get("/").content.decode()
    assert olga.get("/index.json").json()["projects"] == []


def test_a_superuser_sees_every_perimeter(full):
    full.people["olga"].is_superuser = True
    full.people["olga"].save()
    assert full.client("olga").get("/alpha/churn/main").status_code == 200


@pytest.mark.parametrize(
    ("page", "said"),
    [
        ("/gamma", "There is no perimeter &#x27;gamma&#x27;"),
        ("/alpha/nope", "There is no project &#x27;nope&#x27;"),
        ("/alpha/nope/main", "There is no project &#x27;nope&#x27;"),
        ("/alpha/churn/nope", "There is no branch &#x27;nope&#x27;"),
        ("/alpha/churn/nope/data", "There is no branch &#x27;nope&#x27;"),
        ("/alpha/churn/main/data/nope", "There is no data asset &#x27;nope&#x27;"),
        ("/alpha/churn/main/models/churn_model/v99", "has no instance &#x27;v99&#x27;"),
        ("/alpha/churn/main/models/churn_model/@nope", "has no alias &#x27;nope&#x27;"),
        ("/alpha/churn/main/lineage", "There is no page and no branch"),
    ],
)
def test_the_unknown_part_of_an_address_is_named(full, vic, page, said):
    answer = vic.get(page)
    assert answer.status_code == 404
    assert said in answer.content.decode()
    assert vic.get(page + ".json").json()["error"] == "not_found"


@pytest.mark.parametrize(
    "page",
    [
        "/alpha/churn/main/models?q=%00",
        "/alpha/churn/main/models?tag=%00",
        "/alpha/churn/main/models?sort=colour",
        "/alpha/churn/main/models?page=two",
        "/alpha/churn/main/models?state=late",
        "/alpha/churn/main/models?annotation=nonsense",
        "/alpha/churn/main/models/churn_model?before=x",
        "/alpha/churn/main/models/churn_model?after=-1",
        "/alpha/churn/main/models/churn_model/aliases?before=x",
        "/alpha/churn/main/pulse?since=yesterday",
        "/alpha/churn/main/models/%00",
        "/alpha/%00/main",
        "/alpha/churn/%00",
        "/?q=%00",
        "/alpha/churn?page=%00",
    ],
)
def test_what_can_not_be_understood_is_refused(full, vic, page):
    assert vic.get(page).status_code == 400


@pytest.mark.parametrize("page", ["/alpha/%00", "/%00", "/alpha/churn/main/models/churn_model/v3/cards/%00"])
def test_names_that_nothing_can_have_are_unknown(full, vic, page):
    assert vic.get(page).status_code == 404


@pytest.mark.parametrize("page", ["?page=0", "?page=99", "?page=99999999999999999999", "?q=%ED%A0%80", "?card=x"])
def test_pages_beyond_the_end_are_clamped(full, vic, page):
    assert vic.get(f"/alpha/churn/main/models{page}").status_code == 200
    assert vic.get(f"/alpha/churn/main/models/churn_model{page}").status_code == 200


def test_pages_take_no_writes(full, vic):
    assert vic.post("/alpha/churn/main/models/churn_model").status_code == 405
