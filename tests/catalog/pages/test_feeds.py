"""Atom feeds: well-formed whatever people wrote, with names that stay, and with tags as pages have them."""

import re
from xml.etree import ElementTree as ET

import pytest
from django.utils import timezone

from catalog.addresses import feed_of
from catalog.attention import of_asset, raise_attention
from catalog.models import Asset, Project
from catalog.pages.fed import clean, tag
from catalog.states import AttentionKind

ATOM = "{http://www.w3.org/2005/Atom}"
BRANCH, MODEL = "/alpha/churn/main", "/alpha/churn/main/models/churn_model"
PAGES = ["/alpha", BRANCH, MODEL, "/alpha/attention", "/alpha/~attention", f"{BRANCH}/attention"]


@pytest.fixture
def vic(full):
    return full.client("vic")


def read(answer):
    assert answer.status_code == 200, answer.status_code
    assert answer["Content-Type"] == "application/atom+xml; charset=utf-8"
    return ET.fromstring(answer.content)


def texts(root, name):
    return [entry.findtext(f"{ATOM}{name}") for entry in root.iter(f"{ATOM}entry")]


def needs_attention():
    asset = Asset.objects.get(asset_id="churn_model", branch__key="main", branch__project__perimeter__name="alpha")
    facts = {"reasons": {"auc": "0.1 \x01<b>"}, "number": 1}
    about = {"perimeter_id": asset.branch.project.perimeter_id, "branch_id": asset.branch_id, "asset_id": asset.pk}
    raise_attention(AttentionKind.UNUSUAL, of_asset(asset.pk), since=timezone.now(), facts=facts, **about)


@pytest.mark.parametrize("page", PAGES)
def test_a_page_leads_to_its_feed_and_that_is_whole(full, vic, page):
    needs_attention()
    full.register("models/churn_model", "TrainFlow/77/train/1")
    html = vic.get(page).content.decode()
    address = re.search('type="application/atom.xml" href="([^"]+)"', html)[1]
    assert address in (feed_of(page), feed_of(page.replace("~", "")))
    assert f'<a href="{address}">Atom feed</a>' in html
    answer = vic.get(feed_of(page))
    root = read(answer)
    assert answer["Cache-Control"].startswith("private")
    ids = texts(root, "id")
    assert ids
    assert len(set(ids)) == len(ids)
    assert all(re.fullmatch(r"tag:testserver,\d{4}-\d\d-\d\d:[\w./~:@+%-]+", one) for one in ids)
    updated = texts(root, "updated")
    assert updated == sorted(updated, reverse=True)
    assert root.findtext(f"{ATOM}updated") == updated[0]
    links = [link.get("href") for link in root.iter(f"{ATOM}link")]
    assert all(link.startswith("http://testserver/") for link in links)
    again = vic.get(feed_of(page), headers={"If-None-Match": answer["ETag"]})
    assert again.status_code == 304
    assert texts(read(vic.get(feed_of(page))), "id") == ids


@pytest.mark.parametrize("page", PAGES[:3])
def test_what_happens_is_in_it_and_changes_its_tag(full, vic, page):
    before = vic.get(feed_of(page))
    made = full.register("models/churn_model", "TrainFlow/78/train/1")
    answer = vic.get(feed_of(page), headers={"If-None-Match": before["ETag"]})
    assert any(title.startswith(f"churn_model {made.ref} is ready") for title in texts(read(answer), "title"))
    kept = set(texts(read(before), "id")) & set(texts(read(answer), "id"))
    assert len(kept) >= len(texts(read(before), "id")) - 1  # of an asset that has a newer version
    full.alias("production", made)
    titles = texts(read(vic.get(feed_of(page))), "title")
    assert any("@production of churn_model" in title for title in titles)


def test_what_needs_attention_is_in_its_feeds(vic):
    assert texts(read(vic.get(f"{BRANCH}/attention.atom")), "title") == []
    first = read(vic.get(f"{BRANCH}/attention.atom")).findtext(f"{ATOM}updated")
    assert first == "2026-01-01T00:00:00+00:00"
    needs_attention()
    for page in ("/alpha/attention.atom", f"{BRANCH}/attention.atom"):
        (title,) = texts(read(vic.get(page)), "title")
        assert title.startswith("unusual: ")
        assert title.endswith("auc is 0.1 <b>")


def test_a_project_and_an_asset_of_that_name_keep_their_addresses(full, vic):
    full.register("data/table")
    full.register("data/table.atom")
    assert vic.get(f"{BRANCH}/data/table.atom")["Content-Type"].startswith("text/html")
    assert vic.get(f"{BRANCH}/data/table.atom.atom")["Content-Type"].startswith("application/atom")
    Project.objects.create(perimeter=full.alpha, name="attention.atom", created_at=timezone.now())
    assert vic.get("/alpha/attention.atom")["Content-Type"].startswith("text/html")
    assert vic.get("/alpha/~attention.atom")["Content-Type"].startswith("application/atom")


@pytest.mark.parametrize("page", PAGES)
def test_an_outsider_gets_none(full, client, page):
    assert full.client("olga").get(feed_of(page)).status_code == 404
    assert client.get(feed_of(page)).status_code == 302
    assert full.client("vic").post(feed_of(page)).status_code in (403, 405)


def test_a_missing_thing_has_no_feed(vic):
    for page in ("/alpha/churn/nothing", f"{BRANCH}/models/nothing", f"{BRANCH}/nothing/nothing"):
        assert vic.get(feed_of(page)).status_code == 404


def test_no_text_breaks_it():
    assert clean("a\x00\x1f\ud800\ufffe\U0001f600\tb") == "a\U0001f600\tb"
    assert tag("h", timezone.now(), "é \ud800<").partition(":2")[0].startswith("tag:h,")
    assert re.fullmatch(r"tag:h,[\d-]+:%C3%A9%20%ED%A0%80%3C", tag("h", timezone.now(), "é \ud800<"))
