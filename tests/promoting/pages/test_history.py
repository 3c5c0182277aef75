"""The history of an alias: what its rules said, why somebody moved it, and the ways back; and the buttons elsewhere."""

import csv
from io import StringIO

import pytest
from django.utils import timezone

from catalog.models import Asset, GateVerdict
from catalog.states import Outcome
from tests.catalog.pages.conftest import text_of
from tests.conftest import POSTGRES
from tests.promoting.made import MODEL, admin, declare, hidden

PAGE = f"{MODEL}/aliases/production"
STRICT = {"production": {"require": ["accuracy >= @production", "accuracy >= 0.5"]}}


@pytest.fixture
def ada(full):
    return full.client("ada")


@pytest.fixture
def told(full, ada):
    """v1, then v3 by somebody without rules, then v2 refused twice, then rolled back to v1."""
    model = full.asset("models/churn_model")
    full.alias("production", model.instances.get(number=1))
    full.alias("production", model.instances.get(number=3))
    declare(full, STRICT)
    for _ in range(2):
        assert move(ada, full, 2, "better?").status_code == 422
    assert move(ada, full, 1, "Scores halved").status_code == 302
    return full


def move(client, world, to, comment, **said):
    return client.post(f"{PAGE}/move?to=v{to}", hidden(world, to) | {"comment": comment} | said)


def history(client):
    page = text_of(client.get(PAGE))
    return page[page.index('id="history"') :]


def test_it_tells_moves_and_refusals_with_their_comments(told, ada):
    page = history(ada)
    first, second = page.index("rolled back"), page.index(">refused<")
    assert first < second < page.index("no rules then")
    assert "Scores halved" in page
    assert "better?" in page
    assert "2 times" in page
    assert "All rules then: 1 refuses, 1 passes" in page
    assert "All rules then: 1 passes, 1 exempt" in page


def test_every_version_before_has_one_way_back_for_editors(told, ada, vic):
    page = history(ada)
    assert page.count(f'href="{PAGE}/move?to=v3"') == 1
    assert f'href="{PAGE}/move?to=v1"' not in page  # it holds it now
    assert "move?to=" not in text_of(vic.get(PAGE))
    head = text_of(ada.get(PAGE)).partition('id="history"')[0]
    assert "Undo the last move…" in head
    undo = told.asset("models/churn_model").instances.get(number=3).uid
    assert f'href="{PAGE}/move?to={undo}"' in head
    assert f'href="{PAGE}/delete"' in head
    assert "can be rolled back to v3" in text_of(ada.get(f"{PAGE}/move?to={undo}"))


def test_an_override_and_a_replay_are_marks(told):
    client = admin(told)
    declare(told, {"production": {"require": ["accuracy >= 0.99"]}})
    assert move(client, told, 2, "", override="yes", reason="The other one leaks").status_code == 302
    row = GateVerdict.objects.get(outcome="rollback")
    row.outcome, row.receipt = Outcome.REPLAY, "r1:abc"
    row.save()
    Asset.objects.filter(pk=told.asset("models/churn_model").pk).mark()
    page = history(client)
    assert "overridden" in page
    assert "The other one leaks" in page
    assert "replayed" in page
    assert "receipt" in page


def test_files_tell_the_same(told, ada):
    answer = ada.get(f"{PAGE}.json").json()
    assert [hold["ref"] for hold in answer["holds"]] == ["v1", "v3", "v1", "v3"]
    first, *others = (hold["verdict"] for hold in answer["holds"])
    assert others == [None, None, None]
    assert (first["outcome"], first["comment"]) == ("rollback", "Scores halved")
    assert {rule["says"] for rule in first["rules"]} == {"exempt", "passes"}
    (refused,) = answer["refused"]
    assert (refused["ref"], refused["count"], refused["verdict"]["comment"]) == ("v2", 2, "better?")
    rows = list(csv.DictReader(StringIO(ada.get(f"{PAGE}.csv").content.decode())))
    assert [(row["version"], row["outcome"], row["comment"]) for row in rows] == [
        ("v1", "rollback", "Scores halved"),
        ("v3", "", ""),
        ("v1", "", ""),
        ("v3", "", ""),
        ("v2", "refused", "better?"),
    ]


def test_a_refusal_changes_the_page_that_a_browser_has(full, ada):
    declare(full, STRICT)
    ada.get("/")
    tag = ada.get(PAGE).headers.get("ETag", "")
    assert tag or POSTGRES  # there nothing has a tag that is written in an open transaction, as a test is
    same = {"If-None-Match": tag}
    assert ada.get(PAGE, headers=same).status_code == (304 if tag else 200)
    assert move(ada, full, 2, "").status_code == 422
    assert ada.get(PAGE, headers=same).status_code == 200


def test_an_alias_that_rules_never_let_be_set_has_a_history(full, ada, vic):
    page = f"{MODEL}/aliases/strict"
    declare(full, {"strict": {"require": ["accuracy >= 0.99"]}})
    assert ada.get(page).status_code == 404
    sent = hidden(full, 2, alias="strict") | {"comment": "the first"}
    assert ada.post(f"{page}/move?to=v2", sent).status_code == 422
    shown = text_of(ada.get(page))
    assert "It was never set: rules refused what was asked for." in shown
    assert "the first" in shown
    assert f'href="{page}/move"' in shown
    assert "Who held" not in shown
    assert "Set it…" not in text_of(vic.get(page))
    answer = ada.get(f"{page}.json").json()
    assert (answer["holds"], [row["ref"] for row in answer["refused"]]) == ([], ["v2"])
    assert ada.get(f"{page}.csv").status_code == 200
    assert ada.get(f"{page}.svg").status_code == 404


def test_a_kept_rule_that_says_no_more_than_that_it_refused_is_shown(told, ada):
    GateVerdict.objects.filter(outcome="refused").update(rules=[{"rule": "auc >= 0.9", "says": "refuses"}], count=7)
    page = history(ada)
    assert "7 times" in page
    assert "auc &gt;= 0.9" in page


def test_refusals_of_an_asset_before_it_are_not_its_own(told, ada):
    model = told.asset("models/churn_model")
    Asset.objects.filter(pk=model.pk).update(created_at=timezone.now())
    assert ada.get(f"{PAGE}.json").json()["refused"] == []


def test_many_rules_of_many_moves_stay_bounded(full, ada):
    model = full.asset("models/churn_model")
    rules = [{"rule": f"accuracy >= 0.{n}", "says": "passes", "has": "", "needs": ""} for n in range(50)]
    common = {"branch": model.branch, "kind": model.kind, "asset_id": model.asset_id, "alias": "production"}
    by = {"actor": "ada", "entity_kind": "user", "entity_id": "ada", "instance_uid": model.newest_ready.uid}
    now = timezone.now()
    for _ in range(40):
        GateVerdict.objects.create(**common, **by, outcome="refused", rules=rules, at=now)
    page = history(ada)
    assert page.count('class="all-rules"') == 8
    assert page.count("50 pass") == 40


def test_pages_lead_to_the_move_for_who_may(full, ada, vic):
    asked = {
        f"{MODEL}/v2": [f'href="{MODEL}/move?to=v2"', f'href="{MODEL}/v2/promote"'],
        f"{MODEL}/compare?of=v2,@production&base=@production": [f'href="{PAGE}/move?to=v2"'],
        PAGE: [f'href="{PAGE}/move"'],
    }
    for page, links in asked.items():
        assert [link for link in links if link not in text_of(ada.get(page))] == [], page
        assert [link for link in links if link in text_of(vic.get(page))] == [], page
    full.register("models/churn_model", "TrainFlow/4/train/1", state="pending")
    assert "/promote" not in text_of(ada.get(f"{MODEL}/v4"))


def test_a_comparison_with_what_no_alias_leads_to_offers_no_move(full, ada):
    assert "/move?to=" not in text_of(ada.get(f"{MODEL}/compare?of=v1,v2&base=v1"))
