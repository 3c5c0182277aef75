"""What calls accept, and how they are answered."""

import pytest

from catalog.wire.rendering import as_json

LATEST = "data/xkcd/instances/latest"
JSON = ["*/*", "application/json", "text/html, */*;q=0.1", "application/*", "application/json; charset=utf-8"]


@pytest.fixture(autouse=True)
def _one(api):
    api.register()


@pytest.mark.parametrize("accepts", [None, "", *JSON])
@pytest.mark.parametrize("address", [LATEST, "data", "data/xkcd/aliases/none"])
def test_json_is_what_everybody_gets(api, accepts, address):
    answer = api.get(address, **({} if accepts is None else {"Accept": accepts}))
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["Allow"].startswith("GET, P" if "instances" in address or "none" in address else "GET")
    assert answer.content == as_json(answer.json())


@pytest.mark.parametrize("address", [LATEST, "data"])
def test_json_in_lines_is_for_who_asks_for_them(api, address):
    answer = api.get(address, Accept="application/json; indent=2")
    assert answer.content.startswith(b'{\n  "')
    assert answer.json() == api.get(address).json()


@pytest.mark.parametrize("accepts", ["text/html", "application/xml", "image/*"])
def test_anything_else_is_refused_with_a_sentence(api, accepts):
    answer = api.get(LATEST, Accept=accepts)
    assert answer.status_code == 406
    assert answer.json()["detail"] == {"field": "Accept"}


def test_a_form_may_be_named_in_the_query(api):
    assert api.get(f"{LATEST}?format=json").status_code == 200
    assert api.get(f"{LATEST}?format=xml").status_code == 404


def test_an_answer_without_a_body_has_no_type(api):
    answer = api.delete("data/xkcd")
    assert (answer.status_code, answer.content) == (204, b"")
    assert "Content-Type" not in answer.headers
