"""The table below a drawing: folded until it is asked for, twenty rows a page, and all of it as a file."""

import csv
import re
from io import StringIO

import pytest

from tests.built_once import built_once
from tests.catalog.pages.conftest import text_of
from tests.lineage.pages.conftest import LINEAGE, answered, tabled

pytestmark = pytest.mark.slow


@pytest.fixture
def long(linked):
    built_once(add_readers, linked)
    return linked


def add_readers(linked):
    """The same with 40 readers more."""
    for number in range(40):
        linked.consume("data/features", f"Reader{number:02}/1/start/1")


def test_it_is_folded_until_a_part_of_it_is_asked_for(linked, vic):
    assert '<details class="lineage-table" id="arrows">' in text_of(vic.get(LINEAGE))
    for query in ("?sort=target", "?page=1"):
        assert '<details class="lineage-table" id="arrows" open>' in text_of(vic.get(LINEAGE + query))


def test_a_short_one_has_no_pages(linked, vic):
    assert 'class="pager"' not in text_of(vic.get(LINEAGE))


def test_a_long_one_has_twenty_rows_a_page(long, vic):
    _, arrows = answered(vic.get(f"{LINEAGE}.json"))
    assert len(arrows) > 50
    pages = [text_of(vic.get(f"{LINEAGE}?page={number}")) for number in (1, 2, 3)]
    seen = [tabled(page)[1] for page in pages]
    assert [len(page) for page in seen] == [20, 20, len(arrows) - 40]
    assert set().union(*seen) == arrows
    assert f"1\N{EN DASH}20 of {len(arrows)}" in pages[0]
    assert all(f"{len(arrows)} rows" in page for page in pages)


def test_its_pages_are_links_that_keep_question_and_order(long, vic):
    page = text_of(vic.get(f"{LINEAGE}?focus=data/features&sort=target&page=2"))
    links = re.findall(r'href="([^"]*)" rel="(prev|next)"', page)
    begin = f"{LINEAGE}?focus=data/features&amp;sort=target"
    assert links == [(f"{begin}#arrows", "prev"), (f"{begin}&amp;page=3#arrows", "next")]
    assert 'rel="next"' not in text_of(vic.get(f"{LINEAGE}?focus=data/features&sort=target&page=3"))


def test_another_order_begins_on_the_first_page(long, vic):
    page = text_of(vic.get(f"{LINEAGE}?page=2"))
    heads = re.findall(r'<th scope="col"[^>]*><a href="([^"]*)"', page)
    assert len(heads) > 4
    assert not any("page=" in head for head in heads)
    assert "page=2" not in page[page.index('class="sentence"') : page.index("<table")]


@pytest.mark.parametrize(("asked", "shown"), [("0", 1), ("99", 3), ("nonsense", 1), ("-1", 1), ("9" * 40, 1)])
def test_a_page_that_is_not_there_is_the_next_best(long, vic, asked, shown):
    page = text_of(vic.get(f"{LINEAGE}?page={asked}"))
    assert re.search(rf'aria-label="Page {shown}" aria-current="page"', page)


def test_the_file_has_all_rows(long, vic):
    rows = list(csv.DictReader(StringIO(text_of(vic.get(f"{LINEAGE}.csv?page=2")))))
    assert {(row["source_id"], row["target_id"]) for row in rows} == answered(vic.get(f"{LINEAGE}.json"))[1]


def test_the_small_one_leads_to_the_open_table(linked, vic):
    glance = text_of(vic.get(LINEAGE, headers={"HX-Target": "lineage-glance"}))
    assert f'<a href="{LINEAGE}?sort=-last#arrows">as a table</a>' in glance
