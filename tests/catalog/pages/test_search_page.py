"""The search box of every page, and the page that answers it."""

import pytest
from django.test import Client

from catalog.models import Asset
from catalog.pages.search import AT_A_GLANCE
from tests.catalog.pages.conftest import text_of

pytestmark = pytest.mark.slow

PAGES = ["/", "/alpha", "/alpha/churn", "/alpha/churn/main", "/alpha/churn/main/models/churn_model/v1", "/alpha/nope"]


def found(client: Client, text: str) -> dict[str, list[str]]:
    answer = client.get("/search.json", {"q": text}).json()["found"]
    return {kind: [hit["url"] for hit in hits] for kind, hits in answer.items()}


def test_every_page_has_the_box_and_a_stranger_has_none(full, vic):
    for page in PAGES:
        assert 'action="/search"' in text_of(vic.get(page)), page
    assert 'action="/search"' not in text_of(Client().get("/sign-in"))


def test_things_are_found_wherever_they_are(full, vic):
    model = "models/churn_model"
    assert found(vic, "CHURN_M") == {"asset": [f"/alpha/churn/main/{model}", f"/alpha/churn/feature_new_model/{model}"]}
    assert found(vic, "churn p") == {"project": ["/alpha/churn"]}
    assert found(vic, "feature/n") == {"branch": ["/alpha/churn/feature_new_model"]}
    assert found(vic, "TrainFlow") == {"flow": ["/alpha/churn/main/flows/TrainFlow"]}
    assert found(vic, "dash") == {"deployment": ["/alpha/churn/main/deployments/dashboard"]}
    assert found(vic, "small lla") == {"asset": ["/alpha/churn/main/models/small_llama"]}
    for hits in found(vic, "churn").values():
        assert [vic.get(url).status_code for url in hits] == [200] * len(hits)


def test_each_thing_says_where_it_is(full, vic):
    (hit,) = vic.get("/search.json?q=small").json()["found"]["asset"]
    assert hit == {
        "kind": "models",
        "name": "small_llama",
        "title": "Small Llama",
        "url": "/alpha/churn/main/models/small_llama",
        "perimeter": "alpha",
        "project": "churn",
        "branch": "main",
    }
    page = text_of(vic.get("/search?q=small"))
    assert "Beginning with “<bdi>small</bdi>”" in page
    assert "<bdi>alpha</bdi>" in page


def test_nobody_finds_what_is_not_theirs(full, vic):
    full.register("data/secret", project="hidden", perimeter=full.beta)
    olga = full.client("olga")
    assert found(vic, "secret") == found(vic, "hidden") == found(olga, "churn") == {}
    assert list(found(olga, "hid")) == ["project"]
    assert Client().get("/search?q=churn").status_code == 302
    assert Client().get("/search.json?q=churn").status_code == 401


def test_several_perimeters_are_searched(full):
    full.register("data/features", perimeter=full.beta)
    full.people["olga"].is_superuser = True
    full.people["olga"].save()
    assert found(full.client("olga"), "features")["asset"] == [
        "/beta/churn/main/data/features",
        "/alpha/churn/main/data/features",
    ]


def test_more_than_twenty_are_cut_and_said(full, vic):
    for number in range(21):
        full.register(f"data/table_{number:02}")
    answer = vic.get("/search.json?q=table").json()
    assert (len(answer["found"]["asset"]), answer["cut"]) == (20, ["asset"])
    assert "And more: type on." in text_of(vic.get("/search?q=table"))
    assert vic.get("/search.json?q=table_2").json()["cut"] == []


def test_while_somebody_types_the_first_few_are_shown(full, vic):
    for number in range(9):
        full.register(f"data/table_{number:02}")
    part = text_of(vic.get("/search?q=table", headers={"HX-Target": "found"}))
    assert part.count("/data/table_") == AT_A_GLANCE
    assert 'href="/search?q=table"' in part
    assert "<html" not in part
    assert text_of(vic.get("/search?q=", headers={"HX-Target": "found"})).strip() == ""


def test_a_flow_of_a_project_that_is_not_there_has_no_page_and_is_not_found(full, vic):
    full.consume("models/churn_model", "Elsewhere/1/start/1", consumer_project="unknown")
    assert found(vic, "elsewhere") == {}


def test_what_nothing_begins_with_is_said(full, vic):
    assert "Nothing that you may see begins so." in text_of(vic.get("/search?q=zzz"))
    assert "Type the beginning of a name" in text_of(vic.get("/search"))
    assert vic.get("/search?q=%00").status_code == 400
    assert vic.get(f"/search?q={'w' * 201}").status_code == 400
    assert vic.get("/search.json?colour=1").status_code == 400


def test_a_row_that_has_outlived_its_asset_leads_nowhere(full, vic):
    Asset.objects.update(deleted_at="2026-01-01T00:00:00Z")
    assert found(vic, "churn_m") == {}


@pytest.mark.parametrize(
    ("page", "many"),
    [("/alpha/churn/main/models", True), ("/", False), ("/alpha/churn", False), ("/?q=churn", True)],
)
def test_lists_keep_their_own_filter(full, vic, page, many):
    assert ('placeholder="Filter' in text_of(vic.get(page))) is many
