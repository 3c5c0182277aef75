"""What needs attention, as pages have it: where it is shown, and how it is dismissed and comes back."""

from datetime import timedelta

import pytest
from django.utils import timezone

from catalog.attention import of_asset, raise_attention
from catalog.models import Asset, Attention, Cadence, NewNormal, Unusual
from catalog.states import AttentionKind, Watch
from tests.catalog.pages.conftest import text_of

BRANCH = "/alpha/churn/main"
PAGES = ["/", "/alpha", BRANCH, "/alpha/attention", f"{BRANCH}/attention"]
TWINS = ["/index.json", "/alpha.json", f"{BRANCH}.json", "/alpha/attention.json", f"{BRANCH}/attention.json"]


@pytest.fixture
def late(full):
    """The model should have come ten hours ago."""
    asset, now = full.asset("models/churn_model"), timezone.now()
    asset.watch, asset.usual, asset.due_at = Watch.LEARNED, 86_400, now - timedelta(hours=10)
    asset.late_at, asset.dormant_at = now - timedelta(hours=4), now + timedelta(days=14)
    asset.save()
    return asset


def raise_unusual(asset, number=3):
    about = {"perimeter_id": asset.branch.project.perimeter_id, "branch_id": asset.branch_id, "asset_id": asset.pk}
    facts = {"number": number, "reasons": {"rows": "3,000, far above"}}
    raise_attention(AttentionKind.UNUSUAL, of_asset(asset.pk), **about, since=timezone.now(), facts=facts)


@pytest.mark.parametrize("page", PAGES)
def test_what_is_late_is_on_every_page_without_the_background(late, vic, page):
    told = text_of(vic.get(page))
    assert "churn_model</bdi></a> is 10 h late" in told
    assert 'href="/alpha/churn/main/models/churn_model/lineage?view=impact"' in told


@pytest.mark.parametrize("twin", TWINS)
def test_twins_have_it(late, vic, twin):
    (line,) = vic.get(twin).json()["attention"]
    assert (line["kind"], line["sentence"]) == ("late", "churn_model is 10 h late")
    assert line["about"][0]["asset"]["id"] == "churn_model"


@pytest.mark.parametrize("page", PAGES)
def test_nothing_is_told_to_an_outsider(late, full, page):
    answer = full.client("olga").get(page)
    assert "is 10 h late" not in answer.content.decode()


def test_where_there_is_nothing_it_says_so(full, vic):
    assert "Nothing needs attention" in text_of(vic.get("/"))
    assert "Nothing needs attention" in text_of(vic.get(f"{BRANCH}/attention"))
    assert "Nothing was dismissed" in text_of(vic.get(f"{BRANCH}/attention?dismissed=yes"))


@pytest.mark.parametrize("where", ["/alpha/attention", f"{BRANCH}/attention"])
def test_it_is_dismissed_with_a_reason_and_comes_back_when_it_changes(late, full, where):
    raise_unusual(late)
    ada = full.client("ada")
    about = [f"late asset:{late.pk}", f"unusual asset:{late.pk}"]
    sent = ada.post(f"{where}/dismiss", {"about": about, "why": "we know"}, follow=True)
    assert sent.redirect_chain == [(where, 302)]
    assert "It is dismissed" in text_of(sent)
    assert ada.get(f"{where}.json").json()["attention"] == []
    kept = text_of(ada.get(f"{where}?dismissed=yes"))
    assert "we know" in kept
    assert "is 10 h late" in kept
    raise_unusual(late, number=4)
    assert [line["kind"] for line in ada.get(f"{where}.json").json()["attention"]] == ["unusual"]
    ada.post(f"{where}/dismiss", {"about": about[:1], "undo": "yes"})
    assert len(ada.get(f"{where}.json").json()["attention"]) == 2


def test_the_twin_of_an_asset_says_what_its_page_does(late, full, vic):
    cause = {"kind": "not_run", "maker": "TrainFlow", "since": "2026-01-01T00:00:00+00:00"}
    Cadence.objects.create(asset=late, cause=cause, learned_at=timezone.now())
    Unusual.objects.create(instance=late.newest_ready, reasons={"auc": "9, far above"}, rule=1, at=timezone.now())
    twin = vic.get(f"{BRANCH}/models/churn_model.json").json()
    assert (twin["freshness"]["state"], twin["unusual"]) == ("late", {"auc": "9, far above"})
    assert twin["freshness"]["sentence"].startswith("usually every 24 h; TrainFlow has not run")


@pytest.mark.parametrize("where", ["/alpha/attention", f"{BRANCH}/attention"])
def test_beyond_the_end_is_the_last_page(late, vic, where, monkeypatch):
    monkeypatch.setattr("catalog.pages.attention.ROWS", 1)
    raise_unusual(late)
    last = vic.get(f"{where}.json?page=2").json()
    assert (len(last["attention"]), last["total"], last["page"]) == (1, 2, 2)
    assert vic.get(f"{where}.json?page=9").json() == last
    assert "2\N{EN DASH}2 of 2" in text_of(vic.get(f"{where}?page=9"))
    nothing = vic.get(f"{where}.json?page=9&dismissed=yes").json()
    assert (nothing["total"], nothing["page"]) == (0, 1)


def test_a_reason_is_asked_for(late, full):
    sent = full.client("ada").post(f"{BRANCH}/attention/dismiss", {"about": f"late asset:{late.pk}"}, follow=True)
    assert "Say why it needs no attention." in text_of(sent)
    assert not Attention.objects.exists()


@pytest.mark.parametrize(("who", "status"), [("vic", 403), ("olga", 404)])
def test_who_may_not_edit_dismisses_nothing(late, full, who, status):
    form = {"about": f"late asset:{late.pk}", "why": "no"}
    assert full.client(who).post(f"{BRANCH}/attention/dismiss", form).status_code == status
    assert full.client(who).post("/alpha/attention/dismiss", form).status_code == status
    assert not Attention.objects.exists()
    assert 'name="about"' not in full.client("vic").get(f"{BRANCH}/attention").content.decode()


def test_what_was_dismissed_or_is_nothing_can_not_be_dismissed(late, full):
    for about in ("late asset:999", "nonsense", "late"):
        sent = full.client("ada").post("/alpha/attention/dismiss", {"about": about, "why": "no"}, follow=True)
        assert "It needs no attention any more" in text_of(sent)


def test_a_project_of_that_name_keeps_its_address(late, full, vic):
    full.register("data/x", project="attention")
    assert "Branches" not in text_of(vic.get("/alpha/~attention"))
    assert vic.get("/alpha/attention.json").json()["project"]["name"] == "attention"
    assert "is 10 h late" in text_of(vic.get("/alpha/~attention"))
    assert 'href="/alpha/~attention"' in text_of(vic.get("/alpha"))


def test_the_new_normal_is_said_on_a_page(late, full):
    url = f"{BRANCH}/models/churn_model/normal"
    assert "Is this the new normal" in text_of(full.client("vic").get(url))
    assert full.client("vic").post(url, {"reason": "no"}).status_code == 403
    sent = full.client("ada").post(url, {"reason": "weekly now"}, follow=True)
    assert "is learned anew" in text_of(sent)
    event = NewNormal.objects.get()
    assert (event.reason, event.actor, event.asset_id) == ("weekly now", "ada", late.pk)
    assert Asset.objects.get(pk=late.pk).watch == Watch.LEARNING
    assert "weekly now" in text_of(full.client("ada").get(url))
    assert full.client("ada").post(url, {"reason": "x" * 100_000}).status_code == 422
