"""Deleting an alias in the page."""

import pytest

from catalog.models import AliasMove
from tests.catalog.pages.conftest import text_of
from tests.promoting.made import MODEL, hidden

DELETE = f"{MODEL}/aliases/production/delete"


@pytest.fixture
def ada(full):
    return full.client("ada")


def test_it_is_asked_once_more_with_what_it_leads_to(full, ada):
    page = text_of(ada.get(DELETE))
    assert "Delete <bdi>@production</bdi> of" in page
    assert "It leads to" in page
    assert "Nobody has asked for it by this name" in page
    assert ada.get(f"{MODEL}/aliases/nope/delete").status_code == 404


def test_it_is_deleted_with_a_comment_and_can_be_set_again(full, ada):
    answer = ada.post(DELETE, hidden(full, 3) | {"comment": "No longer used"})
    assert (answer.status_code, answer.headers["Location"]) == (302, f"{MODEL}/aliases/production")
    assert full.asset("models/churn_model").alias_index == {}
    move = AliasMove.objects.latest("pk")
    assert (move.to_uid, move.verdict.comment, move.verdict.outcome) == ("", "No longer used", "passed")
    page = text_of(ada.get(f"{MODEL}/aliases/production"))
    assert "@production is deleted. Its history stays." in page
    assert "No longer used" in page
    assert f"{MODEL}/aliases/production/move?to={move.from_uid}" in page


def test_somebody_was_faster(full, ada):
    old = hidden(full, 3)
    full.alias("production", full.asset("models/churn_model").instances.get(number=1))
    answer = ada.post(DELETE, old | {"comment": "mine"})
    assert answer.status_code == 409
    assert "Somebody moved it meanwhile." in text_of(answer)
    assert ">mine</textarea>" in text_of(answer)
    assert ada.post(DELETE, hidden(full, 3)).status_code == 302
    answer = ada.post(DELETE, old)  # and now it is gone
    assert answer.status_code == 409
    assert "It is deleted already." in text_of(answer)


def test_a_viewer_does_not(full, vic):
    assert "This needs the role editor" in text_of(vic.get(DELETE))
    assert vic.post(DELETE, hidden(full, 3)).status_code == 403
    assert "production" in full.asset("models/churn_model").alias_index
